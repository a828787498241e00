//! Every code of the list of failures is produced by some end-to-end test.

use scaigate_e2e::seen;
use scaigate_problem::Code;

/// Codes that no test produces, and why. One that a test has produced fails: take it out then.
const NOT_SEEN: &[(Code, &str)] = &[
    (Code::ModelRateLimited, "no test makes ScaiGrid say so yet"),
    (
        Code::ScaigridModuleNotEnabled,
        "no test makes ScaiGrid say so yet",
    ),
    (
        Code::ScaigridQuotaExceeded,
        "no test makes ScaiGrid say so yet",
    ),
    (
        Code::InvalidScope,
        "no test makes ScaiKey refuse an exchange so yet",
    ),
    (
        Code::InvalidTarget,
        "no test makes ScaiKey refuse an exchange so yet",
    ),
    (Code::FlowVersionNotFound, "no test asks for one yet"),
    (Code::LimitReached, "no test gives that many rights yet"),
    (
        Code::RefreshBusy,
        "no test keeps a refresh under way that long yet",
    ),
    (Code::Internal, "nothing that a test can do fails so"),
];

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
