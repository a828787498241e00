//! What is around an event: which, of what kind, when, whose (`contract/scaikey.md` 4.1 and 8.1).

use std::fmt;

use hmac_sha256::Hash;
use http::HeaderName;
use scaigate_types::encoding::base64url;
use scaigate_types::json::{self, Bounds};
use scaigate_types::{PartnerId, TenantId, Timestamp};
use serde_json::{Map, Value};
use thiserror::Error;

use super::member::{member, present};
use super::signature::{MAX_BODY, Verified, WINDOW};
use crate::rfc3339;

/// Longest event id, in bytes.
pub const MAX_EVENT_ID: usize = 128;
const MAX_EVENT_TYPE: usize = 128;
const MAX_RESOURCE_TYPE: usize = 64;
const MAX_RESOURCE_ID: usize = 255;
const BOUNDS: Bounds = Bounds {
    bytes: MAX_BODY,
    depth: 32,
    values: 50_000,
};

const EVENT_ID: HeaderName = HeaderName::from_static("x-scaikey-event-id");
const EVENT_TYPE: HeaderName = HeaderName::from_static("x-scaikey-event-type");

/// Why verified bytes are no event. Answered as `webhook_malformed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// Not one JSON object of bounded depth, or a member appears twice.
    #[error("not one JSON object")]
    NotJson,
    /// A field that every envelope has is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field of another type, too long, or with characters that it can't have.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// The same field under both its names, and they differ.
    #[error("{0} is given twice and differs")]
    Ambiguous(&'static str),
    /// `X-ScaiKey-Event-ID` or `X-ScaiKey-Event-Type` is there and not what the body says.
    #[error("{0} is not what the header says")]
    HeaderMismatch(&'static str),
    /// The event is said to be of two tenants (N-099).
    #[error("the event names two tenants")]
    TenantMismatch,
    /// It happened after it was signed: it would hide what really comes later.
    #[error("the event is from the future")]
    FromTheFuture,
}

impl EnvelopeError {
    /// The field that was refused, by its name in ScaiKey's envelope.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::NotJson => None,
            Self::Missing(field)
            | Self::Malformed(field)
            | Self::Ambiguous(field)
            | Self::HeaderMismatch(field) => Some(field),
            Self::TenantMismatch => Some("tenant_id"),
            Self::FromTheFuture => Some("timestamp"),
        }
    }
}

/// The id of an event, `evt_…`: 1 to 128 printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventId(String);

impl EventId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an event is about, where the envelope says it: `resource`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Such as `user`; 1 to 64 printable ASCII characters.
    pub kind: String,
    /// 1 to 255 printable ASCII characters.
    pub id: String,
}

/// An event that ScaiKey signed, its `data` not looked at yet. Made by [`parse`] only.
#[derive(PartialEq)]
pub struct Envelope {
    event_id: EventId,
    event_type: String,
    occurred_at: Timestamp,
    tenant_id: Option<TenantId>,
    partner_id: Option<PartnerId>,
    resource: Option<Resource>,
    data: Map<String, Value>,
    digest: String,
}

impl Envelope {
    /// The key of deduplication.
    #[must_use]
    pub const fn event_id(&self) -> &EventId {
        &self.event_id
    }

    /// Such as `user.created`; 1 to 128 printable ASCII characters.
    #[must_use]
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// When it happened. At most [`WINDOW`] after it was signed.
    #[must_use]
    pub const fn occurred_at(&self) -> Timestamp {
        self.occurred_at
    }

    /// The one tenant that is named, around the event or in its `data`.
    #[must_use]
    pub const fn tenant_id(&self) -> Option<&TenantId> {
        self.tenant_id.as_ref()
    }

    /// The partner that is named around the event.
    #[must_use]
    pub const fn partner_id(&self) -> Option<&PartnerId> {
        self.partner_id.as_ref()
    }

    /// What it is about.
    #[must_use]
    pub const fn resource(&self) -> Option<&Resource> {
        self.resource.as_ref()
    }

