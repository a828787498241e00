//! The settable clock, seen from inside.

use std::time::Duration;

use scaigate_host::HostClock;

use crate::client::{ok, probe};
use crate::setup::{MANIFEST, options, start};
use crate::upstream::Upstream;

const NOON: u64 = 1_800_000_000;
const HOUR: Duration = Duration::from_secs(3_600);

/// Moves the clock forward until `work` is done.
async fn advancing<T>(clock: &HostClock, step: Duration, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            output = &mut work => return output,
            () = tokio::task::yield_now() => clock.advance(step),
        }
    }
}

#[tokio::test]
async fn components_see_the_time_that_is_set() {
    let mut options = options(MANIFEST);
    options.clock = HostClock::settable(NOON);
    let clock = options.clock.clone();
    clock.freeze();
    let host = start(options).await;
    assert_eq!(ok(&host, "wall", "").await, NOON.to_string());
    clock.advance(HOUR);
    assert_eq!(ok(&host, "wall", "").await, (NOON + 3_600).to_string());
    clock.set_wall(7);
    assert_eq!(ok(&host, "wall", "").await, "7");
}

#[tokio::test]
async fn sleeping_components_wake_when_the_clock_is_moved() {
    let mut options = options(MANIFEST);
    options.clock = HostClock::settable(NOON);
    let clock = options.clock.clone();
    let host = start(options).await;
    // Waits of WASI 0.3, and of 0.2 through the standard library.
    for operation in ["sleep?3600000", "std-sleep?3600000"] {
        let answer = advancing(&clock, HOUR, ok(&host, operation, "")).await;
        assert_eq!(answer, "slept", "{operation}");
    }
}

#[tokio::test]
async fn outbound_time_outs_follow_the_clock() {
    let upstream = Upstream::start().await;
    let mut options = options(MANIFEST);
    options.clock = HostClock::settable(NOON);
    options
        .variables
        .insert("upstream".to_owned(), upstream.url());
    let clock = options.clock.clone();
    clock.freeze();
    let host = start(options).await;
    // Longer than the test can move the clock.
    let never = "1000000000000";
    for (path, limits) in [
        ("/slow", format!("{never},60000,{never}")),
        ("/stalls", format!("{never},{never},60000")),
        // Spin's ten minutes.
        ("/slow", String::new()),
    ] {
        let url = format!("{}{path}", upstream.url());
        let target = format!("send?{limits}");
        let request = probe(&host, &target, &url);
        // From when the request is there: connecting takes real time.
        let moving = async {
            upstream.arrived.notified().await;
            loop {
                clock.advance(Duration::from_secs(61));
                tokio::task::yield_now().await;
            }
        };
        let answer = tokio::select! {
            answer = request => answer,
            () = moving => return,
        };
        let message = answer.body;
        assert!(
            message.contains("ConnectionReadTimeout"),
            "{path} {message}"
        );
    }
}
