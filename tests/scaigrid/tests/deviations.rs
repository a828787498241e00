//! The lies in headers, bodies and errors: each shows, and only where it was asked for.

mod support;

use bytes::Bytes;
use http::Response;
use scaigrid_emulator::{BodyLie, Deviation, Endpoint, ErrorLie, Fault, HeaderLie};
use serde_json::Value;
use support::{ACME_KEY, BUNKERS, Bench, MODELS, SCOPES, head_and_body, header, json};

type Check = fn(&str) -> bool;

fn has(head: &str, name: &str, value: &str) -> bool {
    head.contains(&format!("\r\n{name}: {value}\r\n"))
}

#[tokio::test]
async fn each_lie_in_header_fields_shows() {
    let bench = Bench::start().await;
    let checks: [(HeaderLie, Check); 25] = [
        (HeaderLie::EchoAuthorization, |h| {
            has(h, "x-debug-authorization", &format!("Bearer {ACME_KEY}"))
        }),
        (HeaderLie::EchoKey, |h| {
            has(h, "x-api-key", ACME_KEY) && h.contains("?api_key=sgk_")
        }),
        (HeaderLie::EchoEverything, |h| {
            has(h, "x-echo-Authorization", &format!("Bearer {ACME_KEY}"))
                && has(h, "x-echo-Host", "x")
        }),
        (HeaderLie::SetCookie, |h| {
            h.matches("\r\nset-cookie: ").count() == 2
        }),
        (HeaderLie::HopByHop, |h| {
            has(h, "connection", "keep-alive, x-hop")
                && has(h, "x-hop", "1")
                && has(h, "upgrade", "h2c")
        }),
        (HeaderLie::OurNames, |h| {
            has(h, "x-request-id", "req_upstream") && has(h, "access-control-allow-origin", "*")
        }),
        (HeaderLie::BrowserOrders, |h| {
            has(h, "clear-site-data", "\"*\"")
        }),
        (HeaderLie::StrayLocation, |h| {
            has(h, "location", "https://evil.example/")
        }),
        (HeaderLie::CacheValidators, |h| {
            has(h, "etag", "\"v1\"") && has(h, "vary", "*")
        }),
        (HeaderLie::HtmlType, |h| {
            has(h, "content-type", "text/html; charset=utf-8")
        }),
        (HeaderLie::NoType, |h| !h.contains("content-type")),
        (HeaderLie::TwoTypes, |h| {
            h.matches("\r\ncontent-type: ").count() == 2
        }),
        (HeaderLie::OtherCharset, |h| h.contains("charset=utf-16")),
        (HeaderLie::TypeSpelledValid, |h| {
            h.contains("Application/JSON ; charset")
        }),
        (HeaderLie::Disposition, |h| {
            h.contains("filename=\"../../evil.html\"")
        }),
        (HeaderLie::FalseEncoding, |h| {
            has(h, "content-encoding", "br")
        }),
        (HeaderLie::Huge, |h| h.len() > 64 << 10),
        (HeaderLie::Many, |h| h.contains("\r\nx-many-1999: 1\r\n")),
        (HeaderLie::ObsTextValid, |h| {
            h.contains("x-obs-text: caf\u{fffd}")
        }),
        (HeaderLie::NulInValue, |h| h.contains("x-nul: a\0b")),
        (HeaderLie::BareCr, |h| {
            h.contains("a\rset-cookie: smuggled=1")
        }),
        (HeaderLie::Folded, |h| h.contains("x-folded: a\r\n b\r\n")),
        (HeaderLie::SpaceBeforeColon, |h| {
            h.contains("\r\nx-space : 1\r\n")
        }),
        (HeaderLie::EmptyName, |h| h.contains("\r\n: 1\r\n")),
        // Lies are told of errors too.
        (HeaderLie::SetCookie, |h| {
            h.contains("set-cookie: upstream=1")
        }),
    ];
    for (lie, holds) in checks {
        let honest = bench.raw_get(MODELS).await;
        assert!(
            !holds(&head_and_body(&honest).0),
            "{lie:?} shows without it"
        );
        bench
            .switches()
            .set_next(Deviation::Header(Endpoint::Models, lie), 1);
        let other = bench.raw_get(BUNKERS).await;
        assert!(!holds(&head_and_body(&other).0), "{lie:?} shows elsewhere");
        let lying = bench.raw_get(MODELS).await;
        let (head, body) = head_and_body(&lying);
        assert!(holds(&head), "{lie:?}: {}", &head[..head.len().min(2_000)]);
        assert_eq!(
            body,
            head_and_body(&honest).1,
            "{lie:?}: the body is the honest one"
        );
    }
    bench
        .switches()
        .set(Deviation::Header(Endpoint::Unknown, HeaderLie::SetCookie));
    assert!(
        bench
            .get("/nothing", "")
            .await
            .headers()
            .contains_key("set-cookie")
    );
}

