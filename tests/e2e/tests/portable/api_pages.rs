//! The API description as it is served, and the pages made of it.

use bytes::Bytes;
use http::Request;
use scaigate_e2e::World;

const FILES: [(&str, &str); 4] = [
    ("/openapi.json", "application/json"),
    ("/docs", "text/html; charset=utf-8"),
    ("/docs/errors", "text/html; charset=utf-8"),
    ("/docs/style.css", "text/css; charset=utf-8"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_served_and_kept_by_its_etag() {
    let world = World::start().await;
    for (path, content_type) in FILES {
        let answer = world.client.get(path, None).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), content_type);
        assert_eq!(
            answer.header("content-length"),
            answer.body.len().to_string()
        );
        assert_eq!(answer.header("cache-control"), "no-cache");
        let etag = answer.header("etag").to_owned();
        for (known, status) in [
            (etag.clone(), 304),
            (format!("\"x\", W/{etag}"), 304),
            ("*".to_owned(), 304),
            ("\"x\"".to_owned(), 200),
        ] {
            let request = Request::get(path).header("if-none-match", &known);
            let request = request.body(Bytes::new()).expect("a request");
            let again = world.client.send(request).await;
            assert_eq!(again.status, status, "{path} {known}");
            assert_eq!(again.header("etag"), etag);
            assert_eq!(again.body.is_empty(), status == 304);
        }
    }
    let served = world.client.get("/openapi.json", None).await.json();
    assert_eq!(served, scaigate_openapi::document());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_run_no_script_and_need_no_network() {
    let world = World::start().await;
    for (path, _) in FILES {
        let answer = world.client.get(path, None).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self';"),
            "{path}: {policy}"
        );
        assert_eq!(
            answer.header("x-frame-options").is_empty(),
            path.ends_with("json")
        );
        let text = answer.text();
        for foreign in [
            "<script",
            "<style",
            " style=",
            " src=",
            "href=\"http",
            "@import",
            "url(",
        ] {
            let is_html = path.starts_with("/docs");
            assert!(!is_html || !text.contains(foreign), "{path}: {foreign}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_type_of_a_failure_leads_to_its_place_in_the_reference() {
    let world = World::start().await;
    let failure = world.client.get("/v1/me", None).await.json();
    let (page, anchor) = failure["type"]
        .as_str()
        .and_then(|to| to.split_once('#'))
        .expect("a page and a place");
    assert_eq!(failure["error"]["code"], anchor);
    let reference = world.client.get(page, None).await.text();
    for code in scaigate_problem::Code::ALL {
        let place = format!(" id=\"{}\"", code.as_str());
        assert_eq!(reference.matches(&place).count(), 1, "{place}");
    }
}
