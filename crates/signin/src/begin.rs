//! Beginning a sign-in (`POST /v1/auth/login`): make what only this server knows, keep what it
//! must, and say where the browser goes.

use std::time::Duration;

use scaigate_jose::{SealContext, pkce_challenge, token_hash};
use scaigate_kv::pending_login;
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::{AuthorizeRequest, Metadata, Prompt};
use scaigate_types::encoding::base64url;
use scaigate_types::{Clock, Entropy, ReturnTo};
use serde::{Deserialize, Serialize};

use crate::ports::{Deadline, Ports};
use crate::settings::Settings;
use crate::{failure, scaikey};

/// What identity claims are asked for (`contract/scaikey.md` 5.3).
const SCOPE: &str = "openid profile email";

/// Our callback's path.
pub const CALLBACK_PATH: &str = "/v1/auth/callback";

/// What an app asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct BeginRequest<'a> {
    /// Where the browser goes afterwards; the first `app_url` when absent.
    pub return_to: Option<&'a str>,
    /// The app's own PKCE challenge (S256), which binds the session code to the app that began.
    pub code_challenge: Option<&'a str>,
    /// If sent, must be `S256` (RFC 9700 §2.1.1).
    pub code_challenge_method: Option<&'a str>,
    /// Passed on.
    pub login_hint: Option<&'a str>,
    /// Passed on.
    pub prompt: Option<&'a str>,
    /// The value of this browser's cookie, if it sent one.
    pub browser: Option<&'a str>,
}

/// A begun sign-in.
pub struct Begun {
    /// Where the browser goes to sign in.
    pub authorize_url: String,
    /// Comes back with the session code, so that an app with several logins can tell them apart.
    pub state: String,
    /// How long the person has.
    pub expires_in: Duration,
    /// The value for this browser's cookie: the one it sent, or a new one.
    pub browser: String,
}

/// What is kept of a pending sign-in, sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pending {
    v: u8,
    pub nonce: String,
    pub code_verifier: String,
    pub redirect_uri: String,
    pub return_to: String,
    pub code_challenge: Option<String>,
    /// As it was when the login began: an answer is held against the ScaiKey that was asked, and
    /// the code goes to that ScaiKey's token endpoint (RFC 9700 §4.4).
    pub metadata: Metadata,
}

/// The context a pending sign-in is sealed in.
pub(crate) fn seal_context(state_hash: &str) -> SealContext<'_> {
    SealContext {
        purpose: "pending_login",
        owner: state_hash,
    }
}

/// Digest of a `state`, under which its row is kept.
pub(crate) fn state_hash(state: &str) -> String {
    token_hash("state", state)
}

/// Digest of a browser cookie's value. `None` when the value is not one of ours by its form.
pub(crate) fn browser_hash(value: &str) -> Option<String> {
    is_token(value).then(|| token_hash("browser", value))
}

/// 32 bytes as base64url: 43 characters, the form of everything random here.
pub(crate) fn is_token(text: &str) -> bool {
    text.len() == 43
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'))
}

/// 32 random bytes as base64url.
pub(crate) fn token(entropy: &impl Entropy) -> String {
    base64url(&entropy.bytes::<32>())
}

/// A person's answer address, checked.
///
/// # Errors
/// [`Code::ReturnToNotAllowed`].
pub fn return_to(settings: &Settings, text: Option<&str>) -> Result<ReturnTo, Problem> {
    let deployment = &settings.deployment;
    match text {
        None => Ok(deployment.home.clone()),
        Some(text) => {
            ReturnTo::parse(text, &deployment.public_url, &deployment.apps).map_err(|error| {
                Problem::new(Code::ReturnToNotAllowed)
                    .with("field", "return_to")
                    .with("reason", error.to_string())
            })
        }
    }
}

/// Begins a sign-in.
///
/// # Errors
/// The request is refused, ScaiKey's discovery can't be read, or a store does not answer; nothing
/// that anybody could use is kept then.
pub async fn begin(
    ports: &impl Ports,
    settings: &Settings,
    request: &BeginRequest<'_>,
) -> Result<Begun, Problem> {
    let return_to = return_to(settings, request.return_to)?;
    if request
        .code_challenge_method
        .is_some_and(|method| method != "S256")
    {
        return Err(Problem::invalid_field(
            "code_challenge_method",
            "only S256 is taken",
        ));
    }
    if request
        .code_challenge
        .is_some_and(|challenge| !is_token(challenge))
    {
        return Err(Problem::invalid_field(
            "code_challenge",
            "not the S256 digest of a verifier",
        ));
    }
    let printable = |text: &str| text.bytes().all(|c| c.is_ascii_graphic());
    if request
        .login_hint
        .is_some_and(|hint| hint.len() > 320 || !printable(hint))
    {
        return Err(Problem::invalid_field(
            "login_hint",
            "longer than 320 printable characters",
        ));
    }
    let prompt =
        match request.prompt {
            None => None,
            Some(text) => Some(Prompt::parse(text).ok_or_else(|| {
                Problem::invalid_field("prompt", "not a prompt of OpenID Connect")
            })?),
        };
    let deadline = Deadline::start(ports.clock());
    let metadata = scaikey::metadata(ports, &settings.scaikey.provider, deadline).await?;

    let browser = request
        .browser
        .filter(|value| is_token(value))
        .map_or_else(|| token(ports.entropy()), str::to_owned);
    let state = token(ports.entropy());
    let pending = Pending {
        v: 1,
        nonce: token(ports.entropy()),
        code_verifier: token(ports.entropy()),
        redirect_uri: settings.deployment.public_url.join(CALLBACK_PATH),
        return_to: return_to.as_str().to_owned(),
        code_challenge: request.code_challenge.map(str::to_owned),
        metadata: (*metadata).clone(),
    };
    let authorize_url = AuthorizeRequest {
        client_id: &settings.scaikey.client.id,
        redirect_uri: &pending.redirect_uri,
        scope: SCOPE,
        state: &state,
        nonce: &pending.nonce,
        code_challenge: &pkce_challenge(&pending.code_verifier),
        login_hint: request.login_hint,
        prompt,
        idp_hint: None,
    }
    .url(&metadata);
    let state_hash = state_hash(&state);
    let record = serde_json::to_vec(&pending).map_err(|_| Problem::new(Code::Internal))?;
    let sealed =
        settings
            .sessions
            .sealer
            .seal(ports.entropy(), &seal_context(&state_hash), &record);
    let browser_hash = browser_hash(&browser).ok_or_else(|| Problem::new(Code::Internal))?;
    pending_login::insert(
        ports.db(),
        &state_hash,
        &browser_hash,
        &sealed,
        ports.clock().now(),
    )
    .await
    .map_err(failure::database)?;
    Ok(Begun {
        authorize_url,
        state,
        expires_in: pending_login::LIFETIME,
        browser,
    })
}
