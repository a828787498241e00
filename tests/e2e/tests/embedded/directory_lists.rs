//! Lists of ScaiKey that are not what they should be: the mirror becomes ScaiKey's directory, or the
//! sync fails by name and the mirror stays to the byte what it was.

use scaigate_e2e::emulator::{
    Deviation, DirectoryLie, Endpoint, Fault, ListEnvelope, UserShape, seed,
};
use scaigate_e2e::{Scene, Setup, World, set_scopes};
use serde_json::Value;

const ENVELOPES: [ListEnvelope; 3] = [
    ListEnvelope::Data,
    ListEnvelope::Items,
    ListEnvelope::BareArray,
];
const SHAPES: [UserShape; 3] = [UserShape::Flat, UserShape::NestedTenant, UserShape::UserId];

const LIES: [DirectoryLie; 14] = [
    DirectoryLie::Empty,
    DirectoryLie::Shrunk,
    DirectoryLie::LaterPagesFail,
    DirectoryLie::LaterPagesEmpty,
    DirectoryLie::EndlessPages,
    DirectoryLie::RowTwice,
    DirectoryLie::RowLost,
    DirectoryLie::NoMetaValid,
    DirectoryLie::MetaTotalString,
    DirectoryLie::PageSizeIgnored,
    DirectoryLie::RowsWithoutId,
    DirectoryLie::NullRow,
    DirectoryLie::ForeignTenantRow,
    DirectoryLie::SlashRedirectValid,
];

/// What a sync that is lied to has to come to.
enum Outcome {
    /// The mirror is ScaiKey's directory.
    Right,
    /// A failure with this status and code, because of this list; nothing has changed.
    Refused(u16, &'static str, &'static str),
}

/// What has to come of a lie. `first` is the first list that is read, `paged` the first of more than
/// a page.
fn outcome(lie: DirectoryLie, envelope: ListEnvelope, is_walk: bool) -> Outcome {
    use DirectoryLie as Lie;
    use Outcome::{Refused, Right};
    let (first, paged) = match is_walk {
        true => ("groups", "groups"),
        false => ("tenants", "effective_users"),
    };
    let is_told_how_many = envelope != ListEnvelope::BareArray;
    match lie {
        Lie::Empty | Lie::Shrunk => Refused(409, "sync_suspicious_shrink", "users"),
        // Without a total every list has a second page to ask for.
        Lie::LaterPagesFail if is_told_how_many => Refused(502, "scaikey_unavailable", paged),
        Lie::LaterPagesFail => Refused(502, "scaikey_unavailable", first),
        Lie::LaterPagesEmpty => Refused(502, "sync_incomplete", paged),
        Lie::EndlessPages if is_told_how_many => Refused(502, "sync_incomplete", first),
        Lie::RowsWithoutId | Lie::NullRow => Refused(502, "sync_incomplete", first),
        Lie::ForeignTenantRow if !is_walk => Refused(502, "sync_incomplete", "effective_users"),
        _ => Right,
    }
}

/// Syncs a change while `lie` is told, ends it, and goes back to before.
async fn case(scene: &Scene, lie: DirectoryLie, outcome: Outcome, what: &str) {
    let switches = scene.world.scaikey.switches();
    switches.set(Deviation::Directory(lie));
    match outcome {
        Outcome::Right => scene.succeeds(what).await,
        Outcome::Refused(status, code, list) => {
            let answer = scene.fails(status, code, what).await;
            assert_eq!(answer.json()["error"]["details"]["list"], list, "{what}");
            switches.clear_all();
            scene.follow(&scene.after).await;
        }
    }
    switches.clear_all();
    scene.follow(&scene.before).await;
}

