//! Stores in files, as Spin leaves them on the machine that runs it: for the operator's command. The
//! statements run as they do for the stores in memory, which are the same engine without a file.
//!
//! A server may be using the files. SQLite's locks keep the two apart; nothing is created, and no
//! schema is changed from here.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{Value as SqlValue, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};
use scaigate_types::{Database, Kv, Query, Row, StoreError, Transaction, Value};

use crate::schema::VERSION;

/// The label under which every component opens its key-value store.
const STORE: &str = "default";

/// Why a file can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// There is no such file, or it is something else than a file.
    Missing,
    /// It is not what it is opened as: no SQLite file, or one of somebody else.
    Foreign,
    /// The schema is of this version, which is older than [`VERSION`]. Whoever serves it migrates.
    SchemaOlder(i64),
    /// The schema is of this version, which is newer than [`VERSION`].
    SchemaNewer(i64),
    /// It can't be read.
    Store(StoreError),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The database file of a deployment, at the schema version of this code.
#[derive(Debug)]
pub struct FileDatabase {
    path: PathBuf,
    wait: Duration,
    connection: Connection,
}

/// A transaction of a [`FileDatabase`].
#[derive(Debug)]
pub struct FileTransaction {
    connection: Connection,
}

impl FileDatabase {
    /// Opens an existing database whose schema is at [`VERSION`]. A statement waits at most `wait`
    /// for another writer.
    ///
    /// # Errors
    /// [`OpenError`]; nothing has been written then.
    pub fn open(path: &Path, wait: Duration) -> Result<Self, OpenError> {
        let path = existing(path)?;
        let connection = connect(&path, OpenFlags::empty(), wait)?;
        if !has_table(&connection, "schema_version")? {
            return Err(OpenError::Foreign);
        }
        let rows = run(&connection, "SELECT version FROM schema_version", &[])?;
        let version = rows.first().ok_or(StoreError::Corrupt)?.integer(0)?;
        if version < VERSION {
            return Err(OpenError::SchemaOlder(version));
        }
        if version > VERSION {
            return Err(OpenError::SchemaNewer(version));
        }
        Ok(Self {
            path,
            wait,
            connection,
        })
    }
}

impl Query for FileDatabase {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        run(&self.connection, sql, parameters)
    }
}

impl Database for FileDatabase {
    type Transaction = FileTransaction;

    async fn begin(&self) -> Result<FileTransaction, StoreError> {
        let connection = connect(&self.path, OpenFlags::empty(), self.wait)?;
        run(&connection, BEGIN, &[])?;
        Ok(FileTransaction { connection })
    }
}

impl Query for FileTransaction {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        run(&self.connection, sql, parameters)
    }
}

impl Transaction for FileTransaction {
    async fn commit(self) -> Result<(), StoreError> {
        run(&self.connection, COMMIT, &[]).map(|_| ())
    }
}

/// The key-value file of a deployment, laid out as Spin's own provider does it.
#[derive(Debug)]
pub struct FileKv {
    connection: Connection,
}

impl FileKv {
    /// Opens an existing key-value file. A statement waits at most `wait` for another writer.
    ///
    /// # Errors
    /// [`OpenError`]; nothing has been written then.
    pub fn open(path: &Path, wait: Duration) -> Result<Self, OpenError> {
        let connection = connect(&existing(path)?, OpenFlags::empty(), wait)?;
        if !has_table(&connection, "spin_key_value")? {
            return Err(OpenError::Foreign);
        }
        Ok(Self { connection })
    }
}

impl Kv for FileKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2";
        let rows = run(&self.connection, sql, &[STORE.into(), key.into()])?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(row.optional_blob(0)?.map(<[u8]>::to_vec))
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
             ON CONFLICT (store, key) DO UPDATE SET value = excluded.value";
        let parameters = [STORE.into(), key.into(), value.into()];
        run(&self.connection, sql, &parameters).map(|_| ())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2";
        run(&self.connection, sql, &[STORE.into(), key.into()]).map(|_| ())
    }
}

pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE";
pub(crate) const COMMIT: &str = "COMMIT";

/// A connection that waits at most `wait` for another writer.
pub(crate) fn connect(
    path: &Path,
    more: OpenFlags,
    wait: Duration,
) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(wait).map_err(failed)?;
    Ok(connection)
}

/// Runs one statement and reads all its rows.
pub(crate) fn run(
    connection: &Connection,
    sql: &str,
    parameters: &[Value],
) -> Result<Vec<Row>, StoreError> {
    let mut statement = connection.prepare(sql).map_err(failed)?;
    let columns = statement.column_count();
    let parameters = parameters.iter().map(|value| match value {
        Value::Null => SqlValue::Null,
        Value::Integer(number) => SqlValue::Integer(*number),
        Value::Text(text) => SqlValue::Text(text.clone()),
        Value::Blob(bytes) => SqlValue::Blob(bytes.clone()),
    });
    let mut rows = statement
        .query(params_from_iter(parameters))
        .map_err(failed)?;
    let mut result = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let values = (0..columns)
            .map(|index| match row.get_ref(index) {
                Ok(ValueRef::Null) => Ok(Value::Null),
                Ok(ValueRef::Integer(number)) => Ok(Value::Integer(number)),
                Ok(ValueRef::Text(text)) => String::from_utf8(text.to_vec())
                    .map(Value::Text)
                    .map_err(|_| StoreError::Corrupt),
                Ok(ValueRef::Blob(bytes)) => Ok(Value::Blob(bytes.to_vec())),
                Ok(ValueRef::Real(_)) | Err(_) => Err(StoreError::Corrupt),
            })
            .collect::<Result<_, _>>()?;
        result.push(Row(values));
    }
    Ok(result)
}

fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => StoreError::Corrupt,
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => StoreError::Denied,
        _ => StoreError::Unavailable,
    }
}

/// Absolute, so that SQLite takes no name for an address.
fn existing(path: &Path) -> Result<PathBuf, OpenError> {
    match fs::canonicalize(path) {
        Ok(path) if path.is_file() => Ok(path),
        _ => Err(OpenError::Missing),
    }
}

fn has_table(connection: &Connection, name: &str) -> Result<bool, OpenError> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    match run(connection, sql, &[name.into()]) {
        Ok(rows) => Ok(!rows.is_empty()),
        Err(StoreError::Corrupt) => Err(OpenError::Foreign),
        Err(error) => Err(error.into()),
    }
}
