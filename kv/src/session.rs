//! Sessions: one row is one sign-in, its one-shot code and its family of refresh tokens.
//!
//! The row stores no token of ours. A refresh token is derived from the session and a generation
//! number, so every caller that presents one generation is given the same successor.

mod ending;

use std::time::Duration;

use scaigate_types::{
    Database, PersonId, Query, Row, SessionId, StoreError, TenantId, Timestamp, WorkspaceId,
};

pub use ending::{
    Whose, end, end_all, generations, purge, revocation_forgotten, revocations_to_forget,
};

/// Parallel requests with one refresh token within this time are one rotation.
pub const ROTATION_WINDOW: Duration = Duration::from_secs(10);

/// How long an app has to redeem a session code.
pub const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// A session to be made.
#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    /// Its identifier.
    pub sid: &'a SessionId,
    /// Whose it is.
    pub person_id: &'a PersonId,
    /// In which tenant.
    pub tenant_id: &'a TenantId,
    /// When it ends, however often it is refreshed.
    pub expires_at: Timestamp,
    /// Digest of the one-shot code that redeems it.
    pub code_hash: &'a str,
    /// The app's PKCE challenge, if it sent one with the login.
    pub code_challenge: Option<&'a str>,
    /// ScaiKey's own session identifier, for its logout.
    pub scaikey_sid: Option<&'a str>,
    /// ScaiKey's tokens, sealed.
    pub scaikey_tokens: &'a [u8],
}

/// A session as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its identifier.
    pub sid: SessionId,
    /// Whose it is.
    pub person_id: PersonId,
    /// In which tenant.
    pub tenant_id: TenantId,
    /// The workspace it acts in; `None` until its code is redeemed.
    pub workspace_id: Option<WorkspaceId>,
    /// When it ends, however often it is refreshed.
    pub expires_at: Timestamp,
    /// The generation of the refresh token that is current.
    pub generation: u32,
    /// ScaiKey's tokens, sealed.
    pub scaikey_tokens: Option<Vec<u8>>,
}

/// The one-shot code of a session, before it is redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCode {
    /// The session it redeems.
    pub session: Session,
    /// The app's PKCE challenge.
    pub code_challenge: Option<String>,
}

/// What a session code is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// Good.
    Pending(PendingCode),
    /// Never issued, or forgotten.
    Unknown,
    /// Older than [`CODE_LIFETIME`].
    Expired,
    /// Redeemed before.
    AlreadyUsed,
}

/// What a refresh did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The session, whose `generation` is the one to hand out.
    Current(Session),
    /// The presented token had been replaced before: the session is ended now.
    Reused(SessionId),
    /// The session has ended or expired.
    Ended,
    /// There is no such session.
    Unknown,
}

const SESSION: &str =
    "sid, person_id, tenant_id, workspace_id, expires_at, generation, scaikey_tokens";

fn session(row: &Row) -> Result<Session, StoreError> {
    let corrupt = |_| StoreError::Corrupt;
    Ok(Session {
        sid: SessionId::parse(row.text(0)?).map_err(corrupt)?,
        person_id: PersonId::parse(row.text(1)?).map_err(corrupt)?,
        tenant_id: TenantId::parse(row.text(2)?).map_err(corrupt)?,
        workspace_id: match row.optional_text(3)? {
            None => None,
            Some(id) => Some(WorkspaceId::parse(id).map_err(corrupt)?),
        },
        expires_at: row.time(4)?,
        generation: u32::try_from(row.integer(5)?).map_err(|_| StoreError::Corrupt)?,
        scaikey_tokens: row.optional_blob(6)?.map(<[u8]>::to_vec),
    })
}

