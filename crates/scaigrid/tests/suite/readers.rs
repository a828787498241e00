//! Other readers of a path, none of them ours, that must all see what was decided: G9's differential
//! test.

use scaigate_scaigrid::UpstreamPath;
use scaigate_scaigrid::path::{Mount, Route};

/// The segments at ScaiGrid that a route means, written down a second time.
fn meant(route: &Route) -> Vec<String> {
    let texts: Vec<&str> = match route {
        Route::Models => vec!["v1", "models"],
        Route::QueueScopes => vec!["v1", "modules", "scaiqueue", "scopes"],
        Route::Queues { scope_id } => {
            vec![
                "v1",
                "modules",
                "scaiqueue",
                "scopes",
                scope_id.as_str(),
                "queues",
            ]
        }
        Route::Bunkers => vec!["v1", "modules", "scaibunker", "bunkers"],
        Route::Model { slug } => {
            let slug: Vec<&str> = slug.iter().map(|segment| segment.as_str()).collect();
            return vec![
                "v1".to_owned(),
                "models".to_owned(),
                decoded(&slug.join("/")),
            ];
        }
        Route::PassThrough { mount, segments } => {
            let mut texts = match mount {
                Mount::ScaiGrid => vec!["v1"],
                Mount::ScaiQueue => vec!["v1", "modules", "scaiqueue"],
                Mount::ScaiBunker => vec!["v1", "modules", "scaibunker"],
                Mount::ScaiCore => vec!["v1", "modules", "scaicore"],
            };
            texts.extend(segments.iter().map(|segment| segment.as_str()));
            texts
        }
        Route::Inference(call) => {
            let call = format!("{call:?}").to_lowercase();
            let call = call
                .strip_prefix("images")
                .map_or(vec![call.as_str()], |call| vec!["images", call]);
            let mut texts = vec!["v1", "inference"];
            texts.extend(call);
            return texts.into_iter().map(str::to_owned).collect();
        }
        Route::CoreInvoke { core_id } => {
            vec![
                "v1",
                "modules",
                "scaicore",
                "cores",
                core_id.as_str(),
                "invoke",
            ]
        }
        Route::CheckpointResolve { checkpoint_id } => {
            vec![
                "v1",
                "modules",
                "scaicore",
                "checkpoints",
                checkpoint_id.as_str(),
                "resolve",
            ]
        }
    };
    texts.into_iter().map(decoded).collect()
}

/// Percent-decoded once, as a careful server does it.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        let octet = (*byte == b'%')
            .then(|| behind.get(..2))
            .flatten()
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match octet {
            Some(octet) => {
                bytes.push(octet);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*byte);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Decoded until nothing changes, as a chain of servers does it.
fn decoded_throughout(text: &str) -> String {
    let once = decoded(text);
    if once == text {
        once
    } else {
        decoded_throughout(&once)
    }
}

/// What remains of a path whose dots are resolved and whose slashes are merged, either slash.
fn resolved(path: &str) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for segment in path.split(['/', '\\']) {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment.to_owned()),
        }
    }
    kept
}

/// Holds every reading of what would be sent against what was decided.
pub(crate) fn agree(path: &UpstreamPath) {
    let sent = path.path_and_query();
    let meant = meant(path.route());
    let own = sent.split('?').next().unwrap();

    // A careful server: split, then decode once.
    let careful: Vec<String> = own.split('/').skip(1).map(decoded).collect();
    assert_eq!(careful, meant, "{sent}");

    // Careless ones: decode once or throughout, resolve dots, merge slashes, cut parameters.
    let flat: Vec<String> = meant
        .iter()
        .flat_map(|segment| segment.split('/'))
        .map(str::to_owned)
        .collect();
    for careless in [decoded(own), decoded_throughout(own)] {
        assert_eq!(resolved(&careless), flat, "{sent}");
        assert!(
            !careless.contains([';', '#', '?', '\\', '%', '\0']),
            "{sent}"
        );
        assert!(
            careless.bytes().all(|byte| byte.is_ascii_graphic()),
            "{sent}"
        );
    }

    // A browser's parser (WHATWG) and HTTP's own (RFC 3986).
    let address = format!("https://scaigrid.example{sent}");
    let url = url::Url::parse(&address).unwrap();
    assert_eq!(url.host_str(), Some("scaigrid.example"), "{sent}");
    assert_eq!(url.path(), own, "{sent}");
    assert_eq!(url.fragment(), None, "{sent}");
    let uri: http::Uri = address.parse().unwrap();
    assert_eq!(uri.path_and_query().unwrap().as_str(), sent);
    assert_eq!(uri.host(), Some("scaigrid.example"), "{sent}");

    // Where it can only lead.
    let open = ["/v1/models", "/v1/modules", "/v1/inference/"];
    assert!(open.iter().any(|prefix| own.starts_with(prefix)), "{sent}");
}