#[tokio::test]
async fn each_lie_in_a_body_shows() {
    let bench = Bench::start().await;
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    let honest = bench.get(MODELS, ACME_KEY).await;
    let honest = text(honest.body());
    assert!(serde_json::from_str::<Value>(&honest).is_ok());
    let is_json = |b: &str| serde_json::from_str::<Value>(b).is_ok();
    for lie in [
        BodyLie::EchoAuthorization,
        BodyLie::KeyEverywhere,
        BodyLie::KeyEscaped,
        BodyLie::KeyBase64,
        BodyLie::Html,
        BodyLie::HtmlAsJson,
        BodyLie::Bom,
        BodyLie::Utf16,
        BodyLie::InvalidUtf8,
        BodyLie::Garbage,
        BodyLie::Half,
        BodyLie::TrailingGarbage,
        BodyLie::LeadingSpaceValid,
        BodyLie::Empty,
        BodyLie::Null,
        BodyLie::JustString,
        BodyLie::TopLevelArray,
        BodyLie::NoData,
        BodyLie::DataNull,
        BodyLie::DataString,
        BodyLie::DuplicateData,
        BodyLie::Deep,
        BodyLie::HugeNumber,
        BodyLie::HugeString,
        BodyLie::ManyMembers,
        BodyLie::Markup,
        BodyLie::Gzip,
        BodyLie::GzipBomb,
    ] {
        bench
            .switches()
            .set_next(Deviation::Body(Endpoint::Models, lie), 1);
        let answer = bench.get(MODELS, ACME_KEY).await;
        assert_eq!(answer.status(), 200);
        let bytes = answer.body();
        let body = text(bytes);
        let holds = match lie {
            BodyLie::EchoAuthorization => {
                body.contains(&format!("\"authorization\":\"Bearer {ACME_KEY}\"")) && is_json(&body)
            }
            BodyLie::KeyEverywhere => body.contains(&format!("openai/gpt-4o{ACME_KEY}\"")),
            BodyLie::KeyEscaped => !body.contains(ACME_KEY) && json(&answer)["debug"] == ACME_KEY,
            BodyLie::KeyBase64 => !body.contains(ACME_KEY) && body.contains("\"debug\":\"c2drX"),
            BodyLie::Html => header(&answer, "content-type").starts_with("text/html"),
            BodyLie::HtmlAsJson => {
                header(&answer, "content-type") == "application/json"
                    && body.starts_with("<!doctype")
            }
            BodyLie::Bom => bytes.starts_with(b"\xef\xbb\xbf{"),
            BodyLie::Utf16 => bytes.starts_with(b"\0{\0\""),
            BodyLie::InvalidUtf8 => {
                std::str::from_utf8(bytes).is_err() && body.contains("\"debug\"")
            }
            BodyLie::Garbage => std::str::from_utf8(bytes).is_err(),
            BodyLie::Half => !is_json(&body) && honest.starts_with(&body),
            BodyLie::TrailingGarbage => body.starts_with(&honest) && !is_json(&body),
            BodyLie::LeadingSpaceValid => is_json(&body) && body.len() > 100 << 10,
            BodyLie::Empty => bytes.is_empty(),
            BodyLie::Null => body == "null",
            BodyLie::JustString => body == "\"data\"",
            BodyLie::TopLevelArray => body.starts_with("[{"),
            BodyLie::NoData => is_json(&body) && !body.contains("data"),
            BodyLie::DataNull => body == "{\"data\":null}",
            BodyLie::DataString => body == "{\"data\":\"[]\"}",
            BodyLie::DuplicateData => body.matches("\"data\":").count() == 2,
            BodyLie::Deep => body.contains(&"[".repeat(100_000)),
            BodyLie::HugeNumber => body.contains("\"huge\":1e999"),
            BodyLie::HugeString => is_json(&body) && body.len() > 8 << 20,
            BodyLie::ManyMembers => json(&answer)["many"].as_object().unwrap().len() == 200_000,
            BodyLie::Markup => is_json(&body) && body.contains("<script>"),
            BodyLie::Gzip => header(&answer, "content-encoding") == "gzip" && bytes[0] == 0x1f,
            BodyLie::GzipBomb => {
                let size = u32::from_le_bytes(bytes[bytes.len() - 4..].try_into().unwrap());
                bytes.len() < 200 << 10 && size > 8 << 20
            }
        };
        assert!(
            holds,
            "{lie:?}: {}",
            body.chars().take(500).collect::<String>()
        );
        let after = bench.get(MODELS, ACME_KEY).await;
        assert_eq!(text(after.body()), honest, "{lie:?} ends after one answer");
    }
}

