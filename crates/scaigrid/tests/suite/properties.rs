//! Whatever is received: refused, or sent as it was decided.

use http::Method;
use proptest::prelude::*;
use proptest::test_runner::Config;
use scaigate_scaigrid::UpstreamPath;
use scaigate_scaigrid::path::Route;

use crate::{paths, readers};

fn configuration() -> Config {
    Config {
        cases: 2048,
        failure_persistence: None,
        ..Config::default()
    }
}

/// Pieces that guards and routers have disagreed about, and pieces of our own addresses.
fn piece() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(vec![
        "/",
        "/",
        "/",
        "//",
        ".",
        "..",
        "%2e",
        "%2E",
        "%2f",
        "%5c",
        "%00",
        "%25",
        "%252e",
        "%c0%ae",
        ";",
        ";a=b",
        "\\",
        "#",
        "?",
        "&",
        "=",
        "%",
        "%3a",
        "%40",
        " ",
        "\t",
        "é",
        "v1",
        "models",
        "scopes",
        "queues",
        "bunkers",
        "scaiqueue",
        "scaigrid",
        "scaibunker",
        "scaicore",
        "auth",
        "api-keys",
        "inference",
        "chat",
        "cores",
        "invoke",
        "sc_1",
        "a:b",
        "token",
        "%61",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => ".{0,3}", 1 => "[ -~]{0,6}"]
}

/// A target that begins as ours do, more often than not.
fn target() -> impl Strategy<Value = String> {
    let beginning = proptest::sample::select(vec![
        "/v1/scaigrid/",
        "/v1/scaiqueue/",
        "/v1/scaibunker/",
        "/v1/scaicore/",
        "/v1/scaigrid/models/",
        "/v1/scaiqueue/scopes/",
        "/v1/",
        "/",
        "",
    ]);
    (beginning, proptest::collection::vec(piece(), 0..12))
        .prop_map(|(beginning, pieces)| format!("{beginning}{}", pieces.concat()))
}

fn method() -> impl Strategy<Value = Method> {
    proptest::sample::select(vec![Method::GET, Method::POST, Method::HEAD])
}

/// Segments that are let through, in every spelling they may have.
fn segment() -> impl Strategy<Value = String> {
    let reserved = proptest::sample::select(vec![
        "!", "$", "&", "'", "(", ")", "*", "+", ",", "=", ":", "@", "%21", "%24", "%26", "%27",
        "%28", "%29", "%2a", "%2B", "%2c", "%3D", "%3A", "%40",
    ]);
    let piece = prop_oneof![3 => "[A-Za-z0-9_~.-]{1,5}", 1 => reserved.prop_map(str::to_owned)];
    proptest::collection::vec(piece, 1..5)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("no dots alone", |text| {
            text.bytes().any(|byte| byte != b'.')
        })
}

proptest! {
    #![proptest_config(configuration())]

    #[test]
    fn n_114_hostile_targets_are_refused_or_read_alike_by_everybody(
        method in method(),
        target in target(),
    ) {
        if let Ok(path) = UpstreamPath::parse(&method, &target) {
            readers::agree(&path);
            prop_assert_eq!(path.route().method(), &method);
        }
    }

    #[test]
    fn n_114_a_changed_target_of_the_corpus_is_refused_or_read_alike_by_everybody(
        which in any::<proptest::sample::Index>(),
        at in any::<proptest::sample::Index>(),
        piece in piece(),
    ) {
        let corpus = paths::corpus();
        let case = which.get(&corpus);
        let places: Vec<usize> = (0..=case.target.len())
            .filter(|place| case.target.is_char_boundary(*place))
            .collect();
        let mut target = case.target.clone();
        target.insert_str(*at.get(&places), &piece);
        if let Ok(path) = UpstreamPath::parse(&case.method, &target) {
            readers::agree(&path);
        }
    }

    #[test]
    fn harmless_segments_arrive_as_they_were_sent(
        segments in proptest::collection::vec(segment(), 1..8),
        query in "[a-z]{1,5}=[A-Za-z0-9/?:@!$'()*+,._~-]{0,20}",
    ) {
        prop_assume!(!["token", "auth", "jwt"].iter().any(|name| query.starts_with(name)));
        let below = segments.join("/");
        for mount in ["scaiqueue", "scaibunker", "scaicore"] {
            let target = format!("/v1/{mount}/x/{below}?{query}");
            let path = UpstreamPath::parse(&Method::GET, &target).unwrap();
            prop_assert_eq!(
                path.path_and_query(),
                format!("/v1/modules/{mount}/x/{below}?{query}")
            );
            readers::agree(&path);
        }
    }

    #[test]
    fn what_was_sent_parses_to_the_same_route_again(
        segments in proptest::collection::vec(segment(), 1..8),
    ) {
        let target = format!("/v1/scaigrid/models/{}", segments.join("/"));
        let path = UpstreamPath::parse(&Method::GET, &target).unwrap();
        let Route::Model { slug } = path.route() else {
            panic!("{target}");
        };
        let texts: Vec<&str> = slug.iter().map(|segment| segment.as_str()).collect();
        prop_assert_eq!(texts, segments.iter().map(String::as_str).collect::<Vec<_>>());
        // ScaiGrid's side is ours again when its encoded slashes are written plainly.
        let again = path.path_and_query().replace("%2F", "/");
        let again = again.replacen("/v1/", "/v1/scaigrid/", 1);
        prop_assert_eq!(UpstreamPath::parse(&Method::GET, &again), Ok(path));
    }
}
