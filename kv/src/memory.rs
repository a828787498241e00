//! Stores in memory: SQLite's own engine without a file, and a map. For tests.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use scaigate_types::{Database, Kv, Query, Row, StoreError, Transaction, Value};

use crate::file::{BEGIN, COMMIT, connect, run};

/// Decides which call fails: every port of a test asks before it acts.
///
/// The n-th call (from 1) and those after it can be made to fail, once or for good.
#[derive(Debug, Default)]
pub struct Failing {
    calls: Cell<u64>,
    fail_at: Cell<Option<u64>>,
}

impl Failing {
    /// Makes the `n`-th call from now on fail, and no other.
    pub fn fail_at(&self, n: u64) {
        self.calls.set(0);
        self.fail_at.set(Some(n));
    }

    /// Lets every call succeed again, and returns how many there were.
    pub fn heal(&self) -> u64 {
        self.fail_at.set(None);
        self.calls.replace(0)
    }

    fn check(&self) -> Result<(), StoreError> {
        let call = self.calls.get() + 1;
        self.calls.set(call);
        if self.fail_at.get() == Some(call) {
            Err(StoreError::Unavailable)
        } else {
            Ok(())
        }
    }
}

/// A key-value store in memory.
#[derive(Debug, Default)]
pub struct MemoryKv {
    values: RefCell<BTreeMap<String, Vec<u8>>>,
    /// Which call fails.
    pub failing: Failing,
}

impl Kv for MemoryKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.failing.check()?;
        Ok(self.values.borrow().get(key).cloned())
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.failing.check()?;
        self.values
            .borrow_mut()
            .insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.failing.check()?;
        self.values.borrow_mut().remove(key);
        Ok(())
    }
}

/// A SQLite database in memory, empty and without a schema.
#[derive(Debug)]
pub struct MemoryDatabase {
    uri: String,
    connection: Connection,
    /// Which call fails. Statements inside a transaction count too.
    pub failing: std::rc::Rc<Failing>,
}

/// A transaction of a [`MemoryDatabase`].
#[derive(Debug)]
pub struct MemoryTransaction {
    connection: Connection,
    failing: std::rc::Rc<Failing>,
}

fn open(uri: &str) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI;
    // Whom it would wait for runs on the same thread.
    connect(Path::new(uri), flags, Duration::ZERO)
}

impl MemoryDatabase {
    /// A new empty database.
    ///
    /// # Errors
    /// [`StoreError`] when SQLite can't be started.
    pub fn new() -> Result<Self, StoreError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // The `memdb` file system shares a database between the connections that name it.
        let uri = format!("file:/scaigate-{number}?vfs=memdb");
        let connection = open(&uri)?;
        Ok(Self {
            uri,
            connection,
            failing: std::rc::Rc::default(),
        })
    }

    /// The same database over a second connection, as another instance has it.
    ///
    /// # Errors
    /// [`StoreError`] when SQLite can't be started.
    pub fn connect(&self) -> Result<Self, StoreError> {
        let connection = open(&self.uri)?;
        Ok(Self {
            uri: self.uri.clone(),
            connection,
            failing: self.failing.clone(),
        })
    }
}

impl Query for MemoryDatabase {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.failing.check()?;
        run(&self.connection, sql, parameters)
    }
}

impl Database for MemoryDatabase {
    type Transaction = MemoryTransaction;

    async fn begin(&self) -> Result<MemoryTransaction, StoreError> {
        self.failing.check()?;
        let connection = open(&self.uri)?;
        run(&connection, BEGIN, &[])?;
        Ok(MemoryTransaction {
            connection,
            failing: self.failing.clone(),
        })
    }
}

impl Query for MemoryTransaction {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.failing.check()?;
        run(&self.connection, sql, parameters)
    }
}

impl Transaction for MemoryTransaction {
    async fn commit(self) -> Result<(), StoreError> {
        self.failing.check()?;
        run(&self.connection, COMMIT, &[]).map(|_| ())
    }
}
