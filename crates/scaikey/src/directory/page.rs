//! A page: its answer, bounded, and its rows.

use bytes::Bytes;
use http::Response;

use super::envelope;
use super::error::DirectoryError;
use super::row::DirectoryRow;
use crate::response;

/// Largest page read, in bytes.
pub const MAX_PAGE_BYTES: usize = 4 << 20;
/// Most rows of a page, so that a page of tiny rows can't become many times its size in memory.
pub const MAX_PAGE_ROWS: usize = 20_000;

/// One page of a list.
///
/// It says nothing about the whole. It may hold fewer rows than were asked for and not be the last
/// (ScaiKey may cap `per_page`, and the last page may be full), so a list ends at an empty page; what
/// was seen by then is all of it only if it is no less than `total`, where there is one. Rows may
/// come again on a later page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In the order received.
    pub rows: Vec<T>,
    /// How many rows the whole list is said to have: `meta.total`, `pagination.total` or `total`.
    pub total: Option<u64>,
}

/// Reads the answer to a request for a page of `T`s: `{"data": [..], "meta": {..}}`,
/// `{"items": [..], "total": ..}`, `{"data": {"items": [..], ..}}` or a bare array. Text is read once,
/// into rows; no tree is built of it.
///
/// # Errors
/// [`DirectoryError`] says why there is no page; no part of it is used then.
pub fn parse_page<T: DirectoryRow>(response: &Response<Bytes>) -> Result<Page<T>, DirectoryError> {
    if response.status().as_u16() != 200 {
        return Err(DirectoryError::of(response));
    }
    if !response::is_json(response.headers()) {
        return Err(DirectoryError::ContentType);
    }
    if response.body().len() > MAX_PAGE_BYTES {
        return Err(DirectoryError::TooLarge);
    }
    // Skipped strings would not be looked at, hence all of the text here.
    let text = str::from_utf8(response.body()).map_err(|_| DirectoryError::Malformed)?;
    envelope::read(text)
}
