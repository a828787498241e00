//! A whole list, whatever ScaiKey's pages are like.
//!
//! A page may be shorter than asked for and not be the last, a row may come twice, and while others
//! change the directory a row may slip from a page that is yet to be read to one that has been. So a
//! list ends at an empty page or when all that is promised is there; where nothing is promised, more
//! than one page is read twice (N-107, N-108).

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

/// The list's name, as it is told.
pub(super) const fn name_of(list: List<'_>) -> &'static str {
    match list {
        List::Tenants => "tenants",
        List::EffectiveUsers { .. } => "effective_users",
        List::Groups => "groups",
        List::GroupMembers { .. } => "group_members",
    }
}

/// Reads a whole list and hands each row on once, a page at a time. The identifiers of all rows.
pub(super) async fn whole<T: Identified>(
    reader: &Reader<'_, impl Ports>,
    list: List<'_>,
    mut each: impl AsyncFnMut(Vec<T>) -> Result<(), Problem>,
) -> Result<HashSet<String>, ReadError> {
    let mut seen = HashSet::new();
    let mut promised = None;
    for pass in 1..=MAX_PASSES {
        let mut in_this_pass: HashSet<String> = HashSet::new();
        let mut per_page = reader.per_page();
        let mut page_number = 1;
        let mut pages = 0;
        loop {
            let page = match reader.page::<T>(list, page_number, per_page).await {
                // Only the first page can be asked for in another size without a gap.
                Err(ReadError::PageSize(_))
                    if page_number == 1 && reader.smaller_pages(per_page) =>
                {
                    per_page = reader.per_page();
                    continue;
                }
                page => page?,
            };
            promised = page.total.or(promised);
            if page.rows.is_empty() {
                break;
            }
            pages += 1;
            let before = in_this_pass.len();
            let mut fresh = Vec::with_capacity(page.rows.len());
            for row in page.rows {
                in_this_pass.insert(row.id().to_owned());
                if seen.insert(row.id().to_owned()) {
                    fresh.push(row);
                }
            }
            if seen.len() > MAX_ROWS {
                return Err(incomplete(list, "more rows than a directory has").into());
            }
            if !fresh.is_empty() {
                each(fresh).await?;
            }
            let is_complete = page
                .total
                .is_some_and(|total| in_this_pass.len() as u64 >= total);
            // A page that says nothing new is the last one again.
            if is_complete || in_this_pass.len() == before {
                break;
            }
            page_number += 1;
            if page_number > MAX_PAGES {
                return Err(incomplete(list, "its pages do not end").into());
            }
        }
        let is_whole = match promised {
            Some(total) => seen.len() as u64 >= total,
            None => pages <= 1 || pass > 1,
        };
        if is_whole {
            return Ok(seen);
        }
    }
    Err(incomplete(list, "ScaiKey promises more rows than its pages have").into())
}

pub(super) fn incomplete(list: List<'_>, reason: &'static str) -> Problem {
    Problem::new(Code::SyncIncomplete)
        .with("list", name_of(list))
        .with("reason", reason)
}
