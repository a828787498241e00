//! Requests and answers as Spin hands them over and takes them.
//!
//! What the SDK makes of them is more than is needed here (an address with scheme and authority, Spin's
//! own headers, a second look for the length, bodies piece by piece), and each call of the host and each
//! header is work in every request.

use std::cell::RefCell;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, StatusCode};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{Fields, Scheme, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult};
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};

use crate::Answer;
use crate::incoming::{Head, PEER};

pub use spin_sdk::wasip3::exports::http::handler::Guest;
pub use spin_sdk::wasip3::http::service::export;
pub use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};

/// What goes back to Spin. An error is none of ours: the host answers 500.
pub type Reply = Result<Response, ErrorCode>;

/// What begins the names of the headers that Spin adds, or a client in its place. Nobody here reads
/// them but [`PEER`].
const OF_SPIN: &str = "spin-";

/// The least that is read of a body at once.
const PIECE: usize = 4096;

/// Makes the `async fn` named the component's handler: from a [`Request`] to what
/// [`Component::respond`](super::Component::respond) gives.
#[macro_export]
macro_rules! service {
    ($handle:path) => {
        mod service {
            struct Service;

            $crate::spin::wire::export!(Service);

            impl $crate::spin::wire::Guest for Service {
                async fn handle(request: $crate::spin::wire::Request) -> $crate::spin::wire::Reply {
                    $handle(request).await
                }
            }
        }
    };
}

fn malformed<E: std::fmt::Display>(error: E) -> ErrorCode {
    ErrorCode::InternalError(Some(error.to_string()))
}

/// Everything of a request but its body.
///
/// # Errors
/// It holds what HTTP does not allow; Spin has checked that it does not.
pub fn head(request: &Request) -> Result<Head, ErrorCode> {
    Ok(Head {
        method: Method::try_from(request.get_method()).map_err(malformed)?,
        target: request.get_path_with_query().unwrap_or_default(),
        headers: headers(&request.get_headers())?,
    })
}

fn headers(fields: &Fields) -> Result<HeaderMap, ErrorCode> {
    let mut fields = fields.copy_all();
    fields.retain(|(name, _)| !name.starts_with(OF_SPIN) || name == PEER);
    let mut headers = HeaderMap::with_capacity(fields.len());
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(malformed)?;
        let value = HeaderValue::from_maybe_shared(Bytes::from(value)).map_err(malformed)?;
        headers.append(name, value);
    }
    Ok(headers)
}

