//! The stores in memory, with calls that go wrong and with other requests between any two calls.

use std::rc::Rc;

use scaigate_kv::memory::{MemoryDatabase, MemoryKv, MemoryTransaction};
use scaigate_types::{Database, Kv, Query, Row, StoreError, Value};

use super::clock::give_way;
use super::plan::Plan;
use super::random::Seeded;

/// How a call of a store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// The store never saw it.
    Lost(StoreError),
    /// The store did it, and its answer was lost.
    Unanswered(StoreError),
}

impl StoreFault {
    fn outcome<T>(fault: Option<Self>, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        match fault {
            Some(Self::Lost(error) | Self::Unanswered(error)) => Err(error),
            None => answer,
        }
    }
}

/// The key-value store.
pub struct ShakyKv {
    /// The store itself, without what may go wrong.
    pub inner: MemoryKv,
    /// Which call goes wrong.
    pub plan: Plan<StoreFault>,
    order: Rc<Seeded>,
}

/// The database.
pub struct ShakyDatabase {
    /// The database itself, without what may go wrong.
    pub inner: MemoryDatabase,
    /// Which call goes wrong.
    pub plan: Plan<StoreFault>,
    order: Rc<Seeded>,
}

impl ShakyKv {
    /// An empty store. `order` decides how many others go first at each call.
    pub fn new(order: Rc<Seeded>) -> Self {
        Self {
            inner: MemoryKv::default(),
            plan: Plan::default(),
            order,
        }
    }

    async fn enter(&self, operation: &str, key: &str) -> Option<StoreFault> {
        give_way(self.order.next() % 3).await;
        let kind = key.split(':').next().unwrap_or_default();
        self.plan.next(format!("{operation} {kind}"))
    }
}

impl Kv for ShakyKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.enter("get", key).await {
            Some(StoreFault::Lost(error)) => Err(error),
            fault => StoreFault::outcome(fault, self.inner.get(key).await),
        }
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        match self.enter("set", key).await {
            Some(StoreFault::Lost(error)) => Err(error),
            fault => StoreFault::outcome(fault, self.inner.set(key, value).await),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self.enter("delete", key).await {
            Some(StoreFault::Lost(error)) => Err(error),
            fault => StoreFault::outcome(fault, self.inner.delete(key).await),
        }
    }
}

impl ShakyDatabase {
    /// An empty database. `order` decides how many others go first at each call.
    pub fn new(order: Rc<Seeded>) -> Self {
        Self {
            inner: MemoryDatabase::new().unwrap(),
            plan: Plan::default(),
            order,
        }
    }
}

impl Query for ShakyDatabase {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        give_way(self.order.next() % 3).await;
        match self.plan.next(label(sql)) {
            Some(StoreFault::Lost(error)) => Err(error),
            fault => StoreFault::outcome(fault, self.inner.query(sql, parameters).await),
        }
    }
}

impl Database for ShakyDatabase {
    type Transaction = MemoryTransaction;

    async fn begin(&self) -> Result<MemoryTransaction, StoreError> {
        self.inner.begin().await
    }
}

/// The verb and the table of a statement.
fn label(sql: &str) -> String {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let verb = words.first().copied().unwrap_or_default();
    let introduces: &[&str] = if verb == "UPDATE" {
        &["UPDATE"]
    } else {
        &["INTO", "FROM"]
    };
    let table = words.windows(2).find(|pair| introduces.contains(&pair[0]));
    format!("{verb} {}", table.map_or("?", |pair| pair[1]))
}
