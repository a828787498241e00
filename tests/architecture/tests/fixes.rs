//! What a failure tells its reader to do can be done: settings and addresses in a fix exist. That its
//! commands do is a test of the command.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test: it stops at the first thing that is not as it should be"
)]

use std::collections::BTreeSet;
use std::path::Path;

use scaigate_openapi::find;
use scaigate_problem::Code;
use toml::Table;

/// Names in backticks that are members of an answer.
const MEMBERS: &[&str] = &["request_id", "refresh_after"];

fn settings() -> BTreeSet<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spin.toml");
    let manifest: Table = toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let variables = manifest["variables"].as_table().unwrap();
    variables.keys().cloned().collect()
}

fn is_name(word: &str, letter: fn(&u8) -> bool) -> bool {
    word.contains('_') && word.bytes().all(|byte| letter(&byte) || byte == b'_')
}

#[test]
fn settings_of_fixes_exist() {
    let settings = settings();
    let mut seen = BTreeSet::new();
    for code in Code::ALL {
        let quoted = code.fix().split('`').skip(1).step_by(2);
        let lower = quoted.filter(|word| is_name(word, u8::is_ascii_lowercase));
        let words = code
            .fix()
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let upper = words.filter(|word| is_name(word, u8::is_ascii_uppercase));
        for word in lower.chain(upper).filter(|word| !MEMBERS.contains(word)) {
            let setting = word.to_ascii_lowercase();
            assert!(
                settings.contains(&setting),
                "{}: no setting {word}",
                code.as_str()
            );
            seen.insert(setting);
        }
    }
    assert!(seen.len() > 10, "this test no longer finds settings");
}

#[test]
fn addresses_of_fixes_exist() {
    let mut seen = 0;
    for code in Code::ALL {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let before = format!("{method} /");
            for rest in code.fix().split(before.as_str()).skip(1) {
                let is_end = |c: char| !c.is_ascii_alphanumeric() && !"/_{}-".contains(c);
                let path = format!("/{}", rest.split(is_end).next().unwrap());
                let path = path.trim_end_matches('.');
                seen += 1;
                assert!(
                    find(method, path).is_some(),
                    "{}: no {method} {path}",
                    code.as_str()
                );
            }
        }
    }
    assert!(seen > 20, "this test no longer finds addresses");
}
