//! What arrived at the webhook and what became of it.

use std::time::Duration;

use scaigate_types::{Database, Query, StoreError, Timestamp, Value};

/// How long deliveries are remembered. As long, a repeated one is known as such.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It changed the mirror, or asked for a sync.
    Applied,
    /// It concerns nothing that is mirrored.
    Ignored,
    /// Something younger was known already.
    Stale,
}

impl Outcome {
    /// The word stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Ignored => "ignored",
            Self::Stale => "stale",
        }
    }
}

/// An event as it is recorded.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// ScaiKey's identifier of the event.
    pub event_id: &'a str,
    /// Its type.
    pub event_type: &'a str,
    /// The tenant it concerns, if it names one.
    pub tenant_id: Option<&'a str>,
    /// A digest of the body.
    pub body_digest: &'a str,
}

/// Whether an event has been here before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// No: it is this caller's, in this transaction.
    New,
    /// Yes, the same.
    Duplicate,
    /// Yes, with another body.
    Conflict,
}

/// Claims an event within the transaction of its effect, and records it with `outcome`. The statement
/// that records is the one that asks.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn claim(
    tx: &impl Query,
    delivery: Delivery<'_>,
    outcome: Outcome,
    now: Timestamp,
) -> Result<Claim, StoreError> {
    let rows = tx
        .query(
            "INSERT INTO webhook_delivery (received_at, event_id, event_type, tenant_id, body_digest,
                                           outcome)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (event_id) WHERE outcome IN ('applied', 'ignored', 'stale') DO NOTHING
             RETURNING 1",
            &[
                now.into(),
                delivery.event_id.into(),
                delivery.event_type.into(),
                delivery.tenant_id.into(),
                delivery.body_digest.into(),
                outcome.as_str().into(),
            ],
        )
        .await?;
    if !rows.is_empty() {
        return Ok(Claim::New);
    }
    let rows = tx
        .query(
            "SELECT body_digest IS ?2 FROM webhook_delivery
              WHERE event_id = ?1 AND outcome IN ('applied', 'ignored', 'stale')",
            &[delivery.event_id.into(), delivery.body_digest.into()],
        )
        .await?;
    let is_same = rows.first().ok_or(StoreError::Corrupt)?.integer(0)? != 0;
    Ok(if is_same {
        Claim::Duplicate
    } else {
        Claim::Conflict
    })
}

/// Notes that a claimed event turned out to be older than what is known.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn set_outcome(
    tx: &impl Query,
    event_id: &str,
    outcome: Outcome,
) -> Result<(), StoreError> {
    tx.query(
        "UPDATE webhook_delivery SET outcome = ?2
          WHERE event_id = ?1 AND outcome IN ('applied', 'ignored', 'stale')",
        &[event_id.into(), outcome.as_str().into()],
    )
    .await?;
    Ok(())
}

/// Records a repeated event. The first repetition makes a row; the others count it up.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn repeated(
    on: &impl Query,
    delivery: Delivery<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let parameters: [Value; 4] = [
        now.into(),
        delivery.event_id.into(),
        delivery.event_type.into(),
        delivery.tenant_id.into(),
    ];
    on.query(
        "INSERT INTO webhook_delivery (received_at, event_id, event_type, tenant_id, outcome)
         VALUES (?1, ?2, ?3, ?4, 'duplicate')
         ON CONFLICT (event_id) WHERE outcome = 'duplicate' DO UPDATE SET
           count = count + 1, received_at = max(received_at, excluded.received_at)",
        &parameters,
    )
    .await?;
    Ok(())
}

/// Records that `count` deliveries were refused with `code`. Nothing of them is kept: nobody has
/// proved to have sent them.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn refused(
    on: &impl Query,
    code: &str,
    count: u32,
    now: Timestamp,
) -> Result<(), StoreError> {
    on.query(
        "INSERT INTO webhook_delivery (received_at, outcome, code, count)
         VALUES (?1, 'refused', ?2, ?3)",
        &[now.into(), code.into(), i64::from(count).into()],
    )
    .await?;
    Ok(())
}

/// A page of deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The deliveries, the latest first, as a JSON array.
    pub rows: String,
    /// How many there are in all.
    pub total: i64,
    /// When an event was last received that held.
    pub last_received_at: Option<Timestamp>,
    /// When one was last refused.
    pub last_refused_at: Option<Timestamp>,
}

/// Deliveries, of one outcome or all.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn list(
    on: &impl Query,
    outcome: Option<&str>,
    page: u32,
    per_page: u32,
) -> Result<Listed, StoreError> {
    let before = i64::from(page.saturating_sub(1));
    let offset = before.saturating_mul(i64::from(per_page));
    let rows = on
        .query(
            "SELECT json_group_array(json(row)),
                    (SELECT count(*) FROM webhook_delivery WHERE ?1 IS NULL OR outcome = ?1),
                    (SELECT received_at FROM webhook_delivery WHERE outcome <> 'refused'
                      ORDER BY received_at DESC LIMIT 1),
                    (SELECT received_at FROM webhook_delivery WHERE outcome = 'refused'
                      ORDER BY received_at DESC LIMIT 1)
               FROM (
               SELECT json_object(
                   'received_at', strftime('%Y-%m-%dT%H:%M:%SZ', received_at / 1000, 'unixepoch'),
                   'event_id', event_id, 'event_type', event_type, 'tenant_id', tenant_id,
                   'outcome', outcome, 'code', code, 'count', count) AS row
                 FROM webhook_delivery WHERE ?1 IS NULL OR outcome = ?1
                ORDER BY received_at DESC, delivery_id DESC LIMIT ?2 OFFSET ?3)",
            &[outcome.into(), i64::from(per_page).into(), offset.into()],
        )
        .await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    Ok(Listed {
        rows: row.text(0)?.to_owned(),
        total: row.integer(1)?,
        last_received_at: row.optional_time(2)?,
        last_refused_at: row.optional_time(3)?,
    })
}

/// Forgets old deliveries, at most `limit`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn purge(db: &impl Database, now: Timestamp, limit: i64) -> Result<(), StoreError> {
    db.query(
        "DELETE FROM webhook_delivery WHERE delivery_id IN (
           SELECT delivery_id FROM webhook_delivery WHERE received_at < ?1 LIMIT ?2)",
        &[now.minus(KEPT).into(), limit.into()],
    )
    .await?;
    Ok(())
}