#[tokio::test]
async fn each_lie_in_an_error_shows_wherever_it_comes_from() {
    let bench = Bench::start().await;
    let told = |answer: &Response<Bytes>| String::from_utf8_lossy(answer.body()).into_owned();
    for lie in [
        ErrorLie::EchoKey,
        ErrorLie::Markup,
        ErrorLie::HugeMessage,
        ErrorLie::UnknownCode,
        ErrorLie::NumberCode,
        ErrorLie::NoError,
        ErrorLie::DetailForm,
        ErrorLie::PlainText,
        ErrorLie::Html,
        ErrorLie::Empty,
        ErrorLie::With200,
        ErrorLie::RetryHuge,
        ErrorLie::RetryNegative,
        ErrorLie::RetryGarbage,
        ErrorLie::RetryDateValid,
        ErrorLie::NoRetry,
    ] {
        let fault = Fault::Status {
            code: 429,
            retry_after: Some(7),
        };
        bench.switches().fail_next(Endpoint::Models, fault, 1);
        bench
            .switches()
            .set_next(Deviation::Error(Endpoint::Models, lie), 1);
        assert_eq!(bench.get(SCOPES, ACME_KEY).await.status(), 200);
        let answer = bench.get(MODELS, ACME_KEY).await;
        let status = if lie == ErrorLie::With200 { 200 } else { 429 };
        assert_eq!(answer.status(), status, "{lie:?}");
        let body = told(&answer);
        let error = &json(&answer)["error"];
        let retry = header(&answer, "retry-after");
        let holds = match lie {
            ErrorLie::EchoKey => error["message"].as_str().unwrap().ends_with(ACME_KEY),
            ErrorLie::Markup => error["message"].as_str().unwrap().starts_with("<script>"),
            ErrorLie::HugeMessage => body.len() > 1 << 20,
            ErrorLie::UnknownCode => error["code"] == "SOMETHING_NEW",
            ErrorLie::NumberCode => error["code"] == 42,
            ErrorLie::NoError => body == "{\"status\":\"error\"}",
            ErrorLie::DetailForm => body.starts_with("{\"detail\":"),
            ErrorLie::PlainText => header(&answer, "content-type") == "text/plain",
            ErrorLie::Html => body.starts_with("<html>"),
            ErrorLie::Empty => body.is_empty(),
            ErrorLie::With200 => error["code"] == "RATE_LIMITED",
            ErrorLie::RetryHuge => retry == "4294967296",
            ErrorLie::RetryNegative => retry == "-1" && error["retry_after"] == -1,
            ErrorLie::RetryGarbage => retry == "soon",
            ErrorLie::RetryDateValid => retry == "Sun, 15 Jun 2025 15:07:10 GMT",
            ErrorLie::NoRetry => retry.is_empty() && error.get("retry_after").is_none(),
        };
        assert!(
            holds,
            "{lie:?}: {}",
            body.chars().take(500).collect::<String>()
        );
    }
    bench
        .switches()
        .set(Deviation::Error(Endpoint::Models, ErrorLie::EchoKey));
    let honest_refusal = bench.get(MODELS, "sgk_mine").await;
    assert_eq!(honest_refusal.status(), 401);
    assert!(told(&honest_refusal).contains("sgk_mine"));
}

#[tokio::test]
async fn lies_last_until_cleared_and_are_listed() {
    let bench = Bench::start().await;
    let lie = Deviation::Header(Endpoint::Models, HeaderLie::SetCookie);
    let tells = async || {
        bench
            .get(MODELS, ACME_KEY)
            .await
            .headers()
            .contains_key("set-cookie")
    };
    bench.switches().set(lie);
    assert!(tells().await && tells().await);
    assert_eq!(bench.switches().deviations(), [(lie, None)]);
    bench.switches().set_next(lie, 2);
    assert!(tells().await && tells().await && !tells().await);
    bench.switches().set(lie);
    bench.switches().clear(lie);
    assert!(!tells().await);
    bench.switches().set(lie);
    bench.switches().clear_all();
    assert!(!tells().await);
}