thread_local! {
    // The headers that were last sent: the next ones take their place.
    static FIELDS: RefCell<Vec<(String, Vec<u8>)>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn fields(headers: &HeaderMap) -> Result<Fields, ErrorCode> {
    FIELDS.with_borrow_mut(|fields| {
        fields.truncate(headers.len());
        fields.resize_with(headers.len(), Default::default);
        for (field, (name, value)) in fields.iter_mut().zip(headers) {
            field.0.clear();
            field.0.push_str(name.as_str());
            field.1.clear();
            field.1.extend_from_slice(value.as_bytes());
        }
        Fields::from_list(fields).map_err(malformed)
    })
}

/// How a body ends: with trailers, or before its time.
type End = Result<Option<Trailers>, ErrorCode>;

/// A body for the host, which takes it while it is sent.
fn contents(body: Bytes) -> (Option<StreamReader<u8>>, FutureReader<End>) {
    // A body that does not end is cut: an instance that is lost halfway has not sent all of it.
    let (end, ends) =
        wit_future::new(|| Err(ErrorCode::InternalError(Some("not sent whole".to_owned()))));
    let (contents, stream) = if body.is_empty() {
        (None, None)
    } else {
        let (writer, reader) = wit_stream::new();
        (Some(reader), Some(writer))
    };
    spawn(async move {
        if let Some(mut writer) = stream {
            let unsent = writer.write_all(body.into()).await;
            if !unsent.is_empty() {
                // Whoever it was for is gone.
                return;
            }
        }
        // Nobody is left to tell when the other side does not wait for it.
        let _ = end.write(Ok(None)).await;
    });
    (contents, ends)
}

/// Hands an answer over. Its body follows while the host sends it.
///
/// # Errors
/// A header that a component may not send.
pub fn response(answer: Answer) -> Reply {
    let (parts, body) = answer.into_parts();
    let fields = fields(&parts.headers)?;
    let (contents, ends) = contents(body);
    let (response, _) = Response::new(fields, contents, ends);
    if parts.status != StatusCode::OK {
        response
            .set_status_code(parts.status.as_u16())
            .map_err(|()| malformed("not a status"))?;
    }
    Ok(response)
}

/// Sends a request to where its address says. What comes back is the head of the answer, and its body as
/// it comes.
///
/// # Errors
/// Why there is no answer.
pub(super) async fn send(request: http::Request<Bytes>) -> Result<http::Response<Body>, ErrorCode> {
    let (parts, body) = request.into_parts();
    let scheme = parts.uri.scheme_str().map(|scheme| match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    });
    let fields = fields(&parts.headers)?;
    let (contents, ends) = contents(body);
    let (request, _) = Request::new(fields, contents, ends, None);
    request
        .set_method(&parts.method.into())
        .map_err(|()| ErrorCode::HttpRequestMethodInvalid)?;
    request
        .set_scheme(scheme.as_ref())
        .and_then(|()| request.set_authority(parts.uri.authority().map(|host| host.as_str())))
        .and_then(|()| {
            let target = parts.uri.path_and_query().map(PathAndQuery::as_str);
            request.set_path_with_query(target)
        })
        .map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    #[expect(clippy::disallowed_methods, reason = "the one place that calls out")]
    let response = client::send(request).await?;
    let mut head = http::Response::new(());
    *head.status_mut() = StatusCode::from_u16(response.get_status_code()).map_err(malformed)?;
    *head.headers_mut() = headers(&response.get_headers())?;
    Ok(head.map(|()| Body::of_response(response)))
}

/// Why a body could not be read whole.
pub(super) enum Unread {
    /// There is more of it. The rest can still be [discarded](Body::discard).
    TooLarge(Body),
    /// It broke off.
    Broken(ErrorCode),
}

/// A body on its way to us. Dropping it says that nobody wants the rest.
pub(super) struct Body {
    stream: StreamReader<u8>,
    end: FutureReader<End>,
    wanted: FutureWriter<Result<(), ErrorCode>>,
}

impl Body {
    /// Of a request.
    pub fn of_request(request: Request) -> Self {
        let (wanted, is_wanted) = wit_future::new(|| Ok(()));
        let (stream, end) = Request::consume_body(request, is_wanted);
        Self {
            stream,
            end,
            wanted,
        }
    }

    fn of_response(response: Response) -> Self {
        let (wanted, is_wanted) = wit_future::new(|| Ok(()));
        let (stream, end) = Response::consume_body(response, is_wanted);
        Self {
            stream,
            end,
            wanted,
        }
    }

    /// Reads all of it, `max` bytes at the most.
    ///
    /// # Errors
    /// There is more, or it broke off.
    pub async fn whole(mut self, max: usize) -> Result<Bytes, Unread> {
        let mut body = Vec::new();
        loop {
            if body.capacity() - body.len() < PIECE / 4 {
                body.reserve(PIECE);
            }
            let (result, read) = self.stream.read(body).await;
            body = read;
            if body.len() > max {
                return Err(Unread::TooLarge(self));
            }
            if !matches!(result, StreamResult::Complete(_)) {
                break;
            }
        }
        let ended = self.end.await;
        drop(self.wanted);
        match ended {
            Ok(_) => Ok(body.into()),
            Err(error) => Err(Unread::Broken(error)),
        }
    }

    /// Reads `most` bytes of it, or a little more, and throws them away.
    pub async fn discard(mut self, most: u64) {
        let mut piece = Vec::with_capacity(PIECE);
        let mut received = 0_u64;
        while received <= most {
            let (result, read) = self.stream.read(piece).await;
            if !matches!(result, StreamResult::Complete(_)) {
                return;
            }
            received = received.saturating_add(u64::try_from(read.len()).unwrap_or(u64::MAX));
            piece = read;
            piece.clear();
        }
    }
}
