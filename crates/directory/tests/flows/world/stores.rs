//! The stores in memory, with calls that go wrong.

use std::rc::Rc;

use scaigate_kv::memory::{MemoryDatabase, MemoryKv, MemoryTransaction};
use scaigate_simulated::Plan;
use scaigate_types::{Database, Kv, Query, Row, StoreError, Transaction, Value};

/// How a call of a store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// The store never saw it.
    Lost,
    /// The store did it, and its answer was lost.
    Unanswered,
}

/// Every way in which a call fails.
pub const STORE_FAULTS: [StoreFault; 2] = [StoreFault::Lost, StoreFault::Unanswered];

/// What a call comes to: `call` is made unless it is lost.
async fn outcome<T>(
    fault: Option<StoreFault>,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match fault {
        None => call.await,
        Some(StoreFault::Lost) => Err(StoreError::Unavailable),
        Some(StoreFault::Unanswered) => call.await.and(Err(StoreError::Busy)),
    }
}

/// The key-value store.
#[derive(Default)]
pub struct ShakyKv {
    /// The store itself, without what may go wrong.
    pub inner: MemoryKv,
    /// What every store was asked, in order, and which call goes wrong.
    pub plan: Rc<Plan<StoreFault>>,
}

/// The database.
pub struct ShakyDatabase {
    /// The database itself, without what may go wrong.
    pub inner: MemoryDatabase,
    /// As that of the key-value store.
    pub plan: Rc<Plan<StoreFault>>,
}

/// A transaction whose every call may go wrong.
pub struct ShakyTransaction {
    inner: MemoryTransaction,
    plan: Rc<Plan<StoreFault>>,
}

impl Kv for ShakyKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        outcome(self.plan.next("kv get"), self.inner.get(key)).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        outcome(self.plan.next("kv set"), self.inner.set(key, value)).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        outcome(self.plan.next("kv delete"), self.inner.delete(key)).await
    }
}

impl Query for ShakyDatabase {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        outcome(self.plan.next(verb(sql)), self.inner.query(sql, parameters)).await
    }
}

impl Database for ShakyDatabase {
    type Transaction = ShakyTransaction;

    async fn begin(&self) -> Result<ShakyTransaction, StoreError> {
        // One that was begun and whose answer was lost is undone, as one never begun.
        let inner = outcome(self.plan.next("BEGIN"), self.inner.begin()).await?;
        Ok(ShakyTransaction {
            inner,
            plan: Rc::clone(&self.plan),
        })
    }
}

impl Query for ShakyTransaction {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        outcome(self.plan.next(verb(sql)), self.inner.query(sql, parameters)).await
    }
}

impl Transaction for ShakyTransaction {
    async fn commit(self) -> Result<(), StoreError> {
        outcome(self.plan.next("COMMIT"), self.inner.commit()).await
    }
}

fn verb(sql: &str) -> &str {
    sql.split_whitespace().next().unwrap_or_default()
}
