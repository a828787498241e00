//! Databases of earlier releases come to the schema of a new one, with their rows.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends here"
)]

use futures_executor::block_on;
use scaigate_kv::memory::MemoryDatabase;
use scaigate_kv::schema::{VERSION, migrate};
use scaigate_types::{Query, Row, StoreError};

/// A schema version as it was released, with rows of that time.
struct Release {
    version: i64,
    schema: &'static str,
    /// One row in each table.
    rows: &'static [&'static str],
    /// Each table in the columns of that version.
    tables: &'static [&'static str],
}

const RELEASES: &[Release] = &[
    Release {
        version: 1,
        schema: include_str!("schema/1.sql"),
        rows: ROWS_OF_1,
        tables: TABLES_OF_1,
    },
    Release {
        version: 2,
        schema: include_str!("schema/2.sql"),
        rows: ROWS_OF_2,
        tables: TABLES_OF_2,
    },
];

const ROWS_OF_1: &[&str] = &[
    "INSERT INTO tenant (tenant_id, created_at) VALUES ('tnt_1', 1)",
    "INSERT INTO person (person_id, issuer, subject, tenant_id, email, status, admin_role,
                         admin_role_source, created_at, last_seen_at)
          VALUES ('per_1', 'https://scaikey.test', 'subject', 'tnt_1', 'a@b.test', 'suspended',
                  'super_admin', 'bootstrap', 1, 1)",
    "INSERT INTO workspace (workspace_id, tenant_id, name, kind, created_by, created_at)
          VALUES ('ws_1', 'tnt_1', 'Default', 'default', 'per_1', 1)",
    "INSERT INTO workspace (workspace_id, tenant_id, name, kind, created_by, created_at)
          VALUES ('ws_2', 'tnt_1', 'Shared', 'shared', 'per_1', 1)",
    "INSERT INTO membership VALUES ('per_1', 'ws_1', 'admin', 1, NULL)",
    "INSERT INTO pending_login VALUES ('state', 'browser', x'00', 1, 2, NULL)",
    "INSERT INTO redeemed_code VALUES ('code', 2)",
    "INSERT INTO session (sid, person_id, tenant_id, workspace_id, created_at, expires_at,
                          code_consumed_at, generation, scaikey_sid, scaikey_tokens)
          VALUES ('ses_1', 'per_1', 'tnt_1', 'ws_1', 1, 9, 1, 3, 'scaikey', x'01')",
    "INSERT INTO upstream_refresh VALUES ('token', 'owner', 2, 1, NULL, 2)",
    "INSERT INTO upstream_grant VALUES ('token', 'https://scaikey.test', 'subject', 1, NULL, 2)",
];

const TABLES_OF_1: &[&str] = &[
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
];

const ROWS_OF_2: &[&str] = &[
    "INSERT INTO tenant (tenant_id, created_at) VALUES ('tnt_1', 1)",
    "INSERT INTO person (person_id, issuer, subject, tenant_id, email, name, admin_role,
                         admin_role_source, created_at, last_seen_at)
          VALUES ('per_1', 'https://scaikey.test', 'subject', 'tnt_1', 'a@b.test', 'A', 'tenant_admin',
                  'manual', 1, 1)",
    "INSERT INTO workspace VALUES ('ws_1', 'tnt_1', 'Own', 'personal', 'per_1', 1, 'Mine', 2)",
    "INSERT INTO membership VALUES ('per_1', 'ws_1', 'admin', 1, NULL)",
    "INSERT INTO pending_login VALUES ('state', 'browser', x'00', 1, 2, NULL)",
    "INSERT INTO redeemed_code VALUES ('code', 2)",
    "INSERT INTO session (sid, person_id, tenant_id, workspace_id, created_at, expires_at,
                          code_consumed_at, generation, scaikey_sid, scaikey_tokens, narrowed_at)
          VALUES ('ses_1', 'per_1', 'tnt_1', 'ws_1', 1, 9, 1, 3, 'scaikey', x'01', 5)",
    "INSERT INTO upstream_refresh VALUES ('token', 'owner', 2, 1, NULL, 2)",
    "INSERT INTO upstream_grant VALUES ('token', 'https://scaikey.test', 'subject', 1, NULL, 2)",
    "INSERT INTO logout_token VALUES ('token', 2)",
    "INSERT INTO key_search VALUES ('keys', 2)",
    "INSERT INTO exchanged_token VALUES ('name', x'02', 2)",
];

