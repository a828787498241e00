//! N-114, N-119: the corpus of targets, and what each becomes.

use http::Method;
use scaigate_scaigrid::UpstreamPath;
use scaigate_scaigrid::path::{Inference, Route};

use crate::readers;

const CORPUS: &str = include_str!("../corpus/paths.txt");

pub(crate) struct Case {
    pub method: Method,
    pub target: String,
    /// The name of the route, or of the refusal.
    pub verdict: &'static str,
    /// What is sent.
    pub upstream: Option<String>,
}

pub(crate) fn corpus() -> Vec<Case> {
    let lines = CORPUS.lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let (verdict, upstream) = match columns.as_slice() {
                [_, _, verdict] => (*verdict, None),
                [_, _, verdict, upstream] => (*verdict, Some(written_out(upstream))),
                _ => panic!("{line:?} has no three or four columns"),
            };
            Case {
                method: Method::from_bytes(columns[0].as_bytes()).unwrap(),
                target: written_out(columns[1]),
                verdict,
                upstream,
            }
        })
        .collect()
}

/// `{u:XX}` as the character, `{text*n}` as the text n times.
fn written_out(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let (inside, behind) = behind.split_once('}').unwrap();
        out.push_str(before);
        if let Some(hex) = inside.strip_prefix("u:") {
            let number = u32::from_str_radix(hex, 16).unwrap();
            out.push(char::from_u32(number).unwrap());
        } else {
            let (piece, times) = inside.rsplit_once('*').unwrap();
            out.push_str(&piece.repeat(times.parse().unwrap()));
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn name(route: &Route) -> &'static str {
    match route {
        Route::Models => "models",
        Route::QueueScopes => "scopes",
        Route::Queues { .. } => "queues",
        Route::Bunkers => "bunkers",
        Route::Model { .. } => "model",
        Route::PassThrough { .. } => "pass",
        Route::Inference(Inference::Chat) => "chat",
        Route::Inference(Inference::Generate) => "generate",
        Route::Inference(Inference::Embed) => "embed",
        Route::Inference(Inference::ImagesGenerate) => "images",
        Route::CoreInvoke { .. } => "invoke",
        Route::CheckpointResolve { .. } => "resolve",
    }
}

#[test]
fn n_114_every_target_of_the_corpus_is_what_it_says_or_refused() {
    let corpus = corpus();
    assert!(corpus.len() >= 150, "{}", corpus.len());
    for case in corpus {
        let parsed = UpstreamPath::parse(&case.method, &case.target);
        let (verdict, upstream) = match &parsed {
            Ok(path) => (name(path.route()), Some(path.path_and_query())),
            Err(error) => (error.as_str(), None),
        };
        let shown = format!("{} {:?}", case.method, case.target);
        assert_eq!(
            (verdict, upstream),
            (case.verdict, case.upstream),
            "{shown}"
        );
    }
}

#[test]
fn n_114_every_reader_sees_what_was_decided() {
    let mut seen = 0;
    for case in corpus() {
        if let Ok(path) = UpstreamPath::parse(&case.method, &case.target) {
            readers::agree(&path);
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn n_119_each_address_takes_one_method_and_says_which() {
    for case in corpus() {
        let Ok(path) = UpstreamPath::parse(&case.method, &case.target) else {
            continue;
        };
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let parsed = UpstreamPath::parse(&method, &case.target);
            if method == *path.route().method() {
                assert_eq!(parsed.as_ref(), Ok(&path), "{method} {}", case.target);
            } else {
                let allow = path.route().method().as_str();
                let expected = format!("this address takes {allow} only");
                assert_eq!(parsed.unwrap_err().to_string(), expected, "{method}");
            }
        }
    }
}

#[test]
fn n_115_no_query_changes_the_route() {
    for query in [
        "/v1/scaigrid/auth",
        "/../../auth/me",
        "?",
        "path=/v1/auth",
        "_method=DELETE",
    ] {
        let target = format!("/v1/scaigrid/models?{query}");
        let path = UpstreamPath::parse(&Method::GET, &target).unwrap();
        assert_eq!(path.route(), &Route::Models, "{query}");
        assert_eq!(path.path_and_query(), format!("/v1/models?{query}"));
    }
}

#[test]
fn n_114_what_is_refused_is_not_repeated() {
    for case in corpus() {
        if let Err(error) = UpstreamPath::parse(&case.method, &case.target) {
            let shown = format!("{error} {error:?} {}", error.as_str());
            assert!(shown.is_ascii() && shown.len() < 160, "{shown}");
            assert!(
                !shown.contains("evil") && !shown.contains("sgk_0"),
                "{shown}"
            );
        }
    }
    let path = UpstreamPath::parse(&Method::GET, "/v1/scaigrid/models?q=canary").unwrap();
    assert!(!format!("{path:?}").contains("canary"));
}

#[test]
fn writing_and_falling_back_are_for_few() {
    let table = [
        ("GET", "/v1/scaigrid/models", true, "scaicore:view"),
        ("GET", "/v1/scaiqueue/scopes", true, "scaicore:view"),
        (
            "GET",
            "/v1/scaiqueue/scopes/s/queues",
            true,
            "scaicore:view",
        ),
        ("GET", "/v1/scaibunker/bunkers", true, "scaicore:view"),
        ("GET", "/v1/scaibunker/bunkers/b", false, "scaicore:view"),
        ("GET", "/v1/scaigrid/models/m", false, "scaicore:view"),
        ("GET", "/v1/scaicore/events", false, "scaicore:view"),
        (
            "POST",
            "/v1/scaigrid/inference/chat",
            false,
            "scaicore:manage",
        ),
        (
            "POST",
            "/v1/scaicore/cores/c/invoke",
            false,
            "scaicore:manage",
        ),
        (
            "POST",
            "/v1/scaicore/checkpoints/c/resolve",
            false,
            "scaicore:manage",
        ),
    ];
    for (method, target, falls_back, permission) in table {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let path = UpstreamPath::parse(&method, target).unwrap();
        let route = path.route();
        assert_eq!(route.falls_back_to_key(), falls_back, "{target}");
        assert_eq!(route.is_lookup(), falls_back, "{target}");
        assert_eq!(route.permission().as_str(), permission, "{target}");
        assert_eq!(route.is_read(), method == Method::GET, "{target}");
    }
}

#[test]
fn a_query_is_shown_by_its_length() {
    let target = "/v1/scaiqueue/queues?cursor=canary";
    let path = UpstreamPath::parse(&Method::GET, target).unwrap();
    assert_eq!(format!("{:?}", path.query()), "Query(13 bytes)");
}
