//! ScaiGrid's API keys.

use scaigate_types::Secret;
use thiserror::Error;

const PREFIX: &str = "sgk_";
/// Fewest characters behind the prefix (`contract/scaiwave-scaicrew-scaigrid.md` 3.2).
const MIN_RANDOM: usize = 32;
/// Longest key, in bytes.
const MAX: usize = 256;
/// Characters shown at either end of a masked key (`contract/scaiflow.md` 2.4).
const SHOWN: usize = 4;

/// Why a text is no API key. Carries no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ApiKeyError {
    /// It doesn't begin with `sgk_`.
    #[error("an API key of ScaiGrid begins with sgk_")]
    Prefix,
    /// Fewer than 32 characters behind the prefix, or more than 256 altogether.
    #[error("an API key of ScaiGrid has 36 to 256 characters")]
    Length,
    /// A space, or something that is no printable ASCII.
    #[error("an API key of ScaiGrid has no spaces and only printable characters")]
    Character,
}

/// `sgk_` and 32 or more random characters: one user in one tenant, with that user's rights.
#[derive(Clone, Debug)]
pub struct ApiKey(Secret<String>);

impl ApiKey {
    /// Reads a key: posted, stored or configured.
    ///
    /// # Errors
    /// [`ApiKeyError`] says what is wrong. Surrounding spaces are wrong, too: what is stored is what
    /// was posted.
    pub fn parse(text: Secret<String>) -> Result<Self, ApiKeyError> {
        let key = text.expose();
        let random = key.strip_prefix(PREFIX).ok_or(ApiKeyError::Prefix)?;
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ApiKeyError::Character);
        }
        if random.len() < MIN_RANDOM || key.len() > MAX {
            return Err(ApiKeyError::Length);
        }
        Ok(Self(text))
    }

    /// What may be shown of it: the first and the last four characters, `sgk_…1234`.
    #[must_use]
    pub fn masked(&self) -> String {
        let key = self.0.expose();
        let first = key.get(..SHOWN).unwrap_or_default();
        let last = key
            .len()
            .checked_sub(SHOWN)
            .and_then(|at| key.get(at..))
            .unwrap_or_default();
        format!("{first}…{last}")
    }

    /// The key. Every call is a place to review.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}
