//! Deliveries of ScaiKey.

use std::sync::LazyLock;

use hmac_sha256::HMAC;
use http::HeaderMap;
use scaigate_directory::webhook::{
    EVENT_TYPES, Event, MAX_BODY, MAX_EVENT_ID, WINDOW, WebhookSecrets, parse, verify,
};
use scaigate_types::encoding::hex;

use crate::fixed::{NOW, assert_sentence};
use crate::lines::headers;

const SECRET: &str = "whsec-of-the-corpus";

static SECRETS: LazyLock<WebhookSecrets> =
    LazyLock::new(|| WebhookSecrets::parse(SECRET).expect("a secret"));

fn signature(t: &[u8], body: &[u8]) -> String {
    let mut hmac = HMAC::new(SECRET);
    hmac.update(t);
    hmac.update(b".");
    hmac.update(body);
    hex(&hmac.finalize())
}

/// Headers up to an empty line, and a body: what is accepted was signed, to the byte, just now.
pub fn webhook_signature(input: &[u8]) {
    let (headers, body) = headers(input);
    let verified = match verify(&headers, body, &SECRETS, NOW) {
        Ok(verified) => verified,
        Err(error) => return assert_sentence(&error),
    };
    assert_eq!(verified.body(), body);
    assert!(body.len() <= MAX_BODY);
    assert!(NOW.secs().abs_diff(verified.signed_at().secs()) <= WINDOW.as_secs());
    let one = |name| {
        let mut values = headers.get_all(name).iter();
        let value = values.next().expect("the header was accepted");
        assert!(values.next().is_none());
        value
            .to_str()
            .expect("a readable header")
            .to_ascii_lowercase()
    };
    let t = one("x-scaikey-timestamp");
    assert!(t.bytes().all(|byte| byte.is_ascii_digit()));
    assert!(one("x-scaikey-signature").contains(&signature(t.as_bytes(), body)));
    altered_is_refused(&headers, body);
}

/// A body that ScaiKey signed: it becomes an event or is refused, and no other body passes for it.
pub fn webhook_event(input: &[u8]) {
    if input.len() > MAX_BODY {
        return;
    }
    let t = NOW.secs().to_string();
    let mut headers = HeaderMap::new();
    let value = format!("t={t},v1={}", signature(t.as_bytes(), input));
    headers.insert("x-scaikey-signature", value.parse().expect("a header"));
    headers.insert("x-scaikey-timestamp", t.parse().expect("a header"));
    altered_is_refused(&headers, input);
    let verified = verify(&headers, input, &SECRETS, NOW).expect("it was signed");
    let envelope = match parse(&verified) {
        Ok(envelope) => envelope,
        Err(error) => return assert_sentence(&error),
    };
    let id = envelope.event_id().as_str();
    assert!(
        (1..=MAX_EVENT_ID).contains(&id.len()) && id.bytes().all(|c| (b' '..=b'~').contains(&c))
    );
    assert!(envelope.event_type().len() <= 128);
    assert!(envelope.occurred_at() <= NOW.plus(WINDOW));
    match Event::of(&envelope) {
        Ok(event) => {
            let known = EVENT_TYPES.contains(&envelope.event_type());
            assert_eq!(event.is_handled(), known);
            if let (Event::GroupDeleted { tenant_id, .. }, Some(own)) =
                (&event, envelope.tenant_id())
            {
                assert_eq!(tenant_id.as_ref(), Some(own));
            }
        }
        Err(error) => assert_sentence(&error),
    }
}

fn altered_is_refused(headers: &HeaderMap, body: &[u8]) {
    let mut altered = body.to_vec();
    altered.push(b' ');
    assert!(verify(headers, &altered, &SECRETS, NOW).is_err());
    altered.truncate(body.len());
    if let Some(byte) = altered.last_mut() {
        *byte ^= 1;
        assert!(verify(headers, &altered, &SECRETS, NOW).is_err());
    }
}
