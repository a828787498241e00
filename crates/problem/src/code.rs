//! The list.

/// Whose fault a failure is. Decides the log level, never the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The caller sent something wrong.
    Client,
    /// A setting is missing or wrong.
    Config,
    /// ScaiKey, or what lies between, misbehaved.
    Peer,
    /// A store did not answer.
    Store,
    /// We did something wrong.
    Internal,
}

impl Fault {
    /// The word used in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Config => "config",
            Self::Peer => "peer",
            Self::Store => "store",
            Self::Internal => "internal",
        }
    }
}

macro_rules! codes {
    ($($variant:ident $status:literal $fault:ident $name:literal, $message:literal, $fix:literal;)*) => {
        /// A failure that a caller can see. The list is closed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $message] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name that clients match on.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// Whose fault it is.
            #[must_use]
            pub const fn fault(self) -> Fault {
                match self { $(Self::$variant => Fault::$fault,)* }
            }

            /// What happened, in one sentence.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }

            /// What to do about it.
            #[must_use]
            pub const fn fix(self) -> &'static str {
                match self { $(Self::$variant => $fix,)* }
            }
        }
    };
}

codes! {
    // The request itself.
    InvalidRequest 400 Client "invalid_request",
        "The request is malformed.",
        "Send what the API description shows for this endpoint; `details.field` names the part that was refused.";
    NotFound 404 Client "not_found",
        "There is nothing at this address.",
        "Check the path; every route lives below /v1.";
    MethodNotAllowed 405 Client "method_not_allowed",
        "This address does not take this method.",
        "Use one of the methods in the Allow header.";
    PayloadTooLarge 413 Client "payload_too_large",
        "The request body is too large.",
        "Send a smaller body; `details.limit_bytes` is the most this endpoint reads.";
    UnsupportedMediaType 415 Client "unsupported_media_type",
        "The body has a content type that this endpoint does not read.",
        "Send application/json or application/x-www-form-urlencoded.";
    RateLimited 429 Client "rate_limited",
        "You have made too many requests of this kind.",
        "Wait for Retry-After seconds. `details` says which category, how many a minute, and when all of them are there again; a batch counts once. An operator can raise the category in `rate_limits`.";
    OriginNotAllowed 403 Client "origin_not_allowed",
        "A page on another origin sent this request.",
        "Add the app's origin to `app_url` if it is one of yours.";
    NotImplemented 501 Client "not_implemented",
        "ScaiFlow documents this; scaigate does not do it.",
        "GET /openapi.json lists what there is.";

    // Signing in.
    StateMissing 400 Client "state_missing",
        "The sign-in answer carries no state.",
        "Begin again with POST /v1/auth/login, and let ScaiKey send the browser to /v1/auth/callback unchanged.";
    StateUnknown 400 Client "state_unknown",
        "This sign-in was not begun here.",
        "Begin again with POST /v1/auth/login. If it keeps happening, make `public_url`, `app_url` and the address in the browser the same origin (localhost and 127.0.0.1 are two).";
    StateExpired 400 Client "state_expired",
        "This sign-in was begun more than ten minutes ago.",
        "Begin again with POST /v1/auth/login.";
    StateAlreadyUsed 400 Client "state_already_used",
        "This sign-in has already been completed once.",
        "Go back to the app; if you are not signed in there, begin again with POST /v1/auth/login.";
    StateOtherBrowser 400 Client "state_other_browser",
        "This sign-in was begun in another browser, or its cookie did not come back.",
        "Begin and finish in one browser. If it is one browser, serve the app and `public_url` from one site (localhost and 127.0.0.1 are two) and send the login request with credentials.";
    CallbackMalformed 400 Client "callback_malformed",
        "The sign-in answer is not one that OAuth allows.",
        "Begin again with POST /v1/auth/login; if it persists, something between ScaiKey and here rewrites the address.";
    IssuerMismatch 400 Client "issuer_mismatch",
        "The sign-in answer comes from another issuer than the one it was begun at.",
        "Begin again. If it persists, `scaikey_base_url` and the ScaiKey that signs people in are two different environments.";
    AuthorizationRefused 400 Client "authorization_refused",
        "ScaiKey refused the sign-in.",
        "`details.error` is ScaiKey's reason; access_denied means the person or an administrator said no, login_required that a silent sign-in found no session.";
    RedirectUriMismatch 400 Config "redirect_uri_mismatch",
        "ScaiKey does not know our callback address.",
        "Register exactly `details.redirect_uri` as a redirect URI of the application in ScaiKey.";
    RedirectUriNotAllowed 400 Client "redirect_uri_not_allowed",
        "The redirect_uri is not on an origin that this deployment serves.",
        "Use a redirect URI on `public_url` or on an origin listed in `app_url`, spelt exactly as registered in ScaiKey.";
    ReturnToNotAllowed 400 Client "return_to_not_allowed",
        "The return address is not on an origin that this deployment serves.",
        "Use a path, or an absolute URL on `public_url` or on an origin listed in `app_url`.";
    CodeAlreadyUsed 400 Client "code_already_used",
        "The authorization code has already been exchanged.",
        "The first exchange stands: use its tokens. Consume the code once on mount and clear the URL (double click, dev hot reload), or sign in again.";
    InvalidGrant 400 Client "invalid_grant",
        "ScaiKey refused the grant.",
        "Sign in again. `details.error_description` is ScaiKey's reason; a wrong code_verifier or another redirect_uri than at authorize are the usual ones.";
    ClientRefused 502 Config "client_refused",
        "ScaiKey refused our client credentials.",
        "Set SCAIFLOW_SCAIKEY_CLIENT_ID and SCAIFLOW_SCAIKEY_CLIENT_SECRET to those of the application in ScaiKey, and give it the grant named in `details.grant_type`.";
    SessionCodeUnknown 400 Client "session_code_unknown",
        "This session_code was not issued here.",
        "Begin again with POST /v1/auth/login.";
    SessionCodeExpired 400 Client "session_code_expired",
        "This session_code is older than 60 seconds.",
        "Begin again with POST /v1/auth/login, and redeem the code as soon as the browser is back.";
    SessionCodeAlreadyUsed 400 Client "session_code_already_used",
        "This session_code has already been redeemed.",
        "The first redemption stands: use its tokens. Redeem once on mount and clear the URL, or sign in again.";
    CodeVerifierRequired 400 Client "code_verifier_required",
        "The sign-in was begun with a code_challenge, so its verifier is required.",
        "Send the code_verifier whose S256 challenge went into POST /v1/auth/login.";
    CodeVerifierMismatch 400 Client "code_verifier_mismatch",
        "The code_verifier does not belong to the code_challenge of this sign-in.",
        "Send the verifier made for this sign-in; verifiers are one per sign-in (RFC 7636).";
    TenantClaimMissing 403 Peer "tenant_claim_missing",
        "ScaiKey's token names no tenant.",
        "Sign in with an account that belongs to a tenant; platform accounts without one have no workspaces.";
    PersonSuspended 403 Client "person_suspended",
        "This account is suspended or deleted.",
        "Ask an administrator of the tenant to reactivate it in ScaiKey.";
    WorkspaceForbidden 403 Client "workspace_forbidden",
        "You are not a member of this workspace.",
        "GET /v1/me/workspaces lists yours; an administrator of the workspace can add you.";
    NoWorkspace 403 Client "no_workspace",
        "This person is a member of no workspace.",
        "Ask an administrator of the tenant to add them to one.";
    UnsupportedGrantType 400 Client "unsupported_grant_type",
        "This grant type is not offered.",
        "Redeem a session_code. For grant_type=password set `password_grant_enabled` to true, or better, sign in through the browser.";

    // Sessions.
    RefreshTokenInvalid 400 Client "refresh_token_invalid",
        "This refresh token was not issued here or by ScaiKey to us.",
        "Sign in again with POST /v1/auth/login.";
    RefreshTokenReused 400 Client "refresh_token_reused",
        "This refresh token was replaced long ago, so somebody has used it twice; the session is ended.",
        "Sign in again. If this was not you, change the password in ScaiKey and end its sessions.";
    RefreshBusy 503 Peer "refresh_busy",
        "Another request is refreshing this token and has not finished.",
        "Try again after Retry-After seconds with the same refresh token; it is still good.";
    SessionEnded 400 Client "session_ended",
        "This session has ended.",
        "Sign in again with POST /v1/auth/login.";
    AuthenticationRequired 401 Client "authentication_required",
        "This address needs a bearer token.",
        "Send `Authorization: Bearer <access_token>` with the token from POST /v1/auth/token.";
    TokenExpired 401 Client "token_expired",
        "The access token has expired.",
        "Refresh it with POST /v1/auth/refresh; `refresh_after` in every token answer says when to do so.";
    TokenInvalid 401 Client "token_invalid",
        "The access token is not valid here.",
        "`details.reason` says why: a signature or audience that does not fit usually means a token of another environment. Sign in again here.";
    TokenRevoked 401 Client "token_revoked",
        "The session of this access token has been ended.",
        "Sign in again with POST /v1/auth/login.";

    UserRequired 403 Client "user_required",
        "This is for people, and the token is a service's.",
        "Call it with the token of a person; GET /v1/auth/whoami shows who a token is.";
    InsufficientScope 403 Client "insufficient_scope",
        "The token does not allow this.",
        "`details.required` is what is missing, `details.present` what the token has; ask for it when you get the token.";
    TenantNotFound 404 Client "tenant_not_found",
        "The token's tenant is not known here.",
        "Let somebody of the tenant sign in with POST /v1/auth/login, or run a sync (POST /v1/admin/sync).";
    ServiceTokenWithoutSubject 401 Peer "service_token_without_subject",
        "The service token has no sub.",
        "Update ScaiKey: since 2026-05-16 it sets sub = client_id on client_credentials tokens; then get a new token.";
    WorkspaceNotFound 404 Client "workspace_not_found",
        "There is no such workspace among yours.",
        "POST /v1/auth/register makes the personal one; GET /v1/me/workspaces lists yours.";
    ScaikeyLoginRequired 403 Client "scaikey_login_required",
        "This needs a person who has signed in through ScaiKey.",
        "Sign in with POST /v1/auth/login; a test user, or a session whose ScaiKey tokens are gone, can't do it.";
    InvalidTarget 502 Config "invalid_target",
        "ScaiKey trades no token for this audience.",
        "Set `scaigrid_exchange_audience` to ScaiGrid's client id in ScaiKey and let the application exchange tokens for it there, or leave it unset.";
    InvalidScope 502 Config "invalid_scope",
        "ScaiKey gives no token with these scopes.",
        "Give the application in ScaiKey the scopes that it lacks with `scaigate scaikey-register`; `details.error_description` is ScaiKey's reason.";
    LogoutTokenInvalid 400 Peer "logout_token_invalid",
        "The logout token does not hold.",
        "`details.reason` says which check of OpenID Connect Back-Channel Logout 1.0 failed; check that ScaiKey and `scaikey_base_url` are one environment.";
    LogoutTokenReplayed 400 Client "logout_token_replayed",
        "This logout token was acted on before.",
        "Nothing is left to do: its sessions have ended.";

    // The directory.
    AdminRoleRequired 403 Client "admin_role_required",
        "This needs an administrator role that the caller does not have.",
        "`details.required` says which. A super admin can give it with POST /v1/admin/users/{id}/role, the operator with `scaigate admin grant`.";
    UserNotFound 404 Client "user_not_found",
        "There is no such user in the directory.",
        "GET /v1/admin/users?why=<email> says what is known of them; POST /v1/admin/sync reads ScaiKey again.";
    UserAmbiguous 409 Client "user_ambiguous",
        "Several tenants have a user with this identifier.",
        "Say which with the query parameter tenant_id; `details.tenant_ids` names them.";
    GroupNotFound 404 Client "group_not_found",
        "There is no such group in the directory.",
        "GET /v1/admin/groups lists them; POST /v1/admin/sync reads ScaiKey again.";
    LastSuperAdmin 409 Client "last_super_admin",
        "This would leave nobody who is super admin.",
        "Give the role to somebody else first, with POST /v1/admin/users/{id}/role.";
    CursorExpired 410 Client "cursor_expired",
        "Changes after this cursor have been forgotten.",
        "Read the whole directory with GET /v1/admin/users and /v1/admin/groups, then go on from the cursor of GET /v1/admin/changes?limit=1.";
    SyncRunning 409 Client "sync_running",
        "A sync is under way already.",
        "Wait for it: GET /v1/admin/sync shows how far it is.";
    SyncSuperseded 409 Internal "sync_superseded",
        "The sync was silent for so long that another one took over; it has changed nothing.",
        "Nothing needs to be done: GET /v1/admin/sync shows the one that runs now.";
    SyncSuspiciousShrink 409 Peer "sync_suspicious_shrink",
        "ScaiKey lists less than half of what is mirrored, so nothing was changed.",
        "Look at the list in ScaiKey. If it is right, sync with {\"force\": true}.";
    SyncIncomplete 502 Peer "sync_incomplete",
        "ScaiKey's directory could not be read whole, so nothing was changed.",
        "Try again; `details.list` and `details.reason` say what was wrong. If it persists, report it to ScaiKey with both.";
    SyncForbidden 502 Config "sync_forbidden",
        "ScaiKey does not let our application read its directory.",
        "Give the application admin:read, or at least groups:read, in ScaiKey: `scaigate scaikey-register` does it. Then sync again.";
    WebhookNotConfigured 503 Config "webhook_not_configured",
        "The webhook secret is not set, so no delivery can be trusted.",
        "Set SCAIFLOW_SCAIKEY_WEBHOOK_SECRET to the secret of the webhook in ScaiKey.";
    WebhookSignatureMissing 400 Client "webhook_signature_missing",
        "The delivery carries no signature that can be read.",
        "Send X-ScaiKey-Signature: t=<unix seconds>,v1=<hex>, once.";
    WebhookSignatureMismatch 400 Client "webhook_signature_mismatch",
        "The signature does not fit the body.",
        "Make the secret in ScaiKey and SCAIFLOW_SCAIKEY_WEBHOOK_SECRET the same, and let nothing between change the body: the signature is over its bytes as they are sent.";
    WebhookTimestampMissing 400 Client "webhook_timestamp_missing",
        "The delivery carries no timestamp, or two that differ.",
        "Send X-ScaiKey-Timestamp with the same Unix seconds as t in the signature.";
    WebhookTimestampOutOfWindow 400 Client "webhook_timestamp_out_of_window",
        "The delivery was signed more than five minutes ago, or in the future.",
        "Set the clocks here and at ScaiKey; a repeated delivery must be signed anew.";
    WebhookMalformed 400 Client "webhook_malformed",
        "The delivery is signed, but its body is not an event that ScaiKey documents.",
        "`details.reason` says which part; `scaigate webhooks test` sends one that is right.";
    WebhookEventConflict 400 Client "webhook_event_conflict",
        "An event with this identifier and another content was received before.",
        "Give every event an identifier of its own.";

    // Flows.
    FlowNotFound 404 Client "flow_not_found",
        "There is no such flow among those you may see.",
        "GET /v1/flows lists them; the flow's owner can let you in with POST /v1/flows/{id}/acls.";
    FlowAccessDenied 403 Client "flow_access_denied",
        "You may see this flow, but not do this with it.",
        "`details.required` is the level that is missing, `details.present` yours; whoever holds `admin` on the flow gives it with POST /v1/flows/{id}/acls.";
    FlowVersionNotFound 404 Client "flow_version_not_found",
        "The flow has no such version.",
        "GET /v1/flows/{id}/versions lists them.";
    PrincipalNotFound 404 Client "principal_not_found",
        "The directory has no such user or group in the flow's tenant.",
        "GET /v1/admin/tenant/users and /groups list them for an administrator; POST /v1/admin/sync reads ScaiKey again.";
    AclExists 409 Client "acl_exists",
        "This user or group has a right on the flow already.",
        "To change it, take it with DELETE /v1/flows/{id}/acls/{acl_id} and give the new one: there is no PATCH.";
    AclNotFound 404 Client "acl_not_found",
        "The flow has no such entry.",
        "GET /v1/flows/{id}/acls lists them. The owner's right and those of administrators are no entries and can't be taken.";
    PackageNotFound 404 Client "package_not_found",
        "There is no such package in the catalog among those you may see.",
        "GET /v1/catalog lists them.";
    PackageAccessDenied 403 Client "package_access_denied",
        "This package is somebody else's.",
        "Its author and the tenant's administrators can change it; publish yours under another package_id.";
    LimitReached 409 Client "limit_reached",
        "There are as many of these as there may be.",
        "Delete some that are not needed; `details.limit` is how many there may be.";
    CompileError 400 Client "compile_error",
        "The content can't be turned into a manifest.",
        "`detail.errors` says why. The flow compiler is not part of scaigate: content that is a YAML manifest already is deployed as it is.";
    MissingScaigridCredentials 412 Client "missing_scaigrid_credentials",
        "There is no credential to deploy to ScaiGrid with.",
        "Sign in through ScaiKey, or let an administrator of the tenant set a key with POST /v1/tenants/me/scaigrid_credentials; in development set SCAIGRID_API_KEY.";
    ScaiqueueAuth 502 Peer "scaiqueue_auth",
        "ScaiGrid does not let this credential provision the flow's queue.",
        "Give the caller (or the tenant's key) scaiqueue:view and scaiqueue:manage in ScaiGrid, or take `scaiqueue` out of the flow.";
    ScaiqueueProvisionFailed 502 Peer "scaiqueue_provision_failed",
        "The flow's queue could not be provisioned, so nothing was deployed.",
        "`detail.message` says why; look for a scope or queue of that name with another configuration.";
    ScaicoreCreateFailed 502 Peer "scaicore_create_failed",
        "ScaiGrid did not make a core of the manifest.",
        "`detail.message` and `detail.status` are ScaiGrid's; change the manifest and deploy again.";
    ScaicorePublishFailed 502 Peer "scaicore_publish_failed",
        "The core was made, but ScaiGrid did not publish it as a model.",
        "`detail.core_id` is the core; publish it in ScaiGrid, or deploy again once `detail.message` is cured.";
    DevDeployNotConfigured 503 Config "dev_deploy_not_configured",
        "POST /v1/dev/deploy is switched off: its token is not set.",
        "Use POST /v1/flows/{id}/deploy; for this deprecated address set SCAIFLOW_API_TOKEN and restart.";

    // ScaiKey.
    OidcNotConfigured 503 Config "oidc_not_configured",
        "ScaiKey OIDC not configured on the server",
        "Set the variables listed in `details.missing` and restart.";
    ConfigurationInvalid 503 Config "configuration_invalid",
        "The configuration does not allow this.",
        "`details.faults` lists every setting that is missing or wrong, with its fix.";
    ScaikeyUnreachable 502 Peer "scaikey_unreachable",
        "ScaiKey does not accept connections.",
        "Check `scaikey_base_url` and the network between here and ScaiKey; nothing was done, so try again.";
    ScaikeyTimeout 504 Peer "scaikey_timeout",
        "ScaiKey did not answer in time.",
        "Try again; if it persists, look at ScaiKey's health.";
    ScaikeyUnavailable 502 Peer "scaikey_unavailable",
        "ScaiKey answered with a server error.",
        "Try again; `details.status` is ScaiKey's answer.";
    ScaikeyRateLimited 503 Peer "scaikey_rate_limited",
        "ScaiKey limits our calls.",
        "Try again after Retry-After seconds.";
    ScaikeyInvalidResponse 502 Peer "scaikey_invalid_response",
        "ScaiKey's answer is not what its contract says.",
        "`details.reason` says what was wrong; check that `scaikey_base_url` is ScaiKey itself and that nothing between rewrites its answers.";
    DiscoveryInvalid 502 Peer "discovery_invalid",
        "ScaiKey's discovery document can't be used.",
        "`details.reason` says why. Set `scaikey_base_url` to exactly the issuer that ScaiKey announces.";
    IdTokenInvalid 502 Peer "id_token_invalid",
        "ScaiKey's ID token does not prove who signed in.",
        "`details.reason` says which check failed; clock skew, another environment and a wrong client id are the usual ones. Sign in again.";
    AudienceMismatch 401 Config "audience_mismatch",
        "invalid token: Audience doesn't match",
        "ScaiKey issues aud = client id: leave SCAIKEY_AUDIENCE unset, or set it to the client id.";
    JwksUnavailable 503 Peer "jwks_unavailable",
        "ScaiKey's keys can't be read, so no signature can be checked.",
        "Try again; if it persists, look at ScaiKey's health.";

    // ScaiGrid.
    ScaigridNotConfigured 503 Config "scaigrid_not_configured",
        "ScaiGrid is not configured on the server.",
        "Set SCAIGRID_BASE_URL to ScaiGrid's origin and restart; `details.faults` lists what else is wrong.";
    ScaigridCallNotEnabled 403 Config "scaigrid_call_not_enabled",
        "This deployment does not pass this call on to ScaiGrid.",
        "Add `details.name` to SCAIGRID_ALLOWED_POSTS, a list of inference, core_invoke and checkpoint_resolve.";
    MissingCredentials 412 Client "missing_credentials",
        "There is no credential to speak to ScaiGrid with.",
        "Sign in through ScaiKey, or let an administrator of the tenant set a key with POST /v1/tenants/me/scaigrid_credentials.";
    ScaigridTokenRefused 502 Peer "scaigrid_token_refused",
        "ScaiGrid does not accept the caller's ScaiKey token.",
        "The session here is fine, so signing in again changes nothing: ScaiGrid must trust this ScaiKey and the token's audience. Set SCAIGRID_EXCHANGE_AUDIENCE if it wants one of its own.";
    ScaigridKeyRefused 502 Config "scaigrid_key_refused",
        "ScaiGrid does not accept the API key.",
        "It was revoked or has expired. An administrator of the tenant sets another with POST /v1/tenants/me/scaigrid_credentials; where `details.source` is deployment_key, the operator changes SCAIGRID_API_KEY.";
    ScaigridForbidden 403 Client "scaigrid_forbidden",
        "ScaiGrid does not allow this.",
        "`details.source` says with whose credential it was asked: give that person or key the permission in ScaiGrid.";
    ScaigridModuleNotEnabled 403 Client "scaigrid_module_not_enabled",
        "The tenant does not have this module of ScaiGrid.",
        "Let an administrator of ScaiGrid enable the module for the tenant.";
    ScaigridNotFound 404 Client "scaigrid_not_found",
        "ScaiGrid has nothing at this address.",
        "Check the identifier; what another tenant has is not found either.";
    ScaigridConflict 409 Client "scaigrid_conflict",
        "ScaiGrid's state does not allow this now.",
        "`details.upstream_code` says why, where ScaiGrid does: a paused or full queue, a name that is taken, or a repeated call with another body.";
    ScaigridRejected 400 Client "scaigrid_rejected",
        "ScaiGrid refuses what was sent.",
        "`details.upstream_code` and ScaiGrid's log for `details.upstream_request_id` say what is wrong with it.";
    ScaigridRateLimited 429 Client "scaigrid_rate_limited",
        "ScaiGrid limits the calls.",
        "Try again after Retry-After seconds. Where `details.source` is tenant_key, everybody of the tenant shares its limit; a person's own token has one of its own.";
    ModelRateLimited 429 Peer "model_rate_limited",
        "The provider of the model limits the calls.",
        "Try again after Retry-After seconds, or use another model.";
    ScaigridQuotaExceeded 403 Client "scaigrid_quota_exceeded",
        "A quota or budget at ScaiGrid is used up.",
        "Waiting does not help: raise it in ScaiGrid, or wait for the next period.";
    ScaigridCapacityUnavailable 503 Peer "scaigrid_capacity_unavailable",
        "The model, or a worker for this, is not available now.",
        "Try again later, or use another model.";
    ModelBackendFailed 502 Peer "model_backend_failed",
        "The provider of the model failed.",
        "Try once more; if it persists, use another model.";
    ModelBackendTimeout 504 Peer "model_backend_timeout",
        "The provider of the model did not answer in time.",
        "Try again, with a shorter task or as a stream.";
    ScaigridUnavailable 502 Peer "scaigrid_unavailable",
        "ScaiGrid answered with a server error.",
        "Try again; `details.upstream_status` is ScaiGrid's answer.";
    ScaigridInvalidResponse 502 Peer "scaigrid_invalid_response",
        "ScaiGrid's answer is not what its contract says, so it is not passed on.",
        "`details.reason` says what was wrong; check that `scaigrid_base_url` is ScaiGrid itself and that nothing between rewrites its answers.";
    ScaigridUnreachable 502 Peer "scaigrid_unreachable",
        "ScaiGrid does not accept connections.",
        "Check `scaigrid_base_url` and the network between here and ScaiGrid.";
    ScaigridTimeout 504 Peer "scaigrid_timeout",
        "ScaiGrid did not answer in time.",
        "Try again; if it persists, look at ScaiGrid's health.";

    // Here.
    StoreUnavailable 503 Store "store_unavailable",
        "A store of this deployment does not answer.",
        "Try again; `details.store` says which, and the log line of `request_id` says more.";
    SchemaNewer 503 Store "schema_newer",
        "The database was written by a newer version.",
        "Deploy that version or a later one; schema migrations only go forward.";
    PartUnavailable 503 Config "part_unavailable",
        "Another component of this deployment did not answer.",
        "Deploy all components of `spin.toml` as one application, on a runtime with Spin's service chaining; `details.component` says which.";
    Internal 500 Internal "internal",
        "Something went wrong here.",
        "Report the `request_id`; its log line says more.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_snake_case_and_every_code_has_a_fix() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            let name = code.as_str();
            assert!(seen.insert(name), "{name} twice");
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{name}"
            );
            assert!((400..600).contains(&code.status()), "{name}");
            assert!(
                !code.message().is_empty() && code.fix().ends_with('.'),
                "{name}"
            );
        }
    }
}
