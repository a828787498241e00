//! A page of a list: its rows.

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
