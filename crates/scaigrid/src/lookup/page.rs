//! Lists and their pages.

use serde::Serialize;

use super::{MAX_ROWS, ShapeError};
use crate::text;

/// Longest cursor, in bytes.
const MAX_CURSOR: usize = 1024;

/// Where the next page begins; ScaiGrid's to make and to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// Takes a cursor out of an answer.
    pub(super) fn parse(text: &str) -> Result<Self, ShapeError> {
        if text::is_name(text, MAX_CURSOR) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ShapeError::Cursor)
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A list, or a piece of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where it goes on; `None` at the end.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Adds the page that follows this one.
    ///
    /// # Errors
    /// [`ShapeError::TooManyRows`], and [`ShapeError::Cursor`] when the page leads back to itself.
    pub fn append(&mut self, page: Self) -> Result<(), ShapeError> {
        if self.rows.len().saturating_add(page.rows.len()) > MAX_ROWS {
            return Err(ShapeError::TooManyRows);
        }
        if page.next.is_some() && page.next == self.next {
            return Err(ShapeError::Cursor);
        }
        self.rows.extend(page.rows);
        self.next = page.next;
        Ok(())
    }

    /// The body of the answer.
    #[must_use]
    pub fn into_listing(self) -> Listing<T> {
        Listing {
            data: self.rows,
            next_cursor: self.next,
        }
    }
}

/// The documented body: `{"data": […]}`. Who asked for a page and did not get the last one finds
/// `next_cursor` beside it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listing<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}
