//! The change log.

use std::time::Duration;

use scaigate_types::{Database, Kv, Query, StoreError, TenantId};
use serde_json::{Value, json};

use super::Stores;
use super::fixtures::Somebody;
use super::mirrored::{Place, at, ids, read, told};
use super::verdict::{Failure, Verdict, holds, same};
use crate::directory::change_log::{self, Changes, Read};
use crate::directory::event::{self, TenantChange, UserChange};
use crate::directory::{Cause, Stamp, sync_apply};

async fn last(on: &impl Query) -> Result<i64, Failure> {
    let sql = "SELECT coalesce(max(cursor), 0) FROM change_log";
    let rows = on.query(sql, &[]).await?;
    Ok(rows.first().ok_or(StoreError::Corrupt)?.integer(0)?)
}

async fn page(
    on: &impl Query,
    cursor: i64,
    tenant_id: Option<&TenantId>,
    limit: u32,
) -> Result<Changes, Failure> {
    match change_log::read(on, cursor, tenant_id, limit).await? {
        Read::Changes(changes) => Ok(changes),
        Read::Expired => Err(Failure::new("the cursor has expired")),
    }
}

fn parsed(changes: &Changes) -> Result<Vec<Value>, Failure> {
    serde_json::from_str(&changes.rows).map_err(|_| Failure::new("no JSON array"))
}

/// `entity action fields cause` of each change after `cursor`.
async fn said(on: &impl Query, cursor: i64) -> Result<Vec<String>, Failure> {
    let text = |row: &Value, path: &str| {
        let value = row.pointer(path).unwrap_or(&Value::Null);
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let rows = parsed(&page(on, cursor, None, 100).await?)?;
    let lines = rows.iter().map(|row| {
        let fields: Vec<String> = row
            .get("fields")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|field| field.as_str().unwrap_or("?").to_owned())
            .collect();
        let [entity, action, cause] =
            ["/entity", "/action", "/cause/type"].map(|path| text(row, path));
        format!("{entity} {action} [{}] {cause}", fields.join(" "))
    });
    Ok(lines.collect())
}

fn user(email: &'static str, status: &'static str) -> UserChange<'static> {
    UserChange {
        email: Some(Some(email)),
        name: Some(Some("N")),
        status: Some(status),
        is_present: true,
    }
}

pub async fn tell_every_change_of_a_user_once(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let user_id = place.user("user")?;
    let key = place.key(&user_id);
    let (a, b) = (
        user("a@example.test", "active"),
        user("b@example.test", "suspended"),
    );
    let begin = last(on.db).await?;
    event::user(on.db, key, a, &told(1)).await?;
    // Said again, and something older.
    event::user(on.db, key, a, &told(2)).await?;
    event::user(on.db, key, b, &told(1)).await?;
    event::user(on.db, key, b, &told(3)).await?;
    event::user_deleted(on.db, key, &told(4)).await?;
    event::user_deleted(on.db, key, &told(5)).await?;
    event::user(on.db, key, a, &told(6)).await?;
    // Each field by itself, and each twice.
    for field in ["email", "display_name", "status"] {
        let row = json!([{ "user_id": user_id.as_str(), field: "other" }]).to_string();
        for _ in 0..2 {
            sync_apply::users(on.db, &place.issuer, &place.tenant_id, &row, &read(8)).await?;
        }
    }
    let sql = "UPDATE person SET admin_role = 'tenant_admin', admin_role_source = 'manual',
                      cause = 'admin:per_1' WHERE tenant_id = ?1";
    on.db.query(sql, &[place.tenant_id.as_str().into()]).await?;
    let expected = [
        "user created [] webhook",
        "tenant created [] webhook",
        "user updated [email status] webhook",
        "user deleted [] webhook",
        "user restored [email status] webhook",
        "user updated [email] sync",
        "user updated [display_name] sync",
        "user updated [status] sync",
        "user updated [admin_role admin_role_source] admin",
    ];
    same(
        "said",
        said(on.other, begin).await?,
        expected.map(str::to_owned).to_vec(),
    )
}

