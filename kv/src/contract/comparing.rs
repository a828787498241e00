//! What of a reading differs from the mirror.

use scaigate_types::{Database, Kv, StoreError};
use serde_json::{Value, json};

use super::Stores;
use super::mirrored::{Place, at, ids, nothing_is_known, read, told};
use super::verdict::{Failure, Verdict, same};
use crate::directory::compare::{self, Rows, Size};
use crate::directory::event::{self, TenantChange};
use crate::directory::sync_apply;

/// Texts that break what is put together carelessly. None has a NUL: `serde_json` escapes it, and
/// SQLite ends a text there.
pub const HOSTILE: &[&str] = &[
    "'",
    "\"",
    "\\",
    "\\u0027 OR 1=1 --",
    "{\"a\":1}",
    "[1,2]",
    "null",
    "true",
    "17",
    "$.user_id",
    "%_*?",
    "\n\t\u{1}",
    "\u{202e}tsud \u{1f469}\u{200d}\u{1f680} \u{e9}\u{65}\u{301}",
    "",
    " ",
];

/// The elements of an answer, sorted; its count must be theirs.
pub fn elements(rows: &Rows) -> Result<Vec<Value>, Failure> {
    let mut found: Vec<Value> =
        serde_json::from_str(&rows.json).map_err(|_| Failure::new("no JSON array"))?;
    found.sort_by_key(Value::to_string);
    same("the count", rows.count, found.len() as u64)?;
    same("empty", rows.is_empty(), found.is_empty())?;
    Ok(found)
}

fn sorted(mut expected: Vec<Value>) -> Vec<Value> {
    expected.sort_by_key(Value::to_string);
    expected
}

pub async fn finds_users_that_differ(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let (same_one, other) = (
        place.has_user(on.db, "same", 1).await?,
        place.has_user(on.db, "other", 1).await?,
    );
    let (gone, new) = (place.has_user(on.db, "gone", 1).await?, place.user("new")?);
    event::user_deleted(on.db, place.key(&gone), &told(2)).await?;
    let email = |id| format!("{id}@example.test");
    let row = |id, email: &str, name: Value, status: Value| json!({ "user_id": id, "email": email, "display_name": name, "status": status });
    let equal = row(
        same_one.as_str(),
        &email(&same_one),
        "same".into(),
        "active".into(),
    );
    let differing = [
        row(
            other.as_str(),
            "moved@example.test",
            "other".into(),
            "active".into(),
        ),
        row(gone.as_str(), &email(&gone), "gone".into(), "active".into()),
        row(
            new.as_str(),
            "new@example.test",
            "new".into(),
            "active".into(),
        ),
    ];
    let page = json!([equal, differing[0], differing[1], differing[2]]).to_string();
    let found = compare::changed_users(on.other, &place.issuer, &page).await?;
    same("differing", elements(&found)?, sorted(differing.to_vec()))?;
    // What is not told differs from nothing.
    let (id, address) = (other.as_str(), email(&other));
    for (row, count) in [
        (
            json!({ "user_id": id, "email": null, "display_name": null, "status": null }),
            0,
        ),
        (json!({ "user_id": id }), 0),
        (row(id, &address, Value::Null, Value::Null), 0),
        (row(id, &address, "Other".into(), Value::Null), 1),
        (row(id, &address, Value::Null, "suspended".into()), 1),
    ] {
        let page = json!([row]).to_string();
        let found = compare::changed_users(on.db, &place.issuer, &page).await?;
        same(&page, found.count, count)?;
    }
    let none = compare::changed_users(on.db, &place.issuer, "[]").await?;
    same("an empty page", elements(&none)?, vec![])?;
    // The same identifier of another tenant is somebody else.
    let elsewhere = Place::more(on, "elsewhere")?;
    let page = json!([equal]).to_string();
    let found = compare::changed_users(on.db, &elsewhere.issuer, &page).await?;
    same("elsewhere", found.count, 1)
}

pub async fn finds_users_that_are_missing(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let listed = place.has_user(on.db, "listed", 1).await?;
    let missing = place.has_user(on.db, "missing", 1).await?;
    let gone = place.has_user(on.db, "gone", 1).await?;
    event::user_deleted(on.db, place.key(&gone), &told(2)).await?;
    place.has_user(on.db, "young", 10).await?;
    let elsewhere = Place::more(on, "elsewhere")?;
    elsewhere.has_user(on.db, "theirs", 1).await?;
    // Somebody whom a sign-in alone has told of.
    let stranger = super::fixtures::Somebody {
        issuer: place.issuer.clone(),
        ..super::fixtures::Somebody::new(on, "stranger", "tenant")?
    };
    stranger.arrive(on.db).await?;
    let seen = ids(&[listed.as_str()]);
    let absent = compare::absent_users(on.other, &place.issuer, &seen, at(10)).await?;
    same("missing", elements(&absent)?, vec![json!(missing.as_str())])?;
    let absent = compare::absent_users(on.db, &place.issuer, &seen, at(11)).await?;
    same("later", absent.count, 2)
}

