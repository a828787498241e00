//! A token of our own at ScaiKey, for work that no person asked for (`client_credentials`).

use scaigate_problem::Problem;
use scaigate_scaikey::{TokenResponse, token};
use scaigate_types::{Clock, Secret};

use crate::failure;
use crate::ports::{Deadline, Ports};
use crate::scaikey::{self, Asker};
use crate::settings::Scaikey;

/// A token for `scope` (space-separated; `None` asks for all that the application is allowed), from
/// memory or from ScaiKey. Held until thirty seconds before it ends, at most a minute at a time; a
/// scope granted later needs a new token (`contract/scaikey.md` 1.7).
///
/// # Errors
/// ScaiKey refuses or does not answer.
pub async fn service_token(
    ports: &impl Ports,
    scaikey: &Scaikey,
    scope: Option<&str>,
) -> Result<Secret<String>, Problem> {
    let held = &ports.memory().tokens;
    let name = format!("service {}", scope.unwrap_or_default());
    if let Some((token, _)) = held.get(&name, ports.clock().now()) {
        return Ok(token);
    }
    let tokens = fresh_service_token(ports, scaikey, scope).await?;
    let now = ports.clock().now();
    let token = (tokens.access_token.clone(), now.plus(tokens.expires_in));
    held.put(name, token, now);
    Ok(tokens.access_token)
}

/// A token as [`service_token`] gives, from ScaiKey whether or not one is held, with what it was
/// granted for.
///
/// # Errors
/// ScaiKey refuses or does not answer.
pub async fn fresh_service_token(
    ports: &impl Ports,
    scaikey: &Scaikey,
    scope: Option<&str>,
) -> Result<TokenResponse, Problem> {
    let deadline = Deadline::start(ports.clock());
    let metadata = scaikey::metadata_for(ports, &scaikey.provider, Asker::Bearer, deadline).await?;
    let request = token::client_credentials_request(&metadata, &scaikey.client, scope);
    scaikey::grant(ports, request, failure::CLIENT_CREDENTIALS, None, deadline)
        .await
        .map_err(|failure| failure.problem)
}
