//! The two ways in where the app brings the code: ScaiFlow's exchange and ScaiWave's login. Both
//! yield ScaiKey's own tokens.

use scaigate_kv::redeemed_code;
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::{Metadata, TokenResponse, token};
use scaigate_types::{Clock, ReturnTo, Secret};

use crate::callback::{arrive, code_already_used, code_hash};
use crate::ports::{Deadline, Ports};
use crate::settings::Settings;
use crate::{failure, scaikey, upstream_refresh};

/// Longest code taken.
const MAX_CODE: usize = 2048;

/// A code as an app brings it.
pub struct CodePost<'a> {
    /// The authorization code.
    pub code: &'a Secret<String>,
    /// The verifier of the app's challenge, if it made one.
    pub code_verifier: Option<&'a str>,
    /// The redirect URI of the app's authorization request.
    pub redirect_uri: &'a str,
}

fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_' | b'~'))
}

/// Exchanges a code at ScaiKey, at most once whatever happens, and verifies who signed in.
///
/// # Errors
/// The request is refused, the code was brought before, ScaiKey refuses it or does not answer, or
/// its ID token proves nothing. A code that certainly did not reach ScaiKey stays good.
pub async fn exchange(
    ports: &impl Ports,
    settings: &Settings,
    post: &CodePost<'_>,
) -> Result<TokenResponse, Problem> {
    let code = post.code.expose();
    if code.is_empty() || code.len() > MAX_CODE || !code.bytes().all(|c| c.is_ascii_graphic()) {
        return Err(Problem::invalid_field("code", "not an authorization code"));
    }
    if post
        .code_verifier
        .is_some_and(|verifier| !is_verifier(verifier))
    {
        return Err(Problem::invalid_field(
            "code_verifier",
            "not a verifier of RFC 7636",
        ));
    }
    let deployment = &settings.deployment;
    let ours = !post.redirect_uri.starts_with('/')
        && ReturnTo::parse(post.redirect_uri, &deployment.public_url, &deployment.apps).is_ok();
    if !ours {
        return Err(Problem::new(Code::RedirectUriNotAllowed)
            .with("field", "redirect_uri")
            .with_sw_code("SW_AUTH_REDIRECT_MISMATCH"));
    }
    let deadline = Deadline::start(ports.clock());
    let metadata = scaikey::metadata(ports, &settings.scaikey.provider, deadline).await?;
    scaikey::ready_for_grant(ports, &metadata, deadline).await?;
    let code_hash = code_hash(code);
    let claimed = redeemed_code::claim(ports.db(), &code_hash, ports.clock().now())
        .await
        .map_err(failure::database)?;
    if !claimed {
        return Err(code_already_used());
    }
    let request = token::code_request(
        &metadata,
        &settings.scaikey.client,
        post.code,
        post.redirect_uri,
        post.code_verifier,
    );
    let granted = scaikey::grant(
        ports,
        request,
        "authorization_code",
        Some(post.redirect_uri),
        deadline,
    )
    .await;
    let tokens = match granted {
        Ok(tokens) => tokens,
        Err(failure) => {
            if failure.not_received {
                // If this fails too, the code stays claimed: the person signs in again.
                let _ = redeemed_code::release(ports.db(), &code_hash).await;
            }
            return Err(failure.problem);
        }
    };
    signed_in(ports, settings, &metadata, tokens, deadline).await
}

/// Signs in with a password at ScaiKey (ScaiWave's `grant_type=password`), where that is enabled.
///
/// # Errors
/// [`Code::UnsupportedGrantType`] where it is not; otherwise as [`exchange`].
pub async fn password(
    ports: &impl Ports,
    settings: &Settings,
    username: &str,
    password: &Secret<String>,
) -> Result<TokenResponse, Problem> {
    if !settings.password_grant_enabled {
        return Err(
            Problem::new(Code::UnsupportedGrantType).with_oauth_error("unsupported_grant_type")
        );
    }
    if username.is_empty() || username.len() > 320 || password.expose().len() > 1024 {
        return Err(Problem::invalid_field("username", "missing or too long"));
    }
    let deadline = Deadline::start(ports.clock());
    let metadata = scaikey::metadata(ports, &settings.scaikey.provider, deadline).await?;
    let client = &settings.scaikey.client;
    let request = token::password_request(
        &metadata,
        client,
        username,
        password,
        "openid profile email",
    );
    let tokens = scaikey::grant(ports, request, "password", None, deadline)
        .await
        .map_err(|failure| failure.problem)?;
    signed_in(ports, settings, &metadata, tokens, deadline).await
}

/// Hands on what ScaiKey granted, once it proves who signed in and that is recorded.
async fn signed_in(
    ports: &impl Ports,
    settings: &Settings,
    metadata: &Metadata,
    tokens: TokenResponse,
    deadline: Deadline,
) -> Result<TokenResponse, Problem> {
    let provider = &settings.scaikey.provider;
    let identity = scaikey::verify(ports, provider, metadata, &tokens, None, deadline).await?;
    arrive(ports, settings, &identity).await?;
    upstream_refresh::bind(ports, &tokens, &identity.id_token).await?;
    Ok(tokens)
}
