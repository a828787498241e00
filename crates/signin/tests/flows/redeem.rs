//! Redeeming a session code.

use std::time::Duration;

use scaigate_jose::pkce_challenge;
use scaigate_kv::people;
use scaigate_problem::Code;
use scaigate_signin::begin::BeginRequest;
use scaigate_signin::redeem::{RedeemRequest, Redeemed};
use scaigate_types::{Clock as _, PersonId, TenantId, WorkspaceId, WorkspaceRole};
use serde_json::json;

use crate::world::{PUBLIC_URL, TENANT, VERIFIER, World, code, redeem_request, session_of};

#[test]
fn gives_the_session_that_the_specification_shows() {
    let world = World::new();
    let answer = world.session();
    let body = answer.to_json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 900);
    assert_eq!(body["refresh_after"], 720, "S-30");
    assert_eq!(body["tenant_id"], TENANT);
    assert_eq!(body["user"]["sub"], "usr_ada");
    assert_eq!(body["user"]["name"], "Ada");
    assert_eq!(body["workspace"]["role"], "admin");
    assert_eq!(body["workspace"]["name"], "Default");
    let claims = world
        .settings
        .sessions
        .signer
        .verify(answer.access_token.expose(), PUBLIC_URL, world.clock.now())
        .unwrap();
    assert_eq!(claims.person_id, answer.person.person_id);
    assert_eq!(claims.workspace_id, answer.workspace.workspace_id);
    assert_eq!(claims.expires_at.since(claims.issued_at).as_secs(), 900);
}

#[test]
fn s_30_a_token_says_when_to_refresh_it() {
    for (life, after) in [("60", 48), ("900", 720), ("43200", 34560)] {
        let world = World::with(&[("session_ttl_seconds", life)]);
        assert_eq!(world.session().to_json()["refresh_after"], after, "{life}");
    }
}

#[test]
fn n_033_a_code_is_good_once_for_sixty_seconds() {
    for (seconds, expected) in [
        (0, None),
        (59, None),
        (60, Some(Code::SessionCodeExpired)),
        (3600, Some(Code::SessionCodeExpired)),
    ] {
        let world = World::new();
        let session_code = world.session_code(&BeginRequest::default());
        world.clock.advance(Duration::from_secs(seconds));
        assert_eq!(
            code(&world.redeem(&redeem_request(&session_code))),
            expected,
            "{seconds}"
        );
        if expected.is_none() {
            let again = world.redeem(&redeem_request(&session_code));
            assert_eq!(code(&again), Some(Code::SessionCodeAlreadyUsed));
        }
    }
}

#[test]
fn n_033_a_guessed_code_is_unknown() {
    let world = World::new();
    let real = world.session_code(&BeginRequest::default());
    let stored = scaigate_jose::token_hash("session_code", &real);
    let long = "a".repeat(100_000);
    for guess in [
        "",
        "x",
        &real[1..],
        &real.to_uppercase(),
        &format!("{real} "),
        &stored,
        &long,
        "ä",
    ] {
        let result = world.redeem(&redeem_request(guess));
        assert_eq!(code(&result), Some(Code::SessionCodeUnknown), "{guess:.50}");
    }
    assert!(world.redeem(&redeem_request(&real)).is_ok());
}

#[test]
fn n_033_a_code_belongs_to_the_app_that_began() {
    let world = World::new();
    let challenge = pkce_challenge(VERIFIER);
    let begin = BeginRequest {
        code_challenge: Some(&challenge),
        code_challenge_method: Some("S256"),
        ..BeginRequest::default()
    };
    let session_code = world.session_code(&begin);
    let long = "a".repeat(200);
    let with = |code_verifier| RedeemRequest {
        code_verifier,
        ..redeem_request(&session_code)
    };
    for (verifier, expected) in [
        (None, Some(Code::CodeVerifierRequired)),
        (Some(""), Some(Code::CodeVerifierMismatch)),
        (Some("another"), Some(Code::CodeVerifierMismatch)),
        (Some(challenge.as_str()), Some(Code::CodeVerifierMismatch)),
        (Some(long.as_str()), Some(Code::CodeVerifierMismatch)),
        // A wrong guess costs the right one nothing.
        (Some(VERIFIER), None),
        (Some(VERIFIER), Some(Code::SessionCodeAlreadyUsed)),
    ] {
        assert_eq!(
            code(&world.redeem(&with(verifier))),
            expected,
            "{verifier:?}"
        );
    }
}

