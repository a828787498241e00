//! Section 5.4 of the negative cases as far as a sign-in can meet it: every lie that ScaiKey's
//! emulation knows, told in the ID token, in the key set and in the discovery document.

use scaigate_e2e::emulator::{
    Deviation, DiscoveryLie, Endpoint, JwksLie, Rotation, SigningAlg, TokenLie,
};
use scaigate_e2e::{Setup, World};
use serde_json::json;

use crate::negative_5_3::{VERIFIER, callback, exchange, refresh, scaikey_tokens};

const ALICE: &str = "alice@acme.example";

/// What becomes of an ID token, by where it is met.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Accepted everywhere.
    Accepted,
    /// `id_token_invalid` everywhere.
    Refused,
    /// `audience_mismatch` everywhere.
    Audience,
    /// Refused where the nonce is ours, accepted where it is the app's, which checks it.
    Nonce,
    /// Refused at a refresh, where there is something to compare it with.
    RefusedAtRefresh,
    /// As [`Fate::Nonce`], and refused at a refresh (OIDC Core §12.2).
    NonceOfAnother,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Met {
    Callback,
    Exchange,
    Refresh,
}

impl Fate {
    fn error(self, met: Met) -> &'static str {
        match (self, met) {
            (Self::Accepted, _)
            | (Self::Nonce, Met::Exchange | Met::Refresh)
            | (Self::NonceOfAnother, Met::Exchange)
            | (Self::RefusedAtRefresh, Met::Callback | Met::Exchange) => "",
            (Self::Audience, _) => "audience_mismatch",
            (Self::Refused | Self::Nonce | Self::NonceOfAnother | Self::RefusedAtRefresh, _) => {
                "id_token_invalid"
            }
        }
    }
}

macro_rules! fates {
    ($($lie:ident $fate:ident;)*) => {
        const FATES: &[(TokenLie, Fate)] = &[$((TokenLie::$lie, Fate::$fate),)*];

        /// Does not compile when the emulation learns a lie that the table lacks.
        const fn every_lie_has_a_fate(lie: TokenLie) {
            match lie { $(TokenLie::$lie => {})* }
        }
    };
}

fates! {
    // N-056
    WrongIss Refused; IssTrailingSlash Refused; MissingIss Refused;
    // N-057. Who somebody is, only the ID token says; at a refresh it has to be the same person.
    WrongSub RefusedAtRefresh; MissingSub Refused; EmptySub Refused; SubNumber Refused;
    // N-059, N-060
    WrongAud Audience; MissingAud Refused; AudArrayOfOneValid Accepted; AudEmptyArray Refused;
    AudUntrustedExtra Audience; AudUntrustedExtraWithAzp Audience; AzpWrong Refused; AzpValid Accepted;
    // N-061
    ExpMissing Refused; ExpPast Refused; ExpInsideSkewValid Accepted; ExpOutsideSkew Refused;
    ExpString Refused; ExpFloat Refused; ExpHuge Refused; ExpOverflow Refused; ExpNegative Refused;
    ExpNull Refused;
    // N-062, N-063. An old `iat` is no reason by itself: `exp` says how long the token is good.
    IatMissing Refused; IatFuture Refused; IatString Refused; IatOld Accepted;
    NbfFuture Refused; NbfString Refused;
    // N-064. A refreshed ID token has no nonce, or that of the sign-in.
    NonceMissing Nonce; NonceWrong NonceOfAnother; LogoutWithNonce NonceOfAnother;
    AuthTimeChanged RefusedAtRefresh;
    // N-065, N-066, N-067
    AlgNone Refused; AlgNoneMixedCase Refused; AlgMissing Refused; Hs256WithPublicPem Refused;
    Hs256WithPublicDer Refused; AlgRs512 Refused; AlgPs256 Refused; AlgMismatch Refused;
    BadSignature Refused; EmptySignature Refused; StrangerKey Refused; PayloadChanged Refused;
    // N-068
    KidMissing Accepted; KidUnknown Refused; KidNumber Refused;
    // N-070
    JkuHeader Refused; JwkHeader Refused; X5uHeader Refused; CritHeader Refused; CritEmpty Refused;
    B64False Refused;
    // N-076
    TypAccessToken Refused; TypLogoutToken Refused; TypSecurityEvent Refused; TypMissingValid Accepted;
    // N-078
    AtHashWrong Refused; AtHashMissingValid Accepted;
    // What only describes may be absent; the tenant is then the access token's.
    SidMissing Accepted; JtiMissing Accepted; EmailMissing Accepted; EmailUnverified Accepted;
    GroupsMissing Accepted; TenantMissing Accepted;
    // Of which tenant, likewise: an access token that says otherwise is not listened to.
    TenantOther Accepted;
    Oversize Refused; TwoSegments Refused; FourSegments Refused; Padded Refused; PayloadArray Refused;
    DeepNesting Refused; DuplicateSub Refused;
    // Claims that ID tokens do not have anyway.
    LogoutWithoutEvent Accepted; LogoutWrongEvent Accepted;
}

