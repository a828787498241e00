//! Making a caller a participant.

use std::rc::Rc;

use futures::future::join_all;
use scaigate_kv::people;
use scaigate_problem::Code;
use scaigate_signin::{Ports, User, register, workspace};
use scaigate_types::{AdminRole, PersonId, Query as _, WorkspaceRole};
use serde_json::json;

use crate::world::{World, caller, code};

fn user(world: &World, token: &str) -> User {
    let principal = caller(world, &world.instance(), token).unwrap();
    Rc::unwrap_or_clone(principal.into_user().unwrap())
}

fn by_session(world: &World) -> User {
    let session = world.session();
    user(world, session.access_token.expose())
}

fn by_access_token(world: &World) -> User {
    world.session();
    let claims = json!({"sub": "usr_new", "email": "new@acme.example", "name": "New"});
    user(world, &world.scaikey.access_token(&claims))
}

fn by_mock(world: &World) -> User {
    user(world, "anything")
}

/// Signs somebody in.
type By = fn(&World) -> User;

/// Everybody who can register: by what, and in a world of which mode.
const EVERYBODY: [(&str, By); 3] = [
    ("scaikey", by_session),
    ("scaikey", by_access_token),
    ("mock", by_mock),
];

fn world(mode: &str) -> World {
    let local = ("public_url", "http://127.0.0.1:3000");
    World::with(&[local, ("env", "dev"), ("scaiwave_auth_mode", mode)])
}

fn personal(world: &World) -> i64 {
    world.number("SELECT count(*) FROM workspace WHERE kind = 'personal'")
}

#[test]
fn makes_a_person_and_a_workspace_of_their_own_once() {
    for (mode, by) in EVERYBODY {
        let world = world(mode);
        let user = by(&world);
        let first = world.run(register::register(&world, &user)).unwrap();
        assert!(first.created);
        assert_eq!(first.person.subject, user.subject);
        assert_eq!(first.person.issuer, user.issuer);
        for _ in 0..3 {
            let again = world
                .run(register::register(&world.instance(), &user))
                .unwrap();
            assert!(!again.created);
            assert_eq!(again.person.person_id, first.person.person_id);
            assert_eq!(again.personal_workspace_id, first.personal_workspace_id);
        }
        assert_eq!(personal(&world), 1);
        let id = &first.personal_workspace_id;
        let made = people::workspace(world.db(), &first.person.person_id, id, &user.tenant_id);
        let made = world.run(made).unwrap().unwrap();
        assert_eq!((made.role, made.member_count), (WorkspaceRole::Admin, 1));
    }
}

#[test]
fn of_a_hundred_at_once_one_makes_it() {
    for (mode, by) in EVERYBODY {
        for seed in 0..3 {
            let world = world(mode);
            let user = by(&world);
            world.shuffle(seed);
            let instances: Vec<_> = (0..100).map(|_| world.instance()).collect();
            let all = instances.iter().map(|own| register::register(own, &user));
            let outcomes = world.run(join_all(all));
            let registered: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
            let created = registered.iter().filter(|one| one.created).count();
            assert_eq!(created, 1);
            let first = &registered[0];
            assert!(registered.iter().all(|one| {
                one.person.person_id == first.person.person_id
                    && one.personal_workspace_id == first.personal_workspace_id
            }));
            assert_eq!(personal(&world), 1);
            let same = format!(
                "SELECT count(*) FROM person WHERE subject = '{}'",
                user.subject
            );
            assert_eq!(world.number(&same), 1);
        }
    }
}

#[test]
fn who_has_registered_is_known_from_then_on() {
    let world = World::new();
    let before = by_access_token(&world);
    assert_eq!(before.person_id, None);
    let without = world.run(workspace::current(&world, &before));
    assert_eq!(code(&without), Some(Code::WorkspaceNotFound));
    let registered = world.run(register::register(&world, &before)).unwrap();
    let after = by_access_token(&world);
    assert_eq!(after.person_id, Some(registered.person.person_id));
    assert!(world.run(workspace::current(&world, &after)).is_ok());
}

#[test]
fn n_058_a_service_does_not_register() {
    let world = World::new();
    world.session();
    let claims = json!({"sub": "svc_a", "client_id": "svc_a"});
    let token = world.scaikey.access_token(&claims);
    let principal = caller(&world, &world.instance(), &token).unwrap();
    assert_eq!(code(&principal.into_user()), Some(Code::UserRequired));
}

#[test]
fn who_is_suspended_gets_nothing() {
    for (mode, by) in EVERYBODY {
        let world = world(mode);
        let user = by(&world);
        world.run(register::register(&world, &user)).unwrap();
        world.sql("UPDATE person SET status = 'suspended'", &[]);
        world.sql("DELETE FROM membership", &[]);
        let again = world.run(register::register(&world.instance(), &user));
        assert_eq!(code(&again), Some(Code::PersonSuspended));
        assert_eq!(world.number("SELECT count(*) FROM membership"), 0);
    }
}

/// The role in the tenant's default workspace.
fn role(world: &World, person_id: &PersonId) -> String {
    let id = [person_id.as_str().into()];
    let rows = world.db().query(
        "SELECT role FROM membership JOIN workspace USING (workspace_id) WHERE kind = 'default'
           AND person_id = ?1",
        &id,
    );
    let rows = world.run(rows).unwrap();
    rows[0].text(0).unwrap().to_owned()
}

#[test]
fn a_token_does_not_make_anybody_an_administrator_of_the_platform() {
    let world = World::with(&[("bootstrap_super_admin", "user:new@acme.example")]);
    let user = by_access_token(&world);
    let registered = world.run(register::register(&world, &user)).unwrap();
    assert_eq!(registered.person.admin_role, None);
    assert_eq!(role(&world, &registered.person.person_id), "viewer");
}

#[test]
fn whom_scaikey_calls_an_administrator_is_one_of_the_default_workspace() {
    for (known, told, expected) in [
        (None, "editor", "viewer"),
        (None, "tenant_admin", "admin"),
        (Some(AdminRole::TenantAdmin), "editor", "admin"),
        (Some(AdminRole::TenantAdmin), "tenant_admin", "admin"),
    ] {
        let world = World::new();
        let mut user = by_access_token(&world);
        user.admin_role = known;
        user.roles = vec![told.to_owned()];
        let registered = world.run(register::register(&world, &user)).unwrap();
        let role = role(&world, &registered.person.person_id);
        assert_eq!(role, expected, "{known:?} {told}");
    }
}
