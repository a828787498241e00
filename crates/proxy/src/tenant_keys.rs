//! A tenant's key for ScaiGrid: set, shown masked, opened for its own callers, removed
//! (`contract/scaiflow.md` 2.4).
//!
//! What is stored is the key and where it may go, sealed as one and bound to the tenant: without
//! `credentials_key` the database yields nothing, and a row under another tenant does not open.

use scaigate_jose::{OpenError, SealContext, Sealer};
use scaigate_kv::tenant_credential::{self, Stored};
use scaigate_problem::{Code, Problem};
use scaigate_scaigrid::ApiKey;
use scaigate_scaigrid::credential::BoundKey;
use scaigate_scaigrid::tenant_key::{CredentialStatus, TenantKeyError};
use scaigate_signin::settings::{self, Fault};
use scaigate_signin::{Ports, Principal, failure};
use scaigate_types::{
    AdminRole, BaseUrl, Clock, Database, Secret, StoreError, TenantId, Transaction,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What seals and opens, or what is wrong with the setting.
pub type Keys<'a> = Result<&'a Sealer, &'a [Fault]>;

/// What is sealed, as it is written.
#[derive(Serialize)]
struct Written<'a> {
    v: u8,
    api_key: &'a str,
    base_url: Option<&'a str>,
}

/// What is sealed, as it is read.
#[derive(Deserialize)]
struct Record {
    api_key: Secret<String>,
    base_url: Option<String>,
}

/// A member of a tenant, who may see whether it has a key. Made by [`member`] alone.
#[derive(Debug)]
pub struct Member(TenantId);

/// An administrator of a tenant, who may change its key. Made by [`administrator`] alone.
#[derive(Debug)]
pub struct Administrator {
    tenant_id: TenantId,
    name: String,
}

/// The tenant a caller acts in; `None` for a service of the platform.
#[must_use]
pub fn tenant_of(principal: &Principal) -> Option<&TenantId> {
    match principal {
        Principal::User(user) | Principal::Dev(user) => Some(&user.tenant_id),
        Principal::Service(service) => service.tenant_id.as_ref(),
    }
}

/// Whether a caller may change the key of their tenant.
#[must_use]
pub fn may_change(principal: &Principal) -> bool {
    match principal {
        Principal::User(user) | Principal::Dev(user) => user.admin_role.is_some(),
        Principal::Service(_) => false,
    }
}

/// Who may see the status: everybody of a tenant, services too.
///
/// # Errors
/// [`Code::TenantClaimMissing`] for a service of the platform, which is of no tenant.
pub fn member(principal: &Principal) -> Result<Member, Problem> {
    tenant_of(principal)
        .cloned()
        .map(Member)
        .ok_or_else(|| Problem::new(Code::TenantClaimMissing))
}

/// Who may change it: tenant admins and super admins, that of the tenant they are in.
///
/// # Errors
/// [`Code::AdminRoleRequired`], or [`Code::UserRequired`] for a service.
pub fn administrator(principal: Principal) -> Result<Administrator, Problem> {
    let user = principal.into_user()?;
    match user.admin_role {
        Some(AdminRole::TenantAdmin | AdminRole::SuperAdmin) => Ok(Administrator {
            tenant_id: user.tenant_id.clone(),
            name: format!("{} {}", user.issuer, user.subject),
        }),
        None => Err(Problem::new(Code::AdminRoleRequired)
            .with("required", vec!["tenant_admin", "super_admin"])
            .with("present", Option::<String>::None)
            .with_sw_code("SW_AUTH_INSUFFICIENT_PERMISSION")),
    }
}

/// What may be seen of the tenant's key.
///
/// # Errors
/// The database does not answer, or what it holds does not open.
pub async fn status(
    ports: &impl Ports,
    keys: Keys<'_>,
    configured: &BaseUrl,
    member: &Member,
) -> Result<CredentialStatus, Problem> {
    let key = find(ports, keys, &member.0).await?;
    Ok(CredentialStatus::of(key.as_ref(), configured))
}

