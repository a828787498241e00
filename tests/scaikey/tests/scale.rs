//! A large directory: read in full, changed, signed in to.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use scaikey_emulator::{Deviation, DirectoryLie, seed};
use serde_json::Value;
use support::{Bench, text};

const USERS: usize = 12_000;
const GROUPS: usize = 120;
const MEMBERSHIPS: usize = 48_000;

async fn large() -> Bench {
    let directory = seed::large(USERS, GROUPS, MEMBERSHIPS, 4);
    Bench::over(Some(directory), |b| b.password_grant = true).await
}

fn effective(tenant: &str) -> String {
    let application = seed::APPLICATION_ID;
    format!("/api/v1/tenants/{tenant}/applications/{application}/effective-users")
}

/// All pages of a list, and the total that the last one tells.
async fn all(bench: &Bench, path: &str, token: &str) -> (Vec<Value>, Value) {
    let mut seen = Vec::new();
    for page in 1.. {
        let answer = bench
            .get_as(&format!("{path}?page={page}&per_page=1000"), token)
            .await;
        let body = support::json(&answer);
        let rows = body["data"].as_array().cloned().unwrap_or_default();
        let last = rows.len() < 1_000;
        seen.extend(rows);
        if last {
            return (seen, body["meta"]["total"].clone());
        }
    }
    unreachable!("pages end")
}

#[tokio::test]
async fn everybody_is_read_page_by_page() {
    let bench = large().await;
    let token = bench.service_token().await;
    let tenants: Vec<String> = {
        let directory = bench.emulator.directory();
        directory.tenants.iter().map(|t| t.id.clone()).collect()
    };
    let mut people = BTreeSet::new();
    for tenant in &tenants {
        let (rows, total) = all(&bench, &effective(tenant), &token).await;
        assert_eq!(total, rows.len());
        assert!(rows.iter().all(|row| row["tenant_id"] == tenant.as_str()));
        people.extend(rows.iter().map(|row| text(&row["id"])));
    }
    assert_eq!(people.len(), USERS);
    let (rows, total) = all(&bench, "/api/v1/admin/users/", &token).await;
    assert_eq!((rows.len(), total), (USERS, Value::from(USERS)));
    let (groups, _) = all(&bench, "/api/v1/admin/groups/", &token).await;
    assert_eq!(groups.len(), GROUPS);
    let mut of: BTreeMap<String, usize> = BTreeMap::new();
    for group in &groups {
        let path = format!("/api/v1/admin/groups/{}/members", text(&group["id"]));
        let (members, total) = all(&bench, &path, &token).await;
        assert_eq!(total, group["member_count"]);
        for member in &members {
            *of.entry(text(&member["user_id"])).or_default() += 1;
        }
    }
    assert_eq!(of.values().sum::<usize>(), MEMBERSHIPS);
    assert_eq!(of.len(), USERS);
}

#[tokio::test]
async fn changes_of_any_kind_show_in_the_next_answer() {
    let bench = large().await;
    let token = bench.service_token().await;
    let total = async |path: &str| {
        let answer = bench.get_as(&format!("{path}?per_page=1"), &token).await;
        support::json(&answer)["meta"]["total"].clone()
    };
    let group = bench.emulator.directory().groups[0].clone();
    let members = format!("/api/v1/admin/groups/{}/members", group.id);
    let (size, everybody) = (group.members.len(), USERS / 4);
    let effective = effective(&group.tenant_id);
    assert_eq!(total(&members).await, size);
    assert_eq!(total(&effective).await, everybody);
    // By the events' methods.
    let changes = bench.emulator.changes();
    changes.delete_user(&group.members[0]).unwrap();
    assert_eq!(total(&members).await, size - 1);
    assert_eq!(total(&effective).await, everybody - 1);
    // By the guard's.
    bench
        .emulator
        .directory()
        .user_mut(&group.members[1])
        .unwrap()
        .status = "DELETED".to_owned();
    assert_eq!(total(&members).await, size - 2);
    assert_eq!(total(&effective).await, everybody - 2);
    // Bare.
    bench
        .emulator
        .directory()
        .users
        .retain(|u| u.id != group.members[2]);
    assert_eq!(total(&members).await, size - 3);
    assert_eq!(total(&effective).await, everybody - 3);
    let new = bench.emulator.directory().add_user(
        &group.tenant_id,
        "newcomer@acme.example",
        "New",
        "Comer",
    );
    assert_eq!(total(&effective).await, everybody - 3);
    changes.add_member(&group.id, &new.id).unwrap();
    assert_eq!(total(&members).await, size - 2);
    assert_eq!(total(&effective).await, everybody - 2);
}

#[tokio::test]
async fn lies_are_told_about_large_lists_too() {
    let bench = large().await;
    let token = bench.service_token().await;
    let path = format!("{}?per_page=1000&page=2", effective(seed::ACME));
    for (lie, rows) in [
        (DirectoryLie::Empty, 0),
        (DirectoryLie::Shrunk, 0),
        (DirectoryLie::PageSizeIgnored, 7),
        (DirectoryLie::NullRow, 1_001),
        (DirectoryLie::RowTwice, 1_000),
    ] {
        bench.emulator.switches().set(Deviation::Directory(lie));
        assert_eq!(bench.rows(&path, &token).await.len(), rows, "{lie:?}");
        bench.emulator.switches().clear(Deviation::Directory(lie));
    }
}

#[tokio::test]
async fn named_people_sign_in_and_the_login_page_stays_short() {
    let bench = large().await;
    let answer = bench.sign_in().await;
    let claims = support::claims(&text(&answer["id_token"]));
    assert_eq!(claims["email"], "alice@acme.example");
    let olivia = bench.token_of("olivia@acme.example").await;
    assert_eq!(bench.rows("/api/v1/admin/tenants/", &olivia).await.len(), 4);
    bench.emulator.switches().change(|b| b.auto_login = false);
    let last = bench.emulator.directory().users[USERS - 1].email.clone();
    let page = bench
        .get(&bench.authorize_path(&[("login_hint", &last)]))
        .await;
    let html = String::from_utf8_lossy(page.body()).into_owned();
    assert!(html.contains(&format!("<option value=\"{last}\" selected>")));
    assert!(html.matches("<option").count() <= 201);
}
