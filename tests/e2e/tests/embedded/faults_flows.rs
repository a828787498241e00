//! The flows of the table in `docs/faults.md`.

/// Who asks, or what the request carries instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Nobody,
    /// A session of the tenant's administrator.
    Session,
    /// An access token of ScaiKey, of somebody who has signed in here.
    AccessToken,
    /// The same of somebody who has not.
    Newcomer,
    /// A service with `admin:read`.
    Reader,
    /// A service with `admin:write`.
    Writer,
    /// The deprecated deploy's own token.
    DevToken,
    /// ScaiKey's answer, in the browser that began.
    ScaiKeysAnswer,
    SessionCode,
    AuthorizationCode,
    OurRefreshToken,
    ScaiKeysRefreshToken,
    /// The refresh token of a session, to end it.
    SessionToEnd,
    LogoutToken,
    /// A signed event of ScaiKey's.
    Event,
    /// The console's page, by somebody who is signed in.
    Page,
    /// The same with a token that is to be renewed.
    OldPage,
    /// ScaiKey's answer on its way back to the console, with a session code.
    ConsolesAnswer,
}

/// A flow: method, path, body, and who asks. `{n}` is a number of its own each time; `{flow}`, `{acl}` and
/// `{package}` are made anew each time.
pub type Flow = (&'static str, &'static str, &'static str, Who);

/// The flows by subject. Each subject has a world of its own.
pub const SUBJECTS: &[(&str, &[Flow])] = &[
    (
        "Signing in",
        &[
            ("GET", "/v1/auth/config", "", Who::Nobody),
            ("POST", "/v1/auth/login", "{}", Who::Nobody),
            ("GET", "/v1/auth/login", "", Who::Nobody),
            ("GET", "/v1/auth/callback", "", Who::ScaiKeysAnswer),
            ("POST", "/v1/auth/token", "", Who::SessionCode),
            ("POST", "/v1/auth/exchange", "", Who::AuthorizationCode),
        ],
    ),
    (
        "Staying signed in, and signing out",
        &[
            ("POST", "/v1/auth/refresh", "", Who::OurRefreshToken),
            ("POST", "/v1/auth/refresh", "", Who::ScaiKeysRefreshToken),
            ("POST", "/v1/auth/logout", "", Who::SessionToEnd),
            ("POST", "/v1/auth/backchannel-logout", "", Who::LogoutToken),
        ],
    ),
    (
        "Who is calling",
        &[
            ("GET", "/v1/me", "", Who::Session),
            ("GET", "/v1/me", "", Who::AccessToken),
            ("GET", "/v1/me/workspaces", "", Who::Session),
            ("GET", "/v1/auth/whoami", "", Who::Session),
            ("GET", "/v1/workspace", "", Who::Session),
            (
                "PATCH",
                "/v1/workspace",
                r#"{"name":"Renamed {n}"}"#,
                Who::Session,
            ),
            ("POST", "/v1/auth/register", "{}", Who::Newcomer),
        ],
    ),
    (
        "The directory",
        &[
            ("POST", "/v1/admin/sync", "{}", Who::Reader),
            ("POST", "/v1/webhooks/scaikey", "", Who::Event),
        ],
    ),
    (
        "Administrators' pages",
        &[
            ("GET", "/v1/admin/sync", "", Who::Reader),
            ("GET", "/v1/admin/users", "", Who::Reader),
            ("GET", "/v1/admin/groups", "", Who::Reader),
            (
                "GET",
                "/v1/admin/groups/grp_acme_staff/members",
                "",
                Who::Reader,
            ),
            ("GET", "/v1/admin/changes", "", Who::Reader),
            ("GET", "/v1/admin/webhooks/deliveries", "", Who::Reader),
            ("GET", "/v1/admin/tenant/users", "", Who::Session),
            ("GET", "/v1/admin/tenant/groups", "", Who::Session),
            (
                "GET",
                "/v1/admin/tenant/groups/grp_acme_staff/members",
                "",
                Who::Session,
            ),
            ("GET", "/v1/admin/tenant/flows", "", Who::Session),
            ("GET", "/v1/admin/audit", "", Who::Reader),
            ("GET", "/v1/admin/audit/chain", "", Who::Reader),
            (
                "POST",
                "/v1/admin/users/usr_carol_acme/role",
                r#"{"role":"tenant_admin"}"#,
                Who::Writer,
            ),
            (
                "DELETE",
                "/v1/admin/users/usr_carol_acme/role",
                "",
                Who::Writer,
            ),
        ],
    ),
    (
        "Flows",
        &[
            ("GET", "/v1/flows", "", Who::Session),
            (
                "POST",
                "/v1/flows",
                r#"{"name":"n","content":{}}"#,
                Who::Session,
            ),
            ("GET", "/v1/flows/{flow}", "", Who::Session),
            (
                "PUT",
                "/v1/flows/{flow}",
                r#"{"content":{"n":{n}}}"#,
                Who::Session,
            ),
            ("DELETE", "/v1/flows/{flow}", "", Who::Session),
            ("GET", "/v1/flows/{flow}/versions", "", Who::Session),
            ("GET", "/v1/flows/{flow}/versions/1.0.0", "", Who::Session),
            ("GET", "/v1/flows/{flow}/acls", "", Who::Session),
            (
                "POST",
                "/v1/flows/{flow}/acls",
                r#"{"principal_type":"user","principal_id":"usr_bob_acme","level":"edit"}"#,
                Who::Session,
            ),
            ("DELETE", "/v1/flows/{flow}/acls/{acl}", "", Who::Session),
            ("GET", "/v1/flows/{flow}/deployments", "", Who::Session),
        ],
    ),
    (
        "The catalog",
        &[
            ("GET", "/v1/catalog", "", Who::Session),
            (
                "POST",
                "/v1/catalog/publish",
                r#"{"package_id":"q{n}","name":"n","version":"1.0.0","content":"manifest: {}"}"#,
                Who::Session,
            ),
            ("POST", "/v1/catalog/{package}/install", "", Who::Session),
            (
                "PATCH",
                "/v1/catalog/{package}",
                r#"{"visibility":"groups","visibility_group_ids":["grp_acme_staff"]}"#,
                Who::Session,
            ),
            ("DELETE", "/v1/catalog/{package}", "", Who::Session),
        ],
    ),
    (
        "Deploying",
        &[
            ("POST", "/v1/flows/{flow}/deploy", "", Who::Session),
            (
                "POST",
                "/v1/dev/deploy",
                r#"{"content":"manifest:\n  name: expense\n"}"#,
                Who::DevToken,
            ),
        ],
    ),
    (
        "ScaiGrid",
        &[
            (
                "GET",
                "/v1/tenants/me/scaigrid_credentials",
                "",
                Who::Session,
            ),
            (
                "POST",
                "/v1/tenants/me/scaigrid_credentials",
                r#"{"api_key":"{key}"}"#,
                Who::Session,
            ),
            (
                "DELETE",
                "/v1/tenants/me/scaigrid_credentials",
                "",
                Who::Session,
            ),
            ("GET", "/v1/scaigrid/models", "", Who::Session),
            ("GET", "/v1/scaiqueue/scopes", "", Who::Session),
            ("GET", "/v1/scaibunker/bunkers?limit=5", "", Who::Session),
            ("GET", "/v1/scaicore/checkpoints", "", Who::Session),
            (
                "POST",
                "/v1/scaigrid/inference/chat",
                r#"{"model":"openai/gpt-4o","messages":[{"role":"user","content":"hello"}]}"#,
                Who::Session,
            ),
        ],
    ),
    (
        "The console",
        &[
            ("GET", "/console/sign-in", "", Who::Nobody),
            ("GET", "/console/signed-in", "", Who::ConsolesAnswer),
            ("GET", "/console/api/v1/me", "", Who::Page),
            ("GET", "/console/api/v1/me", "", Who::OldPage),
            (
                "POST",
                "/console/workspace",
                r#"{"workspace_id":"{workspace}"}"#,
                Who::Page,
            ),
            ("POST", "/console/sign-out", "", Who::Page),
        ],
    ),
    (
        "Health",
        &[
            ("GET", "/v1/health", "", Who::Nobody),
            ("GET", "/v1/health/ready", "", Who::Nobody),
            ("GET", "/v1/health/detailed", "", Who::Reader),
        ],
    ),
];

/// Whether the flow makes its calls side by side: which comes first is chance, so all of them fail at once.
pub fn is_side_by_side(flow: &Flow) -> bool {
    flow.1 == "/v1/health/detailed"
}

/// Whether the flow gives a store up that does not answer. Others wait: a host has limits of its own.
pub fn is_impatient(flow: &Flow) -> bool {
    flow.1.starts_with("/v1/health/")
}

/// Routes of `spin.toml` that have no row, and why.
pub const WITHOUT: &[(&str, &str)] = &[
    ("/v1/...", "reaches nothing that could fail"),
    ("/", "serves what it was built with"),
    ("/openapi.json", "serves what it was built with"),
    ("/docs", "serves what it was built with"),
    ("/docs/errors", "serves what it was built with"),
    ("/docs/style.css", "serves what it was built with"),
];
