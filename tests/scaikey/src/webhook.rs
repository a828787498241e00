//! Webhooks as ScaiKey sends them (`contract/scaikey.md` section 4).

use http::{HeaderMap, HeaderName, HeaderValue};
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::admin::access;
use crate::exchange::{Call, Reply};
use crate::random;
use crate::world::World;
use scaigate_emulation::iso8601_millis;

/// Event names that any page shows (4.4), both spellings of 8.2 and 8.4.
pub const EVENTS: [&str; 26] = [
    "partner.created",
    "partner.updated",
    "partner.deleted",
    "tenant.created",
    "tenant.updated",
    "tenant.deleted",
    "user.created",
    "user.updated",
    "user.deleted",
    "user.suspended",
    "user.activated",
    "user.password_changed",
    "user.mfa_enabled",
    "user.mfa_disabled",
    "group.created",
    "group.updated",
    "group.deleted",
    "group.member_added",
    "group.member_removed",
    "group_membership.added",
    "group_membership.removed",
    "application.user_assigned",
    "application.user_unassigned",
    "application.group_assigned",
    "application.group_unassigned",
    "session.revoked",
];

/// The two documented envelopes (8.1), and the shorter form of the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    /// `event_id`, `event_type`, `timestamp`, `resource`, `actor`, `data`, `tenant_id`, `partner_id`.
    #[default]
    ScaiKey,
    /// `event_id`, `event_type`, `timestamp`, `data`: the subset that ScaiDNS shows.
    Short,
    /// `type`, `id`, `created_at`, `data`: ScaiFlow's page.
    ScaiFlow,
}

/// The two documented names of membership events (8.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventNames {
    /// `group.member_added`, `group.member_removed`.
    #[default]
    ScaiKey,
    /// `group_membership.added`, `group_membership.removed`.
    ScaiFlow,
}

/// One event.
#[derive(Clone, Debug)]
pub struct WebhookEvent {
    /// `evt_…`; the key of deduplication.
    pub id: String,
    /// Such as `user.created`.
    pub event_type: String,
    /// When it happened, Unix milliseconds; told with three digits of a fraction. `None`: when it is sent first.
    pub at_ms: Option<i64>,
    /// `resource.type` and `resource.id`.
    pub resource: (String, String),
    /// `tenant_id`.
    pub tenant_id: Option<String>,
    /// `partner_id`.
    pub partner_id: Option<String>,
    /// `data`.
    pub data: Value,
    /// Envelope.
    pub envelope: Envelope,
}

impl WebhookEvent {
    /// An event with a fresh id, in ScaiKey's envelope, without data.
    pub fn new(event_type: &str, resource_id: &str) -> Self {
        let kind = event_type.split('.').next().unwrap_or_default();
        Self {
            id: random::token("evt_"),
            event_type: event_type.to_owned(),
            at_ms: None,
            resource: (kind.to_owned(), resource_id.to_owned()),
            tenant_id: None,
            partner_id: None,
            data: json!({}),
            envelope: Envelope::default(),
        }
    }

    fn body(&self, now: i64) -> Vec<u8> {
        let at = iso8601_millis(self.at_ms.unwrap_or(now.saturating_mul(1_000)));
        let value = match self.envelope {
            Envelope::ScaiKey => json!({
                "event_id": self.id,
                "event_type": self.event_type,
                "timestamp": at,
                "resource": {"type": self.resource.0, "id": self.resource.1},
                "actor": {"id": null, "type": "admin"},
                "data": self.data,
                "tenant_id": self.tenant_id,
                "partner_id": self.partner_id,
            }),
            Envelope::Short => json!({
                "event_id": self.id, "event_type": self.event_type, "timestamp": at, "data": self.data,
            }),
            Envelope::ScaiFlow => json!({
                "id": self.id, "type": self.event_type, "created_at": at, "data": self.data,
            }),
        };
        let mut text = String::new();
        canonical(&value, &mut text);
        text.into_bytes()
    }
}

/// A delivery ready to send; tests may tamper with it first.
#[derive(Clone, Debug)]
pub struct WebhookDelivery {
    /// All header fields of section 4.2.
    pub headers: HeaderMap,
    /// The signed bytes.
    pub body: Vec<u8>,
}

