//! Time, randomness and calls to other hosts.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{Request, Response};
use scaigate_types::{Clock, Entropy, Limits, Outbound, OutboundError, Timestamp};
use spin_sdk::wasip3::http::types::ErrorCode;
use spin_sdk::wasip3::random::random::get_random_bytes;

use super::wire::{self, Unread};

/// The host's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpinClock;

impl Clock for SpinClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the clock"
        )]
        let now = std::time::SystemTime::now();
        let since = now
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    async fn sleep(&self, duration: Duration) {
        spin_sdk::time::sleep(duration).await;
    }
}

/// The host's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpinEntropy;

impl Entropy for SpinEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let drawn = get_random_bytes(bytes.len() as u64);
        // The interface promises that many bytes; fewer would leave zeros in a key.
        assert!(
            drawn.len() == bytes.len(),
            "the host gave fewer random bytes than asked for"
        );
        bytes.copy_from_slice(&drawn);
    }
}

/// Calls to the hosts that the manifest grants.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpinOutbound;

impl Outbound for SpinOutbound {
    async fn send(
        &self,
        request: Request<Bytes>,
        limits: Limits,
    ) -> Result<Response<Bytes>, OutboundError> {
        let call = pin!(call(request, limits.max_body));
        let timeout = pin!(spin_sdk::time::sleep(limits.timeout));
        match select(call, timeout).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), _)) => Err(OutboundError::Timeout),
        }
    }
}

async fn call(request: Request<Bytes>, max_body: usize) -> Result<Response<Bytes>, OutboundError> {
    let mut request = request;
    let length = request.body().len();
    if length > 0 {
        request
            .headers_mut()
            .insert(http::header::CONTENT_LENGTH, length.into());
    }
    let response = wire::send(request).await.map_err(|error| failed(&error))?;
    let (parts, body) = response.into_parts();
    let body = body.whole(max_body).await.map_err(|unread| match unread {
        Unread::TooLarge(_) => OutboundError::TooLarge,
        Unread::Broken(error) => failed(&error),
    })?;
    // A shorter body than announced is a cut one, however politely it ended.
    let announced = parts
        .headers
        .get(http::header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|announced| announced != body.len()) {
        return Err(OutboundError::Interrupted);
    }
    Ok(Response::from_parts(parts, body))
}

/// Only what certainly happened before the request left counts as refused.
pub(super) fn failed(error: &ErrorCode) -> OutboundError {
    match error {
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => OutboundError::Refused,
        ErrorCode::DestinationIpProhibited | ErrorCode::HttpRequestDenied => OutboundError::Denied,
        ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => OutboundError::Timeout,
        ErrorCode::HttpResponseBodySize(_)
        | ErrorCode::HttpResponseHeaderSectionSize(_)
        | ErrorCode::HttpResponseHeaderSize(_)
        | ErrorCode::HttpResponseTrailerSectionSize(_)
        | ErrorCode::HttpResponseTrailerSize(_) => OutboundError::TooLarge,
        ErrorCode::ConnectionTerminated
        | ErrorCode::HttpRequestLengthRequired
        | ErrorCode::HttpRequestBodySize(_)
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestUriTooLong
        | ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_)
        | ErrorCode::HttpRequestTrailerSectionSize(_)
        | ErrorCode::HttpRequestTrailerSize(_)
        | ErrorCode::HttpResponseIncomplete
        | ErrorCode::HttpResponseTransferCoding(_)
        | ErrorCode::HttpResponseContentCoding(_)
        | ErrorCode::HttpUpgradeFailed
        | ErrorCode::HttpProtocolError
        | ErrorCode::LoopDetected
        | ErrorCode::ConfigurationError
        | ErrorCode::InternalError(_) => OutboundError::Interrupted,
    }
}
