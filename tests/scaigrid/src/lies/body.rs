//! Lies in JSON bodies.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::MARKUP;
use super::header::retype;
use crate::deviation::BodyLie;
use crate::exchange::{Call, Reply};
use crate::wire::gzip::gzip;
use crate::wire::pieces::Pieces;

const PAGE: &str = "<!doctype html><title>502</title><script>alert(document.domain)</script>";

pub(crate) fn tell(call: &Call, reply: &mut Reply, lie: BodyLie) {
    let Some(honest) = reply.body.bytes().cloned() else {
        return;
    };
    let key = call.credential();
    let bytes: Vec<u8> = match lie {
        BodyLie::EchoAuthorization => {
            let value = call.header("authorization").unwrap_or_default();
            with_member(
                &honest,
                "debug",
                &json!({ "authorization": value }).to_string(),
            )
        }
        BodyLie::KeyEverywhere => append(&honest, &key),
        BodyLie::KeyEscaped => {
            let escaped = key.chars().next().map_or(String::new(), |first| {
                format!(
                    "\"\\u{:04x}{}\"",
                    u32::from(first),
                    &key[first.len_utf8()..]
                )
            });
            with_member(&honest, "debug", &escaped)
        }
        BodyLie::KeyBase64 => {
            with_member(&honest, "debug", &json!(STANDARD.encode(&key)).to_string())
        }
        BodyLie::Html => {
            retype(reply, "text/html; charset=utf-8");
            PAGE.into()
        }
        BodyLie::HtmlAsJson => PAGE.into(),
        BodyLie::Bom => [b"\xef\xbb\xbf", &honest[..]].concat(),
        BodyLie::Utf16 => String::from_utf8_lossy(&honest)
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect(),
        BodyLie::InvalidUtf8 => {
            let mut bytes = with_member(&honest, "debug", "\"@@\"");
            for byte in bytes.iter_mut().filter(|byte| **byte == b'@') {
                *byte = 0xff;
            }
            bytes
        }
        BodyLie::Garbage => b"\xff\xfe{]\x00 not json \x80".to_vec(),
        BodyLie::Half => honest[..honest.len() / 2].to_vec(),
        BodyLie::TrailingGarbage => [&honest[..], b"}{\"data\":[]}"].concat(),
        BodyLie::LeadingSpaceValid => [&[b' '; 100 << 10], &honest[..]].concat(),
        BodyLie::Empty => Vec::new(),
        BodyLie::Null => b"null".to_vec(),
        BodyLie::JustString => b"\"data\"".to_vec(),
        BodyLie::TopLevelArray => [b"[", &honest[..], b"]"].concat(),
        BodyLie::NoData => b"{\"status\":\"ok\"}".to_vec(),
        BodyLie::DataNull => b"{\"data\":null}".to_vec(),
        BodyLie::DataString => b"{\"data\":\"[]\"}".to_vec(),
        BodyLie::DuplicateData => with_member(&honest, "data", "[]"),
        BodyLie::Deep => {
            let nested = ["[".repeat(100_000), "]".repeat(100_000)].concat();
            with_member(&honest, "deep", &nested)
        }
        BodyLie::HugeNumber => with_member(&honest, "huge", "1e999"),
        BodyLie::HugeString => {
            with_member(&honest, "huge", &format!("\"{}\"", "x".repeat(8 << 20)))
        }
        BodyLie::ManyMembers => {
            let many: Vec<String> = (0..200_000).map(|n| format!("\"m{n}\":0")).collect();
            with_member(&honest, "many", &format!("{{{}}}", many.join(",")))
        }
        BodyLie::Markup => append(&honest, MARKUP),
        BodyLie::Gzip => {
            reply.add("content-encoding", "gzip");
            gzip(&honest)
        }
        BodyLie::GzipBomb => {
            reply.add("content-encoding", "gzip");
            gzip(&[vec![b' '; 8 << 20], honest.to_vec()].concat())
        }
    };
    reply.body = Pieces::whole(Bytes::from(bytes));
}

/// The JSON object with one more member, given as JSON text, at its end.
fn with_member(object: &[u8], name: &str, value: &str) -> Vec<u8> {
    let open = object.strip_suffix(b"}").unwrap_or(object);
    [open, format!(",\"{name}\":{value}}}").as_bytes()].concat()
}

/// The JSON with `text` after every string value.
fn append(bytes: &[u8], text: &str) -> Vec<u8> {
    fn walk(value: &mut Value, text: &str) {
        match value {
            Value::String(string) => string.push_str(text),
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, text)),
            Value::Object(members) => members.values_mut().for_each(|item| walk(item, text)),
            _ => {}
        }
    }
    let mut value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    walk(&mut value, text);
    value.to_string().into_bytes()
}
