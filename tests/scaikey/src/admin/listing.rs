//! Paging and envelopes of list answers.

use serde_json::{Value, json};

use crate::deviation::DirectoryLie;
use crate::exchange::{Call, Reply};
use crate::registry::DirectoryGuard;
use crate::switches::ListEnvelope;
use crate::world::World;

/// Page size when `PageSizeIgnored` is on.
const OWN_PAGE_SIZE: usize = 7;

fn number(call: &Call, name: &str, default: usize) -> Result<usize, Reply> {
    match call.query(name).map(str::parse::<usize>) {
        None => Ok(default),
        Some(Ok(n)) if n >= 1 => Ok(n),
        Some(_) => Err(validation(name)),
    }
}

fn validation(name: &str) -> Reply {
    Reply::invalid(
        "query",
        name,
        "Input should be a positive integer",
        "int_parsing",
    )
}

/// A page's rows are about this long together with their commas.
const ROW_SIZE: usize = 320;

/// One page of few rows, told the way the switches say.
pub(crate) fn page(world: &World, call: &Call, rows: &[Value], lies: &[DirectoryLie]) -> Reply {
    page_of(world, call, rows.len(), lies, |n, out| {
        let row = rows.get(n).unwrap_or(&Value::Null);
        out.push_str(&row.to_string());
    })
}

/// One page of a list with `total` rows, told the way the switches say. `write` appends the JSON of the row at a
/// position; it is called for the rows of the page only.
pub(crate) fn page_of(
    world: &World,
    call: &Call,
    total: usize,
    lies: &[DirectoryLie],
    write: impl Fn(usize, &mut String),
) -> Reply {
    let behaviour = world.switches.behaviour();
    let tells = |lie: DirectoryLie| lies.contains(&lie);
    if tells(DirectoryLie::SlashRedirectValid) && !call.path.ends_with('/') {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&call.query)
            .finish();
        let mark = if query.is_empty() { "" } else { "?" };
        return Reply::redirect(
            307,
            &format!("{}{}/{mark}{query}", world.base_url, call.path),
        );
    }
    let (page, per_page) = match (
        number(call, "page", 1),
        number(call, "per_page", behaviour.default_per_page),
    ) {
        (Ok(page), Ok(per_page)) => (page, per_page.min(behaviour.max_per_page)),
        (Err(reply), _) | (_, Err(reply)) => return reply,
    };
    let per_page = if tells(DirectoryLie::PageSizeIgnored) {
        OWN_PAGE_SIZE
    } else {
        per_page
    };
    if tells(DirectoryLie::LaterPagesFail) && page > 1 {
        return Reply::detail(500, "Internal Server Error");
    }
    let total = if tells(DirectoryLie::Empty) {
        0
    } else if tells(DirectoryLie::Shrunk) {
        total / 3
    } else {
        total
    };
    let pages = total.div_ceil(per_page);
    let mut start = (page - 1).saturating_mul(per_page);
    if tells(DirectoryLie::EndlessPages) && start >= total {
        start = pages.saturating_sub(1) * per_page;
    }
    if page > 1 && tells(DirectoryLie::RowTwice) {
        start = start.saturating_sub(1);
    }
    if page > 1 && tells(DirectoryLie::RowLost) {
        start = start.saturating_add(1);
    }
    let end = if page > 1 && tells(DirectoryLie::LaterPagesEmpty) {
        start
    } else {
        start.saturating_add(per_page).min(total)
    };
    let rows = start..end.max(start);
    let mut list = String::with_capacity(rows.len() * ROW_SIZE + 128);
    list.push('[');
    for n in rows {
        separate(&mut list);
        if tells(DirectoryLie::RowsWithoutId) {
            let mut row = String::new();
            write(n, &mut row);
            list.push_str(&without_id(&row));
        } else {
            write(n, &mut list);
        }
    }
    if tells(DirectoryLie::NullRow) {
        separate(&mut list);
        list.push_str("null");
    }
    list.push(']');
    let (told_total, told_pages) = if tells(DirectoryLie::EndlessPages) {
        (json!((page + 1) * per_page), page + 1)
    } else {
        (json!(total), pages)
    };
    let told_total = if tells(DirectoryLie::MetaTotalString) {
        json!(total.to_string())
    } else {
        told_total
    };
    let body = match behaviour.list_envelope {
        ListEnvelope::BareArray => list,
        ListEnvelope::Items => {
            let meta = json!({"total": told_total, "page": page, "per_page": per_page});
            enveloped("items", list, &meta.to_string()[1..])
        }
        ListEnvelope::Data if tells(DirectoryLie::NoMetaValid) => enveloped("data", list, "}"),
        ListEnvelope::Data => {
            let meta = json!({
                "page": page, "per_page": per_page, "total": told_total, "total_pages": told_pages,
            });
            enveloped("data", list, &format!("\"meta\":{meta}}}"))
        }
    };
    Reply::json_text(200, body)
}

fn separate(list: &mut String) {
    if !list.ends_with('[') {
        list.push(',');
    }
}

/// `{"<name>":<list>,<rest>`; `rest` brings the closing brace.
fn enveloped(name: &str, mut list: String, rest: &str) -> String {
    list.insert_str(0, &format!("{{\"{name}\":"));
    if rest != "}" {
        list.push(',');
    }
    list.push_str(rest);
    list
}

fn without_id(row: &str) -> String {
    let mut row: Value = serde_json::from_str(row).unwrap_or_default();
    if let Some(row) = row.as_object_mut() {
        row.remove("id");
        row.remove("user_id");
    }
    row.to_string()
}

/// One object in its envelope.
pub(crate) fn one(status: u16, object: &Value) -> Reply {
    Reply::json(status, &json!({ "data": object }))
}

/// Keeps a row when `search` is absent or part of one of the texts.
pub(crate) fn found(call: &Call, texts: impl FnOnce() -> Vec<String>) -> bool {
    call.query("search").is_none_or(|wanted| {
        let wanted = wanted.to_lowercase();
        texts()
            .iter()
            .any(|text| text.to_lowercase().contains(&wanted))
    })
}

/// Keeps a row when the filter is absent or equal.
pub(crate) fn equal(call: &Call, filter: &str, value: &str) -> bool {
    call.query(filter).is_none_or(|wanted| wanted == value)
}

/// Keeps a row when `partner_id` is absent or names the partner of the row's tenant.
pub(crate) fn of_partner(directory: &DirectoryGuard<'_>, call: &Call, tenant_id: &str) -> bool {
    call.query("partner_id").is_none_or(|wanted| {
        let tenant = directory.tenant(tenant_id);
        tenant.is_some_and(|t| t.partner_id == wanted)
    })
}

/// What of the query narrows a list, to know the list again.
pub(crate) fn filters<const N: usize>(call: &Call, names: [&str; N]) -> [Option<String>; N] {
    names.map(|name| call.query(name).map(str::to_owned))
}