pub async fn finds_groups_that_differ_or_are_missing(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let tenant_id = &place.tenant_id;
    let (equal, missing) = (
        place.has_group(on.db, "same", 1).await?,
        place.has_group(on.db, "missing", 1).await?,
    );
    let (gone, young) = (
        place.has_group(on.db, "gone", 1).await?,
        place.has_group(on.db, "young", 10).await?,
    );
    event::group_deleted(on.db, tenant_id, &gone, &told(2)).await?;
    let row = |id: &str, name: &str| json!({ "group_id": id, "name": name, "group_type": null });
    let differing = vec![
        row(gone.as_str(), gone.as_str()),
        row(missing.as_str(), "Renamed"),
        json!({ "group_id": young.as_str(), "group_type": "SECURITY" }),
        row("grp-new", "New"),
    ];
    let mut page = vec![row(equal.as_str(), equal.as_str())];
    page.extend(differing.clone());
    let found = compare::changed_groups(on.other, tenant_id, &json!(page).to_string()).await?;
    same("differing", elements(&found)?, sorted(differing))?;
    let seen = ids(&[equal.as_str()]);
    let absent = compare::absent_groups(on.other, tenant_id, &seen, at(10)).await?;
    same("missing", elements(&absent)?, vec![json!(missing.as_str())])?;
    // One that was created while the list was read, and has members from before.
    let user_id = place.has_user(on.db, "user", 1).await?;
    place.member(on.db, &young, &user_id, true, 9).await?;
    let absent = compare::absent_groups(on.db, tenant_id, &seen, at(10)).await?;
    let both = vec![json!(missing.as_str()), json!(young.as_str())];
    same("with members from before", elements(&absent)?, sorted(both))
}

pub async fn finds_who_joined_and_who_left(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let tenant_id = &place.tenant_id;
    let group_id = place.has_group(on.db, "group", 1).await?;
    let users = ["stays", "left", "back", "young", "new"];
    let users = users.map(|tag| place.user(tag));
    let [stays, left, back, young, new] = users;
    let (stays, left, back, young, new) = (stays?, left?, back?, young?, new?);
    for user_id in [&stays, &left, &back] {
        place.member(on.db, &group_id, user_id, true, 2).await?;
    }
    place.member(on.db, &group_id, &back, false, 3).await?;
    place.member(on.db, &group_id, &young, true, 10).await?;
    let other_group = place.has_group(on.db, "other", 1).await?;
    place.member(on.db, &other_group, &new, true, 2).await?;
    let members = ids(&[stays.as_str(), back.as_str(), new.as_str()]);
    let (joined, gone) =
        compare::changed_members(on.other, tenant_id, &group_id, &members, at(10)).await?;
    let expected = sorted(vec![json!(back.as_str()), json!(new.as_str())]);
    same("joined", elements(&joined)?, expected)?;
    same("left", elements(&gone)?, vec![json!(left.as_str())])?;
    let (joined, gone) =
        compare::changed_members(on.db, tenant_id, &group_id, "[]", at(11)).await?;
    same("nobody joined", elements(&joined)?, vec![])?;
    same("everybody left", gone.count, 3)
}

pub async fn finds_tenants_that_differ_or_are_missing(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    nothing_is_known(on.db).await?;
    let tenants = ["same", "missing", "gone", "young", "known", "new"].map(|tag| on.tenant(tag));
    let [equal, missing, gone, young, known, new] = tenants;
    let (equal, missing, gone) = (equal?, missing?, gone?);
    let (young, known, new) = (young?, known?, new?);
    let created = TenantChange {
        name: Some(Some("T")),
        is_present: Some(true),
        ..TenantChange::default()
    };
    for (tenant_id, n) in [(&equal, 1), (&missing, 1), (&gone, 1), (&young, 10)] {
        event::tenant(on.db, tenant_id, created, &told(n)).await?;
    }
    let deleted = TenantChange {
        is_present: Some(false),
        ..TenantChange::default()
    };
    event::tenant(on.db, &gone, deleted, &told(2)).await?;
    // A user has named it, no list has.
    sync_apply::know_tenant(on.db, &known, &read(1)).await?;
    let row = |id: &str| json!({ "tenant_id": id, "name": "T" });
    let differing = sorted([&gone, &known, &new].map(|id| row(id.as_str())).to_vec());
    let mut page = differing.clone();
    page.push(row(equal.as_str()));
    let found = compare::changed_tenants(on.other, &json!(page).to_string()).await?;
    same("differing", elements(&found)?, differing)?;
    for (field, value) in [
        ("name", "U"),
        ("slug", "u"),
        ("partner_id", "p"),
        ("status", "suspended"),
    ] {
        let mut row = row(equal.as_str());
        if let Some(row) = row.as_object_mut() {
            row.insert(field.to_owned(), value.into());
        }
        let found = compare::changed_tenants(on.db, &json!([row]).to_string()).await?;
        same(field, found.count, 1)?;
    }
    // Other cases have tenants too, so all of them are seen but ours.
    let sql = "SELECT tenant_id FROM tenant WHERE tenant_id <> ?1 AND tenant_id <> ?2 AND tenant_id <> ?3";
    let but = [&missing, &young, &known].map(|id| id.as_str().into());
    let seen = ids(&super::mirrored::texts(on.db, sql, &but).await?);
    let absent = compare::absent_tenants(on.other, &seen, at(10)).await?;
    same("missing", elements(&absent)?, vec![json!(missing.as_str())])
}

