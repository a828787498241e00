//! What an operator sees at a glance, and whether the stores work.

use scaigate_types::{Database, Kv, StoreError};

use super::Stores;
use super::fixtures::{NOW, TICK};
use super::verdict::{Failure, Verdict, same};
use crate::overview::{Bootstrap, bootstrap, read};
use crate::{dev_headers, probe, schema, tenant_credential};

pub async fn a_tenant_without_a_key_is_counted_and_named(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    // First of all tenants, whatever other cases have left.
    let tenant = scaigate_types::TenantId::parse(&format!("0-{}", on.prefix))
        .map_err(|_| Failure::new("no identifier"))?;
    let before = read(on.db).await?;
    on.db
        .query(
            "INSERT INTO tenant (tenant_id, created_at) VALUES (?1, 1)",
            &[tenant.as_str().into()],
        )
        .await?;
    let bare = read(on.other).await?;
    same("tenants", bare.tenants, before.tenants + 1)?;
    same(
        "bare",
        bare.tenants_without_key,
        before.tenants_without_key + 1,
    )?;
    same(
        "named",
        bare.some_without_key.contains(&tenant.to_string()),
        true,
    )?;
    let stored = tenant_credential::Stored {
        sealed: b"sealed".to_vec(),
        set_by: "somebody".to_owned(),
        set_at: NOW,
    };
    tenant_credential::put(on.db, &tenant, &stored).await?;
    let kept = read(on.other).await?;
    same(
        "with a key",
        kept.tenants_without_key,
        before.tenants_without_key,
    )?;
    on.db
        .query(
            "DELETE FROM tenant WHERE tenant_id = ?1",
            &[tenant.as_str().into()],
        )
        .await?;
    Ok(())
}

pub async fn a_bootstrap_address_waits_for_what_it_waits_for(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let email = format!("{}@acme.example", on.name("boss")).to_ascii_lowercase();
    same(
        "nobody",
        bootstrap(on.db, &email).await?,
        Bootstrap::Unknown,
    )?;
    let person = on.name("person");
    let change = async |sql: &str| -> Result<(), StoreError> {
        let parameters = [person.as_str().into(), email.as_str().into()];
        on.db.query(sql, &parameters).await.map(drop)
    };
    change(
        "INSERT INTO person (person_id, issuer, subject, tenant_id, email, status, created_at, last_seen_at)
         VALUES (?1, ?1, ?1, ?1, ?2, 'suspended', 1, 1)",
    )
    .await?;
    same(
        "suspended",
        bootstrap(on.other, &email).await?,
        Bootstrap::Inactive,
    )?;
    change("UPDATE person SET status = 'active' WHERE person_id = ?1 AND lower(email) = ?2")
        .await?;
    same(
        "active",
        bootstrap(on.other, &email).await?,
        Bootstrap::Waiting,
    )?;
    change(
        "UPDATE person SET admin_role = 'super_admin', admin_role_source = 'bootstrap'
          WHERE person_id = ?1 AND lower(email) = ?2",
    )
    .await?;
    same(
        "elected",
        bootstrap(on.other, &email).await?,
        Bootstrap::Elected,
    )?;
    change("UPDATE person SET admin_role = NULL WHERE person_id = ?1 AND lower(email) = ?2")
        .await?;
    same(
        "taken away",
        bootstrap(on.other, &email).await?,
        Bootstrap::Spent,
    )
}

pub async fn probes_change_nothing(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    probe::reads(on.kv).await?;
    probe::writes(on.kv, NOW).await?;
    probe::takes_writers(on.db).await?;
    // The writer has gone.
    probe::takes_writers(on.other).await?;
    same("version", schema::version(on.db).await?, schema::VERSION)
}

pub async fn headers_of_development_are_counted(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let before = dev_headers::read(on.kv)
        .await?
        .map_or(0, |noted| noted.count);
    dev_headers::note(on.kv, 2, NOW).await?;
    dev_headers::note(on.kv, 3, NOW.plus(TICK)).await?;
    let noted = dev_headers::read(on.kv).await?;
    let expected = dev_headers::Noted {
        count: before + 5,
        last_at: NOW.plus(TICK),
    };
    same("noted", noted, Some(expected))
}
