//! The ports of a sync to which something else may happen between any two calls.

use std::rc::Rc;

use bytes::Bytes;
use http::{Request, Response, header};
use scaigate_kv::memory::MemoryTransaction;
use scaigate_signin::{Memory, Ports};
use scaigate_simulated::{ManualClock, Seeded};
use scaigate_types::{Database, Limits, Outbound, OutboundError, Query, Row, StoreError, Value};

use super::life::Life;
use crate::world::stores::ShakyKv;

/// The ports.
pub struct Disturbed {
    life: Rc<Life>,
    db: DisturbedDatabase,
    scaikey: DisturbedScaikey,
}

impl Disturbed {
    pub fn new(life: Rc<Life>) -> Self {
        Self {
            db: DisturbedDatabase(Rc::clone(&life)),
            scaikey: DisturbedScaikey(Rc::clone(&life)),
            life,
        }
    }
}

/// The database.
pub struct DisturbedDatabase(Rc<Life>);

impl Query for DisturbedDatabase {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.0.meanwhile(10).await;
        self.0.world.db.inner.query(sql, parameters).await
    }
}

impl Database for DisturbedDatabase {
    // Whoever writes waits for its end.
    type Transaction = MemoryTransaction;

    async fn begin(&self) -> Result<MemoryTransaction, StoreError> {
        self.0.meanwhile(30).await;
        self.0.world.db.inner.begin().await
    }
}

/// ScaiKey.
pub struct DisturbedScaikey(Rc<Life>);

impl Outbound for DisturbedScaikey {
    async fn send(
        &self,
        request: Request<Bytes>,
        limits: Limits,
    ) -> Result<Response<Bytes>, OutboundError> {
        self.0.meanwhile(50).await;
        let scaikey = &self.0.world.scaikey;
        let mut answer = scaikey.send(request, limits).await?;
        // It was read; it is dated when it leaves.
        self.0.meanwhile(50).await;
        let nowhere = Request::get("/nowhere").body(Bytes::new()).unwrap();
        let now = scaikey.emulator.answer(nowhere).await.unwrap();
        if let Some(date) = now.headers().get(header::DATE) {
            answer.headers_mut().insert(header::DATE, date.clone());
        }
        Ok(answer)
    }
}

impl Ports for Disturbed {
    type Clock = ManualClock;
    type Entropy = Seeded;
    type Kv = ShakyKv;
    type Database = DisturbedDatabase;
    type Outbound = DisturbedScaikey;

    fn clock(&self) -> &ManualClock {
        &self.life.world.clock
    }
    fn entropy(&self) -> &Seeded {
        &self.life.random
    }
    fn kv(&self) -> &ShakyKv {
        &self.life.world.kv
    }
    fn db(&self) -> &DisturbedDatabase {
        &self.db
    }
    fn outbound(&self) -> &DisturbedScaikey {
        &self.scaikey
    }
    fn memory(&self) -> &Memory {
        Ports::memory(&self.life.world)
    }
}
