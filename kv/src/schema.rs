//! The schema and its migrations: forward-only, numbered, each in one transaction.

mod bootstrap_election;
mod directory;
mod flow;
mod rate_bucket;
mod tenant_credential;

use scaigate_types::{Database, Query, StoreError, Transaction};

use bootstrap_election::BOOTSTRAP_ELECTION;
use directory::DIRECTORY;
use flow::FLOWS;
use rate_bucket::RATE_BUCKET;
use tenant_credential::TENANT_CREDENTIAL;

/// One step of the schema: statements that run together or not at all.
type Migration = &'static [&'static str];

/// Every migration, oldest first. A released one is never edited.
const MIGRATIONS: &[Migration] = &[
    FIRST,
    LOGOUT_AND_WORKSPACES,
    DIRECTORY,
    RATE_BUCKET,
    FLOWS,
    TENANT_CREDENTIAL,
    BOOTSTRAP_ELECTION,
];

const FIRST: Migration = &[
    "CREATE TABLE tenant (
        tenant_id TEXT PRIMARY KEY,
        created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE person (
        person_id TEXT PRIMARY KEY,
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        email TEXT,
        name TEXT,
        status TEXT NOT NULL DEFAULT 'active',
        admin_role TEXT,
        admin_role_source TEXT,
        created_at INTEGER NOT NULL,
        last_seen_at INTEGER NOT NULL,
        UNIQUE (issuer, subject)
    ) STRICT",
    "CREATE TABLE workspace (
        workspace_id TEXT PRIMARY KEY,
        tenant_id TEXT NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        created_by TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT",
    "CREATE UNIQUE INDEX workspace_default ON workspace (tenant_id) WHERE kind = 'default'",
    "CREATE TABLE membership (
        person_id TEXT NOT NULL,
        workspace_id TEXT NOT NULL,
        role TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        removed_at INTEGER,
        PRIMARY KEY (person_id, workspace_id)
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE pending_login (
        state_hash TEXT PRIMARY KEY,
        browser_hash TEXT NOT NULL,
        sealed BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        consumed_at INTEGER
    ) STRICT",
    "CREATE INDEX pending_login_browser ON pending_login (browser_hash, created_at)",
    "CREATE INDEX pending_login_expiry ON pending_login (expires_at)",
    "CREATE TABLE redeemed_code (
        code_hash TEXT PRIMARY KEY,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX redeemed_code_expiry ON redeemed_code (expires_at)",
    "CREATE TABLE session (
        sid TEXT PRIMARY KEY,
        person_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        workspace_id TEXT,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        code_hash TEXT,
        code_challenge TEXT,
        code_expires_at INTEGER,
        code_consumed_at INTEGER,
        generation INTEGER NOT NULL DEFAULT 0,
        rotated_from INTEGER,
        rotated_at INTEGER,
        ended_at INTEGER,
        end_reason TEXT,
        revocation_forgotten INTEGER NOT NULL DEFAULT 0,
        scaikey_sid TEXT,
        scaikey_tokens BLOB
    ) STRICT",
    "CREATE UNIQUE INDEX session_code ON session (code_hash) WHERE code_hash IS NOT NULL",
    "CREATE INDEX session_person ON session (person_id)",
    "CREATE INDEX session_scaikey_sid ON session (scaikey_sid) WHERE scaikey_sid IS NOT NULL",
    "CREATE INDEX session_expiry ON session (expires_at)",
    "CREATE TABLE upstream_refresh (
        token_hash TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        lease_until INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        outcome BLOB,
        expires_at INTEGER NOT NULL
    ) STRICT",
    "CREATE INDEX upstream_refresh_expiry ON upstream_refresh (expires_at)",
    "CREATE TABLE upstream_grant (
        token_hash TEXT PRIMARY KEY,
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        auth_time INTEGER,
        nonce_hash TEXT,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX upstream_grant_expiry ON upstream_grant (expires_at)",
];

