//! A whole list, whatever ScaiKey's pages are like.
//!
//! A page may be shorter than asked for and not be the last, a row may come twice, and while others
//! change the directory a row may slip from a page that is yet to be read to one that has been. So a
//! list ends at an empty page or when all that is promised is there, and it is read again where that
//! could tell more (it got shorter meanwhile, it does not say how long it is, somebody is not in it any
//! more), by pages of another size: what slipped between two pages is within one then (N-107, N-108).

use std::collections::HashSet;

use scaigate_problem::{Code, Problem};
use scaigate_scaikey::directory::{DirectoryRow, GroupRow, List, TenantRow, UserRow};
use scaigate_signin::Ports;

use super::reader::{ReadError, Reader};

/// Readings of one list before it is given up.
const MAX_PASSES: u32 = 3;
/// Most pages of one reading.
const MAX_PAGES: u32 = 20_000;
/// Most rows of one list.
const MAX_ROWS: usize = 2_000_000;
/// The smallest page asked for. A row that comes again because others slipped must not fill it.
const SMALLEST_PAGE: u32 = 2;
/// Fewer rows than the smallest page that a server limits us to: they are a list's last.
const SURELY_LAST: usize = 5;

/// A row with an identifier that is its list's own.
pub(super) trait Identified: DirectoryRow {
    fn id(&self) -> &str;
}

impl Identified for UserRow {
    fn id(&self) -> &str {
        self.user_id.as_str()
    }
}

impl Identified for GroupRow {
    fn id(&self) -> &str {
        self.group_id.as_str()
    }
}

impl Identified for TenantRow {
    fn id(&self) -> &str {
        self.tenant_id.as_str()
    }
}

/// A list under way.
pub(super) struct Listing<'l, 'a, P: Ports> {
    reader: &'l Reader<'a, P>,
    list: List<'l>,
    /// The identifiers of all rows of all passes.
    seen: HashSet<String>,
    promised: Option<u64>,
    passes: u32,
    last: Pass,
    /// Rows of the longest page of the first pass.
    longest: usize,
    has_pages: bool,
}

/// One reading from the first page to the last.
#[derive(Default)]
struct Pass {
    /// Pages that had something that the ones before had not.
    pages: u32,
    rows: usize,
    /// A page promised fewer rows than the one before it: what is behind the one that went has moved up.
    got_shorter: bool,
}

impl<'l, 'a, P: Ports> Listing<'l, 'a, P> {
    /// Nothing has been read yet.
    pub(super) fn new(reader: &'l Reader<'a, P>, list: List<'l>) -> Self {
        Self {
            reader,
            list,
            seen: HashSet::new(),
            promised: None,
            passes: 0,
            last: Pass::default(),
            longest: 0,
            has_pages: false,
        }
    }

    /// Reads the whole list and hands each row on once, a page at a time.
    ///
    /// # Errors
    /// A page can't be read, or the pages don't make a whole.
    pub(super) async fn read<T: Identified>(
        &mut self,
        mut each: impl AsyncFnMut(Vec<T>) -> Result<(), Problem>,
    ) -> Result<(), ReadError> {
        loop {
            self.pass(&mut each).await?;
            if self.is_whole() {
                return Ok(());
            }
            if self.passes >= MAX_PASSES {
                let reason = match self.promised {
                    Some(_) => "ScaiKey promises more rows than its pages have",
                    None => "a page of it was full, and none came after it",
                };
                return Err(incomplete(self.list, reason).into());
            }
        }
    }

    /// Whether reading once more may find a row that has been missed: before anything is given up for
    /// not being listed, [`Self::read`] is called again then.
    pub(super) const fn can_miss(&self) -> bool {
        self.passes == 1 && (self.has_pages || self.promised.is_none())
    }

    fn is_whole(&self) -> bool {
        match self.promised {
            Some(_) if self.last.got_shorter && self.passes < MAX_PASSES => false,
            Some(total) => self.seen.len() as u64 >= total,
            None if self.passes == 1 => !self.has_pages && self.longest < SURELY_LAST,
            // A list of one page has two when pages are to be smaller.
            None => self.last.pages > 1 || self.last.rows == self.seen.len(),
        }
    }

    /// Rows to ask for in the next pass: fewer than any page had.
    fn per_page(&self) -> u32 {
        let most = self.reader.per_page();
        match u32::try_from(self.longest) {
            Ok(longest) if self.passes > 0 => longest
                .saturating_sub(self.passes)
                .max(SMALLEST_PAGE)
                .min(most),
            _ => most,
        }
    }

    async fn pass<T: Identified>(
        &mut self,
        each: &mut impl AsyncFnMut(Vec<T>) -> Result<(), Problem>,
    ) -> Result<(), ReadError> {
        let mut per_page = self.per_page();
        let mut in_this_pass: HashSet<String> = HashSet::new();
        let mut pages = 0;
        let mut page_number = 1;
        let mut got_shorter = false;
        loop {
            let page = match self
                .reader
                .page::<T>(self.list, page_number, per_page)
                .await
            {
                // Pages of another size begin elsewhere: from the first on again.
                Err(ReadError::PageSize(_)) if self.reader.smaller_pages(per_page) => {
                    per_page = self.reader.per_page();
                    in_this_pass.clear();
                    (pages, page_number, got_shorter) = (0, 1, false);
                    continue;
                }
                page => page?,
            };
            got_shorter |= page.total.is_some_and(|total| self.promised > Some(total));
            self.promised = page.total.or(self.promised);
            let before = in_this_pass.len();
            if self.passes == 0 {
                self.longest = self.longest.max(page.rows.len());
            }
            let mut fresh = Vec::with_capacity(page.rows.len());
            for row in page.rows {
                in_this_pass.insert(row.id().to_owned());
                if self.seen.insert(row.id().to_owned()) {
                    fresh.push(row);
                }
            }
            if self.seen.len() > MAX_ROWS {
                return Err(incomplete(self.list, "more rows than a directory has").into());
            }
            if !fresh.is_empty() {
                each(fresh).await?;
            }
            // A page that says nothing new is empty, or the last one again.
            if in_this_pass.len() == before {
                break;
            }
            pages += 1;
            let is_complete = page
                .total
                .is_some_and(|total| in_this_pass.len() as u64 >= total);
            if is_complete {
                break;
            }
            page_number += 1;
            if page_number > MAX_PAGES {
                return Err(incomplete(self.list, "its pages do not end").into());
            }
        }
        self.passes += 1;
        self.has_pages |= pages > 1;
        self.last = Pass {
            pages,
            rows: in_this_pass.len(),
            got_shorter,
        };
        Ok(())
    }
}

pub(super) fn incomplete(list: List<'_>, reason: &'static str) -> Problem {
    Problem::new(Code::SyncIncomplete)
        .with("list", list.name())
        .with("reason", reason)
}
