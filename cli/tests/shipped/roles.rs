//! `admin`.

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::place::{operator, run, world};

const ALICE: &str = "alice@acme.example";

/// The identifiers of the users that a page lists.
fn ids(page: &Value) -> Vec<&str> {
    let rows = page["users"].as_array().expect("rows");
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_super_admin_is_made_seen_and_not_taken_while_the_last() {
    let world = world().await;
    let bench = operator(&world);
    world.sync().await;

    let ran = run(
        &world,
        &bench,
        &format!("admin grant {ALICE} --role super_admin"),
    );
    assert!(ran.done().contains("super_admin"), "{ran:?}");
    let ran = run(&world, &bench, "admin users --search alice --json");
    ran.done();
    let page = ran.json();
    let rows = page["users"].as_array().unwrap();
    let alice = rows.iter().find(|row| row["email"] == ALICE).unwrap();
    assert_eq!(alice["admin_role"], "super_admin", "{page}");
    assert_eq!(
        world.mirrored("usr_alice_acme").await["admin_role"],
        "super_admin"
    );

    // The last one stays, whoever asks.
    let ran = run(&world, &bench, &format!("admin revoke {ALICE}"));
    ran.failed(4, "last_super_admin: ", "");
    let ran = run(&world, &bench, &format!("admin revoke {ALICE} --json"));
    ran.code_is(4);
    assert_eq!(ran.json()["error"]["code"], "last_super_admin");
    assert_eq!(
        world.mirrored("usr_alice_acme").await["admin_role"],
        "super_admin"
    );

    run(
        &world,
        &bench,
        "admin grant bob@acme.example --role super_admin",
    )
    .done();
    run(&world, &bench, &format!("admin revoke {ALICE}")).done();
    assert_eq!(
        world.mirrored("usr_alice_acme").await["admin_role"],
        Value::Null
    );
    assert_eq!(
        world.mirrored("usr_bob_acme").await["admin_role"],
        "super_admin"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_listed_page_by_page() {
    let world = world().await;
    let bench = operator(&world);
    let seen = world.sync().await["users_seen"].as_u64().unwrap();
    let mut all = Vec::new();
    for page in 1..=seen.div_ceil(10) {
        let ran = run(
            &world,
            &bench,
            &format!("admin users --json --per-page 10 --page {page}"),
        );
        ran.done();
        all.extend(ids(&ran.json()).into_iter().map(str::to_owned));
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len() as u64, seen);
    let ran = run(&world, &bench, "admin users --status suspended --json");
    ran.done();
    assert!((ids(&ran.json()).len() as u64) < seen, "{ran:?}");
    // A table for people: a row for Bob, without his being asked for as JSON.
    let ran = run(&world, &bench, "admin users --search bob");
    assert!(ran.done().contains("bob@acme.example"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn why_somebody_is_missing_is_said() {
    let world = world().await;
    let bench = operator(&world);
    world.sync().await;
    let ran = run(&world, &bench, "admin why bob@acme.example");
    assert!(ran.done().starts_with("present: "), "{ran:?}");
    assert!(ran.stdout.contains("usr_bob_acme"), "{ran:?}");
    let ran = run(&world, &bench, "admin why nobody@acme.example");
    assert!(ran.done().starts_with("not_assigned: "), "{ran:?}");
    assert!(ran.stdout.contains("fix: "), "{ran:?}");
    let ran = run(&world, &bench, "admin why nobody@acme.example --json");
    ran.done();
    assert!(ran.json().is_object(), "{ran:?}");
    let ran = run(
        &world,
        &bench,
        "admin grant nobody@acme.example --role tenant_admin",
    );
    ran.code_is(3);
    assert!(ran.stderr.contains("fix: "), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn how_it_ends_is_a_number() {
    let world = world().await;
    world.sync().await;
    let session = world.sign_in("carol@acme.example").await;
    let token = session["access_token"].as_str().unwrap();
    let carol = Bench::new()
        .with("PUBLIC_URL", &world.url)
        .with("SCAIGATE_TOKEN", token);
    for (line, number) in [
        ("admin users", 4),
        ("admin grant bob@acme.example --role super_admin", 4),
        ("sync", 4),
        ("admin grant bob --role super_admin", 2),
        ("admin grant bob@acme.example --role emperor", 2),
        ("admin users --url http://127.0.0.1:9", 5),
    ] {
        let ran = run(&world, &carol, line);
        assert_eq!(ran.code, number, "{line}: {ran:?}");
        assert_eq!(ran.stdout, "", "{line}");
        assert!(!ran.stderr.is_empty(), "{line}");
    }
    let ran = run(&world, &carol, "admin users --json");
    ran.code_is(4);
    let error = &ran.json()["error"];
    assert_eq!(error["code"], "admin_role_required", "{error}");
    assert!(error["fix"].as_str().is_some_and(|fix| !fix.is_empty()));
    assert_eq!(
        world.mirrored("usr_bob_acme").await["admin_role"],
        json!(null)
    );
}
