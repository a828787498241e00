//! Rows: raw as they lie in the page, and what is made of them.

use scaigate_types::{GroupId, PartnerId, Subject, TenantId};
use serde::{Deserialize, Serialize};

use super::error::DirectoryError;
use super::field::{Field, Nested, Unusable};
use super::list::is_segment;
use super::status::Status;
use super::text;

/// A kind of row that [`parse_page`](super::parse_page) reads.
pub trait DirectoryRow: sealed::OfRaw {}

impl<T: sealed::OfRaw> DirectoryRow for T {}

pub(super) mod sealed {
    use serde::Deserialize;

    use super::DirectoryError;

    /// Made of an object of the page; only here, so that every row is bounded.
    pub trait OfRaw: Sized {
        /// The fields that are looked at, borrowed from the page.
        type Raw<'a>: Deserialize<'a>;

        /// # Errors
        /// The `Row…` variants of [`DirectoryError`].
        fn of_raw(raw: Self::Raw<'_>) -> Result<Self, DirectoryError>;
    }
}

/// A tenant (`contract/scaikey.md` 3.7). Serialised as a flat object, for staging.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TenantRow {
    /// `id`, else `tenant_id`.
    pub tenant_id: TenantId,
    /// For people to read: at most 256 characters.
    pub name: Option<String>,
    /// The path segment of tenant endpoints, never changed: at most 256 characters.
    pub slug: Option<String>,
    /// `partner_id` or `partner.id`.
    pub partner_id: Option<PartnerId>,
    /// `None` when the row doesn't say.
    pub status: Option<Status>,
}

/// A person with access to an application, or a direct member of a group (`contract/scaikey.md` 3.2,
/// 3.3, 7.2). Serialised as a flat object, for staging.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserRow {
    /// `user_id`, else `id`: in a member's row the latter may be the membership's. The `sub` of the
    /// person's tokens.
    pub user_id: Subject,
    /// `tenant_id` or `tenant.id`. `None` when the row doesn't say; one that says another tenant than
    /// was asked for is the caller's to refuse.
    pub tenant_id: Option<TenantId>,
    /// A plausible address as it was received, at most 320 bytes; compared by nobody.
    pub email: Option<String>,
    /// `display_name`, else `name`, else `first_name` and `last_name`: at most 256 characters.
    pub display_name: Option<String>,
    /// `None` when the row doesn't say.
    pub status: Option<Status>,
}

/// A group (`contract/scaikey.md` 3.3). Serialised as a flat object, for staging.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupRow {
    /// `id`, else `group_id`.
    pub group_id: GroupId,
    /// `tenant_id` or `tenant.id`. `None` when the row doesn't say.
    pub tenant_id: Option<TenantId>,
    /// Never changed, since a name can make a super admin: at most 256 characters, or `None`.
    pub name: Option<String>,
    /// `SECURITY`, `DISTRIBUTION_LIST`, …: as it was received.
    pub group_type: Option<String>,
}

/// A tenant in the page.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RawTenant<'a> {
    #[serde(borrow)]
    id: Field<'a>,
    #[serde(borrow)]
    tenant_id: Field<'a>,
    #[serde(borrow)]
    name: Field<'a>,
    #[serde(borrow)]
    slug: Field<'a>,
    #[serde(borrow)]
    partner_id: Field<'a>,
    #[serde(borrow)]
    partner: Nested<'a>,
    #[serde(borrow)]
    status: Field<'a>,
}

impl sealed::OfRaw for TenantRow {
    type Raw<'a> = RawTenant<'a>;

    fn of_raw(raw: RawTenant<'_>) -> Result<Self, DirectoryError> {
        let tenant_id: TenantId = own_id(raw.id, raw.tenant_id)?;
        if !is_segment(tenant_id.as_str()) {
            return Err(DirectoryError::RowWithoutId);
        }
        Ok(Self {
            tenant_id,
            name: text::shown(raw.name),
            slug: text::exact(raw.slug),
            partner_id: reference(raw.partner_id, raw.partner)
                .map_err(|Unusable| DirectoryError::RowPartner)?,
            status: status(raw.status),
        })
    }
}