fn setup(alg: SigningAlg) -> Setup {
    Setup::default().behaviour(|behaviour| behaviour.signing_alg = alg)
}

/// Runs the table against one door; `meet` gives the error code, empty when it was accepted.
async fn every_lie(world: &World, met: Met, meet: impl AsyncFn(&World, TokenLie) -> String) {
    let mut wrong = Vec::new();
    for &(lie, fate) in FATES {
        every_lie_has_a_fate(lie);
        let before = world.sessions();
        let got = meet(world, lie).await;
        world.scaikey.switches().clear_all();
        let want = fate.error(met);
        if got != want {
            wrong.push(format!("{lie:?}: {got:?} instead of {want:?}"));
        }
        let made = world.sessions() - before;
        let wanted = usize::from(met == Met::Callback && got.is_empty());
        assert_eq!(made, wanted, "{lie:?}: sessions made");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let followed = world.scaikey.recorder().count(Endpoint::StrangerJwks);
    assert_eq!(
        followed, 0,
        "a key address in a header was followed (N-070)"
    );
    world.sign_in(ALICE).await;
}

async fn at_the_callback(alg: SigningAlg) {
    let world = World::with(setup(alg)).await;
    every_lie(&world, Met::Callback, async |world: &World, lie| {
        world.scaikey.switches().set(Deviation::IdToken(lie));
        callback(world).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_in_the_id_token_of_a_callback_meets_its_fate_with_rs256() {
    at_the_callback(SigningAlg::Rs256).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_in_the_id_token_of_a_callback_meets_its_fate_with_es256() {
    at_the_callback(SigningAlg::Es256).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_in_the_id_token_of_an_exchange_meets_its_fate() {
    let world = World::start().await;
    every_lie(&world, Met::Exchange, async |world: &World, lie| {
        let code = world.app_code(ALICE, Some(VERIFIER)).await;
        world.scaikey.switches().set(Deviation::IdToken(lie));
        let answer = exchange(world, &code).await;
        assert_eq!(
            answer.status.is_success(),
            answer.code().is_empty(),
            "{lie:?}"
        );
        answer.code()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_in_the_id_token_of_a_refresh_meets_its_fate() {
    let world = World::start().await;
    every_lie(&world, Met::Refresh, async |world: &World, lie| {
        let tokens = scaikey_tokens(world, ALICE).await;
        world
            .scaikey
            .switches()
            .set(Deviation::RefreshedIdToken(lie));
        let answer = refresh(world, &tokens["refresh_token"]).await;
        assert_eq!(
            answer.status.is_success(),
            answer.code().is_empty(),
            "{lie:?}"
        );
        assert_eq!(
            answer.status.is_success(),
            answer.json()["access_token"].is_string(),
            "{lie:?}"
        );
        answer.code()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_says_no_more_than_the_token_did() {
    let world = World::start().await;
    for (lie, email, tenant) in [
        (TokenLie::EmailMissing, json!(null), "tnt_acme0001"),
        (TokenLie::TenantMissing, json!(ALICE), "tnt_acme0001"),
        (TokenLie::SidMissing, json!(ALICE), "tnt_acme0001"),
        (TokenLie::GroupsMissing, json!(ALICE), "tnt_acme0001"),
    ] {
        world.scaikey.switches().set(Deviation::IdToken(lie));
        let session = world.sign_in(ALICE).await;
        world.scaikey.switches().clear_all();
        let me = world
            .client
            .get("/v1/me", session["access_token"].as_str())
            .await
            .json();
        assert_eq!(me["email"], email, "{lie:?}");
        assert_eq!(me["tenant_id"], tenant, "{lie:?}");
        assert_eq!(me["sub"], "usr_alice_acme", "{lie:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_040_an_unverified_address_does_not_become_the_bootstrap_super_admin() {
    let setup = Setup::default().variable("bootstrap_super_admin", "user:alice@acme.example");
    let world = World::with(setup).await;
    world
        .scaikey
        .switches()
        .set(Deviation::IdToken(TokenLie::EmailUnverified));
    let session = world.sign_in(ALICE).await;
    let me = world
        .client
        .get("/v1/me", session["access_token"].as_str())
        .await
        .json();
    assert!(me["admin_role"].is_null(), "{me}");
    world.scaikey.switches().clear_all();
    let session = world.sign_in(ALICE).await;
    let me = world
        .client
        .get("/v1/me", session["access_token"].as_str())
        .await
        .json();
    assert_eq!(me["admin_role"], "super_admin", "{me}");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_072_a_storm_of_unknown_keys_reads_the_key_set_once_per_half_minute() {
    let world = World::start().await;
    world.sign_in(ALICE).await;
    world.advance(31);
    let keys = |world: &World| world.scaikey.recorder().count(Endpoint::Jwks);
    let before = keys(&world);
    world
        .scaikey
        .switches()
        .set(Deviation::IdToken(TokenLie::KidUnknown));
    world.clock.freeze();
    for _ in 0..20 {
        assert_eq!(callback(&world).await, "id_token_invalid");
    }
    assert_eq!(keys(&world), before + 1);
    world.advance(31);
    for _ in 0..5 {
        assert_eq!(callback(&world).await, "id_token_invalid");
    }
    assert_eq!(keys(&world), before + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_071_keys_rotated_just_before_signing_are_found_without_restart() {
    let world = World::start().await;
    for rotation in [Rotation::KeepOld, Rotation::DropOld] {
        world.sign_in(ALICE).await;
        world.advance(31);
        let browser = world.browser();
        let back = world.authorize(&browser, &json!({}), ALICE).await;
        world.scaikey.rotate_keys(rotation).expect("new keys");
        let answer = browser.get(&back).await;
        assert!(
            !answer.location_parameter("session_code").is_empty(),
            "{}",
            answer.location()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_in_the_key_set_meets_its_fate() {
    let world = World::start().await;
    for (lie, error) in [
        (JwksLie::SigningKeyOnlyValid, ""),
        (JwksLie::UnknownKeysValid, ""),
        // A symmetric key is none to verify with, and takes no other key's place.
        (JwksLie::SymmetricKey, ""),
        (JwksLie::KidAbsent, "id_token_invalid"),
        (JwksLie::KidDuplicate, "id_token_invalid"),
        (JwksLie::AlgOther, "id_token_invalid"),
        (JwksLie::WeakRsa, "id_token_invalid"),
        (JwksLie::Empty, "jwks_unavailable"),
        (JwksLie::UseEnc, "jwks_unavailable"),
        (JwksLie::Huge, "jwks_unavailable"),
        (JwksLie::KeysObject, "jwks_unavailable"),
    ] {
        world.forget_documents();
        world.scaikey.switches().set(Deviation::Jwks(lie));
        assert_eq!(callback(&world).await, error, "{lie:?}");
        world.scaikey.switches().clear_all();
        world.forget_documents();
        world.sign_in(ALICE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_074_n_075_every_lie_in_the_discovery_document_meets_its_fate() {
    let world = World::start().await;
    for (lie, code) in [
        (DiscoveryLie::IssuerCase, "discovery_invalid"),
        (DiscoveryLie::IssuerTrailingSlash, "discovery_invalid"),
        (DiscoveryLie::IssuerOtherPath, "discovery_invalid"),
        (DiscoveryLie::IssuerOtherHost, "discovery_invalid"),
        (DiscoveryLie::IssuerMissing, "discovery_invalid"),
        (DiscoveryLie::Huge, "scaikey_invalid_response"),
        (DiscoveryLie::NoJwksUri, "discovery_invalid"),
        (DiscoveryLie::NoTokenEndpoint, "discovery_invalid"),
        (DiscoveryLie::NoAuthorizationEndpoint, "discovery_invalid"),
        (DiscoveryLie::NoRevocationValid, ""),
        (DiscoveryLie::NoEndSessionValid, ""),
        (DiscoveryLie::MinimalValid, ""),
        // Silence is not a no: state and browser cookie are bound without it.
        (DiscoveryLie::NoPkce, ""),
        (DiscoveryLie::PkcePlainOnly, "discovery_invalid"),
        (DiscoveryLie::JwksOnMetadataAddress, "discovery_invalid"),
        (DiscoveryLie::JwksOnOtherOrigin, "discovery_invalid"),
        (DiscoveryLie::TokenOnOtherOrigin, "discovery_invalid"),
        (DiscoveryLie::AuthorizeIsScript, "discovery_invalid"),
        (DiscoveryLie::TokenEndpointNumber, "discovery_invalid"),
        (DiscoveryLie::TopLevelArray, "discovery_invalid"),
    ] {
        world.forget_documents();
        world.scaikey.switches().set(Deviation::Discovery(lie));
        let answer = world.client.post("/v1/auth/login", &json!({})).await;
        if code.is_empty() {
            assert_eq!(answer.status, 200, "{lie:?}: {}", answer.text());
            let session = world.sign_in(ALICE).await;
            let body = json!({ "refresh_token": session["refresh_token"] });
            let out = world.client.post("/v1/auth/logout", &body).await.json();
            let minimal = lie == DiscoveryLie::MinimalValid;
            let revokes = !minimal && lie != DiscoveryLie::NoRevocationValid;
            assert_eq!(out["scaikey_revoked"], revokes, "{lie:?}");
            let shows = !minimal && lie != DiscoveryLie::NoEndSessionValid;
            assert_eq!(out["end_session_url"].is_string(), shows, "{lie:?}");
        } else {
            assert_eq!(answer.code(), code, "{lie:?}: {}", answer.text());
            answer.assert_problem(502, code);
            assert!(
                !answer.json()["error"]["details"]["reason"].is_null(),
                "{lie:?}"
            );
        }
        world.scaikey.switches().clear_all();
        world.forget_documents();
        world.sign_in(ALICE).await;
    }
}
