//! Test users whom nothing proves. Settings refuse these modes on a public deployment
//! (`product.md` section 2), so nothing here asks again.

use std::rc::Rc;

use http::HeaderMap;
use scaigate_kv::people;
use scaigate_problem::{Code, Problem};
use scaigate_types::{AdminRole, Issuer, Subject, TenantId, WorkspaceId, WorkspaceRole};

use crate::failure;
use crate::ports::Ports;
use crate::principal::{Authentication, Credential, Principal, User};

/// Issuer and tenant of the user of `mock` and `hybrid`.
const MOCK: (&str, &str) = ("urn:scaigate:mock", "tnt_mock");
/// Issuer and tenant of the users of `X-Dev-*`.
const DEV: (&str, &str) = ("urn:scaigate:dev", "tnt_dev");

const SUBJECT: &str = "x-dev-subject";
const WORKSPACE: &str = "x-dev-workspace-id";
const ROLE: &str = "x-dev-role";

/// The headers that mean something under `env=dev` and nothing anywhere else (S-33).
pub const HEADERS: [&str; 3] = [SUBJECT, WORKSPACE, ROLE];

/// The one user of the modes `mock` and `hybrid`.
pub(super) async fn mock(ports: &impl Ports) -> Result<Authentication, Problem> {
    let mut user = user(MOCK, "mock-user", Credential::Mock)?;
    user.name = Some("Mock User".to_owned());
    user.email = Some("mock@example.invalid".to_owned());
    user.admin_role = Some(AdminRole::TenantAdmin);
    known(ports, user).await
}

/// Whom the `X-Dev-*` headers name; nobody when there is none of them.
pub(super) async fn headers(
    ports: &impl Ports,
    headers: &HeaderMap,
) -> Result<Authentication, Problem> {
    if !HEADERS.iter().any(|name| headers.contains_key(*name)) {
        return Ok(Authentication::NotPresented);
    }
    match named(headers) {
        Ok(user) => known(ports, user).await,
        Err(name) => Ok(Authentication::Rejected(
            Problem::new(Code::TokenInvalid).with("reason", format!("{name} is not readable")),
        )),
    }
}

fn named(headers: &HeaderMap) -> Result<User, &'static str> {
    let header = |name: &'static str| -> Result<Option<&str>, &'static str> {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(Some).map_err(|_| name),
            (Some(_), Some(_)) => Err(name),
        }
    };
    let subject = header(SUBJECT)?.unwrap_or("dev-user");
    let mut user = user(DEV, subject, Credential::DevHeaders).map_err(|_| SUBJECT)?;
    let (role, admin_role) = match header(ROLE)? {
        None => (WorkspaceRole::Viewer, None),
        Some(text) => match (WorkspaceRole::parse(text), AdminRole::parse(text)) {
            (Some(role), _) => (role, None),
            (None, Some(admin_role)) => (WorkspaceRole::Admin, Some(admin_role)),
            (None, None) => return Err(ROLE),
        },
    };
    user.admin_role = admin_role;
    if let Some(text) = header(WORKSPACE)? {
        let workspace_id = WorkspaceId::parse(text).map_err(|_| WORKSPACE)?;
        user.workspace = Some((workspace_id, role));
    }
    Ok(user)
}

fn user(
    (issuer, tenant_id): (&str, &str),
    subject: &str,
    credential: Credential,
) -> Result<User, Problem> {
    let internal = |_| Problem::new(Code::Internal);
    Ok(User {
        issuer: Issuer::parse(issuer).map_err(internal)?,
        subject: Subject::parse(subject).map_err(internal)?,
        tenant_id: TenantId::parse(tenant_id).map_err(internal)?,
        person_id: None,
        email: None,
        name: Some(subject.to_owned()),
        admin_role: None,
        personal_workspace_id: None,
        workspace: None,
        scopes: Vec::new(),
        permissions: Vec::new(),
        roles: Vec::new(),
        groups: Vec::new(),
        credential,
        expires_at: None,
    })
}

/// Adds the row, if the test user has registered.
async fn known(ports: &impl Ports, mut user: User) -> Result<Authentication, Problem> {
    let standing = people::standing(ports.db(), &user.issuer, &user.subject, &user.tenant_id)
        .await
        .map_err(failure::database)?;
    if let Some(person) = standing.person {
        user.person_id = Some(person.person_id);
        user.personal_workspace_id = person.personal_workspace_id;
    }
    Ok(Authentication::Authenticated(Principal::Dev(Rc::new(user))))
}
