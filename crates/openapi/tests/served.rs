//! What is made of the description, against what is checked in and served.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test: it stops at the first thing that is not as it should be"
)]

use std::collections::BTreeSet;
use std::path::Path;

use scaigate_problem::Code;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../components/api/served")
}

/// `SCAIGATE_UPDATE=1` writes the files instead.
#[test]
fn what_is_served_is_what_is_described() {
    for (name, made) in scaigate_openapi::served() {
        let file = folder().join(name);
        if std::env::var_os("SCAIGATE_UPDATE").is_some() {
            std::fs::write(&file, &made).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            kept == made,
            "components/api/served/{name} is stale: SCAIGATE_UPDATE=1 cargo test -p scaigate-openapi"
        );
    }
}

#[test]
fn operations_are_there_once() {
    let mut ids = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for operation in scaigate_openapi::operations() {
        assert!(ids.insert(operation.id), "{} twice", operation.id);
        let address = (operation.path, operation.method);
        assert!(addresses.insert(address), "{address:?} twice");
        assert!(!operation.answers.is_empty() || !operation.codes.is_empty());
    }
}

/// Codes that no operation answers, and why. One that has come true fails: take it out then.
const OF_NO_OPERATION: &[(Code, &str)] = &[
    (
        Code::MethodNotAllowed,
        "of requests that no operation is for",
    ),
    (
        Code::PartUnavailable,
        "of the console, whose backend is no API",
    ),
];

#[test]
fn every_code_is_in_the_description() {
    let described: BTreeSet<&str> = scaigate_openapi::operations()
        .iter()
        .flat_map(|operation| operation.codes.iter().map(|code| code.as_str()))
        .collect();
    for code in Code::ALL {
        let is_there = described.contains(code.as_str());
        assert_ne!(
            is_there,
            OF_NO_OPERATION.iter().any(|(other, _)| other == code),
            "{}",
            code.as_str()
        );
    }
    let page = scaigate_openapi::errors();
    for code in Code::ALL {
        assert!(page.contains(&format!("<h2 id=\"{}\">", code.as_str())));
    }
}

#[test]
fn references_lead_somewhere() {
    let document = scaigate_openapi::document();
    let text = document.to_string();
    for piece in text.split("\"$ref\":\"#").skip(1) {
        let pointer = piece.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    let (docs, errors) = (scaigate_openapi::docs(), scaigate_openapi::errors());
    for (page, other, prefix) in [
        (&docs, &errors, "/docs/errors#"),
        (&errors, &docs, "/docs#"),
    ] {
        for (start, target) in [(prefix, other), ("#", page)] {
            for piece in page.split(&format!("href=\"{start}")).skip(1) {
                let id = piece.split('"').next().unwrap();
                assert!(target.contains(&format!("id=\"{id}\"")), "{start}{id}");
            }
        }
    }
    assert!(!docs.contains("<script") && !docs.contains("style=") && !docs.contains("http://"));
}
