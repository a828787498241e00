//! Section 5.5 of the negative cases: ScaiKey says that somebody has signed out there.

use std::collections::BTreeMap;

use scaigate_e2e::emulator::{Deviation, Endpoint, LogoutToken, SigningAlg, TokenLie, seed};
use scaigate_e2e::{Answer, Client, Effect, Setup, Target, When, World, together};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";
const SYBIL: &str = "sybil@umbra.example";
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

async fn post(client: Client, token: String) -> Answer {
    client
        .post_form("/v1/auth/backchannel-logout", &[("logout_token", &token)])
        .await
}

async fn send(world: &World, token: &str) -> Answer {
    post(world.client.clone(), token.to_owned()).await
}

async fn me(world: &World, session: &Value) -> Answer {
    let token = session["access_token"].as_str();
    world.client.get("/v1/me", token).await
}

/// A logout token about `sub`, `sid` or both, of a tenant or of the platform.
fn token(world: &World, tenant: Option<&str>, sub: Option<&str>, sid: Option<&str>) -> String {
    let token = world.scaikey.logout_token(&LogoutToken {
        client_id: seed::CLIENT_ID.to_owned(),
        tenant_id: tenant.map(str::to_owned),
        sub: sub.map(str::to_owned),
        sid: sid.map(str::to_owned),
    });
    world.canaries.add(&token);
    token
}

/// A logout token about Bob with its claims changed (null takes one away), rightly signed.
fn changed(world: &World, changes: Value) -> String {
    let mut claims = json!({
        "client_id": null, "scope": null, "tenant_id": null, "exp": null,
        "jti": format!("lgt_{}", world.clock.monotonic()), "events": { EVENT: {} },
    });
    for (name, value) in changes.as_object().expect("changes") {
        claims[name] = value.clone();
    }
    world.minted_with(json!({ "typ": "logout+jwt" }), claims)
}

/// ScaiKey's own identifier of the sign-in that a session began with.
fn scaikey_sid(world: &World, session: &Value) -> String {
    let person = session["user"]["id"].as_str().expect("a person");
    let sql = "SELECT scaikey_sid FROM session WHERE person_id = ?1 ORDER BY rowid DESC LIMIT 1";
    world.sql_text(sql, &[person]).expect("a sid")
}

#[track_caller]
fn assert_ended(answer: &Answer, sessions: u64) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.json()["sessions_ended"], sessions);
}

#[track_caller]
fn assert_refused(answer: &Answer, reason: &str) {
    answer.assert_problem(400, "logout_token_invalid");
    let problem = answer.json();
    assert_eq!(problem["error"]["details"]["reason"], reason);
    assert_eq!(
        problem["error"]["details"]["oauth_error"],
        "invalid_request"
    );
}

const ISSUER: &str = "issued by another issuer";
const AUDIENCE: &str = "issued for another audience";
const LATER: &str = "the logout token is not valid yet";
const EXPIRED: &str = "the logout token has expired";
const EVENTS: &str = "the event is not a logout";
const NONCE: &str = "a logout token has no nonce";
const TARGET: &str = "neither a subject nor a session is named";
const TYPE: &str = "not a logout token";
const PARTS: &str = "not three base64url parts";
const ALGORITHM: &str = "the algorithm is not accepted";
const EXTENSION: &str = "the header asks for an extension that is not supported";
const UNKNOWN_KEY: &str = "the signature could not be verified: no key for this token";
const OTHER_KEY: &str = "the signature could not be verified: the key is for another algorithm";
const SIGNATURE: &str = "the signature could not be verified: the signature does not match";
const UNREADABLE: &str =
    "the signature could not be verified: the claims are not usable: the claims are not readable";
const OK: &str = "";

macro_rules! fates {
    ($($lie:ident $fate:expr;)*) => {
        const FATES: &[(TokenLie, &str)] = &[$((TokenLie::$lie, $fate),)*];

        /// Does not compile when the emulation learns a lie that the table lacks.
        const fn every_lie_has_a_fate(lie: TokenLie) {
            match lie { $(TokenLie::$lie => {})* }
        }
    };
}

