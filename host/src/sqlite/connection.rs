//! One connection to a database file.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use tokio::sync::{mpsc, oneshot};

use crate::abi::{SqliteError, SqliteResult, SqliteRow, SqliteValue};

/// The most bytes of a row, or of a result returned at once (Spin's number).
const MAX_RESULT_BYTES: usize = 128 << 20;
/// Rows read ahead of the component (Spin's number).
const ROWS_AHEAD: usize = 4;

/// A connection, opened at its first statement. Clones share it.
#[derive(Clone)]
pub(crate) struct Connection {
    file: Arc<PathBuf>,
    opened: Arc<Mutex<Option<rusqlite::Connection>>>,
}

/// Rows on their way. The connection is busy until they are read or dropped.
pub(crate) struct Rows {
    pub columns: Vec<String>,
    pub rows: mpsc::Receiver<SqliteRow>,
    pub end: oneshot::Receiver<Result<(), SqliteError>>,
}

impl Connection {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self {
            file: Arc::new(file),
            opened: Arc::new(Mutex::new(None)),
        }
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, SqliteError>,
    ) -> Result<T, SqliteError> {
        let mut opened: MutexGuard<'_, _> =
            self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match &mut *opened {
            Some(connection) => connection,
            none => none.insert(self.open()?),
        };
        work(connection)
    }

    fn open(&self) -> Result<rusqlite::Connection, SqliteError> {
        let mut connection = rusqlite::Connection::open(self.file.as_path()).map_err(io)?;
        // Other files are not the component's to open.
        connection
            .authorizer(Some(|context: AuthContext<'_>| match context.action {
                AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => {
                    Authorization::Deny
                }
                _ => Authorization::Allow,
            }))
            .map_err(io)?;
        Ok(connection)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, SqliteError> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.with(work))
            .await
            .unwrap_or_else(|error| Err(SqliteError::Io(error.to_string())))
    }

    /// Runs a statement and streams its rows.
    ///
    /// As in Spin, a failure of the statement is told at the end of the stream:
    /// the error here is only that of a connection that cannot be opened.
    pub(crate) async fn stream(
        &self,
        statement: String,
        parameters: Vec<SqliteValue>,
    ) -> Result<Rows, SqliteError> {
        let (columns_in, columns) = oneshot::channel();
        let (rows_in, rows) = mpsc::channel(ROWS_AHEAD);
        let (end_in, end) = oneshot::channel();
        let this = self.clone();
        tokio::task::spawn_blocking(move || {
            let outcome = this.with(|connection| {
                let mut prepared = connection.prepare_cached(&statement).map_err(io)?;
                // The component may be gone; the statement runs all the same.
                let _ = columns_in.send(names(&prepared));
                let mut found = prepared
                    .query(rusqlite::params_from_iter(parameters.into_iter().map(bind)))
                    .map_err(io)?;
                while let Some(row) = found.next().map_err(io)? {
                    let row = read(row).map_err(io)?;
                    if bytes(&row) > MAX_RESULT_BYTES {
                        return Err(too_large());
                    }
                    rows_in
                        .blocking_send(row)
                        .map_err(|_| SqliteError::Io("row send error".to_owned()))?;
                }
                Ok(())
            });
            // Rows end before the outcome is told.
            drop(rows_in);
            let _ = end_in.send(outcome);
        });
        Ok(Rows {
            // Dropped without names: the statement was not prepared.
            columns: columns.await.unwrap_or_default(),
            rows,
            end,
        })
    }

    /// Runs a statement and returns all of its rows.
    pub(crate) async fn collect(
        &self,
        statement: String,
        parameters: Vec<SqliteValue>,
    ) -> Result<SqliteResult, SqliteError> {
        self.blocking(move |connection| {
            let mut prepared = connection.prepare_cached(&statement).map_err(io)?;
            let columns = names(&prepared);
            let mut found = prepared
                .query(rusqlite::params_from_iter(parameters.into_iter().map(bind)))
                .map_err(io)?;
            let mut rows = Vec::new();
            let mut total = 0_usize;
            while let Some(row) = found.next().map_err(io)? {
                let row = read(row).map_err(io)?;
                total = total.saturating_add(bytes(&row));
                if total > MAX_RESULT_BYTES {
                    return Err(too_large());
                }
                rows.push(row);
            }
            Ok(SqliteResult { columns, rows })
        })
        .await
    }

    pub(crate) async fn changes(&self) -> Result<u64, SqliteError> {
        self.blocking(|connection| Ok(connection.changes())).await
    }

    pub(crate) async fn last_insert_rowid(&self) -> Result<i64, SqliteError> {
        self.blocking(|connection| Ok(connection.last_insert_rowid()))
            .await
    }
}

fn names(statement: &rusqlite::Statement<'_>) -> Vec<String> {
    statement.column_names().map(str::to_owned).collect()
}

fn io(error: rusqlite::Error) -> SqliteError {
    SqliteError::Io(error.to_string())
}

fn too_large() -> SqliteError {
    SqliteError::Io(format!(
        "query result exceeds limit of {MAX_RESULT_BYTES} bytes"
    ))
}

fn bind(value: SqliteValue) -> rusqlite::types::Value {
    use rusqlite::types::Value;
    match value {
        SqliteValue::Integer(integer) => Value::Integer(integer),
        SqliteValue::Real(real) => Value::Real(real),
        SqliteValue::Text(text) => Value::Text(text),
        SqliteValue::Blob(blob) => Value::Blob(blob),
        SqliteValue::Null => Value::Null,
    }
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<SqliteRow> {
    let count = row.as_ref().column_count();
    let values = (0..count)
        .map(|index| {
            Ok(match row.get_ref(index)? {
                ValueRef::Null => SqliteValue::Null,
                ValueRef::Integer(integer) => SqliteValue::Integer(integer),
                ValueRef::Real(real) => SqliteValue::Real(real),
                ValueRef::Text(text) => SqliteValue::Text(str::from_utf8(text)?.to_owned()),
                ValueRef::Blob(blob) => SqliteValue::Blob(blob.to_vec()),
            })
        })
        .collect::<rusqlite::Result<_>>()?;
    Ok(SqliteRow { values })
}

fn bytes(row: &SqliteRow) -> usize {
    row.values
        .iter()
        .map(|value| {
            let content = match value {
                SqliteValue::Text(text) => text.len(),
                SqliteValue::Blob(blob) => blob.len(),
                SqliteValue::Integer(_) | SqliteValue::Real(_) | SqliteValue::Null => 0,
            };
            size_of::<SqliteValue>().saturating_add(content)
        })
        .sum()
}