pub async fn tell_every_change_of_the_rest_once(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let tenant_id = &place.tenant_id;
    let (user_id, group_id) = (place.user("user")?, place.group("group")?);
    let partner_id = scaigate_types::PartnerId::parse(&on.name("partner"))
        .map_err(|_| Failure::new("no partner"))?;
    let begin = last(on.db).await?;
    let nothing = TenantChange::default();
    for (n, change) in [
        (
            1,
            TenantChange {
                name: Some(Some("T")),
                is_present: Some(true),
                ..nothing
            },
        ),
        (
            2,
            TenantChange {
                slug: Some("t"),
                partner_id: Some(&partner_id),
                ..nothing
            },
        ),
        (
            3,
            TenantChange {
                status: Some("suspended"),
                ..nothing
            },
        ),
        (
            3,
            TenantChange {
                status: Some("suspended"),
                ..nothing
            },
        ),
        (
            4,
            TenantChange {
                is_present: Some(false),
                ..nothing
            },
        ),
        (
            5,
            TenantChange {
                is_present: Some(true),
                ..nothing
            },
        ),
    ] {
        event::tenant(on.db, tenant_id, change, &told(n)).await?;
    }
    for (n, name, status, is_present) in [
        (1, Some(Some("P")), None, Some(true)),
        (2, None, Some("suspended"), None),
        (2, None, Some("suspended"), None),
        (3, None, None, Some(false)),
        (4, None, None, Some(true)),
    ] {
        event::partner(on.db, &partner_id, name, status, is_present, &told(n)).await?;
    }
    for (n, name, kind) in [
        (1, "G", None),
        (2, "H", Some("SECURITY")),
        (3, "H", Some("SECURITY")),
    ] {
        event::group(
            on.db,
            tenant_id,
            &group_id,
            Some(Some(name)),
            kind,
            n == 1,
            &told(n),
        )
        .await?;
    }
    for (n, is_member) in [(2, true), (3, true), (4, false), (5, true), (1, false)] {
        place
            .member(on.db, &group_id, &user_id, is_member, n)
            .await?;
    }
    event::group_deleted(on.db, tenant_id, &group_id, &told(9)).await?;
    sync_apply::absent_tenants(on.db, &ids(&[tenant_id.as_str()]), &read(10)).await?;
    let expected = [
        "tenant created [] webhook",
        "tenant updated [slug partner_id] webhook",
        "tenant updated [status] webhook",
        "tenant deleted [] webhook",
        "tenant restored [] webhook",
        "partner created [] webhook",
        "partner updated [status] webhook",
        "partner deleted [] webhook",
        "partner restored [] webhook",
        "group created [] webhook",
        "group updated [name group_type] webhook",
        "membership created [] webhook",
        "membership deleted [] webhook",
        "membership restored [] webhook",
        "group deleted [] webhook",
        "membership deleted [] webhook",
        "tenant deleted [] sync",
    ];
    same(
        "said",
        said(on.other, begin).await?,
        expected.map(str::to_owned).to_vec(),
    )
}

/// What was never there is not said to go: a deletion of somebody unknown.
pub async fn say_nothing_where_nothing_changes(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let somebody = Somebody {
        issuer: place.issuer.clone(),
        ..Somebody::new(on, "user", "tenant")?
    };
    let begin = last(on.db).await?;
    let (user_id, group_id) = (place.user("gone")?, place.group("gone")?);
    event::user_deleted(on.db, place.key(&user_id), &told(1)).await?;
    event::group_deleted(on.db, &place.tenant_id, &group_id, &told(1)).await?;
    place.member(on.db, &group_id, &user_id, false, 1).await?;
    same("deletions", said(on.db, begin).await?, vec![])?;
    somebody.arrive(on.db).await?;
    somebody.arrive(on.db).await?;
    let expected = ["user created [] sign_in", "tenant created [] sign_in"];
    same(
        "sign-ins",
        said(on.db, begin).await?,
        expected.map(str::to_owned).to_vec(),
    )
}