    /// SHA-256 of the body as received, base64url: tells a repeated delivery from another event
    /// under the same id (N-094).
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub(super) const fn data(&self) -> &Map<String, Value> {
        &self.data
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `data` is personal data.
        f.debug_struct("Envelope")
            .field("event_id", &self.event_id)
            .field("event_type", &self.event_type)
            .field("occurred_at", &self.occurred_at)
            .field("tenant_id", &self.tenant_id)
            .field("partner_id", &self.partner_id)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

/// Reads an envelope in any documented form: ScaiKey's, its subset at ScaiDNS, or ScaiFlow's, which
/// calls `event_id`, `event_type` and `timestamp` `id`, `type` and `created_at`.
///
/// # Errors
/// [`EnvelopeError`] names the first rule it breaks.
pub fn parse(verified: &Verified<'_>) -> Result<Envelope, EnvelopeError> {
    let mut body = json::object(verified.body(), BOUNDS).ok_or(EnvelopeError::NotJson)?;
    let event_id = plain(&body, "event_id", "id", MAX_EVENT_ID)?;
    let event_type = plain(&body, "event_type", "type", MAX_EVENT_TYPE)?;
    let timestamp = text(&body, "timestamp", "created_at")?;
    let occurred_at = rfc3339::parse(timestamp).ok_or(EnvelopeError::Malformed("timestamp"))?;
    if occurred_at > verified.signed_at().plus(WINDOW) {
        return Err(EnvelopeError::FromTheFuture);
    }
    confirm(verified, &EVENT_ID, "event_id", &event_id)?;
    confirm(verified, &EVENT_TYPE, "event_type", &event_type)?;
    let partner_id = present(&body, "partner_id")
        .map(|id| {
            let id = id.as_str().and_then(|id| PartnerId::parse(id).ok());
            id.ok_or(EnvelopeError::Malformed("partner_id"))
        })
        .transpose()?;
    let resource = resource(&body)?;
    let tenant_id = tenant(&body, resource.as_ref())?;
    let data = match body.remove("data") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(data)) => data,
        Some(_) => return Err(EnvelopeError::Malformed("data")),
    };
    Ok(Envelope {
        event_id: EventId(event_id),
        event_type,
        occurred_at,
        tenant_id,
        partner_id,
        resource,
        data,
        digest: base64url(&Hash::hash(verified.body())),
    })
}

/// A text that every envelope has, under one of two names.
fn text<'a>(
    body: &'a Map<String, Value>,
    name: &'static str,
    other: &'static str,
) -> Result<&'a str, EnvelopeError> {
    let value = match (present(body, name), present(body, other)) {
        (Some(one), Some(two)) if one != two => return Err(EnvelopeError::Ambiguous(name)),
        (one, two) => one.or(two).ok_or(EnvelopeError::Missing(name))?,
    };
    value.as_str().ok_or(EnvelopeError::Malformed(name))
}

fn plain(
    body: &Map<String, Value>,
    name: &'static str,
    other: &'static str,
    max: usize,
) -> Result<String, EnvelopeError> {
    let text = text(body, name, other)?;
    if is_plain(text, max) {
        Ok(text.to_owned())
    } else {
        Err(EnvelopeError::Malformed(name))
    }
}

/// Safe in a header, a log line and a key, as the identifiers of `scaigate-types` are.
fn is_plain(text: &str, max: usize) -> bool {
    let allowed = |c: u8| c.is_ascii_graphic() && !matches!(c, b'"' | b'\'' | b'\\' | b'<' | b'>');
    (1..=max).contains(&text.len()) && text.bytes().all(allowed)
}

/// These headers are not signed: they may repeat what is, or not be there.
fn confirm(
    verified: &Verified<'_>,
    header: &HeaderName,
    field: &'static str,
    value: &str,
) -> Result<(), EnvelopeError> {
    let mut values = verified.headers().get_all(header).iter();
    if values.all(|header| header.as_bytes() == value.as_bytes()) {
        Ok(())
    } else {
        Err(EnvelopeError::HeaderMismatch(field))
    }
}

fn resource(body: &Map<String, Value>) -> Result<Option<Resource>, EnvelopeError> {
    let malformed = EnvelopeError::Malformed("resource");
    let Some(resource) = present(body, "resource") else {
        return Ok(None);
    };
    let Value::Object(resource) = resource else {
        return Err(malformed);
    };
    // Of the kinds we know, every id is a text; of others we don't know.
    let text = |name| present(resource, name).and_then(Value::as_str);
    let (Some(kind), Some(id)) = (text("type"), text("id")) else {
        return Ok(None);
    };
    if !is_plain(kind, MAX_RESOURCE_TYPE) || !is_plain(id, MAX_RESOURCE_ID) {
        return Err(malformed);
    }
    Ok(Some(Resource {
        kind: kind.to_owned(),
        id: id.to_owned(),
    }))
}

/// Where a tenant can be named: flat, nested, and within what the event is about (8.3).
const TENANT: [&[&str]; 7] = [
    &["tenant_id"],
    &["data", "tenant_id"],
    &["data", "tenant", "id"],
    &["data", "user", "tenant_id"],
    &["data", "user", "tenant", "id"],
    &["data", "group", "tenant_id"],
    &["data", "group", "tenant", "id"],
];

/// The tenant that all of them name.
fn tenant(
    body: &Map<String, Value>,
    resource: Option<&Resource>,
) -> Result<Option<TenantId>, EnvelopeError> {
    let malformed = EnvelopeError::Malformed("tenant_id");
    let mut named = resource
        .filter(|resource| resource.kind.eq_ignore_ascii_case("tenant"))
        .map(|resource| TenantId::parse(&resource.id).map_err(|_| malformed))
        .transpose()?;
    for path in TENANT {
        let Some(value) = member(body, path) else {
            continue;
        };
        let id = value.as_str().and_then(|id| TenantId::parse(id).ok());
        let id = id.ok_or(malformed)?;
        match &named {
            Some(other) if *other != id => return Err(EnvelopeError::TenantMismatch),
            _ => named = Some(id),
        }
    }
    Ok(named)
}
