//! `GET /v1/scaibunker/bunkers`.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Page, ShapeError, envelope};
use crate::credential_name;

/// Most further members of a bunker that are passed on.
const MAX_MEMBERS: usize = 48;
/// Longest text among them, in bytes.
const MAX_TEXT: usize = 1024;

/// A bunker as ScaiFlow documents it: four members, and `...`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bunker {
    /// `bnk_…`
    pub bunker_id: String,
    /// What it runs, such as `python-3.12`.
    pub image_ref: Option<String>,
    /// `ephemeral`, `session`, `persistent`, or a word that came later.
    pub lifecycle: Option<String>,
    /// `ready` for one that runs, else ScaiBunker's own word.
    pub status: Option<String>,
    /// What else ScaiBunker says about it, without what may hold a credential (the environment of
    /// its processes above all), and without what is too large for a list.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Reads the bunkers, in ScaiFlow's words or ScaiBunker's (C-10), and keeps those that run or are
/// persistent, which are the ones ScaiFlow documents.
///
/// ScaiBunker says `running` where ScaiFlow documents `ready`; clients that read the documentation
/// look for `ready`, so that is what they get.
///
/// # Errors
/// [`ShapeError`] says what is wrong.
pub fn bunkers(body: &[u8]) -> Result<Page<Bunker>, ShapeError> {
    envelope::page(body, |mut row| {
        let bunker_id = row.name(&["bunker_id", "id"])?;
        let lifecycle = row.text(&["lifecycle", "lifecycle_mode"], 64);
        let status = row.text(&["status"], 64);
        let runs = matches!(status.as_deref(), Some("running" | "ready"));
        if !runs && lifecycle.as_deref() != Some("persistent") {
            return Ok(None);
        }
        Ok(Some(Bunker {
            bunker_id,
            image_ref: row.text(&["image_ref", "image"], 512),
            lifecycle,
            status: if runs {
                Some("ready".to_owned())
            } else {
                status
            },
            more: row
                .rest()
                .into_iter()
                .filter(|(name, _)| name.len() <= 64)
                .filter_map(|(name, value)| harmless(&name, value).map(|value| (name, value)))
                .take(MAX_MEMBERS)
                .collect(),
        }))
    })
}

/// `value` without what may hold a credential; `None` when nothing of it may pass, or it is too long.
fn harmless(name: &str, value: Value) -> Option<Value> {
    if credential_name::of_member(name) {
        return None;
    }
    match value {
        Value::String(text) if text.len() > MAX_TEXT || credential_name::is_key(&text) => None,
        Value::Array(items) => Some(
            items
                .into_iter()
                .filter_map(|item| harmless(name, item))
                .collect(),
        ),
        Value::Object(members) => Some(
            members
                .into_iter()
                .filter_map(|(name, value)| harmless(&name, value).map(|value| (name, value)))
                .collect(),
        ),
        value => Some(value),
    }
}
