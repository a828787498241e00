//! A directory that has lost more than half of itself: an outage can look like that, so somebody has
//! to say that it is meant (N-107).

use http::Method;
use scaigate_e2e::emulator::{Directory, seed};
use scaigate_e2e::{Scene, World};
use serde_json::{Value, json};

/// Everybody has access by themselves, whatever becomes of the groups.
fn assign_everybody(directory: &mut Directory) {
    let everybody = directory.users.iter().map(|user| user.id.clone()).collect();
    let ours = directory.client_mut(seed::CLIENT_ID).expect("our client");
    ours.assigned_users = everybody;
}

/// A scene of forty people who all have access, whose change is `change`.
async fn scene(change: impl FnOnce(&mut Directory)) -> Scene {
    let mut scene = Scene::new(false, |_| {}).await;
    assign_everybody(&mut scene.before);
    scene.after = scene.before.clone();
    change(&mut scene.after);
    scene.follow(&scene.before).await;
    scene
}

async fn refused(scene: &Scene, list: &str, mirrored: u64, seen: u64) {
    let answer = scene.fails(409, "sync_suspicious_shrink", list).await;
    let details = &answer.json()["error"]["details"];
    let expected = json!({ "list": list, "mirrored": mirrored, "seen": seen });
    assert_eq!(details, &expected);
    let fix = answer.json()["error"]["fix"].clone();
    assert!(fix.as_str().expect("a fix").contains("force"), "{fix}");
    let state = scene.world.admin("/v1/admin/sync").await;
    assert_eq!(state["last"]["outcome"], "failed", "{state}");
    assert_eq!(state["last"]["code"], "sync_suspicious_shrink", "{state}");
}

async fn forced(scene: &Scene, how: &str) -> Value {
    let token = scene.world.operator_token("admin:read");
    let answer = match how {
        "query" => {
            let path = "/v1/admin/sync?force=true";
            scene.world.call(Method::POST, path, &token, None).await
        }
        _ => scene.world.try_sync(true).await,
    };
    assert_eq!(answer.status, 200, "{}", answer.text());
    let live = scene.world.live();
    live.assert_is(&scene.world.expected(false), "forced");
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn n_107_losing_more_than_half_of_the_users_has_to_be_meant() {
    let keep = |count: usize| {
        move |directory: &mut Directory| {
            let all: Vec<_> = directory.users.iter().map(|user| user.id.clone()).collect();
            for id in &all[count..] {
                directory.remove_user(id);
            }
            // The memberships that are left are more than half of what they were.
            let first = all[..count].to_vec();
            for group in &mut directory.groups {
                group.members.clone_from(&first);
                group.tenant_id = seed::ACME.to_owned();
            }
        }
    };
    let half = scene(keep(20)).await;
    half.succeeds("half of the users").await;
    let less = scene(keep(19)).await;
    refused(&less, "users", 40, 19).await;
    let report = forced(&less, "body").await;
    assert_eq!(report["users_soft_deleted"], 21, "{report}");
    // What was meant is the measure from then on.
    less.follow(&less.after).await;
    // Nothing at all is refused too.
    let none = scene(|directory| {
        let all: Vec<_> = directory.users.iter().map(|user| user.id.clone()).collect();
        all.iter().for_each(|id| directory.remove_user(id));
    })
    .await;
    refused(&none, "users", 40, 0).await;
    forced(&none, "query").await;
    none.follow(&none.before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_107_losing_more_than_half_of_the_groups_has_to_be_meant() {
    let keep = |count: usize| {
        move |directory: &mut Directory| {
            let members: Vec<_> = directory.users.iter().map(|user| user.id.clone()).collect();
            directory.groups.truncate(count);
            let acme = |id: &String| id.ends_with("_acme");
            for group in &mut directory.groups {
                group.members = members.iter().filter(|id| acme(id)).cloned().collect();
            }
        }
    };
    let half = scene(keep(3)).await;
    half.succeeds("half of the groups").await;
    let less = scene(keep(2)).await;
    refused(&less, "groups", 6, 2).await;
    let report = forced(&less, "query").await;
    assert_eq!(report["groups_soft_deleted"], 4, "{report}");
    less.follow(&less.before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_107_losing_more_than_half_of_the_memberships_has_to_be_meant() {
    let count = |directory: &Directory| -> u64 {
        directory
            .groups
            .iter()
            .map(|group| group.members.len() as u64)
            .sum()
    };
    let scene = scene(|directory| {
        for group in &mut directory.groups {
            group.members.truncate(3);
        }
    })
    .await;
    let (before, after) = (count(&scene.before), count(&scene.after));
    refused(&scene, "memberships", before, after).await;
    let report = forced(&scene, "body").await;
    assert_eq!(
        report["memberships_soft_deleted"],
        before - after,
        "{report}"
    );
    scene.follow(&scene.before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn force_is_a_word_of_its_own_and_nothing_else_is() {
    let world = World::start().await;
    let token = world.operator_token("admin:read");
    for body in [
        json!({ "force": "true" }),
        json!({ "force": 1 }),
        json!({ "force": null }),
        json!({ "Force": true }),
        json!({ "force": true, "more": 1 }),
        json!([true]),
    ] {
        let answer = world
            .call(Method::POST, "/v1/admin/sync", &token, Some(&body))
            .await;
        answer.assert_problem(400, "invalid_request");
    }
    for query in [
        "force=true&force=false",
        "force=1",
        "force=TRUE",
        "force=yes",
    ] {
        let path = format!("/v1/admin/sync?{query}");
        let answer = world.call(Method::POST, &path, &token, None).await;
        answer.assert_problem(400, "invalid_request");
    }
    assert!(world.live().is_empty());
    for query in ["force=false", "force=", "x=1"] {
        let path = format!("/v1/admin/sync?{query}");
        let answer = world.call(Method::POST, &path, &token, None).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    }
}