fates! {
    // N-084
    AlgNone PARTS; AlgNoneMixedCase PARTS; AlgMissing ALGORITHM; Hs256WithPublicPem ALGORITHM;
    Hs256WithPublicDer ALGORITHM; AlgRs512 ALGORITHM; AlgPs256 ALGORITHM; AlgMismatch OTHER_KEY;
    BadSignature SIGNATURE; EmptySignature PARTS; StrangerKey SIGNATURE; PayloadChanged SIGNATURE;
    KidUnknown UNKNOWN_KEY; KidNumber "the header is not readable"; JkuHeader UNKNOWN_KEY;
    JwkHeader UNKNOWN_KEY; X5uHeader UNKNOWN_KEY; CritHeader EXTENSION; CritEmpty EXTENSION;
    B64False EXTENSION; KidMissing OK;
    WrongIss ISSUER; IssTrailingSlash ISSUER;
    MissingIss "a claim is not usable: the claim iss is missing";
    WrongAud AUDIENCE; MissingAud "a claim is not usable: the claim aud is missing";
    AudArrayOfOneValid OK; AudEmptyArray "a claim is not usable: the claim aud is missing";
    AudUntrustedExtra AUDIENCE; AudUntrustedExtraWithAzp AUDIENCE;
    // Not a claim of logout tokens.
    AzpWrong OK; AzpValid OK;
    // N-085
    LogoutWithoutEvent EVENTS; LogoutWrongEvent EVENTS; LogoutWithNonce NONCE; NonceWrong NONCE;
    MissingSub TARGET; EmptySub "a claim is not usable: the claim sub is not well-formed";
    SubNumber "a claim is not usable: the claim sub is not well-formed"; WrongSub OK;
    // N-086. Without `exp` it is good for the five minutes that any is.
    JtiMissing "a claim is not usable: the claim jti is missing";
    IatMissing "a claim is not usable: the claim iat is missing"; IatFuture LATER;
    IatString "a claim is not usable: the claim iat is not well-formed";
    IatOld "the logout token is too old";
    ExpMissing OK; ExpPast EXPIRED; ExpInsideSkewValid OK; ExpOutsideSkew EXPIRED;
    ExpString "a claim is not usable: the claim exp is not well-formed";
    ExpFloat "a claim is not usable: the claim exp is not well-formed";
    ExpHuge "a claim is not usable: the claim exp is not well-formed";
    ExpOverflow "a claim is not usable: the claim exp is not well-formed";
    ExpNegative "a claim is not usable: the claim exp is not well-formed";
    ExpNull OK;
    NbfFuture LATER; NbfString "a claim is not usable: the claim nbf is not well-formed";
    // N-087
    TypAccessToken TYPE; TypLogoutToken OK; TypSecurityEvent TYPE; TypMissingValid OK;
    // What logout tokens do not have anyway.
    NonceMissing OK; AuthTimeChanged OK; SidMissing OK; AtHashWrong OK; AtHashMissingValid OK;
    EmailMissing OK; EmailUnverified OK; GroupsMissing OK; TenantMissing OK; TenantOther OK;
    Oversize "the token is longer than 8192 bytes"; TwoSegments PARTS; FourSegments PARTS;
    Padded PARTS; PayloadArray UNREADABLE; DeepNesting UNREADABLE; DuplicateSub UNREADABLE;
}

