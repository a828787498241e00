//! Whose a refresh token of ScaiKey is.

use std::time::Duration;

use scaigate_types::{Database, Issuer, Kv};

use super::Stores;
use super::fixtures::{NOW, TICK};
use super::verdict::{Failure, Verdict, same};
use crate::upstream_refresh::{bind, bound, purge};

const BOUND: Duration = Duration::from_secs(90 * 24 * 3600);

pub async fn is_remembered(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let (issuer, subject) = (on.issuer()?, on.subject("person")?);
    for (tag, auth_time) in [("with", Some(NOW.minus(TICK))), ("without", None)] {
        bind(on.db, &on.name(tag), &issuer, &subject, auth_time, NOW).await?;
        let expected = Some((issuer.clone(), subject.clone(), auth_time));
        same(tag, bound(on.other, &on.name(tag)).await?, expected)?;
    }
    Ok(())
}

pub async fn the_first_owner_stays(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let (issuer, subject) = (on.issuer()?, on.subject("person")?);
    bind(on.db, &on.name("token"), &issuer, &subject, None, NOW).await?;
    let another = Issuer::parse("https://another.test").map_err(|_| Failure::new("no issuer"))?;
    let thief = on.subject("thief")?;
    bind(on.db, &on.name("token"), &another, &thief, Some(NOW), NOW).await?;
    same(
        "owner",
        bound(on.db, &on.name("token")).await?,
        Some((issuer, subject, None)),
    )
}

pub async fn is_unknown_when_never_bound(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    same("owner", bound(on.db, &on.name("token")).await?, None)
}

pub async fn is_purged_when_it_expires(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let (issuer, subject) = (on.issuer()?, on.subject("person")?);
    bind(on.db, &on.name("token"), &issuer, &subject, None, NOW).await?;
    purge(on.db, NOW.plus(BOUND - TICK), 10_000).await?;
    same(
        "kept",
        bound(on.db, &on.name("token")).await?.is_some(),
        true,
    )?;
    purge(on.db, NOW.plus(BOUND), 10_000).await?;
    same("purged", bound(on.db, &on.name("token")).await?, None)
}
