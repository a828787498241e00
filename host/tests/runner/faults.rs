//! Failures on demand.

use std::time::Duration;

use http::StatusCode;
use scaigate_host::{Effect, Host, HostClock, HostOptions, Target, When};

use crate::client::{ok, probe};
use crate::setup::{MANIFEST, options, start};
use crate::upstream::Upstream;

async fn refused(host: &Host, target: &str, body: &str) -> String {
    let answer = probe(host, target, body).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn every_database_call_can_be_refused_in_turn() {
    let options = options(MANIFEST);
    let faults = options.faults.clone();
    let host = start(options).await;
    let statements = "CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES (1)";
    ok(&host, "sql", statements).await;
    // Opening, and two statements.
    let calls = faults.count(&Target::sqlite());
    assert_eq!(calls, 3);
    assert_eq!(faults.calls()[1].detail, "CREATE TABLE IF NOT EXISTS t (a)");
    for nth in 1..=calls {
        let rule = faults.set(Target::sqlite(), When::Nth(nth), Effect::Refuse);
        let message = refused(&host, "sql", statements).await;
        assert!(message.contains("injected fault"), "{message}");
        faults.remove(rule);
    }
    assert_eq!(ok(&host, "sql", "SELECT count(*) FROM t").await, "1");
}

#[tokio::test]
async fn a_lost_answer_is_a_failure_of_something_done() {
    let options = options(MANIFEST);
    let faults = options.faults.clone();
    let host = start(options).await;
    ok(&host, "sql", "CREATE TABLE t (a)").await;
    faults.set(Target::sqlite(), When::Nth(2), Effect::LoseAnswer);
    faults.set(Target::key_value(), When::Nth(1), Effect::LoseAnswer);
    refused(&host, "sql", "INSERT INTO t VALUES (1)").await;
    refused(&host, "kv-set?a", "one").await;
    faults.clear();
    assert_eq!(ok(&host, "sql", "SELECT count(*) FROM t").await, "1");
    assert_eq!(ok(&host, "kv-get?a", "").await, "one");
}

#[tokio::test]
async fn stores_and_variables_are_refused_as_long_as_a_rule_says() {
    let options = options(MANIFEST);
    let faults = options.faults.clone();
    let host = start(options).await;
    faults.set(Target::key_value(), When::First(2), Effect::Refuse);
    refused(&host, "kv-get?a", "").await;
    refused(&host, "kv-keys", "").await;
    ok(&host, "kv-get?a", "").await;
    faults.set(
        Target::Variable("plain".to_owned()),
        When::Always,
        Effect::Refuse,
    );
    refused(&host, "variable?plain", "").await;
    ok(&host, "variable?joined", "").await;
}

async fn with_upstream(upstream: &Upstream) -> (HostOptions, String) {
    let mut options = options(MANIFEST);
    options
        .variables
        .insert("upstream".to_owned(), upstream.url());
    (options, format!("{}/ok", upstream.url()))
}

#[tokio::test]
async fn an_outbound_host_is_refused_or_cut() {
    let upstream = Upstream::start().await;
    let (options, url) = with_upstream(&upstream).await;
    let faults = options.faults.clone();
    let host = start(options).await;
    let target = Target::Outbound("127.0.0.1".to_owned());
    for (effect, message) in [
        (Effect::Refuse, "ConnectionRefused"),
        (Effect::LoseAnswer, "ConnectionTerminated"),
        (Effect::CutBody { after: 4 }, "body: "),
        (Effect::CutBody { after: 0 }, "body: "),
        (Effect::CutBody { after: 1_000 }, "body: "),
    ] {
        let rule = faults.set(target.clone(), When::Always, effect);
        let answer = refused(&host, "send", &url).await;
        assert!(answer.contains(message), "{effect:?} {answer}");
        faults.remove(rule);
    }
    assert_eq!(ok(&host, "send", &url).await, "200 0123456789");
    assert_eq!(faults.count(&target), 6);
}

#[tokio::test]
async fn a_delay_and_a_hang_end_with_the_host_clock() {
    let upstream = Upstream::start().await;
    let (mut options, url) = with_upstream(&upstream).await;
    options.clock = HostClock::settable(0);
    options.clock.freeze();
    let (faults, clock) = (options.faults.clone(), options.clock.clone());
    let host = start(options).await;
    let target = Target::Outbound("127.0.0.1".to_owned());
    let [half, whole] = [30, 60].map(Duration::from_secs);
    for (effect, by, expected) in [
        (Effect::Delay(half), half, "200 0123456789"),
        (Effect::Hang, whole, "ConnectionReadTimeout"),
    ] {
        let rule = faults.set(target.clone(), When::Always, effect);
        let before = faults.count(&target);
        let moving = async {
            while faults.count(&target) == before {
                tokio::task::yield_now().await;
            }
            clock.advance(by);
        };
        let request = probe(&host, "send?60000,60000,60000", &url);
        let (answer, ()) = tokio::join!(request, moving);
        assert!(answer.body.contains(expected), "{effect:?} {}", answer.body);
        faults.remove(rule);
    }
}
