//! All key-value stores of a host in one SQLite file, laid out as Spin's.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use rusqlite::{Connection, OptionalExtension as _};

use crate::abi::KeyValueError;

/// The most bytes one read may return (Spin's number).
const MAX_RESULT_BYTES: usize = 128 << 20;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS spin_key_value \
     (store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key))";

/// Clones share the store.
#[derive(Clone)]
pub(crate) struct KeyValue {
    shared: Arc<Shared>,
}

struct Shared {
    // Two connections: a read does not wait for a commit to reach the disk.
    reader: Mutex<Connection>,
    writer: Mutex<Connection>,
}

impl KeyValue {
    /// Opens the file. A store that is `temporary` need not survive a crash of
    /// the machine, and does not wait for the disk.
    pub(crate) fn open(file: &Path, temporary: bool) -> anyhow::Result<Self> {
        let connect = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(file)?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            let synchronous = if temporary { "off" } else { "full" };
            connection.pragma_update(None, "synchronous", synchronous)?;
            Ok(connection)
        };
        let described = || format!("key-value file {}", file.display());
        let writer = connect().with_context(described)?;
        writer.execute(SCHEMA, []).with_context(described)?;
        let reader = connect().with_context(described)?;
        Ok(Self {
            shared: Arc::new(Shared {
                reader: Mutex::new(reader),
                writer: Mutex::new(writer),
            }),
        })
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, KeyValueError> {
        let connection = self
            .shared
            .reader
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        work(&connection).map_err(|error| other(&error))
    }

    async fn write(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), KeyValueError> {
        let shared = self.shared.clone();
        tokio::task::spawn_blocking(move || {
            let connection = shared.writer.lock().unwrap_or_else(PoisonError::into_inner);
            work(&connection).map_err(|error| other(&error))
        })
        .await
        .unwrap_or_else(|error| Err(KeyValueError::Other(error.to_string())))
    }

    /// The value of `key`: a read of a few microseconds, done in place.
    pub(crate) fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        let value = self.read(|connection| {
            connection
                .prepare_cached("SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2")?
                .query_row([store, key], |row| row.get::<_, Vec<u8>>(0))
                .optional()
        })?;
        match value {
            Some(value) if value.len() > MAX_RESULT_BYTES => Err(too_large()),
            value => Ok(value),
        }
    }

    pub(crate) fn exists(&self, store: &str, key: &str) -> Result<bool, KeyValueError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT 1 FROM spin_key_value WHERE store = ?1 AND key = ?2")?
                .exists([store, key])
        })
    }

    pub(crate) async fn keys(&self, store: &str) -> Result<Vec<String>, KeyValueError> {
        let this = self.clone();
        let store = store.to_owned();
        let keys = tokio::task::spawn_blocking(move || {
            this.read(|connection| {
                let mut statement =
                    connection.prepare_cached("SELECT key FROM spin_key_value WHERE store = ?1")?;
                let mut rows = statement.query([&store])?;
                let mut keys: Vec<String> = Vec::new();
                let mut bytes = 0_usize;
                while let Some(row) = rows.next()? {
                    let key: String = row.get(0)?;
                    bytes = bytes.saturating_add(key.len() + size_of::<String>());
                    if bytes > MAX_RESULT_BYTES {
                        return Ok(None);
                    }
                    keys.push(key);
                }
                Ok(Some(keys))
            })
        })
        .await
        .map_err(|error| KeyValueError::Other(error.to_string()))??;
        keys.ok_or_else(too_large)
    }

    pub(crate) async fn set(
        &self,
        store: &str,
        key: &str,
        value: Vec<u8>,
    ) -> Result<(), KeyValueError> {
        let (store, key) = (store.to_owned(), key.to_owned());
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (store, key) DO UPDATE SET value = excluded.value",
                )?
                .execute(rusqlite::params![store, key, value])
                .map(drop)
        })
        .await
    }

    pub(crate) async fn delete(&self, store: &str, key: &str) -> Result<(), KeyValueError> {
        let (store, key) = (store.to_owned(), key.to_owned());
        self.write(move |connection| {
            connection
                .prepare_cached("DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2")?
                .execute([store, key])
                .map(drop)
        })
        .await
    }
}

fn other(error: &rusqlite::Error) -> KeyValueError {
    KeyValueError::Other(error.to_string())
}

fn too_large() -> KeyValueError {
    KeyValueError::Other(format!(
        "query result exceeds limit of {MAX_RESULT_BYTES} bytes"
    ))
}
