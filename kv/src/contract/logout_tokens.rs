//! Logout tokens of ScaiKey that count once.

use scaigate_types::{Database, Kv, Timestamp, Transaction};

use super::fixtures::{NOW, TICK};
use super::verdict::{Failure, Verdict, same};
use super::{Stores, interposed};
use crate::logout_token::{self, purge};

/// Claims in a transaction of its own.
pub async fn claim(
    db: &impl Database,
    token_hash: &str,
    expires_at: Timestamp,
) -> Result<bool, Failure> {
    let tx = db.begin().await?;
    let claimed = logout_token::claim(&tx, token_hash, expires_at).await?;
    tx.commit().await?;
    Ok(claimed)
}

pub async fn is_claimed_once(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let token = on.name("token");
    same("first", claim(on.db, &token, NOW).await?, true)?;
    same("second", claim(on.db, &token, NOW).await?, false)?;
    same("elsewhere", claim(on.other, &token, NOW).await?, false)?;
    let another = on.name("token2");
    same("another token", claim(on.db, &another, NOW).await?, true)
}

pub async fn is_good_again_when_its_claim_is_undone(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let token = on.name("token");
    let tx = on.db.begin().await?;
    same("undone", logout_token::claim(&tx, &token, NOW).await?, true)?;
    drop(tx);
    same("again", claim(on.other, &token, NOW).await?, true)
}

pub async fn is_remembered_until_it_expires(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let token = on.name("token");
    claim(on.db, &token, NOW).await?;
    purge(on.db, NOW, 10_000).await?;
    same("while good", claim(on.db, &token, NOW).await?, false)?;
    let failing = interposed::Failing::at(on.db, 1);
    same(
        "a store that fails",
        purge(&failing, NOW, 1).await.is_err(),
        true,
    )?;
    purge(on.db, NOW.plus(TICK), 10_000).await?;
    same("after it", claim(on.db, &token, NOW).await?, true)
}
