//! A tenant's key: set, shown, rotated, removed, and what a thief finds.

use http::Method;
use scaigate_e2e::grid::seed::{ACME_KEY, ACME_USER_KEY};
use scaigate_e2e::{CREDENTIALS_KEY, Setup, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";
const SYBIL: &str = "sybil@umbra.example";
const OTHER_KEY: &str = "b3RoZXItY3JlZGVudGlhbHMta2V5LW9mLXRlc3RzLTE=";

async fn status(world: &World, token: &str) -> Value {
    let answer = world.client.get(World::TENANT_KEY, Some(token)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_set_shown_masked_rotated_and_removed() {
    let world = World::with(Setup::default().scaigrid()).await;
    let admin = world
        .signed_in_as(ALICE, "viewer", Some("tenant_admin"))
        .await;
    let member = world.signed_in_as(BOB, "viewer", None).await;
    let none = json!({ "configured": false, "base_url": null, "masked_key": null });
    assert_eq!(status(&world, &member).await, none);
    for (key, shown) in [(ACME_KEY, "sgk_…0001"), (ACME_USER_KEY, "sgk_…0003")] {
        world.set_key(&admin, key).await;
        let expected = json!({
            "configured": true, "base_url": world.grid().base_url(), "masked_key": shown,
        });
        assert_eq!(status(&world, &member).await, expected);
    }
    for _ in 0..2 {
        let gone = world
            .call(Method::DELETE, World::TENANT_KEY, &admin, None)
            .await;
        assert_eq!(gone.status, 204, "{}", gone.text());
    }
    assert_eq!(status(&world, &admin).await, none);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_change_it_and_only_good_ones_are_taken() {
    let world = World::with(Setup::default().scaigrid()).await;
    let admin = world
        .signed_in_as(ALICE, "viewer", Some("tenant_admin"))
        .await;
    let author = world.signed_in_as(BOB, "admin", None).await;
    let body = json!({ "api_key": ACME_KEY });
    for method in [Method::POST, Method::DELETE] {
        let answer = world
            .call(method, World::TENANT_KEY, &author, Some(&body))
            .await;
        answer.assert_problem(403, "admin_role_required");
    }
    for (body, field) in [
        (json!({}), "api_key"),
        (json!({ "api_key": "sk-other" }), "api_key"),
        (json!({ "api_key": 1 }), "api_key"),
        (
            json!({ "api_key": ACME_KEY, "base_url": "https://evil.example" }),
            "base_url",
        ),
        (
            json!({ "api_key": ACME_KEY, "base_url": "http://169.254.169.254" }),
            "base_url",
        ),
        (json!([ACME_KEY]), "body"),
    ] {
        let answer = world
            .call(Method::POST, World::TENANT_KEY, &admin, Some(&body))
            .await;
        answer.assert_problem(400, "invalid_request");
        assert_eq!(answer.json()["error"]["details"]["field"], field, "{field}");
    }
    let answer = world
        .call(Method::PUT, World::TENANT_KEY, &admin, Some(&body))
        .await;
    answer.assert_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET, POST, DELETE");
    assert_eq!(status(&world, &admin).await["configured"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_120_what_is_stored_yields_nothing_and_opens_for_its_tenant_only() {
    let world = World::with(Setup::default().scaigrid()).await;
    let admin = world
        .signed_in_as(ALICE, "viewer", Some("tenant_admin"))
        .await;
    let stranger = world
        .signed_in_as(SYBIL, "viewer", Some("tenant_admin"))
        .await;
    world.set_key(&admin, ACME_KEY).await;
    let stolen = world.stored_bytes();
    let holds = |needle: &[u8]| stolen.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"tnt_acme0001"), "the row is there");
    assert!(!holds(ACME_KEY.as_bytes()) && !holds(&ACME_KEY.as_bytes()[4..]));
    assert_eq!(status(&world, &stranger).await["configured"], false);
    let moved = world.sql(
        "INSERT INTO tenant_credential (tenant_id, sealed, set_by, set_at)
         SELECT 'tnt_umbra0001', sealed, set_by, set_at FROM tenant_credential WHERE tenant_id = ?1",
        &["tnt_acme0001"],
    );
    assert_eq!(moved, 1);
    let answer = world.client.get(World::TENANT_KEY, Some(&stranger)).await;
    answer.assert_problem(503, "store_unavailable");
    assert_eq!(status(&world, &admin).await["configured"], true);
}

/// A world with this `credentials_key` and acme's key sealed as `sealed`; its administrator.
async fn world_with(keys: &str, sealed: &str) -> (World, String) {
    let setup = Setup::default().variable("credentials_key", keys);
    let world = World::with(setup.scaigrid()).await;
    let admin = world
        .signed_in_as(ALICE, "viewer", Some("tenant_admin"))
        .await;
    // Makes the table.
    assert_eq!(status(&world, &admin).await["configured"], false);
    world.sql(
        "INSERT INTO tenant_credential (tenant_id, sealed, set_by, set_at)
         VALUES ('tnt_acme0001', unhex(?1), 'somebody', 1)",
        &[sealed],
    );
    (world, admin)
}

fn sealed(world: &World) -> String {
    world
        .sql_text("SELECT hex(sealed) FROM tenant_credential", &[])
        .expect("a row")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_an_older_secret_is_sealed_anew_when_it_is_used() {
    let world = World::with(Setup::default().scaigrid()).await;
    let admin = world
        .signed_in_as(ALICE, "viewer", Some("tenant_admin"))
        .await;
    world.set_key(&admin, ACME_KEY).await;
    let first = sealed(&world);
    let both = format!("{OTHER_KEY},{CREDENTIALS_KEY}");
    let (rotating, admin) = world_with(&both, &first).await;
    assert_eq!(status(&rotating, &admin).await["masked_key"], "sgk_…0001");
    let second = sealed(&rotating);
    assert_ne!(first, second);
    let (rotated, admin) = world_with(OTHER_KEY, &second).await;
    assert_eq!(status(&rotated, &admin).await["masked_key"], "sgk_…0001");
    assert_eq!(sealed(&rotated), second);
    // Without the key that sealed it there is a fix, and no key; setting it again needs none.
    let (lost, admin) = world_with(CREDENTIALS_KEY, &second).await;
    let answer = lost.client.get(World::TENANT_KEY, Some(&admin)).await;
    answer.assert_problem(503, "configuration_invalid");
    let faults = &answer.json()["error"]["details"]["faults"];
    assert_eq!(faults[0]["setting"], "credentials_key");
    lost.set_key(&admin, ACME_KEY).await;
    assert_eq!(status(&lost, &admin).await["masked_key"], "sgk_…0001");
}
