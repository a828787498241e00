//! What a reader is told to do can be done: settings and addresses in a fix, a finding, a warning or any other
//! text of what ships exist. That its commands do is a test of the command.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test: it stops at the first thing that is not as it should be"
)]

use std::collections::BTreeSet;
use std::path::Path;

use scaigate_architecture::prose::{self, Text};
use scaigate_openapi::find;
use toml::Table;

/// Names in backticks that are members of an answer.
const MEMBERS: &[&str] = &["request_id", "refresh_after"];

/// Variables that the command alone reads.
const OF_THE_COMMAND: &[&str] = &["SCAIGATE_TOKEN", "SCAIKEY_ADMIN_TOKEN"];

/// Addresses of ScaiGrid's.
const OF_SCAIGRID: &[&str] = &["/health"];

fn settings() -> BTreeSet<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spin.toml");
    let manifest: Table = toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let variables = manifest["variables"].as_table().unwrap();
    variables.keys().cloned().collect()
}

fn is_name(word: &str, letter: fn(&u8) -> bool) -> bool {
    word.contains('_') && word.bytes().all(|byte| letter(&byte) || byte == b'_')
}

/// Whether somebody is told what to set; the API's description tells of members.
fn is_advice(text: &Text) -> bool {
    !text.file.to_string_lossy().contains("crates/openapi/")
}

#[test]
fn settings_of_fixes_exist() {
    let settings = settings();
    let mut seen = BTreeSet::new();
    for text in prose::texts()
        .unwrap()
        .iter()
        .filter(|text| is_advice(text))
    {
        let quoted = text.words.split('`').skip(1).step_by(2);
        let lower = quoted.filter(|word| is_name(word, u8::is_ascii_lowercase));
        // What stands in braces is put in when the text is shown.
        let fixed = text
            .words
            .split('{')
            .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
        let words =
            fixed.flat_map(|part| part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
        let upper = words.filter(|word| is_name(word, u8::is_ascii_uppercase));
        for word in lower.chain(upper) {
            if MEMBERS.contains(&word) || OF_THE_COMMAND.contains(&word) {
                continue;
            }
            let setting = word.to_ascii_lowercase();
            assert!(settings.contains(&setting), "no setting {word}: {text:?}");
            seen.insert(setting);
        }
    }
    assert!(seen.len() > 15, "this test no longer finds settings");
}

#[test]
fn addresses_of_fixes_exist() {
    let mut seen = 0;
    for text in prose::texts().unwrap() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let before = format!("{method} /");
            for rest in text.words.split(before.as_str()).skip(1) {
                let is_end = |c: char| !c.is_ascii_alphanumeric() && !"/_{}-.".contains(c);
                let path = format!("/{}", rest.split(is_end).next().unwrap());
                let path = path.trim_end_matches('.');
                let is_known = find(method, path).is_some() || OF_SCAIGRID.contains(&path);
                assert!(is_known, "no {method} {path}: {text:?}");
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "this test no longer finds addresses");
}
