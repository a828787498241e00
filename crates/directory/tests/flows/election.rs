//! Who becomes super admin, and what is said when somebody should be and is not.

use std::time::Duration;

use scaigate_directory::sync::Warning;
use scaikey_emulator::{Group, User, seed};

use crate::world::World;

const BOB: &str = "usr_bob_acme";
const ZOE: &str = "usr_zoe_acme";

fn warnings(world: &World) -> Vec<Warning> {
    world.clock.advance(Duration::from_secs(10));
    world.sync(false).unwrap().warnings
}

fn codes(world: &World) -> Vec<&'static str> {
    warnings(world).iter().map(|warning| warning.code).collect()
}

/// Who is super admin, and by what.
fn super_admins(world: &World) -> Vec<[String; 2]> {
    world.rows(
        "SELECT subject, admin_role_source FROM person
          WHERE admin_role = 'super_admin' ORDER BY 1",
    )
}

fn groups(setting: &str) -> World {
    World::with(&[("scaiflow_super_admin_groups", setting)])
}

fn bootstrap(email: &str) -> World {
    World::with(&[("bootstrap_super_admin", &format!("user:{email}"))])
}

fn email_of(world: &World, user_id: &str, email: &str) {
    let changes = world.scaikey.emulator.changes();
    let event = changes.update_user(user_id, |user: &mut User| email.clone_into(&mut user.email));
    assert!(event.is_some());
}

#[test]
fn s_13_each_way_in_which_a_named_group_elects_or_does_not_is_told() {
    for (setting, elected, expected) in [
        ("", 0, ["no_super_admin"].as_slice()),
        ("grp_acme_admins", 2, &[]),
        ("platform-admins", 2, &["super_admin_group_by_name"]),
        (
            "Platform-admins",
            0,
            &["no_super_admin", "super_admin_group_unknown"],
        ),
        // Both tenants have a group of that name.
        (
            "staff",
            0,
            &["no_super_admin", "super_admin_group_ambiguous"],
        ),
        (
            "nobody-has-it",
            0,
            &["no_super_admin", "super_admin_group_unknown"],
        ),
        (
            "grp_gone",
            0,
            &["no_super_admin", "super_admin_group_unknown"],
        ),
        // A name that elects is warned of, whatever else is not found; an id never is, whatever its form.
        (
            "platform-admins,nobody-has-it",
            2,
            &["super_admin_group_unknown", "super_admin_group_by_name"],
        ),
        (
            "platform-admins,grp_gone",
            2,
            &["super_admin_group_unknown", "super_admin_group_by_name"],
        ),
        ("g-without-prefix", 1, &[]),
    ] {
        let world = groups(setting);
        world.scaikey.emulator.directory().groups.push(Group {
            id: "g-without-prefix".to_owned(),
            tenant_id: seed::UMBRA.to_owned(),
            name: "operators".to_owned(),
            group_type: "SECURITY".to_owned(),
            parent_id: None,
            members: vec!["usr_sybil_umbra".to_owned()],
        });
        assert_eq!(codes(&world), expected, "{setting}");
        assert_eq!(super_admins(&world).len(), elected, "{setting}");
    }
}

#[test]
fn s_13_a_group_that_elects_nobody_is_named_with_the_way_on() {
    let told = warnings(&groups("staff,nobody-has-it"));
    let of = |code: &str| told.iter().find(|warning| warning.code == code).unwrap();
    let ambiguous = of("super_admin_group_ambiguous");
    assert!(ambiguous.message.contains("\"staff\""), "{ambiguous:?}");
    assert!(ambiguous.fix.contains("grp_"), "{ambiguous:?}");
    let unknown = of("super_admin_group_unknown");
    assert!(unknown.message.contains("\"nobody-has-it\""), "{unknown:?}");
}

#[test]
fn n_104_the_bootstrap_address_elects_once_and_says_so_afterwards() {
    let world = bootstrap("bob@acme.example");
    assert_eq!(codes(&world), Vec::<&str>::new());
    assert_eq!(super_admins(&world), [[BOB, "bootstrap"]]);
    // Whoever gets the address later is nobody's choice.
    email_of(&world, BOB, "robert@acme.example");
    email_of(&world, "usr_carol_acme", "bob@acme.example");
    assert_eq!(codes(&world), ["bootstrap_super_admin_spent"]);
    assert_eq!(super_admins(&world), [[BOB, "bootstrap"]]);
}

#[test]
fn n_104_an_address_that_two_people_have_elects_neither() {
    let world = bootstrap("bob@acme.example");
    email_of(&world, "usr_sybil_umbra", "BOB@acme.example");
    assert_eq!(
        codes(&world),
        ["no_super_admin", "bootstrap_super_admin_ambiguous"]
    );
    assert_eq!(super_admins(&world), Vec::<[String; 2]>::new());
}

#[test]
fn n_104_the_bootstrap_address_waits_for_its_person_and_says_for_what() {
    // Zoë has no access to our application yet.
    let world = bootstrap("zoe@acme.example");
    let told = warnings(&world);
    let waits = told
        .iter()
        .find(|warning| warning.code == "bootstrap_super_admin_waits")
        .unwrap();
    assert!(waits.message.contains("nobody with that address"));
    world.assign_everybody();
    let changes = world.scaikey.emulator.changes();
    changes.suspend_user(ZOE);
    let told = warnings(&world);
    let waits = told
        .iter()
        .find(|warning| warning.code == "bootstrap_super_admin_waits")
        .unwrap();
    assert!(waits.message.contains("suspended"), "{waits:?}");
    // A suspended tenant is no other thing; then all is well.
    changes.activate_user(ZOE);
    changes.suspend_tenant(seed::ACME);
    assert_eq!(
        codes(&world),
        ["no_super_admin", "bootstrap_super_admin_waits"]
    );
    changes.activate_tenant(seed::ACME);
    assert_eq!(codes(&world), Vec::<&str>::new());
    assert_eq!(super_admins(&world), [[ZOE, "bootstrap"]]);
}
