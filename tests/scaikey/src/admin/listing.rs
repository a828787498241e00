//! Paging and envelopes of list answers.

use serde_json::{Value, json};

use crate::deviation::DirectoryLie;
use crate::exchange::{Call, Reply};
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
    Reply::json(
        422,
        &json!({"detail": [{"loc": ["query", name], "msg": "Input should be a positive integer", "type": "int_parsing"}]}),
    )
}

/// One page of `rows`, told the way the switches say.
pub(crate) fn page(
    world: &World,
    call: &Call,
    mut rows: Vec<Value>,
    lies: &[DirectoryLie],
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
    if tells(DirectoryLie::Empty) {
        rows.clear();
    }
    if tells(DirectoryLie::Shrunk) {
        rows.truncate(rows.len() / 3);
    }
    if tells(DirectoryLie::RowsWithoutId) {
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            row.remove("id");
            row.remove("user_id");
        }
    }
    let total = rows.len();
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
    let mut slice: Vec<Value> = rows.into_iter().skip(start).take(per_page).collect();
    if page > 1 && tells(DirectoryLie::LaterPagesEmpty) {
        slice.clear();
    }
    if tells(DirectoryLie::NullRow) {
        slice.push(Value::Null);
    }
    let (told_total, told_pages) = if tells(DirectoryLie::EndlessPages) {
        (json!((page + 1) * per_page), json!(page + 1))
    } else {
        (json!(total), json!(pages))
    };
    let told_total = if tells(DirectoryLie::MetaTotalString) {
        json!(total.to_string())
    } else {
        told_total
    };
    let body = match behaviour.list_envelope {
        ListEnvelope::BareArray => json!(slice),
        ListEnvelope::Items => {
            json!({"items": slice, "total": told_total, "page": page, "per_page": per_page})
        }
        ListEnvelope::Data if tells(DirectoryLie::NoMetaValid) => json!({ "data": slice }),
        ListEnvelope::Data => json!({
            "data": slice,
            "meta": {"page": page, "per_page": per_page, "total": told_total, "total_pages": told_pages},
        }),
    };
    Reply::json(200, &body)
}

/// One object in its envelope.
pub(crate) fn one(status: u16, object: &Value) -> Reply {
    Reply::json(status, &json!({ "data": object }))
}

/// Keeps a row when `search` is absent or part of one of the texts.
pub(crate) fn found(call: &Call, texts: &[&str]) -> bool {
    call.query("search").is_none_or(|wanted| {
        let wanted = wanted.to_lowercase();
        texts
            .iter()
            .any(|text| text.to_lowercase().contains(&wanted))
    })
}

/// Keeps a row when the filter is absent or equal.
pub(crate) fn equal(call: &Call, filter: &str, value: &str) -> bool {
    call.query(filter).is_none_or(|wanted| wanted == value)
}
