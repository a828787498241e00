//! Saving, listing, reading, changing, deleting.

use futures::executor::block_on;
use scaigate_flows::flow::{self, New, Update};
use scaigate_kv::flow::Page;
use scaigate_problem::Code;
use serde_json::json;

use crate::world::{World, code, content, parsed, user};

#[test]
fn a_flow_is_saved_listed_read_changed_and_deleted() {
    let world = World::new();
    let alice = world.writer("usr_alice");
    let first = r#"{ "nodes":[ ],"n":1e400, "s":"\ud800é" }"#;
    let body = content(first);
    let new = New {
        name: " Expense ",
        description: Some("why"),
        content: &body,
    };
    let detail = block_on(flow::create(&world, &alice, new)).unwrap();
    assert!(
        detail.ends_with(&format!(",\"content\":{first}}}")),
        "{detail}"
    );
    let row = world.number("SELECT count(*) FROM flow_version");
    assert_eq!(row, 1);
    let page = Page {
        search: Some("EXP"),
        limit: 10,
    };
    let listed = block_on(flow::list(&world, alice.reader(), page)).unwrap();
    let rows = parsed(&listed.rows);
    let id = rows[0]["id"].as_str().unwrap();
    assert_eq!(
        rows,
        json!([{
            "id": id, "name": "Expense", "description": "why", "owner_id": "usr_alice",
            "tenant_id": "tnt_acme", "version": "1.0.0",
            "created_at": "2027-01-15T08:00:00Z", "updated_at": "2027-01-15T08:00:00Z",
        }])
    );
    assert_eq!(listed.total, 1);
    let flow_id = scaigate_types::FlowId::parse(id).unwrap();
    assert_eq!(
        block_on(flow::get(&world, alice.reader(), &flow_id)).unwrap(),
        detail
    );
    // Metadata alone keeps the version; content makes the next.
    let rename = Update {
        name: Some("Other"),
        description: Some(None),
        content: None,
    };
    let detail = block_on(flow::update(&world, &alice, &flow_id, rename)).unwrap();
    assert!(
        detail.contains("\"version\":\"1.0.0\"") && detail.contains(first),
        "{detail}"
    );
    assert!(detail.contains("\"description\":null"), "{detail}");
    let second = content("[2]");
    let save = Update {
        content: Some(&second),
        ..Update::default()
    };
    let detail = block_on(flow::update(&world, &alice, &flow_id, save)).unwrap();
    assert!(
        detail.contains("\"version\":\"1.0.1\"") && detail.ends_with(":[2]}"),
        "{detail}"
    );
    let versions = block_on(flow::versions(&world, alice.reader(), &flow_id, 10)).unwrap();
    assert_eq!(versions.total, 2);
    let old = block_on(flow::version(&world, alice.reader(), &flow_id, "1.0.0")).unwrap();
    assert!(old.ends_with(&format!(",\"content\":{first}}}")), "{old}");
    for missing in ["1.0.2", "0.0.0", "latest"] {
        let refused = block_on(flow::version(&world, alice.reader(), &flow_id, missing));
        assert_eq!(code(&refused), Some(Code::FlowVersionNotFound), "{missing}");
    }
    block_on(flow::delete(&world, &alice, &flow_id)).unwrap();
    let gone = block_on(flow::get(&world, alice.reader(), &flow_id));
    assert_eq!(code(&gone), Some(Code::FlowNotFound));
    let again = block_on(flow::delete(&world, &alice, &flow_id));
    assert_eq!(code(&again), Some(Code::FlowNotFound));
    assert_eq!(world.number("SELECT count(*) FROM flow_version"), 2);
}

#[test]
fn what_is_wrong_is_refused_and_nothing_is_kept() {
    let world = World::new();
    let alice = world.writer("usr_alice");
    let body = content("{}");
    let long = "x".repeat(5000);
    for (name, description) in [
        ("", None),
        ("a\nb", None),
        (&*long, None),
        ("a", Some(&*long)),
    ] {
        let new = New {
            name,
            description,
            content: &body,
        };
        let refused = block_on(flow::create(&world, &alice, new));
        assert_eq!(code(&refused), Some(Code::InvalidRequest));
    }
    assert_eq!(world.number("SELECT count(*) FROM flow"), 0);
    let flow_id = world.saves(&alice, "{}");
    for update in [
        Update::default(),
        Update {
            name: Some(""),
            ..Update::default()
        },
        Update {
            description: Some(Some(&long)),
            content: Some(&body),
            name: None,
        },
    ] {
        let refused = block_on(flow::update(&world, &alice, &flow_id, update));
        assert_eq!(code(&refused), Some(Code::InvalidRequest));
    }
    assert_eq!(world.number("SELECT count(*) FROM flow_version"), 1);
}

#[test]
fn each_level_allows_its_own_and_those_below() {
    let world = World::new();
    let alice = world.writer("usr_alice");
    for level in ["view", "edit", "deploy", "admin"] {
        world.mirrors(&format!("usr_{level}"), "tnt_acme");
    }
    let next = content("[1]");
    for (level, may_edit, may_delete) in [
        ("none", false, false),
        ("view", false, false),
        ("edit", true, false),
        ("deploy", true, false),
        ("admin", true, true),
    ] {
        let flow_id = world.saves(&alice, "{}");
        let subject = format!("usr_{level}");
        let bob = world.writer_of(user(&subject, "tnt_acme", None));
        if level != "none" {
            world.grants(&alice, &flow_id, &subject, level);
        }
        let denied = if level == "none" {
            Code::FlowNotFound
        } else {
            Code::FlowAccessDenied
        };
        let expected = |may: bool| (!may).then_some(denied);
        let read = block_on(flow::get(&world, bob.reader(), &flow_id));
        assert_eq!(code(&read), expected(level != "none"), "{level}");
        let save = Update {
            content: Some(&next),
            ..Update::default()
        };
        let edited = block_on(flow::update(&world, &bob, &flow_id, save));
        assert_eq!(code(&edited), expected(may_edit), "{level}");
        let deleted = block_on(flow::delete(&world, &bob, &flow_id));
        assert_eq!(code(&deleted), expected(may_delete), "{level}");
    }
}
