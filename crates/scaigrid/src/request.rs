//! The request that is sent, and the only way to one.

use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use scaigate_types::BaseUrl;
use thiserror::Error;

use crate::credential::Credential;
use crate::headers::{HeaderError, RequestHeaders};
use crate::lookup::Cursor;
use crate::path::UpstreamPath;

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("scaigate/", env!("CARGO_PKG_VERSION")));
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The base URL and the path make no address that HTTP knows, or the credential no header. Never
/// happens for what this crate has parsed and a base URL that is an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the request to ScaiGrid can't be written")]
pub struct Unsendable;

/// A client's request whose target and headers were both let through.
#[derive(Clone, Debug)]
pub struct Admitted {
    path: UpstreamPath,
    headers: RequestHeaders,
}

impl Admitted {
    /// Takes what passes out of `client`'s headers.
    ///
    /// # Errors
    /// [`HeaderError`] says what is wrong.
    pub fn new(path: UpstreamPath, client: &HeaderMap) -> Result<Self, HeaderError> {
        let headers = RequestHeaders::filter(client, path.route())?;
        Ok(Self { path, headers })
    }

    /// What is asked for.
    #[must_use]
    pub const fn path(&self) -> &UpstreamPath {
        &self.path
    }

    /// The same for the page that begins at `cursor`.
    #[must_use]
    pub fn following(&self, cursor: &Cursor) -> Self {
        Self {
            path: self.path.following(cursor),
            headers: self.headers.clone(),
        }
    }

    /// The request to ScaiGrid: where, what and in which headers, with `body` as it is. `configured`
    /// is `scaigrid_base_url`; a key that was registered for another one goes there.
    ///
    /// # Errors
    /// [`Unsendable`].
    pub fn request<B>(
        &self,
        configured: &BaseUrl,
        credential: &Credential,
        request_id: &str,
        body: B,
    ) -> Result<UpstreamRequest<B>, Unsendable> {
        let base = credential.base_url(configured);
        let address = base.join(&self.path.path_and_query());
        let mut request = Request::new(body);
        *request.method_mut() = self.path.route().method().clone();
        *request.uri_mut() = Uri::try_from(address).map_err(|_| Unsendable)?;
        let headers = request.headers_mut();
        headers.extend(self.headers.as_map().clone());
        headers.insert(USER_AGENT, AGENT);
        let authorization = credential.authorization().ok_or(Unsendable)?;
        headers.insert(AUTHORIZATION, authorization);
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(REQUEST_ID, id);
        }
        Ok(UpstreamRequest(request))
    }
}

/// A request that may be sent to ScaiGrid. Redirects must not be followed.
#[derive(Debug)]
pub struct UpstreamRequest<B>(Request<B>);

impl<B> UpstreamRequest<B> {
    /// The request, for whoever sends it.
    #[must_use]
    pub fn into_http(self) -> Request<B> {
        self.0
    }
}

#[cfg(test)]
mod tests;
