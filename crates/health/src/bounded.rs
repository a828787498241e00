//! A step that may hang, with its time.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use scaigate_types::Clock;

/// What `step` gives, or `None` when `time` passes first. The step is dropped then.
pub async fn within<T>(
    clock: &impl Clock,
    time: Duration,
    step: impl Future<Output = T>,
) -> Option<T> {
    match select(pin!(step), pin!(clock.sleep(time))).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(((), _)) => None,
    }
}
