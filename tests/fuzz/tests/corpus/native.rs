//! On the machine, with its overflow checks.

use std::panic::{AssertUnwindSafe, catch_unwind};

use scaigate_fuzz::{TARGETS, mutations};

use crate::{MANIFEST, corpus};

/// Inputs made of each of the corpus.
const MUTATIONS: u32 = 200;

#[test]
fn every_target_takes_its_corpus_and_what_is_made_of_it() {
    for (name, target) in TARGETS.iter().chain(&[MANIFEST]) {
        for (file, input) in corpus(name) {
            for tried in std::iter::once(input.clone()).chain(mutations(&input, MUTATIONS)) {
                let outcome = catch_unwind(AssertUnwindSafe(|| target(&tried)));
                let shown = tried.escape_ascii();
                assert!(outcome.is_ok(), "{name}, made of {file}: {shown}");
            }
        }
    }
}
