//! Section 5.2: no address of ours sends a browser where we do not serve.

use http::Request;
use scaigate_e2e::address::with_parameter;
use scaigate_e2e::{Answer, World};
use serde_json::json;
use url::Url;

const ALICE: &str = "alice@acme.example";
const VERIFIER: &str = "a-verifier-of-the-app-that-is-long-enough-0003";

/// Addresses that some reader takes for another host, or that are no addresses.
const REFUSED: &[&str] = &[
    // Without a scheme
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "//evil.example/%2f..",
    "//app.example@evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/\\\\evil.example",
    "\\evil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    "/%0d/evil.example",
    "/%0D%0A/evil.example",
    "/%00/evil.example",
    "/%2f%2fevil.example",
    "/%2Fevil.example",
    "/%5cevil.example",
    "/%5C%5Cevil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "//\u{3002}evil.example",
    "evil.example",
    "www.evil.example/x",
    "@evil.example",
    ":evil.example",
    ".evil.example",
    ".",
    "..",
    "../evil.example",
    "?next=https://evil.example",
    "#https://evil.example",
    " ",
    "\t",
    "\0",
    "/a b",
    "/\u{e4}",
    "/a\r\nLocation: https://evil.example",
    // Scheme
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https:////evil.example",
    "https:\\\\evil.example",
    "https:/\\evil.example",
    "https:\\/evil.example",
    "http:evil.example",
    "https:app.example",
    "https:/app.example",
    "https:///app.example",
    "HTTPS://app.example",
    "hTTps://evil.example",
    "https ://app.example",
    "://app.example",
    "https//app.example",
    "https:",
    "https://",
    "http://",
    "https://?",
    "https://#app.example",
    "https:///",
    "https://:443",
    "http://app.example",
    "ws://app.example",
    "ftp://app.example/",
    "file:///etc/passwd",
    "file://app.example/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "java\tscript:alert(1)",
    " javascript:alert(1)",
    "javascript://app.example/%0aalert(1)",
    "javascript://https://app.example/",
    "data:text/html,x",
    "vbscript:x",
    "blob:https://app.example/x",
    "view-source:https://app.example",
    "about:blank",
    "mailto:x@app.example",
    "intent://app.example#Intent;end",
    "ht\ntps://app.example",
    "h\tttps://app.example",
    "https\u{3a}\u{ff0f}\u{ff0f}evil.example",
    // Another host
    "https://evil.example",
    "https://evil.example/",
    "https://evil.example/https://app.example",
    "https://evil.example?https://app.example",
    "https://evil.example#https://app.example",
    "https://evil.example/app.example",
    "https://evil.example:443",
    // User information
    "https://app.example@evil.example",
    "https://app.example:x@evil.example/",
    "https://app.example%40evil.example",
    "https://evil.example@app.example",
    "https://user:password@app.example/",
    "https://:@app.example/",
    "https://@app.example",
    "https://app.example:443@evil.example",
    "https://app.example\\@evil.example",
    "https://evil.example\\@app.example",
    "https://evil.example\\.app.example",
    "https://evil.example%5c@app.example",
    "http://127.0.0.1:5173@evil.example/",
    "https://app.example#@evil.example:x@/\\",
    "https://app.example;@evil.example",
    // Suffixes and prefixes (N-036)
    "https://app.example.evil.example",
    "https://evilapp.example",
    "https://evil-app.example",
    "https://sub.app.example",
    "https://app.example.",
    "https://app.example..",
    "https://.app.example",
    "https://app.exampl",
    "https://app.examplee",
    "https://app-example",
    "https://appxexample",
    "https://example",
    "https://app.example%2eevil.example",
    "https://app.example%2f.evil.example",
    "https://app.example%23.evil.example",
    "https://app.example%00.evil.example",
    "https://app.example%0d%0a.evil.example",
    "https://app.example,evil.example",
    "https://app.example&evil.example",
    "https://app.example=evil.example",
    // Spellings of a host
    "https://app\u{3002}example",
    "https://app\u{ff0e}example",
    "https://app\u{ff61}example",
    "https://\u{ff41}pp.example",
    "https://\u{430}pp.example",
    "https://xn--pp-7kc.example",
    "https://app.example\u{200b}",
    "https://app\u{ad}.example",
    "https://a%70p.example",
    "https://app\t.example",
    "https://app\n.example",
    "https://app.example\r\nSet-Cookie: x=1",
    "https://app.example\0.evil.example",
    "https://[app.example]/",
    // Ports and numbers
    "https://app.example:8443/",
    "https://app.example:80",
    "https://app.example:0443x",
    "https://app.example:99999",
    "https://app.example:-1",
    "http://127.0.0.1:5174/",
    "http://127.0.0.1:51730/",
    "http://127.0.0.1:05173/",
    "http://127.0.0.1/",
    "http://localhost:5173/",
    "http://127.1:5173/",
    "http://2130706433:5173/",
    "http://0x7f.0.0.1:5173/",
    "http://0177.0.0.1:5173/",
    "http://127.0.0.1.:5173/",
    "http://[::1]:5173/",
    "http://[::ffff:127.0.0.1]:5173/",
    "http://0.0.0.0:5173/",
    "https://127.0.0.1:5173/",
    "http://169.254.169.254/",
];

