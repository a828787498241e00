//! Forgetting what can't matter any more, a little at a time.

use scaigate_types::{Database, Kv, StoreError, Timestamp};

use crate::directory::{change_log, webhook_delivery};
use crate::{
    exchanged_token, logout_token, pending_login, rate_bucket, redeemed_code, revocation, session,
    upstream_refresh,
};

/// Rows removed of each kind in one go.
const LIMIT: i64 = 500;

/// Removes expired rows and records, a bounded number of each. Called now and then by whoever has
/// answered a request; that it is not called costs space, nothing else.
///
/// # Errors
/// [`StoreError`] of the first store that does not answer.
pub async fn purge(db: &impl Database, kv: &impl Kv, now: Timestamp) -> Result<(), StoreError> {
    pending_login::purge(db, now, LIMIT).await?;
    redeemed_code::purge(db, now, LIMIT).await?;
    logout_token::purge(db, now, LIMIT).await?;
    exchanged_token::purge(db, now, LIMIT).await?;
    upstream_refresh::purge(db, now, LIMIT).await?;
    rate_bucket::purge(db, now, LIMIT).await?;
    change_log::purge(db, now, LIMIT).await?;
    webhook_delivery::purge(db, now, LIMIT).await?;
    for sid in session::revocations_to_forget(db, now, LIMIT).await? {
        revocation::forget(kv, &sid).await?;
        session::revocation_forgotten(db, &sid).await?;
    }
    session::purge(db, now, LIMIT).await
}
