//! The documented lists.

use bytes::Bytes;
use scaigate_problem::Code;
use scaigate_types::OutboundError;
use serde_json::{Value, json};

use crate::world::{KEY, MODELS, TOKEN, Told, World, author, body, code, told};

fn page(slugs: &[&str], next: Option<&str>) -> Told {
    let rows: Vec<Value> = slugs.iter().map(|slug| json!({ "slug": slug })).collect();
    let body = json!({ "data": rows, "has_more": next.is_some(), "next_cursor": next });
    told(200, &body.to_string())
}

fn slugs(body: &[u8]) -> Vec<String> {
    let body: Value = serde_json::from_slice(body).unwrap();
    let rows = body["data"].as_array().unwrap();
    rows.iter()
        .map(|row| row["slug"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_page_is_read_unless_one_is_asked_for() {
    let world = World::new();
    let pages = || {
        [
            page(&["a"], Some("c 1")),
            page(&["b"], Some("c2")),
            page(&["c"], None),
        ]
    };
    world.grid.will(pages());
    // A cursor with a space is none.
    let result = world.get("/v1/scaigrid/models", &author());
    assert_eq!(code(&result), Some(Code::ScaigridInvalidResponse));
    let world = World::new();
    world.grid.will([
        page(&["a"], Some("c/1")),
        page(&["b"], Some("c2")),
        page(&["c"], None),
    ]);
    let came = world
        .get("/v1/scaigrid/models?modality=chat", &author())
        .unwrap();
    assert_eq!(slugs(&came.body), ["a", "b", "c"]);
    let lines: Vec<String> = world
        .grid
        .seen()
        .into_iter()
        .map(|seen| seen.line)
        .collect();
    assert_eq!(
        lines,
        [
            "GET https://scaigrid.example/v1/models?modality=chat",
            "GET https://scaigrid.example/v1/models?modality=chat&cursor=c%2F1",
            "GET https://scaigrid.example/v1/models?modality=chat&cursor=c2",
        ]
    );
    let world = World::new();
    world.grid.will([page(&["a"], Some("c2"))]);
    let came = world.get("/v1/scaigrid/models?limit=1", &author()).unwrap();
    let body: Value = serde_json::from_slice(&came.body).unwrap();
    assert_eq!(body["next_cursor"], "c2");
    assert_eq!(world.grid.seen().len(), 1);
}

#[test]
fn n_141_a_list_without_end_is_given_up() {
    let world = World::new();
    world
        .grid
        .will((0..1000).map(|n| page(&[], Some(&format!("c{n}")))));
    let result = world.get("/v1/scaigrid/models", &author());
    assert_eq!(code(&result), Some(Code::ScaigridInvalidResponse));
    assert_eq!(world.grid.seen().len(), 200);
    let world = World::new();
    world
        .grid
        .will([page(&["a"], Some("c")), page(&["b"], Some("c"))]);
    let result = world.get("/v1/scaigrid/models", &author());
    assert_eq!(code(&result), Some(Code::ScaigridInvalidResponse));
}

#[test]
fn a_connection_that_fails_is_tried_once_more() {
    use OutboundError::{Denied, Interrupted, Refused, Timeout, TooLarge};
    for (error, again, expected) in [
        (Refused, true, Code::ScaigridUnreachable),
        (Interrupted, true, Code::ScaigridInvalidResponse),
        (Timeout, false, Code::ScaigridTimeout),
        (TooLarge, false, Code::ScaigridInvalidResponse),
        (Denied, false, Code::ScaigridUnreachable),
    ] {
        for target in ["/v1/scaigrid/models", "/v1/scaigrid/modules"] {
            let world = World::new();
            world.grid.will([Told::Fail(error)]);
            let result = world.get(target, &author());
            assert_eq!(result.is_ok(), again, "{error:?}");
            assert_eq!(world.grid.seen().len(), if again { 2 } else { 1 });
            world.grid.will([Told::Fail(error), Told::Fail(error)]);
            assert_eq!(code(&world.get(target, &author())), Some(expected));
        }
    }
}

#[test]
fn n_120_an_answer_that_repeats_the_credential_is_not_delivered() {
    let echo = |text: &str| {
        let row = format!(r#"{{"slug":"a","display_name":"{text}"}}"#);
        told(200, &format!(r#"{{"data":[{row}]}}"#))
    };
    let escaped = format!("\\u0073{}", &KEY[1..]);
    for (text, is_key) in [(TOKEN, false), (KEY, true), (&escaped, true)] {
        let world = World::with(&[("scaiflow_deploy_auth", if is_key { "api_key" } else { "" })]);
        world.set_key(KEY);
        world.grid.will([echo(text)]);
        let result = world.get("/v1/scaigrid/models", &author());
        assert_eq!(code(&result), Some(Code::ScaigridInvalidResponse), "{text}");
        let body = body(&result).to_string();
        assert!(!body.contains(KEY) && !body.contains(TOKEN));
    }
}

#[test]
fn what_is_no_list_is_refused_with_the_reason() {
    for answer in [
        told(200, "[]"),
        told(200, "{}"),
        told(200, r#"{"data":[1]}"#),
        told(206, MODELS),
        told(302, ""),
        Told::Answer(
            200,
            vec![("content-type", "text/html".into())],
            vec![Ok("<p>".into())],
        ),
    ] {
        let world = World::new();
        world.grid.will([answer]);
        let result = world.get("/v1/scaigrid/models", &author());
        assert_eq!(code(&result), Some(Code::ScaigridInvalidResponse));
        assert!(body(&result)["error"]["details"]["reason"].is_string());
        assert_eq!(world.grid.seen().len(), 1);
    }
}

#[test]
fn n_111_n_117_only_what_may_pass_passes() {
    let world = World::new();
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("set-cookie", "a=b".to_owned()),
        ("x-request-id", "upstream-1".to_owned()),
        ("x-scaigrid-ratelimit-remaining", "7".to_owned()),
    ];
    world
        .grid
        .will([Told::Answer(200, headers, vec![Ok(Bytes::from(MODELS))])]);
    let mut client = http::HeaderMap::new();
    for (name, value) in [
        ("cookie", "session=1"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-dev-subject", "root"),
        ("x_forwarded_user", "root"),
        ("x-request-id", "client-chosen"),
        ("accept-language", "de"),
    ] {
        client.insert(name, value.parse().unwrap());
    }
    let path = "/v1/scaigrid/models";
    let came = world
        .ask(&http::Method::GET, path, &client, &author(), "")
        .unwrap();
    let mut names: Vec<String> = came.headers.keys().map(ToString::to_string).collect();
    names.sort();
    let passed = [
        "content-type",
        "x-scaigrid-ratelimit-remaining",
        "x-upstream-request-id",
    ];
    assert_eq!(names, passed);
    let seen = &world.grid.seen()[0];
    let mut names: Vec<&str> = seen.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let sent = [
        "accept",
        "accept-encoding",
        "accept-language",
        "authorization",
        "user-agent",
        "x-request-id",
    ];
    assert_eq!(names, sent);
    assert_eq!(seen.headers["x-request-id"], "req_test");
}

#[test]
fn s_22_limits_are_passed_on() {
    let world = World::new();
    let headers = [
        ("content-type", "application/json"),
        ("retry-after", "7"),
        ("x-scaigrid-ratelimit-limit", "60"),
        ("x-scaigrid-ratelimit-remaining", "0"),
        ("x-scaigrid-ratelimit-reset", "1800000060"),
    ];
    let headers = headers
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec();
    let text = r#"{"error":{"code":"RATE_LIMITED","message":"x"}}"#;
    world
        .grid
        .will([Told::Answer(429, headers, vec![Ok(text.into())])]);
    let result = world.get("/v1/scaigrid/models", &author());
    let body = body(&result);
    assert_eq!(body["error"]["code"], "scaigrid_rate_limited");
    let details = &body["error"]["details"];
    assert_eq!(details["category"], "scaigrid");
    assert_eq!(details["limit"], 60);
    assert_eq!(details["remaining"], 0);
    assert_eq!(details["reset"], 1_800_000_060_u64);
    assert_eq!(details["source"], "caller_token");
    let response = result.unwrap_err().response("/", "req_test");
    assert_eq!(response.headers()["retry-after"], "7");
}
