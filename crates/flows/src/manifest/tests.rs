use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

const MANIFEST: &str = "manifest:\n  name: expense-approval\n  version: 1.0.0\nagents: []\n";

fn read(text: &str) -> Result<Manifest, ManifestError> {
    Manifest::read(text.to_owned())
}

#[test]
fn a_mapping_with_manifest_or_core_is_one_and_stays_as_it_is() {
    for text in [
        MANIFEST,
        "core:\n  name: x\n",
        "---\nmanifest: {name: x}\n...\n",
        "# comment\n\"manifest\":\n  a: &a [1, 2]\nother: *a\n",
        "{\"manifest\": {\"name\": \"x\"}}",
        "manifest:\n  text: |\n    <<: not a merge\n",
    ] {
        let manifest = read(text).unwrap();
        assert_eq!(manifest.text(), text);
        assert!(!manifest.publish_as_model() && manifest.queue().is_none());
    }
}

#[test]
fn anything_else_is_none_and_says_why() {
    let member = |path, expected| ManifestError::Member { path, expected };
    let name = || member("manifest.name", "one line of at most 200 characters, once");
    let flag = |path| member(path, "true or false");
    for (text, expected) in [
        ("", ManifestError::NotOneDocument),
        ("# nothing\n", ManifestError::NotOneDocument),
        ("a text", ManifestError::NotAManifest),
        ("- manifest\n", ManifestError::NotAManifest),
        ("name: x\nnodes: []\n", ManifestError::NotAManifest),
        ("manifest: x\n", ManifestError::NotAManifest),
        ("manifest: [x]\n", ManifestError::NotAManifest),
        ("manifest:\n", ManifestError::NotAManifest),
        ("? {manifest: {}}\n: x\n", ManifestError::NotAManifest),
        (
            "manifest: {}\n---\nmanifest: {}\n",
            ManifestError::NotOneDocument,
        ),
        (
            "manifest: {}\nmanifest: {}\n",
            ManifestError::Duplicate { line: 2 },
        ),
        (
            "manifest:\n  a: 1\n  a: 2\n",
            ManifestError::Duplicate { line: 3 },
        ),
        (
            "manifest: {}\nx:\n - {b: 1, b: 2}\n",
            ManifestError::Duplicate { line: 3 },
        ),
        (
            "manifest: !!python/object/apply:os.system [x]\n",
            ManifestError::Tag { line: 1 },
        ),
        (
            "manifest:\n  x: !custom 1\n",
            ManifestError::Tag { line: 2 },
        ),
        ("a: &a {}\nmanifest: *a\n", ManifestError::Indirect),
        ("a: &a {}\nmanifest:\n  <<: *a\n", ManifestError::Indirect),
        (
            "a: &a true\nmanifest:\n  publish_as_model: *a\n",
            ManifestError::Indirect,
        ),
        ("manifest:\0 {}\n", ManifestError::Control),
        ("manifest: {}\n\0evil", ManifestError::Control),
        ("manifest: {name: a}\ncore: {name: b}\n", name()),
        ("manifest: {name: [a]}\n", name()),
        ("manifest: {name: \"a\\nb\"}\n", name()),
        (
            "manifest:\n  publish_as_model: yes\n",
            flag("manifest.publish_as_model"),
        ),
        (
            "manifest:\n  publish_as_model: \"true\"\n",
            flag("manifest.publish_as_model"),
        ),
        (
            "manifest:\n  publish_as_model: {}\n",
            flag("manifest.publish_as_model"),
        ),
        (
            "manifest:\n  publish_as_model: []\n",
            flag("manifest.publish_as_model"),
        ),
        (
            "core:\n  scaiflow_meta:\n    publish_as_model: 1\n",
            flag("core.scaiflow_meta.publish_as_model"),
        ),
        (
            "manifest:\n  scaiqueue: {scope: support}\n",
            member("manifest.scaiqueue", "a mapping with scope and queue"),
        ),
        (
            "manifest:\n  scaiqueue: [a]\n",
            member("manifest.scaiqueue", "a mapping with scope and queue"),
        ),
        (
            "manifest:\n  scaiqueue: {scope: a/../b, queue: q}\n",
            member("manifest.scaiqueue.scope", "a slug"),
        ),
        (
            "manifest:\n  scaiqueue: {scope: a, queue: \"\"}\n",
            member("manifest.scaiqueue.queue", "a slug"),
        ),
        (
            "manifest:\n  scaiqueue: {scope: a, queue: b, max_retries: -1}\n",
            member(
                "manifest.scaiqueue.max_retries",
                "a whole number up to 1000",
            ),
        ),
    ] {
        assert_eq!(read(text), Err(expected), "{text:?}");
    }
    for text in [
        "manifest: {",
        "manifest:\n\t- x\n",
        "a: b: c",
        "\"",
        "*unknown",
    ] {
        assert!(
            matches!(read(text), Err(ManifestError::Syntax { .. })),
            "{text:?}"
        );
    }
}

