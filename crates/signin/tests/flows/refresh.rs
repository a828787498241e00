//! Our own refresh tokens.

use std::time::Duration;

use scaigate_jose::RefreshToken;
use scaigate_kv::{people, revocation};
use scaigate_problem::{Code, Problem};
use scaigate_signin::{SessionAnswer, refresh};
use scaigate_types::{Clock as _, SessionId, TenantId, WorkspaceId, WorkspaceRole};

use crate::world::{TENANT, World, code};

fn refresh(world: &World, token: &str) -> Result<SessionAnswer, Problem> {
    world.run(refresh::refresh(world, &world.settings, token, None))
}

fn token_of(answer: &SessionAnswer) -> String {
    answer.refresh_token.expose().clone()
}

fn sid_of(world: &World, token: &str) -> SessionId {
    RefreshToken::verify(&world.settings.sessions.refresh, token)
        .unwrap()
        .sid
}

fn is_revoked(world: &World, token: &str) -> bool {
    world
        .run(revocation::read(&world.kv.inner, &sid_of(world, token)))
        .unwrap()
        .is_some()
}

#[test]
fn every_use_replaces_the_token_and_reads_the_role_again() {
    let world = World::new();
    let first = world.session();
    world.sql("UPDATE membership SET role = 'operator'", &[]);
    let second = refresh(&world, &token_of(&first)).unwrap();
    assert_ne!(token_of(&first), token_of(&second));
    assert_ne!(first.access_token.expose(), second.access_token.expose());
    assert_eq!(second.workspace.role, WorkspaceRole::Operator);
    assert_eq!(
        sid_of(&world, &token_of(&first)),
        sid_of(&world, &token_of(&second))
    );
    let third = refresh(&world, &token_of(&second)).unwrap();
    assert_ne!(token_of(&second), token_of(&third));
}

#[test]
fn n_051_a_token_two_generations_old_ends_the_session_for_everybody() {
    let world = World::new();
    let first = token_of(&world.session());
    let second = token_of(&refresh(&world, &first).unwrap());
    world.clock.advance(Duration::from_secs(20));
    let third = token_of(&refresh(&world, &second).unwrap());
    assert_eq!(
        code(&refresh(&world, &first)),
        Some(Code::RefreshTokenReused)
    );
    assert!(is_revoked(&world, &first));
    for token in [&first, &second, &third] {
        assert_eq!(code(&refresh(&world, token)), Some(Code::SessionEnded));
    }
}

#[test]
fn n_052_whoever_lost_the_answer_can_ask_again_at_any_time() {
    for (seconds, same) in [(0, true), (9, true), (10, true), (11, false), (3600, false)] {
        let world = World::new();
        let first = token_of(&world.session());
        let lost = token_of(&refresh(&world, &first).unwrap());
        world.clock.advance(Duration::from_secs(seconds));
        let again = token_of(&refresh(&world, &first).unwrap());
        assert_eq!(again == lost, same, "{seconds}");
        assert_eq!(code(&refresh(&world, &again)), None, "{seconds}");
        assert!(!is_revoked(&world, &first), "{seconds}: no theft");
    }
}

#[test]
fn n_031_no_other_token_is_a_refresh_token() {
    let world = World::new();
    let answer = world.session();
    let token = token_of(&answer);
    let access = answer.access_token.expose().clone();
    let foreign = token_of(
        &World::with(&[(
            "session_secret",
            "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=",
        )])
        .session(),
    );
    let long = format!("sgr_{}", "A".repeat(10_000));
    for bad in [
        "",
        "sgr_",
        "x",
        &token[4..],
        &token[..token.len() - 1],
        &access,
        &foreign,
        &long,
        "sgr_ä",
    ] {
        assert_eq!(
            code(&refresh(&world, bad)),
            Some(Code::RefreshTokenInvalid),
            "{bad:.60}"
        );
    }
    assert_eq!(code(&refresh(&world, &token)), None);
}