pub async fn takes_hostile_texts_for_what_they_are(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let row = |(n, text): (usize, &&str)| json!({ "user_id": format!("{}-{n}{text}", on.prefix), "email": text, "display_name": text, "status": "active" });
    let rows: Vec<Value> = HOSTILE.iter().enumerate().map(row).collect();
    let page = json!(rows).to_string();
    let found = compare::changed_users(on.db, &place.issuer, &page).await?;
    same("new", elements(&found)?, sorted(rows.clone()))?;
    sync_apply::users(
        on.db,
        &place.issuer,
        &place.tenant_id,
        &found.json,
        &read(5),
    )
    .await?;
    let again = compare::changed_users(on.other, &place.issuer, &page).await?;
    same("unchanged", elements(&again)?, vec![])?;
    let sql = "SELECT email FROM person WHERE tenant_id = ?1";
    let of = [place.tenant_id.as_str().into()];
    let mut stored = super::mirrored::texts(on.db, sql, &of).await?;
    stored.sort();
    let mut expected: Vec<String> = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    expected.sort();
    same("stored", stored, expected)?;
    // Identifiers go through lists and pairs as well.
    let all: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.get("user_id")?.as_str())
        .collect();
    let absent = compare::absent_users(on.db, &place.issuer, &ids(&all), at(9)).await?;
    same("none is missing", elements(&absent)?, vec![])?;
    let absent = compare::absent_users(on.db, &place.issuer, "[]", at(9)).await?;
    same(
        "all are missing",
        elements(&absent)?,
        sorted(all.iter().map(|id| json!(id)).collect()),
    )?;
    let group_id = place.has_group(on.db, "group", 1).await?;
    let members = |members: String| {
        let (tenant_id, group_id) = (&place.tenant_id, &group_id);
        async move { compare::changed_members(on.db, tenant_id, group_id, &members, at(9)).await }
    };
    let (joined, _) = members(ids(&all)).await?;
    same("joined", joined.count, all.len() as u64)?;
    let pairs = format!("[[{},{}]]", json!(group_id.as_str()), joined.json);
    sync_apply::joined(on.db, &place.tenant_id, &pairs, &read(9)).await?;
    let (joined, left) = members(ids(&all)).await?;
    same("members", (joined.count, left.count), (0, 0))?;
    let (_, left) = members("[]".to_owned()).await?;
    let pairs = format!("[[{},{}]]", json!(group_id.as_str()), left.json);
    sync_apply::left(on.db, &place.tenant_id, &pairs, &read(10)).await?;
    same("left", place.members(on.db, &group_id).await?, vec![])
}

pub async fn counts_what_is_live(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let before = compare::size(on.db).await?;
    let place = Place::new(on, "tenant").await?;
    let listed = |found: Vec<scaigate_types::TenantId>| found.contains(&place.tenant_id);
    same(
        "no tenant",
        listed(compare::mirrored_tenants(on.db).await?),
        false,
    )?;
    let group_id = place.has_group(on.db, "group", 1).await?;
    same(
        "a group's",
        listed(compare::mirrored_tenants(on.db).await?),
        true,
    )?;
    let mut users = Vec::new();
    for tag in ["one", "two", "three"] {
        let user_id = place.has_user(on.db, tag, 1).await?;
        place.member(on.db, &group_id, &user_id, true, 2).await?;
        users.push(user_id);
    }
    // A member of a group that nobody knows.
    let unknown = place.group("unknown")?;
    place
        .member(
            on.db,
            &unknown,
            users.first().ok_or(StoreError::Corrupt)?,
            true,
            2,
        )
        .await?;
    event::user_deleted(
        on.db,
        place.key(users.last().ok_or(StoreError::Corrupt)?),
        &told(3),
    )
    .await?;
    let more = |size: Size| Size {
        users: size.users - before.users,
        groups: size.groups - before.groups,
        memberships: size.memberships - before.memberships,
    };
    let expected = Size {
        users: 2,
        groups: 1,
        memberships: 2,
    };
    same("more", more(compare::size(on.other).await?), expected)?;
    event::group_deleted(on.db, &place.tenant_id, &group_id, &told(4)).await?;
    let expected = Size {
        users: 2,
        groups: 0,
        memberships: 0,
    };
    same(
        "without the group",
        more(compare::size(on.db).await?),
        expected,
    )?;
    same(
        "a user's",
        listed(compare::mirrored_tenants(on.db).await?),
        true,
    )
}
