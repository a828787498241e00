//! The endpoints of the emulator, as tests name them.

use serde::{Deserialize, Serialize};

/// One endpoint (or one group of admin endpoints) of the emulator. Both flavours of an OIDC endpoint
/// (platform and tenant, `contract/scaikey.md` 1.1) share one name. In JSON the name is snake_case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `GET …/.well-known/openid-configuration`, platform, tenant and plain.
    Discovery,
    /// `GET …/.well-known/jwks.json`.
    Jwks,
    /// `GET …/oauth/authorize`.
    Authorize,
    /// `POST /login`, the form of the login page.
    Login,
    /// `POST …/oauth/token`, every grant.
    Token,
    /// `GET|POST …/oauth/userinfo`.
    Userinfo,
    /// `POST …/oauth/revoke` (RFC 7009).
    Revoke,
    /// `POST …/oauth/introspect` (RFC 7662).
    Introspect,
    /// `GET|POST /oauth/logout`.
    EndSession,
    /// `/api/v1/admin/users/…`.
    AdminUsers,
    /// `/api/v1/admin/groups/…` except members.
    AdminGroups,
    /// `/api/v1/admin/groups/{id}/members`.
    GroupMembers,
    /// `/api/v1/admin/applications/…`.
    AdminApplications,
    /// `/api/v1/admin/tenants/…`.
    AdminTenants,
    /// `/api/v1/admin/partners/`.
    AdminPartners,
    /// `/api/v1/tenants/{tenant}/applications/{app}/effective-users`.
    EffectiveUsers,
    /// `/api/v1/tenants/{tenant}/applications/{app}/assignees`.
    Assignees,
    /// `/api/v1/tenants/{tenant}/groups/{group}/applications`.
    GroupApplications,
    /// `GET /api/v1/admin/webhooks/events`.
    WebhookEvents,
    /// `/api/v1/public/register/applications/…`.
    Registration,
    /// `/api/v1/admin/registration-requests/…`.
    RegistrationRequests,
    /// `GET /_emulator/stranger-jwks.json`: the keys that a `jku` header points to. Nobody may fetch it.
    StrangerJwks,
    /// `/_emulator/…`: the test-only control endpoints.
    Control,
    /// Anything else; answered 404.
    Unknown,
}
