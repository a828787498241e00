//! Transactions, over the table of redeemed codes.

use scaigate_types::{Database, Kv, Query, Row, StoreError, Transaction, Value};

use super::Stores;
use super::verdict::{Verdict, holds, same};

const INSERT: &str = "INSERT INTO redeemed_code (code_hash, expires_at) VALUES (?1, 1)";
const COUNT: &str = "SELECT count(*) FROM redeemed_code WHERE code_hash = ?1";

fn only(rows: &[Row]) -> Result<i64, StoreError> {
    rows.first().ok_or(StoreError::Corrupt)?.integer(0)
}

pub async fn drop_without_commit_undoes(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let key: [Value; 1] = [on.name("row").into()];
    let tx = on.db.begin().await?;
    tx.query(INSERT, &key).await?;
    // Definitions as well as rows: a migration that is cut short leaves nothing.
    let table = on.name("table").replace('-', "_");
    tx.query(&format!("CREATE TABLE \"{table}\" (a INTEGER) STRICT"), &[])
        .await?;
    same("inside", only(&tx.query(COUNT, &key).await?)?, 1)?;
    drop(tx);
    same("rows after", only(&on.db.query(COUNT, &key).await?)?, 0)?;
    let tables = on
        .db
        .query(
            "SELECT count(*) FROM sqlite_schema WHERE name = ?1",
            &[table.into()],
        )
        .await?;
    same("tables after", only(&tables)?, 0)?;
    // And nothing is locked: the next one begins.
    on.other.begin().await?.commit().await?;
    Ok(())
}

pub async fn commit_keeps(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let key: [Value; 1] = [on.name("row").into()];
    let tx = on.db.begin().await?;
    tx.query(INSERT, &key).await?;
    tx.commit().await?;
    same("here", only(&on.db.query(COUNT, &key).await?)?, 1)?;
    same("elsewhere", only(&on.other.query(COUNT, &key).await?)?, 1)
}

pub async fn shows_nothing_before_commit(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let key: [Value; 1] = [on.name("row").into()];
    // Everybody knows the tables before one of them is locked.
    for db in [on.db, on.other] {
        same("before", only(&db.query(COUNT, &key).await?)?, 0)?;
    }
    let tx = on.db.begin().await?;
    tx.query(INSERT, &key).await?;
    for db in [on.db, on.other] {
        match db.query(COUNT, &key).await {
            // Some engines let nobody read beside a writer.
            Err(StoreError::Busy) => {}
            rows => same("outside", only(&rows?)?, 0)?,
        }
    }
    tx.commit().await?;
    same("after", only(&on.other.query(COUNT, &key).await?)?, 1)
}

pub async fn a_failed_statement_changes_nothing(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let key: [Value; 1] = [on.name("row").into()];
    let two = "INSERT INTO redeemed_code (code_hash, expires_at) VALUES (?1, 1), (?1, 2)";
    holds(
        "a key given twice is refused",
        on.db.query(two, &key).await.is_err(),
    )?;
    same("rows", only(&on.db.query(COUNT, &key).await?)?, 0)?;
    // The connection is none the worse for it.
    on.db.query(INSERT, &key).await?;
    same("rows", only(&on.other.query(COUNT, &key).await?)?, 1)
}
