//! Signing in to the console: it is an app of its own, whose verifier stays on the server's side of the
//! browser, in a sealed cookie.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use scaigate_jose::{constant_time_eq, pkce_challenge};
use scaigate_problem::{Code, Problem};
use scaigate_signin::begin::CALLBACK_PATH;
use scaigate_types::encoding::base64url;
use scaigate_types::{Clock, Entropy, Outbound};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cookie::{self, Cookie, Cookies};
use crate::parts::code_named;
use crate::{Console, SIGNED_IN_PATH};

/// How long somebody has to sign in, as everywhere here.
const LIFE: Duration = Duration::from_secs(600);

/// Sign-ins that one browser may have begun at the same time, in several tabs.
const MAX_PENDING: usize = 5;

/// What the login cookie holds, sealed.
#[derive(Default, Serialize, Deserialize)]
struct Pending(Vec<Login>);

/// One begun sign-in.
#[derive(Serialize, Deserialize)]
struct Login {
    state: String,
    verifier: String,
    until: u64,
}

/// A begun sign-in.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub location: String,
    /// The `Set-Cookie` headers.
    pub cookies: Vec<HeaderValue>,
}

/// What the callback sends the browser back with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Returned<'a> {
    /// Which sign-in.
    pub state: Option<&'a str>,
    /// The code of the session.
    pub session_code: Option<&'a str>,
    /// Why there is none.
    pub error: Option<&'a str>,
}

impl<C: Clock, E: Entropy, O: Outbound> Console<'_, C, E, O> {
    /// Begins a sign-in.
    ///
    /// # Errors
    /// What the sign-in component answers, or that it does not.
    pub async fn begin(&self, cookies: &impl Cookies) -> Result<Begun, Problem> {
        let verifier = base64url(&self.entropy.bytes::<32>());
        let mut headers = HeaderMap::new();
        if let Some(value) = cookie::of_callback(cookies) {
            headers.insert(header::COOKIE, value);
        }
        let body = json!({
            "return_to": self.settings.public_url.join(SIGNED_IN_PATH),
            "code_challenge": pkce_challenge(&verifier),
            "code_challenge_method": "S256",
        });
        let (answered, begun) = self.post_callback("/v1/auth/login", headers, &body).await?;
        let text = |name| begun.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(location), Some(state)) = (text("authorize_url"), text("state")) else {
            return Err(Problem::new(Code::Internal));
        };
        let mut pending = self.pending(cookies);
        pending.0.push(Login {
            state,
            verifier,
            until: self.clock.now().plus(LIFE).millis(),
        });
        let surplus = pending.0.len().saturating_sub(MAX_PENDING);
        pending.0.drain(..surplus);
        let mut set: Vec<HeaderValue> = cookie::set_by_callback(&answered).collect();
        set.extend(self.keep(&pending));
        Ok(Begun {
            location,
            cookies: set,
        })
    }

    /// Completes a sign-in that this browser began: the cookies of the new session, which takes the place
    /// of any other.
    ///
    /// # Errors
    /// It was not begun in this browser, or not in time; the sign-in failed, or the code is not good.
    pub async fn complete(
        &self,
        cookies: &impl Cookies,
        returned: Returned<'_>,
    ) -> Result<Vec<HeaderValue>, Problem> {
        let state = returned
            .state
            .ok_or_else(|| Problem::new(Code::StateMissing))?;
        let mut pending = self.pending(cookies);
        let position = pending
            .0
            .iter()
            .position(|login| constant_time_eq(&login.state, state))
            .ok_or_else(|| Problem::new(Code::StateOtherBrowser))?;
        let login = pending.0.remove(position);
        if let Some(error) = returned.error {
            let code = code_named(error).unwrap_or(Code::AuthorizationRefused);
            let problem = Problem::new(code);
            return Err(match code {
                // What to register (S-32).
                Code::RedirectUriMismatch => {
                    let address = self.settings.public_url.join(CALLBACK_PATH);
                    problem.with("redirect_uri", address)
                }
                _ => problem,
            });
        }
        let session_code = returned
            .session_code
            .ok_or_else(|| Problem::invalid_field("session_code", "missing"))?;
        let mut body = json!({ "session_code": session_code, "code_verifier": login.verifier });
        let (_, mut answer) = self
            .post_callback("/v1/auth/token", HeaderMap::new(), &body)
            .await?;
        if answer.get("requires_selection").is_some() {
            // Any will do: the page offers to go on in another.
            let first = answer.pointer("/workspaces/0/workspace_id").cloned();
            if let (Some(id), Some(members)) = (first, body.as_object_mut()) {
                members.insert("workspace_id".to_owned(), id);
            }
            (_, answer) = self
                .post_callback("/v1/auth/token", HeaderMap::new(), &body)
                .await?;
        }
        let session = self.first(answer)?.to_cookie(self.settings, self.entropy)?;
        Ok([Some(session), self.keep(&pending)]
            .into_iter()
            .flatten()
            .collect())
    }

    /// The sign-ins that this browser has begun and may still end.
    fn pending(&self, cookies: &impl Cookies) -> Pending {
        let mut pending: Pending = Cookie::Login
            .read(self.settings, cookies)
            .unwrap_or_default();
        let now = self.clock.now().millis();
        pending.0.retain(|login| login.until > now);
        pending
    }

    fn keep(&self, pending: &Pending) -> Option<HeaderValue> {
        if pending.0.is_empty() {
            Cookie::Login.clear(self.settings)
        } else {
            Cookie::Login.set(self.settings, self.entropy, pending, Some(LIFE))
        }
    }
}
