//! The reference of findings, made from the list.

use std::fmt::Write as _;

use crate::list::Name;

/// The text of `docs/findings.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "# Findings\n\n\
         Generated from `crates/health/src/list.rs`; a test compares the two. To write it anew:\n\
         `cargo run -p scaigate-health --example findings > docs/findings.md`.\n\n\
         What `GET /v1/health/detailed` and `scaigate doctor` tell that is no failure of a request. Every other finding has\n\
         the code and the fix of the failure that callers get ([errors.md](errors.md)), or those of a sync's warning\n\
         ([directory.md](directory.md)). The severity is the usual one; [health.md](health.md) says where it differs.\n",
    );
    for name in Name::ALL {
        // Writing to a string can't fail.
        let _ = write!(
            text,
            "\n## {}\n\n{}\n\n{}\n\n**Fix:** {}\n",
            name.as_str(),
            name.severity().as_str(),
            name.message(),
            name.fix()
        );
    }
    text
}
