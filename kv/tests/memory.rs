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

/// The whole schema of a database, as SQL.
fn definitions(db: &MemoryDatabase) -> Vec<Row> {
    let sql = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name";
    block_on(db.query(sql, &[])).expect("the schema")
}

/// A database as version 1 left it, with a row in each table.
fn of_version_1() -> MemoryDatabase {
    let db = empty();
    let rows = "
        CREATE TABLE schema_version (
            one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL) STRICT;
        INSERT INTO schema_version VALUES (1, 1);
        INSERT INTO tenant VALUES ('tnt_1', 1);
        INSERT INTO person (person_id, issuer, subject, tenant_id, created_at, last_seen_at)
             VALUES ('per_1', 'https://scaikey.test', 'subject', 'tnt_1', 1, 1);
        INSERT INTO workspace VALUES ('ws_1', 'tnt_1', 'Default', 'default', 'per_1', 1);
        INSERT INTO workspace VALUES ('ws_2', 'tnt_1', 'Shared', 'shared', 'per_1', 1);
        INSERT INTO membership VALUES ('per_1', 'ws_1', 'admin', 1, NULL);
        INSERT INTO pending_login VALUES ('state', 'browser', x'00', 1, 2, NULL);
        INSERT INTO redeemed_code VALUES ('code', 2);
        INSERT INTO session (sid, person_id, tenant_id, workspace_id, created_at, expires_at,
                             code_consumed_at, generation, scaikey_sid, scaikey_tokens)
             VALUES ('ses_1', 'per_1', 'tnt_1', 'ws_1', 1, 9, 1, 3, 'scaikey', x'01');
        INSERT INTO upstream_refresh VALUES ('token', 'owner', 2, 1, NULL, 2);
        INSERT INTO upstream_grant VALUES ('token', 'https://scaikey.test', 'subject', 1, NULL, 2)";
    for sql in format!("{}{rows}", include_str!("schema/1.sql")).split(';') {
        block_on(db.query(sql, &[])).expect("version 1");
    }
    db
}

/// The rows of a table in the columns of version 1.
fn rows_of_version_1(db: &MemoryDatabase) -> Vec<Vec<Row>> {
    [
        "tenant_id, created_at FROM tenant",
        "person_id, issuer, subject, tenant_id, email, name, status, admin_role, admin_role_source,
         created_at, last_seen_at FROM person",
        "workspace_id, tenant_id, name, kind, created_by, created_at FROM workspace",
        "* FROM membership",
        "* FROM pending_login",
        "* FROM redeemed_code",
        "sid, person_id, tenant_id, workspace_id, created_at, expires_at, code_hash, code_challenge,
         code_expires_at, code_consumed_at, generation, rotated_from, rotated_at, ended_at,
         end_reason, revocation_forgotten, scaikey_sid, scaikey_tokens FROM session",
        "* FROM upstream_refresh",
        "* FROM upstream_grant",
    ]
    .into_iter()
    .map(|columns| {
        let rows = block_on(db.query(&format!("SELECT {columns}"), &[])).expect("rows");
        assert!(!rows.is_empty(), "{columns}");
        rows
    })
    .collect()
}

fn version(db: &MemoryDatabase) -> i64 {
    let rows = block_on(db.query("SELECT version FROM schema_version", &[])).expect("a version");
    rows.first().expect("one row").integer(0).expect("a number")
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

/// Every release's database comes to the same schema as a new one, with its rows, whichever call of
/// the way there fails.
#[test]
fn version_1_is_brought_up_to_date_with_its_rows() {
    let fresh = empty();
    block_on(migrate(&fresh)).expect("a schema");
    let wanted = definitions(&fresh);

    let old = of_version_1();
    let (before, rows) = (definitions(&old), rows_of_version_1(&old));
    old.failing.heal();
    block_on(migrate(&old)).expect("an upgrade");
    let calls = old.failing.heal();
    assert!(calls > 10, "{calls}");
    assert_eq!(definitions(&old), wanted);
    assert_eq!(rows_of_version_1(&old), rows);

    for call in 1..=calls {
        let db = of_version_1();
        db.failing.fail_at(call);
        let outcome = block_on(migrate(&db));
        db.failing.heal();
        match outcome {
            // What may fail without harm: looking, and asking for a journal.
            Ok(()) => assert_eq!(version(&db), VERSION, "call {call}"),
            Err(error) => {
                assert_eq!(error, StoreError::Unavailable);
                assert_eq!(version(&db), 1, "call {call}");
                assert_eq!(definitions(&db), before, "call {call}");
            }
        }
        assert_eq!(rows_of_version_1(&db), rows, "call {call}");
        block_on(migrate(&db)).unwrap_or_else(|error| panic!("after call {call}: {error}"));
        assert_eq!(definitions(&db), wanted, "call {call}");
        assert_eq!(rows_of_version_1(&db), rows, "call {call}");
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
