//! Who somebody is whom ScaiKey vouches for.

use scaigate_types::{Database, Issuer, Kv};

use super::Stores;
use super::fixtures::Somebody;
use super::verdict::{Failure, Verdict, same};
use crate::people::{Standing, standing, tenant_known};

pub async fn knows_the_person_and_the_tenant(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let somebody = Somebody::new(on, "person", "tenant")?;
    let of = (&somebody.issuer, &somebody.subject, &somebody.tenant_id);
    let nothing = Standing {
        tenant_known: false,
        person: None,
    };
    same("before", standing(on.db, of.0, of.1, of.2).await?, nothing)?;
    same("tenant before", tenant_known(on.db, of.2).await?, false)?;
    let person = somebody.arrive(on.db).await?;
    let known = Standing {
        tenant_known: true,
        person: Some(person),
    };
    same("after", standing(on.other, of.0, of.1, of.2).await?, known)?;
    same("tenant after", tenant_known(on.other, of.2).await?, true)
}

pub async fn a_stranger_of_a_known_tenant_is_nobody(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let somebody = Somebody::new(on, "person", "tenant")?;
    somebody.arrive(on.db).await?;
    let nobody = Standing {
        tenant_known: true,
        person: None,
    };
    let elsewhere = Issuer::parse("https://another.test").map_err(|_| Failure::new("no issuer"))?;
    let stranger = on.subject("stranger")?;
    for (what, issuer, subject) in [
        ("another subject", &somebody.issuer, &stranger),
        ("another issuer", &elsewhere, &somebody.subject),
    ] {
        let found = standing(on.db, issuer, subject, &somebody.tenant_id).await?;
        same(what, found, nobody.clone())?;
    }
    Ok(())
}

pub async fn nobody_stands_in_another_tenant(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let somebody = Somebody::new(on, "person", "tenant")?;
    somebody.arrive(on.db).await?;
    let host = Somebody::new(on, "host", "elsewhere")?;
    host.arrive(on.db).await?;
    for (tenant, tenant_known) in [("elsewhere", true), ("nowhere", false)] {
        let tenant_id = on.tenant(tenant)?;
        let found = standing(on.db, &somebody.issuer, &somebody.subject, &tenant_id).await?;
        let expected = Standing {
            tenant_known,
            person: None,
        };
        same(tenant, found, expected)?;
    }
    Ok(())
}

pub async fn a_suspended_person_is_told_as_such(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let somebody = Somebody::new(on, "person", "tenant")?;
    let person = somebody.arrive(on.db).await?;
    somebody.set_status(on.db, "suspended").await?;
    let found = standing(
        on.db,
        &somebody.issuer,
        &somebody.subject,
        &somebody.tenant_id,
    )
    .await?;
    let suspended = crate::people::Person {
        is_active: false,
        ..person
    };
    same("person", found.person, Some(suspended))
}
