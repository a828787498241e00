//! Giving and taking rights.

use futures::executor::block_on;
use scaigate_flows::acl::{self, Wanted};
use scaigate_flows::flow;
use scaigate_problem::Code;
use serde_json::json;

use crate::world::{World, code, parsed};

const fn wanted<'a>(kind: &'a str, id: &'a str, level: &'a str) -> Wanted<'a> {
    Wanted {
        principal_type: kind,
        principal_id: id,
        level,
    }
}

#[test]
fn rights_are_given_listed_and_taken() {
    let world = World::new();
    let alice = world.writer("usr_alice");
    let flow_id = world.saves(&alice, "{}");
    world.mirrors("usr_bob", "tnt_acme");
    world.group("grp_1", "tnt_acme", "usr_carol");
    let row = block_on(acl::grant(
        &world,
        &alice,
        &flow_id,
        wanted("user", "usr_bob", "edit"),
    ));
    let row = parsed(&row.unwrap());
    assert_eq!(
        row,
        json!({
            "id": row["id"], "flow_id": flow_id.as_str(), "principal_type": "user",
            "principal_id": "usr_bob", "level": "edit", "granted_by": "usr_alice",
            "granted_at": "2027-01-15T08:00:00Z",
        })
    );
    let group = wanted("group", "grp_1", "view");
    block_on(acl::grant(&world, &alice, &flow_id, group)).unwrap();
    let listed = parsed(&block_on(acl::list(&world, alice.reader(), &flow_id)).unwrap());
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let (bob, carol) = (world.writer("usr_bob"), world.writer("usr_carol"));
    assert!(block_on(flow::get(&world, carol.reader(), &flow_id)).is_ok());
    // Who may not manage may not look either.
    let refused = block_on(acl::list(&world, bob.reader(), &flow_id));
    assert_eq!(code(&refused), Some(Code::FlowAccessDenied));
    let acl_id = row["id"].as_str().unwrap();
    let refused = block_on(acl::revoke(&world, &bob, &flow_id, acl_id));
    assert_eq!(code(&refused), Some(Code::FlowAccessDenied));
    block_on(acl::revoke(&world, &alice, &flow_id, acl_id)).unwrap();
    let gone = block_on(flow::get(&world, bob.reader(), &flow_id));
    assert_eq!(code(&gone), Some(Code::FlowNotFound));
    for id in [acl_id, "acl_other", "", &"x".repeat(300)] {
        let refused = block_on(acl::revoke(&world, &alice, &flow_id, id));
        assert_eq!(code(&refused), Some(Code::AclNotFound), "{id}");
    }
}

#[test]
fn what_is_documented_to_fail_fails_as_documented() {
    let world = World::new();
    let alice = world.writer("usr_alice");
    let flow_id = world.saves(&alice, "{}");
    world.mirrors("usr_bob", "tnt_acme");
    world.mirrors("usr_eve", "tnt_other");
    world.group("grp_other", "tnt_other", "usr_eve");
    let long = "x".repeat(300);
    for (wanted, expected) in [
        (wanted("user", "usr_bob", "owner"), Code::InvalidRequest),
        (wanted("user", "usr_bob", ""), Code::InvalidRequest),
        (wanted("service", "usr_bob", "view"), Code::InvalidRequest),
        (wanted("User", "usr_bob", "view"), Code::InvalidRequest),
        (
            wanted("user", "usr_nobody", "view"),
            Code::PrincipalNotFound,
        ),
        (wanted("group", "usr_bob", "view"), Code::PrincipalNotFound),
        (wanted("user", "usr_eve", "view"), Code::PrincipalNotFound),
        (
            wanted("group", "grp_other", "view"),
            Code::PrincipalNotFound,
        ),
        (wanted("user", "", "view"), Code::PrincipalNotFound),
        (wanted("user", &long, "view"), Code::PrincipalNotFound),
        (
            wanted("user", "' OR 1=1 --", "view"),
            Code::PrincipalNotFound,
        ),
    ] {
        let refused = block_on(acl::grant(&world, &alice, &flow_id, wanted));
        assert_eq!(code(&refused), Some(expected), "{wanted:?}");
    }
    assert_eq!(world.number("SELECT count(*) FROM flow_acl"), 0);
    world.grants(&alice, &flow_id, "usr_bob", "view");
    let again = block_on(acl::grant(
        &world,
        &alice,
        &flow_id,
        wanted("user", "usr_bob", "admin"),
    ));
    assert_eq!(code(&again), Some(Code::AclExists));
    assert_eq!(world.number("SELECT level FROM flow_acl"), 1);
}
