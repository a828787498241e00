//! Why somebody is missing, or is not super admin (S-12, S-13).

use std::time::Duration;

use futures::executor::block_on;
use scaigate_directory::admin_scope;
use scaigate_directory::why::{Finding, Why, why};
use scaigate_directory::{roles, settings::DirectorySettings};
use scaigate_problem::Code;
use scaigate_types::AdminRole;
use scaikey_emulator::{Deviation, DirectoryLie, seed};

use crate::world::stores::StoreFault;
use crate::world::{World, code, service};

const BOB: &str = "bob@acme.example";
const ZOE: &str = "zoe@acme.example";

fn asked(world: &World, email: &str) -> Why {
    block_on(why(world, &world.settings, email)).unwrap()
}

fn codes(world: &World, email: &str) -> Vec<&'static str> {
    let findings = asked(world, email).findings;
    findings.iter().map(|finding| finding.code).collect()
}

/// The one thing there is to say.
fn only(world: &World, email: &str) -> Finding {
    let mut findings = asked(world, email).findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

/// A world whose users were found by walking the members of groups.
fn walked() -> World {
    let world = World::new();
    let lie = Deviation::Directory(DirectoryLie::EffectiveUsersForbidden);
    world.scaikey.emulator.switches().set(lie);
    world.sync(false).unwrap();
    world.clock.advance(Duration::from_secs(10));
    world
}

fn synced(variables: &[(&str, &str)]) -> World {
    let world = World::with(variables);
    world.sync(false).unwrap();
    world.clock.advance(Duration::from_secs(10));
    world
}

/// Somebody signs in whom the directory has not told of.
fn sign_in(world: &World, email: &str) {
    world.sql(
        "INSERT INTO person (person_id, issuer, subject, tenant_id, email, created_at, last_seen_at)
         VALUES ('per_new', 'https://scaikey.example/tenants/tnt_acme0001', 'usr_new_acme',
                 'tnt_acme0001', ?1, 1, 1)",
        &[email.into()],
    );
}

#[test]
fn s_12_who_is_not_known_is_explained_by_how_users_were_found() {
    let never = World::new();
    let told = asked(&never, BOB);
    assert_eq!(told.email, BOB);
    assert_eq!((told.last_sync_at, told.users_method), (None, None));
    let finding = only(&never, BOB);
    assert_eq!(finding.code, "not_yet_synced");
    assert!(finding.fix.contains("/v1/admin/sync"));

    // Zoë has no access to our application, and is in no group.
    let read = synced(&[]);
    let told = asked(&read, ZOE);
    assert_eq!(told.last_sync_at.as_deref(), Some("2027-01-15T08:00:00Z"));
    assert_eq!(told.users_method.as_deref(), Some("effective_users"));
    let finding = only(&read, ZOE);
    assert_eq!(finding.code, "not_assigned");
    assert_eq!((finding.user_id, finding.tenant_id), (None, None));

    let walked = walked();
    let told = asked(&walked, ZOE);
    assert_eq!(told.users_method.as_deref(), Some("member_walk"));
    let finding = only(&walked, ZOE);
    assert_eq!(finding.code, "in_no_visible_group");
    assert!(finding.fix.contains("admin:read"), "{}", finding.fix);
}

#[test]
fn s_12_who_is_where_they_should_be_is_present_whatever_the_case_of_the_address() {
    let world = synced(&[]);
    for email in [BOB, "BOB@Acme.Example"] {
        let finding = only(&world, email);
        assert_eq!(finding.code, "present");
        assert_eq!(finding.user_id.as_deref(), Some("usr_bob_acme"));
        assert_eq!(finding.tenant_id.as_deref(), Some(seed::ACME));
    }
}

#[test]
fn s_12_each_of_several_people_with_an_address_has_findings_of_their_own() {
    let world = World::new();
    let changes = world.scaikey.emulator.changes();
    let theirs = |user: &mut scaikey_emulator::User| BOB.clone_into(&mut user.email);
    assert!(changes.update_user("usr_sybil_umbra", theirs).is_some());
    assert!(changes.suspend_user("usr_sybil_umbra").is_some());
    world.sync(false).unwrap();
    let findings = asked(&world, BOB).findings;
    let told: Vec<_> = findings
        .iter()
        .map(|one| (one.user_id.as_deref().unwrap(), one.code))
        .collect();
    assert_eq!(
        told,
        [
            ("usr_bob_acme", "present"),
            ("usr_sybil_umbra", "suspended")
        ]
    );
}

#[test]
fn s_12_who_is_gone_is_explained_by_how_users_were_found() {
    let read = synced(&[]);
    read.event(read.scaikey.emulator.changes().delete_user("usr_bob_acme"));
    assert_eq!(codes(&read, BOB), ["soft_deleted"]);

    // Who left all groups has vanished from where users were looked for; who is in one was deleted.
    let walked = walked();
    let changes = walked.scaikey.emulator.changes();
    for group in ["grp_acme_admins", "grp_acme_staff"] {
        assert!(changes.remove_member(group, "usr_bob_acme").is_some());
    }
    walked.sync(false).unwrap();
    assert_eq!(codes(&walked, BOB), ["in_no_visible_group"]);
    walked.sql(
        "UPDATE person SET deleted_at = 1 WHERE subject = 'usr_carol_acme'",
        &[],
    );
    assert_eq!(codes(&walked, "carol@acme.example"), ["soft_deleted"]);
}

#[test]
fn s_12_who_has_only_signed_in_is_told_so() {
    let world = synced(&[]);
    sign_in(&world, "new@acme.example");
    assert_eq!(codes(&world, "new@acme.example"), ["known_from_sign_in"]);
}

#[test]
fn s_12_whoever_may_not_act_is_told_by_whom_that_is() {
    let world = synced(&[]);
    let changes = world.scaikey.emulator.changes();
    world.event(changes.suspend_user("usr_bob_acme"));
    let finding = only(&world, BOB);
    assert_eq!(finding.code, "suspended");
    assert!(finding.message.contains("SUSPENDED"), "{}", finding.message);
    world.event(changes.suspend_tenant(seed::ACME));
    assert_eq!(codes(&world, BOB), ["suspended", "tenant_inactive"]);
    world.event(changes.activate_tenant(seed::ACME));
    world.event(changes.activate_user("usr_bob_acme"));
    assert_eq!(codes(&world, BOB), ["present"]);
    world.event(changes.suspend_partner(seed::PARTNER));
    assert_eq!(codes(&world, BOB), ["tenant_inactive"]);
}

#[test]
fn s_13_a_member_of_an_electing_group_who_is_no_super_admin_is_told_why() {
    // The setting came after the sync.
    let mut world = synced(&[]);
    let electing = World::with(&[("scaiflow_super_admin_groups", "grp_acme_admins")]);
    let settings: DirectorySettings = electing.settings.clone();
    world.settings = settings;
    let finding = only(&world, BOB);
    assert_eq!(finding.code, "groups_read_at_sync");
    let at = "last sync 2027-01-15T08:00:00Z";
    assert!(finding.message.contains(at), "{}", finding.message);
    assert_eq!(codes(&world, "carol@acme.example"), ["present"]);
    world.sync(false).unwrap();
    assert_eq!(codes(&world, BOB), ["present"]);

    // Another role by hand stays, and that is something else.
    let operator = admin_scope::roles(&service(&world, &["admin:write"])).unwrap();
    let admin = Some(AdminRole::TenantAdmin);
    block_on(roles::set(&world, &operator, "usr_bob_acme", None, admin)).unwrap();
    assert_eq!(codes(&world, BOB), ["manual_role_kept"]);
}

#[test]
fn why_is_not_answered_from_half_of_what_is_known() {
    let world = synced(&[]);
    for call in 1..=2 {
        world.db.plan.fail_at(call, StoreFault::Lost);
        let failed = block_on(why(&world, &world.settings, BOB));
        assert_eq!(code(&failed), Some(Code::StoreUnavailable), "call {call}");
    }
    assert_eq!(world.db.plan.heal().len(), 2);
}
