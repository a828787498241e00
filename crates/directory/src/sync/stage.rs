//! Rows of ScaiKey as the statements of the mirror take them (`scaigate_kv::directory::compare`).

use scaigate_problem::{Code, Problem};
use scaigate_scaikey::directory::{GroupRow, Status, TenantRow, UserRow};
use scaigate_types::PartnerId;
use serde::Serialize;

use crate::status::stored;

#[derive(Serialize)]
struct User<'a> {
    user_id: &'a str,
    email: Option<&'a str>,
    display_name: Option<&'a str>,
    status: Option<String>,
}

#[derive(Serialize)]
struct Group<'a> {
    group_id: &'a str,
    name: Option<&'a str>,
    group_type: Option<&'a str>,
}

#[derive(Serialize)]
struct Tenant<'a> {
    tenant_id: &'a str,
    name: Option<&'a str>,
    slug: Option<&'a str>,
    partner_id: Option<&'a str>,
    status: Option<String>,
}

fn json(rows: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(rows).map_err(|_| Problem::new(Code::Internal))
}

pub(super) fn users(rows: &[&UserRow]) -> Result<String, Problem> {
    let rows = rows.iter().map(|row| User {
        user_id: row.user_id.as_str(),
        email: row.email.as_deref(),
        display_name: row.display_name.as_deref(),
        status: row.status.as_ref().map(Status::as_str).map(stored),
    });
    json(&rows.collect::<Vec<_>>())
}

pub(super) fn groups(rows: &[GroupRow]) -> Result<String, Problem> {
    let rows = rows.iter().map(|row| Group {
        group_id: row.group_id.as_str(),
        name: row.name.as_deref(),
        group_type: row.group_type.as_deref(),
    });
    json(&rows.collect::<Vec<_>>())
}

pub(super) fn tenants(rows: &[TenantRow]) -> Result<String, Problem> {
    let rows = rows.iter().map(|row| Tenant {
        tenant_id: row.tenant_id.as_str(),
        name: row.name.as_deref(),
        slug: row.slug.as_deref(),
        partner_id: row.partner_id.as_ref().map(PartnerId::as_str),
        status: row.status.as_ref().map(Status::as_str).map(stored),
    });
    json(&rows.collect::<Vec<_>>())
}

pub(super) fn ids(ids: &[&str]) -> Result<String, Problem> {
    json(&ids)
}