impl WebhookDelivery {
    /// Serialises and signs an event. `signed_at` is Unix seconds; `delivery` the row id of `X-ScaiKey-Webhook-ID`.
    pub fn new(event: &WebhookEvent, secret: &str, signed_at: i64, delivery: u64) -> Self {
        Self::of_bytes(event.body(signed_at), secret, signed_at)
            .with_header("x-scaikey-webhook-id", Some(&delivery.to_string()))
            .with_header("x-scaikey-event-id", Some(&event.id))
            .with_header("x-scaikey-event-type", Some(&event.event_type))
    }

    /// Signs any bytes, with the headers that do not depend on an event.
    pub fn of_bytes(body: impl Into<Vec<u8>>, secret: &str, signed_at: i64) -> Self {
        let body = body.into();
        let signature = sign(secret, signed_at, &body);
        Self {
            headers: HeaderMap::new(),
            body,
        }
        .with_header("content-type", Some("application/json"))
        .with_header("user-agent", Some("ScaiKey-Webhook/1.0"))
        .with_header("x-scaikey-timestamp", Some(&signed_at.to_string()))
        .with_header(
            "x-scaikey-signature",
            Some(&format!("t={signed_at},v1={signature}")),
        )
    }

    /// With one more `v1`, by another secret, as during a rotation.
    #[must_use]
    pub fn also_signed(self, secret: &str) -> Self {
        let text = |name: &str| {
            let value = self.headers.get(name).and_then(|v| v.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let signed_at = text("x-scaikey-timestamp").parse().unwrap_or_default();
        let more = sign(secret, signed_at, &self.body);
        let both = format!("{},v1={more}", text("x-scaikey-signature"));
        self.with_header("x-scaikey-signature", Some(&both))
    }

    /// With a header set or taken away; a value that no header can hold takes it away.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: Option<&str>) -> Self {
        match value.map(HeaderValue::from_str) {
            Some(Ok(value)) => drop(self.headers.insert(HeaderName::from_static(name), value)),
            Some(Err(_)) | None => drop(self.headers.remove(name)),
        }
        self
    }
}

/// HMAC-SHA256 over `{timestamp}.{body}`, lower-case hex (4.3).
pub fn sign(secret: &str, timestamp: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{timestamp}.").as_bytes());
    context.update(body);
    context
        .sign()
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// JSON with sorted keys, no white space, ASCII only: what Python's `json.dumps` makes with the options of 4.3.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (n, key) in keys.into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                ascii(&Value::String(key.clone()).to_string(), out);
                out.push(':');
                canonical(&map[key], out);
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for (n, item) in list.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        leaf => ascii(&leaf.to_string(), out),
    }
}

fn ascii(text: &str, out: &mut String) {
    let mut units = [0_u16; 2];
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
}

/// `GET /api/v1/admin/webhooks/events`.
pub(crate) fn events(world: &World, call: &Call) -> Reply {
    match access::read(world, call, None) {
        Ok(_) => Reply::json(200, &json!({ "data": EVENTS })),
        Err(reply) => reply,
    }
}

#[cfg(test)]
mod tests {
    use super::{WebhookDelivery, WebhookEvent, canonical, sign};

    #[test]
    fn a_second_secret_adds_a_signature() {
        let delivery = WebhookDelivery::of_bytes("{}", "old", 1_700_000_000).also_signed("new");
        assert_eq!(
            delivery.headers["x-scaikey-signature"].to_str().unwrap(),
            format!(
                "t=1700000000,v1={},v1={}",
                sign("old", 1_700_000_000, b"{}"),
                sign("new", 1_700_000_000, b"{}")
            )
        );
    }

    use serde_json::json;

    #[test]
    fn serialises_sorted_compact_ascii() {
        let mut out = String::new();
        canonical(
            &json!({"b": [1, {"z": null, "a": "ë😀"}], "a": "x\"y"}),
            &mut out,
        );
        assert_eq!(
            out,
            r#"{"a":"x\"y","b":[1,{"a":"\u00eb\ud83d\ude00","z":null}]}"#
        );
    }

    #[test]
    fn signs_the_bytes_it_sends() {
        let delivery = WebhookDelivery::new(
            &WebhookEvent::new("user.created", "usr_x"),
            "s3cret",
            1_700_000_000,
            1,
        );
        let header = delivery.headers["x-scaikey-signature"].to_str().unwrap();
        assert_eq!(
            header,
            format!(
                "t=1700000000,v1={}",
                sign("s3cret", 1_700_000_000, &delivery.body)
            )
        );
    }
}
