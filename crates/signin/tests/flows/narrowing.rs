//! A role that changes while somebody is signed in.

use std::time::Duration;

use futures::future::{join, join_all};
use scaigate_kv::people;
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Principal, SessionAnswer, refresh, revoke};
use scaigate_types::{Database as _, Transaction as _, WorkspaceRole};

use crate::world::{World, caller, code};

const ORDERS: std::ops::Range<u64> = 0..20;

/// What an administrator does: the role and the sessions in one transaction.
async fn set_role(world: &World, session: &SessionAnswer, role: WorkspaceRole) -> usize {
    use scaigate_signin::Ports as _;
    let tx = world.db().begin().await.unwrap();
    let (person_id, workspace_id) = (&session.person.person_id, &session.workspace.workspace_id);
    let is_member = people::set_membership_role(&tx, person_id, workspace_id, role).await;
    assert_eq!(is_member, Ok(true));
    let narrowed = revoke::narrow_all(world, &tx, person_id).await.unwrap();
    tx.commit().await.unwrap();
    narrowed
}

fn role(world: &World, token: &str) -> Result<WorkspaceRole, Code> {
    match caller(world, &world.instance(), token) {
        Ok(Principal::User(user)) => Ok(user.workspace.as_ref().unwrap().1),
        Ok(other) => unreachable!("{other:?}"),
        Err(problem) => Err(problem.code()),
    }
}

fn refreshed(world: &World, token: &str) -> Result<SessionAnswer, Problem> {
    world.run(refresh::refresh(
        &world.instance(),
        &world.settings,
        token,
        None,
    ))
}

#[test]
fn the_old_token_is_revoked_and_the_next_refresh_has_the_new_role() {
    let world = World::new();
    let session = world.session();
    let other = world.session();
    let token = session.access_token.expose();
    let own = world.instance();
    assert_eq!(code(&caller(&world, &own, token)), None);
    let narrowed = world.run(set_role(&world, &session, WorkspaceRole::Viewer));
    assert_eq!(narrowed, 2, "all sessions of the person");
    assert_eq!(role(&world, token), Err(Code::TokenRevoked));
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(code(&caller(&world, &own, token)), Some(Code::TokenRevoked));
    for session in [session, other] {
        let next = refreshed(&world, session.refresh_token.expose()).unwrap();
        assert_eq!(next.workspace.role, WorkspaceRole::Viewer);
        assert_eq!(
            role(&world, next.access_token.expose()),
            Ok(WorkspaceRole::Viewer)
        );
        // It also goes on: a second change narrows the new generation.
        world.run(set_role(&world, &session, WorkspaceRole::Author));
        assert_eq!(
            role(&world, next.access_token.expose()),
            Err(Code::TokenRevoked)
        );
        let next = refreshed(&world, next.refresh_token.expose()).unwrap();
        assert_eq!(
            role(&world, next.access_token.expose()),
            Ok(WorkspaceRole::Author)
        );
        world.run(set_role(&world, &session, WorkspaceRole::Viewer));
    }
}

#[test]
fn n_105_no_refresh_beside_it_leaves_a_token_with_the_old_role() {
    for seed in ORDERS {
        let world = World::new();
        world.shuffle(seed);
        let session = world.session();
        let token = session.refresh_token.expose();
        let instances: Vec<_> = (0..20).map(|_| world.instance()).collect();
        let refreshes = instances
            .iter()
            .map(|own| refresh::refresh(own, &world.settings, token, None));
        let change = set_role(&world, &session, WorkspaceRole::Viewer);
        let (answers, _) = world.run(join(join_all(refreshes), change));
        world.clock.advance(Duration::from_secs(2));
        for answer in answers {
            let access = answer.unwrap().access_token;
            let accepted = role(&world, access.expose());
            assert_ne!(accepted, Ok(WorkspaceRole::Admin), "order {seed}");
        }
    }
}

#[test]
fn a_refresh_that_began_before_the_change_does_not_say_the_old_role() {
    // One request, stopped between any two of its calls while the change happens.
    for seed in ORDERS {
        let world = World::new();
        let session = world.session();
        world.shuffle(seed);
        let token = session.refresh_token.expose();
        let own = world.instance();
        let one = refresh::refresh(&own, &world.settings, token, None);
        let change = set_role(&world, &session, WorkspaceRole::Viewer);
        let (answer, _) = world.run(join(one, change));
        let answer = answer.unwrap();
        let accepted = role(&world, answer.access_token.expose());
        assert_ne!(accepted, Ok(WorkspaceRole::Admin), "order {seed}");
        // Whoever is refused is told what is true by the next refresh.
        if accepted.is_err() {
            let next = refreshed(&world, answer.refresh_token.expose()).unwrap();
            let accepted = role(&world, next.access_token.expose());
            assert_eq!(accepted, Ok(WorkspaceRole::Viewer), "order {seed}");
        }
    }
}

#[test]
fn an_end_wins_over_a_narrowing() {
    for seed in ORDERS {
        let world = World::new();
        let session = world.session();
        world.shuffle(seed);
        let token = session.access_token.expose();
        let sid = world
            .settings
            .sessions
            .signer
            .verify(token, crate::world::PUBLIC_URL, crate::world::clock::START)
            .unwrap()
            .sid;
        let end = revoke::end(&world, &sid, "logout");
        let change = set_role(&world, &session, WorkspaceRole::Viewer);
        let (ended, _) = world.run(join(end, change));
        assert!(ended.is_ok());
        assert_eq!(role(&world, token), Err(Code::TokenRevoked));
        let next = refreshed(&world, session.refresh_token.expose());
        assert_eq!(code(&next), Some(Code::SessionEnded), "order {seed}");
        let record = world.run(scaigate_kv::revocation::read(&world.kv.inner, &sid));
        assert_eq!(record, Ok(Some(scaigate_kv::revocation::Revocation::Ended)));
        // Nor does a later one bring anything back.
        world.run(set_role(&world, &session, WorkspaceRole::Admin));
        assert_eq!(role(&world, token), Err(Code::TokenRevoked));
    }
}
