//! The mirror of ScaiKey's directory: partners, tenants, people, groups and their members.
//!
//! A user of the directory and a person who signs in are one row of `person`; the group and
//! membership tables are the directory's alone. Rows that vanish are kept and marked (`deleted_at`).
//!
//! What is known has ScaiKey's time beside it (`…_at`). An event changes what it names where it is
//! not older than that, nor older than the last sync that covered it ([`State`]); a sync changes
//! what no younger event has changed. So the order in which they arrive does not matter.

pub mod change_log;
pub mod compare;
pub mod event;
pub mod listing;
pub mod role;
pub mod super_admin;
pub mod sync_apply;
pub mod sync_run;
pub mod webhook_delivery;
pub mod why;

use std::fmt;

use scaigate_types::{ClientId, PersonId, Query, Row, SessionId, StoreError, Timestamp};

/// By what a row was changed: what the change log shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A run of the sync.
    Sync(i64),
    /// An event of ScaiKey.
    Webhook(String),
    /// A person, by an administrator's route.
    Admin(PersonId),
    /// A service, by an administrator's route.
    Service(ClientId),
    /// Whoever holds the database file.
    Operator,
    /// Somebody's sign-in.
    SignIn,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sync(id) => write!(f, "sync:{id}"),
            Self::Webhook(id) => write!(f, "webhook:{id}"),
            Self::Admin(id) => write!(f, "admin:{id}"),
            Self::Service(id) => write!(f, "service:{id}"),
            Self::Operator => f.write_str("operator"),
            Self::SignIn => f.write_str("sign_in"),
        }
    }
}

/// One change: by what, when by our clock, and ScaiKey's time of what is said.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// By what.
    pub cause: Cause,
    /// Our time.
    pub now: Timestamp,
    /// ScaiKey's time.
    pub at: Timestamp,
}

/// What the last applied sync covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// When it began to read, by ScaiKey's clock.
    pub users_at: Timestamp,
    /// When it had read everything: an event between the two may have been seen or not.
    pub read_until: Timestamp,
    /// How it found the users: `effective_users` or `member_walk`.
    pub users_method: Option<String>,
    /// When it was applied, by our clock; `None` when none ever was.
    pub synced_at: Option<Timestamp>,
}

/// What the last applied sync covered.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn state(on: &impl Query) -> Result<State, StoreError> {
    let sql =
        "SELECT users_at, read_until, users_method, synced_at FROM directory_state WHERE one = 1";
    let rows = on.query(sql, &[]).await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    Ok(State {
        users_at: row.time(0)?,
        read_until: row.time(1)?,
        users_method: row.optional_text(2)?.map(str::to_owned),
        synced_at: row.optional_time(3)?,
    })
}

/// Asks for a sync soon: something happened that only reading ScaiKey again can tell.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the caller must not report success then.
pub async fn request_sync(on: &impl Query, now: Timestamp) -> Result<(), StoreError> {
    on.query(
        "UPDATE directory_state SET requested_at = max(coalesce(requested_at, 0), ?1) WHERE one = 1",
        &[now.into()],
    )
    .await?;
    Ok(())
}

/// Whose sessions are looked at by [`end_sessions_of_inactive`].
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// Everybody's.
    All,
    /// Those of one person.
    Person(&'a PersonId),
}

/// Ends the live sessions of people who may not act any more, and says which. Within a transaction,
/// so that their revocation records are written before anybody sees them ended.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the transaction must not be committed then.
pub async fn end_sessions_of_inactive(
    tx: &impl Query,
    scope: Scope<'_>,
    now: Timestamp,
) -> Result<Vec<SessionId>, StoreError> {
    let mut parameters = vec![now.into()];
    let condition = match scope {
        Scope::All => "",
        Scope::Person(person_id) => {
            parameters.push(person_id.as_str().into());
            "AND person_id = ?2"
        }
    };
    let sql = format!(
        "UPDATE session SET ended_at = ?1, end_reason = 'person_inactive', scaikey_tokens = NULL
          WHERE ended_at IS NULL AND expires_at > ?1 {condition}
            AND NOT EXISTS (SELECT 1 FROM active_person a WHERE a.person_id = session.person_id)
          RETURNING sid"
    );
    let rows = tx.query(&sql, &parameters).await?;
    rows.iter()
        .map(|row| SessionId::parse(row.text(0)?).map_err(|_| StoreError::Corrupt))
        .collect()
}

fn person_ids(rows: &[Row]) -> Result<Vec<PersonId>, StoreError> {
    rows.iter()
        .map(|row| PersonId::parse(row.text(0)?).map_err(|_| StoreError::Corrupt))
        .collect()
}
