//! Lies in header fields.

use crate::deviation::HeaderLie;
use crate::exchange::{Call, Reply};

const HOP_BY_HOP: [(&str, &str); 8] = [
    ("connection", "keep-alive, x-hop"),
    ("keep-alive", "timeout=5"),
    ("proxy-connection", "keep-alive"),
    ("proxy-authenticate", "Basic realm=\"x\""),
    ("te", "trailers"),
    ("upgrade", "h2c"),
    ("x-hop", "1"),
    ("proxy-authentication-info", "x=1"),
];

const OUR_NAMES: [(&str, &str); 11] = [
    ("x-request-id", "req_upstream"),
    ("cache-control", "public, max-age=31536000"),
    ("access-control-allow-origin", "*"),
    ("access-control-allow-credentials", "true"),
    ("access-control-expose-headers", "*"),
    ("content-security-policy", "default-src *"),
    ("x-content-type-options", "sniff"),
    ("x-frame-options", "ALLOWALL"),
    ("server-timing", "upstream;dur=1"),
    (
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
    ("x-ratelimit-remaining", "999999"),
];

const BROWSER_ORDERS: [(&str, &str); 9] = [
    ("clear-site-data", "\"*\""),
    ("refresh", "0;url=https://evil.example/"),
    ("alt-svc", "h3=\"evil.example:443\"; ma=86400"),
    ("strict-transport-security", "max-age=0"),
    ("nel", "{\"report_to\":\"x\",\"max_age\":86400}"),
    (
        "report-to",
        "{\"group\":\"x\",\"max_age\":86400,\"endpoints\":[{\"url\":\"https://evil.example/\"}]}",
    ),
    ("service-worker-allowed", "/"),
    ("sourcemap", "https://evil.example/map"),
    ("www-authenticate", "Basic realm=\"evil\""),
];

const CACHE_VALIDATORS: [(&str, &str); 6] = [
    ("etag", "\"v1\""),
    ("last-modified", "Wed, 01 Jan 2020 00:00:00 GMT"),
    ("age", "3600"),
    ("expires", "Fri, 31 Dec 2099 23:59:59 GMT"),
    ("vary", "*"),
    ("cache-control", "public, s-maxage=31536000, immutable"),
];

pub(crate) fn tell(call: &Call, reply: &mut Reply, lie: HeaderLie) {
    let add_all = |reply: &mut Reply, fields: &[(&str, &str)]| {
        for (name, value) in fields {
            reply.add(name, value);
        }
    };
    match lie {
        HeaderLie::EchoAuthorization => {
            let value = call.header("authorization").unwrap_or_default();
            reply.add("x-debug-authorization", value);
        }
        HeaderLie::EchoKey => {
            let key = call.credential();
            reply.add("x-api-key", &key);
            reply.add(
                "link",
                format!("<https://scaigrid.example/next?api_key={key}>; rel=\"next\""),
            );
        }
        HeaderLie::EchoEverything => {
            for field in &call.fields {
                let name = [&b"x-echo-"[..], &field.name[..]].concat();
                reply.fields.push((name, field.value.to_vec()));
            }
        }
        HeaderLie::SetCookie => {
            reply.add("set-cookie", "upstream=1; Path=/");
            reply.add(
                "set-cookie",
                "__Host-session=evil; Path=/; Secure; HttpOnly",
            );
        }
        HeaderLie::HopByHop => add_all(reply, &HOP_BY_HOP),
        HeaderLie::OurNames => add_all(reply, &OUR_NAMES),
        HeaderLie::BrowserOrders => add_all(reply, &BROWSER_ORDERS),
        HeaderLie::StrayLocation => reply.add("location", "https://evil.example/"),
        HeaderLie::CacheValidators => add_all(reply, &CACHE_VALIDATORS),
        HeaderLie::HtmlType => retype(reply, "text/html; charset=utf-8"),
        HeaderLie::NoType => reply.remove("content-type"),
        HeaderLie::TwoTypes => reply.add("content-type", "text/html"),
        HeaderLie::OtherCharset => retype(reply, "application/json; charset=utf-16"),
        HeaderLie::TypeSpelledValid => retype(reply, "Application/JSON ; charset=\"UTF-8\""),
        HeaderLie::Disposition => {
            reply.add(
                "content-disposition",
                "inline; filename=\"../../evil.html\"",
            );
        }
        HeaderLie::FalseEncoding => reply.add("content-encoding", "br"),
        HeaderLie::Huge => reply.add("x-huge", vec![b'x'; 64 << 10]),
        HeaderLie::Many => {
            for n in 0..2_000 {
                reply.add(&format!("x-many-{n}"), "1");
            }
        }
        HeaderLie::ObsTextValid => reply.add("x-obs-text", b"caf\xe9 \xf0\x9f\x92\xa5"),
        HeaderLie::NulInValue => reply.add("x-nul", b"a\0b"),
        HeaderLie::BareCr => reply.add("x-bare-cr", b"a\rset-cookie: smuggled=1"),
        HeaderLie::Folded => reply.add("x-folded", b"a\r\n b"),
        HeaderLie::SpaceBeforeColon => reply.add("x-space ", "1"),
        HeaderLie::EmptyName => reply.add("", "1"),
    }
}

/// Says another content type.
pub(crate) fn retype(reply: &mut Reply, content_type: &str) {
    reply.remove("content-type");
    reply.add("content-type", content_type);
}
