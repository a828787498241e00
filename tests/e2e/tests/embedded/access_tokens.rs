//! Section 5.4 of the negative cases for whoever brings ScaiKey's access token: every lie that
//! ScaiKey's emulation knows, with the status, the code and the reason it is answered with; services
//! are not people, and no other token is an access token.

use http::Request;
use scaigate_e2e::emulator::{
    Deviation, Endpoint, LogoutToken, PlatformIssuer, SigningAlg, TokenLie, seed,
};
use scaigate_e2e::{Answer, Setup, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";

/// What an access token with a lie is answered with: status, code, reason.
type Fate = (u16, &'static str, &'static str);

const ACCEPTED: Fate = (200, "", "");
const EXPIRED: Fate = (401, "token_expired", "");
const ANOTHER_AUDIENCE: Fate = (401, "audience_mismatch", "");

const fn invalid(reason: &'static str) -> Fate {
    (401, "token_invalid", reason)
}

const LATER: Fate = invalid("the access token is not valid yet");
const ISSUER: Fate = invalid("issued by another issuer");
const KIND: Fate = invalid("the claims are not those of an access token");
const TYPE: Fate = invalid("not an access token");
const PARTS: Fate = invalid("not three base64url parts");
const HEADER: Fate = invalid("the header is not readable");
const ALGORITHM: Fate = invalid("the algorithm is not accepted");
const EXTENSION: Fate = invalid("the header asks for an extension that is not supported");
const UNKNOWN_KEY: Fate = invalid("the signature could not be verified: no key for this token");
const OTHER_KEY: Fate =
    invalid("the signature could not be verified: the key is for another algorithm");
const SIGNATURE: Fate =
    invalid("the signature could not be verified: the signature does not match");
const UNREADABLE: Fate = invalid(
    "the signature could not be verified: the claims are not usable: the claims are not readable",
);

macro_rules! fates {
    ($($lie:ident $fate:expr;)*) => {
        const FATES: &[(TokenLie, Fate)] = &[$((TokenLie::$lie, $fate),)*];

        /// Does not compile when the emulation learns a lie that the table lacks.
        const fn every_lie_has_a_fate(lie: TokenLie) {
            match lie { $(TokenLie::$lie => {})* }
        }
    };
}

fates! {
    // N-056
    WrongIss ISSUER; IssTrailingSlash ISSUER;
    MissingIss invalid("a claim is not usable: the claim iss is missing");
    // N-057. Who it is, the token alone says.
    WrongSub ACCEPTED; MissingSub invalid("a claim is not usable: the claim sub is missing");
    EmptySub invalid("a claim is not usable: the claim sub is not well-formed");
    SubNumber invalid("a claim is not usable: the claim sub is not well-formed");
    // N-059, N-060. A token may be for several resources; ours must be one of them.
    WrongAud ANOTHER_AUDIENCE;
    MissingAud invalid("a claim is not usable: the claim aud is missing");
    AudArrayOfOneValid ACCEPTED;
    AudEmptyArray invalid("a claim is not usable: the claim aud is missing");
    AudUntrustedExtra ACCEPTED; AudUntrustedExtraWithAzp ACCEPTED;
    // Which client asked, `client_id` says.
    AzpWrong ACCEPTED; AzpValid ACCEPTED;
    // N-061
    ExpMissing invalid("a claim is not usable: the claim exp is missing");
    ExpPast EXPIRED; ExpInsideSkewValid ACCEPTED; ExpOutsideSkew EXPIRED;
    ExpString invalid("a claim is not usable: the claim exp is not well-formed");
    ExpFloat invalid("a claim is not usable: the claim exp is not well-formed");
    ExpHuge invalid("a claim is not usable: the claim exp is not well-formed");
    ExpOverflow invalid("a claim is not usable: the claim exp is not well-formed");
    ExpNegative invalid("a claim is not usable: the claim exp is not well-formed");
    ExpNull invalid("a claim is not usable: the claim exp is missing");
    // N-062, N-063
    IatMissing invalid("a claim is not usable: the claim iat is missing"); IatFuture LATER;
    IatString invalid("a claim is not usable: the claim iat is not well-formed"); IatOld ACCEPTED;
    NbfFuture LATER; NbfString invalid("a claim is not usable: the claim nbf is not well-formed");
    // N-065, N-066, N-067
    AlgNone PARTS; AlgNoneMixedCase PARTS; AlgMissing ALGORITHM; Hs256WithPublicPem ALGORITHM;
    Hs256WithPublicDer ALGORITHM; AlgRs512 ALGORITHM; AlgPs256 ALGORITHM; AlgMismatch OTHER_KEY;
    BadSignature SIGNATURE; EmptySignature PARTS; StrangerKey SIGNATURE; PayloadChanged SIGNATURE;
    // N-068
    KidMissing ACCEPTED; KidUnknown UNKNOWN_KEY; KidNumber HEADER;
    // N-070
    JkuHeader UNKNOWN_KEY; JwkHeader UNKNOWN_KEY; X5uHeader UNKNOWN_KEY; CritHeader EXTENSION;
    CritEmpty EXTENSION; B64False EXTENSION;
    // N-076: what only other tokens have.
    TypAccessToken ACCEPTED; TypLogoutToken TYPE; TypSecurityEvent TYPE; TypMissingValid ACCEPTED;
    NonceWrong KIND; LogoutWithNonce KIND; AtHashWrong KIND; LogoutWrongEvent KIND;
    // Which tenant: none, and one that nobody here has signed in from.
    TenantMissing (403, "tenant_claim_missing", "");
    TenantOther (404, "tenant_not_found", "");
    // What access tokens do not have anyway, or need not.
    NonceMissing ACCEPTED; AuthTimeChanged ACCEPTED; SidMissing ACCEPTED; JtiMissing ACCEPTED;
    AtHashMissingValid ACCEPTED; EmailMissing ACCEPTED; EmailUnverified ACCEPTED;
    GroupsMissing ACCEPTED; LogoutWithoutEvent ACCEPTED;
    Oversize invalid("the token is longer than 8192 bytes"); TwoSegments PARTS; FourSegments PARTS;
    Padded PARTS; PayloadArray UNREADABLE; DeepNesting UNREADABLE; DuplicateSub UNREADABLE;
}

fn reason(answer: &Answer) -> String {
    let details = &answer.json()["error"]["details"];
    details["reason"].as_str().unwrap_or_default().to_owned()
}

async fn every_lie(alg: SigningAlg) {
    let setup = Setup::default().behaviour(|b| {
        b.signing_alg = alg;
        b.access_token_identity = true;
    });
    let world = World::with(setup).await;
    world.sign_in(ALICE).await;
    let mut wrong = Vec::new();
    for &(lie, fate) in FATES {
        every_lie_has_a_fate(lie);
        let fate = match (alg, lie) {
            // The stranger's key is RSA.
            (SigningAlg::Es256, TokenLie::StrangerKey) => OTHER_KEY,
            _ => fate,
        };
        world.scaikey.switches().set(Deviation::AccessToken(lie));
        let tokens = world.tokens_of(BOB).await;
        world.scaikey.switches().clear_all();
        let token = tokens["access_token"].as_str();
        // Twice: what an instance remembers of a token is the same answer.
        for path in ["/v1/me", "/v1/auth/whoami"] {
            let answer = world.client.get(path, token).await;
            let got = (answer.status.as_u16(), answer.code(), reason(&answer));
            if (got.0, got.1.as_str(), got.2.as_str()) != fate {
                wrong.push(format!("{lie:?} at {path}: {got:?} instead of {fate:?}"));
            }
            if answer.status != 200 {
                answer.assert_problem(got.0, &got.1);
            }
            let challenge = answer.header("www-authenticate").to_owned();
            assert_eq!(challenge.contains("invalid_token"), got.0 == 401, "{lie:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let followed = world.scaikey.recorder().count(Endpoint::StrangerJwks);
    assert_eq!(
        followed, 0,
        "a key address in a header was followed (N-070)"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_056_to_n_070_every_lie_in_an_access_token_meets_its_fate_with_rs256() {
    every_lie(SigningAlg::Rs256).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_056_to_n_070_every_lie_in_an_access_token_meets_its_fate_with_es256() {
    every_lie(SigningAlg::Es256).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_shows_who_it_stands_for_whichever_issuer_and_algorithm_it_has() {
    for alg in [SigningAlg::Rs256, SigningAlg::Es256] {
        for platform_issuer in [PlatformIssuer::Base, PlatformIssuer::Tenant] {
            let setup = Setup::default().behaviour(|b| {
                b.signing_alg = alg;
                b.platform_issuer = platform_issuer;
                b.access_token_identity = true;
                b.permissions = Some(vec!["scaicore:view".to_owned()]);
            });
            let world = World::with(setup).await;
            let session = world.sign_in(ALICE).await;
            let tokens = world.tokens_of(ALICE).await;
            let token = tokens["access_token"].as_str();
            let me = world.client.get("/v1/me", token).await;
            assert_eq!(me.status, 200, "{}", me.text());
            assert_eq!(me.header("cache-control"), "no-store");
            let me = me.json();
            let iss = format!("{}/tenants/{}", world.scaikey.base_url(), seed::ACME);
            assert_eq!(me["iss"], iss);
            assert_eq!(me["sub"], "usr_alice_acme");
            assert_eq!(me["tenant_id"], seed::ACME);
            assert_eq!(me["email"], ALICE);
            assert_eq!(me["name"], "Alice Ahrens");
            // The person who signed in is the person of the token.
            assert_eq!(me["person_id"], session["user"]["id"]);
            assert_eq!(me["credential"], "access_token");
            assert!(me["session"].is_null() && me["workspace"].is_null(), "{me}");
            let whoami = world.client.get("/v1/auth/whoami", token).await.json();
            assert_eq!(whoami["identity_type"], "user");
            assert_eq!(whoami["identity_id"], format!("user:{ALICE}"));
            assert_eq!(whoami["permissions"], json!(["scaicore:view"]));
            assert_eq!(whoami["scopes"], json!(["openid", "profile", "email"]));
            assert_eq!(whoami["registered"], true);
            // Who was never here is known by the token alone.
            let tokens = world.tokens_of(BOB).await;
            let token = tokens["access_token"].as_str();
            let me = world.client.get("/v1/me", token).await.json();
            assert_eq!(
                (&me["email"], &me["person_id"]),
                (&json!(BOB), &Value::Null)
            );
            let list = world.client.get("/v1/me/workspaces", token).await.json();
            assert_eq!(list["workspaces"], json!([]));
            let whoami = world.client.get("/v1/auth/whoami", token).await.json();
            assert_eq!(whoami["registered"], false);
        }
    }
}

/// A request to every route of the component that takes a credential.
async fn everywhere(world: &World, token: &str) -> Vec<(&'static str, Answer)> {
    let mut answers = Vec::new();
    for (method, path, body) in [
        ("GET", "/v1/me", ""),
        ("GET", "/v1/me/workspaces", ""),
        ("GET", "/v1/auth/whoami", ""),
        ("GET", "/v1/workspace", ""),
        ("PATCH", "/v1/workspace", r#"{"name":"Renamed"}"#),
        ("POST", "/v1/auth/register", "{}"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(body.into())
            .expect("a request");
        answers.push((path, world.client.send(request).await));
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn n_058_a_service_is_shown_as_one_and_is_nobody_where_a_person_is_asked_for() {
    for alg in [SigningAlg::Rs256, SigningAlg::Es256] {
        let both = format!("{},{}", seed::CLIENT_ID, seed::SERVICE_CLIENT_ID);
        let setup = Setup::default()
            .variable("scaikey_audience", &both)
            .behaviour(|b| b.signing_alg = alg);
        let world = World::with(setup).await;
        world.sign_in(ALICE).await;
        let honest = world.service_token().await;
        let service = seed::SERVICE_CLIENT_ID;
        // Without what says so: `sub` is the client, so it is the client.
        let quiet = world.minted(json!({ "sub": service, "client_id": service }));
        // As the client that signs people in.
        let ours = world.minted(json!({ "sub": seed::CLIENT_ID }));
        let other = world.minted(json!({ "sub": service, "client_id": null, "aud": both.split(',').collect::<Vec<_>>() }));
        for (what, token) in [
            ("honest", honest),
            ("quiet", quiet),
            ("ours", ours),
            ("other", other),
        ] {
            for (path, answer) in everywhere(&world, &token).await {
                if path == "/v1/auth/whoami" {
                    let whoami = answer.json();
                    assert_eq!(
                        whoami["identity_type"], "service_account",
                        "{what}: {whoami}"
                    );
                    assert_eq!(whoami["credential"], "access_token", "{what}");
                    assert_eq!(whoami["platform_token"], what == "honest");
                    let id = format!("sa:{}", whoami["sub"].as_str().expect("a subject"));
                    assert_eq!(whoami["identity_id"], id, "{what}");
                } else {
                    answer.assert_problem(403, "user_required");
                }
            }
        }
        assert_eq!(
            world
                .sql_text("SELECT CAST(COUNT(*) AS TEXT) FROM person", &[])
                .as_deref(),
            Some("1")
        );
        // A service's token does not name a person.
        for changes in [
            json!({ "token_type": "client_credentials" }),
            json!({ "platform_token": true }),
        ] {
            let answer = world
                .client
                .get("/v1/me", Some(&world.minted(changes)))
                .await;
            answer.assert_problem(401, "token_invalid");
            assert_eq!(
                reason(&answer),
                "the subject of a service's token is not the service"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_076_an_id_token_or_a_logout_token_is_no_access_token() {
    for alg in [SigningAlg::Rs256, SigningAlg::Es256] {
        let world = World::with(Setup::default().behaviour(|b| b.signing_alg = alg)).await;
        world.sign_in(ALICE).await;
        let tokens = world.tokens_of(BOB).await;
        let id_token = tokens["id_token"].as_str().expect("a token").to_owned();
        let logout_token = world.scaikey.logout_token(&LogoutToken {
            client_id: seed::CLIENT_ID.to_owned(),
            tenant_id: None,
            sub: Some("usr_bob_acme".to_owned()),
            sid: None,
        });
        let event = "http://schemas.openid.net/event/backchannel-logout";
        let untyped = world.minted(json!({ "events": { event: {} }, "scope": null }));
        // An ID token of a flow without a nonce or an access token.
        let bare = world.minted(json!({ "client_id": null, "scope": null, "email": BOB }));
        let typed = world.minted_with(json!({ "typ": "secevent+jwt" }), json!({}));
        for (token, because) in [
            (id_token, KIND.2),
            (logout_token, TYPE.2),
            (untyped, KIND.2),
            (bare, KIND.2),
            (typed, TYPE.2),
        ] {
            for (path, answer) in everywhere(&world, &token).await {
                answer.assert_problem(401, "token_invalid");
                assert_eq!(reason(&answer), because, "{path}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_083_a_token_that_is_bound_to_a_key_is_no_bearer_token() {
    let world = World::start().await;
    world.sign_in(ALICE).await;
    for cnf in [
        json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
        json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }),
        json!({}),
        json!(1),
    ] {
        let token = world.minted(json!({ "cnf": cnf }));
        for (path, answer) in everywhere(&world, &token).await {
            answer.assert_problem(401, "token_invalid");
            assert_eq!(
                reason(&answer),
                "bound to a key, and no bearer token",
                "{path}"
            );
        }
    }
    // Nor is the scheme another name for the same.
    let token = world.minted(json!({}));
    let request = Request::get("/v1/me")
        .header("authorization", format!("DPoP {token}"))
        .header("dpop", "x.y.z")
        .body(Default::default())
        .expect("a request");
    let answer = world.client.send(request).await;
    answer.assert_problem(401, "token_invalid");
    assert_eq!(world.client.get("/v1/me", Some(&token)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_061_a_remembered_token_expires_where_it_is_remembered() {
    let world = World::start().await;
    world.sign_in(ALICE).await;
    let now = world.clock.wall().as_secs();
    let token = world.minted(json!({ "exp": now + 100 }));
    assert_eq!(world.client.get("/v1/me", Some(&token)).await.status, 200);
    world.advance(150);
    assert_eq!(world.client.get("/v1/me", Some(&token)).await.status, 200);
    world.advance(20);
    let answer = world.client.get("/v1/me", Some(&token)).await;
    answer.assert_problem(401, "token_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_suspended_here_is_out_within_two_seconds_whoever_vouches() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let tokens = world.tokens_of(ALICE).await;
    let token = tokens["access_token"].as_str();
    assert_eq!(world.client.get("/v1/me", token).await.status, 200);
    let person = session["user"]["id"].as_str().expect("a person");
    world.sql(
        "UPDATE person SET status = 'suspended' WHERE person_id = ?1",
        &[person],
    );
    world.advance(2);
    let answer = world.client.get("/v1/me", token).await;
    answer.assert_problem(403, "person_suspended");
}
