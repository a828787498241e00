//! Validating and compiling without saving.

use futures::executor::block_on;
use scaigate_flows::preview::{Format, compile, validate};
use scaigate_flows::{Reader, caller};
use scaigate_signin::{Principal, User};
use serde_json::{Value, json};

use crate::world::{MANIFEST, World, content, user};

/// A canvas of ScaiFlow's: no text.
const CANVAS: &str = r#"{"nodes":[],"edges":[]}"#;

fn reader() -> Reader {
    let bob = User {
        scopes: vec!["scaicore:view".to_owned()],
        ..user("usr_bob", "tnt_acme", None)
    };
    let principal = Principal::User(bob.into());
    block_on(caller::reader(&World::new(), principal)).unwrap()
}

/// What there is to say of content that is no manifest.
fn complaint(json: &str) -> String {
    let answer = validate(&reader(), &content(json));
    assert_eq!(answer["valid"], false, "{json}");
    let diagnostics = answer["diagnostics"].as_array().unwrap();
    assert_eq!(diagnostics.len(), 1, "{json}");
    assert_eq!(diagnostics[0]["severity"], "error");
    for place in ["path", "node_id", "edge_id"] {
        assert_eq!(diagnostics[0][place], Value::Null);
    }
    diagnostics[0]["message"].as_str().unwrap().to_owned()
}

#[test]
fn a_manifest_is_valid_and_anything_else_is_told_why_it_is_not() {
    let valid = validate(&reader(), &content(MANIFEST));
    assert_eq!(valid, json!({ "valid": true, "diagnostics": [] }));
    for (json, says) in [
        (CANVAS, "the content is not the text of a YAML manifest"),
        ("null", "the content is not the text of a YAML manifest"),
        (r#""a: [1""#, "the text is not YAML: line 2"),
        (r#""name: expense""#, "the YAML is not a manifest"),
        (
            r#""manifest:\n  name: a\nmanifest:\n  name: b\n""#,
            "a member appears twice",
        ),
    ] {
        let said = complaint(json);
        assert!(said.contains(says), "{json}: {said}");
    }
}

#[test]
fn a_manifest_is_its_own_compilation_to_yaml_and_nothing_else_is_compiled() {
    let text = serde_json::from_str::<String>(MANIFEST).unwrap();
    for (json, format, body, error) in [
        (MANIFEST, Format::Yaml, Some(&text), None),
        (MANIFEST, Format::Ir, None, Some("yaml only")),
        (MANIFEST, Format::Scai, None, Some("yaml only")),
        (CANVAS, Format::Yaml, None, Some("the flow compiler")),
        // What is wrong with the content comes first, whatever it was to become.
        (CANVAS, Format::Ir, None, Some("not the text of a YAML")),
    ] {
        let answer = compile(&reader(), &content(json), format);
        assert_eq!(answer["format"], format.as_str());
        assert_eq!(answer["body"].as_str(), body.map(String::as_str), "{json}");
        let errors = answer["errors"].as_array().unwrap();
        assert_eq!(errors.len(), usize::from(error.is_some()), "{json}");
        if let Some(error) = error {
            let said = errors[0].as_str().unwrap();
            assert!(said.contains(error), "{json} {format:?}: {said}");
        }
    }
}

#[test]
fn a_format_is_one_of_three_names_to_the_byte() {
    for (name, format) in [
        ("yaml", Some(Format::Yaml)),
        ("ir", Some(Format::Ir)),
        ("scai", Some(Format::Scai)),
        ("YAML", None),
        ("yaml ", None),
        ("json", None),
        ("", None),
    ] {
        assert_eq!(Format::parse(name), format, "{name:?}");
    }
}
