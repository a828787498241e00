//! ScaiKey's directory: tenants, the people with access to an application, groups and their members
//! (`contract/scaikey.md` section 3), one page at a time.
//!
//! The published pages leave envelopes and rows untyped (3.1, 7.2), so several spellings are read.
//! What is not lenient is identity: a row without a usable id, or with a tenant that can't be read,
//! fails its page. A row that was skipped would look like one that was deleted, and a row whose
//! tenant was dropped would count as the tenant's that was asked for. What is only shown (addresses,
//! names) is left out where it is unusable: one absurd row does not stop everybody's sync.

mod answer;
mod envelope;
mod error;
mod field;
mod list;
mod page;
mod row;
mod slash;
mod status;
mod text;

pub use answer::{MAX_PAGE_BYTES, parse_page};
pub use error::DirectoryError;
pub use list::{List, request};
pub use page::{MAX_PAGE_ROWS, Page};
pub use row::{DirectoryRow, GroupRow, TenantRow, UserRow};
pub use slash::{is_slash_redirect, with_other_slash};
pub use status::{Status, StatusName};

#[cfg(test)]
mod tests;
