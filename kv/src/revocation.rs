//! The revocation index: one record per ended or narrowed session, and one per subject of ScaiKey
//! that was signed out there.
//!
//! A token is checked without a database; these records are what makes it end at once instead of
//! when it expires. One is written before the row it is about, so a failure in between ends the
//! session for callers already, and asking again repairs the rest.
//!
//! A record only ever revokes more. Key-value has no atomic operation: where a record depends on the
//! one before it ([`narrow`], [`revoke_subject`]), the caller holds the database's write transaction,
//! which lets one go after the other; so does whoever calls [`revoke`] for a session that is not
//! ended in the database yet.

use scaigate_types::{Kv, SessionId, StoreError, Timestamp};

use crate::keys;

/// What of a session is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// Everything.
    Ended,
    /// The session tokens of this generation and those before it: their rights are not what they
    /// say any more, and a refresh gets new ones.
    Narrowed {
        /// The last generation that is revoked.
        generation: u32,
    },
}

/// Marks the session as revoked.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the caller must not report success then.
pub async fn revoke(kv: &impl Kv, sid: &SessionId, now: Timestamp) -> Result<(), StoreError> {
    let record = format!("ended:{}", now.millis());
    kv.set(&keys::revocation(sid), record.as_bytes()).await
}

/// Revokes the session's tokens up to `generation`. What is revoked already stays so.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the caller must not report success then.
pub async fn narrow(
    kv: &impl Kv,
    sid: &SessionId,
    generation: u32,
    now: Timestamp,
) -> Result<(), StoreError> {
    match read(kv, sid).await? {
        Some(Revocation::Ended) => return Ok(()),
        Some(Revocation::Narrowed { generation: known }) if known >= generation => return Ok(()),
        Some(Revocation::Narrowed { .. }) | None => {}
    }
    let record = format!("narrowed:{generation}:{}", now.millis());
    kv.set(&keys::revocation(sid), record.as_bytes()).await
}

/// What of the session is revoked; `None` for nothing. A record that can't be read, or of an older
/// form, is [`Revocation::Ended`].
///
/// # Errors
/// [`StoreError`] when the store does not answer, which is never "not revoked".
pub async fn read(kv: &impl Kv, sid: &SessionId) -> Result<Option<Revocation>, StoreError> {
    let record = kv.get(&keys::revocation(sid)).await?;
    Ok(record.map(|record| narrowed(&record).unwrap_or(Revocation::Ended)))
}

/// Reads `narrowed:<generation>:<milliseconds>`.
fn narrowed(record: &[u8]) -> Option<Revocation> {
    let rest = std::str::from_utf8(record)
        .ok()?
        .strip_prefix("narrowed:")?;
    let (generation, millis) = rest.split_once(':')?;
    number(millis)?;
    let generation = u32::try_from(number(generation)?).ok()?;
    Some(Revocation::Narrowed { generation })
}

/// A decimal number of digits alone; `parse` would take a sign.
fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// Forgets a revocation whose session tokens have all expired.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn forget(kv: &impl Kv, sid: &SessionId) -> Result<(), StoreError> {
    kv.delete(&keys::revocation(sid)).await
}

/// Revokes ScaiKey's tokens for a subject that were issued at `before` or earlier. A later time that
/// is known already is kept. `subject_digest` is a digest of the issuer and the subject.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the caller must not report success then.
pub async fn revoke_subject(
    kv: &impl Kv,
    subject_digest: &str,
    before: Timestamp,
) -> Result<(), StoreError> {
    if subject_revoked_before(kv, subject_digest).await? >= Some(before) {
        return Ok(());
    }
    let record = before.millis().to_string();
    kv.set(&keys::subject_revocation(subject_digest), record.as_bytes())
        .await
}

/// Until when ScaiKey's tokens for a subject are revoked, by the time they were issued; `None` when
/// none is. A record that can't be read revokes all of them ([`Timestamp::MAX`]).
///
/// # Errors
/// [`StoreError`] when the store does not answer, which is never "not revoked".
pub async fn subject_revoked_before(
    kv: &impl Kv,
    subject_digest: &str,
) -> Result<Option<Timestamp>, StoreError> {
    let record = kv.get(&keys::subject_revocation(subject_digest)).await?;
    Ok(record.map(|record| {
        let millis = std::str::from_utf8(&record).ok().and_then(number);
        millis.map_or(Timestamp::MAX, Timestamp::from_millis)
    }))
}
