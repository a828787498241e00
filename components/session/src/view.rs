//! The documented shapes.

use scaigate_kv::people::{Membership, Workspace};
use scaigate_runtime::answer::doubled;
use scaigate_signin::register::Registered;
use scaigate_signin::{Credential, Principal, Service, User, membership_json};
use scaigate_types::{Timestamp, WorkspaceId};
use serde::Serialize;
use serde_json::{Value, json};

/// ScaiFlow's fields (`contract/scaiflow.md` 2.1), ScaiWave's
/// (`contract/scaiwave-scaicrew-scaigrid.md` 1.8), and what a session adds.
#[derive(Serialize)]
struct Me<'a> {
    sub: &'a str,
    iss: &'a str,
    tenant_id: &'a str,
    email: Option<&'a str>,
    name: Option<&'a str>,
    admin_role: Option<&'static str>,
    person_id: Option<&'a str>,
    participant_id: Option<&'a str>,
    local_id: &'a str,
    fqid: String,
    display_name: &'a str,
    avatar_url: Option<&'a str>,
    bio: Option<&'a str>,
    personal_workspace_id: Option<&'a str>,
    roles: Vec<&'a str>,
    groups: &'a [String],
    presence: &'static str,
    tenant: Tenant<'a>,
    workspace: Option<InWorkspace<'a>>,
    session: Option<InSession<'a>>,
    credential: &'static str,
}

#[derive(Serialize)]
struct Tenant<'a> {
    id: &'a str,
    slug: Option<&'a str>,
    name: Option<&'a str>,
    features: Features,
}

#[derive(Serialize)]
struct Features {}

#[derive(Serialize)]
struct InSession<'a> {
    sid: &'a str,
    expires_at: Option<u64>,
}

#[derive(Serialize)]
struct InWorkspace<'a> {
    workspace_id: &'a str,
    role: &'static str,
}

fn roles(user: &User) -> Vec<&str> {
    let mut roles: Vec<&str> = user.roles.iter().map(String::as_str).collect();
    if let Some(role) = user.admin_role.map(scaigate_types::AdminRole::as_str)
        && !roles.contains(&role)
    {
        roles.push(role);
    }
    roles
}

/// `GET /v1/me`. `origin` is our own.
pub fn me(user: &User, origin: &str) -> String {
    let server_name = origin.split_once("://").map_or(origin, |(_, host)| host);
    // ScaiWave's local ids are ours to choose: the subject is unique and never changes hands.
    let local_id = user.subject.as_str();
    let person_id = user.person_id.as_ref().map(|id| id.as_str());
    let tenant_id = user.tenant_id.as_str();
    doubled(&Me {
        sub: user.subject.as_str(),
        iss: user.issuer.as_str(),
        tenant_id,
        email: user.email.as_deref(),
        name: user.name.as_deref(),
        admin_role: user.admin_role.map(scaigate_types::AdminRole::as_str),
        person_id,
        participant_id: person_id,
        local_id,
        fqid: format!("@{local_id}:{server_name}"),
        display_name: user
            .name
            .as_deref()
            .or(user.email.as_deref())
            .unwrap_or(local_id),
        avatar_url: None,
        bio: None,
        personal_workspace_id: user.personal_workspace_id.as_ref().map(WorkspaceId::as_str),
        roles: roles(user),
        groups: &user.groups,
        presence: "online",
        tenant: Tenant {
            id: tenant_id,
            slug: None,
            name: None,
            features: Features {},
        },
        workspace: user
            .workspace
            .as_ref()
            .map(|(workspace_id, role)| InWorkspace {
                workspace_id: workspace_id.as_str(),
                role: role.as_str(),
            }),
        session: match &user.credential {
            Credential::Session(sid) => Some(InSession {
                sid: sid.as_str(),
                expires_at: user.expires_at.map(Timestamp::secs),
            }),
            Credential::AccessToken | Credential::Mock | Credential::DevHeaders => None,
        },
        credential: user.credential.as_str(),
    })
}

/// `GET /v1/me/workspaces`.
pub fn workspaces(user: &User, workspaces: &[Membership]) -> String {
    doubled(&json!({
        "workspaces": workspaces.iter().map(membership_json).collect::<Vec<_>>(),
        "current_workspace_id": user.workspace.as_ref().map(|(id, _)| id),
    }))
}

