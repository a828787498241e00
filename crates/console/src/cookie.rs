//! The console's two cookies. Their values are sealed: whoever reads a browser's files, or a header in
//! between, has no token.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use scaigate_jose::SealContext;
use scaigate_types::encoding::{base64url, from_base64url};
use scaigate_types::{Entropy, Secret};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Settings;

/// Most bytes of a value: browsers keep cookies of 4,096 with name and attributes, and drop longer ones
/// without a word.
const MAX_VALUE: usize = 3800;

/// Finds a cookie of the request: `None` when it is missing, or there twice.
pub trait Cookies {
    /// The value of the cookie `name`.
    fn cookie(&self, name: &str) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String>> Cookies for F {
    fn cookie(&self, name: &str) -> Option<String> {
        self(name)
    }
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// Who is signed in. `Strict`: only the page's own calls need it.
    Session,
    /// What a sign-in was begun with. `Lax`, because it has to come back on the way from ScaiKey.
    Login,
}

impl Cookie {
    /// `__Host-` makes a browser refuse a cookie unless it is `Secure`, without `Domain` and for `/`, so
    /// that no sibling host can plant one.
    const fn name(self, settings: &Settings) -> &'static str {
        match (self, settings.is_plain_http) {
            (Self::Session, false) => "__Host-scaigate_console",
            (Self::Session, true) => "scaigate_console",
            (Self::Login, false) => "__Host-scaigate_console_login",
            (Self::Login, true) => "scaigate_console_login",
        }
    }

    const fn same_site(self) -> &'static str {
        match self {
            Self::Session => "Strict",
            Self::Login => "Lax",
        }
    }

    /// A value of one kind opens as no other, and at no other deployment.
    fn context(self, settings: &Settings) -> SealContext<'_> {
        SealContext {
            purpose: match self {
                Self::Session => "console_session",
                Self::Login => "console_login",
            },
            owner: settings.public_url.as_str(),
        }
    }

    /// What this browser holds; `None` when there is nothing, or nothing that we made.
    pub fn read<T: DeserializeOwned>(
        self,
        settings: &Settings,
        cookies: &impl Cookies,
    ) -> Option<T> {
        let value = from_base64url(&cookies.cookie(self.name(settings))?)?;
        let opened = settings.sealer.open(&self.context(settings), &value).ok()?;
        serde_json::from_slice(opened.expose()).ok()
    }

    /// The header that sets it, for a time or until the browser is closed; `None` when the value is too
    /// long for a browser.
    pub fn set(
        self,
        settings: &Settings,
        entropy: &impl Entropy,
        value: &impl Serialize,
        life: Option<Duration>,
    ) -> Option<HeaderValue> {
        let plain = Secret::new(serde_json::to_vec(value).ok()?);
        let sealed = settings
            .sealer
            .seal(entropy, &self.context(settings), plain.expose());
        let value = base64url(&sealed);
        (value.len() <= MAX_VALUE).then(|| self.header(settings, &value, life))?
    }

    /// The header that removes it.
    pub fn clear(self, settings: &Settings) -> Option<HeaderValue> {
        self.header(settings, "", Some(Duration::ZERO))
    }

    fn header(
        self,
        settings: &Settings,
        value: &str,
        life: Option<Duration>,
    ) -> Option<HeaderValue> {
        let mut text = format!(
            "{}={value}; Path=/; HttpOnly; SameSite={}",
            self.name(settings),
            self.same_site()
        );
        if let Some(life) = life {
            text += &format!("; Max-Age={}", life.as_secs());
        }
        if !settings.is_plain_http {
            text += "; Secure";
        }
        HeaderValue::from_str(&text).ok()
    }
}

/// The cookies of the sign-in itself, which the callback sets and reads. They pass through us when it is
/// us who begins.
const OF_CALLBACK: [&str; 2] = ["__Host-scaigate_login", "scaigate_login"];

/// The `Cookie` header with those of them that this browser sent.
pub fn of_callback(cookies: &impl Cookies) -> Option<HeaderValue> {
    let pairs: Vec<String> = OF_CALLBACK
        .iter()
        .filter_map(|name| Some(format!("{name}={}", cookies.cookie(name)?)))
        .collect();
    (!pairs.is_empty()).then(|| HeaderValue::from_str(&pairs.join("; ")).ok())?
}

/// The `Set-Cookie` headers of an answer that set one of them.
pub fn set_by_callback(headers: &HeaderMap) -> impl Iterator<Item = HeaderValue> {
    headers
        .get_all(header::SET_COOKIE)
        .iter()
        .filter(|value| {
            let name = value.to_str().ok().and_then(|text| text.split_once('='));
            name.is_some_and(|(name, _)| OF_CALLBACK.contains(&name))
        })
        .cloned()
}
