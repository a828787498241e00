//! How a run reads ScaiKey: by what it finds users, and what it makes of a list that is not what it should
//! be.

use std::time::Duration;

use futures::executor::block_on;
use scaigate_directory::sync::{self, Report, Warning};
use scaigate_problem::{Code, Problem};
use scaigate_types::{Clock as _, OutboundError};
use scaikey_emulator::{Deviation, DirectoryLie, Endpoint, Fault, User, seed};
use serde_json::{Value, json};

use crate::world::scaikey::OutboundFault;
use crate::world::{World, code};

const GROUPS: &str = "/api/v1/admin/groups/";

/// A world where everybody has access, and nothing has been mirrored yet.
pub fn world() -> World {
    let world = World::new();
    world.assign_everybody();
    world
}

pub fn lies(world: &World, lie: DirectoryLie) {
    let switches = world.scaikey.emulator.switches();
    switches.set(Deviation::Directory(lie));
}

pub fn fails(world: &World, endpoint: Endpoint, fault: Fault, times: u32) {
    let switches = world.scaikey.emulator.switches();
    switches.fail_next(endpoint, fault, times);
}

pub const fn status(code: u16, retry_after: Option<u32>) -> Fault {
    Fault::Status { code, retry_after }
}

/// The first request for a path, from 1.
fn first(paths: &[String], path: &str) -> usize {
    let found = paths.iter().position(|one| one.starts_with(path));
    found.unwrap_or_else(|| panic!("{path} is not in {paths:?}")) + 1
}

/// Lets the first request of a sync for `path` be answered with `body` instead.
fn instead(world: &World, path: &str, status: u16, body: &Value) {
    let honest = self::world();
    honest.scaikey.plan.heal();
    honest.sync(false).unwrap();
    let call = first(&honest.scaikey.plan.heal(), path);
    let body = body.to_string().leak();
    let fault = OutboundFault::Instead(status, "application/json", body);
    world.scaikey.plan.fail_at(call, fault);
}

fn warning(report: &Report, code: &str) -> Warning {
    let found = report.warnings.iter().find(|one| one.code == code);
    found
        .unwrap_or_else(|| panic!("{:?}", report.warnings))
        .clone()
}

fn has_no_warning(report: &Report, code: &str) {
    let found = report.warnings.iter().find(|one| one.code == code);
    assert_eq!(found, None);
}

/// Syncs, which must fail, and nothing is mirrored then; the run's row says why.
pub fn refused(world: &World) -> Problem {
    let before = world.mirror();
    let problem = world.sync(false).unwrap_err();
    assert_eq!(world.mirror().differences(&before), [""; 0]);
    let row = world.rows::<2>("SELECT outcome, code FROM sync_run ORDER BY sync_id DESC LIMIT 1");
    assert_eq!(row, [["failed", problem.code().as_str()]]);
    problem
}

/// Syncs, which must fail for what a list is.
pub fn incomplete(world: &World, list: &str, reason: &str) {
    let problem = refused(world);
    assert_eq!(problem.code(), Code::SyncIncomplete);
    assert_eq!(problem.details()["list"], list);
    assert_eq!(problem.details()["reason"], reason);
}

pub fn is_whole(world: &World) {
    let truth = crate::world::mirror::Mirror {
        partners: world.mirror().partners,
        ..world.truth()
    };
    assert_eq!(world.mirror().differences(&truth), [""; 0]);
}

