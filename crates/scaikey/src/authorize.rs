//! The authorization request: where the browser is sent (RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID
//! Connect Core §3.1.2.1, `contract/scaikey.md` 1.2).

use scaigate_types::ClientId;

use crate::discovery::Metadata;
use crate::query;

/// How ScaiKey should involve the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Not at all: fails unless there is a session.
    None,
    /// Sign in again, session or not.
    Login,
    /// Ask for consent again.
    Consent,
    /// Choose among accounts.
    SelectAccount,
}

impl Prompt {
    /// The value sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }

    /// Reads one value; `None` for any other text, lists included.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Login, Self::Consent, Self::SelectAccount]
            .into_iter()
            .find(|prompt| prompt.as_str() == text)
    }
}

/// A request for a code with PKCE S256, answered on `redirect_uri` by query.
#[derive(Clone, Copy)]
pub struct AuthorizeRequest<'a> {
    /// Our client.
    pub client_id: &'a ClientId,
    /// Exactly as registered: ScaiKey compares the strings.
    pub redirect_uri: &'a str,
    /// Separated by spaces. ScaiKey demands it, and issues an ID token only with `openid`.
    pub scope: &'a str,
    /// Comes back as it is.
    pub state: &'a str,
    /// Comes back inside the ID token.
    pub nonce: &'a str,
    /// `BASE64URL(SHA-256(code_verifier))`.
    pub code_challenge: &'a str,
    /// Whom to sign in, usually an e-mail address.
    pub login_hint: Option<&'a str>,
    /// Whether to involve the person.
    pub prompt: Option<Prompt>,
    /// The federated identity provider to use.
    pub idp_hint: Option<&'a str>,
}

impl AuthorizeRequest<'_> {
    /// The address to send the browser to. It keeps the query that the endpoint brings, except
    /// parameters of ours.
    #[must_use]
    pub fn url(&self, metadata: &Metadata) -> String {
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", self.redirect_uri),
            ("scope", self.scope),
            ("state", self.state),
            ("nonce", self.nonce),
            ("code_challenge", self.code_challenge),
            ("code_challenge_method", "S256"),
        ];
        let optional = [
            ("login_hint", self.login_hint),
            ("prompt", self.prompt.map(Prompt::as_str)),
            ("idp_hint", self.idp_hint),
        ];
        parameters.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        query::with_parameters(&metadata.authorization_endpoint, &parameters)
    }
}

#[cfg(test)]
mod tests;
