//! Looking things up in an event's `data`, whose form ScaiKey doesn't document per event
//! (`contract/scaikey.md` 4.5): ids flat, nested or as the resource, rows flat or nested.

use scaigate_types::id::IdError;
use serde_json::{Map, Value};

use super::envelope::Envelope;
use super::event_error::EventError;
use super::member::present;

/// Longest name of a person, a tenant or a partner, in bytes.
const MAX_NAME: usize = 256;

/// What an event can be about.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// The type of the resource, and the member in which its row is nested.
    pub name: &'static str,
    /// The flat member with its id.
    pub id: &'static str,
}

pub(super) const USER: Kind = kind("user", "user_id");
pub(super) const GROUP: Kind = kind("group", "group_id");
pub(super) const TENANT: Kind = kind("tenant", "tenant_id");
pub(super) const PARTNER: Kind = kind("partner", "partner_id");

const fn kind(name: &'static str, id: &'static str) -> Kind {
    Kind { name, id }
}

fn nested(envelope: &Envelope, kind: Kind) -> Option<&Map<String, Value>> {
    envelope.data().get(kind.name).and_then(Value::as_object)
}

/// The row of what the event is about.
pub(super) fn row(envelope: &Envelope, kind: Kind) -> &Map<String, Value> {
    nested(envelope, kind).unwrap_or(envelope.data())
}

/// The id of what the event is about: a bare `data.id` counts, unless a row is nested.
pub(super) fn own_id<T>(
    envelope: &Envelope,
    kind: Kind,
    around: Option<&str>,
    parse: fn(&str) -> Result<T, IdError>,
) -> Result<T, EventError> {
    let bare = match nested(envelope, kind) {
        Some(_) => None,
        None => present(envelope.data(), "id"),
    };
    id(envelope, kind, bare, around, parse)
}

/// The id of something that the event is not the row of: a bare `data.id` is somebody else's.
pub(super) fn other_id<T>(
    envelope: &Envelope,
    kind: Kind,
    parse: fn(&str) -> Result<T, IdError>,
) -> Result<T, EventError> {
    id(envelope, kind, None, None, parse)
}

/// All that name it must agree.
fn id<T>(
    envelope: &Envelope,
    kind: Kind,
    bare: Option<&Value>,
    around: Option<&str>,
    parse: fn(&str) -> Result<T, IdError>,
) -> Result<T, EventError> {
    let field = kind.id;
    let resource = envelope
        .resource()
        .filter(|resource| resource.kind.eq_ignore_ascii_case(kind.name))
        .map(|resource| resource.id.as_str());
    let in_data = [
        present(envelope.data(), field),
        nested(envelope, kind).and_then(|row| present(row, "id")),
        nested(envelope, kind).and_then(|row| present(row, field)),
        bare,
    ];
    let mut named = None;
    let texts = in_data
        .into_iter()
        .flatten()
        .map(Value::as_str)
        .chain([resource, around].into_iter().flatten().map(Some));
    for text in texts {
        let text = text.ok_or(EventError::Malformed(field))?;
        if named.is_some_and(|other| other != text) {
            return Err(EventError::Ambiguous(field));
        }
        named = Some(text);
    }
    parse(named.ok_or(EventError::Incomplete(field))?).map_err(|_| EventError::Malformed(field))
}

/// A name for display: what would disturb a page is taken out; `None` when nothing is left, it is
/// too long, or no text.
pub(super) fn display(value: &Value) -> Option<String> {
    let name: String = value
        .as_str()?
        .chars()
        .filter(|c| !c.is_control() && !changes_direction(*c))
        .collect();
    let name = name.trim();
    (1..=MAX_NAME)
        .contains(&name.len())
        .then(|| name.to_owned())
}

/// A name that something depends on: as it is, or not at all.
pub(super) fn exact(value: &Value) -> Option<&str> {
    let plain = |c: char| !c.is_control() && !changes_direction(c);
    value
        .as_str()
        .filter(|name| (1..=MAX_NAME).contains(&name.len()) && name.chars().all(plain))
}

/// Unicode's explicit bidirectional controls: they make a text read as another one.
pub(super) const fn changes_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
