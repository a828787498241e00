//! Our registration at ScaiKey.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use scaigate_types::{ClientId, Secret};
use zeroize::Zeroizing;

use crate::form;

/// A confidential client (types `WEB` and `SERVICE`, `contract/scaikey.md` 5.1).
#[derive(Clone, Debug)]
pub struct Client {
    /// The `client_id`.
    pub id: ClientId,
    /// The `client_secret`.
    pub secret: Secret<String>,
}

impl Client {
    /// The value of the `authorization` header: HTTP Basic with both halves form-encoded before
    /// they are joined (RFC 6749 §2.3.1), marked sensitive. `None` never happens for a value that
    /// base64 made.
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        let pair = Zeroizing::new(format!(
            "{}:{}",
            form::encode_value(self.id.as_str()),
            Zeroizing::new(form::encode_value(self.secret.expose())).as_str(),
        ));
        let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(id: &str, secret: &str) -> Client {
        Client {
            id: ClientId::parse(id).unwrap(),
            secret: Secret::new(secret.to_owned()),
        }
    }

    #[test]
    fn basic_halves_are_form_encoded_before_they_are_joined() {
        let table = [
            ("app_1", "secret", "app_1:secret"),
            ("a:b", "p:q", "a%3Ab:p%3Aq"),
            ("app", "s p+c%/é", "app:s+p%2Bc%25%2F%C3%A9"),
        ];
        for (id, secret, joined) in table {
            let value = client(id, secret).authorization().unwrap();
            let expected = format!("Basic {}", STANDARD.encode(joined));
            assert_eq!(value.to_str().unwrap(), expected, "{joined}");
        }
    }

    #[test]
    fn n_055_the_secret_is_shown_by_neither_the_client_nor_the_header() {
        let client = client("app_1", "canary-secret");
        assert!(!format!("{client:?}").contains("canary"));
        assert_eq!(
            format!("{:?}", client.authorization().unwrap()),
            "Sensitive"
        );
    }
}
