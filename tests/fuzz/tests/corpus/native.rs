//! On the machine, with its overflow checks.

use std::panic::{AssertUnwindSafe, catch_unwind};

use scaigate_fuzz::{TARGETS, mutations, token_kinds};

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

#[test]
fn tokens_of_the_corpus_are_of_one_kind_or_of_none() {
    let claims = corpus("claims");
    for (name, kinds) in [
        ("id_token", 1),
        ("access_token", 1),
        ("logout_token", 1),
        ("service_token", 1),
        // Its nonce makes it an ID token, and neither of the others.
        ("all_three", 1),
        ("duplicate_sub", 0),
    ] {
        let input = claims.get(name).expect("an input of the corpus");
        assert_eq!(token_kinds(input), kinds, "{name}");
    }
}
