//! Key-value store and database.

use http::StatusCode;
use scaigate_host::State;

use crate::client::{ok, probe};
use crate::setup::{MANIFEST, host, options, start};

#[tokio::test]
async fn key_value_pairs_are_set_read_listed_and_deleted() {
    let host = host().await;
    assert_eq!(ok(&host, "kv-get?a", "").await, "none");
    ok(&host, "kv-set?a", "one").await;
    ok(&host, "kv-set?b", "two").await;
    ok(&host, "kv-set?a", "three").await;
    assert_eq!(ok(&host, "kv-get?a", "").await, "three");
    assert_eq!(ok(&host, "kv-exists?b", "").await, "true");
    assert_eq!(ok(&host, "kv-keys", "").await, "a,b");
    ok(&host, "kv-delete?a", "").await;
    ok(&host, "kv-delete?a", "").await;
    assert_eq!(ok(&host, "kv-exists?a", "").await, "false");
    assert_eq!(ok(&host, "kv-keys", "").await, "b");
}

#[tokio::test]
async fn only_granted_labels_open() {
    let host = host().await;
    for target in ["kv-open?other", "sql-open?other"] {
        let answer = probe(&host, target, "").await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{target}");
        let message = answer.body.to_lowercase().replace([' ', '-'], "");
        assert!(message.contains("accessdenied"), "{}", answer.body);
    }
    // The inner component was granted nothing.
    for operation in ["kv-open?default", "sql-open?default"] {
        let url = format!("http://inner.spin.internal/{operation}");
        let answer = ok(&host, "send", &url).await;
        assert!(answer.starts_with("502 "), "{answer}");
    }
}

#[tokio::test]
async fn statements_run_and_values_keep_their_types() {
    let host = host().await;
    ok(
        &host,
        "sql",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)",
    )
    .await;
    assert_eq!(
        ok(
            &host,
            "sql-changes",
            "INSERT INTO t (name) VALUES ('a'), ('b')"
        )
        .await,
        "2 2"
    );
    assert_eq!(
        ok(&host, "sql", "SELECT id, name FROM t ORDER BY id").await,
        "1|a\n2|b"
    );
    let values = ok(&host, "sql-values", "").await;
    for value in [
        "Integer(-7)",
        "Real(0.5)",
        "Text(\"text\")",
        "Blob([1, 2])",
        "Null",
    ] {
        assert!(values.contains(value), "{values}");
    }
    let rows = ok(
        &host,
        "sql",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) \
         SELECT i FROM n",
    )
    .await;
    assert_eq!(rows.lines().count(), 1_000);
}

#[tokio::test]
async fn failures_of_statements_have_sqlites_message() {
    let host = host().await;
    for (statement, message) in [
        ("SELEKT 1", "syntax error"),
        ("SELECT * FROM missing", "no such table: missing"),
        ("ATTACH '/tmp/other.db' AS other", "not authorized"),
    ] {
        let answer = probe(&host, "sql", statement).await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{statement}");
        assert!(answer.body.contains(message), "{}", answer.body);
    }
}

#[tokio::test]
async fn each_open_is_a_connection_of_its_own() {
    let host = host().await;
    ok(
        &host,
        "sql",
        "PRAGMA journal_mode = WAL; CREATE TABLE t (a)",
    )
    .await;
    // Rolled back when the connection ends.
    ok(&host, "sql", "BEGIN; INSERT INTO t VALUES (1)").await;
    assert_eq!(ok(&host, "sql", "SELECT count(*) FROM t").await, "0");
    assert_eq!(
        ok(
            &host,
            "sql",
            "CREATE TEMP TABLE own (a); SELECT count(*) FROM own"
        )
        .await,
        "0"
    );
    let answer = probe(&host, "sql", "SELECT * FROM own").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn a_state_directory_outlives_the_host_and_a_temporary_one_does_not() {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("state-{}", std::process::id()));
    let with_directory = || {
        let mut options = options(MANIFEST);
        options.state = State::Directory(directory.clone());
        options
    };
    let host = start(with_directory()).await;
    ok(&host, "kv-set?a", "kept").await;
    ok(&host, "sql", "CREATE TABLE t (a); INSERT INTO t VALUES (7)").await;
    host.stop().await;
    let host = start(with_directory()).await;
    assert_eq!(ok(&host, "kv-get?a", "").await, "kept");
    assert_eq!(ok(&host, "sql", "SELECT a FROM t").await, "7");
    host.stop().await;
    std::fs::remove_dir_all(&directory).expect("removing the state");

    let host = crate::setup::host().await;
    let temporary = host.state_directory().to_owned();
    assert!(temporary.exists());
    host.stop().await;
    assert!(!temporary.exists());
}

#[tokio::test]
async fn hosts_in_one_process_share_no_state() {
    let (one, two) = tokio::join!(host(), host());
    ok(&one, "kv-set?a", "one").await;
    assert_eq!(ok(&two, "kv-get?a", "").await, "none");
}
