//! A token of our own at ScaiKey, for work that no person asked for (`client_credentials`).

use scaigate_problem::Problem;
use scaigate_scaikey::token;
use scaigate_types::{Clock, Secret};

use crate::ports::{Deadline, Ports};
use crate::scaikey::{self, Asker};
use crate::settings::Settings;

/// A token for `scope` (space-separated; `None` asks for all that the application is allowed), from
/// memory or from ScaiKey. Held until thirty seconds before it ends, at most a minute at a time; a
/// scope granted later needs a new token (`contract/scaikey.md` 1.7).
///
/// # Errors
/// ScaiKey refuses or does not answer.
pub async fn service_token(
    ports: &impl Ports,
    settings: &Settings,
    scope: Option<&str>,
) -> Result<Secret<String>, Problem> {
    let held = &ports.memory().tokens;
    let name = format!("service {}", scope.unwrap_or_default());
    if let Some((token, _)) = held.get(&name, ports.clock().now()) {
        return Ok(token);
    }
    let deadline = Deadline::start(ports.clock());
    let scaikey = &settings.scaikey;
    let metadata = scaikey::metadata_for(ports, &scaikey.provider, Asker::Bearer, deadline).await?;
    let request = token::client_credentials_request(&metadata, &scaikey.client, scope);
    let tokens = scaikey::grant(ports, request, "client_credentials", None, deadline)
        .await
        .map_err(|failure| failure.problem)?;
    let now = ports.clock().now();
    let token = (tokens.access_token.clone(), now.plus(tokens.expires_in));
    held.put(name, token, now);
    Ok(tokens.access_token)
}
