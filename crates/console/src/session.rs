//! Who is signed in: the tokens in the session cookie, kept fresh.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use scaigate_problem::{Code, Fault, Problem};
use scaigate_types::{Clock, Entropy, Outbound, Secret, Timestamp};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use crate::cookie::{Cookie, Cookies};
use crate::parts::code_named;
use crate::{Console, Settings};

/// How long a sign-in to the console lasts, however long its refresh token would. Signing in again is
/// one click while ScaiKey knows the person.
const LIFE: Duration = Duration::from_secs(12 * 3600);

const SIGN_IN: &str = "Sign in to the console again, at `/` of `public_url`.";

fn exposed<S: Serializer>(secret: &Secret<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose())
}

/// What the session cookie holds, sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Held {
    v: u8,
    #[serde(serialize_with = "exposed")]
    access_token: Secret<String>,
    #[serde(serialize_with = "exposed")]
    refresh_token: Secret<String>,
    /// When to refresh, in milliseconds.
    refresh_at: u64,
    /// When the access token ends.
    expires_at: u64,
    /// When the sign-in ends.
    until: u64,
}

/// A session answer (`POST /v1/auth/token`, `/refresh`), as far as it is needed here.
#[derive(Deserialize)]
struct Granted {
    access_token: Secret<String>,
    refresh_token: Secret<String>,
    expires_in: u64,
    refresh_after: u64,
}

/// What became of signing out.
#[derive(Debug, Serialize)]
pub struct SignedOut {
    /// The cookie is removed, whatever else failed.
    pub signed_out: bool,
    /// Whether the session is ended for everybody who holds its tokens.
    pub session_ended: bool,
    /// Where the person can sign out at ScaiKey too. Holds no token.
    pub end_session_url: Option<String>,
}

impl Held {
    /// What a session answer grants at `now`, for a sign-in that ends at `until`.
    ///
    /// # Errors
    /// It is none.
    fn granted(answer: Value, now: Timestamp, until: Timestamp) -> Result<Self, Problem> {
        let granted: Granted =
            serde_json::from_value(answer).map_err(|_| Problem::new(Code::Internal))?;
        let after = |seconds| now.plus(Duration::from_secs(seconds)).millis();
        Ok(Self {
            v: 1,
            access_token: granted.access_token,
            refresh_token: granted.refresh_token,
            refresh_at: after(granted.refresh_after),
            expires_at: after(granted.expires_in),
            until: until.millis(),
        })
    }

    /// The `Authorization` header of a call for this person.
    ///
    /// # Errors
    /// The token is none that a header can carry.
    pub fn authorization(&self) -> Result<HeaderValue, Problem> {
        let text = format!("Bearer {}", self.access_token.expose());
        let mut value = HeaderValue::from_str(&text).map_err(|_| Problem::new(Code::Internal))?;
        value.set_sensitive(true);
        Ok(value)
    }

    pub fn to_cookie(
        &self,
        settings: &Settings,
        entropy: &impl Entropy,
    ) -> Result<HeaderValue, Problem> {
        Cookie::Session
            .set(settings, entropy, self, None)
            .ok_or_else(|| {
                Problem::new(Code::Internal).with("reason", "the session is too long for a cookie")
            })
    }
}

/// Nobody is signed in, or not any more: `reason` is the code that says why.
fn signed_out(reason: Option<Code>) -> Problem {
    let problem = Problem::new(Code::AuthenticationRequired).with_fix(SIGN_IN);
    match reason {
        Some(code) => problem.with("reason", code.as_str()),
        None => problem,
    }
}

