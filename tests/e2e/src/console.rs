//! The console's page, as far as its backend sees it: a browser that signs in and calls.

use bytes::Bytes;
use http::{Method, Request, header};
use serde_json::Value;

use crate::{Answer, Browser, World};

/// The cookie of a session, on plain http in development.
pub const SESSION_COOKIE: &str = "scaigate_console";

/// The cookie of a begun sign-in.
pub const LOGIN_COOKIE: &str = "scaigate_console_login";

/// The console open in a browser. Whatever it is answered must hold no token.
#[derive(Clone)]
pub struct ConsolePage(pub Browser);

impl ConsolePage {
    /// Goes to an address.
    pub async fn get(&self, address: &str) -> Answer {
        let answer = self.0.get(address).await;
        assert_no_token(&answer);
        answer
    }

    /// Calls as the page's script does.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, "application/json")
            .header("x-scaigate-console", "1")
            .header("sec-fetch-site", "same-origin");
        let body = body.map(|body| Bytes::from(body.to_string()));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        self.send(request.body(body.unwrap_or_default()).expect("a request"))
            .await
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Bytes>) -> Answer {
        let answer = self.0.send(request).await;
        assert_no_token(&answer);
        answer
    }

    /// Who is signed in, or why nobody is.
    pub async fn me(&self) -> Answer {
        self.call(Method::GET, "/console/api/v1/me", None).await
    }
}

impl World {
    /// The console in a new browser, with nobody signed in.
    #[must_use]
    pub fn console(&self) -> ConsolePage {
        ConsolePage(self.browser())
    }

    /// Begins a sign-in at the console and lets the person sign in at ScaiKey: the address the callback
    /// sends the browser back to.
    pub async fn console_return(&self, page: &ConsolePage, email: &str) -> String {
        let begun = page.get("/console/sign-in").await;
        assert_eq!(begun.status, 303, "{}", begun.text());
        let back = self
            .scaikey
            .sign_in(begun.location(), email)
            .await
            .expect("the person signs in");
        self.canaries.add_url(&back);
        // The session code passes through the browser once, bound to a verifier that does not.
        let returned = page.0.get(&back).await;
        assert_eq!(returned.status, 303, "{}", returned.text());
        returned.location().to_owned()
    }

    /// Signs in at the console.
    pub async fn console_sign_in(&self, page: &ConsolePage, email: &str) {
        let back = self.console_return(page, email).await;
        let answer = page.get(&back).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        assert_eq!(answer.location(), format!("{}/", self.url));
    }
}

/// Fails when a header or the body of an answer holds a token of ours or of ScaiKey's.
#[track_caller]
fn assert_no_token(answer: &Answer) {
    for (name, value) in &answer.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        if name == header::SET_COOKIE {
            // A sealed value is random text without dots: by chance it may hold anything but a JWT.
            let (_, value) = value.split_once('=').expect("a cookie");
            let value = value.split(';').next().unwrap_or_default();
            assert!(!is_token(value), "a token in a cookie");
        } else {
            assert!(!holds_token(&value), "a token in {name}: {value}");
        }
    }
    let text = answer.text();
    assert!(!holds_token(&text), "a token in {text}");
}

/// Whether a text is a JWT, or a refresh token of ours, from its beginning on.
fn is_token(text: &str) -> bool {
    let is_base64url = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let rest = text.trim_start_matches(is_base64url);
    text.starts_with("sgr_") || (text.starts_with("eyJ") && rest.starts_with('.'))
}

fn holds_token(text: &str) -> bool {
    let places = text.match_indices("eyJ").chain(text.match_indices("sgr_"));
    text.contains("id_token_hint") || places.filter_map(|(at, _)| text.get(at..)).any(is_token)
}
