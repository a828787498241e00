//! The four documented lookups: from every form that ScaiGrid and its modules answer in
//! (`contract/scaiflow.md` C-7, C-8, C-10) to the one that ScaiFlow documents (2.5).
//!
//! Bounded: 4 MiB, 10,000 rows, and every text. Names (ids, slugs) are taken as they are or the
//! answer is refused; text for people is cut. A list that can't be read is refused whole: half a list
//! looks like a whole one.

mod bunker;
mod envelope;
mod model;
mod page;
mod queue;
mod row;

use thiserror::Error;

pub use bunker::{Bunker, bunkers};
pub use model::{Model, models};
pub use page::{Cursor, Listing, Page};
pub use queue::{ConsumerMode, Queue, Scope, queues, scopes};

/// Largest body read, in bytes.
pub const MAX_BODY: usize = 4 * 1024 * 1024;
/// Most rows of a list, all pages together.
pub const MAX_ROWS: usize = 10_000;

/// Why a list is not usable. Carries nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ShapeError {
    /// Not one JSON object within the bounds.
    #[error("the answer is not a JSON object, or too large")]
    Json,
    /// No list under `data` or `data.items`.
    #[error("the answer has no list of rows")]
    NoRows,
    /// More than [`MAX_ROWS`].
    #[error("the list has too many rows")]
    TooManyRows,
    /// A row that is no object, or lacks what it must have.
    #[error("row {row} has no usable {member}")]
    Row {
        /// Which, from 0.
        row: usize,
        /// What is missing or unusable.
        member: &'static str,
    },
    /// `next_cursor` is not 1 to 1,024 printable ASCII characters.
    #[error("the answer has no usable next_cursor")]
    Cursor,
}

#[cfg(test)]
mod tests;
