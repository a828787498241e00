//! The signature of a delivery (`contract/scaikey.md` 4.2 and 4.3): HMAC-SHA256 over
//! `{t}.{body as received}`, in `X-ScaiKey-Signature: t=<unix>,v1=<hex>`.

use std::fmt;
use std::time::Duration;

use hmac_sha256::{HMAC, Hash};
use http::{HeaderMap, HeaderName};
use scaigate_types::{Secret, Timestamp};
use thiserror::Error;

use super::secrets::WebhookSecrets;

/// Largest body that is looked at, in bytes (`product.md` section 6).
pub const MAX_BODY: usize = 1024 * 1024;
/// How far the time of signing may be from now, either side. An event id must be remembered for at
/// least twice as long.
pub const WINDOW: Duration = Duration::from_secs(300);

const SIGNATURE: HeaderName = HeaderName::from_static("x-scaikey-signature");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-scaikey-timestamp");

/// Longest signature header read, in bytes.
const MAX_HEADER: usize = 2048;
/// Most `v1` elements: one for each secret of the sender, and some to spare.
const MAX_CANDIDATES: usize = 8;
/// Most digits of a time: until the year 33658.
const MAX_DIGITS: usize = 12;

/// Why a delivery is refused. Nothing of the delivery is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// The body is larger than [`MAX_BODY`]: 413.
    #[error("the body is too large")]
    BodyTooLarge,
    /// No `X-ScaiKey-Signature`, or no `v1` in it: `webhook_signature_missing`.
    #[error("no signature")]
    SignatureMissing,
    /// The header is there twice, has `t` twice or more than eight `v1`, or is not printable:
    /// `webhook_signature_mismatch`.
    #[error("the signature header is ambiguous or malformed")]
    SignatureMalformed,
    /// No `X-ScaiKey-Timestamp`, or no `t` in the signature: `webhook_timestamp_missing`.
    #[error("no timestamp")]
    TimestampMissing,
    /// Not 1 to 12 digits, or the header is there twice: `webhook_timestamp_out_of_window`.
    #[error("the timestamp is malformed")]
    TimestampMalformed,
    /// `X-ScaiKey-Timestamp` is not the `t` that was signed: `webhook_signature_mismatch`.
    #[error("the timestamp is not the one that was signed")]
    TimestampDiffers,
    /// Signed more than 300 s ago, or ahead: `webhook_timestamp_out_of_window`.
    #[error("signed outside the window")]
    TimestampOutOfWindow,
    /// No `v1` is the signature of these bytes with one of our secrets:
    /// `webhook_signature_mismatch`.
    #[error("the signature does not match")]
    SignatureMismatch,
}

/// Which of our secrets a delivery was signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchedSecret {
    /// The first of the setting.
    First,
    /// The second, which is there during a rotation.
    Second,
}

/// Bytes that ScaiKey signed. Made by [`verify`] only, and needed to read an envelope.
pub struct Verified<'a> {
    headers: &'a HeaderMap,
    body: &'a [u8],
    signed_at: Timestamp,
    secret: MatchedSecret,
}

impl<'a> Verified<'a> {
    /// The body as received, at most [`MAX_BODY`].
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The `t` that was signed.
    #[must_use]
    pub const fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// Which secret it was: the other one is not in use at ScaiKey any more, or not yet.
    #[must_use]
    pub const fn secret(&self) -> MatchedSecret {
        self.secret
    }

    /// The headers, of which only the time is signed.
    pub(super) const fn headers(&self) -> &'a HeaderMap {
        self.headers
    }
}

impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is personal data.
        f.debug_struct("Verified")
            .field("signed_at", &self.signed_at)
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}

