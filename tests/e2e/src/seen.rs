//! Which codes the suites have seen, so that the last step of `cargo xtask test` can tell which none has.

use std::path::{Path, PathBuf};

use scaigate_problem::Code;

use crate::Answer;

/// Where each code that was seen has an empty file. `cargo xtask test` removes it at the beginning.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/scaigate-codes-seen")
}

/// Notes the code of an answer: of a failure, of a redirect that tells an app, of a page for a person.
pub(crate) fn note(answer: &Answer) {
    let text = answer.text();
    let of_page = text
        .split_once("<p>Code ")
        .and_then(|(_, rest)| rest.split(',').next());
    let told = answer.location_parameter("error");
    let names = [answer.code(), told, of_page.unwrap_or_default().to_owned()];
    for code in Code::ALL.iter().map(|code| code.as_str()) {
        if names.iter().any(|name| name == code) {
            let _ = std::fs::create_dir_all(folder());
            std::fs::write(folder().join(code), "").expect("target can be written");
        }
    }
}
