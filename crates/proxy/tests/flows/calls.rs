//! Calls of our own.

use bytes::Bytes;
use futures::executor::block_on;
use http::{Method, StatusCode};
use scaigate_problem::{Code, Problem};
use scaigate_proxy::call::{GridPath, OwnCall, call};
use scaigate_proxy::{Caller, credential};
use scaigate_types::OutboundError;

use crate::world::{KEY, TOKEN, Told, World, author, code, told};

fn send(world: &World) -> Result<(StatusCode, Bytes), Problem> {
    let principal = author();
    let caller = Caller {
        principal: &principal,
        bearer: Some(TOKEN),
    };
    block_on(async {
        let chosen = credential::choose(world, &world.settings, caller).await?;
        let path = GridPath::of(&["v1", "modules", "scaicore", "cores"]).unwrap();
        let own = OwnCall {
            method: Method::POST,
            path: &path,
            content_type: Some("application/yaml"),
            body: Bytes::from_static(b"name: x\n"),
            request_id: "req_test",
        };
        call(world, &world.settings, &chosen, own).await
    })
}

#[test]
fn a_segment_stays_one() {
    for (segments, expected) in [
        (&["v1", "models"][..], Some("/v1/models")),
        (&["v1", "a/b"], Some("/v1/a%2Fb")),
        (&["v1", "a?b#c%2f"], Some("/v1/a%3Fb%23c%252f")),
        (&["v1", ".."], None),
        (&["v1", "."], None),
        (&["v1", ""], None),
        (&[], None),
    ] {
        let path = GridPath::of(segments);
        assert_eq!(
            path.as_ref().map(GridPath::as_str),
            expected,
            "{segments:?}"
        );
    }
    assert!(GridPath::of(&[&"a".repeat(257)]).is_none());
}

#[test]
fn it_is_sent_once_with_the_chosen_credential() {
    let world = World::with(&[("scaiflow_deploy_auth", "api_key")]);
    world.set_key(KEY);
    world.grid.will([told(201, r#"{"id":"core_1"}"#)]);
    let (status, body) = send(&world).unwrap();
    assert_eq!(
        (status.as_u16(), &body[..]),
        (201, &br#"{"id":"core_1"}"#[..])
    );
    let seen = &world.grid.seen()[0];
    assert_eq!(
        seen.line,
        "POST https://scaigrid.example/v1/modules/scaicore/cores"
    );
    assert_eq!(seen.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(seen.headers["content-type"], "application/yaml");
    assert_eq!(seen.headers["x-request-id"], "req_test");
    assert_eq!(&seen.body[..], b"name: x\n");
}

#[test]
fn conflicts_are_told_and_other_refusals_are_failures() {
    for (answer, expected) in [
        (told(409, "{}"), None),
        (told(302, ""), Some(Code::ScaigridInvalidResponse)),
        (told(401, "{}"), Some(Code::ScaigridTokenRefused)),
        (told(403, "{}"), Some(Code::ScaigridForbidden)),
        (told(500, "{}"), Some(Code::ScaigridUnavailable)),
        (
            told(200, &format!("\"{TOKEN}\"")),
            Some(Code::ScaigridInvalidResponse),
        ),
        (
            Told::Fail(OutboundError::Refused),
            Some(Code::ScaigridUnreachable),
        ),
    ] {
        let world = World::new();
        world.grid.will([answer]);
        assert_eq!(code(&send(&world)), expected);
        assert_eq!(world.grid.seen().len(), 1);
    }
}
