//! `GET /v1/scaiqueue/scopes` and `GET /v1/scaiqueue/scopes/{scope_id}/queues`.

use serde::Serialize;

use super::row::Row;
use super::{Page, ShapeError, envelope};
use crate::path::Segment;

/// Most retries that a number may say.
const MAX_RETRIES: u64 = 1_000_000;

/// A scope of ScaiQueue as ScaiFlow documents it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// `sc_…`
    pub id: String,
    /// Its name in addresses.
    pub slug: String,
    /// What people call it; the slug where there is no name.
    pub display_name: String,
    /// What it is for.
    pub description: Option<String>,
}

/// In which order a queue hands out its messages, and to how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsumerMode {
    /// In the order they came.
    Fifo,
    /// By priority.
    Priority,
    /// By deadline.
    Deadline,
    /// Each to every consumer.
    Broadcast,
}

impl ConsumerMode {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "fifo" => Some(Self::Fifo),
            "priority" => Some(Self::Priority),
            "deadline" => Some(Self::Deadline),
            "broadcast" => Some(Self::Broadcast),
            _ => None,
        }
    }
}

/// A queue of ScaiQueue as ScaiFlow documents it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// `q_…`
    pub id: String,
    /// The scope it belongs to.
    pub scope_id: String,
    /// Its name in addresses.
    pub slug: String,
    /// What people call it; the slug where there is no name.
    pub display_name: String,
    /// `null` where ScaiQueue says neither an order nor `broadcast`.
    pub consumer_mode: Option<ConsumerMode>,
    /// How often a message is tried again.
    pub max_retries: Option<u64>,
}

/// Reads the scopes.
///
/// # Errors
/// [`ShapeError`] says what is wrong.
pub fn scopes(body: &[u8]) -> Result<Page<Scope>, ShapeError> {
    envelope::page(body, |mut row| {
        let (id, slug, display_name) = names(&mut row)?;
        Ok(Some(Scope {
            id,
            slug,
            display_name,
            description: row.text(&["description"], 2048),
        }))
    })
}

/// Reads the queues of the scope that was asked for.
///
/// # Errors
/// [`ShapeError`] says what is wrong.
pub fn queues(body: &[u8], scope_id: &Segment) -> Result<Page<Queue>, ShapeError> {
    envelope::page(body, |mut row| {
        let (id, slug, display_name) = names(&mut row)?;
        let own = row.optional_name(&["scope_id"])?;
        Ok(Some(Queue {
            id,
            scope_id: own.unwrap_or_else(|| scope_id.as_str().to_owned()),
            slug,
            display_name,
            consumer_mode: mode(&mut row),
            max_retries: row.number(&["max_retries"], MAX_RETRIES),
        }))
    })
}

fn names(row: &mut Row) -> Result<(String, String, String), ShapeError> {
    let id = row.name(&["id"])?;
    let slug = row.name(&["slug"])?;
    let name = row.text(&["display_name"], 256);
    let name = name.filter(|name| !name.is_empty());
    Ok((id, slug.clone(), name.unwrap_or(slug)))
}

/// C-8: ScaiFlow's one word is two at ScaiQueue, `ordering` (`fifo`, `priority`, `deadline`) and
/// `consumer_mode` (`competing`, `broadcast`); some pages count `broadcast` as an ordering. Whoever
/// says `broadcast` means it, else the order counts.
fn mode(row: &mut Row) -> Option<ConsumerMode> {
    let word = |text: Option<String>| text.and_then(|text| ConsumerMode::parse(&text));
    let mode = word(row.text(&["consumer_mode"], 64));
    let ordering = word(row.text(&["ordering"], 64));
    match (mode, ordering) {
        (Some(ConsumerMode::Broadcast), _) | (_, Some(ConsumerMode::Broadcast)) => {
            Some(ConsumerMode::Broadcast)
        }
        (Some(mode), _) => Some(mode),
        (None, ordering) => ordering,
    }
}
