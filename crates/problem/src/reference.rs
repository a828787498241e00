//! The error reference, made from the list.

use std::fmt::Write as _;

use crate::Code;

/// The text of `docs/errors.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "# Error reference\n\n\
         Generated from `crates/problem/src/code.rs`; a test compares the two. To write it anew:\n\
         `cargo run -p scaigate-problem --example errors > docs/errors.md`.\n\n\
         Every failure is answered as `application/problem+json` with these members: `type`, `title`,\n\
         `status`, `instance`, `error.{code,message,fix,details,request_id}` and `detail`.\n",
    );
    for code in Code::ALL {
        // Writing to a string can't fail.
        let _ = write!(
            text,
            "\n## {}\n\n{} · {}\n\n{}\n\n**Fix:** {}\n",
            code.as_str(),
            code.status(),
            code.fault().as_str(),
            code.message(),
            code.fix()
        );
    }
    text
}