#[test]
fn s_12_without_admin_read_users_are_who_is_in_a_group_and_that_is_told() {
    let world = World::new();
    lies(&world, DirectoryLie::EffectiveUsersForbidden);
    let report = world.sync(false).unwrap();
    assert_eq!(report.statistics.users_method, Some("member_walk"));
    assert!(
        warning(&report, "member_walk")
            .fix
            .contains("scaikey-register")
    );
    has_no_warning(&report, "users_without_group_removed");
    let members: i64 = world.number("SELECT count(DISTINCT user_id) FROM group_membership");
    assert_eq!(world.number("SELECT count(*) FROM person"), members);
    // Whoever leaves all groups can't be told from somebody who was deleted.
    world.clock.advance(Duration::from_secs(10));
    let changes = world.scaikey.emulator.changes();
    for group in ["grp_acme_admins", "grp_acme_staff"] {
        changes.remove_member(group, "usr_bob_acme");
    }
    let report = world.sync(false).unwrap();
    assert_eq!(report.statistics.users_soft_deleted, 1);
    warning(&report, "users_without_group_removed");
}

#[test]
fn whoever_is_not_listed_any_more_is_told_of_only_where_that_may_be_a_lack_of_rights() {
    let world = world();
    world.sync(false).unwrap();
    world.clock.advance(Duration::from_secs(10));
    world.scaikey.emulator.changes().delete_user("usr_bob_acme");
    let report = world.sync(false).unwrap();
    assert_eq!(report.statistics.users_soft_deleted, 1);
    has_no_warning(&report, "users_without_group_removed");
}

#[test]
fn a_membership_that_comes_back_counts_as_added() {
    let world = world();
    let changes = || world.scaikey.emulator.changes();
    let later = || world.clock.advance(Duration::from_secs(10));
    world.sync(false).unwrap();
    later();
    changes().remove_member("grp_acme_staff", "usr_bob_acme");
    changes().remove_member("grp_acme_staff", "usr_carol_acme");
    let report = world.sync(false).unwrap();
    assert_eq!(report.statistics.memberships_soft_deleted, 2);
    later();
    // One who was a member, and one who never was.
    changes().add_member("grp_acme_staff", "usr_bob_acme");
    changes().add_member("grp_acme_admins", "usr_carol_acme");
    let report = world.sync(false).unwrap();
    assert_eq!(report.statistics.memberships_added, 2);
    assert_eq!(report.statistics.memberships_soft_deleted, 0);
}

#[test]
fn without_groups_nobody_is_found_by_them_and_the_mirror_stays() {
    let world = world();
    world.sync(false).unwrap();
    world.clock.advance(Duration::from_secs(10));
    lies(&world, DirectoryLie::EffectiveUsersForbidden);
    lies(&world, DirectoryLie::GroupsForbidden);
    let problem = refused(&world);
    assert_eq!(problem.code(), Code::SyncForbidden);
    assert_eq!(problem.details()["list"], "groups");
    assert_eq!(problem.details()["reason"], "our token lacks a scope");
    // Or for another reason than its scopes.
    let world = self::world();
    lies(&world, DirectoryLie::EffectiveUsersForbidden);
    world.sync(false).unwrap();
    world.scaikey.plan.heal();
    world.sync(false).unwrap();
    let call = first(&world.scaikey.plan.heal(), GROUPS);
    let body = r#"{"detail": "Not today"}"#;
    let fault = OutboundFault::Instead(403, "application/json", body);
    world.scaikey.plan.fail_at(call, fault);
    let problem = refused(&world);
    assert_eq!(problem.details()["list"], "groups");
    assert_eq!(
        problem.details()["reason"],
        "our application may not read it"
    );
}

#[test]
fn a_list_without_statuses_makes_no_event_about_one_void() {
    for tells in [false, true] {
        let world = world();
        let bob = "usr_bob_acme";
        let suspended = world.scaikey.emulator.changes().suspend_user(bob);
        world.clock.advance(Duration::from_secs(10));
        let directory = world.scaikey.emulator.directory();
        let of_acme = directory
            .users
            .iter()
            .filter(|user| user.tenant_id == seed::ACME);
        let row = |user: &User| {
            let status = if tells { json!("ACTIVE") } else { Value::Null };
            json!({ "id": user.id, "tenant_id": seed::ACME, "status": status })
        };
        let rows: Vec<Value> = of_acme.map(row).collect();
        drop(directory);
        let body = json!({ "data": rows, "meta": { "total": rows.len() } });
        let list = format!("/api/v1/tenants/{}/", seed::ACME);
        instead(&world, &list, 200, &body);
        world.sync(false).unwrap();
        world.event(suspended);
        let status = "SELECT status FROM person WHERE subject = 'usr_bob_acme'";
        let expected = if tells { "active" } else { "suspended" };
        assert_eq!(world.rows::<1>(status), [[expected]]);
    }
}

