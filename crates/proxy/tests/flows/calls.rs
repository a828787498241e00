//! Calls of our own.

use std::time::Duration;

use bytes::Bytes;
use futures::executor::block_on;
use http::Method;
use scaigate_problem::{Code, Problem};
use scaigate_proxy::call::{Answered, GridPath, OwnCall, send as send_own};
use scaigate_proxy::{Caller, credential};
use scaigate_types::OutboundError;

use crate::world::{KEY, TOKEN, Told, World, author, code, told};

fn post(world: &World) -> Result<Answered, Problem> {
    send(world, Method::POST)
}

fn send(world: &World, method: Method) -> Result<Answered, Problem> {
    let principal = author();
    let caller = Caller {
        principal: &principal,
        bearer: Some(TOKEN),
    };
    block_on(async {
        let chosen = credential::choose(world, &world.settings, caller).await?;
        let path = GridPath::of(&["v1", "modules", "scaicore", "cores"]).unwrap();
        let own = OwnCall {
            method,
            path: &path,
            content_type: Some("application/yaml"),
            body: Bytes::from_static(b"name: x\n"),
            request_id: "req_test",
            timeout: Duration::from_secs(5),
        };
        send_own(world, &world.settings, &chosen, own).await
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
    let answered = post(&world).unwrap();
    assert_eq!(
        (answered.status.as_u16(), &answered.body[..]),
        (201, &br#"{"id":"core_1"}"#[..])
    );
    assert_eq!(answered.refusal, None);
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
fn every_status_is_an_answer_and_a_refusal_has_its_name() {
    for (status, expected) in [
        (409, Code::ScaigridConflict),
        (422, Code::ScaigridRejected),
        (401, Code::ScaigridTokenRefused),
        (403, Code::ScaigridForbidden),
        (429, Code::ScaigridRateLimited),
        (500, Code::ScaigridUnavailable),
    ] {
        let world = World::new();
        world.grid.will([told(status, "{}")]);
        let answered = post(&world).unwrap();
        assert_eq!(answered.status.as_u16(), status);
        let refusal = answered.refusal.map(|problem| problem.code());
        assert_eq!(refusal, Some(expected), "{status}");
        assert_eq!(world.grid.seen().len(), 1);
    }
}

#[test]
fn n_116_n_120_redirects_and_reflections_are_no_answers() {
    for answer in [
        told(302, ""),
        told(304, ""),
        told(200, &format!("\"{TOKEN}\"")),
        told(500, &format!("\"{TOKEN}\"")),
    ] {
        let world = World::new();
        world.grid.will([answer]);
        assert_eq!(code(&post(&world)), Some(Code::ScaigridInvalidResponse));
        assert_eq!(world.grid.seen().len(), 1);
    }
}

#[test]
fn n_143_only_a_read_is_sent_again_and_only_when_the_connection_failed() {
    for (error, expected, is_repeated) in [
        (OutboundError::Refused, Code::ScaigridUnreachable, true),
        (
            OutboundError::Interrupted,
            Code::ScaigridInvalidResponse,
            true,
        ),
        (OutboundError::Timeout, Code::ScaigridTimeout, false),
        (
            OutboundError::TooLarge,
            Code::ScaigridInvalidResponse,
            false,
        ),
        (OutboundError::Denied, Code::ScaigridUnreachable, false),
    ] {
        let world = World::new();
        world.grid.will([Told::Fail(error)]);
        assert_eq!(code(&post(&world)), Some(expected), "{error:?}");
        assert_eq!(world.grid.seen().len(), 1, "{error:?}");
        world.grid.will([Told::Fail(error), told(200, "{}")]);
        let read = send(&world, Method::GET);
        assert_eq!(read.is_ok(), is_repeated, "{error:?}");
        assert_eq!(world.grid.seen().len(), 1 + usize::from(is_repeated));
    }
}

#[test]
fn the_value_of_a_query_stays_one() {
    let path = GridPath::of(&["v1", "models"]).unwrap();
    let path = path.with_query("cursor", "a&b=c#d é");
    assert_eq!(path.as_str(), "/v1/models?cursor=a%26b%3Dc%23d%20%C3%A9");
}
