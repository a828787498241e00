//! One segment of a path.

use std::fmt;

use super::PathError;

/// What stands between two slashes: spelt as received, and in the only spelling it has.
///
/// Letters, digits and `-._~` stand for themselves, never encoded. The other characters of RFC 3986
/// §3.3 (`!$&'()*+,=:@`, without `;`) may come either way and go upstream as they came. So however
/// often anybody decodes a segment, it stays one segment and never becomes dots.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Segment(String);

impl Segment {
    /// Reads a segment.
    ///
    /// # Errors
    /// [`PathError`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::EmptySegment);
        }
        if text.bytes().all(|byte| byte == b'.') {
            return Err(PathError::DotSegment);
        }
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'%' => {
                    let octet = octet(bytes.next(), bytes.next());
                    let octet = octet.ok_or(PathError::BrokenEncoding)?;
                    if !is_reserved(octet) {
                        return Err(PathError::Encoded);
                    }
                }
                b'\\' => return Err(PathError::Backslash),
                b';' => return Err(PathError::Parameter),
                b'#' => return Err(PathError::Fragment),
                byte if is_unreserved(byte) || is_reserved(byte) => {}
                _ => return Err(PathError::Character),
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The text, as it was received and as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The octet that two hexadecimal digits stand for.
pub(super) fn octet(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// RFC 3986 §2.3.
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What else RFC 3986 §3.3 allows in a segment, without `;`.
pub(super) const fn is_reserved(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@'
    )
}
