//! The stores in files pass the contract suite, keep what they are given, and open nothing that is
//! not theirs.
#![expect(clippy::expect_used, reason = "a test that cannot go on ends here")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_executor::block_on;
use scaigate_kv::contract::{self, CASES, Stores};
use scaigate_kv::file::{FileDatabase, FileKv, OpenError};
use scaigate_kv::memory::MemoryDatabase;
use scaigate_kv::schema::{VERSION, migrate};
use scaigate_types::{Database, Kv, Query, StoreError, Transaction};

/// A folder of its own, removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kv-file-{name}"));
        // Left by a run that was cut short, or not there.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// Where a database with the rows of `memory` is now.
    fn file_of(&self, memory: &MemoryDatabase, name: &str) -> PathBuf {
        let path = self.0.join(name);
        // The source is in no file system; the copy is to be in the machine's.
        let uri = format!("file:{}?vfs=unix", path.to_str().expect("a path of text"));
        block_on(memory.query("VACUUM INTO ?1", &[uri.into()])).expect("a file");
        path
    }

    fn database(&self) -> PathBuf {
        let memory = MemoryDatabase::new().expect("SQLite in memory");
        block_on(migrate(&memory)).expect("a schema");
        self.file_of(&memory, "sqlite_db.db")
    }

    fn key_value(&self) -> PathBuf {
        self.of_statements(
            "sqlite_key_value.db",
            &[
                "CREATE TABLE spin_key_value (store TEXT NOT NULL, key TEXT NOT NULL,
                 value BLOB NOT NULL, PRIMARY KEY (store, key))",
            ],
        )
    }

    fn of_statements(&self, name: &str, statements: &[&str]) -> PathBuf {
        let memory = MemoryDatabase::new().expect("SQLite in memory");
        for sql in statements {
            block_on(memory.query(sql, &[])).expect("a statement");
        }
        self.file_of(&memory, name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

// Whom a statement would wait for runs on the same thread.
fn open(path: &Path) -> FileDatabase {
    FileDatabase::open(path, Duration::ZERO).expect("a database")
}

#[test]
fn every_case_passes() {
    let folder = Folder::new("suite");
    let path = folder.database();
    let kv = FileKv::open(&folder.key_value(), Duration::ZERO).expect("a store");
    let (db, other) = (open(&path), open(&path));
    block_on(db.query("PRAGMA journal_mode = WAL", &[])).expect("a journal");
    let stores = Stores {
        kv: &kv,
        db: &db,
        other: &other,
        prefix: "file",
    };
    let outcomes = block_on(contract::run(&stores));
    assert_eq!(outcomes.len(), CASES.len());
    let failures: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| Some(format!("{}: {}", outcome.name, outcome.failure.as_ref()?)))
        .collect();
    assert_eq!(failures, Vec::<String>::new());
}

#[test]
fn what_is_committed_is_in_the_file_and_nothing_else() {
    let folder = Folder::new("commit");
    let path = folder.database();
    let insert = |id: &str| format!("INSERT INTO redeemed_code VALUES ('{id}', 1)");
    let db = open(&path);
    block_on(async {
        let tx = db.begin().await?;
        tx.query(&insert("kept"), &[]).await?;
        tx.commit().await?;
        let tx = db.begin().await?;
        tx.query(&insert("dropped"), &[]).await?;
        Ok::<_, StoreError>(())
    })
    .expect("statements");
    drop(db);
    let rows = block_on(open(&path).query("SELECT code_hash FROM redeemed_code", &[]));
    let rows = rows.expect("rows");
    let codes: Vec<_> = rows.iter().map(|row| row.text(0)).collect();
    assert_eq!(codes, [Ok("kept")]);
}

#[test]
fn a_key_is_read_where_spin_keeps_it() {
    let folder = Folder::new("keys");
    let path = folder.of_statements(
        "sqlite_key_value.db",
        &[
            "CREATE TABLE spin_key_value (store TEXT NOT NULL, key TEXT NOT NULL,
               value BLOB NOT NULL, PRIMARY KEY (store, key))",
            "INSERT INTO spin_key_value VALUES ('default', 'k', x'01'), ('other', 'l', x'02')",
        ],
    );
    let kv = FileKv::open(&path, Duration::ZERO).expect("a store");
    assert_eq!(block_on(kv.get("k")), Ok(Some(vec![1])));
    assert_eq!(block_on(kv.get("l")), Ok(None));
}

#[test]
fn a_writer_is_told_that_another_one_writes() {
    let folder = Folder::new("busy");
    let path = folder.database();
    let (one, other) = (open(&path), open(&path));
    let transaction = block_on(one.begin()).expect("a transaction");
    assert!(matches!(block_on(other.begin()), Err(StoreError::Busy)));
    drop(transaction);
    assert!(block_on(other.begin()).is_ok());
}

#[test]
fn nothing_is_opened_that_is_not_there_or_not_ours() {
    let folder = Folder::new("foreign");
    let database = |path: &Path| FileDatabase::open(path, Duration::ZERO).map(|_| ());
    let key_value = |path: &Path| FileKv::open(path, Duration::ZERO).map(|_| ());

    let missing = folder.0.join("missing.db");
    assert_eq!(database(&missing), Err(OpenError::Missing));
    assert_eq!(key_value(&missing), Err(OpenError::Missing));
    assert!(!missing.exists(), "opening makes no file");
    assert_eq!(database(&folder.0), Err(OpenError::Missing));

    let text = folder.0.join("text.db");
    std::fs::write(
        &text,
        "no database, but long enough to be taken for one ".repeat(40),
    )
    .expect("a file");
    assert_eq!(database(&text), Err(OpenError::Foreign));
    assert_eq!(key_value(&text), Err(OpenError::Foreign));

    let (ours, keys) = (folder.database(), folder.key_value());
    assert_eq!(database(&keys), Err(OpenError::Foreign));
    assert_eq!(key_value(&ours), Err(OpenError::Foreign));
    assert_eq!(database(&ours), Ok(()));
    assert_eq!(key_value(&keys), Ok(()));
}

#[test]
fn a_schema_of_another_version_is_told_and_left_alone() {
    let folder = Folder::new("versions");
    for (version, expected) in [
        (VERSION - 1, OpenError::SchemaOlder(VERSION - 1)),
        (VERSION + 1, OpenError::SchemaNewer(VERSION + 1)),
    ] {
        let path = folder.of_statements(
            &format!("{version}.db"),
            &[
                "CREATE TABLE schema_version (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)",
                &format!("INSERT INTO schema_version VALUES (1, {version})"),
            ],
        );
        let before = std::fs::read(&path).expect("the file");
        let opened = FileDatabase::open(&path, Duration::ZERO).map(|_| ());
        assert_eq!(opened, Err(expected));
        assert_eq!(std::fs::read(&path).expect("the file"), before);
    }
}
