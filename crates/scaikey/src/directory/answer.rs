//! The answer to a request for a page, bounded.

use bytes::Bytes;
use http::Response;

use super::envelope;
use super::error::DirectoryError;
use super::page::Page;
use super::row::DirectoryRow;
use crate::response;

/// Largest page read, in bytes.
pub const MAX_PAGE_BYTES: usize = 4 << 20;

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
