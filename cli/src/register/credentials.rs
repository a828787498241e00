//! The credentials of an application, as ScaiKey gives them once.

use scaigate_types::{ClientId, Secret};
use serde_json::Value;

use super::text;
use crate::secrets;

/// Longest secret, in bytes.
const MAX_SECRET: usize = 1024;
/// Longest identifier, in bytes.
const MAX_ID: usize = 128;

/// What ScaiKey gives once.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// ScaiKey's identifier of the application, if it names it.
    pub app_id: Option<String>,
    /// The client.
    pub client_id: ClientId,
    /// Its secret.
    pub client_secret: Secret<String>,
}

/// What of the credentials an answer holds.
#[derive(Debug)]
pub enum Found {
    /// All.
    All(Credentials),
    /// Neither identifier nor secret.
    None,
    /// Not what credentials look like, or one without the other.
    Unusable,
}

impl Credentials {
    /// The credentials in an answer.
    pub fn find(answer: &Value) -> Found {
        let (id, secret) = (text(answer, "client_id"), text(answer, "client_secret"));
        // Whatever becomes of it, it is not printed.
        let secret = secret.map(secrets::keep);
        let (id, secret) = match (id, secret) {
            (None, None) => return Found::None,
            (Some(id), Some(secret)) => (ClientId::parse(id), secret),
            _ => return Found::Unusable,
        };
        let app_id = text(answer, "app_id")
            .or_else(|| text(answer, "application_id"))
            .or_else(|| text(answer, "id"));
        match id {
            Ok(client_id) if is_token(secret.expose(), MAX_SECRET) => Found::All(Self {
                app_id: app_id.filter(|id| is_token(id, MAX_ID)).map(str::to_owned),
                client_id,
                client_secret: secret,
            }),
            _ => Found::Unusable,
        }
    }
}

/// Printable ASCII without spaces.
pub fn is_token(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn credentials_are_found_plain_and_wrapped_and_nothing_else_passes() {
        let plain = json!({ "app_id": "app_1", "client_id": "c", "client_secret": "s" });
        let row = json!({ "id": "app_1", "client_id": "c", "client_secret": "s" });
        for answer in [&plain, &row, &json!({ "data": row })] {
            assert!(
                matches!(Credentials::find(answer), Found::All(found)
                    if found.client_id.as_str() == "c" && found.app_id.as_deref() == Some("app_1")),
                "{answer}"
            );
        }
        for answer in [
            json!({}),
            json!([]),
            json!({ "client_id": null, "client_secret": null }),
        ] {
            assert!(
                matches!(Credentials::find(&answer), Found::None),
                "{answer}"
            );
        }
        for answer in [
            json!({ "client_id": "c" }),
            json!({ "client_secret": "s" }),
            json!({ "client_id": "c", "client_secret": "" }),
            json!({ "client_id": "c\nd", "client_secret": "s" }),
            json!({ "client_id": "c", "client_secret": "s\nSESSION_SECRET=x" }),
            json!({ "client_id": "c", "client_secret": "x".repeat(2_000) }),
        ] {
            assert!(
                matches!(Credentials::find(&answer), Found::Unusable),
                "{answer}"
            );
        }
    }
}
