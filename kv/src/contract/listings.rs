//! Pages of users, groups and members, and what is known of somebody.

use scaigate_types::{Database, Kv};
use serde_json::{Value, json};

use super::Stores;
use super::mirrored::{Place, at, begins, finishes, read, told};
use super::super_admins::{give, person_of};
use super::verdict::{Failure, Verdict, same};
use crate::directory::event::{self, TenantChange, UserChange};
use crate::directory::listing::{self, Listed, Page};
use crate::directory::{sync_apply, why};

fn of(place: &Place) -> Page<'_> {
    Page {
        tenant_id: Some(&place.tenant_id),
        search: None,
        status: None,
        page: 1,
        per_page: 100,
    }
}

fn parsed(listed: &Listed) -> Result<Vec<Value>, Failure> {
    serde_json::from_str(&listed.rows).map_err(|_| Failure::new("no JSON array"))
}

/// The names in a page; the total must be theirs.
fn names(listed: &Listed) -> Result<Vec<String>, Failure> {
    let rows = parsed(listed)?;
    same(
        "the total",
        listed.total,
        i64::try_from(rows.len()).unwrap_or(-1),
    )?;
    let name = |row: &Value| {
        let name = row.get("display_name").or_else(|| row.get("name"));
        name.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    Ok(rows.iter().map(name).collect())
}

/// Users of which each has one of these names and addresses.
async fn people<K, D: Database>(
    on: &Stores<'_, K, D>,
    place: &Place,
    users: &[(&str, &str)],
) -> Result<(), Failure> {
    let rows: Vec<Value> = (0..)
        .zip(users)
        .map(|(n, (email, name))| {
            json!({ "user_id": format!("{}-user-{n}", on.prefix), "email": email, "display_name": name })
        })
        .collect();
    let rows = json!(rows).to_string();
    sync_apply::users(on.db, &place.issuer, &place.tenant_id, &rows, &read(1)).await?;
    Ok(())
}

pub async fn users_are_shown_with_their_fields(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let (live, gone) = (
        place.has_user(on.db, "live", 1).await?,
        place.has_user(on.db, "gone", 2).await?,
    );
    event::user_deleted(on.db, place.key(&gone), &told(3)).await?;
    let person_id = person_of(on.db, &place, &live).await?;
    give(on.db, &person_id, Some(("tenant_admin", "manual"))).await?;
    let row = |id: &str, name: &str| {
        json!({ "id": id, "tenant_id": place.tenant_id.as_str(), "email": format!("{id}@example.test"),
                "display_name": name, "status": "ACTIVE", "admin_role": null,
                "admin_role_source": null, "deleted_at": null, "last_synced_at": null })
    };
    let with = |mut row: Value, fields: Value| {
        if let (Some(row), Value::Object(fields)) = (row.as_object_mut(), fields) {
            row.extend(fields);
        }
        row
    };
    let gone = with(
        row(gone.as_str(), "gone"),
        json!({ "deleted_at": at(3).rfc3339(), "last_synced_at": at(2).rfc3339() }),
    );
    let live = with(
        row(live.as_str(), "live"),
        json!({ "admin_role": "tenant_admin", "admin_role_source": "manual",
                "last_synced_at": at(1).rfc3339() }),
    );
    let found = listing::users(on.other, of(&place)).await?;
    same("users", parsed(&found)?, vec![gone.clone(), live.clone()])?;
    // A sync has seen whoever is there, changed or not.
    let sync_id = begins(on.db, at(10)).await?;
    finishes(on.db, sync_id, 10).await?;
    let live = with(live, json!({ "last_synced_at": at(10).rfc3339() }));
    let found = listing::users(on.db, of(&place)).await?;
    same("after a sync", parsed(&found)?, vec![gone, live])
}

pub async fn users_are_found_by_what_is_in_them(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let users = [
        ("ada@acme.example", "Ada"),
        ("bob@acme.example", "Bob 100%"),
        ("c_d@other.example", "O'Neil \"the\" Third"),
        ("d@other.example", "back\\slash"),
        ("e@other.example", "\u{c9}mile"),
    ];
    people(on, &place, &users).await?;
    let id = format!("{}-user-3", on.prefix);
    for (search, expected) in [
        ("ACME", vec!["Ada", "Bob 100%"]),
        ("%", vec!["Bob 100%"]),
        ("_", vec!["O'Neil \"the\" Third"]),
        ("'", vec!["O'Neil \"the\" Third"]),
        ("\"the\"", vec!["O'Neil \"the\" Third"]),
        ("\\", vec!["back\\slash"]),
        ("*", vec![]),
        ("' OR 1=1 --", vec![]),
        ("\u{c9}m", vec!["\u{c9}mile"]),
        (
            "other.example",
            vec!["O'Neil \"the\" Third", "back\\slash", "\u{c9}mile"],
        ),
        (id.as_str(), vec!["back\\slash"]),
        (
            "",
            vec![
                "Ada",
                "Bob 100%",
                "O'Neil \"the\" Third",
                "back\\slash",
                "\u{c9}mile",
            ],
        ),
    ] {
        let page = Page {
            search: Some(search),
            ..of(&place)
        };
        same(
            search,
            names(&listing::users(on.db, page).await?)?,
            expected.into_iter().map(str::to_owned).collect(),
        )?;
    }
    let elsewhere = Place::more(on, "elsewhere")?;
    let page = Page {
        search: Some("acme"),
        ..of(&elsewhere)
    };
    same(
        "elsewhere",
        names(&listing::users(on.db, page).await?)?,
        vec![],
    )
}

pub async fn users_are_listed_page_by_page(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let emails: Vec<String> = (0..7).map(|n| format!("{n}@example.test")).collect();
    let users: Vec<(&str, &str)> = emails
        .iter()
        .map(|email| (email.as_str(), email.as_str()))
        .collect();
    people(on, &place, &users).await?;
    let mut found = Vec::new();
    for (page, rows) in [(1, 3), (2, 3), (3, 1), (4, 0), (u32::MAX, 0)] {
        let page = Page {
            page,
            per_page: 3,
            ..of(&place)
        };
        let listed = listing::users(on.db, page).await?;
        let parsed = parsed(&listed)?;
        same("total", listed.total, 7)?;
        same("rows", parsed.len(), rows)?;
        found.extend(parsed.into_iter().map(|row| {
            row.get("email")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        }));
    }
    same("all, in order", found, emails)?;
    let none = listing::users(
        on.db,
        Page {
            per_page: 0,
            ..of(&place)
        },
    )
    .await?;
    same("no rows", (none.rows.as_str(), none.total), ("[]", 7))
}

pub async fn users_are_listed_by_status(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    for tag in ["active", "deleted", "suspended"] {
        place.has_user(on.db, tag, 1).await?;
    }
    let (gone, suspended) = (place.user("deleted")?, place.user("suspended")?);
    let change = UserChange {
        status: Some("suspended"),
        ..UserChange::default()
    };
    event::user(on.db, place.key(&suspended), change, &told(2)).await?;
    event::user(on.db, place.key(&gone), change, &told(2)).await?;
    event::user_deleted(on.db, place.key(&gone), &told(3)).await?;
    for (status, expected) in [
        (None, vec!["active", "deleted", "suspended"]),
        (Some("active"), vec!["active"]),
        (Some("suspended"), vec!["suspended"]),
        (Some("deleted"), vec!["deleted"]),
        (Some("unheard-of"), vec![]),
    ] {
        let found = listing::users(
            on.db,
            Page {
                status,
                ..of(&place)
            },
        )
        .await?;
        same(
            "users",
            names(&found)?,
            expected.into_iter().map(str::to_owned).collect(),
        )?;
    }
    Ok(())
}

pub async fn groups_and_their_members(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let tenant_id = &place.tenant_id;
    let (group_id, gone) = (
        place.has_group(on.db, "group", 1).await?,
        place.has_group(on.db, "gone", 1).await?,
    );
    for (tag, n) in [("a", 1), ("b", 1), ("c", 1), ("d", 1)] {
        let user_id = place.has_user(on.db, tag, n).await?;
        place.member(on.db, &group_id, &user_id, true, 2).await?;
        place.member(on.db, &gone, &user_id, true, 2).await?;
    }
    let (left, deleted) = (place.user("b")?, place.user("c")?);
    place.member(on.db, &group_id, &left, false, 3).await?;
    event::group_deleted(on.db, tenant_id, &gone, &told(4)).await?;
    let row = |id: &str, count: u32, deleted_at: Value| {
        json!({ "id": id, "tenant_id": tenant_id.as_str(), "name": id, "group_type": null,
                "member_count": count, "deleted_at": deleted_at, "last_synced_at": at(1).rfc3339() })
    };
    let expected = vec![
        row(gone.as_str(), 0, at(4).rfc3339().into()),
        row(group_id.as_str(), 3, Value::Null),
    ];
    same(
        "groups",
        parsed(&listing::groups(on.other, of(&place)).await?)?,
        expected.clone(),
    )?;
    for (status, search, count) in [
        (Some("active"), None, 1),
        (Some("deleted"), None, 1),
        (Some("suspended"), None, 0),
        (None, Some("%"), 0),
        (None, Some(group_id.as_str()), 1),
        (None, Some("GROUP"), 1),
    ] {
        let page = Page {
            status,
            search,
            ..of(&place)
        };
        same("groups", listing::groups(on.db, page).await?.total, count)?;
    }
    let members = async |page| names(&listing::members(on.db, &group_id, page).await?);
    same(
        "members",
        members(of(&place)).await?,
        ["a", "c", "d"].map(str::to_owned).to_vec(),
    )?;
    // A member who is gone from the application is in the group still, and not shown.
    on.db
        .query(
            "UPDATE person SET deleted_at = 1 WHERE issuer = ?1 AND subject = ?2",
            &[place.issuer.as_str().into(), deleted.as_str().into()],
        )
        .await?;
    same(
        "those who are there",
        members(of(&place)).await?,
        ["a", "d"].map(str::to_owned).to_vec(),
    )?;
    let anywhere = Page {
        tenant_id: None,
        ..of(&place)
    };
    same(
        "of any tenant",
        members(anywhere).await?,
        ["a", "d"].map(str::to_owned).to_vec(),
    )?;
    let elsewhere = Place::more(on, "elsewhere")?;
    same("of another", members(of(&elsewhere)).await?, vec![])?;
    let found = listing::members(on.db, &gone, of(&place)).await?;
    same("of a group that is gone", found.total, 0)?;
    for (group_id, tenant, expected) in [
        (&group_id, Some(tenant_id), true),
        (&group_id, None, true),
        (&group_id, Some(&elsewhere.tenant_id), false),
        (&gone, None, false),
    ] {
        same(
            "is there",
            listing::has_group(on.db, group_id, tenant).await?,
            expected,
        )?;
    }
    Ok(())
}

/// What an administrator is told of somebody who is missing.
pub async fn why_tells_what_is_known(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let user_id = place.has_user(on.db, "user", 1).await?;
    let email = format!("{user_id}@EXAMPLE.test");
    let (admins, others) = (
        place.has_group(on.db, "admins", 1).await?,
        place.has_group(on.db, "others", 1).await?,
    );
    for group_id in [&admins, &others] {
        place.member(on.db, group_id, &user_id, true, 2).await?;
    }
    let named = json!([admins.as_str(), "nobody's"]).to_string();
    let known = why::known(on.other, &email, &named).await?;
    let expected = why::Known {
        user_id: user_id.to_string(),
        tenant_id: place.tenant_id.to_string(),
        status: "active".to_owned(),
        is_deleted: false,
        is_mirrored: true,
        is_tenant_inactive: false,
        admin_role: None,
        admin_role_source: None,
        groups: 2,
        super_admin_groups: 1,
    };
    same("known", known, vec![expected.clone()])?;
    // The same address elsewhere, gone, and of a tenant that is suspended.
    let elsewhere = Place::more(on, "elsewhere")?;
    elsewhere.has_user(on.db, "user", 1).await?;
    event::user_deleted(on.db, elsewhere.key(&user_id), &told(2)).await?;
    let suspended = TenantChange {
        status: Some("suspended"),
        ..TenantChange::default()
    };
    event::tenant(on.db, &elsewhere.tenant_id, suspended, &told(2)).await?;
    event::group_deleted(on.db, &place.tenant_id, &admins, &told(3)).await?;
    let known = why::known(on.db, &email, &named).await?;
    let expected = vec![
        why::Known {
            groups: 1,
            super_admin_groups: 0,
            ..expected.clone()
        },
        why::Known {
            tenant_id: elsewhere.tenant_id.to_string(),
            is_deleted: true,
            is_tenant_inactive: true,
            groups: 0,
            super_admin_groups: 0,
            ..expected
        },
    ];
    same("known", known, expected)?;
    for nobody in ["%", "' OR 1=1 --"] {
        same(nobody, why::known(on.db, nobody, "[]").await?, vec![])?;
    }
    Ok(())
}
