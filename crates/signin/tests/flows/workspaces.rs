//! The caller's workspace.

use std::rc::Rc;

use scaigate_kv::people;
use scaigate_problem::{Code, Problem};
use scaigate_signin::workspace::{self, Change};
use scaigate_signin::{Ports, User, register};
use scaigate_types::{WorkspaceId, WorkspaceRole};
use serde_json::json;

use crate::world::{World, caller, code, detail};

fn ada(world: &World) -> User {
    let session = world.session();
    let principal = caller(world, &world.instance(), session.access_token.expose());
    Rc::unwrap_or_clone(principal.unwrap().into_user().unwrap())
}

fn renamed(world: &World, user: &User, name: &str) -> Result<people::Workspace, Problem> {
    let change = Change {
        name: Some(name),
        description: None,
    };
    world.run(workspace::change(&world.instance(), user, change))
}

fn described(world: &World, user: &User, text: &str) -> Result<people::Workspace, Problem> {
    let change = Change {
        name: None,
        description: Some(Some(text)),
    };
    world.run(workspace::change(&world.instance(), user, change))
}

fn current(world: &World, user: &User) -> Result<people::Workspace, Problem> {
    world.run(workspace::current(&world.instance(), user))
}

#[test]
fn is_shown_and_changed() {
    let world = World::new();
    let user = ada(&world);
    let before = current(&world, &user).unwrap();
    assert_eq!((before.name.as_str(), before.updated_at), ("Default", None));
    let after = renamed(&world, &user, "  Platform  ").unwrap();
    assert_eq!(after.name, "Platform");
    assert!(after.updated_at.is_some());
    let after = described(&world, &user, "Ours").unwrap();
    assert_eq!(after.description.as_deref(), Some("Ours"));
    assert_eq!(after.name, "Platform", "what is not named stays");
    let gone = Change {
        name: None,
        description: Some(None),
    };
    let after = world.run(workspace::change(&world, &user, gone)).unwrap();
    assert_eq!(after.description, None);
    assert!(described(&world, &user, "Ours").is_ok());
    assert_eq!(described(&world, &user, "  ").unwrap().description, None);
}

#[test]
fn texts_are_bounded_and_can_not_be_read_otherwise() {
    let world = World::new();
    let user = ada(&world);
    let letters = |count: usize| "ä".repeat(count);
    let control = "holds a control or direction-changing character";
    let bad = |reason: &'static str| Some(reason);
    let names = [
        (letters(100), None),
        (letters(101), bad("too long")),
        (String::new(), bad("empty")),
        (" \t ".to_owned(), bad("empty")),
        ("a\nb".to_owned(), bad(control)),
        ("a\u{0}b".to_owned(), bad(control)),
        ("a\u{202e}b".to_owned(), bad(control)),
        ("a\u{2066}b".to_owned(), bad(control)),
    ];
    for (name, expected) in names {
        let result = renamed(&world, &user, &name);
        assert_eq!(result.is_err(), expected.is_some(), "{name:?}");
        if let Some(reason) = expected {
            assert_eq!(code(&result), Some(Code::InvalidRequest), "{name:?}");
            assert_eq!(detail(&result, "field"), "name");
            assert_eq!(detail(&result, "reason"), reason, "{name:?}");
        }
    }
    for (text, is_taken) in [(letters(1000), true), (letters(1001), false)] {
        assert_eq!(described(&world, &user, &text).is_ok(), is_taken);
    }
    let nothing = world.run(workspace::change(&world, &user, Change::default()));
    assert_eq!(code(&nothing), Some(Code::InvalidRequest));
}

#[test]
fn the_role_is_the_databases_and_not_the_tokens() {
    for role in ["viewer", "operator", "author"] {
        let world = World::new();
        let user = ada(&world);
        assert_eq!(user.workspace.as_ref().unwrap().1, WorkspaceRole::Admin);
        world.sql("UPDATE membership SET role = ?1", &[role.into()]);
        let result = renamed(&world, &user, "Mine");
        assert_eq!(code(&result), Some(Code::WorkspaceForbidden), "{role}");
        assert_eq!(detail(&result, "required_role"), "admin");
        assert_eq!(detail(&result, "sw_code"), "SW_WORKSPACE_FORBIDDEN");
        assert_eq!(current(&world, &user).unwrap().name, "Default");
        // And the other way: who became its administrator need not sign in again.
        world.sql("UPDATE membership SET role = 'admin'", &[]);
        let mut stale = user;
        stale.workspace = stale.workspace.map(|(id, _)| (id, WorkspaceRole::Viewer));
        assert!(renamed(&world, &stale, "Mine").is_ok());
    }
}

#[test]
fn who_was_removed_finds_nothing() {
    let world = World::new();
    let user = ada(&world);
    world.sql("UPDATE membership SET removed_at = 1", &[]);
    for result in [current(&world, &user), renamed(&world, &user, "Mine")] {
        assert_eq!(code(&result), Some(Code::WorkspaceNotFound));
        assert_eq!(detail(&result, "sw_code"), "SW_WORKSPACE_NOT_FOUND");
    }
}

#[test]
fn another_tenants_workspace_is_none() {
    let world = World::new();
    let user = ada(&world);
    world
        .scaikey
        .id_claims
        .replace(json!({"tenant_id": "tnt_beta"}));
    let other = ada(&world);
    assert_ne!(user.tenant_id, other.tenant_id);
    // Even with a membership that should not be there.
    let mut crossing = user.clone();
    crossing.workspace = other.workspace.clone();
    let foreign: WorkspaceId = other.workspace.unwrap().0;
    world.sql(
        "INSERT INTO membership (person_id, workspace_id, role, created_at)
         VALUES (?1, ?2, 'admin', 0)",
        &[
            user.person_id.as_ref().unwrap().as_str().into(),
            foreign.as_str().into(),
        ],
    );
    for result in [
        current(&world, &crossing),
        renamed(&world, &crossing, "Mine"),
    ] {
        assert_eq!(code(&result), Some(Code::WorkspaceNotFound));
    }
}

#[test]
fn an_access_token_is_in_the_first_of_the_persons_workspaces() {
    let world = World::new();
    ada(&world);
    let token = world.scaikey.access_token(&json!({}));
    let principal = caller(&world, &world.instance(), &token).unwrap();
    let user = principal.into_user().unwrap();
    assert_eq!(user.workspace, None);
    world.run(register::register(&world, &user)).unwrap();
    assert_eq!(current(&world, &user).unwrap().name, "Default");
    let person_id = user.person_id.as_ref().unwrap();
    let all = people::workspaces(world.db(), person_id, &user.tenant_id);
    assert_eq!(world.run(all).unwrap().len(), 2);
    assert!(renamed(&world, &user, "Mine").is_ok());
}
