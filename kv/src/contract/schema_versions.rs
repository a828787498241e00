//! The schema and its version.

use futures_util::future::join_all;
use scaigate_types::{Database, Kv, StoreError};

use super::Stores;
use super::fixtures::{NOW, Somebody};
use super::verdict::{Verdict, holds, same};
use crate::{people, redeemed_code, schema};

async fn version(db: &impl Database) -> Result<i64, StoreError> {
    let rows = db.query("SELECT version FROM schema_version", &[]).await?;
    rows.first().ok_or(StoreError::Corrupt)?.integer(0)
}

pub async fn arrives_at_the_current_version(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    schema::migrate(on.db).await?;
    same("version", version(on.db).await?, schema::VERSION)?;
    same(
        "seen from elsewhere",
        version(on.other).await?,
        schema::VERSION,
    )?;
    let tables = on
        .db
        .query(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
            &[],
        )
        .await?;
    let tables = tables
        .iter()
        .map(|row| row.text(0))
        .collect::<Result<Vec<_>, _>>()?;
    for expected in [
        "logout_token",
        "person",
        "pending_login",
        "redeemed_code",
        "session",
        "upstream_refresh",
    ] {
        holds(expected, tables.contains(&expected))?;
    }
    Ok(())
}

pub async fn keeps_the_rows_when_run_again(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    schema::migrate(on.db).await?;
    let person = Somebody::new(on, "person", "tenant")?.arrive(on.db).await?;
    schema::migrate(on.other).await?;
    schema::migrate(on.db).await?;
    same("version", version(on.db).await?, schema::VERSION)?;
    same(
        "person",
        people::find(on.db, &person.person_id).await?,
        Some(person),
    )
}

pub async fn refuses_a_newer_schema(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    schema::migrate(on.db).await?;
    let bump = "UPDATE schema_version SET version = version + 1";
    on.db.query(bump, &[]).await?;
    let refused = schema::migrate(on.db).await;
    let found = version(on.db).await;
    on.db
        .query("UPDATE schema_version SET version = version - 1", &[])
        .await?;
    same("migrating", refused, Err(StoreError::SchemaNewer))?;
    same("version", found?, schema::VERSION + 1)
}

pub async fn runs_from_many_at_once(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let all = (0..8).map(|n| schema::migrate(if n % 2 == 0 { on.db } else { on.other }));
    for outcome in join_all(all).await {
        outcome?;
    }
    same("version", version(on.db).await?, schema::VERSION)?;
    same(
        "usable",
        redeemed_code::claim(on.db, &on.name("code"), NOW).await?,
        true,
    )
}