#[test]
fn groups_that_may_not_be_read_are_left_as_they_were() {
    let world = world();
    world.sync(false).unwrap();
    world.clock.advance(Duration::from_secs(10));
    let changes = world.scaikey.emulator.changes();
    changes.delete_group("grp_umbra_research");
    changes.suspend_user("usr_bob_acme");
    let before = world.mirror();
    lies(&world, DirectoryLie::GroupsForbidden);
    let report = world.sync(false).unwrap();
    let told = warning(&report, "groups_scope_missing");
    assert!(told.fix.contains("groups:read"), "{told:?}");
    let after = world.mirror();
    assert_eq!(
        (&after.groups, &after.members),
        (&before.groups, &before.members)
    );
    assert_ne!(after.users, before.users);
}

#[test]
fn an_empty_list_of_groups_is_no_list_for_a_token_that_may_not_list_them() {
    let world = world();
    world.sync(false).unwrap();
    world.clock.advance(Duration::from_secs(10));
    {
        let mut directory = world.scaikey.emulator.directory();
        let application = directory.client_mut(seed::CLIENT_ID).unwrap();
        application.allowed_scopes = vec!["users:read".to_owned()];
    }
    lies(&world, DirectoryLie::GroupsEmptyWithoutScope);
    let problem = refused(&world);
    assert_eq!(problem.code(), Code::SyncForbidden);
    assert_eq!(problem.details()["list"], "groups");
}

#[test]
fn an_empty_list_of_groups_is_believed_and_told() {
    let world = world();
    world.scaikey.emulator.directory().groups.clear();
    let report = world.sync(false).unwrap();
    warning(&report, "no_groups");
    assert_eq!(report.statistics.groups_seen, 0);
    is_whole(&world);
}

#[test]
fn n_103_a_member_of_another_tenant_gets_nothing_by_the_group() {
    let world = World::with(&[("scaiflow_super_admin_groups", "grp_acme_admins")]);
    world.assign_everybody();
    let sybil = "usr_sybil_umbra";
    let join = |directory: &mut scaikey_emulator::Directory| {
        let group = directory.group_mut("grp_acme_admins").unwrap();
        group.members.push(sybil.to_owned());
    };
    join(&mut world.scaikey.emulator.directory());
    let report = world.sync(false).unwrap();
    let told = warning(&report, "foreign_members");
    assert!(told.message.starts_with("1 memberships"), "{told:?}");
    let memberships =
        "SELECT group_id FROM group_membership WHERE user_id = 'usr_sybil_umbra' ORDER BY 1";
    assert_eq!(
        world.rows::<1>(memberships),
        [["grp_umbra_admins"], ["grp_umbra_staff"]]
    );
    let role =
        "SELECT count(*) FROM person WHERE subject = 'usr_sybil_umbra' AND admin_role IS NOT NULL";
    assert_eq!(world.number(role), 0);
}

#[test]
fn a_list_of_users_with_one_of_another_tenant_is_not_believed() {
    let world = world();
    lies(&world, DirectoryLie::ForeignTenantRow);
    incomplete(
        &world,
        "effective_users",
        "it holds a user of another tenant",
    );
}

