//! Noticing that a sync of the directory is due, and that the audit log is to be sealed: whoever has
//! answered a request looks now and then, and tells the components whose work that is.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Uri};
use scaigate_kv::keys;
use scaigate_kv::spin::SpinKv;
use scaigate_types::{Clock, Kv, Limits, Outbound, Timestamp};

use super::after_answer;
use super::ports::{SpinClock, SpinOutbound};

/// Between two looks, of all instances together. A sync is due to the minute.
const EVERY: Duration = Duration::from_secs(60);

/// Where the component that syncs takes the hint. No route of `spin.toml` leads there: only a
/// component that is granted the host can ask.
const SYNC: &str = "http://sync.spin.internal/internal/sync-if-due";

/// Where the component of the audit log takes the hint that a minute has gone by.
const SEAL: &str = "http://audit.spin.internal/internal/seal";

thread_local! {
    static NEXT_LOOK: Cell<Timestamp> = const { Cell::new(Timestamp::from_millis(0)) };
}

/// Whether a look is due by what was noted. A time further ahead than a look ever is, is from before
/// the clock was set back.
fn is_time(noted: Timestamp, now: Timestamp) -> bool {
    noted <= now || noted > now.plus(EVERY)
}

/// Looks, after the answer, whether a sync is due, once a minute. It costs one read of the key-value
/// store then, and a call of the component that syncs, and of the one that seals, if nobody else has made
/// it. What fails is looked at again a minute later.
pub fn notice_due_sync() {
    let now = SpinClock.now();
    if !is_time(NEXT_LOOK.get(), now) {
        return;
    }
    NEXT_LOOK.set(now.plus(EVERY));
    after_answer(async move {
        let noted = SpinKv.get(keys::SYNC_LOOK).await;
        let noted = match &noted {
            Ok(Some(bytes)) => std::str::from_utf8(bytes)
                .ok()
                .and_then(|text| text.parse().ok())
                .map_or(Timestamp::from_millis(0), Timestamp::from_millis),
            Ok(None) => Timestamp::from_millis(0),
            Err(_) => return,
        };
        if !is_time(noted, now) {
            return;
        }
        let next = now.plus(EVERY).millis().to_string();
        if SpinKv.set(keys::SYNC_LOOK, next.as_bytes()).await.is_ok() {
            // A loop: the call is in the component's code once.
            for address in [SYNC, SEAL] {
                ask(address).await;
            }
        }
    });
}

/// Tells the component that syncs that one may be due. It answers at once and goes on by itself; an
/// answer that does not come costs nothing.
pub async fn ask_for_sync() {
    ask(SYNC).await;
}

async fn ask(address: &'static str) {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static(address);
    let limits = Limits {
        timeout: Duration::from_secs(5),
        max_body: 4096,
    };
    let _ = SpinOutbound.send(request, limits).await;
}
