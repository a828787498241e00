//! What passes through as it is.

use bytes::Bytes;
use http::{HeaderMap, Method};
use scaigate_problem::Code;
use scaigate_proxy::Cut;
use scaigate_types::OutboundError;

use crate::world::{KEY, TOKEN, Told, World, author, body, code, told};

const CHAT: &str = "/v1/scaigrid/inference/chat";

fn pieces(pieces: Vec<Result<&'static str, OutboundError>>) -> Told {
    let headers = vec![("content-type", "text/event-stream".to_owned())];
    let pieces = pieces
        .into_iter()
        .map(|piece| piece.map(Bytes::from))
        .collect();
    Told::Answer(200, headers, pieces)
}

fn all() -> World {
    World::with(&[(
        "scaigrid_allowed_posts",
        "inference, core_invoke,checkpoint_resolve",
    )])
}

#[test]
fn reads_and_calls_pass_through() {
    let world = all();
    world
        .grid
        .will([pieces(vec![Ok("data: 1\n\n"), Ok("data: [DONE]\n\n")])]);
    let came = world.post(CHAT, &author(), r#"{"stream":true}"#).unwrap();
    assert_eq!(came.body, b"data: 1\n\ndata: [DONE]\n\n");
    assert_eq!((came.status, came.cut), (200, None));
    let seen = &world.grid.seen()[0];
    assert_eq!(seen.line, "POST https://scaigrid.example/v1/inference/chat");
    assert_eq!(seen.body, r#"{"stream":true}"#);
    world.grid.will([told(200, r#"{"anything":[1]}"#)]);
    let came = world.get("/v1/scaicore/events?limit=5", &author()).unwrap();
    assert_eq!(came.body, br#"{"anything":[1]}"#);
    let line = &world.grid.seen()[0].line;
    assert_eq!(
        line,
        "GET https://scaigrid.example/v1/modules/scaicore/events?limit=5"
    );
}

#[test]
fn calls_are_passed_on_where_the_configuration_says_so() {
    let calls = [
        (CHAT, "inference"),
        ("/v1/scaicore/cores/core_1/invoke", "core_invoke"),
        (
            "/v1/scaicore/checkpoints/chk_1/resolve",
            "checkpoint_resolve",
        ),
    ];
    for (target, name) in calls {
        let world = World::new();
        let result = world.post(target, &author(), "{}");
        assert_eq!(
            code(&result),
            Some(Code::ScaigridCallNotEnabled),
            "{target}"
        );
        assert_eq!(body(&result)["error"]["details"]["name"], name);
        assert!(world.grid.seen().is_empty());
        let world = World::with(&[("scaigrid_allowed_posts", name)]);
        for (other, other_name) in calls {
            let result = world.post(other, &author(), "{}");
            assert_eq!(result.is_ok(), name == other_name, "{name} {other}");
        }
    }
}

#[test]
fn n_143_a_call_is_never_sent_twice() {
    for error in [
        OutboundError::Refused,
        OutboundError::Interrupted,
        OutboundError::Timeout,
    ] {
        let world = all();
        world.grid.will([Told::Fail(error)]);
        assert!(world.post(CHAT, &author(), "{}").is_err());
        assert_eq!(world.grid.seen().len(), 1, "{error:?}");
    }
}

#[test]
fn n_120_a_stream_that_begins_to_repeat_the_credential_is_cut_before_it() {
    for (credential, pin) in [(TOKEN, ""), (KEY, "api_key")] {
        let (head, tail) = credential.split_at(10);
        let world = World::with(&[
            ("scaigrid_allowed_posts", "inference"),
            ("scaiflow_deploy_auth", pin),
        ]);
        world.set_key(KEY);
        world.grid.will([pieces(vec![
            Ok("data: a\n\ndata: "),
            Ok(head),
            Ok(tail),
            Ok("\n\n"),
        ])]);
        let came = world.post(CHAT, &author(), "{}").unwrap();
        assert_eq!(came.cut, Some(Cut::Reflected));
        assert_eq!(came.body, b"data: a\n\ndata: ");
        // A beginning that comes to nothing is no reason to keep it.
        world.grid.will([pieces(vec![Ok(head), Ok("x"), Ok(head)])]);
        let came = world.post(CHAT, &author(), "{}").unwrap();
        assert_eq!(came.cut, None);
        assert_eq!(came.body, format!("{head}x{head}").as_bytes());
    }
}

#[test]
fn an_answer_that_breaks_off_is_no_whole_one() {
    for error in [OutboundError::Interrupted, OutboundError::Timeout] {
        let world = all();
        world
            .grid
            .will([pieces(vec![Ok("data: 1\n\n"), Err(error)])]);
        let came = world.post(CHAT, &author(), "{}").unwrap();
        assert_eq!(came.body, b"data: 1\n\n");
        assert_eq!(came.cut, Some(Cut::Upstream(error)));
    }
}

#[test]
fn what_fails_before_anything_has_passed_is_a_failure_like_any_other() {
    let json = |length: Option<&str>, pieces: Vec<Result<Bytes, OutboundError>>| {
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(length.map(|length| ("content-length", length.to_owned())));
        Told::Answer(200, headers, pieces)
    };
    let cut = || Err(OutboundError::Interrupted);
    let half = || Ok(Bytes::from_static(b"{\"a\":"));
    for (answer, expected) in [
        (json(None, vec![cut()]), Some(Code::ScaigridInvalidResponse)),
        (
            json(Some("8"), vec![half(), cut()]),
            Some(Code::ScaigridInvalidResponse),
        ),
        (
            json(Some("99"), vec![half(), Ok(TOKEN.into())]),
            Some(Code::ScaigridInvalidResponse),
        ),
        (
            json(None, vec![Ok(TOKEN.into())]),
            Some(Code::ScaigridInvalidResponse),
        ),
        // Without a length, the first piece is as far as it is looked.
        (json(None, vec![half(), cut()]), None),
        (json(Some("0"), vec![]), None),
        (json(Some("5"), vec![half()]), None),
    ] {
        let world = World::new();
        world.grid.will([answer]);
        let result = world.get("/v1/scaigrid/modules", &author());
        assert_eq!(code(&result), expected);
    }
}

#[test]
fn bodies_are_bounded_and_as_long_as_announced() {
    let json = |length: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse().unwrap());
        headers.insert("content-length", length.parse().unwrap());
        headers
    };
    let world = all();
    for (length, text, expected) in [
        ("2", "{}", None),
        ("3", "{}", Some(Code::InvalidRequest)),
        ("1", "{}", Some(Code::InvalidRequest)),
        ("10485761", "{}", Some(Code::PayloadTooLarge)),
        ("99999999999999999999999", "{}", Some(Code::PayloadTooLarge)),
        ("-1", "{}", Some(Code::InvalidRequest)),
        ("0x2", "{}", Some(Code::InvalidRequest)),
        ("", "{}", Some(Code::InvalidRequest)),
    ] {
        let result = world.ask(&Method::POST, CHAT, &json(length), &author(), text);
        assert_eq!(code(&result), expected, "{length}");
        let seen = world.grid.seen();
        assert_eq!(seen.len(), usize::from(expected.is_none()), "{length}");
        if let Some(seen) = seen.first() {
            assert_eq!(seen.headers["content-length"], length);
        }
    }
}

#[test]
fn refusals_are_explained_without_their_words() {
    let world = all();
    for (answer, expected) in [
        (told(400, "{}"), Code::ScaigridRejected),
        (told(401, "{}"), Code::ScaigridTokenRefused),
        (told(402, "{}"), Code::ScaigridQuotaExceeded),
        (told(403, "{}"), Code::ScaigridForbidden),
        (told(404, "{}"), Code::ScaigridNotFound),
        (told(409, "{}"), Code::ScaigridConflict),
        (told(422, "{}"), Code::ScaigridRejected),
        (told(429, "{}"), Code::ScaigridRateLimited),
        (told(500, "<html>"), Code::ScaigridUnavailable),
        (coded("MODULE_NOT_ENABLED"), Code::ScaigridModuleNotEnabled),
        (coded("BACKEND_RATE_LIMITED"), Code::ModelRateLimited),
        (coded("BACKEND_TIMEOUT"), Code::ModelBackendTimeout),
        (coded("BACKEND_ERROR"), Code::ModelBackendFailed),
        (
            coded("MODEL_UNAVAILABLE"),
            Code::ScaigridCapacityUnavailable,
        ),
        (told(301, ""), Code::ScaigridInvalidResponse),
        (told(299, "{}"), Code::ScaigridInvalidResponse),
    ] {
        world.grid.will([answer]);
        let result = world.post(CHAT, &author(), "{}");
        assert_eq!(code(&result), Some(expected));
        let body = body(&result).to_string();
        assert!(
            !body.contains(TOKEN) && !body.contains("SECRET-WORDS"),
            "{body}"
        );
    }
}

fn coded(code: &str) -> Told {
    let message = format!("SECRET-WORDS {TOKEN}");
    told(
        500,
        &format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#),
    )
}

#[test]
fn a_key_that_is_refused_says_whose_it_is() {
    let world = World::with(&[("scaiflow_deploy_auth", "api_key")]);
    world.set_key(KEY);
    world.grid.will([told(401, "{}")]);
    let result = world.get("/v1/scaigrid/models", &author());
    assert_eq!(code(&result), Some(Code::ScaigridKeyRefused));
    assert_eq!(body(&result)["error"]["details"]["source"], "tenant_key");
}

#[test]
fn n_114_n_119_targets_that_lead_nowhere() {
    let world = all();
    for (method, target, expected) in [
        (Method::GET, "/v1/scaigrid/../admin", Code::InvalidRequest),
        (
            Method::GET,
            "/v1/scaigrid/%2e%2e/api-keys",
            Code::InvalidRequest,
        ),
        (Method::GET, "/v1/scaiqueue//scopes", Code::InvalidRequest),
        (
            Method::GET,
            "/v1/scaiqueue/scopes;a=b",
            Code::InvalidRequest,
        ),
        (Method::GET, "/v1/scaigrid/api-keys", Code::NotFound),
        (Method::GET, "/v1/scaigrid", Code::NotFound),
        (
            Method::DELETE,
            "/v1/scaiqueue/scopes",
            Code::MethodNotAllowed,
        ),
        (Method::POST, "/v1/scaiqueue/scopes", Code::MethodNotAllowed),
        (Method::GET, CHAT, Code::MethodNotAllowed),
        (
            Method::GET,
            "/v1/scaiqueue/scopes?api_key=x",
            Code::InvalidRequest,
        ),
    ] {
        let result = world.ask(&method, target, &HeaderMap::new(), &author(), "");
        assert_eq!(code(&result), Some(expected), "{method} {target}");
    }
    let result = world.ask(&Method::POST, CHAT, &HeaderMap::new(), &author(), "{}");
    assert_eq!(code(&result), Some(Code::UnsupportedMediaType));
    assert!(world.grid.seen().is_empty());
}
