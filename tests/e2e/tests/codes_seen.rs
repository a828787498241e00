//! Every code of the list of failures is produced by some end-to-end test.

use scaigate_e2e::seen;
use scaigate_problem::Code;

/// Codes that no test can produce, and why.
const NOT_SEEN: &[(Code, &str)] = &[];

#[test]
#[ignore = "needs what the other suites have seen: `cargo xtask test` runs it last"]
fn every_code_was_seen() {
    let folder = seen::folder();
    let is_seen = |code: &&Code| folder.join(code.as_str()).exists();
    let (seen, not_seen): (Vec<Code>, Vec<Code>) = Code::ALL.iter().partition(is_seen);
    let is_listed = |code: &Code| NOT_SEEN.iter().any(|(other, _)| other == code);
    let missing: Vec<_> = not_seen.iter().filter(|code| !is_listed(code)).collect();
    assert!(
        missing.is_empty(),
        "no end-to-end test produces {missing:?}"
    );
    let stale: Vec<_> = seen.iter().filter(|code| is_listed(code)).collect();
    assert!(stale.is_empty(), "take out of NOT_SEEN: {stale:?}");
}