async fn every_lie(alg: SigningAlg) {
    let world = World::with(Setup::default().behaviour(|b| b.signing_alg = alg)).await;
    let session = world.sign_in(BOB).await;
    let mut wrong = Vec::new();
    for &(lie, fate) in FATES {
        every_lie_has_a_fate(lie);
        let fate = match (alg, lie) {
            // The stranger's key is RSA.
            (SigningAlg::Es256, TokenLie::StrangerKey) => OTHER_KEY,
            _ => fate,
        };
        world.scaikey.switches().set(Deviation::LogoutToken(lie));
        // Of nobody we know, where it is accepted: so that Bob's session shows what refused ones did.
        let sub = if fate.is_empty() {
            "usr_nobody"
        } else {
            "usr_bob_acme"
        };
        let token = token(&world, None, Some(sub), None);
        world.scaikey.switches().clear_all();
        let answer = send(&world, &token).await;
        let got = answer.json()["error"]["details"]["reason"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if got != fate {
            wrong.push(format!("{lie:?}: {got:?} instead of {fate:?}"));
        } else if fate.is_empty() {
            assert_ended(&answer, 0);
        } else {
            assert_refused(&answer, fate);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let followed = world.scaikey.recorder().count(Endpoint::StrangerJwks);
    assert_eq!(
        followed, 0,
        "a key address in a header was followed (N-070)"
    );
    world.advance(2);
    assert_eq!(me(&world, &session).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_084_n_085_n_086_every_lie_in_a_logout_token_meets_its_fate_with_rs256() {
    every_lie(SigningAlg::Rs256).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_084_n_085_n_086_every_lie_in_a_logout_token_meets_its_fate_with_es256() {
    every_lie(SigningAlg::Es256).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_085_events_is_an_object_with_a_logout_that_is_an_object() {
    let world = World::start().await;
    for events in [
        json!({}),
        json!([EVENT]),
        json!(EVENT),
        json!({ EVENT: 1 }),
        Value::Null,
    ] {
        let answer = send(&world, &changed(&world, json!({ "events": events }))).await;
        answer.assert_problem(400, "logout_token_invalid");
    }
    assert_ended(&send(&world, &changed(&world, json!({}))).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_086_a_logout_token_is_taken_for_five_minutes() {
    let world = World::start().await;
    let session = world.sign_in(BOB).await;
    let (early, late) = (
        changed(&world, json!({ "jti": "early", "sub": "usr_nobody" })),
        changed(&world, json!({ "jti": "late" })),
    );
    world.advance(350);
    assert_ended(&send(&world, &early).await, 0);
    world.advance(15);
    assert_refused(&send(&world, &late).await, "the logout token is too old");
    assert_eq!(me(&world, &session).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_087_no_other_token_is_a_logout_token() {
    let world = World::start().await;
    let session = world.sign_in(BOB).await;
    let tokens = world.tokens_of(BOB).await;
    let text = |value: &Value| value.as_str().expect("a token").to_owned();
    for (token, reason) in [
        (text(&tokens["id_token"]), Some(EVENTS)),
        (text(&tokens["access_token"]), Some(EVENTS)),
        (text(&tokens["refresh_token"]), Some(PARTS)),
        (text(&session["access_token"]), None),
        (text(&session["refresh_token"]), None),
    ] {
        let answer = send(&world, &token).await;
        answer.assert_problem(400, "logout_token_invalid");
        if let Some(reason) = reason {
            assert_refused(&answer, reason);
        }
    }
    for fields in [&[][..], &[("logout_token", "")], &[("token", "x.y.z")]] {
        let answer = world
            .client
            .post_form("/v1/auth/backchannel-logout", fields)
            .await;
        answer.assert_problem(400, "invalid_request");
    }
    assert_eq!(me(&world, &session).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_by_sid_by_sub_or_by_both_ends_those_sessions_and_no_others() {
    let world = World::start().await;
    let bob = world.sign_in(BOB).await;
    let bob_sid = scaikey_sid(&world, &bob);
    let mut alice = Vec::new();
    let mut sids = Vec::new();
    for _ in 0..4 {
        let session = world.sign_in(ALICE).await;
        sids.push(scaikey_sid(&world, &session));
        alice.push(session);
    }
    assert_eq!(
        sids.iter().collect::<std::collections::BTreeSet<_>>().len(),
        4
    );
    let sub = Some("usr_alice_acme");
    for (sub, sid, ended, alive) in [
        (None, Some(sids[0].as_str()), 1, [false, true, true, true]),
        (sub, Some(&sids[1]), 1, [false, false, true, true]),
        // Both must fit.
        (sub, Some(&bob_sid), 0, [false, false, true, true]),
        (
            Some("usr_nobody"),
            Some(&sids[2]),
            0,
            [false, false, true, true],
        ),
        (None, Some("sid_of_nobody"), 0, [false, false, true, true]),
        (sub, None, 2, [false, false, false, false]),
        (sub, None, 0, [false, false, false, false]),
    ] {
        let answer = send(&world, &token(&world, None, sub, sid)).await;
        assert_ended(&answer, ended);
        world.advance(2);
        for (session, alive) in alice.iter().zip(alive) {
            let answer = me(&world, session).await;
            if alive {
                assert_eq!(answer.status, 200, "{}", answer.text());
            } else {
                answer.assert_problem(401, "token_revoked");
            }
            if !alive {
                let body = json!({ "refresh_token": session["refresh_token"] });
                let answer = world.client.post("/v1/auth/refresh", &body).await;
                answer.assert_problem(400, "session_ended");
            }
        }
        assert_eq!(me(&world, &bob).await.status, 200);
    }
    // Signing in again is a new session.
    let again = world.sign_in(ALICE).await;
    assert_eq!(me(&world, &again).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_of_a_person_ends_their_access_tokens_of_before_too() {
    let world = World::start().await;
    world.sign_in(BOB).await;
    let by_sid = world.sign_in(ALICE).await;
    let access = |tokens: &Value| tokens["access_token"].as_str().expect("a token").to_owned();
    let before = access(&world.tokens_of(ALICE).await);
    let other = access(&world.tokens_of(BOB).await);
    let never_here = access(&world.tokens_of("carol@acme.example").await);
    for token in [&before, &other, &never_here] {
        assert_eq!(world.client.get("/v1/me", Some(token)).await.status, 200);
    }
    // One session of hers at ScaiKey is not all of her.
    let sid = scaikey_sid(&world, &by_sid);
    assert_ended(
        &send(&world, &token(&world, None, None, Some(&sid))).await,
        1,
    );
    world.advance(2);
    assert_eq!(world.client.get("/v1/me", Some(&before)).await.status, 200);
    for sub in ["usr_alice_acme", "usr_carol_acme"] {
        let tenant = (sub == "usr_carol_acme").then_some(seed::ACME);
        assert_eq!(
            send(&world, &token(&world, tenant, Some(sub), None))
                .await
                .status,
            200
        );
    }
    world.advance(2);
    for token in [&before, &never_here] {
        let answer = world.client.get("/v1/me", Some(token)).await;
        answer.assert_problem(401, "token_revoked");
        world.host().kill_instances();
    }
    assert_eq!(world.client.get("/v1/me", Some(&other)).await.status, 200);
    let after = access(&world.tokens_of(ALICE).await);
    assert_eq!(world.client.get("/v1/me", Some(&after)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_088_a_logout_in_one_tenant_ends_nothing_in_another_with_equal_sub_and_sid() {
    for (sub, sid) in [
        (Some("usr_same"), None),
        (None, Some("sid_same")),
        (Some("usr_same"), Some("sid_same")),
    ] {
        for by_claim in [false, true] {
            let world = World::start().await;
            let acme = world.sign_in(ALICE).await;
            let umbra = world.sign_in(SYBIL).await;
            world.sql("UPDATE person SET subject = 'usr_same'", &[]);
            world.sql("UPDATE session SET scaikey_sid = 'sid_same'", &[]);
            let base = world.scaikey.base_url();
            let issued = |tenant: &str| {
                let iss = if by_claim {
                    base.clone()
                } else {
                    format!("{base}/tenants/{tenant}")
                };
                let claim = by_claim.then_some(tenant);
                json!({ "iss": iss, "tenant_id": claim, "sub": sub, "sid": sid, "jti": tenant })
            };
            // Of a tenant that is not here, and of another ScaiKey.
            let nobody = changed(&world, issued("tnt_nobody"));
            assert_ended(&send(&world, &nobody).await, 0);
            let mut foreign = issued(seed::ACME);
            foreign["iss"] = json!("https://other-issuer.example");
            assert_refused(&send(&world, &changed(&world, foreign)).await, ISSUER);
            assert_ended(&send(&world, &changed(&world, issued(seed::ACME))).await, 1);
            world.advance(2);
            me(&world, &acme).await.assert_problem(401, "token_revoked");
            assert_eq!(
                me(&world, &umbra).await.status,
                200,
                "{sub:?} {sid:?} {by_claim}"
            );
            assert_ended(
                &send(&world, &changed(&world, issued(seed::UMBRA))).await,
                1,
            );
            world.advance(2);
            me(&world, &umbra)
                .await
                .assert_problem(401, "token_revoked");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_088_a_tenant_s_issuer_does_not_speak_for_another_tenant() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let iss = format!("{}/tenants/{}", world.scaikey.base_url(), seed::UMBRA);
    for (tenant, accepted) in [(json!(seed::ACME), false), (Value::Null, true)] {
        let claims = json!({ "iss": iss, "tenant_id": tenant, "sub": "usr_alice_acme" });
        let answer = send(&world, &changed(&world, claims)).await;
        if accepted {
            assert_ended(&answer, 0);
        } else {
            answer.assert_problem(400, "logout_token_invalid");
        }
    }
    world.advance(2);
    assert_eq!(me(&world, &session).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_086_a_logout_token_is_good_once_in_sequence_and_for_fifty_at_once() {
    for setup in [Setup::default(), Setup::default().without_reuse()] {
        let world = World::with(setup).await;
        world.sign_in(ALICE).await;
        let first = token(&world, None, Some("usr_alice_acme"), None);
        assert_ended(&send(&world, &first).await, 1);
        let again = world.sign_in(ALICE).await;
        for _ in 0..3 {
            let answer = send(&world, &first).await;
            answer.assert_problem(400, "logout_token_replayed");
            world.host().kill_instances();
        }
        world.advance(2);
        assert_eq!(me(&world, &again).await.status, 200);
        let second = token(&world, None, Some("usr_alice_acme"), None);
        let answers = together(50, |_| post(world.client.clone(), second.clone())).await;
        let mut counts = BTreeMap::new();
        for answer in &answers {
            let what = (answer.status.as_u16(), answer.code());
            *counts.entry(what).or_insert(0) += 1;
        }
        let expected = BTreeMap::from([
            ((200, String::new()), 1),
            ((400, "logout_token_replayed".to_owned()), 49),
        ]);
        assert_eq!(counts, expected);
        world.advance(2);
        me(&world, &again)
            .await
            .assert_problem(401, "token_revoked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_086_while_a_store_is_down_a_logout_is_refused_and_the_same_token_works_afterwards() {
    let world = World::start().await;
    for target in [Target::sqlite(), Target::key_value()] {
        for sid in [false, true] {
            let session = world.sign_in(ALICE).await;
            let sid = sid.then(|| scaikey_sid(&world, &session));
            let sub = sid.is_none().then_some("usr_alice_acme");
            let logout = token(&world, None, sub, sid.as_deref());
            world
                .faults
                .set(target.clone(), When::Always, Effect::Refuse);
            for _ in 0..2 {
                let answer = send(&world, &logout).await;
                answer.assert_problem(503, "store_unavailable");
                assert_eq!(answer.header("retry-after"), "1");
            }
            world.faults.clear();
            assert_ended(&send(&world, &logout).await, 1);
            world.advance(2);
            me(&world, &session)
                .await
                .assert_problem(401, "token_revoked");
            let answer = send(&world, &logout).await;
            answer.assert_problem(400, "logout_token_replayed");
            // Tokens of the same second as the logout are ended with it.
            world.advance(2);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scaikey_s_keys_a_logout_is_refused_and_the_same_token_works_afterwards() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let logout = token(&world, None, Some("usr_alice_acme"), None);
    world.forget_documents();
    let host = Target::Outbound("127.0.0.1".to_owned());
    world.faults.set(host, When::Always, Effect::Refuse);
    let answer = send(&world, &logout).await;
    assert!(answer.status.is_server_error(), "{}", answer.text());
    assert_eq!(me(&world, &session).await.status, 200);
    world.faults.clear();
    world.advance(31);
    assert_ended(&send(&world, &logout).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_089_after_signing_out_the_browser_goes_where_we_serve_or_nowhere() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    for to in [
        "https://evil.example/",
        "//evil.example",
        "http://127.0.0.1:5174/",
        "javascript:1",
    ] {
        let body = json!({
            "refresh_token": session["refresh_token"], "post_logout_redirect_uri": to,
        });
        let answer = world.client.post("/v1/auth/logout", &body).await;
        answer.assert_problem(400, "return_to_not_allowed");
        assert_eq!(me(&world, &session).await.status, 200);
    }
    // A token of ScaiKey's brings no address with it, and what comes back from there is no request.
    let mut body = json!({ "refresh_token": session["refresh_token"] });
    body["post_logout_redirect_uri"] = json!("http://127.0.0.1:5173/");
    let out = world.client.post("/v1/auth/logout", &body).await;
    assert_eq!(out.status, 200, "{}", out.text());
    let url = out.json()["end_session_url"]
        .as_str()
        .expect("an address")
        .to_owned();
    assert_eq!(
        scaigate_e2e::address::parameter(&url, "post_logout_redirect_uri"),
        "http://127.0.0.1:5173/"
    );
}
