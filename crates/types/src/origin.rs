//! Origins, base URLs, and the addresses we may send a browser to.

use std::fmt;

use thiserror::Error;
use url::Url;

/// Longest URL accepted anywhere, in bytes.
pub const MAX_URL: usize = 2048;

/// Why a URL is not usable here. Carries no part of the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UrlError {
    /// Longer than [`MAX_URL`], empty, or with characters outside printable ASCII.
    #[error("not a plain printable URL of at most 2048 bytes")]
    Text,
    /// Not an absolute `https` URL (or `http` where allowed) with a host.
    #[error("not an absolute http(s) URL")]
    Form,
    /// Plain `http` to a host that is not loopback, outside `env=dev`.
    #[error("http is allowed only for loopback hosts")]
    Insecure,
    /// Has user information, or a query or fragment where none belongs.
    #[error("has user information, a query or a fragment")]
    Extra,
    /// Its origin is not one we serve.
    #[error("not on an allowed origin")]
    ForeignOrigin,
}

fn parse(text: &str) -> Result<Url, UrlError> {
    let plain = |c: u8| c.is_ascii_graphic() && c != b'\\';
    if text.is_empty() || text.len() > MAX_URL || !text.bytes().all(plain) {
        return Err(UrlError::Text);
    }
    // The WHATWG parser repairs `https:host` and `https:///host`; what is repaired may be read
    // otherwise by somebody else, so only the unmistakable spelling is taken.
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .ok_or(UrlError::Form)?;
    // Nor is an encoded host the same one to whoever doesn't decode it.
    let is_repaired = rest.starts_with(['/', '?', '#', ':', '@']) || authority(rest).contains('%');
    if rest.is_empty() || is_repaired {
        return Err(UrlError::Form);
    }
    let url = Url::parse(text).map_err(|_| UrlError::Form)?;
    if !url.username().is_empty() || url.password().is_some() || authority(rest).contains('@') {
        return Err(UrlError::Extra);
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(UrlError::Form);
    }
    Ok(url)
}

fn authority(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A scheme, host and port, as RFC 6454 spells it: `https://app.example` or `http://127.0.0.1:3000`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// The origin of an absolute http(s) URL.
    ///
    /// # Errors
    /// [`UrlError`] when the text is no such URL.
    pub fn of(text: &str) -> Result<Self, UrlError> {
        Ok(Self(parse(text)?.origin().ascii_serialization()))
    }

    /// The serialised origin, as in an `Origin` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A base URL of ours or of an upstream: no query, no fragment, no trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    origin: Origin,
    https: bool,
    loopback: bool,
}

impl BaseUrl {
    /// Parses a configured base URL. `http` is taken only for loopback hosts, or for any host when
    /// `insecure` says that this is a development environment.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong.
    pub fn parse(text: &str, insecure: bool) -> Result<Self, UrlError> {
        let url = parse(text.trim())?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(UrlError::Extra);
        }
        let https = url.scheme() == "https";
        let loopback = is_loopback(&url);
        if !https && !loopback && !insecure {
            return Err(UrlError::Insecure);
        }
        Ok(Self {
            text: url.as_str().trim_end_matches('/').to_owned(),
            origin: Origin(url.origin().ascii_serialization()),
            https,
            loopback,
        })
    }

    /// The URL without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its origin.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether it is `https`.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// Whether its host is a loopback address or `localhost`.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// This URL with `path` (which begins with a slash) behind it.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An address that we may send a browser back to: on an origin we serve, checked once, here.
///
/// Only this type can be put into a `Location` header that leads to an app (RFC 9700 §4.11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// Parses a return address: an absolute URL on one of `allowed` (same scheme, host and port,
    /// never a suffix), or a path (`/…`) that is taken on `own`.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong; nothing is repaired.
    pub fn parse(text: &str, own: &BaseUrl, allowed: &[Origin]) -> Result<Self, UrlError> {
        let absolute = if let Some(rest) = text.strip_prefix('/') {
            // `//host`, `/\host` and their encoded forms are read as other hosts by some agents.
            let lower = rest.to_ascii_lowercase();
            let tricks = ["/", "\\", "%2f", "%5c", "%09", "%0a", "%0d", "%00"];
            if tricks.iter().any(|trick| lower.starts_with(trick)) {
                return Err(UrlError::Form);
            }
            format!("{}{text}", own.origin())
        } else {
            text.to_owned()
        };
        let url = parse(&absolute)?;
        let origin = Origin(url.origin().ascii_serialization());
        // The host must already be in its canonical spelling: what we compared is what is sent.
        if !absolute
            .to_ascii_lowercase()
            .starts_with(&url[..url::Position::BeforePath])
        {
            let default_port = format!("{}:", &url[..url::Position::BeforePath]);
            if !absolute.to_ascii_lowercase().starts_with(&default_port) {
                return Err(UrlError::Form);
            }
        }
        // Encoding made it longer: what is kept has to be taken again when the sign-in comes back.
        if url.as_str().len() > MAX_URL {
            return Err(UrlError::Text);
        }
        if allowed.contains(&origin) || own.origin() == &origin {
            Ok(Self(url.into()))
        } else {
            Err(UrlError::ForeignOrigin)
        }
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address with `parameters` added to its query.
    #[must_use]
    pub fn with_query(&self, parameters: &[(&str, &str)]) -> String {
        match Url::parse(&self.0) {
            Ok(mut url) => {
                url.query_pairs_mut().extend_pairs(parameters);
                url.into()
            }
            // It was parsed when it was made.
            Err(_) => self.0.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
