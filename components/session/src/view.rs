//! The documented shapes.

use scaigate_jose::SessionClaims;
use scaigate_kv::people::Membership;
use scaigate_signin::membership_json;
use serde_json::{Value, json};

/// Puts the same members under `data` as well, where ScaiWave's clients look.
fn doubled(mut body: Value) -> Value {
    let data = body.clone();
    if let Some(members) = body.as_object_mut() {
        members.insert("data".to_owned(), data);
    }
    body
}

/// `GET /v1/me`: ScaiFlow's fields (`contract/scaiflow.md` 2.1) and what a session adds.
pub fn me(claims: &SessionClaims) -> Value {
    doubled(json!({
        "sub": claims.subject,
        "iss": claims.subject_issuer,
        "person_id": claims.person_id,
        "tenant_id": claims.tenant_id,
        "email": claims.email,
        "name": claims.name,
        "display_name": claims.name,
        "admin_role": claims.admin_role,
        "workspace": { "workspace_id": claims.workspace_id, "role": claims.role },
        "session": { "sid": claims.sid, "expires_at": claims.expires_at.secs() },
    }))
}

/// `GET /v1/me/workspaces`.
pub fn workspaces(claims: &SessionClaims, workspaces: &[Membership]) -> Value {
    doubled(json!({
        "workspaces": workspaces.iter().map(membership_json).collect::<Vec<_>>(),
        "current_workspace_id": claims.workspace_id,
    }))
}

/// `GET /v1/auth/whoami`: ScaiVault's fields (`contract/scaivault.md` 1.5), as far as a session
/// token knows them.
pub fn whoami(claims: &SessionClaims) -> Value {
    let name = claims.email.as_deref().unwrap_or(claims.subject.as_str());
    json!({
        "identity_id": format!("user:{name}"),
        "identity_type": "user",
        "display_name": claims.name,
        "tenant_id": claims.tenant_id,
        "partner_id": null,
        "scopes": [],
        "groups": [],
        "roles": claims.admin_role.map(|role| vec![role.as_str()]).unwrap_or_default(),
        "mfa_verified_at": null,
        "token_expires_at": claims.expires_at.secs(),
        "credential": "session",
        "workspace_id": claims.workspace_id,
        "workspace_role": claims.role,
    })
}
