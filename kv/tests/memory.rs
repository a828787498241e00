//! The stores in memory pass the contract suite, and what only they can do: fail at every call.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends here"
)]

use std::collections::BTreeSet;

use futures_executor::block_on;
use scaigate_kv::contract::{self, CASES, Outcome, Stores};
use scaigate_kv::memory::{MemoryDatabase, MemoryKv, MemoryTransaction};
use scaigate_kv::schema::{VERSION, migrate};
use scaigate_types::{Database, Query, Row, StoreError, Value};

fn empty() -> MemoryDatabase {
    MemoryDatabase::new().expect("SQLite in memory")
}

/// Names of the tables of a database.
fn tables(db: &MemoryDatabase) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let rows = block_on(db.query(sql, &[])).expect("the schema");
    rows.iter()
        .map(|row| row.text(0).expect("a name").to_owned())
        .collect()
}

fn failures(outcomes: &[Outcome]) -> Vec<String> {
    outcomes
        .iter()
        .filter_map(|outcome| {
            outcome
                .failure
                .as_ref()
                .map(|failure| format!("{}: {failure}", outcome.name))
        })
        .collect()
}

#[test]
fn every_case_passes_on_fresh_stores() {
    for name in CASES {
        let (kv, db) = (MemoryKv::default(), empty());
        // Cases of the schema begin without one.
        if !name.starts_with("schema_versions::") {
            block_on(migrate(&db)).expect("a schema");
        }
        let other = db.connect().expect("a second connection");
        let stores = Stores {
            kv: &kv,
            db: &db,
            other: &other,
            prefix: "fresh",
        };
        let outcome = block_on(contract::run_case(name, &stores)).expect("a known case");
        assert_eq!(failures(&[outcome]), Vec::<String>::new());
    }
}

#[test]
fn every_case_passes_on_shared_stores() {
    let (kv, db) = (MemoryKv::default(), empty());
    block_on(migrate(&db)).expect("a schema");
    let other = db.connect().expect("a second connection");
    for prefix in ["one", "two"] {
        let stores = Stores {
            kv: &kv,
            db: &db,
            other: &other,
            prefix,
        };
        let outcomes = block_on(contract::run(&stores));
        assert_eq!(outcomes.len(), CASES.len());
        assert_eq!(failures(&outcomes), Vec::<String>::new());
    }
}

#[test]
fn names_of_cases_are_unique_and_nothing_else_runs() {
    let unique: BTreeSet<_> = CASES.iter().collect();
    assert_eq!(unique.len(), CASES.len());
    let (kv, db) = (MemoryKv::default(), empty());
    let stores = Stores {
        kv: &kv,
        db: &db,
        other: &db,
        prefix: "unknown",
    };
    assert_eq!(
        block_on(contract::run_case("key_value::unknown", &stores)),
        None
    );
}

#[test]
fn a_store_that_misbehaves_is_found_out() {
    let (kv, db) = (MemoryKv::default(), empty());
    block_on(migrate(&db)).expect("a schema");
    // One that forgets that a code was claimed.
    let sql = "CREATE TRIGGER forgetful AFTER INSERT ON redeemed_code
               BEGIN DELETE FROM redeemed_code; END";
    block_on(db.query(sql, &[])).expect("a trigger");
    let stores = Stores {
        kv: &kv,
        db: &db,
        other: &db,
        prefix: "lying",
    };
    for name in [
        "redeemed_codes::is_claimed_once",
        "interleaved::one_claims_a_code",
    ] {
        let outcome = block_on(contract::run_case(name, &stores)).expect("a known case");
        assert!(outcome.failure.is_some(), "{name}");
    }
}

/// A migration that fails at any of its calls leaves the database as it was, and the next one
/// brings it to the end.
#[test]
fn a_migration_cut_short_leaves_nothing() {
    let db = empty();
    block_on(migrate(&db)).expect("a schema");
    let calls = {
        let counted = empty();
        counted.failing.heal();
        block_on(migrate(&counted)).expect("a schema");
        counted.failing.heal()
    };
    let complete = tables(&db);
    assert!(calls > 20, "{calls}");
    for call in 1..=calls {
        let db = empty();
        db.failing.fail_at(call);
        let outcome = block_on(migrate(&db));
        db.failing.heal();
        match outcome {
            // What may fail without harm: looking, and asking for a journal.
            Ok(()) => assert_eq!(tables(&db), complete, "call {call}"),
            Err(error) => {
                assert_eq!(error, StoreError::Unavailable);
                assert_eq!(tables(&db), Vec::<String>::new(), "call {call}");
            }
        }
        block_on(migrate(&db)).unwrap_or_else(|error| panic!("after call {call}: {error}"));
        assert_eq!(tables(&db), complete);
    }
}

/// A database that another instance brings up to date while this one waits for it in vain.
struct Overtaken(MemoryDatabase);

impl Query for Overtaken {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.0.query(sql, parameters).await
    }
}

impl Database for Overtaken {
    type Transaction = MemoryTransaction;

    async fn begin(&self) -> Result<MemoryTransaction, StoreError> {
        migrate(&self.0).await?;
        Err(StoreError::Busy)
    }
}

#[test]
fn a_migration_that_another_instance_has_done_is_done() {
    assert_eq!(block_on(migrate(&Overtaken(empty()))), Ok(()));

    // The version is read in vain at first, then inside the transaction.
    let db = empty();
    block_on(migrate(&db)).expect("a schema");
    db.failing.fail_at(1);
    assert_eq!(block_on(migrate(&db)), Ok(()));
    db.failing.heal();

    let busy = empty();
    let transaction = block_on(busy.begin()).expect("a transaction");
    assert_eq!(block_on(migrate(&busy)), Err(StoreError::Busy));
    drop(transaction);
    assert_eq!(block_on(migrate(&busy)), Ok(()));
}

#[test]
fn a_schema_of_another_world_is_refused() {
    for (version, expected) in [
        ("-1", StoreError::Corrupt),
        (&(VERSION + 1).to_string(), StoreError::SchemaNewer),
        (&i64::MAX.to_string(), StoreError::SchemaNewer),
    ] {
        let db = empty();
        for sql in [
            "CREATE TABLE schema_version (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)",
            &format!("INSERT INTO schema_version VALUES (1, {version})"),
        ] {
            block_on(db.query(sql, &[])).expect("a version");
        }
        assert_eq!(block_on(migrate(&db)), Err(expected), "{version}");
        assert_eq!(tables(&db), ["schema_version"], "{version}");
    }
}

#[test]
fn a_writer_is_told_that_another_one_writes() {
    let db = empty();
    block_on(migrate(&db)).expect("a schema");
    let transaction = block_on(db.begin()).expect("a transaction");
    assert!(matches!(block_on(db.begin()), Err(StoreError::Busy)));
    drop(transaction);
    assert!(block_on(db.begin()).is_ok());
}
