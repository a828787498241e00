//! Whose bearer passes in which mode, and the headers of development.

use std::rc::Rc;

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Credential, Principal, User};
use scaigate_types::{AdminRole, WorkspaceRole};
use serde_json::json;

use crate::world::{World, caller, caller_with, code, detail};

const LOCAL: (&str, &str) = ("public_url", "http://127.0.0.1:3000");

fn mode(name: &str) -> World {
    World::with(&[LOCAL, ("env", "dev"), ("scaiwave_auth_mode", name)])
}

fn development() -> World {
    mode("scaikey")
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    map
}

fn sent(world: &World, pairs: &[(&'static str, &str)]) -> Result<Principal, Problem> {
    caller_with(world, &world.instance(), &headers(pairs))
}

fn test_user(outcome: Result<Principal, Problem>) -> User {
    match outcome.unwrap() {
        Principal::Dev(user) => Rc::unwrap_or_clone(user),
        other => unreachable!("{other:?} is proven"),
    }
}

/// Whom a bearer is taken for: the name of the credential, or the code of the rejection.
fn taken(world: &World, token: &str) -> &'static str {
    match caller(world, &world.instance(), token) {
        Ok(Principal::User(user) | Principal::Dev(user)) => user.credential.as_str(),
        Ok(Principal::Service(_)) => "service",
        Err(problem) => problem.code().as_str(),
    }
}

#[test]
fn each_mode_takes_what_it_says() {
    // Mode, then what it makes of: a session token, an access token, a forged token of three
    // parts, and any text.
    let table = [
        (
            "scaikey",
            ["session", "access_token", "token_invalid", "token_invalid"],
        ),
        (
            "hybrid",
            ["session", "access_token", "token_invalid", "mock"],
        ),
        ("mock", ["session", "mock", "mock", "mock"]),
    ];
    for (name, expected) in table {
        let world = mode(name);
        let session = world.session();
        let access = world.scaikey.access_token(&json!({}));
        let tokens = [
            session.access_token.expose().as_str(),
            &access,
            "a.b.c",
            "anything",
        ];
        assert_eq!(tokens.map(|token| taken(&world, token)), expected, "{name}");
    }
}

#[test]
fn a_session_token_that_does_not_hold_is_nobodys_in_every_mode() {
    for name in ["scaikey", "hybrid", "mock"] {
        let world = mode(name);
        let session = world.session();
        let token = session.access_token.expose();
        let (head, signature) = token.rsplit_once('.').unwrap();
        let backwards: String = signature.chars().rev().collect();
        for forged in [backwards.as_str(), "#", ""] {
            let forged = format!("{head}.{forged}");
            assert_eq!(taken(&world, &forged), "token_invalid", "{name}: {forged}");
        }
        world.clock.advance(Duration::from_secs(1000));
        assert_eq!(taken(&world, token), "token_expired", "{name}");
    }
}

#[test]
fn the_mock_user_is_one_and_no_proven_person() {
    let world = mode("mock");
    let user = test_user(caller(&world, &world.instance(), "anything"));
    assert_eq!(user.credential, Credential::Mock);
    assert_eq!(user.tenant_id.as_str(), "tnt_mock");
    assert_eq!(user.admin_role, Some(AdminRole::TenantAdmin));
    let other = test_user(caller(&world, &world.instance(), "another"));
    assert_eq!((user.issuer, user.subject), (other.issuer, other.subject));
    assert_eq!(code(&sent(&world, &[])), Some(Code::AuthenticationRequired));
}

#[test]
fn development_headers_name_a_test_user() {
    let world = development();
    let user = test_user(sent(
        &world,
        &[
            ("x-dev-subject", "grace"),
            ("x-dev-workspace-id", "ws_1"),
            ("x-dev-role", "author"),
        ],
    ));
    assert_eq!(user.credential, Credential::DevHeaders);
    assert_eq!(
        (user.subject.as_str(), user.tenant_id.as_str()),
        ("grace", "tnt_dev")
    );
    let (workspace_id, role) = user.workspace.unwrap();
    assert_eq!(
        (workspace_id.as_str(), role),
        ("ws_1", WorkspaceRole::Author)
    );
    assert_eq!(user.admin_role, None);
    // Each alone, the others by default.
    let table: [(_, _, _, Option<WorkspaceRole>, Option<AdminRole>); 4] = [
        ("x-dev-subject", "grace", "grace", None, None),
        (
            "x-dev-workspace-id",
            "ws_1",
            "dev-user",
            Some(WorkspaceRole::Viewer),
            None,
        ),
        ("x-dev-role", "admin", "dev-user", None, None),
        (
            "x-dev-role",
            "super_admin",
            "dev-user",
            None,
            Some(AdminRole::SuperAdmin),
        ),
    ];
    for (name, value, subject, role, admin_role) in table {
        let user = test_user(sent(&world, &[(name, value)]));
        assert_eq!(user.subject.as_str(), subject, "{name}");
        assert_eq!(user.workspace.map(|(_, role)| role), role, "{name}");
        assert_eq!(user.admin_role, admin_role, "{name}");
    }
}

#[test]
fn a_development_header_that_is_not_readable_is_named() {
    let long = "x".repeat(300);
    let table: [(&'static str, &[&str]); 10] = [
        ("x-dev-subject", &[""]),
        ("x-dev-subject", &["ä"]),
        ("x-dev-subject", &[&long]),
        ("x-dev-subject", &["a", "a"]),
        ("x-dev-workspace-id", &[""]),
        ("x-dev-workspace-id", &["ws_1", "ws_2"]),
        ("x-dev-role", &[""]),
        ("x-dev-role", &["owner"]),
        ("x-dev-role", &["Admin"]),
        ("x-dev-role", &["viewer", "admin"]),
    ];
    for (name, values) in table {
        let world = development();
        let pairs: Vec<_> = values.iter().map(|value| (name, *value)).collect();
        let result = sent(&world, &pairs);
        assert_eq!(code(&result), Some(Code::TokenInvalid), "{name} {values:?}");
        assert_eq!(detail(&result, "reason"), format!("{name} is not readable"));
    }
}

#[test]
fn a_bearer_wins_over_the_headers() {
    let world = development();
    let session = world.session();
    let bearer = format!("Bearer {}", session.access_token.expose());
    let dev = [("x-dev-subject", "grace"), ("x-dev-role", "super_admin")];
    let with =
        |authorization: &str| sent(&world, &[("authorization", authorization), dev[0], dev[1]]);
    let user = with(&bearer).unwrap().into_user().unwrap();
    assert_eq!(user.subject.as_str(), "usr_ada");
    assert_eq!(user.admin_role, None);
    // Also one that does not hold: nobody falls back to being somebody else.
    for authorization in ["Bearer a.b.c", "Bearer", "Basic eA=="] {
        assert_eq!(
            code(&with(authorization)),
            Some(Code::TokenInvalid),
            "{authorization}"
        );
    }
}

#[test]
fn s_33_the_headers_are_nothing_in_production() {
    let dev = [
        ("x-dev-subject", "grace"),
        ("x-dev-workspace-id", "ws_1"),
        ("x-dev-role", "super_admin"),
    ];
    for changes in [
        vec![],
        vec![("env", "DEV")],
        vec![(
            "dangerous_allow_dev_auth",
            "i-understand-anyone-can-sign-in",
        )],
    ] {
        let world = World::with(&changes);
        assert_eq!(
            code(&sent(&world, &dev)),
            Some(Code::AuthenticationRequired)
        );
        assert_eq!(
            code(&sent(&world, &dev[..1])),
            Some(Code::AuthenticationRequired)
        );
    }
}

#[test]
fn s_28_no_mode_without_proof_on_a_public_deployment() {
    use scaigate_signin::settings::{self, AuthMode};
    let allow = (
        "dangerous_allow_dev_auth",
        "i-understand-anyone-can-sign-in",
    );
    let almost = ("dangerous_allow_dev_auth", "yes");
    let loopback = ("public_url", "https://127.0.0.1:3000");
    let refused = Some("scaiwave_auth_mode");
    let table: [(_, Vec<(&str, &str)>, _); 10] = [
        ("mock", vec![], refused),
        ("hybrid", vec![], refused),
        ("mock", vec![almost], refused),
        ("hybrid", vec![almost], refused),
        ("mock", vec![allow], None),
        ("hybrid", vec![allow], None),
        ("mock", vec![loopback], None),
        ("hybrid", vec![LOCAL, ("env", "dev")], None),
        ("scaikey", vec![], None),
        ("Mock", vec![], refused),
    ];
    for (name, mut changes, expected) in table {
        changes.push(("scaiwave_auth_mode", name));
        let deployment = settings::deployment(&crate::world::variables(&changes));
        match expected {
            None => assert_eq!(deployment.unwrap().auth_mode.as_str(), name),
            Some(setting) => {
                let faults = deployment.unwrap_err();
                let named: Vec<_> = faults.iter().map(|fault| fault.setting).collect();
                assert_eq!(named, [setting], "{changes:?}");
            }
        }
    }
    let default = settings::deployment(&crate::world::variables(&[])).unwrap();
    assert_eq!(default.auth_mode, AuthMode::Scaikey);
}
