//! The stores as Spin offers them.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::lock::{Mutex, OwnedMutexGuard};
use scaigate_types::{Database, Kv, Query, Row, StoreError, Transaction, Value};
use spin_sdk::key_value::{self, Store};
use spin_sdk::sqlite::{self, Connection};

use crate::schema;

/// The label of both stores: the one that every Spin runtime offers without configuration.
const LABEL: &str = "default";

thread_local! {
    // Per instance, not per request: opening costs more than a query. Neither holds anything of a
    // request.
    static CONNECTION: RefCell<Option<Rc<Connection>>> = const { RefCell::new(None) };
    static MIGRATED: Cell<bool> = const { Cell::new(false) };
    static STORE: RefCell<Option<Rc<Store>>> = const { RefCell::new(None) };
}

/// Spin's key-value store.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpinKv;

fn kv_error(error: key_value::Error) -> StoreError {
    match error {
        key_value::Error::StoreTableFull => StoreError::Full,
        key_value::Error::AccessDenied | key_value::Error::NoSuchStore => StoreError::Denied,
        key_value::Error::Other(_) => StoreError::Unavailable,
    }
}

async fn store() -> Result<Rc<Store>, StoreError> {
    if let Some(store) = STORE.with_borrow(Clone::clone) {
        return Ok(store);
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that opens the store"
    )]
    let store = Rc::new(Store::open(LABEL).await.map_err(kv_error)?);
    STORE.set(Some(Rc::clone(&store)));
    Ok(store)
}

impl Kv for SpinKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        store().await?.get(key).await.map_err(kv_error)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        store().await?.set(key, value).await.map_err(kv_error)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        store().await?.delete(key).await.map_err(kv_error)
    }
}

/// Spin's SQLite database, brought to the current schema before its first use by an instance.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpinDatabase;

/// The database before the schema is known to be there.
struct Unmigrated;

/// The connection of an instance's transactions while none of them uses it.
type Writer = Mutex<Option<Connection>>;

thread_local! {
    // One transaction of an instance at a time, in the order in which they were asked for: SQLite has
    // those who wait for its write lock sleep, and look again later and later.
    static WRITER: Arc<Writer> = Arc::default();
}

/// How long a transaction waits for the one before it, as SQLite does for other instances'.
const TURN: Duration = Duration::from_secs(5);

/// A transaction on a connection that no other request uses meanwhile. Dropping it closes the
/// connection, which undoes it.
pub struct SpinTransaction {
    connection: Connection,
    turn: OwnedMutexGuard<Option<Connection>>,
}

fn sql_error(error: sqlite::Error) -> StoreError {
    match error {
        sqlite::Error::AccessDenied | sqlite::Error::NoSuchDatabase => StoreError::Denied,
        sqlite::Error::DatabaseFull => StoreError::Full,
        sqlite::Error::InvalidConnection => StoreError::Unavailable,
        // SQLite's text for SQLITE_BUSY and SQLITE_LOCKED.
        sqlite::Error::Io(text) if text.contains("is locked") => StoreError::Busy,
        sqlite::Error::Io(_) => StoreError::Unavailable,
    }
}

async fn open() -> Result<Connection, StoreError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that opens the database"
    )]
    let connection = Connection::open(LABEL).await.map_err(sql_error)?;
    // Waiting for another writer is SQLite's job. A store with its own locking may not know it.
    let _ = run(&connection, "PRAGMA busy_timeout = 5000", &[]).await;
    Ok(connection)
}

async fn connection() -> Result<Rc<Connection>, StoreError> {
    if let Some(connection) = CONNECTION.with_borrow(Clone::clone) {
        return Ok(connection);
    }
    let connection = Rc::new(open().await?);
    CONNECTION.set(Some(Rc::clone(&connection)));
    Ok(connection)
}

async fn run(
    connection: &Connection,
    sql: &str,
    parameters: &[Value],
) -> Result<Vec<Row>, StoreError> {
    let parameters = parameters.iter().map(|value| match value {
        Value::Null => sqlite::Value::Null,
        Value::Integer(number) => sqlite::Value::Integer(*number),
        Value::Text(text) => sqlite::Value::Text(text.clone()),
        Value::Blob(bytes) => sqlite::Value::Blob(bytes.clone()),
    });
    let result = connection
        .execute(sql, parameters)
        .await
        .map_err(sql_error)?;
    let rows = result.collect().await.map_err(sql_error)?;
    rows.into_iter()
        .map(|row| {
            let values = row.values.into_iter().map(|value| match value {
                sqlite::Value::Null => Ok(Value::Null),
                sqlite::Value::Integer(number) => Ok(Value::Integer(number)),
                sqlite::Value::Text(text) => Ok(Value::Text(text)),
                sqlite::Value::Blob(bytes) => Ok(Value::Blob(bytes)),
                sqlite::Value::Real(_) => Err(StoreError::Corrupt),
            });
            values.collect::<Result<_, _>>().map(Row)
        })
        .collect()
}

async fn begin() -> Result<SpinTransaction, StoreError> {
    const BEGIN: &str = "BEGIN IMMEDIATE";
    let turn = pin!(WRITER.with(Arc::clone).lock_owned());
    let mut turn = match select(turn, pin!(spin_sdk::time::sleep(TURN))).await {
        Either::Left((turn, _)) => turn,
        Either::Right(((), _)) => return Err(StoreError::Busy),
    };
    if let Some(connection) = turn.take() {
        match run(&connection, BEGIN, &[]).await {
            Ok(_) => return Ok(SpinTransaction { connection, turn }),
            Err(StoreError::Busy) => {
                *turn = Some(connection);
                return Err(StoreError::Busy);
            }
            // The connection itself may be what is broken.
            Err(_) => {}
        }
    }
    let connection = open().await?;
    run(&connection, BEGIN, &[]).await?;
    Ok(SpinTransaction { connection, turn })
}

async fn query(sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
    let result = run(&*connection().await?, sql, parameters).await;
    if result == Err(StoreError::Unavailable) {
        // The connection itself may be what is broken.
        CONNECTION.set(None);
    }
    result
}

impl Query for Unmigrated {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        query(sql, parameters).await
    }
}

impl Database for Unmigrated {
    type Transaction = SpinTransaction;

    async fn begin(&self) -> Result<SpinTransaction, StoreError> {
        begin().await
    }
}

async fn ensure_migrated() -> Result<(), StoreError> {
    if !MIGRATED.get() {
        schema::migrate(&Unmigrated).await?;
        MIGRATED.set(true);
    }
    Ok(())
}

impl Query for SpinDatabase {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        ensure_migrated().await?;
        query(sql, parameters).await
    }
}

impl Database for SpinDatabase {
    type Transaction = SpinTransaction;

    async fn begin(&self) -> Result<SpinTransaction, StoreError> {
        ensure_migrated().await?;
        begin().await
    }
}

impl Query for SpinTransaction {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        run(&self.connection, sql, parameters).await
    }
}

impl Transaction for SpinTransaction {
    async fn commit(self) -> Result<(), StoreError> {
        let Self {
            connection,
            mut turn,
        } = self;
        run(&connection, "COMMIT", &[]).await?;
        *turn = Some(connection);
        Ok(())
    }
}
