//! Section 5.2: who a person is, and who becomes an administrator.

use scaigate_e2e::emulator::PlatformIssuer;
use scaigate_e2e::{Setup, World};

const ALICE: &str = "alice@acme.example";

#[tokio::test(flavor = "multi_thread")]
async fn n_039_a_person_is_an_issuer_and_a_subject_never_an_address() {
    let world = World::start().await;
    let before = world.sign_in(ALICE).await;
    {
        // The address moves to a colleague.
        let mut directory = world.scaikey.directory();
        directory.user_mut("usr_alice_acme").expect("Alice").email =
            "alice.ahrens@acme.example".to_owned();
        directory.user_mut("usr_bob_acme").expect("Bob").email = ALICE.to_owned();
    }
    let colleague = world.sign_in(ALICE).await;
    assert_eq!(colleague["user"]["sub"], "usr_bob_acme");
    assert_ne!(colleague["user"]["id"], before["user"]["id"]);
    let alice = world.sign_in("alice.ahrens@acme.example").await;
    assert_eq!(alice["user"]["id"], before["user"]["id"]);
    assert_eq!(alice["user"]["email"], "alice.ahrens@acme.example");
    // The same address in another tenant is a third person.
    world
        .scaikey
        .directory()
        .user_mut("usr_amir_umbra")
        .expect("Amir")
        .email = "alice.ahrens@acme.example".to_owned();
    world
        .scaikey
        .directory()
        .user_mut("usr_alice_acme")
        .expect("Alice")
        .email = "gone@acme.example".to_owned();
    let namesake = world.sign_in("alice.ahrens@acme.example").await;
    assert_eq!(namesake["tenant_id"], "tnt_umbra0001");
    assert_ne!(namesake["user"]["id"], alice["user"]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_039_a_person_is_a_subject_of_a_tenants_issuer_however_it_is_written() {
    let world = World::start().await;
    let of_platform = world.sign_in(ALICE).await;
    world
        .scaikey
        .switches()
        .change(|b| b.platform_issuer = PlatformIssuer::Tenant);
    let of_tenant = world.sign_in(ALICE).await;
    assert_eq!(of_platform["user"]["sub"], of_tenant["user"]["sub"]);
    assert_eq!(of_platform["user"]["id"], of_tenant["user"]["id"]);
    let me = world
        .client
        .get("/v1/me", of_tenant["access_token"].as_str())
        .await
        .json();
    assert_eq!(
        me["iss"],
        format!("{}/tenants/tnt_acme0001", world.scaikey.base_url())
    );
    let me = world
        .client
        .get("/v1/me", of_platform["access_token"].as_str())
        .await
        .json();
    assert_eq!(
        me["iss"],
        format!("{}/tenants/tnt_acme0001", world.scaikey.base_url())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_040_only_the_named_verified_address_becomes_super_admin() {
    let setup = Setup::default().variable("bootstrap_super_admin", "user:kate@acme.example");
    let world = World::with(setup).await;
    let set = |email: &str, verified: bool| {
        let mut directory = world.scaikey.directory();
        let bob = directory.user_mut("usr_bob_acme").expect("Bob");
        bob.email = email.to_owned();
        bob.email_verified = verified;
    };
    for email in [
        "\u{212a}ate@acme.example",
        "k\u{430}te@acme.example",
        "kate@acme.example.evil.example",
        "kate@acme.example@evil.example",
        "\"kate@acme.example\"@evil.example",
        "evil@x,kate@acme.example",
        "kate+x@acme.example",
        "kate@acme\u{ff0e}example",
        "kate@acme.example\u{200b}",
        "kate@acme.example ",
        "kate",
        "user:kate@acme.example",
    ] {
        set(email, true);
        let session = world.sign_in(email).await;
        assert_eq!(session["user"]["sub"], "usr_bob_acme");
        assert!(
            session["user"]["admin_role"].is_null(),
            "{email}: {}",
            session["user"]
        );
    }
    set("kate@acme.example", false);
    let session = world.sign_in("kate@acme.example").await;
    assert!(
        session["user"]["admin_role"].is_null(),
        "not verified: {}",
        session["user"]
    );
    set("kate@acme.example", true);
    let session = world.sign_in("kate@acme.example").await;
    assert_eq!(session["user"]["admin_role"], "super_admin");
}