/// Odd addresses that stay where we serve, however they are read.
const TAKEN: &[&str] = &[
    "/",
    "/x",
    "/.//evil.example",
    "/..//evil.example",
    "/x/..//evil.example",
    "/@evil.example",
    "/;@evil.example",
    "/.evil.example",
    "/?next=//evil.example",
    "/#//evil.example",
    "/ok/%2f%2fevil.example",
    "/x:y@z",
    "/%3f//evil.example",
    "https://app.example",
    "https://APP.example/",
    "https://app.example:443/x",
    "https://app.example?x=//evil.example",
    "https://app.example//evil.example",
    "https://app.example/@evil.example",
    "https://app.example/%0d%0ax",
    "http://127.0.0.1:5173/#//evil.example",
];

fn form(name: &str, value: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair(name, value)
        .finish()
}

async fn post_form(world: &World, path: &str, body: String) -> Answer {
    let request = Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.into())
        .expect("a request");
    world.client.send(request).await
}

#[track_caller]
fn assert_refused(answer: &Answer, code: &str, address: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (400, code),
        "{address:?}: {}",
        answer.text()
    );
    assert_eq!(answer.location(), "", "{address:?}");
    assert!(!answer.headers.contains_key("set-cookie"), "{address:?}");
}

#[test]
fn n_035_the_list_is_long_and_has_no_address_twice() {
    let all: std::collections::BTreeSet<_> = REFUSED.iter().chain(TAKEN).collect();
    assert_eq!(all.len(), REFUSED.len() + TAKEN.len());
    assert!(REFUSED.len() >= 150, "{}", REFUSED.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn n_035_n_036_no_sign_in_begins_for_a_foreign_return_address() {
    let world = World::start().await;
    let own = format!("{}@evil.example/", world.url);
    let own_suffix = format!("{}.evil.example/", world.url);
    let own_port = format!("{}0/", world.url);
    let more = [own.as_str(), own_suffix.as_str(), own_port.as_str()];
    let long = format!("/{}", "x".repeat(2048));
    let login = format!("{}/v1/auth/login", world.url);
    for address in REFUSED.iter().chain(&more).copied().chain([long.as_str()]) {
        let json = world
            .client
            .post("/v1/auth/login", &json!({ "return_to": address }))
            .await;
        assert_refused(&json, "return_to_not_allowed", address);
        if address != "\0" && !address.contains('\0') {
            let posted = post_form(&world, "/v1/auth/login", form("return_to", address)).await;
            assert_refused(&posted, "return_to_not_allowed", address);
            for name in ["return_to", "target_link_uri"] {
                let navigated = world
                    .client
                    .get(&with_parameter(&login, name, &[address]), None)
                    .await;
                assert_refused(&navigated, "return_to_not_allowed", address);
            }
        }
    }
    assert_eq!(
        world
            .sql_text("SELECT CAST(count(*) AS TEXT) FROM pending_login", &[])
            .as_deref()
            .unwrap_or("0"),
        "0"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_035_addresses_encoded_twice_are_not_decoded_twice() {
    let world = World::start().await;
    let browser = world.browser();
    for query in [
        "return_to=%252f%252fevil.example",
        "return_to=https%253a%252f%252fevil.example",
        "return_to=%25252fx",
    ] {
        let answer = browser.fetch(&format!("/v1/auth/login?{query}")).await;
        assert_refused(&answer, "return_to_not_allowed", query);
    }
    for query in [
        "return_to=%zz",
        "return_to=%",
        "return_to=%ff%fe",
        "return_to=/a&return_to=//evil.example",
        "return_to=%00",
    ] {
        let answer = browser.fetch(&format!("/v1/auth/login?{query}")).await;
        assert_refused(&answer, "invalid_request", query);
    }
    assert_eq!(browser.cookie("scaigate_login"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_035_what_is_taken_stays_where_we_serve() {
    let world = World::start().await;
    let browser = world.browser();
    let origins = [
        world.url.clone(),
        "https://app.example".to_owned(),
        "http://127.0.0.1:5173".to_owned(),
    ];
    for address in TAKEN {
        let back = world
            .authorize(&browser, &json!({ "return_to": address }), ALICE)
            .await;
        let answer = browser.get(&back).await;
        assert_eq!(answer.status, 303, "{address}: {}", answer.text());
        assert_eq!(answer.headers.get_all("location").iter().count(), 1);
        let location = answer.location();
        let url = Url::parse(location).unwrap_or_else(|error| panic!("{address}: {error}"));
        // Absolute, in the plainest spelling, so that no reader takes it for anything else.
        let origin = url.origin().ascii_serialization();
        assert!(origins.contains(&origin), "{address}: {location}");
        let rest = location.strip_prefix(&origin).unwrap_or_default();
        assert!(rest.starts_with('/'), "{address}: {location}");
        assert!(
            !answer.location_parameter("session_code").is_empty(),
            "{address}: {location}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_035_n_036_no_code_is_exchanged_for_a_foreign_redirect_uri() {
    let world = World::start().await;
    let code = world.app_code(ALICE, Some(VERIFIER)).await;
    for address in REFUSED.iter().copied().chain(["/", "/v1/auth/callback"]) {
        let body = json!({ "code": code, "code_verifier": VERIFIER, "redirect_uri": address });
        for path in ["/v1/auth/exchange", "/v1/auth/login"] {
            let answer = world.client.post(path, &body).await;
            assert_refused(&answer, "redirect_uri_not_allowed", address);
        }
    }
    assert_eq!(
        world.scaikey.recorder().count_grant("authorization_code"),
        0
    );
    let body =
        json!({ "code": code, "code_verifier": VERIFIER, "redirect_uri": World::APP_REDIRECT_URI });
    let answer = world.client.post("/v1/auth/exchange", &body).await;
    assert_eq!(
        answer.status,
        200,
        "a refusal costs no code: {}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_035_n_036_nobody_signs_out_to_a_foreign_address() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    for address in REFUSED {
        let body = json!({ "refresh_token": session["refresh_token"], "post_logout_redirect_uri": address });
        let answer = world.client.post("/v1/auth/logout", &body).await;
        assert_refused(&answer, "return_to_not_allowed", address);
    }
    let refreshed = world
        .client
        .post(
            "/v1/auth/refresh",
            &json!({ "refresh_token": session["refresh_token"] }),
        )
        .await;
    assert_eq!(
        refreshed.status,
        200,
        "a refused sign-out ends nothing: {}",
        refreshed.text()
    );
    let body = json!({ "refresh_token": refreshed.json()["refresh_token"], "post_logout_redirect_uri": "http://127.0.0.1:5173/" });
    let out = world.client.post("/v1/auth/logout", &body).await.json();
    let url = Url::parse(out["end_session_url"].as_str().expect("an address")).expect("a URL");
    let back = url
        .query_pairs()
        .find(|(name, _)| name == "post_logout_redirect_uri")
        .expect("it is passed on")
        .1
        .into_owned();
    assert_eq!(back, "http://127.0.0.1:5173/");
}
