//! `auth-config` and `callback`: signing in, staying signed in, signing out.

use scaigate_problem::Code::*;

use crate::Operation;
use crate::codes::{GRANT, SCAIKEY, STORES};
use crate::schema::{bounded, either, named, open, text, uri, word};

fn callback(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation::new("callback", method, path, id, summary)
        .fails(SCAIKEY)
        .fails(STORES)
}

/// What begins a sign-in, in a query or a body.
const LOGIN: [(&str, &str); 5] = [
    (
        "return_to",
        "Where the browser goes afterwards: a path, or an address on `public_url` or on an origin of `app_url`.",
    ),
    (
        "code_challenge",
        "S256 challenge of the app; then the verifier is needed to redeem the session code.",
    ),
    ("code_challenge_method", "`S256`, the only one."),
    ("login_hint", "Handed on to ScaiKey."),
    ("prompt", "Handed on to ScaiKey."),
];

fn login_query(mut operation: Operation) -> Operation {
    for (name, about) in LOGIN {
        operation = operation.query(name, text(), about);
    }
    operation
}

fn get_login() -> Operation {
    let operation = callback(
        "GET",
        "/v1/auth/login",
        "beginByNavigation",
        "Begin a sign-in by going there",
    );
    login_query(operation)
        .about("With `code`, `error` or `state` in the query it is the same as `GET /v1/auth/callback`.")
        .query("iss", text(), "Must be ScaiKey's own address (third-party initiated login).")
        .query("target_link_uri", text(), "As `return_to`.")
        .query("code", text(), "ScaiKey's answer.")
        .query("state", text(), "ScaiKey's answer.")
        .query("error", text(), "ScaiKey's answer.")
        .fails(&[ReturnToNotAllowed, StateMissing, StateUnknown, StateExpired, StateAlreadyUsed, StateOtherBrowser,
            CallbackMalformed, IssuerMismatch, AuthorizationRefused])
        .fails(GRANT)
        .or_page()
        .answers(303, "To ScaiKey; or back to the app, as the callback does.", None, None, &["location"])
}

fn post_login() -> Operation {
    let mut members: Vec<_> = LOGIN
        .iter()
        .map(|(name, _)| (*name, bounded(0, 8192)))
        .collect();
    members.extend([
        ("code", text()),
        ("code_verifier", text()),
        ("redirect_uri", text()),
    ]);
    let names: Vec<String> = members.iter().map(|(name, _)| format!("{name}?")).collect();
    let members: Vec<_> = names
        .iter()
        .map(String::as_str)
        .zip(members.into_iter().map(|m| m.1))
        .collect();
    callback("POST", "/v1/auth/login", "login", "Begin a sign-in, or bring an authorization code")
        .about("Without `code` it begins a sign-in and sets the cookie that ties it to this browser. With `code` and `redirect_uri` (form, JSON or query) it exchanges the code, as ScaiWave's clients do.")
        .fields(open(&members))
        .query("code", text(), "As in the body.")
        .query("redirect_uri", text(), "As in the body.")
        .query("code_verifier", text(), "As in the body.")
        .fails(&[ReturnToNotAllowed, RedirectUriNotAllowed])
        .fails(GRANT)
        .json(200, "The address to send the browser to, or ScaiKey's tokens.", either(&[named("LoginBegun"), named("ScaiKeyTokens")]))
}