/// A person in the page.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RawUser<'a> {
    #[serde(borrow)]
    user_id: Field<'a>,
    #[serde(borrow)]
    id: Field<'a>,
    #[serde(borrow)]
    tenant_id: Field<'a>,
    #[serde(borrow)]
    tenant: Nested<'a>,
    #[serde(borrow)]
    email: Field<'a>,
    #[serde(borrow)]
    display_name: Field<'a>,
    #[serde(borrow)]
    name: Field<'a>,
    #[serde(borrow)]
    first_name: Field<'a>,
    #[serde(borrow)]
    last_name: Field<'a>,
    #[serde(borrow)]
    status: Field<'a>,
}

impl sealed::OfRaw for UserRow {
    type Raw<'a> = RawUser<'a>;

    fn of_raw(raw: RawUser<'_>) -> Result<Self, DirectoryError> {
        let (first, last) = (raw.first_name, raw.last_name);
        Ok(Self {
            user_id: own_id(raw.user_id, raw.id)?,
            tenant_id: tenant(raw.tenant_id, raw.tenant)?,
            email: text::email(raw.email),
            display_name: text::shown(raw.display_name)
                .or_else(|| text::shown(raw.name))
                .or_else(|| text::joined(text::shown(first), text::shown(last))),
            status: status(raw.status),
        })
    }
}

/// A group in the page.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RawGroup<'a> {
    #[serde(borrow)]
    id: Field<'a>,
    #[serde(borrow)]
    group_id: Field<'a>,
    #[serde(borrow)]
    tenant_id: Field<'a>,
    #[serde(borrow)]
    tenant: Nested<'a>,
    #[serde(borrow)]
    name: Field<'a>,
    #[serde(borrow)]
    group_type: Field<'a>,
}

impl sealed::OfRaw for GroupRow {
    type Raw<'a> = RawGroup<'a>;

    fn of_raw(raw: RawGroup<'_>) -> Result<Self, DirectoryError> {
        let group_id: GroupId = own_id(raw.id, raw.group_id)?;
        if !is_segment(group_id.as_str()) {
            return Err(DirectoryError::RowWithoutId);
        }
        Ok(Self {
            group_id,
            tenant_id: tenant(raw.tenant_id, raw.tenant)?,
            name: text::exact(raw.name),
            group_type: text::exact(raw.group_type),
        })
    }
}

/// The id under the first name, or under the second when the first is not there.
fn own_id<T: TryFrom<String>>(first: Field<'_>, second: Field<'_>) -> Result<T, DirectoryError> {
    let id = match first {
        Field::Absent => second,
        present => present,
    };
    match id.id() {
        Ok(Some(id)) => Ok(id),
        Ok(None) | Err(Unusable) => Err(DirectoryError::RowWithoutId),
    }
}

fn tenant(flat: Field<'_>, nested: Nested<'_>) -> Result<Option<TenantId>, DirectoryError> {
    reference(flat, nested).map_err(|Unusable| DirectoryError::RowTenant)
}

/// The id of another row, which is written in one of two ways or in both.
fn reference<T: TryFrom<String> + PartialEq>(
    flat: Field<'_>,
    Nested(nested): Nested<'_>,
) -> Result<Option<T>, Unusable> {
    match (flat.id()?, nested.id()?) {
        (Some(flat), Some(nested)) if flat != nested => Err(Unusable),
        (flat, nested) => Ok(flat.or(nested)),
    }
}

fn status(field: Field<'_>) -> Option<Status> {
    match field {
        Field::Absent => None,
        Field::Text(text) => Some(Status::parse(&text)),
        Field::Other => Some(Status::unreadable()),
    }
}
