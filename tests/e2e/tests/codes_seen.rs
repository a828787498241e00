//! Every code of the list of failures is produced by some end-to-end test.

use scaigate_e2e::seen;
use scaigate_problem::Code;

#[test]
#[ignore = "needs what the other suites have seen: `cargo xtask test` runs it last"]
fn every_code_was_seen() {
    let folder = seen::folder();
    let missing: Vec<&Code> = Code::ALL
        .iter()
        .filter(|code| !folder.join(code.as_str()).exists())
        .collect();
    assert!(
        missing.is_empty(),
        "no end-to-end test produces {missing:?}"
    );
}