/// Sets the tenant's key, in place of the one there was: `{"api_key", "base_url"?}`.
///
/// # Errors
/// [`Code::InvalidRequest`] for a body or a key that is none; the setting or the database fails.
pub async fn set(
    ports: &impl Ports,
    keys: Keys<'_>,
    configured: &BaseUrl,
    administrator: &Administrator,
    body: &[u8],
) -> Result<(), Problem> {
    let sealer = keys.map_err(settings::problem)?;
    let key = BoundKey::parse(body, configured, &[]).map_err(refused)?;
    let stored = Stored {
        sealed: seal(ports, sealer, &administrator.tenant_id, &key)?,
        set_by: administrator.name.clone(),
        set_at: ports.clock().now(),
    };
    let tx = ports.db().begin().await.map_err(failure::database)?;
    tenant_credential::put(&tx, &administrator.tenant_id, &stored)
        .await
        .map_err(failure::database)?;
    tx.commit().await.map_err(failure::database)
}

/// Removes the tenant's key; nothing happens when there is none.
///
/// # Errors
/// The database does not answer.
pub async fn remove(ports: &impl Ports, administrator: &Administrator) -> Result<(), Problem> {
    let tx = ports.db().begin().await.map_err(failure::database)?;
    tenant_credential::remove(&tx, &administrator.tenant_id)
        .await
        .map_err(failure::database)?;
    tx.commit().await.map_err(failure::database)
}

/// The key of a tenant, to be used for its own callers. One that an older `credentials_key` sealed is
/// sealed anew.
///
/// # Errors
/// The database does not answer; what it holds does not open, which no key and another key are told
/// apart of.
pub async fn find(
    ports: &impl Ports,
    keys: Keys<'_>,
    tenant_id: &TenantId,
) -> Result<Option<BoundKey>, Problem> {
    let stored = tenant_credential::find(ports.db(), tenant_id)
        .await
        .map_err(failure::database)?;
    let Some(Stored { sealed, .. }) = stored else {
        return Ok(None);
    };
    let sealer = keys.map_err(settings::problem)?;
    let record = sealer
        .open(&context(tenant_id), &sealed)
        .map_err(unopened)?;
    let key = read(record.expose()).ok_or_else(|| failure::database(StoreError::Corrupt))?;
    if !sealer.is_current(&sealed) {
        let anew = seal(ports, sealer, tenant_id, &key)?;
        // Who can't write now has the key all the same; the next one tries again.
        let _ = tenant_credential::seal_anew(ports.db(), tenant_id, &sealed, &anew).await;
    }
    Ok(Some(key))
}

fn context(tenant_id: &TenantId) -> SealContext<'_> {
    SealContext {
        purpose: "tenant_credential",
        owner: tenant_id.as_str(),
    }
}

fn seal(
    ports: &impl Ports,
    sealer: &Sealer,
    tenant_id: &TenantId,
    key: &BoundKey,
) -> Result<Vec<u8>, Problem> {
    let record = Written {
        v: 1,
        api_key: key.key.expose(),
        base_url: key.base_url.as_ref().map(BaseUrl::as_str),
    };
    let text = serde_json::to_vec(&record).map_err(|_| Problem::new(Code::Internal))?;
    let text = Zeroizing::new(text);
    Ok(sealer.seal(ports.entropy(), &context(tenant_id), &text))
}

fn read(record: &[u8]) -> Option<BoundKey> {
    let record: Record = serde_json::from_slice(record).ok()?;
    let base_url = match &record.base_url {
        // It was looked at when it was set, by the rules of then.
        Some(text) => Some(BaseUrl::parse(text, true).ok()?),
        None => None,
    };
    let key = ApiKey::parse(record.api_key).ok()?;
    Some(BoundKey { key, base_url })
}

/// A key that is gone from the setting is the operator's to bring back; what was altered, or moved from
/// another tenant, is nobody's key.
fn unopened(error: OpenError) -> Problem {
    match error {
        OpenError::UnknownKey => settings::problem(&[Fault {
            setting: "credentials_key",
            problem: "does not hold the key that the stored credential was sealed with",
            fix: "Add the earlier key behind the present one, or set the tenant's key again.",
        }]),
        OpenError::Malformed | OpenError::Rejected => failure::database(StoreError::Corrupt),
    }
}

fn refused(error: TenantKeyError) -> Problem {
    Problem::invalid_field(error.field(), &error.to_string())
}