#[test]
fn a_verifier_is_no_longer_than_pkce_allows() {
    // RFC 7636 §4.1: 128 characters.
    for (length, expected) in [(128, None), (129, Some(Code::CodeVerifierMismatch))] {
        let world = World::new();
        let verifier = "a".repeat(length);
        let challenge = pkce_challenge(&verifier);
        let session_code = world.session_code(&BeginRequest {
            code_challenge: Some(&challenge),
            code_challenge_method: Some("S256"),
            ..BeginRequest::default()
        });
        let redeemed = world.redeem(&RedeemRequest {
            code_verifier: Some(&verifier),
            ..redeem_request(&session_code)
        });
        assert_eq!(code(&redeemed), expected, "{length}");
    }
}

fn add_workspace(world: &World, person: &PersonId, tenant: &str, id: &str, name: &str) {
    let workspace = WorkspaceId::parse(id).unwrap();
    let tenant = TenantId::parse(tenant).unwrap();
    let member = (person, WorkspaceRole::Author);
    world
        .run(people::add_workspace(
            &world.db,
            &workspace,
            &tenant,
            name,
            member,
            world.clock.now(),
        ))
        .unwrap();
}

#[test]
fn several_workspaces_ask_for_a_choice_and_leave_the_code_good_for_it() {
    let world = World::new();
    let person = world.session().person.person_id;
    add_workspace(&world, &person, TENANT, "ws_lab", "Lab");
    // A workspace of another tenant is not on offer.
    add_workspace(&world, &person, "tnt_other", "ws_foreign", "Foreign");
    let session_code = world.session_code(&BeginRequest::default());
    for _ in 0..2 {
        let Ok(Redeemed::RequiresSelection(offered)) = world.redeem(&redeem_request(&session_code))
        else {
            unreachable!("two workspaces need a choice")
        };
        let names: Vec<&str> = offered.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["Default", "Lab"]);
    }
    let choose = |id| RedeemRequest {
        workspace_id: Some(id),
        ..redeem_request(&session_code)
    };
    for (id, expected) in [
        ("ws_foreign", Code::WorkspaceForbidden),
        ("ws_made_up", Code::WorkspaceForbidden),
        ("", Code::InvalidRequest),
        ("a b", Code::InvalidRequest),
    ] {
        assert_eq!(code(&world.redeem(&choose(id))), Some(expected), "{id:?}");
    }
    let answer = session_of(world.redeem(&choose("ws_lab")));
    assert_eq!(answer.workspace.role, WorkspaceRole::Author);
    assert_eq!(
        code(&world.redeem(&choose("ws_lab"))),
        Some(Code::SessionCodeAlreadyUsed)
    );
}

#[test]
fn who_lost_everything_in_between_gets_no_session() {
    let table = [
        (
            "UPDATE person SET status = 'suspended'",
            Code::PersonSuspended,
        ),
        ("DELETE FROM person", Code::PersonSuspended),
        ("UPDATE membership SET removed_at = 1", Code::NoWorkspace),
        (
            "UPDATE session SET ended_at = 1",
            Code::SessionCodeAlreadyUsed,
        ),
    ];
    for (statement, expected) in table {
        let world = World::new();
        let session_code = world.session_code(&BeginRequest::default());
        world.sql(statement, &[]);
        let result = world.redeem(&redeem_request(&session_code));
        assert_eq!(code(&result), Some(expected), "{statement}");
    }
}

#[test]
fn n_032_no_token_outlives_the_session_that_scaikey_allows() {
    let now = crate::world::clock::START.secs();
    let session_in = |seconds: u64| {
        let world = World::new();
        world
            .scaikey
            .id_claims
            .replace(json!({"session_expiry": now + seconds}));
        let session_code = world.session_code(&BeginRequest::default());
        (world, session_code)
    };
    let (world, session_code) = session_in(100);
    assert_eq!(
        session_of(world.redeem(&redeem_request(&session_code)))
            .expires_in
            .as_secs(),
        100
    );
    for seconds in [0, 30] {
        let (world, session_code) = session_in(seconds);
        world.clock.advance(Duration::from_secs(40));
        let result = world.redeem(&redeem_request(&session_code));
        assert_eq!(code(&result), Some(Code::SessionEnded), "{seconds}");
    }
}
