//! The head of a request, parsed without changing a byte.

use std::borrow::Cow;

use bytes::Bytes;

/// One header field as sent: order, spelling and repetition are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name as spelled.
    pub name: Bytes,
    /// The value without the white space around it.
    pub value: Bytes,
}

impl Field {
    /// Whether this is the field `name`, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value as text, whatever its bytes.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.value)
    }
}

/// A request's head.
pub(crate) struct Head {
    pub(crate) method: String,
    /// The request target, byte for byte.
    pub(crate) target: Bytes,
    pub(crate) is_http10: bool,
    pub(crate) fields: Vec<Field>,
}

/// How a request's body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
}

impl Head {
    /// `None` when the bytes (up to and with the empty line) are no HTTP/1 request.
    pub(crate) fn parse(raw: &Bytes) -> Option<Self> {
        let mut lines = lines(raw);
        let line = lines.next()?;
        // The target is everything between the outer spaces: one that holds a space itself is recorded as it came.
        let first = line.iter().position(|b| *b == b' ')?;
        let last = line.iter().rposition(|b| *b == b' ')?;
        if first == last {
            return None;
        }
        let is_http10 = match &line[last + 1..] {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            _ => return None,
        };
        let mut fields = Vec::new();
        for line in lines.take_while(|line| !line.is_empty()) {
            let colon = line.iter().position(|b| *b == b':')?;
            fields.push(Field {
                name: line.slice(..colon),
                value: line.slice_ref(line[colon + 1..].trim_ascii()),
            });
        }
        Some(Self {
            method: std::str::from_utf8(&line[..first]).ok()?.to_owned(),
            target: line.slice(first + 1..last),
            is_http10,
            fields,
        })
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        self.fields.iter().filter(move |field| field.is(name))
    }

    /// How the body is delimited. `None` where RFC 9112 section 6.3 leaves two readings, which is how requests are smuggled.
    pub(crate) fn framing(&self) -> Option<Framing> {
        let mut lengths = self.all("content-length");
        let mut codings = self.all("transfer-encoding");
        match (lengths.next(), codings.next()) {
            (None, None) => Some(Framing::Length(0)),
            (Some(length), None) if lengths.next().is_none() => {
                length.text().parse().ok().map(Framing::Length)
            }
            (None, Some(coding)) if codings.next().is_none() => coding
                .value
                .eq_ignore_ascii_case(b"chunked")
                .then_some(Framing::Chunked),
            _ => None,
        }
    }

    /// Whether the client waits for `100 Continue` before it sends the body.
    pub(crate) fn expects_continue(&self) -> bool {
        self.all("expect")
            .any(|field| field.value.eq_ignore_ascii_case(b"100-continue"))
    }

    /// Whether the client wants the connection kept.
    pub(crate) fn keeps_connection(&self) -> bool {
        let says = |token: &str| {
            self.all("connection").any(|field| {
                field
                    .text()
                    .split(',')
                    .any(|part| part.trim().eq_ignore_ascii_case(token))
            })
        };
        !says("close") && (!self.is_http10 || says("keep-alive"))
    }
}

/// The lines of a head without their endings.
fn lines(raw: &Bytes) -> impl Iterator<Item = Bytes> + '_ {
    raw.split(|byte| *byte == b'\n')
        .map(|line| raw.slice_ref(line.strip_suffix(b"\r").unwrap_or(line)))
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Framing, Head};

    fn parse(text: &str) -> Option<Head> {
        Head::parse(&Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn keeps_target_order_spelling_and_duplicates() {
        let head =
            parse("GET /a%2Fb/../c?x=%00#f HTTP/1.1\r\nHost: x\r\nX-a:1\r\nx-A:  2 \r\n\r\n")
                .unwrap();
        assert_eq!(head.target, "/a%2Fb/../c?x=%00#f");
        let fields: Vec<(String, String)> = head
            .fields
            .iter()
            .map(|f| {
                (
                    String::from_utf8_lossy(&f.name).into(),
                    f.text().into_owned(),
                )
            })
            .collect();
        let expected = [("Host", "x"), ("X-a", "1"), ("x-A", "2")];
        assert_eq!(fields, expected.map(|(n, v)| (n.into(), v.into())));
    }

    #[test]
    fn refuses_what_is_no_request() {
        for text in [
            "",
            "\r\n\r\n",
            "GET\r\n\r\n",
            "GET /\r\n\r\n",
            "GET / HTTP/2\r\n\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        ] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn reads_one_framing_or_none() {
        for (fields, framing) in [
            ("", Some(Framing::Length(0))),
            ("content-length: 7\r\n", Some(Framing::Length(7))),
            ("Transfer-Encoding: Chunked\r\n", Some(Framing::Chunked)),
            ("content-length: 7\r\ncontent-length: 7\r\n", None),
            ("content-length: 7\r\ntransfer-encoding: chunked\r\n", None),
            ("content-length: -1\r\n", None),
            ("transfer-encoding: gzip, chunked\r\n", None),
        ] {
            let head = parse(&format!("POST / HTTP/1.1\r\n{fields}\r\n")).unwrap();
            assert_eq!(head.framing(), framing, "{fields:?}");
        }
    }

    #[test]
    fn keeps_the_connection_as_the_version_and_the_field_say() {
        for (version, field, keeps) in [
            ("1.1", "", true),
            ("1.1", "Connection: x, Close\r\n", false),
            ("1.0", "", false),
            ("1.0", "Connection: keep-alive\r\n", true),
        ] {
            let head = parse(&format!("GET / HTTP/{version}\r\n{field}\r\n")).unwrap();
            assert_eq!(head.keeps_connection(), keeps, "{version} {field:?}");
        }
    }
}