fn token() -> Operation {
    callback("POST", "/v1/auth/token", "redeem", "Redeem a session code")
        .about("The code stays good for one more call while `requires_selection` is answered. `grant_type=password` is ScaiWave's, where it is enabled.")
        .fields(open(&[
            ("grant_type?", text()), ("session_code?", text()), ("code_verifier?", text()),
            ("workspace_id?", text()), ("username?", text()), ("password?", text()),
        ]))
        .fails(&[SessionCodeUnknown, SessionCodeExpired, SessionCodeAlreadyUsed, SessionEnded, CodeVerifierRequired,
            CodeVerifierMismatch, NoWorkspace, WorkspaceForbidden])
        .fails(GRANT)
        .json(200, "The session; the workspaces to choose from; or, for the password grant, ScaiKey's tokens.",
            either(&[named("Session"), named("WorkspaceChoice"), named("ScaiKeyTokens")]))
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("auth-config", "GET", "/v1/auth/config", "authConfig", "What a client needs before anybody has signed in")
            .fails(&[ConfigurationInvalid, StoreUnavailable])
            .json(200, "Also when something is not configured: then it says what.", named("AuthConfig")),
        get_login(),
        post_login(),
        callback("GET", "/v1/auth/callback", "callback", "Where ScaiKey sends the browser back to")
            .about("A failure that belongs to an app goes there as `error`, `error_description`, `state` and `request_id`; any other is a page, or this body for who does not ask for a page.")
            .query("code", text(), "The authorization code.")
            .query("state", text(), "The state of the sign-in.")
            .query("iss", text(), "Who answers (RFC 9207).")
            .query("error", text(), "Why ScaiKey refused.")
            .query("error_description", text(), "ScaiKey's words.")
            .fails(&[StateMissing, StateUnknown, StateExpired, StateAlreadyUsed, StateOtherBrowser, CallbackMalformed,
                IssuerMismatch, AuthorizationRefused])
            .fails(GRANT)
            .or_page()
            .answers(303, "Back to the app, with `session_code` and `state`, or with `error`.", None, None, &["location"]),
        callback("POST", "/v1/auth/exchange", "exchange", "Exchange a code and its verifier for ScaiKey's tokens")
            .fields(open(&[("code", text()), ("code_verifier", text()), ("redirect_uri", uri())]))
            .fails(&[RedirectUriNotAllowed])
            .fails(GRANT)
            .json(200, "ScaiKey's tokens.", named("ScaiKeyTokens")),
        token(),
        callback("POST", "/v1/auth/refresh", "refresh", "Refresh a session, or ScaiKey's tokens")
            .about("Our refresh tokens rotate with every use; parallel calls with the same one get the same answer.")
            .fields(open(&[("refresh_token", text()), ("workspace_id?", text())]))
            .fails(&[RefreshTokenInvalid, RefreshTokenReused, RefreshBusy, SessionEnded, NoWorkspace, WorkspaceForbidden])
            .fails(GRANT)
            .json(200, "The session, or ScaiKey's tokens: what the refresh token was of.", either(&[named("Session"), named("ScaiKeyTokens")])),
        callback("POST", "/v1/auth/logout", "logout", "End a session")
            .about("The session is named by its refresh token or by a bearer token.")
            .fields(open(&[("refresh_token?", text()), ("post_logout_redirect_uri?", text())]))
            .fails(&[AuthenticationRequired, TokenInvalid, TokenExpired, TokenRevoked, RefreshTokenInvalid, ReturnToNotAllowed])
            .json(200, "Ended, here at once and at ScaiKey where it can be.", named("LoggedOut")),
        Operation::new("session", "POST", "/v1/auth/backchannel-logout", "backchannelLogout", "ScaiKey says that somebody has signed out there")
            .takes(&["application/x-www-form-urlencoded", "application/json"], false, open(&[("logout_token", text())]))
            .fails(&[LogoutTokenInvalid, LogoutTokenReplayed])
            .fails(SCAIKEY)
            .fails(STORES)
            .json(200, "How many sessions ended.", named("BackchannelLoggedOut")),
    ]
}

/// How a workspace role is spelt.
pub(crate) fn workspace_role() -> crate::Schema {
    use scaigate_types::WorkspaceRole::{Admin, Author, Operator, Viewer};
    word(&[Viewer, Operator, Author, Admin].map(scaigate_types::WorkspaceRole::as_str))
}