#[test]
fn n_033_an_unredeemed_session_can_not_be_refreshed() {
    let world = World::new();
    world.session_code(&Default::default());
    let rows = world
        .run(scaigate_types::Query::query(
            &world.db.inner,
            "SELECT sid FROM session",
            &[],
        ))
        .unwrap();
    let sid = SessionId::parse(rows[0].text(0).unwrap()).unwrap();
    let forged = RefreshToken::issue(&world.settings.sessions.refresh, &sid, 0);
    assert_eq!(
        code(&refresh(&world, forged.expose())),
        Some(Code::RefreshTokenInvalid)
    );
    let unknown = SessionId::parse("ses_unknown").unwrap();
    let forged = RefreshToken::issue(&world.settings.sessions.refresh, &unknown, 0);
    assert_eq!(
        code(&refresh(&world, forged.expose())),
        Some(Code::SessionEnded)
    );
}

#[test]
fn a_workspace_is_switched_and_a_refused_one_costs_nothing() {
    let world = World::new();
    let first = world.session();
    let (lab, tenant) = (
        WorkspaceId::parse("ws_lab").unwrap(),
        TenantId::parse(TENANT).unwrap(),
    );
    let member = (&first.person.person_id, WorkspaceRole::Viewer);
    world
        .run(people::add_workspace(
            &world.db,
            &lab,
            &tenant,
            "Lab",
            member,
            world.clock.now(),
        ))
        .unwrap();
    let switch = |token: &str, id: &str| {
        world.run(refresh::refresh(&world, &world.settings, token, Some(id)))
    };
    let token = token_of(&first);
    assert_eq!(
        code(&switch(&token, "ws_made_up")),
        Some(Code::WorkspaceForbidden)
    );
    assert_eq!(code(&switch(&token, "a b")), Some(Code::InvalidRequest));
    let second = switch(&token, "ws_lab").unwrap();
    assert_eq!(
        (&second.workspace.workspace_id, second.workspace.role),
        (&lab, WorkspaceRole::Viewer)
    );
    // It stays switched.
    assert_eq!(
        refresh(&world, &token_of(&second))
            .unwrap()
            .workspace
            .workspace_id,
        lab
    );
}

#[test]
fn n_105_n_106_what_was_taken_away_is_gone_at_the_next_refresh() {
    let table = [
        (
            "UPDATE person SET status = 'suspended'",
            Code::SessionEnded,
            true,
        ),
        ("DELETE FROM person", Code::SessionEnded, true),
        (
            "UPDATE membership SET removed_at = 1",
            Code::WorkspaceForbidden,
            false,
        ),
        ("UPDATE session SET ended_at = 1", Code::SessionEnded, true),
        ("DELETE FROM session", Code::SessionEnded, false),
    ];
    for (statement, expected, revoked) in table {
        let world = World::new();
        let token = token_of(&world.session());
        world.sql(statement, &[]);
        assert_eq!(
            code(&refresh(&world, &token)),
            Some(expected),
            "{statement}"
        );
        assert_eq!(is_revoked(&world, &token), revoked, "{statement}");
    }
}

#[test]
fn n_032_refreshing_does_not_lengthen_the_session() {
    let world = World::with(&[("refresh_ttl_days", "1"), ("session_ttl_seconds", "43200")]);
    let first = token_of(&world.session());
    world.clock.advance(Duration::from_secs(80_000));
    let second = refresh(&world, &first).unwrap();
    assert_eq!(second.expires_in.as_secs(), 6_400);
    world.clock.advance(Duration::from_secs(6_400));
    assert_eq!(
        code(&refresh(&world, &token_of(&second))),
        Some(Code::SessionEnded)
    );
}

#[test]
fn every_refusal_is_also_the_one_that_oauth_clients_know() {
    let world = World::new();
    let problem = refresh(&world, "x").err().unwrap();
    let body = problem.body("/v1/auth/refresh", "req_1");
    assert_eq!(body["error"]["details"]["oauth_error"], "invalid_grant");
    assert!(body["error_description"].is_string());
}
