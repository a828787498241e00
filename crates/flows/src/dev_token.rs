//! The bearer of the deprecated `POST /v1/dev/deploy` (`contract/scaiflow.md` 2.9, C-21).

use http::HeaderMap;
use scaigate_jose::{constant_time_eq, sha256};
use scaigate_problem::{Code, Problem};
use scaigate_signin::authenticate::bearer;
use scaigate_types::Secret;

/// The setting `scaiflow_api_token`.
#[derive(Clone, Debug)]
pub struct DevToken(Option<Secret<String>>);

/// What somebody presents as the token: to be counted against their limit before it is looked at, so
/// that nobody may guess for long.
pub struct Presented<'a> {
    presented: &'a str,
    token: &'a Secret<String>,
}

/// Whoever presented the token: nobody in particular, of no tenant.
#[derive(Debug)]
pub struct DevCaller(());

impl DevToken {
    /// Takes the setting; empty is unset.
    #[must_use]
    pub fn new(setting: Option<String>) -> Self {
        let setting = setting.map(|text| text.trim().to_owned());
        Self(setting.filter(|text| !text.is_empty()).map(Secret::new))
    }

    /// What the request carries.
    ///
    /// # Errors
    /// [`Code::DevDeployNotConfigured`] while it is unset, whatever is presented;
    /// [`Code::AuthenticationRequired`], [`Code::TokenInvalid`].
    pub fn presented<'a>(&'a self, headers: &'a HeaderMap) -> Result<Presented<'a>, Problem> {
        let Some(token) = &self.0 else {
            return Err(Problem::new(Code::DevDeployNotConfigured));
        };
        let presented = bearer(headers)?;
        Ok(Presented { presented, token })
    }
}

impl Presented<'_> {
    /// Whether it is the token.
    ///
    /// # Errors
    /// [`Code::TokenInvalid`].
    pub fn check(&self) -> Result<DevCaller, Problem> {
        // Of digests, so that neither content nor length shows in the time it takes.
        if constant_time_eq(sha256(self.presented), sha256(self.token.expose())) {
            Ok(DevCaller(()))
        } else {
            Err(Problem::new(Code::TokenInvalid).with("reason", "not the token of this deployment"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(setting: Option<&str>, header: Option<&str>) -> Option<Code> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert("authorization", header.parse().unwrap());
        }
        let token = DevToken::new(setting.map(str::to_owned));
        let checked = token.presented(&headers).and_then(|token| token.check());
        checked.err().map(|problem| problem.code())
    }

    #[test]
    fn only_the_whole_token_passes_and_none_while_it_is_unset() {
        let right = Some("Bearer dev-token-1");
        for unset in [None, Some(""), Some("  ")] {
            assert_eq!(code(unset, right), Some(Code::DevDeployNotConfigured));
            assert_eq!(code(unset, None), Some(Code::DevDeployNotConfigured));
        }
        let setting = Some("dev-token-1");
        assert_eq!(code(setting, right), None);
        assert_eq!(code(Some(" dev-token-1\n"), right), None);
        assert_eq!(code(setting, None), Some(Code::AuthenticationRequired));
        for wrong in [
            "Bearer dev-token-",
            "Bearer dev-token-12",
            "Bearer x",
            "Basic dev-token-1",
        ] {
            assert_eq!(
                code(setting, Some(wrong)),
                Some(Code::TokenInvalid),
                "{wrong}"
            );
        }
        let shown = format!("{:?}", DevToken::new(Some("dev-token-1".to_owned())));
        assert!(!shown.contains("dev-token-1"), "{shown}");
    }
}