pub async fn name_what_changed_and_by_what(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let (user_id, group_id) = (place.user("user")?, place.group("group")?);
    let begin = last(on.db).await?;
    let person = on.person("admin")?;
    let client =
        scaigate_types::ClientId::parse("client").map_err(|_| Failure::new("no client"))?;
    let causes = [
        (Cause::Sync(7), json!({ "type": "sync", "id": "7" })),
        (
            Cause::Webhook("evt:\"1\"".to_owned()),
            json!({ "type": "webhook", "id": "evt:\"1\"" }),
        ),
        (
            Cause::Admin(person.clone()),
            json!({ "type": "admin", "id": person.as_str() }),
        ),
        (
            Cause::Service(client),
            json!({ "type": "service", "id": "client" }),
        ),
        (Cause::Operator, json!({ "type": "operator", "id": null })),
        (Cause::SignIn, json!({ "type": "sign_in", "id": null })),
    ];
    for (n, (cause, _)) in (1..).zip(&causes) {
        let stamp = Stamp {
            cause: cause.clone(),
            ..told(n)
        };
        let (tenant_id, is_member) = (&place.tenant_id, n % 2 == 1);
        event::membership(on.db, tenant_id, &group_id, &user_id, is_member, &stamp).await?;
    }
    let rows = parsed(&page(on.db, begin, Some(&place.tenant_id), 100).await?)?;
    same("rows", rows.len(), causes.len())?;
    for (n, (row, (_, cause))) in (1..).zip(rows.iter().zip(&causes)) {
        let action = match n {
            1 => "created",
            n if n % 2 == 0 => "deleted",
            _ => "restored",
        };
        let expected = json!({
            "cursor": begin + i64::try_from(n).unwrap_or(0), "at": at(n).rfc3339(),
            "entity": "membership", "action": action, "tenant_id": place.tenant_id.as_str(),
            "id": user_id.as_str(), "group_id": group_id.as_str(), "fields": [], "cause": cause,
        });
        same("a change", row, &expected)?;
    }
    Ok(())
}

pub async fn are_read_page_by_page(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let elsewhere = Place::more(on, "elsewhere")?;
    let begin = last(on.db).await?;
    for n in 0..5 {
        place.has_group(on.db, &format!("group-{n}"), 1).await?;
        elsewhere.has_group(on.db, &format!("group-{n}"), 1).await?;
    }
    // Of each tenant: itself and five groups.
    let (mut cursor, mut found, mut pages) = (begin, Vec::new(), 0);
    loop {
        let changes = page(on.other, cursor, Some(&place.tenant_id), 4).await?;
        found.extend(parsed(&changes)?);
        holds(
            "it goes on",
            changes.next_cursor > cursor || !changes.has_more,
        )?;
        cursor = changes.next_cursor;
        pages += 1;
        if !changes.has_more {
            break;
        }
    }
    same("changes", found.len(), 6)?;
    same("pages", pages, 2)?;
    let own = |row: &Value| row.get("tenant_id") == Some(&json!(place.tenant_id.as_str()));
    holds("of the tenant alone", found.iter().all(own))?;
    same("the end", cursor, last(on.db).await?)?;
    let nothing = page(on.db, cursor, Some(&place.tenant_id), 4).await?;
    same(
        "no more",
        (nothing.rows.as_str(), nothing.next_cursor, nothing.has_more),
        ("[]", cursor, false),
    )?;
    // Whatever is asked for, a page goes on.
    let one = page(on.db, begin, None, 0).await?;
    same("the least", (parsed(&one)?.len(), one.has_more), (1, true))?;
    same(
        "all",
        parsed(&page(on.db, begin, None, 100).await?)?.len(),
        12,
    )
}

pub async fn that_were_forgotten_are_told(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);
    let place = Place::new(on, "tenant").await?;
    let begin = last(on.db).await?;
    for n in 1..=4 {
        place.has_group(on.db, &format!("group-{n}"), n).await?;
    }
    // The tenant was created with the first.
    let newest = last(on.db).await?;
    same("changes", newest - begin, 5)?;
    // Everything before these is younger or older, but comes first: nothing may be left out within.
    change_log::purge(on.db, at(0).plus(MONTH), 1_000_000).await?;
    let kept =
        async |cursor| Ok::<_, Failure>(parsed(&page(on.db, cursor, None, 1_000).await?)?.len());
    same("a month later", kept(begin).await?, 5)?;
    change_log::purge(on.db, at(100).plus(MONTH), 0).await?;
    same("none at a time", kept(begin).await?, 5)?;
    change_log::purge(on.db, at(100).plus(MONTH), 1_000_000).await?;
    for (what, cursor, expired) in [
        ("the first", begin + 1, true),
        ("the last but two", newest - 2, true),
        ("the last but one", newest - 1, false),
        ("the last", newest, false),
        ("the beginning", 0, false),
        ("of another log", newest + 1, true),
        ("no cursor at all", i64::MAX, true),
    ] {
        let found = change_log::read(on.other, cursor, None, 10).await?;
        same(what, found == Read::Expired, expired)?;
    }
    same("the newest stays", kept(0).await?, 1)?;
    place.has_group(on.db, "group-5", 5).await?;
    same("the numbers go on", last(on.db).await?, newest + 1)
}
