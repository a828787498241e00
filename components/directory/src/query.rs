//! The queries of the lists, parsed.

use scaigate_kv::directory::listing::Page;
use scaigate_problem::Problem;
use scaigate_runtime::{Fields, Incoming};
use scaigate_types::TenantId;

const MAX_SEARCH: usize = 256;
const MAX_STATUS: usize = 32;
const PER_PAGE: u32 = 100;
const MAX_PER_PAGE: u32 = 500;
const MAX_PAGE: u32 = 1_000_000;

/// The query of a list.
pub struct Query(Fields);

impl Query {
    /// Reads the query.
    ///
    /// # Errors
    /// It is not one.
    pub fn of(incoming: &Incoming) -> Result<Self, Problem> {
        Fields::of_query(incoming).map(Self)
    }

    /// A text of at most `max` bytes without control characters.
    ///
    /// # Errors
    /// It is longer or holds one.
    pub fn text(&self, name: &str, max: usize) -> Result<Option<&str>, Problem> {
        match self.0.get(name) {
            Some(text) if text.len() > max || text.chars().any(char::is_control) => {
                Err(Problem::invalid_field(name, "too long, or not printable"))
            }
            text => Ok(text),
        }
    }

    /// A number of `1..=max`.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&self, name: &str, default: u32, max: u32) -> Result<u32, Problem> {
        match self.0.get(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .ok()
                .filter(|number| (1..=max).contains(number))
                .ok_or_else(|| {
                    Problem::invalid_field(name, &format!("not a number from 1 to {max}"))
                }),
        }
    }

    /// The cursor of the change log: 0 unless it is given.
    ///
    /// # Errors
    /// It is no number.
    pub fn cursor(&self) -> Result<i64, Problem> {
        match self.0.get("cursor") {
            None => Ok(0),
            Some(text) => text
                .parse()
                .ok()
                .filter(|cursor| *cursor >= 0)
                .ok_or_else(|| Problem::invalid_field("cursor", "not a cursor of this log")),
        }
    }

    /// The tenant that is asked for.
    ///
    /// # Errors
    /// It is no identifier.
    pub fn tenant_id(&self) -> Result<Option<TenantId>, Problem> {
        self.0
            .get("tenant_id")
            .map(TenantId::parse)
            .transpose()
            .map_err(|error| Problem::invalid_field("tenant_id", &error.to_string()))
    }

    /// Number and size of the page.
    ///
    /// # Errors
    /// One of them is out of range.
    pub fn page(&self) -> Result<(u32, u32), Problem> {
        Ok((
            self.number("page", 1, MAX_PAGE)?,
            self.number("per_page", PER_PAGE, MAX_PER_PAGE)?,
        ))
    }

    /// Which rows of which page, all that is asked for: `f` gets it while its texts live.
    ///
    /// # Errors
    /// Something in the query is out of range.
    pub fn listing<'a>(
        &'a self,
        tenant_id: Option<&'a TenantId>,
        status: &'a mut String,
    ) -> Result<Page<'a>, Problem> {
        let (page, per_page) = self.page()?;
        let asked = self.text("status", MAX_STATUS)?;
        *status = asked.unwrap_or_default().to_ascii_lowercase();
        Ok(Page {
            tenant_id,
            search: self.text("search", MAX_SEARCH)?,
            status: asked.map(|_| status.as_str()),
            page,
            per_page,
        })
    }
}
