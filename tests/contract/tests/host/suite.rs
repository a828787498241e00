//! The contract suite, one request a case.

use scaigate_host::{Faults, ReuseOptions};
use scaigate_kv::contract::CASES;
use serde_json::{Value, json};

use crate::client::{get, ok};
use crate::setup::{host, reusing};

async fn every_case_passes(reuse: ReuseOptions) {
    let host = host(reuse, Faults::none()).await;
    assert_eq!(
        ok(&host, "/cases").await,
        json!(CASES),
        "the component is out of date"
    );
    let mut failures = Vec::new();
    // One after the other: purging concerns all of a database.
    for (number, case) in CASES.iter().enumerate() {
        let target = format!("/run?case={case}&prefix=host-{number}");
        let (status, answer) = get(&host, &target).await;
        if answer.get("failure") != Some(&Value::Null) {
            failures.push(format!("{case}: {status} {answer}"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[tokio::test]
async fn every_case_passes_in_a_reused_instance() {
    every_case_passes(reusing()).await;
}

#[tokio::test]
async fn every_case_passes_in_an_instance_of_its_own() {
    every_case_passes(ReuseOptions::never()).await;
}
