//! The secrets that webhooks are signed with.

use scaigate_types::Secret;
use thiserror::Error;

/// Shortest secret, in bytes. A shorter one can be found out from one delivery.
const MIN_SECRET: usize = 16;
/// Longest secret, in bytes.
const MAX_SECRET: usize = 512;
/// How keys begin that somebody else also has (N-097): PEM, and the asymmetric keys of Standard
/// Webhooks.
const NOT_SHARED_SECRETS: [&str; 3] = ["-----BEGIN", "whpk_", "whsk_"];

/// Why `scaiflow_scaikey_webhook_secret` is not usable. Never holds its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SecretsError {
    /// Unset or blank.
    #[error("missing")]
    Missing,
    /// Nothing before, between or behind the commas.
    #[error("an empty secret in the list")]
    Blank,
    /// More than two secrets.
    #[error("more than two secrets")]
    TooMany,
    /// A secret of fewer than 16 bytes.
    #[error("a secret of fewer than 16 bytes")]
    TooShort,
    /// A secret of more than 512 bytes.
    #[error("a secret of more than 512 bytes")]
    TooLong,
    /// A public or private key instead of a shared secret.
    #[error("a key of another kind than a shared secret")]
    NotASharedSecret,
}

/// One secret, or two during a rotation. There is no empty one, so that without a secret nothing
/// can be verified (N-098).
#[derive(Clone, Debug)]
pub struct WebhookSecrets {
    pub(super) first: Secret<String>,
    pub(super) second: Option<Secret<String>>,
}

impl WebhookSecrets {
    /// Reads the setting: one secret, or two with a comma between them. Each is trimmed; the rest is
    /// the key, byte for byte as in ScaiKey.
    ///
    /// # Errors
    /// [`SecretsError`] names the first rule it breaks.
    pub fn parse(setting: &str) -> Result<Self, SecretsError> {
        if setting.trim().is_empty() {
            return Err(SecretsError::Missing);
        }
        let mut parts = setting.split(',');
        let first = secret(parts.next().unwrap_or_default())?;
        let second = parts.next().map(secret).transpose()?;
        if parts.next().is_some() {
            return Err(SecretsError::TooMany);
        }
        Ok(Self { first, second })
    }

    /// Whether there are two, that is, whether a rotation is under way.
    #[must_use]
    pub const fn is_rotating(&self) -> bool {
        self.second.is_some()
    }
}

fn secret(text: &str) -> Result<Secret<String>, SecretsError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(SecretsError::Blank);
    }
    if NOT_SHARED_SECRETS
        .iter()
        .any(|beginning| text.starts_with(beginning))
    {
        return Err(SecretsError::NotASharedSecret);
    }
    match text.len() {
        ..MIN_SECRET => Err(SecretsError::TooShort),
        MIN_SECRET..=MAX_SECRET => Ok(Secret::new(text.to_owned())),
        _ => Err(SecretsError::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0123456789abcdef";
    const OTHER: &str = "another secret of ours";

    #[test]
    fn one_or_two_secrets_are_read_and_trimmed() {
        let one = WebhookSecrets::parse(" 0123456789abcdef\n").unwrap();
        assert_eq!(one.first.expose(), ONE);
        assert!(one.second.is_none() && !one.is_rotating());
        let two = WebhookSecrets::parse(&format!("{ONE} , {OTHER}")).unwrap();
        assert_eq!(two.first.expose(), ONE);
        assert_eq!(two.second.as_ref().unwrap().expose(), OTHER);
        assert!(two.is_rotating());
    }

    #[test]
    fn n_098_no_setting_makes_an_empty_secret() {
        for (setting, error) in [
            ("", SecretsError::Missing),
            (" \t\n", SecretsError::Missing),
            (",", SecretsError::Blank),
            (", ", SecretsError::Blank),
            ("0123456789abcdef,", SecretsError::Blank),
            (",0123456789abcdef", SecretsError::Blank),
            ("0123456789abcdef, ,0123456789abcdef", SecretsError::Blank),
        ] {
            assert_eq!(
                WebhookSecrets::parse(setting).unwrap_err(),
                error,
                "{setting:?}"
            );
        }
    }

    #[test]
    fn secrets_are_bounded_in_number_and_size() {
        let cases = [
            (format!("{ONE},{OTHER},{ONE}"), Some(SecretsError::TooMany)),
            (format!("{ONE},{OTHER},"), Some(SecretsError::TooMany)),
            ("0123456789abcde".to_owned(), Some(SecretsError::TooShort)),
            (format!("{ONE},short"), Some(SecretsError::TooShort)),
            ("x".repeat(512), None),
            ("x".repeat(513), Some(SecretsError::TooLong)),
        ];
        for (setting, error) in cases {
            assert_eq!(WebhookSecrets::parse(&setting).err(), error);
        }
    }

    #[test]
    fn n_097_a_public_key_is_no_shared_secret() {
        for key in [
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----",
            "whpk_MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQ",
            "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubM",
        ] {
            assert_eq!(
                WebhookSecrets::parse(key).unwrap_err(),
                SecretsError::NotASharedSecret
            );
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let secrets = WebhookSecrets::parse(&format!("{ONE},{OTHER}")).unwrap();
        let shown = format!("{secrets:?}");
        assert!(!shown.contains(ONE) && !shown.contains(OTHER), "{shown}");
    }
}
