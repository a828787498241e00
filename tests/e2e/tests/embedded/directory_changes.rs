//! The feed of changes: everything, once, in order, with what caused it.

use scaigate_e2e::emulator::{Directory, seed};
use scaigate_e2e::{Scene, World};
use serde_json::{Value, json};

/// The whole feed from a cursor on, in pages of `limit`.
async fn feed(world: &World, from: u64, limit: u32, tenant: &str) -> (Vec<Value>, u64) {
    let mut cursor = from;
    let mut all = Vec::new();
    loop {
        let path = format!("/v1/admin/changes?cursor={cursor}&limit={limit}{tenant}");
        let page = world.admin(&path).await;
        let rows = page["changes"].as_array().expect("changes");
        all.extend(rows.iter().cloned());
        let next = page["next_cursor"].as_u64().expect("a cursor");
        assert!(next >= cursor, "{page}");
        cursor = next;
        if page["has_more"] == false {
            return (all, cursor);
        }
        assert!(!rows.is_empty(), "{page}");
    }
}

fn short(change: &Value) -> String {
    let text = |name: &str| change[name].as_str().unwrap_or("-").to_owned();
    let fields = change["fields"].as_array().expect("fields");
    let fields: Vec<_> = fields.iter().filter_map(Value::as_str).collect();
    let cause = change["cause"]["type"].as_str().expect("a cause");
    format!(
        "{} {} {} {} [{}] by {cause}",
        text("entity"),
        text("action"),
        text("group_id"),
        text("id"),
        fields.join(",")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_tells_what_it_changed_and_nothing_else() {
    let scene = Scene::new(false, |_| {}).await;
    let world = &scene.world;
    let (first, cursor) = feed(world, 0, 1000, "").await;
    let created = |change: &Value| change["action"] == "created";
    assert!(first.iter().all(created));
    scene.follow(&scene.before).await;
    let (none, same) = feed(world, cursor, 1000, "").await;
    assert_eq!((none, same), (Vec::new(), cursor));
    scene.follow(&scene.after).await;
    let (changes, end) = feed(world, cursor, 1000, "").await;
    let mut told: Vec<String> = changes.iter().map(short).collect();
    let memberships = told
        .iter()
        .filter(|line| line.starts_with("membership"))
        .count();
    told.retain(|line| !line.starts_with("membership"));
    told.sort();
    assert_eq!(
        told,
        [
            "group created - grp_acme_made [] by sync",
            "group deleted - grp_umbra_research [] by sync",
            "group updated - grp_acme_engineers [name] by sync",
            "user created - usr_nina_acme [] by sync",
            "user deleted - usr_dave_acme [] by sync",
            "user deleted - usr_heidi_acme [] by sync",
            "user updated - usr_grace_acme [email,display_name] by sync",
            "user updated - usr_jin_umbra [status] by sync",
        ]
    );
    // Nina, Carol, Otto and six of a new group came; Dave, Heidi, Bob and eight of a group went.
    assert_eq!(memberships, 9 + 11);
    let report = world.admin("/v1/admin/sync").await["last"].clone();
    for change in &changes {
        assert_eq!(
            change["cause"]["id"],
            report["sync_id"].to_string(),
            "{change}"
        );
        assert!(
            change["at"]
                .as_str()
                .expect("a time")
                .starts_with("2026-11-22T12:"),
            "{change}"
        );
    }
    // In pages it is the same, and of one tenant it is that tenant's.
    for limit in [1, 3] {
        let (paged, last) = feed(world, cursor, limit, "").await;
        assert_eq!((paged, last), (changes.clone(), end), "{limit}");
    }
    let of = |tenant: &str| -> Vec<Value> {
        let is_theirs = |change: &&Value| change["tenant_id"] == tenant;
        changes.iter().filter(is_theirs).cloned().collect()
    };
    for tenant in [seed::ACME, seed::UMBRA] {
        for limit in [2, 1000] {
            let query = format!("&tenant_id={tenant}");
            let (theirs, _) = feed(world, cursor, limit, &query).await;
            assert_eq!(theirs, of(tenant), "{tenant}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cause_is_told() {
    let world = World::start().await;
    world.sign_in("zoe@acme.example").await;
    world.sync().await;
    let (all, cursor) = feed(&world, 0, 1000, "").await;
    let zoe = all
        .iter()
        .find(|change| change["id"] == "usr_zoe_acme")
        .expect("Zoë");
    assert_eq!(
        zoe["cause"],
        json!({ "type": "sign_in", "id": null }),
        "{zoe}"
    );
    world.advance(1);
    let event = world
        .scaikey
        .changes()
        .suspend_user("usr_ivan_acme")
        .expect("a change");
    world.handled(&event).await;
    world.set_role("usr_bob_acme", Some("super_admin")).await;
    let token = world
        .administrator("usr_carol_acme", "carol@acme.example", "super_admin")
        .await;
    let path = "/v1/admin/users/usr_erin_acme/role";
    let body = json!({ "role": "tenant_admin" });
    let answer = world
        .call(http::Method::POST, path, &token, Some(&body))
        .await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    let (changes, _) = feed(&world, cursor, 1000, "").await;
    let cause = |id: &str| {
        let found = changes.iter().rev().find(|change| change["id"] == id);
        found.expect("a change")["cause"].clone()
    };
    assert_eq!(
        cause("usr_ivan_acme"),
        json!({ "type": "webhook", "id": event.id })
    );
    assert_eq!(
        cause("usr_bob_acme"),
        json!({ "type": "service", "id": seed::CLIENT_ID })
    );
    let sql = "SELECT person_id FROM person WHERE subject = 'usr_carol_acme'";
    let carol = world.sql_text(sql, &[]).expect("Carol");
    assert_eq!(
        cause("usr_erin_acme"),
        json!({ "type": "admin", "id": carol })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_has_been_forgotten_says_so() {
    let world = World::start().await;
    world.sync().await;
    let (all, end) = feed(&world, 0, 1000, "").await;
    let third = all[2]["cursor"].as_u64().expect("a cursor");
    let token = world.operator_token("admin:read");
    let read = async |cursor: u64| {
        let path = format!("/v1/admin/changes?cursor={cursor}&limit=1");
        world.client.get(&path, Some(&token)).await
    };
    world.sql(
        "DELETE FROM change_log WHERE cursor <= ?1",
        &[&third.to_string()],
    );
    read(third - 1).await.assert_problem(410, "cursor_expired");
    // From the first that is kept, from nothing on, and from the end.
    for cursor in [third, 0, end] {
        let answer = read(cursor).await;
        assert_eq!(answer.status, 200, "{cursor}: {}", answer.text());
    }
    assert_eq!(read(end).await.json()["changes"], json!([]));
}

/// What comes while somebody reads is not passed over.
#[tokio::test(flavor = "multi_thread")]
async fn who_reads_while_the_mirror_changes_misses_nothing() {
    let scene = Scene::new(false, |_| {}).await;
    let world = &scene.world;
    let (_, start) = feed(world, 0, 1000, "").await;
    let writes = async {
        let states: [&Directory; 2] = [&scene.after, &scene.before];
        for n in 0..6 {
            scene.follow(states[n % 2]).await;
        }
    };
    let reads = async {
        let (mut all, mut cursor) = (Vec::new(), start);
        for _ in 0..40 {
            let (part, next) = feed(world, cursor, 7, "").await;
            all.extend(part);
            cursor = next;
        }
        (all, cursor)
    };
    let ((), (mut read, cursor)) = tokio::join!(writes, reads);
    read.extend(feed(world, cursor, 1000, "").await.0);
    let (whole, _) = feed(world, start, 1000, "").await;
    assert_eq!(read, whole);
    let cursors: Vec<_> = whole
        .iter()
        .map(|change| change["cursor"].as_u64())
        .collect();
    assert!(cursors.is_sorted(), "{cursors:?}");
}