impl<C: Clock, E: Entropy, O: Outbound> Console<'_, C, E, O> {
    /// A new sign-in, with the tokens of a session answer.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn first(&self, answer: Value) -> Result<Held, Problem> {
        let now = self.clock.now();
        Held::granted(answer, now, now.plus(LIFE))
    }

    /// Who is signed in, by this browser's cookie.
    ///
    /// # Errors
    /// [`Code::AuthenticationRequired`]: nobody, or not any more.
    pub(crate) fn held(&self, cookies: &impl Cookies) -> Result<Held, Problem> {
        let held: Held = Cookie::Session
            .read(self.settings, cookies)
            .ok_or_else(|| signed_out(None))?;
        if held.v == 1 && held.until > self.clock.now().millis() {
            Ok(held)
        } else {
            Err(signed_out(Some(Code::SessionEnded)))
        }
    }

    /// The same session with tokens that are good for a while, and whether they are new. A refresh that
    /// fails for another reason than a refusal changes nothing while the access token is good.
    ///
    /// Calls at the same time get the same new tokens: refreshing is idempotent for ten seconds.
    ///
    /// # Errors
    /// [`Code::AuthenticationRequired`] when the session has ended; what else keeps it from being refreshed.
    pub(crate) async fn fresh(&self, held: Held) -> Result<(Held, bool), Problem> {
        let now = self.clock.now().millis();
        if now < held.refresh_at {
            return Ok((held, false));
        }
        match self.refreshed(&held, None).await {
            Ok(renewed) => Ok((renewed, true)),
            Err(problem)
                if problem.code() != Code::AuthenticationRequired && now < held.expires_at =>
            {
                Ok((held, false))
            }
            Err(problem) => Err(problem),
        }
    }

    /// The session with new tokens, in another workspace if one is named.
    ///
    /// # Errors
    /// [`Code::AuthenticationRequired`] when the session has ended; the workspace is none of the
    /// person's; a component or a store does not answer.
    pub(crate) async fn refreshed(
        &self,
        held: &Held,
        workspace_id: Option<&str>,
    ) -> Result<Held, Problem> {
        let mut body = json!({ "refresh_token": held.refresh_token.expose() });
        if let (Some(id), Some(members)) = (workspace_id, body.as_object_mut()) {
            members.insert("workspace_id".to_owned(), id.into());
        }
        let answer = self
            .post_callback("/v1/auth/refresh", HeaderMap::new(), &body)
            .await;
        match answer {
            Ok((_, answer)) => {
                Held::granted(answer, self.clock.now(), Timestamp::from_millis(held.until))
            }
            Err(problem) => Err(match problem.code() {
                code @ (Code::SessionEnded
                | Code::RefreshTokenInvalid
                | Code::RefreshTokenReused) => signed_out(Some(code)),
                _ => problem,
            }),
        }
    }

    /// Goes on in another workspace: the cookie with its tokens.
    ///
    /// # Errors
    /// Nobody is signed in; the workspace is none of the person's; something does not answer.
    pub async fn switch_workspace(
        &self,
        cookies: &impl Cookies,
        workspace_id: &str,
    ) -> Result<HeaderValue, Problem> {
        let held = self.held(cookies)?;
        let renewed = self.refreshed(&held, Some(workspace_id)).await?;
        renewed.to_cookie(self.settings, self.entropy)
    }

    /// Signs out: the session is ended, and the cookie removed even if that fails.
    pub async fn sign_out(&self, cookies: &impl Cookies) -> (SignedOut, Option<HeaderValue>) {
        let mut outcome = SignedOut {
            signed_out: true,
            session_ended: true,
            end_session_url: None,
        };
        // Nobody is signed in, or not any more: there is nothing to end.
        if let Some(held) = Cookie::Session.read::<Held>(self.settings, cookies) {
            let body = json!({ "refresh_token": held.refresh_token.expose() });
            match self
                .post_callback("/v1/auth/logout", HeaderMap::new(), &body)
                .await
            {
                Ok((_, answer)) => {
                    let url = answer.get("end_session_url").and_then(Value::as_str);
                    outcome.end_session_url = url.and_then(without_token);
                }
                Err(problem) => outcome.session_ended = problem.code().fault() == Fault::Client,
            }
        }
        (outcome, Cookie::Session.clear(self.settings))
    }
}

/// ScaiKey's sign-out address without the ID token in it: no token goes to the browser. ScaiKey asks
/// the person then (OpenID Connect RP-Initiated Logout 1.0, section 2).
fn without_token(url: &str) -> Option<String> {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let rest: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("id_token_hint="))
        .collect();
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    is_web.then(|| match rest.as_slice() {
        [] => address.to_owned(),
        rest => format!("{address}?{}", rest.join("&")),
    })
}

/// Why an access token was refused in a way that a refresh may mend: a role that changed revokes the
/// tokens that still say the old one.
pub(crate) fn may_be_mended(code: &str) -> bool {
    matches!(
        code_named(code),
        Some(Code::TokenExpired | Code::TokenRevoked)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_out_address_loses_its_token_and_nothing_else() {
        for (url, expected) in [
            (
                "https://k.example/out?id_token_hint=e.y.J&client_id=c",
                Some("https://k.example/out?client_id=c"),
            ),
            (
                "https://k.example/out?client_id=c&id_token_hint=e.y.J",
                Some("https://k.example/out?client_id=c"),
            ),
            (
                "https://k.example/out?id_token_hint=e.y.J",
                Some("https://k.example/out"),
            ),
            ("https://k.example/out", Some("https://k.example/out")),
            ("javascript:alert(1)", None),
        ] {
            assert_eq!(without_token(url).as_deref(), expected, "{url}");
        }
    }
}
