//! Client authentication: HTTP Basic or form fields (`contract/scaikey.md` 1.4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::directory::Application;
use crate::exchange::{Call, Reply};
use crate::world::World;

/// The client that calls, its secret checked; a public client names itself only.
pub(crate) fn authenticate(world: &World, call: &Call) -> Result<Application, Reply> {
    let basic = basic(call);
    let used_basic = basic.is_some();
    let refuse = |why: &str| {
        let reply = Reply::oauth(401, "invalid_client", why);
        if used_basic {
            reply.with("www-authenticate", "Basic realm=\"scaikey\"")
        } else {
            reply
        }
    };
    let (client_id, secret) = match (basic, call.form("client_id")) {
        (Some(Err(why)), _) => return Err(refuse(why)),
        (Some(Ok((id, secret))), form_id) => {
            if call.form("client_secret").is_some() {
                return Err(Reply::oauth(
                    400,
                    "invalid_request",
                    "two ways of client authentication",
                ));
            }
            if form_id.is_some_and(|form_id| form_id != id) {
                return Err(refuse("client_id differs from the Authorization header"));
            }
            (id, Some(secret))
        }
        (None, Some(id)) => (id.to_owned(), call.form("client_secret").map(str::to_owned)),
        (None, None) => return Err(refuse("no client authentication")),
    };
    let Some(client) = world.client(&client_id) else {
        return Err(refuse("unknown client"));
    };
    if client.client_secret != secret {
        return Err(refuse("wrong client secret"));
    }
    Ok(client)
}

fn basic(call: &Call) -> Option<Result<(String, String), &'static str>> {
    let (scheme, value) = call.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = STANDARD
        .decode(value.trim())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    Some(
        match pair.as_deref().and_then(|pair| pair.split_once(':')) {
            // RFC 6749 section 2.3.1: both halves are form-encoded.
            Some((id, secret)) => Ok((form_decode(id), form_decode(secret))),
            None => Err("malformed Authorization header"),
        },
    )
}

fn form_decode(text: &str) -> String {
    let pair = format!("x={}", text.replace('&', "%26"));
    url::form_urlencoded::parse(pair.as_bytes())
        .map(|(_, value)| value.into_owned())
        .collect()
}
