//! Requests and answers as Spin hands them over.
//!
//! What the SDK makes of a request is more than is needed here (an address with scheme and
//! authority, Spin's own headers, a second look for the length), and each call of the host and each
//! header is work in every request.

use std::cell::RefCell;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::{PathAndQuery, Uri};
use http::{Method, StatusCode};
use spin_sdk::wasip3::http::types::Fields;
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};

use crate::Answer;
use crate::incoming::PEER;

pub use spin_sdk::wasip3::exports::http::handler::Guest;
pub use spin_sdk::wasip3::http::service::export;
pub use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};

/// What begins the names of the headers that Spin adds, or a client in its place. Nobody here reads
/// them but [`PEER`].
const OF_SPIN: &str = "spin-";

/// Makes the `async fn` named the component's handler: from a [`Request`] to what
/// [`respond`](super::respond) gives.
#[macro_export]
macro_rules! service {
    ($handle:path) => {
        mod service {
            struct Service;

            $crate::spin::wire::export!(Service);

            impl $crate::spin::wire::Guest for Service {
                async fn handle(
                    request: $crate::spin::wire::Request,
                ) -> Result<$crate::spin::wire::Response, $crate::spin::wire::ErrorCode> {
                    $handle(request).await
                }
            }
        }
    };
}

fn malformed<E: std::fmt::Display>(error: E) -> ErrorCode {
    ErrorCode::InternalError(Some(error.to_string()))
}

/// Everything of a request but its body. The address is path and query.
///
/// # Errors
/// It holds what HTTP does not allow; Spin has checked that it does not.
pub fn parts(request: &Request) -> Result<Parts, ErrorCode> {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.method = Method::try_from(request.get_method()).map_err(malformed)?;
    let target = request.get_path_with_query();
    parts.uri = match target {
        Some(target) => {
            let target = PathAndQuery::from_maybe_shared(target.into_bytes());
            Uri::from(target.map_err(malformed)?)
        }
        None => Uri::default(),
    };
    let fields = request.get_headers().copy_all();
    parts.headers = HeaderMap::with_capacity(fields.len());
    for (name, value) in fields {
        if name.starts_with(OF_SPIN) && name != PEER {
            continue;
        }
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(malformed)?;
        let value = HeaderValue::from_maybe_shared(bytes::Bytes::from(value)).map_err(malformed)?;
        parts.headers.append(name, value);
    }
    Ok(parts)
}

thread_local! {
    // The headers of the last answer: the next one's take their place.
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

/// Hands an answer over. Its body follows while the host sends it.
///
/// # Errors
/// A header that a component may not send.
pub fn response(answer: Answer) -> Result<Response, ErrorCode> {
    let (parts, body) = answer.into_parts();
    let fields = fields(&parts.headers)?;
    // Without a body that ends, there is none: an instance that is lost halfway cuts the answer.
    let (end, ends) =
        wit_future::new(|| Err(ErrorCode::InternalError(Some("not sent whole".to_owned()))));
    let (contents, stream) = if body.is_empty() {
        (None, None)
    } else {
        let (writer, reader) = wit_stream::new();
        (Some(reader), Some(writer))
    };
    let (response, _) = Response::new(fields, contents, ends);
    if parts.status != StatusCode::OK {
        response
            .set_status_code(parts.status.as_u16())
            .map_err(|()| malformed("not a status"))?;
    }
    spawn(async move {
        if let Some(mut writer) = stream {
            let unsent = writer.write_all(body.into()).await;
            if !unsent.is_empty() {
                // The caller is gone.
                return;
            }
        }
        // Nobody is left to tell when the other side does not wait for it.
        let _ = end.write(Ok(None)).await;
    });
    Ok(response)
}
