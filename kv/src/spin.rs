//! The stores as Spin offers them.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;

use scaigate_types::{Database, Kv, Query, Row, StoreError, Timestamp, Trail, Transaction, Value};
use spin_sdk::key_value::{self, Store};
use spin_sdk::sqlite::{self, Connection};

use crate::{audit, schema};

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

/// Spin's SQLite database, brought to the current schema before its first use by an instance. In the
/// hands of a request: what its transactions write into the audit log says by which request that was,
/// from where and by whom.
#[derive(Clone, Debug, Default)]
pub struct SpinDatabase(pub Option<Rc<Trail>>);

/// The database before the schema is known to be there.
struct Unmigrated;

thread_local! {
    // Connections of transactions that have ended well, for the next ones: to open one costs more than
    // a statement. (A queue of an instance's writers would be better still, but a request can't wake
    // another one here: wit-bindgen traps.)
    static IDLE: RefCell<Vec<Connection>> = const { RefCell::new(Vec::new()) };
}

/// Idle connections kept.
const MAX_IDLE: usize = 4;

/// A transaction on a connection that no other request uses meanwhile. Dropping it closes the
/// connection, which undoes it.
pub struct SpinTransaction {
    connection: Connection,
    /// Of which request, and the newest row of the audit log when it began.
    trail: Option<(Rc<Trail>, i64)>,
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

/// How long SQLite waits for another writer at a time, in milliseconds. Its naps grow meanwhile, 1, 2,
/// 5, 10 and up to 100: who has waited for long would be asleep while others, just arrived, take turns.
const PATIENCE: &str = "PRAGMA busy_timeout = 18";
/// How often it is let wait: eight seconds. A caller has ten.
const TURNS: u32 = 8000 / 18;

async fn open() -> Result<Connection, StoreError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that opens the database"
    )]
    Connection::open(LABEL).await.map_err(sql_error)
}

/// Waiting for another writer is SQLite's job. A store with its own locking may not know it.
async fn be_patient(connection: &Connection) {
    let _ = once(connection, PATIENCE, &[]).await;
}

async fn connection() -> Result<Rc<Connection>, StoreError> {
    if let Some(connection) = CONNECTION.with_borrow(Clone::clone) {
        return Ok(connection);
    }
    let connection = Rc::new(open().await?);
    // Before its first statement: an instance begins with many requests at once, and each would have
    // SQLite read the whole schema.
    CONNECTION.set(Some(Rc::clone(&connection)));
    be_patient(&connection).await;
    Ok(connection)
}

/// What the database answers. Boxed: every crate of a component that asks has a copy of its own of a
/// future's code otherwise.
type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + 'a>>;

/// Runs a statement. One that was refused because another writes has done nothing, and is run again.
fn run<'a>(
    connection: &'a Connection,
    sql: &'a str,
    parameters: &'a [Value],
) -> Asked<'a, Vec<Row>> {
    Box::pin(async move {
        for _ in 1..TURNS {
            let result = once(connection, sql, parameters).await;
            if result != Err(StoreError::Busy) {
                return result;
            }
        }
        once(connection, sql, parameters).await
    })
}

async fn once(
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
    let transaction = |connection| SpinTransaction {
        connection,
        trail: None,
    };
    // One that is broken is dropped; whoever is busy is so on a new one too.
    if let Some(connection) = IDLE.with_borrow_mut(Vec::pop) {
        match run(&connection, BEGIN, &[]).await {
            Ok(_) => return Ok(transaction(connection)),
            Err(StoreError::Busy) => return Err(StoreError::Busy),
            Err(_) => {}
        }
    }
    let connection = open().await?;
    be_patient(&connection).await;
    run(&connection, BEGIN, &[]).await?;
    Ok(transaction(connection))
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

fn query_migrated<'a>(sql: &'a str, parameters: &'a [Value]) -> Asked<'a, Vec<Row>> {
    Box::pin(async move {
        ensure_migrated().await?;
        query(sql, parameters).await
    })
}

fn begin_for(trail: Option<&Rc<Trail>>) -> Asked<'_, SpinTransaction> {
    Box::pin(async move {
        ensure_migrated().await?;
        let mut tx = begin().await?;
        if let Some(trail) = trail {
            tx.trail = Some((Rc::clone(trail), audit::newest(&tx).await?));
        }
        Ok(tx)
    })
}

fn commit(tx: SpinTransaction) -> Asked<'static, ()> {
    Box::pin(async move {
        if let Some((trail, since)) = &tx.trail {
            audit::attribute(&tx, *since, trail).await?;
        }
        run(&tx.connection, "COMMIT", &[]).await?;
        IDLE.with_borrow_mut(|idle| {
            if idle.len() < MAX_IDLE {
                idle.push(tx.connection);
            }
        });
        Ok(())
    })
}

impl Query for SpinDatabase {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        query_migrated(sql, parameters).await
    }
}

impl Database for SpinDatabase {
    type Transaction = SpinTransaction;

    async fn begin(&self) -> Result<SpinTransaction, StoreError> {
        begin_for(self.0.as_ref()).await
    }
}

impl Query for SpinTransaction {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        run(&self.connection, sql, parameters).await
    }
}

impl Transaction for SpinTransaction {
    async fn commit(self) -> Result<(), StoreError> {
        commit(self).await
    }
}

/// As [`audit::note_refusals`]. Boxed, so that nobody who notes has the database's code in theirs.
#[must_use]
pub fn note_refusals(
    route: String,
    code: &'static str,
    count: u32,
    trail: Rc<Trail>,
    now: Timestamp,
) -> Asked<'static, ()> {
    Box::pin(async move {
        let db = SpinDatabase::default();
        audit::note_refusals(&db, &route, code, count, &trail, now).await
    })
}