/// Records a sign-in that an app has still to redeem.
///
/// # Errors
/// [`StoreError`] when the store does not answer; nothing has been issued then.
pub async fn insert(
    db: &impl Query,
    new: &NewSession<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    db.query(
        "INSERT INTO session (sid, person_id, tenant_id, created_at, expires_at,
                              code_hash, code_challenge, code_expires_at, scaikey_sid, scaikey_tokens)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        &[
            new.sid.as_str().into(),
            new.person_id.as_str().into(),
            new.tenant_id.as_str().into(),
            now.into(),
            new.expires_at.into(),
            new.code_hash.into(),
            new.code_challenge.into(),
            now.plus(CODE_LIFETIME).into(),
            new.scaikey_sid.into(),
            new.scaikey_tokens.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Looks at a session code without redeeming it.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn peek_code(
    db: &impl Database,
    code_hash: &str,
    now: Timestamp,
) -> Result<Code, StoreError> {
    let sql = format!(
        "SELECT {SESSION}, code_challenge, code_expires_at, code_consumed_at
           FROM session WHERE code_hash = ?1"
    );
    let rows = db.query(&sql, &[code_hash.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(Code::Unknown);
    };
    if row.optional_time(9)?.is_some() {
        return Ok(Code::AlreadyUsed);
    }
    if row.time(8)? <= now {
        return Ok(Code::Expired);
    }
    Ok(Code::Pending(PendingCode {
        session: session(row)?,
        code_challenge: row.optional_text(7)?.map(str::to_owned),
    }))
}

/// Redeems a session code for a workspace. Of any number of parallel calls exactly one gets `true`.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the code may then have been redeemed.
pub async fn redeem(
    db: &impl Database,
    code_hash: &str,
    workspace_id: &WorkspaceId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = db
        .query(
            "UPDATE session SET code_consumed_at = ?3, workspace_id = ?2
              WHERE code_hash = ?1 AND code_consumed_at IS NULL AND code_expires_at > ?3
                AND ended_at IS NULL
              RETURNING 1",
            &[code_hash.into(), workspace_id.as_str().into(), now.into()],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// Refreshes: presented generation in, current session out.
///
/// The current generation is replaced. The one before it gets the same successor while
/// [`ROTATION_WINDOW`] lasts (parallel requests); after that its holder is taken to have lost the
/// answer and gets a new generation, while the one it never received is void. Any other generation
/// has been replaced for good: its use ends the session.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the presented token stays good then.
pub async fn rotate(
    db: &impl Database,
    sid: &SessionId,
    presented: u32,
    now: Timestamp,
) -> Result<Rotation, StoreError> {
    let is_late = "rotated_at < ?4";
    let sql = format!(
        "UPDATE session SET
           generation = generation + (generation = ?2 OR {is_late}),
           rotated_from = ?2,
           rotated_at = CASE WHEN generation = ?2 OR {is_late} THEN ?3 ELSE rotated_at END
          WHERE sid = ?1 AND ended_at IS NULL AND expires_at > ?3 AND code_consumed_at IS NOT NULL
            AND ?2 IN (generation, rotated_from)
          RETURNING {SESSION}"
    );
    let window_start = now.minus(ROTATION_WINDOW);
    let parameters = [
        sid.as_str().into(),
        i64::from(presented).into(),
        now.into(),
        window_start.into(),
    ];
    let rows = db.query(&sql, &parameters).await?;
    if let Some(row) = rows.first() {
        return Ok(Rotation::Current(session(row)?));
    }
    // Neither the current generation nor the one before it: only why is left to tell. Nothing that
    // happens meanwhile can make the presented one good.
    let sql = format!("SELECT {SESSION}, ended_at, code_consumed_at FROM session WHERE sid = ?1");
    let rows = db.query(&sql, &[sid.as_str().into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(Rotation::Unknown);
    };
    let found = session(row)?;
    if row.optional_time(7)?.is_some() || found.expires_at <= now {
        return Ok(Rotation::Ended);
    }
    if row.optional_time(8)?.is_none() {
        return Ok(Rotation::Unknown);
    }
    end(db, sid, "refresh_token_reused", now).await?;
    Ok(Rotation::Reused(found.sid))
}

/// Sets the workspace a session acts in.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn switch_workspace(
    db: &impl Database,
    sid: &SessionId,
    workspace_id: &WorkspaceId,
) -> Result<(), StoreError> {
    db.query(
        "UPDATE session SET workspace_id = ?2 WHERE sid = ?1 AND ended_at IS NULL",
        &[sid.as_str().into(), workspace_id.as_str().into()],
    )
    .await?;
    Ok(())
}

/// The session, ended or not; `None` when there is none.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn find(db: &impl Query, sid: &SessionId) -> Result<Option<Session>, StoreError> {
    let sql = format!("SELECT {SESSION} FROM session WHERE sid = ?1");
    let rows = db.query(&sql, &[sid.as_str().into()]).await?;
    rows.first().map(session).transpose()
}

/// Puts ScaiKey's (sealed) tokens of a session in the place of `former`. `false` when the session
/// has ended or somebody else has put others there meanwhile.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn replace_tokens(
    db: &impl Query,
    sid: &SessionId,
    former: &[u8],
    tokens: &[u8],
) -> Result<bool, StoreError> {
    let rows = db
        .query(
            "UPDATE session SET scaikey_tokens = ?3
              WHERE sid = ?1 AND scaikey_tokens = ?2 AND ended_at IS NULL
              RETURNING 1",
            &[sid.as_str().into(), former.into(), tokens.into()],
        )
        .await?;
    Ok(!rows.is_empty())
}
