//! The cookie that ties pending sign-ins to a browser.

use std::time::Duration;

use http::HeaderValue;
use scaigate_runtime::Incoming;
use scaigate_signin::settings::{Deployment, Environment};

/// `__Host-` makes a browser refuse the cookie unless it is `Secure`, without `Domain` and for `/`,
/// so that no sibling host can plant one.
const NAME: &str = "__Host-scaigate_login";

/// For plain http on a loopback host in development, where browsers do not take the other.
const INSECURE_NAME: &str = "scaigate_login";

fn is_insecure(deployment: &Deployment) -> bool {
    deployment.environment == Environment::Development && !deployment.public_url.is_https()
}

/// The value this browser sent.
pub fn value<'a>(deployment: &Deployment, incoming: &'a Incoming) -> Option<&'a str> {
    incoming.cookie(if is_insecure(deployment) {
        INSECURE_NAME
    } else {
        NAME
    })
}

/// The header that sets it. `Lax`, because it has to come back on the way from ScaiKey.
pub fn set(deployment: &Deployment, value: &str, life: Duration) -> Option<HeaderValue> {
    let life = life.as_secs();
    let rest = format!("Path=/; HttpOnly; SameSite=Lax; Max-Age={life}");
    let text = if is_insecure(deployment) {
        format!("{INSECURE_NAME}={value}; {rest}")
    } else {
        format!("{NAME}={value}; {rest}; Secure")
    };
    HeaderValue::from_str(&text).ok()
}
