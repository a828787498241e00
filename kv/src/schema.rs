//! The schema and its migrations: forward-only, numbered, each in one transaction.
//!
//! Every component that has the database carries them, and they are texts that are used once: the build
//! script packs them to a fifth (`packing.rs`).

mod packing;

use scaigate_types::{Database, Query, StoreError, Transaction};

use packing::{END_OF_MIGRATION, END_OF_STATEMENT, unpack};

/// What the build script made: `VERSION`, and `PACKED`, the texts of all migrations.
mod packed {
    include!(concat!(env!("OUT_DIR"), "/migrations.rs"));
}

/// The schema version that this code works with.
pub const VERSION: i64 = packed::VERSION;

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
    let migrations = unpack(packed::PACKED)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or(StoreError::Corrupt)?;
    for migration in migrations.split_terminator(END_OF_MIGRATION).skip(done) {
        for statement in migration.split_terminator(END_OF_STATEMENT) {
            tx.query(statement, &[]).await?;
        }
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
