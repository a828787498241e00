//! Whose a refresh token of ScaiKey is.

use std::time::Duration;

use scaigate_types::{Database, Issuer, Kv, Timestamp};

use super::Stores;
use super::fixtures::{NOW, TICK};
use super::verdict::{Failure, Verdict, same};
use crate::upstream_refresh::{Owner, bind, bound, purge};

const BOUND: Duration = Duration::from_secs(90 * 24 * 3600);

fn person(
    on: &Stores<'_, impl Kv, impl Database>,
    auth_time: Option<Timestamp>,
    nonce_hash: Option<&str>,
) -> Result<Owner, Failure> {
    Ok(Owner {
        issuer: on.issuer()?,
        subject: on.subject("person")?,
        auth_time,
        nonce_hash: nonce_hash.map(str::to_owned),
    })
}

pub async fn is_remembered(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let table = [
        ("with", Some(NOW.minus(TICK)), Some("nonce")),
        ("without", None, None),
    ];
    for (tag, auth_time, nonce_hash) in table {
        let owner = person(on, auth_time, nonce_hash)?;
        bind(on.db, &on.name(tag), &owner, NOW).await?;
        same(tag, bound(on.other, &on.name(tag)).await?, Some(owner))?;
    }
    Ok(())
}

pub async fn the_first_owner_stays(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let owner = person(on, None, None)?;
    bind(on.db, &on.name("token"), &owner, NOW).await?;
    let thief = Owner {
        issuer: Issuer::parse("https://another.test").map_err(|_| Failure::new("no issuer"))?,
        subject: on.subject("thief")?,
        auth_time: Some(NOW),
        nonce_hash: None,
    };
    bind(on.db, &on.name("token"), &thief, NOW).await?;
    same("owner", bound(on.db, &on.name("token")).await?, Some(owner))
}

pub async fn is_unknown_when_never_bound(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    same("owner", bound(on.db, &on.name("token")).await?, None)
}

pub async fn is_purged_when_it_expires(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    bind(on.db, &on.name("token"), &person(on, None, None)?, NOW).await?;
    purge(on.db, NOW.plus(BOUND - TICK), 10_000).await?;
    same(
        "kept",
        bound(on.db, &on.name("token")).await?.is_some(),
        true,
    )?;
    purge(on.db, NOW.plus(BOUND), 10_000).await?;
    same("purged", bound(on.db, &on.name("token")).await?, None)
}