/// `GET` and `PATCH /v1/workspace`.
pub fn workspace(workspace: &Workspace) -> String {
    doubled(&json!({
        "workspace_id": workspace.workspace_id,
        "tenant_id": workspace.tenant_id,
        "name": workspace.name,
        "description": workspace.description,
        "kind": workspace.kind.as_str(),
        "role": workspace.role,
        "member_count": workspace.member_count,
        "created_at": workspace.created_at.rfc3339(),
        "updated_at": workspace.updated_at.map(Timestamp::rfc3339),
    }))
}

/// `POST /v1/auth/register`.
pub fn registered(registered: &Registered) -> String {
    let person = &registered.person;
    doubled(&json!({
        "participant_id": person.person_id,
        "tenant_id": person.tenant_id,
        "display_name": person.name.as_deref().or(person.email.as_deref()).unwrap_or(person.subject.as_str()),
        "email": person.email,
        "personal_workspace_id": registered.personal_workspace_id,
        "created": registered.created,
    }))
}

/// `POST /v1/auth/backchannel-logout`.
pub fn backchannel_logout(sessions_ended: usize) -> Value {
    json!({ "logged_out": true, "sessions_ended": sessions_ended })
}

/// ScaiVault's fields (`contract/scaivault.md` 1.5), and how we know.
#[derive(Serialize)]
struct Identity<'a> {
    identity_id: String,
    identity_type: &'static str,
    display_name: Option<&'a str>,
    tenant_id: Option<&'a str>,
    partner_id: Option<&'a str>,
    scopes: &'a [String],
    permissions: &'a [String],
    groups: Vec<String>,
    roles: Vec<&'a str>,
    mfa_verified_at: Option<&'a str>,
    token_expires_at: Option<String>,
    sub: &'a str,
    iss: &'a str,
    credential: &'static str,
    #[serde(flatten)]
    more: More<'a>,
}

/// What else there is to say of a person, or of a service.
#[derive(Serialize)]
#[serde(untagged)]
enum More<'a> {
    User {
        registered: bool,
        workspace_id: Option<&'a str>,
        workspace_role: Option<&'static str>,
    },
    Service {
        platform_token: bool,
    },
}

/// `GET /v1/auth/whoami`.
pub fn whoami(principal: &Principal) -> Vec<u8> {
    let identity = match principal {
        Principal::User(user) => user_identity(user, "user"),
        Principal::Dev(user) => user_identity(user, "dev"),
        Principal::Service(service) => service_identity(service),
    };
    // Text under names: nothing of it can fail.
    serde_json::to_vec(&identity).unwrap_or_default()
}

fn user_identity<'a>(user: &'a User, kind: &'static str) -> Identity<'a> {
    let name = user.email.as_deref().unwrap_or(user.subject.as_str());
    Identity {
        identity_id: format!("user:{name}"),
        identity_type: kind,
        display_name: user.name.as_deref(),
        tenant_id: Some(user.tenant_id.as_str()),
        partner_id: None,
        scopes: &user.scopes,
        permissions: &user.permissions,
        groups: user
            .groups
            .iter()
            .map(|group| format!("group:{group}"))
            .collect(),
        roles: roles(user),
        mfa_verified_at: None,
        token_expires_at: user.expires_at.map(Timestamp::rfc3339),
        sub: user.subject.as_str(),
        iss: user.issuer.as_str(),
        credential: user.credential.as_str(),
        more: More::User {
            registered: user.person_id.is_some(),
            workspace_id: user.workspace.as_ref().map(|(id, _)| id.as_str()),
            workspace_role: user.workspace.as_ref().map(|(_, role)| role.as_str()),
        },
    }
}

fn service_identity(service: &Service) -> Identity<'_> {
    Identity {
        identity_id: format!("sa:{}", service.client_id),
        identity_type: "service_account",
        display_name: Some(service.client_id.as_str()),
        tenant_id: service.tenant_id.as_ref().map(|id| id.as_str()),
        partner_id: None,
        scopes: &service.scopes,
        permissions: &service.permissions,
        groups: Vec::new(),
        roles: service.roles.iter().map(String::as_str).collect(),
        mfa_verified_at: None,
        token_expires_at: Some(service.expires_at.rfc3339()),
        sub: service.client_id.as_str(),
        iss: service.issuer.as_str(),
        credential: "access_token",
        more: More::Service {
            platform_token: service.is_platform,
        },
    }
}
