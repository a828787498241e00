//! `application/x-www-form-urlencoded`, read strictly and written (WHATWG URL §5, RFC 6749
//! appendix B). Also the encoding of a query.

use std::fmt;

use scaigate_types::Secret;
use thiserror::Error;
use url::form_urlencoded;
use zeroize::Zeroizing;

/// Largest form read, in bytes.
pub const MAX_BYTES: usize = 65536;

/// Why a text is not a form we accept. Carries no part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FormError {
    /// More than [`MAX_BYTES`].
    #[error("the form is too large")]
    TooLarge,
    /// More fields than the caller allows.
    #[error("the form has too many fields")]
    TooManyFields,
    /// A field occurs twice: two readers could each see another one (RFC 6749 §3.2).
    #[error("a field occurs more than once")]
    Duplicate,
    /// A field without a name, a broken percent sequence, a control character as it is, a NUL
    /// however it is written, or something that is not UTF-8.
    #[error("the form is not well encoded")]
    Encoding,
}

/// A form that was read: every name once. Values are wiped on drop and not shown by `Debug`.
#[derive(Clone, Default)]
pub struct Form {
    fields: Vec<(String, Zeroizing<String>)>,
}

impl Form {
    /// The value of a field; it may be empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of a field, with an empty one as if it were not there (RFC 6749 §3.2).
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// As [`Form::filled`], for passwords, codes and tokens.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<Secret<String>> {
        self.filled(name).map(|value| Secret::new(value.to_owned()))
    }

    /// All fields, in the order received.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form")
            .field("fields", &self.fields.len())
            .finish_non_exhaustive()
    }
}

/// Reads a form of at most `max_fields` fields. A name without `=` has an empty value, empty
/// pieces (`a=1&&b=2`) are skipped.
///
/// # Errors
/// [`FormError`] says what is wrong; nothing is repaired.
pub fn parse(body: &[u8], max_fields: usize) -> Result<Form, FormError> {
    if body.len() > MAX_BYTES {
        return Err(FormError::TooLarge);
    }
    let mut fields: Vec<(String, Zeroizing<String>)> = Vec::new();
    for piece in body
        .split(|byte| *byte == b'&')
        .filter(|piece| !piece.is_empty())
    {
        if fields.len() >= max_fields {
            return Err(FormError::TooManyFields);
        }
        let mut halves = piece.splitn(2, |byte| *byte == b'=');
        let name = decode(halves.next().unwrap_or_default())?;
        let value = Zeroizing::new(decode(halves.next().unwrap_or_default())?);
        if name.is_empty() {
            return Err(FormError::Encoding);
        }
        if fields.iter().any(|(own, _)| *own == name) {
            return Err(FormError::Duplicate);
        }
        fields.push((name, value));
    }
    Ok(Form { fields })
}

/// Writes a form.
#[must_use]
pub fn encode(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

/// Writes one name or value.
pub(crate) fn encode_value(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn decode(text: &[u8]) -> Result<String, FormError> {
    // Reserved at once: growing would leave copies of a secret behind.
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'+' => b' ',
            b'%' => {
                let high = hex_digit(bytes.next())?;
                high << 4 | hex_digit(bytes.next())?
            }
            raw if raw.is_ascii_control() => return Err(FormError::Encoding),
            raw => *raw,
        };
        if byte == 0 {
            return Err(FormError::Encoding);
        }
        decoded.push(byte);
    }
    str::from_utf8(&decoded)
        .map(str::to_owned)
        .map_err(|_| FormError::Encoding)
}

fn hex_digit(byte: Option<&u8>) -> Result<u8, FormError> {
    let digit = byte.and_then(|byte| char::from(*byte).to_digit(16));
    digit
        .and_then(|digit| u8::try_from(digit).ok())
        .ok_or(FormError::Encoding)
}

#[cfg(test)]
mod tests;