/// Checks that `body` is what ScaiKey signed with one of `secrets`, at most [`WINDOW`] from `now`.
///
/// Both `t` and `X-ScaiKey-Timestamp` have to be there and the same. Of several `v1` one has to
/// match; other schemes, such as `v1a`, count for nothing.
///
/// # Errors
/// [`SignatureError`] names the first rule it breaks.
pub fn verify<'a>(
    headers: &'a HeaderMap,
    body: &'a [u8],
    secrets: &WebhookSecrets,
    now: Timestamp,
) -> Result<Verified<'a>, SignatureError> {
    if body.len() > MAX_BODY {
        return Err(SignatureError::BodyTooLarge);
    }
    let signature = single(headers, &SIGNATURE)
        .map_err(|Repeated| SignatureError::SignatureMalformed)?
        .ok_or(SignatureError::SignatureMissing)?;
    let timestamp = single(headers, &TIMESTAMP)
        .map_err(|Repeated| SignatureError::TimestampMalformed)?
        .ok_or(SignatureError::TimestampMissing)?;
    let Elements { t, candidates } = elements(signature)?;
    let seconds = unix_seconds(t)?;
    if timestamp != t.as_bytes() {
        return Err(SignatureError::TimestampDiffers);
    }
    if now.secs().abs_diff(seconds) > WINDOW.as_secs() {
        return Err(SignatureError::TimestampOutOfWindow);
    }
    let signed_with = |secret: &Secret<String>| matches(secret, t, body, &candidates);
    let secret = if signed_with(&secrets.first) {
        MatchedSecret::First
    } else if secrets.second.as_ref().is_some_and(signed_with) {
        MatchedSecret::Second
    } else {
        return Err(SignatureError::SignatureMismatch);
    };
    Ok(Verified {
        headers,
        body,
        signed_at: Timestamp::from_secs(seconds),
        secret,
    })
}

/// A header that should be there once is there again.
struct Repeated;

/// The value of a header; an empty one counts as none.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Repeated> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Repeated);
    }
    Ok(first
        .map(|value| value.as_bytes())
        .filter(|value| !value.is_empty()))
}

struct Elements<'a> {
    t: &'a str,
    /// Those of the `v1` that have the form of an HMAC-SHA256.
    candidates: Vec<[u8; 32]>,
}

fn elements(header: &[u8]) -> Result<Elements<'_>, SignatureError> {
    if header.len() > MAX_HEADER || !header.is_ascii() {
        return Err(SignatureError::SignatureMalformed);
    }
    let header = str::from_utf8(header).map_err(|_| SignatureError::SignatureMalformed)?;
    let (mut t, mut seen, mut candidates) = (None, 0, Vec::new());
    for element in header.split(',') {
        match element.trim_matches([' ', '\t']).split_once('=') {
            Some(("t", _)) if t.is_some() => return Err(SignatureError::SignatureMalformed),
            Some(("t", value)) => t = Some(value),
            Some(("v1", value)) => {
                seen += 1;
                candidates.extend(from_hex(value));
            }
            _ => {}
        }
    }
    match (t, seen) {
        (_, 0) => Err(SignatureError::SignatureMissing),
        (_, count) if count > MAX_CANDIDATES => Err(SignatureError::SignatureMalformed),
        (None | Some(""), _) => Err(SignatureError::TimestampMissing),
        (Some(t), _) => Ok(Elements { t, candidates }),
    }
}

/// Exactly 64 hexadecimal digits.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let nibble = |digit: u8| char::from(digit).to_digit(16);
    let bytes: Option<Vec<u8>> = pairs
        .iter()
        .map(|[high, low]| u8::try_from(nibble(*high)? << 4 | nibble(*low)?).ok())
        .collect();
    bytes?.try_into().ok()
}

/// Digits only: no sign, no point that could move into the body (N-095).
fn unix_seconds(text: &str) -> Result<u64, SignatureError> {
    let digits = (1..=MAX_DIGITS).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
    digits
        .then(|| text.parse().ok())
        .flatten()
        .ok_or(SignatureError::TimestampMalformed)
}

/// Whether one of `candidates` is the signature. The body is gone through once, however many there
/// are. What is compared are digests of the signatures, in the constant time of `hmac-sha256`.
fn matches(secret: &Secret<String>, t: &str, body: &[u8], candidates: &[[u8; 32]]) -> bool {
    let mut hmac = HMAC::new(secret.expose());
    hmac.update(t);
    hmac.update(".");
    hmac.update(body);
    let expected = Hash::hash(&hmac.finalize());
    candidates.iter().fold(false, |found, candidate| {
        found | Hash::verify(candidate, &expected)
    })
}