const TABLES_OF_2: &[&str] = &[
    "tenant_id, created_at FROM tenant",
    "person_id, issuer, subject, tenant_id, email, name, status, admin_role, admin_role_source,
     created_at, last_seen_at FROM person",
    "workspace_id, tenant_id, name, kind, created_by, created_at, description, updated_at
       FROM workspace",
    "* FROM membership",
    "* FROM pending_login",
    "* FROM redeemed_code",
    "sid, person_id, tenant_id, workspace_id, created_at, expires_at, code_hash, code_challenge,
     code_expires_at, code_consumed_at, generation, rotated_from, rotated_at, ended_at,
     end_reason, revocation_forgotten, scaikey_sid, scaikey_tokens, narrowed_at FROM session",
    "* FROM upstream_refresh",
    "* FROM upstream_grant",
    "* FROM logout_token",
    "* FROM key_search",
    "* FROM exchanged_token",
];

fn empty() -> MemoryDatabase {
    MemoryDatabase::new().expect("SQLite in memory")
}

fn run(db: &MemoryDatabase, sql: &str) -> Vec<Row> {
    block_on(db.query(sql, &[])).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The whole schema of a database, as SQL.
fn definitions(db: &MemoryDatabase) -> Vec<Row> {
    run(
        db,
        "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name",
    )
}

fn version(db: &MemoryDatabase) -> i64 {
    let rows = run(db, "SELECT version FROM schema_version");
    rows.first().expect("one row").integer(0).expect("a number")
}

impl Release {
    /// A database as this version left it.
    fn database(&self) -> MemoryDatabase {
        let db = empty();
        run(
            &db,
            "CREATE TABLE schema_version (
            one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL) STRICT",
        );
        let version = self.version;
        run(
            &db,
            &format!("INSERT INTO schema_version VALUES (1, {version})"),
        );
        let schema = self.schema.trim_end().trim_end_matches(';').split(';');
        for sql in schema.chain(self.rows.iter().copied()) {
            run(&db, sql);
        }
        db
    }

    /// The rows of every table it had.
    fn rows(&self, db: &MemoryDatabase) -> Vec<Vec<Row>> {
        let tables = self.tables.iter();
        let rows = tables.map(|columns| run(db, &format!("SELECT {columns}")));
        rows.inspect(|rows| assert!(!rows.is_empty())).collect()
    }

    /// That no table of it is left out of [`Release::tables`].
    fn has_all_tables(&self, db: &MemoryDatabase) {
        let named = run(
            db,
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'schema_version'",
        );
        for row in &named {
            let end = format!("FROM {}", row.text(0).expect("a name"));
            assert!(
                self.tables.iter().any(|table| table.ends_with(&end)),
                "{end}"
            );
        }
        assert_eq!(named.len(), self.tables.len());
    }
}

/// Whichever call of the way there fails, the database is as it was, or as it is to be.
#[test]
fn every_release_is_brought_up_to_date_with_its_rows() {
    let fresh = empty();
    block_on(migrate(&fresh)).expect("a schema");
    let wanted = definitions(&fresh);
    for release in RELEASES {
        let old = release.database();
        release.has_all_tables(&old);
        let (before, rows) = (definitions(&old), release.rows(&old));
        old.failing.heal();
        block_on(migrate(&old)).expect("an upgrade");
        let calls = old.failing.heal();
        assert!(calls > 10, "{calls}");
        assert_eq!(definitions(&old), wanted);
        assert_eq!(release.rows(&old), rows);

        for call in 1..=calls {
            let db = release.database();
            db.failing.fail_at(call);
            let outcome = block_on(migrate(&db));
            db.failing.heal();
            match outcome {
                // What may fail without harm: looking, and asking for a journal.
                Ok(()) => assert_eq!(version(&db), VERSION, "call {call}"),
                Err(error) => {
                    assert_eq!(error, StoreError::Unavailable);
                    assert_eq!(version(&db), release.version, "call {call}");
                    assert_eq!(definitions(&db), before, "call {call}");
                }
            }
            assert_eq!(release.rows(&db), rows, "call {call}");
            block_on(migrate(&db)).unwrap_or_else(|error| panic!("after call {call}: {error}"));
            assert_eq!(definitions(&db), wanted, "call {call}");
            assert_eq!(release.rows(&db), rows, "call {call}");
        }
    }
}

/// Whoever was there stays somebody who may act, and nothing is told that did not happen.
#[test]
fn people_of_earlier_releases_may_act_as_before() {
    for release in RELEASES {
        let db = release.database();
        let before = run(&db, "SELECT person_id FROM person WHERE status = 'active'");
        block_on(migrate(&db)).expect("an upgrade");
        let after = run(&db, "SELECT person_id FROM active_person");
        assert_eq!(after, before, "version {}", release.version);
        assert_eq!(run(&db, "SELECT * FROM change_log"), []);
        let sql = "SELECT 1 FROM person WHERE synced_at IS NOT NULL OR deleted_at IS NOT NULL";
        assert_eq!(run(&db, sql), []);
    }
}
