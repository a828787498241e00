//! Claims that describe who a token is about. Not well-formed ones are left out, never repaired,
//! except that characters which would disturb a page or a terminal are taken out of a name.

use serde_json::Value;

use crate::claims::{ClaimError, MAX_TEXT, Verified};

/// Longest e-mail address, in bytes: 64 before the `@`, 255 after (RFC 5321 §4.5.3.1).
const MAX_EMAIL: usize = 320;
/// Most groups, or roles.
const MAX_ENTRIES: usize = 512;

fn text<'a>(claims: &'a Verified, name: &str) -> Option<&'a str> {
    claims.claim(name).and_then(Value::as_str)
}

pub(crate) fn email(claims: &Verified) -> Option<String> {
    let email = text(claims, "email")?;
    let (local, domain) = email.split_once('@')?;
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !changes_direction(c);
    let usable = email.len() <= MAX_EMAIL
        && !local.is_empty()
        && !domain.is_empty()
        && !domain.contains('@')
        && email.chars().all(plain);
    usable.then(|| email.to_owned())
}

pub(crate) fn email_verified(claims: &Verified) -> Option<bool> {
    match claims.claim("email_verified")? {
        Value::Bool(verified) => Some(*verified),
        Value::String(text) if text == "true" => Some(true),
        Value::String(text) if text == "false" => Some(false),
        _ => None,
    }
}

pub(crate) fn name(claims: &Verified) -> Option<String> {
    let one = |name: &str| text(claims, name).and_then(cleaned);
    let first = || one("first_name").or_else(|| one("given_name"));
    let last = || one("last_name").or_else(|| one("family_name"));
    let both = || match (first(), last()) {
        (Some(first), Some(last)) => cleaned(&format!("{first} {last}")),
        (first, last) => first.or(last),
    };
    one("name")
        .or_else(|| one("display_name"))
        .or_else(both)
        .or_else(|| one("preferred_username"))
}

/// `None` when nothing is left or it is too long.
fn cleaned(name: &str) -> Option<String> {
    let name: String = name
        .chars()
        .filter(|c| !c.is_control() && !changes_direction(*c))
        .collect();
    let name = name.trim();
    (!name.is_empty() && name.len() <= MAX_TEXT).then(|| name.to_owned())
}

/// Unicode's explicit bidirectional controls: they make a text read as another one.
const fn changes_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The entries of the named claims together, each a list of texts or one text.
pub(crate) fn list(claims: &Verified, names: &[&'static str]) -> Result<Vec<String>, ClaimError> {
    let mut entries = Vec::new();
    for name in names {
        let values = match claims.claim(name) {
            Some(Value::Array(values)) => values.as_slice(),
            Some(single @ Value::String(_)) => std::slice::from_ref(single),
            _ => &[],
        };
        for entry in values.iter().filter_map(Value::as_str) {
            add(&mut entries, entry, name)?;
        }
    }
    Ok(entries)
}

/// The `scope`: a text with the entries between spaces (RFC 9068 §2.2.3, RFC 8693 §4.2) or a list.
/// An entry with a character that RFC 6749 §3.3 doesn't allow in one is left out.
pub(crate) fn scopes(claims: &Verified) -> Result<Vec<String>, ClaimError> {
    const SCOPE: &str = "scope";
    let mut scopes = Vec::new();
    let allowed = |c: u8| c.is_ascii_graphic() && !matches!(c, b'"' | b'\\');
    let mut add_scope = |scope: &str| {
        if scope.bytes().all(allowed) {
            add(&mut scopes, scope, SCOPE)
        } else {
            Ok(())
        }
    };
    match claims.claim(SCOPE) {
        None => {}
        Some(Value::String(text)) => text.split(' ').try_for_each(&mut add_scope)?,
        Some(Value::Array(values)) => values
            .iter()
            .filter_map(Value::as_str)
            .try_for_each(&mut add_scope)?,
        Some(_) => return Err(ClaimError::Malformed(SCOPE)),
    }
    Ok(scopes)
}

/// Adds an entry of the claim `name`, unless it is there already or not usable.
fn add(entries: &mut Vec<String>, entry: &str, name: &'static str) -> Result<(), ClaimError> {
    let usable = !entry.is_empty() && entry.len() <= MAX_TEXT;
    if usable && !entries.iter().any(|known| known == entry) {
        if entries.len() == MAX_ENTRIES {
            return Err(ClaimError::TooMany(name));
        }
        entries.push(entry.to_owned());
    }
    Ok(())
}