#[test]
fn a_tenant_whose_people_have_no_issuer_stops_the_sync() {
    let world = world();
    {
        let mut directory = world.scaikey.emulator.directory();
        let mut tenant = directory.tenants[0].clone();
        "tnt%2f..".clone_into(&mut tenant.id);
        "odd".clone_into(&mut tenant.slug);
        directory.tenants.push(tenant);
    }
    incomplete(
        &world,
        "tenants",
        "it holds a tenant whose id is no part of an issuer",
    );
}

#[test]
fn a_group_of_no_tenant_is_of_the_only_one_or_stops_the_sync() {
    let listed = json!({
        "data": [{ "id": "grp_acme_admins", "name": "platform-admins", "group_type": "SECURITY" }],
        "meta": { "total": 1 },
    });
    let two = world();
    instead(&two, GROUPS, 200, &listed);
    incomplete(&two, "groups", "it holds a group of no tenant");

    let one = world();
    one.scaikey.emulator.changes().delete_tenant(seed::UMBRA);
    one.scaikey.plan.heal();
    one.sync(false).unwrap();
    let call = first(&one.scaikey.plan.heal(), GROUPS);
    one.clock.advance(Duration::from_secs(10));
    let body = listed.to_string().leak();
    let fault = OutboundFault::Instead(200, "application/json", body);
    // Where the token is to be had is known by now.
    one.scaikey.plan.fail_at(call - 1, fault);
    one.sync(true).unwrap();
    let groups =
        one.rows::<2>("SELECT tenant_id, group_id FROM directory_group WHERE deleted_at IS NULL");
    assert_eq!(groups, [[seed::ACME, "grp_acme_admins"]]);
}

#[test]
fn a_tenant_that_is_listed_no_more_is_gone_with_all_that_it_had() {
    let world = world();
    world.sync(false).unwrap();
    world.clock.advance(Duration::from_secs(10));
    world.scaikey.emulator.changes().delete_tenant(seed::UMBRA);
    world.sync(true).unwrap();
    let mirror = world.mirror();
    assert!(mirror.tenants.contains_key(seed::ACME));
    assert!(!mirror.tenants.contains_key(seed::UMBRA));
    let of_umbra = |(tenant_id, _): &(String, String)| tenant_id == seed::UMBRA;
    assert!(!mirror.users.keys().any(of_umbra) && !mirror.groups.keys().any(of_umbra));
    is_whole(&world);
}

#[test]
fn a_group_that_is_deleted_while_it_is_read_is_left_out() {
    let world = world();
    let honest =
        |id: &str, tenant_id: &str| json!({ "id": id, "tenant_id": tenant_id, "name": id });
    let mut rows: Vec<Value> = {
        let directory = world.scaikey.emulator.directory();
        let groups = directory.groups.iter();
        groups
            .map(|group| honest(&group.id, &group.tenant_id))
            .collect()
    };
    rows.push(honest("grp_just_gone", seed::ACME));
    let listed = json!({ "data": rows, "meta": { "total": 7 } });
    instead(&world, GROUPS, 200, &listed);
    let report = world.sync(false).unwrap();
    assert_eq!(report.statistics.groups_seen, 6);
    let mirrored: Vec<_> = world.mirror().groups.into_keys().collect();
    let truth: Vec<_> = world.truth().groups.into_keys().collect();
    assert_eq!(mirrored, truth);
}

#[test]
fn a_group_that_is_listed_and_has_no_members_to_be_found_stops_the_sync() {
    let world = world();
    fails(&world, Endpoint::GroupMembers, status(404, None), 1);
    incomplete(
        &world,
        "group_members",
        "they are not found, and the group is listed",
    );
}

#[test]
fn our_own_application_is_named_by_its_id_where_scaikey_knows_no_me() {
    let of = |id: Option<&str>| {
        let variables: Vec<(&str, &str)> = id
            .map(|id| ("scaiflow_scaikey_application_id", id))
            .into_iter()
            .collect();
        let world = World::with(&variables);
        world.assign_everybody();
        let switches = world.scaikey.emulator.switches();
        switches.change(|behaviour| behaviour.application_me = false);
        world
    };
    let problem = refused(&of(None));
    assert_eq!(problem.code(), Code::SyncIncomplete);
    let reason = problem.details()["reason"].as_str().unwrap();
    assert!(
        reason.contains("SCAIFLOW_SCAIKEY_APPLICATION_ID"),
        "{reason}"
    );
    let named = of(Some(seed::APPLICATION_ID));
    named.sync(false).unwrap();
    is_whole(&named);
}

