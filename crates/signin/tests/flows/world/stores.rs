//! The stores in memory, with calls that go wrong and with other requests between any two calls.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use scaigate_kv::memory::{MemoryDatabase, MemoryKv, MemoryTransaction};
use scaigate_simulated::{Plan, Seeded};
use scaigate_types::{Database, Kv, Query, Row, StoreError, Transaction, Value};

use super::clock::give_way;

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
    pub plan: Rc<Plan<StoreFault>>,
    order: Rc<Seeded>,
    /// Whether a transaction is open. Everybody else waits, as SQLite's busy handler would.
    writing: Rc<Writing>,
}

/// A transaction whose every call may go wrong.
pub struct ShakyTransaction {
    inner: MemoryTransaction,
    plan: Rc<Plan<StoreFault>>,
    order: Rc<Seeded>,
    lock: Lock,
}

/// Whether somebody writes, and who waits for the end of it.
#[derive(Default)]
struct Writing {
    is_under_way: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Writing {
    async fn ended(&self) {
        poll_fn(|context| {
            if !self.is_under_way.get() {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Lets the others in when it goes.
struct Lock(Rc<Writing>);

impl Drop for Lock {
    fn drop(&mut self) {
        self.0.is_under_way.set(false);
        for waiting in self.0.waiting.take() {
            waiting.wake();
        }
    }
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
            plan: Rc::default(),
            order,
            writing: Rc::default(),
        }
    }

    async fn enter(&self) {
        give_way(self.order.next() % 3).await;
        self.writing.ended().await;
    }
}

impl Query for ShakyDatabase {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.enter().await;
        match self.plan.next(label(sql)) {
            Some(StoreFault::Lost(error)) => Err(error),
            fault => StoreFault::outcome(fault, self.inner.query(sql, parameters).await),
        }
    }
}

impl Database for ShakyDatabase {
    type Transaction = ShakyTransaction;

    async fn begin(&self) -> Result<ShakyTransaction, StoreError> {
        self.enter().await;
        // One that was begun and whose answer was lost is undone, as one never begun.
        if let Some(StoreFault::Lost(error) | StoreFault::Unanswered(error)) =
            self.plan.next("BEGIN")
        {
            return Err(error);
        }
        self.writing.is_under_way.set(true);
        let lock = Lock(Rc::clone(&self.writing));
        Ok(ShakyTransaction {
            inner: self.inner.begin().await?,
            plan: Rc::clone(&self.plan),
            order: Rc::clone(&self.order),
            lock,
        })
    }
}

impl Query for ShakyTransaction {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        give_way(self.order.next() % 3).await;
        match self.plan.next(label(sql)) {
            Some(StoreFault::Lost(error)) => Err(error),
            fault => StoreFault::outcome(fault, self.inner.query(sql, parameters).await),
        }
    }
}

impl Transaction for ShakyTransaction {
    async fn commit(self) -> Result<(), StoreError> {
        let Self {
            inner,
            plan,
            order,
            lock,
        } = self;
        give_way(order.next() % 3).await;
        let outcome = match plan.next("COMMIT") {
            Some(StoreFault::Lost(error)) => Err(error),
            fault => StoreFault::outcome(fault, inner.commit().await),
        };
        drop(lock);
        outcome
    }
}

/// The verb and the table of a statement.
fn label(sql: &str) -> String {
    // What is in parentheses are columns, or another statement's table.
    let mut depth = 0_i32;
    let outside: String = sql
        .chars()
        .filter(|c| {
            depth += i32::from(*c == '(') - i32::from(*c == ')');
            depth == 0 && *c != ')'
        })
        .collect();
    let words: Vec<&str> = outside.split_whitespace().collect();
    let verb = words.first().copied().unwrap_or_default();
    let introduces: &[&str] = if verb == "UPDATE" {
        &["UPDATE"]
    } else {
        &["INTO", "FROM", "JOIN"]
    };
    let introduces = |word: &str| introduces.contains(&word);
    let table = words
        .windows(2)
        .find(|pair| introduces(pair[0]) && pair[1] != "LEFT");
    format!("{verb} {}", table.map_or("?", |pair| pair[1]))
}