const LOGOUT_AND_WORKSPACES: Migration = &[
    "ALTER TABLE workspace ADD COLUMN description TEXT",
    "ALTER TABLE workspace ADD COLUMN updated_at INTEGER",
    "CREATE UNIQUE INDEX workspace_personal ON workspace (created_by, tenant_id)
        WHERE kind = 'personal'",
    "CREATE INDEX membership_workspace ON membership (workspace_id) WHERE removed_at IS NULL",
    "CREATE INDEX person_tenant ON person (tenant_id)",
    // ScaiKey's logout names a subject whose issuer here may be one of several.
    "CREATE INDEX person_subject ON person (subject)",
    "ALTER TABLE session ADD COLUMN narrowed_at INTEGER",
    "CREATE TABLE logout_token (
        token_hash TEXT PRIMARY KEY,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX logout_token_expiry ON logout_token (expires_at)",
    "CREATE TABLE key_search (
        key_set TEXT PRIMARY KEY,
        began_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE exchanged_token (
        name TEXT PRIMARY KEY,
        sealed BLOB NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT",
    "CREATE INDEX exchanged_token_expiry ON exchanged_token (expires_at)",
];

/// The schema version that this code works with.
pub const VERSION: i64 = MIGRATIONS.len() as i64;

const READ_VERSION: &str = "SELECT version FROM schema_version WHERE one = 1";

/// Brings the database to [`VERSION`].
///
/// Safe to run from many instances at once: the work is done in one immediate transaction that
/// reads the version again inside.
///
/// # Errors
/// [`StoreError::SchemaNewer`] when the database is ahead of this code, which then must not touch
/// it; otherwise the store's own failure.
pub async fn migrate(db: &impl Database) -> Result<(), StoreError> {
    if is_current(db).await? {
        return Ok(());
    }
    // Readers and a writer side by side. Kept in the file; stores that have their own journal may
    // refuse, which harms nothing.
    let _ = db.query("PRAGMA journal_mode = WAL", &[]).await;
    let tx = match db.begin().await {
        // Many instances may begin with an empty database: whom this one waited for in vain have
        // done its work.
        Err(StoreError::Busy) if is_current(db).await? => return Ok(()),
        tx => tx?,
    };
    tx.query(
        "CREATE TABLE IF NOT EXISTS schema_version (
            one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL) STRICT",
        &[],
    )
    .await?;
    tx.query(
        "INSERT OR IGNORE INTO schema_version (one, version) VALUES (1, 0)",
        &[],
    )
    .await?;
    let rows = tx.query(READ_VERSION, &[]).await?;
    let version = rows.first().ok_or(StoreError::Corrupt)?.integer(0)?;
    if compare(version)? {
        // Another instance was first. Nothing has been written, and those who wait are not kept.
        return Ok(());
    }
    let done = usize::try_from(version).map_err(|_| StoreError::Corrupt)?;
    for statement in MIGRATIONS.iter().skip(done).copied().flatten() {
        tx.query(statement, &[]).await?;
    }
    tx.query(
        "UPDATE schema_version SET version = ?1 WHERE one = 1",
        &[VERSION.into()],
    )
    .await?;
    tx.commit().await
}

/// The schema version of the database.
///
/// # Errors
/// [`StoreError`] when the store does not answer, or has no schema yet.
pub async fn version(on: &impl Query) -> Result<i64, StoreError> {
    let rows = on.query(READ_VERSION, &[]).await?;
    rows.first().ok_or(StoreError::Corrupt)?.integer(0)
}

/// Whether the database is at [`VERSION`] already. One without a version answers with an error:
/// then it is new, or not reachable, and the transaction tells which.
async fn is_current(db: &impl Database) -> Result<bool, StoreError> {
    match db.query(READ_VERSION, &[]).await {
        Ok(rows) => rows
            .first()
            .map_or(Ok(false), |row| compare(row.integer(0)?)),
        Err(_) => Ok(false),
    }
}

/// Whether a version is [`VERSION`]; an error when it is newer.
const fn compare(version: i64) -> Result<bool, StoreError> {
    if version > VERSION {
        return Err(StoreError::SchemaNewer);
    }
    Ok(version == VERSION)
}