#[test]
fn another_403_is_told_apart_from_a_missing_scope() {
    let world = world();
    let body = r#"{"detail":"Admin role required"}"#.to_owned();
    fails(
        &world,
        Endpoint::AdminTenants,
        Fault::Answer { code: 403, body },
        1,
    );
    let problem = refused(&world);
    assert_eq!(problem.code(), Code::SyncForbidden);
    assert_eq!(problem.details()["list"], "tenants");
    assert_eq!(
        problem.details()["reason"],
        "our application may not read it"
    );
}

#[test]
fn pages_get_smaller_until_scaikey_takes_them_or_they_are_small_enough() {
    let body = r#"{"detail":[{"loc":["query","per_page"],"msg":"less","type":"less"}]}"#;
    let fault = || Fault::Answer {
        code: 422,
        body: body.to_owned(),
    };
    let some = world();
    fails(&some, Endpoint::EffectiveUsers, fault(), 5);
    some.sync(false).unwrap();
    is_whole(&some);
    // Twenty rows are the least that is asked for.
    let sizes = ["1000", "500", "250", "125", "62", "31", "20"];
    for (times, is_read) in [(6, true), (7, false)] {
        let least = world();
        fails(&least, Endpoint::EffectiveUsers, fault(), times);
        assert_eq!(least.sync(false).is_ok(), is_read, "{times}");
        if is_read {
            is_whole(&least);
        }
        let recorder = least.scaikey.emulator.recorder();
        let asked = recorder.requests_to(Endpoint::EffectiveUsers);
        let asked: Vec<_> = asked
            .iter()
            .filter_map(|one| one.query("per_page"))
            .collect();
        assert_eq!(asked[..7], sizes, "{times}");
        assert!(asked[7..].iter().all(|size| *size == "20"), "{asked:?}");
    }
    let none = world();
    let switches = none.scaikey.emulator.switches();
    switches.fail_always(Endpoint::EffectiveUsers, fault());
    incomplete(
        &none,
        "effective_users",
        "ScaiKey refuses every page size, or its smallest page is too large",
    );
    // An answer that is too large is no other thing.
    let large = world();
    large.scaikey.plan.heal();
    large.sync(false).unwrap();
    let call = first(&large.scaikey.plan.heal(), "/api/v1/tenants/");
    let fresh = world();
    let fault = OutboundFault::Error(OutboundError::TooLarge);
    fresh.scaikey.plan.fail_at(call, fault);
    fresh.sync(false).unwrap();
    is_whole(&fresh);
}

#[test]
fn a_slash_that_scaikey_wants_is_asked_for_once_for_each_kind_of_list() {
    let honest = world();
    honest.scaikey.plan.heal();
    honest.sync(false).unwrap();
    let direct = honest.scaikey.plan.heal();
    let world = world();
    lies(&world, DirectoryLie::SlashRedirectValid);
    world.scaikey.plan.heal();
    world.sync(false).unwrap();
    is_whole(&world);
    let asked = world.scaikey.plan.heal();
    // Lists of tenants and groups are asked for with the slash; of users and of members the first
    // is sent back, and no other.
    assert_eq!(asked.len(), direct.len() + 2, "{asked:?}");
}