#[test]
fn the_flag_and_the_queue_are_read() {
    for (text, expected) in [
        ("manifest: {publish_as_model: true}", true),
        ("manifest: {publish_as_model: false}", false),
        ("core: {scaiflow_meta: {publish_as_model: True}}", true),
        ("core: {scaiflow_meta: ~}", false),
        ("core: {publish_as_model: true}", false),
        ("manifest: {x: {publish_as_model: true}}", false),
        (
            "manifest: {publish_as_model: true}\ncore: {scaiflow_meta: {publish_as_model: true}}",
            true,
        ),
    ] {
        assert_eq!(read(text).unwrap().publish_as_model(), expected, "{text}");
    }
    let both =
        "manifest: {publish_as_model: true}\ncore: {scaiflow_meta: {publish_as_model: false}}";
    assert!(read(both).is_err());
    let text = "manifest:\n  scaiqueue:\n    scope: support\n    queue: review\n    consumer_mode: priority\n    max_retries: 5\n    other: [1]\n";
    let expected = QueueConfig {
        scope: "support".to_owned(),
        queue: "review".to_owned(),
        consumer_mode: Some(ConsumerMode::Priority),
        max_retries: Some(5),
    };
    assert_eq!(read(text).unwrap().queue(), Some(&expected));
    assert_eq!(read("manifest: {scaiqueue: null}").unwrap().queue(), None);
}

#[test]
fn a_flow_of_the_canvas_is_no_manifest() {
    let content = |json: &str| Content::new(serde_json::from_str(json).unwrap()).unwrap();
    for json in [
        r#"{"nodes":[],"edges":[]}"#,
        r#"{"manifest":{}}"#,
        "[]",
        "1",
    ] {
        let refused = Manifest::of_content(&content(json)).unwrap_err();
        assert_eq!(refused, ManifestError::NotText, "{json}");
        let body = compile_error(&refused).body("/", "req_1");
        let message = body["detail"]["errors"][0].as_str().unwrap();
        assert!(message.contains("not part of scaigate"), "{message}");
        assert_eq!(body["detail"]["error"], "compile_error");
    }
    assert!(Manifest::of_content(&content("\"manifest:\\n  name: x\\n\"")).is_ok());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test of how long it takes")]
fn hostile_texts_end_soon() {
    let bomb: String = (0..60)
        .map(|level| format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1))
        .skip(1)
        .collect();
    let half = MAX_BYTES / 2;
    for (name, text) in [
        ("bomb", format!("a0: &a0 x\n{bomb}manifest: {{}}\n")),
        ("flow depth", "[".repeat(half)),
        ("mapping depth", "{a: ".repeat(half / 4)),
        (
            "block depth",
            (0..700).map(|n| format!("{}a:\n", " ".repeat(n))).collect(),
        ),
        ("keys", (0..60_000).map(|n| format!("k{n}: \n")).collect()),
        ("sequence", "- ".repeat(half)),
        ("items", "- a\n".repeat(half / 4)),
        ("quotes", "\"".repeat(half)),
        (
            "escapes",
            format!("manifest: \"{}\"", "\\u0041".repeat(half / 6)),
        ),
        ("comments", "#\n".repeat(half)),
        ("anchors", "&a ".repeat(half / 3)),
        (
            "many anchors",
            (0..30_000).map(|n| format!("- &a{n} x\n")).collect(),
        ),
        ("aliases", format!("- &a x\n{}", "- *a\n".repeat(30_000))),
        ("question marks", "? ".repeat(half)),
        ("colons", ": ".repeat(half)),
        ("commas", format!("[{}", "a,".repeat(half / 2))),
        ("pairs", format!("[{}", "a: b,".repeat(half / 5))),
        (
            "block text",
            format!("manifest: |\n{}", "  x\n".repeat(half / 4)),
        ),
        (
            "folded",
            format!("manifest: >\n{}", "  x\n\n".repeat(half / 5)),
        ),
        ("tags", "!a ".repeat(half / 3)),
        ("directives", "%YAML 1.2\n".repeat(1000)),
        ("spaces", " ".repeat(MAX_BYTES)),
        ("line", format!("manifest: {}", "a ".repeat(half))),
        ("too large", "a".repeat(MAX_BYTES + 1)),
    ] {
        let began = Instant::now();
        let outcome = read(&text);
        let took = began.elapsed();
        assert!(took < Duration::from_secs(5), "{name}: {took:?}");
        if !matches!(name, "bomb") {
            assert!(outcome.is_err(), "{name}");
        }
    }
}

proptest! {
    #[test]
    fn nothing_panics(text in "[-\\[\\]{}:,&*!|>'\"%@`#?~<a-d0-2 \n\t\u{e9}\u{feff}\u{2028}]{0,60}") {
        let _ = read(&text);
        let _ = read(&format!("manifest:\n {text}"));
        let _ = read(&format!("manifest: {{{text}}}"));
    }
}
