//! Databases that do something between two statements: fail, or let others go first.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;

use scaigate_types::{Database, Query, Row, StoreError, Value};

/// Fails one statement, counted from 1.
pub struct Failing<'a, D> {
    db: &'a D,
    left: Cell<u32>,
}

impl<'a, D> Failing<'a, D> {
    /// Lets the `n`-th statement fail, and no other.
    pub const fn at(db: &'a D, n: u32) -> Self {
        Self {
            db,
            left: Cell::new(n),
        }
    }
}

impl<D: Database> Query for Failing<'_, D> {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        if left == 1 {
            Err(StoreError::Unavailable)
        } else {
            self.db.query(sql, parameters).await
        }
    }
}

impl<D: Database> Database for Failing<'_, D> {
    type Transaction = D::Transaction;

    async fn begin(&self) -> Result<D::Transaction, StoreError> {
        self.db.begin().await
    }
}

/// Waits for somebody else after the first statement.
pub struct Interposed<'a, D, F> {
    db: &'a D,
    act: Cell<Option<F>>,
}

impl<'a, D, F> Interposed<'a, D, F> {
    /// Lets `act` happen between the first statement and the second.
    pub const fn after_first(db: &'a D, act: F) -> Self {
        Self {
            db,
            act: Cell::new(Some(act)),
        }
    }
}

impl<D: Database, F: Future<Output = Result<(), StoreError>>> Query for Interposed<'_, D, F> {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        let rows = self.db.query(sql, parameters).await;
        if let Some(act) = self.act.take() {
            act.await?;
        }
        rows
    }
}

impl<D: Database, F: Future<Output = Result<(), StoreError>>> Database for Interposed<'_, D, F> {
    type Transaction = D::Transaction;

    async fn begin(&self) -> Result<D::Transaction, StoreError> {
        self.db.begin().await
    }
}

/// Lets everybody else go on before each statement.
pub struct GivingWay<'a, D>(pub &'a D);

impl<D: Database> Query for GivingWay<'_, D> {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut waited = false;
        poll_fn(|context| {
            if waited {
                return Poll::Ready(());
            }
            waited = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        self.0.query(sql, parameters).await
    }
}

impl<D: Database> Database for GivingWay<'_, D> {
    type Transaction = D::Transaction;

    async fn begin(&self) -> Result<D::Transaction, StoreError> {
        self.0.begin().await
    }
}
