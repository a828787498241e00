//! Requests: bounded in time and size, no redirects, https or this machine.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, Uri};
use scaigate_types::Secret;
use serde_json::Value;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Proxy};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal;

/// Largest body read, in bytes.
const MAX_BODY: u64 = 8 << 20;
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The code where the request did not even leave.
pub const NO_CONNECTION: &str = "no_connection";
/// The code where it may have arrived.
pub const NO_ANSWER: &str = "no_answer";
/// Time for a whole request, unless the caller says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends requests.
#[derive(Debug)]
pub struct HttpClient {
    direct: Agent,
    /// Through the proxy that the environment names.
    proxied: Agent,
}

impl HttpClient {
    /// A client that trusts the certificates of `ca_file` (PEM), or the usual ones.
    ///
    /// # Errors
    /// The file holds no certificate.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, Failure> {
        let roots = match ca_file {
            Some(path) => Some(certificates(path)?),
            None => None,
        };
        let agent = |proxy: Option<Proxy>| {
            let mut tls = TlsConfig::builder();
            if let Some(roots) = &roots {
                tls = tls.root_certs(RootCerts::new_with_certs(roots));
            }
            Agent::config_builder()
                .tls_config(tls.build())
                .proxy(proxy)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .http_status_as_error(false)
                // A connection that the other side has closed meanwhile would look like a failure.
                .max_idle_connections(0)
                .user_agent(concat!("scaigate/", env!("CARGO_PKG_VERSION")))
                .build()
                .new_agent()
        };
        Ok(Self {
            direct: agent(None),
            proxied: agent(Proxy::try_from_env()),
        })
    }

    /// Sends a request and reads the whole answer. `whom` is who is asked.
    ///
    /// # Errors
    /// No answer came, or one that is too large. The request may have been acted on all the same.
    pub fn send(
        &self,
        whom: &str,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, Failure> {
        let failed = |error: &ureq::Error| {
            let (exit, code) = match error {
                ureq::Error::BodyExceedsLimit(_) => (Exit::Failed, NO_ANSWER),
                _ if is_unsent(error) => (Exit::Unreachable, NO_CONNECTION),
                _ => (Exit::Unreachable, NO_ANSWER),
            };
            let message = format!("{whom} gave no answer: {}.", reason(error));
            let fix = if is_untrusted(error) {
                "If an authority of your own has signed its certificate, name that with --ca-file."
                    .to_owned()
            } else {
                format!("Check that {whom} runs and can be reached from here.")
            };
            Failure::new(exit, code, message).with_fix(fix)
        };
        // A proxy on the way of plain http would see the credentials.
        let is_secure = request.uri().scheme_str() == Some("https");
        let agent = if is_secure {
            &self.proxied
        } else {
            &self.direct
        };
        let has_body = !matches!(*request.method(), Method::GET | Method::DELETE);
        let answer = if has_body {
            let request = request.map(|body| body.to_vec());
            let bounded = agent.configure_request(request);
            agent.run(bounded.timeout_global(Some(timeout)).build())
        } else {
            let bounded = agent.configure_request(request.map(|_| ()));
            agent.run(bounded.timeout_global(Some(timeout)).build())
        };
        let (parts, body) = answer.map_err(|error| failed(&error))?.into_parts();
        let body = body.into_with_config().limit(MAX_BODY).read_to_vec();
        let body = body.map_err(|error| failed(&error))?;
        Ok(Response::from_parts(parts, Bytes::from(body)))
    }
}

/// A request with a JSON body, or none.
///
/// # Errors
/// The address is none.
pub fn json_request(
    method: Method,
    address: &str,
    token: Option<&Secret<String>>,
    body: Option<&Value>,
) -> Result<Request<Bytes>, Failure> {
    let uri = Uri::try_from(address).map_err(|_| Failure::usage("The address is not usable."))?;
    let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    let mut request = Request::new(bytes);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, JSON);
    if body.is_some() {
        headers.insert(CONTENT_TYPE, JSON);
    }
    if let Some(token) = token {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| Failure::usage("The token is not usable."))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(request)
}

/// One segment of a path.
pub fn segment(text: &str) -> String {
    let mut segment = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

/// Whether the request certainly did not arrive.
fn is_unsent(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound | ureq::Error::ConnectProxyFailed(_) => true,
        ureq::Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
        _ => false,
    }
}

/// Whether the two could not agree on a secure connection.
fn is_untrusted(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Rustls(_) => true,
        ureq::Error::Io(error) => error.kind() == ErrorKind::InvalidData,
        _ => false,
    }
}

/// In our words: ureq's may hold the address, and that a credential.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "it took too long".to_owned(),
        ureq::Error::HostNotFound => "nobody knows a host of that name".to_owned(),
        ureq::Error::Io(error) => match error.get_ref() {
            // What TLS found: a certificate that nobody trusts, for one.
            Some(inner) if error.kind() == ErrorKind::InvalidData => {
                format!(
                    "no secure connection, {}",
                    terminal::short(&inner.to_string(), 200)
                )
            }
            _ => error.kind().to_string(),
        },
        ureq::Error::BodyExceedsLimit(_) => "it was larger than eight megabytes".to_owned(),
        ureq::Error::Rustls(error) => {
            let error = terminal::short(&error.to_string(), 200);
            format!("no secure connection, {error}")
        }
        ureq::Error::ConnectProxyFailed(_) | ureq::Error::InvalidProxyUrl => {
            "the proxy that the environment names can't be used".to_owned()
        }
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => {
            "what came is no HTTP".to_owned()
        }
        _ => "the connection failed".to_owned(),
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, Failure> {
    let unusable = || {
        let place = path.display();
        Failure::usage(format!("{place} holds no certificates in PEM form."))
            .with_fix("Give --ca-file a file with BEGIN CERTIFICATE blocks.")
    };
    let text = std::fs::read(path).map_err(|_| unusable())?;
    let items: Result<Vec<_>, _> = parse_pem(&text).collect();
    let certificates: Vec<_> = items
        .map_err(|_| unusable())?
        .into_iter()
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(unusable());
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_of_a_path_stays_one() {
        for (text, path) in [
            ("usr_alice-1", "usr_alice-1"),
            ("a/../b", "a%2F%2E%2E%2Fb"),
            ("..", "%2E%2E"),
            ("a?b#c d", "a%3Fb%23c%20d"),
            ("ë", "%C3%AB"),
        ] {
            assert_eq!(segment(text), path);
        }
    }
}
