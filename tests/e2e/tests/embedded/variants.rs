//! ScaiKey as it may be set up, and what people get when they first arrive.

use scaigate_e2e::emulator::{Endpoint, PlatformIssuer, Rotation, SigningAlg};
use scaigate_e2e::{Setup, World};
use serde_json::{Value, json};

/// A whole sign-in and what follows it.
async fn whole_life(world: &World, email: &str) -> Value {
    let session = world.sign_in(email).await;
    let me = world
        .client
        .get("/v1/me", session["access_token"].as_str())
        .await;
    assert_eq!(me.json()["email"], email, "{}", me.text());
    let refresh = json!({ "refresh_token": session["refresh_token"] });
    let next = world.client.post("/v1/auth/refresh", &refresh).await;
    assert_eq!(next.status, 200, "{}", next.text());
    let out = json!({ "refresh_token": next.json()["refresh_token"] });
    let out = world.client.post("/v1/auth/logout", &out).await;
    assert_eq!(out.json()["scaikey_revoked"], true, "{}", out.text());
    me.json()
}

/// ScaiKey's tokens, brought by an app and refreshed.
async fn whole_life_of_an_app(world: &World, email: &str) {
    let code = world.app_code(email, None).await;
    let post = json!({ "code": code, "redirect_uri": World::APP_REDIRECT_URI });
    let tokens = world.client.post("/v1/auth/login", &post).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    let refresh = json!({ "refresh_token": tokens.json()["refresh_token"] });
    let next = world.client.post("/v1/auth/refresh", &refresh).await;
    assert_eq!(next.status, 200, "{}", next.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scaikey_that_signs_with_es256_is_understood() {
    let setup = Setup::default().behaviour(|behaviour| behaviour.signing_alg = SigningAlg::Es256);
    let world = World::with(setup).await;
    whole_life(&world, "alice@acme.example").await;
    whole_life_of_an_app(&world, "bob@acme.example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_of_the_persons_own_tenant_is_understood() {
    let setup =
        Setup::default().behaviour(|behaviour| behaviour.platform_issuer = PlatformIssuer::Tenant);
    let world = World::with(setup).await;
    for (email, tenant) in [
        ("alice@acme.example", "tnt_acme0001"),
        ("sybil@umbra.example", "tnt_umbra0001"),
    ] {
        let me = whole_life(&world, email).await;
        assert_eq!(me["iss"], world.scaikey.issuer(Some(tenant)));
        assert_eq!(me["tenant_id"], tenant);
    }
    whole_life_of_an_app(&world, "bob@acme.example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scaikey_at_the_standard_discovery_address_is_found() {
    let world =
        World::with(Setup::default().behaviour(|behaviour| behaviour.plain_discovery = true)).await;
    whole_life(&world, "alice@acme.example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scaikey_that_neither_declares_nor_sends_iss_is_understood() {
    let setup = Setup::default().behaviour(|behaviour| {
        behaviour.declare_iss_parameter = false;
        behaviour.send_iss_parameter = false;
    });
    let world = World::with(setup).await;
    whole_life(&world, "alice@acme.example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scaikey_that_keeps_its_refresh_tokens_is_understood() {
    let setup = Setup::default().behaviour(|behaviour| {
        behaviour.rotate_refresh = false;
        behaviour.refresh_id_token = false;
    });
    let world = World::with(setup).await;
    whole_life_of_an_app(&world, "alice@acme.example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_071_keys_that_scaikey_rotates_between_login_and_callback_are_found() {
    for rotation in [Rotation::KeepOld, Rotation::DropOld] {
        for alg in [SigningAlg::Rs256, SigningAlg::Es256] {
            let setup = Setup::default().behaviour(|behaviour| behaviour.signing_alg = alg);
            let world = World::with(setup).await;
            // The old keys are known here.
            world.sign_in("alice@acme.example").await;
            assert_eq!(world.scaikey.recorder().count(Endpoint::Jwks), 1);
            let browser = world.browser();
            let back = world
                .authorize(&browser, &json!({}), "bob@acme.example")
                .await;
            world.scaikey.rotate_keys(rotation).expect("a key is left");
            let done = browser.get(&back).await;
            assert!(
                !done.location_parameter("session_code").is_empty(),
                "{}",
                done.location()
            );
            assert_eq!(world.scaikey.recorder().count(Endpoint::Jwks), 2);
            whole_life(&world, "carol@acme.example").await;
            assert_eq!(world.scaikey.recorder().count(Endpoint::Jwks), 2);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_15_keys_are_read_once_and_again_when_scaikey_has_rotated_them() {
    for setup in [Setup::default(), Setup::default().without_reuse()] {
        let world = World::with(setup).await;
        for email in [
            "alice@acme.example",
            "bob@acme.example",
            "carol@acme.example",
        ] {
            world.sign_in(email).await;
        }
        assert_eq!(world.scaikey.recorder().count(Endpoint::Jwks), 1);
        assert_eq!(world.scaikey.recorder().count(Endpoint::Discovery), 1);
        world.advance(300);
        world
            .scaikey
            .rotate_keys(Rotation::DropOld)
            .expect("a key is left");
        for email in ["alice@acme.example", "bob@acme.example"] {
            world.sign_in(email).await;
        }
        assert_eq!(world.scaikey.recorder().count(Endpoint::Jwks), 2);
        assert_eq!(world.scaikey.recorder().count(Endpoint::Discovery), 1);
        world.advance(601);
        world.sign_in("dave@acme.example").await;
        assert_eq!(world.scaikey.recorder().count(Endpoint::Jwks), 3);
        assert_eq!(world.scaikey.recorder().count(Endpoint::Discovery), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_person_of_a_tenant_is_admin_and_later_ones_are_viewers() {
    let world = World::start().await;
    for (email, role) in [
        ("bob@acme.example", "admin"),
        ("carol@acme.example", "viewer"),
        // A tenant administrator at ScaiKey is one here.
        ("alice@acme.example", "admin"),
        ("dave@acme.example", "viewer"),
        // Again: nothing has changed.
        ("bob@acme.example", "admin"),
        ("carol@acme.example", "viewer"),
        // Each tenant has its own first person.
        ("amir@umbra.example", "admin"),
        ("bea@umbra.example", "viewer"),
    ] {
        let session = world.sign_in(email).await;
        assert_eq!(session["workspace"]["role"], role, "{email}");
        assert_eq!(session["workspace"]["name"], "Default", "{email}");
        assert_eq!(session["user"]["admin_role"], Value::Null, "{email}");
    }
    let of =
        |email: &str| world.sql_text("SELECT person_id FROM person WHERE email = ?1", &[email]);
    assert_ne!(of("bob@acme.example"), of("carol@acme.example"));
    let count = "SELECT CAST(count(*) AS TEXT) FROM ";
    assert_eq!(
        world
            .sql_text(&format!("{count} workspace"), &[])
            .as_deref(),
        Some("2")
    );
    assert_eq!(
        world.sql_text(&format!("{count} person"), &[]).as_deref(),
        Some("6")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s_26_the_bootstrap_super_admin_is_one_from_the_first_sign_in_on() {
    let setup = Setup::default().variable("bootstrap_super_admin", "user:Carol@ACME.example");
    let world = World::with(setup).await;
    assert_eq!(
        world.sign_in("bob@acme.example").await["user"]["admin_role"],
        Value::Null
    );
    for _ in 0..2 {
        let session = world.sign_in("carol@acme.example").await;
        assert_eq!(session["user"]["admin_role"], "super_admin");
        let whoami = world
            .client
            .get("/v1/auth/whoami", session["access_token"].as_str())
            .await;
        assert_eq!(whoami.json()["roles"], json!(["super_admin"]));
    }
    let source = "SELECT admin_role_source FROM person WHERE email = 'carol@acme.example'";
    assert_eq!(world.sql_text(source, &[]).as_deref(), Some("bootstrap"));
}

#[tokio::test(flavor = "multi_thread")]
async fn n_040_an_address_that_is_not_verified_becomes_no_super_admin() {
    let setup = Setup::default().variable("bootstrap_super_admin", "user:mallory@acme.example");
    let world = World::with(setup).await;
    let session = world.sign_in("mallory@acme.example").await;
    assert_eq!(session["user"]["admin_role"], Value::Null);
}