#[test]
fn a_clock_that_is_far_from_ours_is_told_and_not_believed() {
    for (ahead, is_told) in [
        (400, true),
        (-400, true),
        (301, true),
        (300, false),
        (-300, false),
        (290, false),
    ] {
        let world = world();
        let switches = world.scaikey.emulator.switches();
        switches.change(|behaviour| behaviour.date_skew_seconds = ahead);
        let report = world.sync(false).unwrap();
        is_whole(&world);
        let told = report.warnings.iter().find(|one| one.code == "clock_skew");
        assert_eq!(told.is_some(), is_told, "{ahead}: {told:?}");
        if let Some(told) = told {
            let how_far = format!("{} s", ahead.abs());
            assert!(told.message.contains(&how_far), "{told:?}");
        }
    }
}

#[test]
fn a_run_whose_place_another_has_taken_changes_nothing() {
    // In the middle of reading, and before it is applied.
    for phase in ["groups", "comparing"] {
        let world = world();
        world.sql(
            &format!(
                "CREATE TRIGGER taken AFTER UPDATE OF phase ON sync_run WHEN NEW.phase = '{phase}'
                 BEGIN UPDATE sync_run SET outcome = 'abandoned' WHERE sync_id = NEW.sync_id; END"
            ),
            &[],
        );
        let superseded = world.sync(false);
        assert_eq!(code(&superseded), Some(Code::SyncSuperseded), "{phase}");
        assert_eq!(world.mirror(), crate::world::mirror::Mirror::default());
        // The row stays the other's.
        let outcome = world.rows::<1>("SELECT outcome FROM sync_run");
        assert_eq!(outcome, [["abandoned"]], "{phase}");
    }
}

#[test]
fn one_run_at_a_time_and_none_before_it_is_due() {
    let world = world();
    let if_due = || block_on(sync::sync_if_due(&world, world.reader())).unwrap();
    let report = if_due().unwrap();
    assert!(report.sync_id.is_some());
    let by = "SELECT started_by FROM sync_run ORDER BY sync_id DESC LIMIT 1";
    assert_eq!(world.rows::<1>(by), [["due"]]);
    assert_eq!(if_due(), None);
    let almost = Duration::from_millis(3_599_999);
    world.clock.advance(almost);
    assert_eq!(if_due(), None);
    world.clock.advance(Duration::from_millis(1));
    assert!(if_due().is_some());
    world.clock.advance(Duration::from_secs(3_600));
    // One has begun and not ended.
    world.sql(
        "INSERT INTO sync_run (started_by, started_at, lease_until, phase, log_cursor)
         VALUES ('call', ?1, ?1 + 60000, 'tenants', 0)",
        &[world.clock.now().into()],
    );
    assert_eq!(if_due(), None);
    let running = world.sync(false).unwrap_err();
    assert_eq!(running.code(), Code::SyncRunning);
    assert_eq!(running.details()["started_at"], "2027-01-15T10:00:00Z");
    // It died.
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(code(&world.sync(false)), None);
}

#[test]
fn without_credentials_nothing_is_read_and_a_call_is_told() {
    let world = world();
    let context = sync::Context {
        scaikey: Err(&[]),
        ..world.reader()
    };
    world.db.plan.heal();
    let report = block_on(sync::sync(&world, context, false)).unwrap();
    assert_eq!(
        report.statistics.skipped_reason,
        Some("credentials_missing")
    );
    assert_eq!(report.sync_id, None);
    assert_eq!(block_on(sync::sync_if_due(&world, context)), Ok(None));
    assert_eq!(world.db.plan.heal(), Vec::<String>::new());
}

#[test]
fn a_directory_that_has_shrunk_to_less_than_half_is_mirrored_only_by_force() {
    let world = world();
    world.sync(false).unwrap();
    world.clock.advance(Duration::from_secs(10));
    lies(&world, DirectoryLie::Shrunk);
    let problem = refused(&world);
    assert_eq!(problem.code(), Code::SyncSuspiciousShrink);
    assert_eq!(problem.details()["list"], "users");
    let report = world.sync(true).unwrap();
    assert!(report.statistics.users_soft_deleted > 20);
}
