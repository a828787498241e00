//! The life of instances.

use std::time::Duration;

use http::StatusCode;
use scaigate_host::{Choice, Effect, ReuseOptions, Target, When};

use crate::client::{Raw, get, ok, probe};
use crate::setup::{MANIFEST, options, start};

#[tokio::test]
async fn an_instance_answers_as_many_requests_as_it_may() {
    for (reuse, expected) in [
        (ReuseOptions::default(), ["1", "2", "3"]),
        (ReuseOptions::never(), ["1", "1", "1"]),
        (
            ReuseOptions {
                max_reuse_count: Choice::Exactly(2),
                ..ReuseOptions::default()
            },
            ["1", "2", "1"],
        ),
    ] {
        let mut options = options(MANIFEST);
        options.reuse = ReuseOptions {
            // Not in the way, however slow the machine.
            idle_timeout: Choice::Exactly(Duration::from_secs(3_600)),
            ..reuse
        };
        let host = start(options).await;
        let mut counts = Vec::new();
        for _ in 0..3 {
            counts.push(ok(&host, "count", "").await);
        }
        assert_eq!(counts, expected);
    }
}

#[tokio::test]
async fn work_goes_on_after_the_answer() {
    let host = start(options(MANIFEST)).await;
    assert_eq!(ok(&host, "after?done,1", "").await, "later");
    while ok(&host, "kv-get?done", "").await == "none" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn without_instances_all_is_done_that_goes_on_after_the_answer() {
    let mut options = options(MANIFEST);
    options.reuse = ReuseOptions::never();
    let host = start(options).await;
    ok(&host, "after?done,20", "").await;
    host.without_instances().await;
    assert_eq!(ok(&host, "kv-get?done", "").await, "done");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_a_500() {
    let mut options = options(MANIFEST);
    options.reuse.request_timeout = Some(Choice::Exactly(Duration::from_secs(1)));
    let host = start(options).await;
    // Each in its own instance: the last two keep theirs from doing anything else.
    let (waiting, blocked, computing) = tokio::join!(
        get(&host, "/probe/sleep?3600000"),
        get(&host, "/probe/std-sleep?3600000"),
        get(&host, "/probe/compute?3600000"),
    );
    for answer in [waiting, blocked, computing] {
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
    assert_eq!(ok(&host, "kv-get?a", "").await, "none");
}

#[tokio::test]
async fn killed_instances_leave_their_clients_without_an_answer() {
    let mut options = options(MANIFEST);
    options.reuse.idle_timeout = Choice::Exactly(Duration::from_secs(3_600));
    let faults = options.faults.clone();
    let host = start(options).await;
    ok(&host, "count", "").await;
    ok(&host, "kv-set?a", "before").await;
    faults.set(Target::key_value(), When::Always, Effect::Hang);
    let request = probe(&host, "kv-set?a", "after");
    let kill = async {
        faults.hung().await;
        assert!(faults.is_hanging());
        host.kill_instances();
    };
    let (answer, ()) = tokio::join!(request, kill);
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    // However long they would have idled.
    host.without_instances().await;
    assert!(!faults.is_hanging());
    faults.clear();
    assert_eq!(ok(&host, "kv-get?a", "").await, "before");
    // The one that counted is gone.
    let count: u64 = ok(&host, "count", "").await.parse().expect("a number");
    assert!(count <= 2, "{count}");
}

#[tokio::test]
async fn a_killed_instance_cuts_an_answer_on_its_way() {
    let host = start(options(MANIFEST)).await;
    let mut stream = Raw::send(
        &host,
        "GET /probe/stream?1000,3600000 HTTP/1.1\r\nhost: a.test\r\n\r\n",
    )
    .await;
    stream.read_until("part 0\n").await;
    host.kill_instances();
    let rest = stream.read_to_end().await;
    // Not the chunk that says these were all.
    assert_eq!(rest.trim(), "", "{rest}");
}