/// Every lie in every envelope, the spelling of the rows going round.
async fn every_lie(is_walk: bool) {
    let scene = Scene::new(is_walk, |behaviour| behaviour.max_per_page = 5).await;
    let switches = scene.world.scaikey.switches();
    for (round, envelope) in ENVELOPES.into_iter().enumerate() {
        for (n, lie) in LIES.into_iter().enumerate() {
            let shape = SHAPES[(n + round) % SHAPES.len()];
            switches.change(|behaviour| {
                behaviour.list_envelope = envelope;
                behaviour.user_shape = shape;
            });
            let what = format!("{lie:?}, {envelope:?}, {shape:?}, walk: {is_walk}");
            case(&scene, lie, outcome(lie, envelope, is_walk), &what).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_107_no_lie_about_the_applications_users_gets_into_the_mirror() {
    every_lie(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_107_no_lie_about_the_members_of_groups_gets_into_the_mirror() {
    every_lie(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_envelope_and_spelling_is_read_by_both_methods() {
    for is_walk in [false, true] {
        let scene = Scene::new(is_walk, |behaviour| behaviour.max_per_page = 7).await;
        for envelope in ENVELOPES {
            for shape in SHAPES {
                scene.world.scaikey.switches().change(|behaviour| {
                    behaviour.list_envelope = envelope;
                    behaviour.user_shape = shape;
                });
                scene.follow(&scene.after).await;
                scene.follow(&scene.before).await;
            }
        }
    }
}

fn warning<'a>(report: &'a Value, code: &str) -> &'a Value {
    let list = report["warnings"].as_array().expect("warnings");
    list.iter()
        .find(|one| one["code"] == code)
        .unwrap_or_else(|| panic!("no warning {code}: {report}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn n_107_groups_that_may_not_be_read_stay_as_they_were() {
    let scene = Scene::new(false, |_| {}).await;
    let world = &scene.world;
    let groups = |world: &World| {
        let sql = "SELECT * FROM directory_group ORDER BY group_id";
        let members = "SELECT * FROM group_membership ORDER BY 1, 2, 3";
        (world.rows(sql), world.rows(members))
    };
    let kept = groups(world);
    scene.world.set_directory(&scene.after);
    let lie = Deviation::Directory(DirectoryLie::GroupsForbidden);
    world.scaikey.switches().set(lie);
    let report = world.sync().await;
    let told = warning(&report, "groups_scope_missing");
    assert!(
        told["message"]
            .as_str()
            .expect("a text")
            .contains("groups:read"),
        "{told}"
    );
    assert!(
        told["fix"]
            .as_str()
            .expect("a text")
            .contains("groups:read"),
        "{told}"
    );
    assert_eq!(report["users_method"], "effective_users");
    assert_eq!(report["users_added"], 1, "{report}");
    assert_eq!(report["groups_seen"], 0, "{report}");
    assert_eq!(groups(world), kept);
    world.scaikey.switches().clear_all();
    scene.follow(&scene.after).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_total_whose_only_full_page_is_followed_by_none_is_not_believed() {
    let scene = Scene::new(false, |behaviour| {
        behaviour.max_per_page = 20;
        behaviour.list_envelope = ListEnvelope::BareArray;
    })
    .await;
    // 3 of 23 users of a tenant are on the second page: by their number nobody would notice.
    case(
        &scene,
        DirectoryLie::LaterPagesEmpty,
        Outcome::Refused(502, "sync_incomplete", "effective_users"),
        "a full page and an empty one",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_of_no_scope_is_told_so_and_nothing_changes() {
    let mut scene = Scene::new(false, |_| {}).await;
    set_scopes(&mut scene.after, "openid");
    let switches = scene.world.scaikey.switches();
    for lie in [None, Some(DirectoryLie::GroupsEmptyWithoutScope)] {
        if let Some(lie) = lie {
            switches.set(Deviation::Directory(lie));
        }
        let answer = scene.fails(502, "sync_forbidden", "no scope").await;
        assert_eq!(answer.json()["error"]["details"]["list"], "groups");
    }
    switches.clear_all();
    set_scopes(&mut scene.after, "admin:read groups:read");
    scene.follow(&scene.after).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_108_a_directory_that_moves_while_it_is_read_loses_and_doubles_nobody() {
    for envelope in [ListEnvelope::Data, ListEnvelope::BareArray] {
        let scene = Scene::new(false, |behaviour| {
            behaviour.max_per_page = 5;
            behaviour.list_envelope = envelope;
        })
        .await;
        let world = &scene.world;
        for removed in [true, false] {
            let recorder = world.scaikey.recorder();
            recorder.clear();
            let slow = Fault::SlowHeaders { ms: 400 };
            world
                .scaikey
                .switches()
                .fail_page(Endpoint::EffectiveUsers, slow, 2, Some(1));
            let sync = world.sync();
            let moved = async {
                // The first page has been read, and the second is on its way.
                recorder.arrived(Endpoint::EffectiveUsers, 2).await;
                let mut directory = world.scaikey.directory();
                if removed {
                    directory.remove_user("usr_alice_acme");
                } else {
                    let mut back = directory.user("usr_bob_acme").expect("Bob").clone();
                    "usr_aaron_acme".clone_into(&mut back.id);
                    "aaron@acme.example".clone_into(&mut back.email);
                    directory.users.insert(0, back);
                    directory.add_member("grp_acme_staff", "usr_aaron_acme");
                }
            };
            let (report, ()) = tokio::join!(sync, moved);
            assert_eq!(report["users_soft_deleted"], 0, "{envelope:?}: {report}");
            assert_eq!(report["users_undeleted"], 0, "{envelope:?}: {report}");
            // Whoever was there all the time is there.
            let report = world.sync().await;
            assert_eq!(
                report["users_soft_deleted"],
                u64::from(removed),
                "{envelope:?}: {report}"
            );
            let expected = world.expected(false);
            world
                .live()
                .assert_is(&expected, &format!("{envelope:?}, removed: {removed}"));
            scene.follow(&scene.before).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_103_one_identifier_in_two_tenants_is_two_users() {
    let world =
        World::with(Setup::default().variable("scaiflow_super_admin_groups", "grp_acme_admins"))
            .await;
    let twin = {
        let mut directory = world.scaikey.directory();
        let mut twin = directory.user("usr_bob_acme").expect("Bob").clone();
        seed::UMBRA.clone_into(&mut twin.tenant_id);
        "bob@umbra.example".clone_into(&mut twin.email);
        directory.users.push(twin.clone());
        twin
    };
    world.sync().await;
    let page = world.admin("/v1/admin/users?search=usr_bob_acme").await;
    let rows = page["users"].as_array().expect("users");
    assert_eq!(rows.len(), 2, "{page}");
    for row in rows {
        let is_twin = row["tenant_id"] == twin.tenant_id.as_str();
        let role = if is_twin {
            Value::Null
        } else {
            "super_admin".into()
        };
        assert_eq!(row["admin_role"], role, "{row}");
        let email = if is_twin {
            "bob@umbra.example"
        } else {
            "bob@acme.example"
        };
        assert_eq!(row["email"], email, "{row}");
    }
}
