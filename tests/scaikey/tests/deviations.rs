//! Every group of lies shows where it should, and only there.

mod support;

use scaikey_emulator::{
    AuthorizationLie, Deviation, DiscoveryLie, Endpoint, JwksLie, LogoutToken, SigningAlg,
    TokenAnswerLie, TokenLie, UserinfoLie, seed,
};
use serde_json::{Value, json};
use support::{Bench, START, claims, header, param, text};

#[tokio::test]
async fn token_lies_show_in_the_claims() {
    use TokenLie::*;
    let bench = Bench::start().await;
    let base = bench.emulator.base_url();
    let aud = seed::CLIENT_ID;
    for (lie, claim, told) in [
        (WrongIss, "iss", json!("https://other-issuer.example")),
        (IssTrailingSlash, "iss", json!(format!("{base}/"))),
        (MissingIss, "iss", Value::Null),
        (WrongSub, "sub", json!("usr_bob_acme")),
        (MissingSub, "sub", Value::Null),
        (EmptySub, "sub", json!("")),
        (SubNumber, "sub", json!(42)),
        (WrongAud, "aud", json!("another-client")),
        (MissingAud, "aud", Value::Null),
        (AudArrayOfOneValid, "aud", json!([aud])),
        (AudEmptyArray, "aud", json!([])),
        (AudUntrustedExtra, "aud", json!([aud, "untrusted-audience"])),
        (AudUntrustedExtraWithAzp, "azp", json!(aud)),
        (AzpWrong, "azp", json!("another-client")),
        (AzpValid, "azp", json!(aud)),
        (ExpMissing, "exp", Value::Null),
        (ExpPast, "exp", json!(START - 600)),
        (ExpInsideSkewValid, "exp", json!(START - 30)),
        (ExpOutsideSkew, "exp", json!(START - 61)),
        (ExpString, "exp", json!((START + 3_600).to_string())),
        (ExpFloat, "exp", json!(1_750_003_600.5)),
        (ExpHuge, "exp", json!(1e300)),
        (ExpOverflow, "exp", json!(9_223_372_036_854_775_808_u64)),
        (ExpNegative, "exp", json!(-1)),
        (ExpNull, "exp", Value::Null),
        (IatMissing, "iat", Value::Null),
        (IatFuture, "iat", json!(START + 600)),
        (IatString, "iat", json!(START.to_string())),
        (IatOld, "iat", json!(START - 172_800)),
        (NbfFuture, "nbf", json!(START + 600)),
        (NbfString, "nbf", json!(START.to_string())),
        (NonceMissing, "nonce", Value::Null),
        (NonceWrong, "nonce", json!("not-the-nonce-you-sent")),
        (AuthTimeChanged, "auth_time", json!(START - 3_600)),
        (SidMissing, "sid", Value::Null),
        (AtHashMissingValid, "at_hash", Value::Null),
        (EmailMissing, "email", Value::Null),
        (EmailUnverified, "email_verified", json!(false)),
        (GroupsMissing, "groups", Value::Null),
        (TenantMissing, "tenant_id", Value::Null),
        (TenantOther, "tenant_id", json!(seed::UMBRA)),
    ] {
        bench
            .emulator
            .switches()
            .set_next(Deviation::IdToken(lie), 1);
        let answer = bench.sign_in().await;
        let token = text(&answer["id_token"]);
        assert_eq!(claims(&token)[claim], told, "{lie:?}");
        assert!(bench.verifies(&token).await, "{lie:?} is a signed lie");
    }
    let honest = claims(&text(&bench.sign_in().await["id_token"]));
    assert_eq!(honest["iss"], base, "a lie for one answer ends after one");
}

#[tokio::test]
async fn token_lies_show_in_header_signature_and_shape() {
    use TokenLie::*;
    let bench = Bench::start().await;
    for (lie, name, told, verifies) in [
        (AlgNone, "alg", json!("none"), false),
        (AlgNoneMixedCase, "alg", json!("nOnE"), false),
        (AlgMissing, "alg", Value::Null, false),
        (Hs256WithPublicPem, "alg", json!("HS256"), false),
        (Hs256WithPublicDer, "alg", json!("HS256"), false),
        (AlgRs512, "alg", json!("RS512"), false),
        (AlgPs256, "alg", json!("PS256"), false),
        (AlgMismatch, "alg", json!("ES256"), false),
        (BadSignature, "alg", json!("RS256"), false),
        (EmptySignature, "alg", json!("RS256"), false),
        (StrangerKey, "kid", json!("sk-rsa-1"), false),
        (PayloadChanged, "alg", json!("RS256"), false),
        (KidMissing, "kid", Value::Null, false),
        (KidUnknown, "kid", json!("stranger-1"), false),
        (KidNumber, "kid", json!(1), false),
        (
            JkuHeader,
            "jku",
            json!(bench.url("/_emulator/stranger-jwks.json")),
            false,
        ),
        (
            X5uHeader,
            "x5u",
            json!(bench.url("/_emulator/stranger-jwks.json")),
            false,
        ),
        (JwkHeader, "kid", json!("stranger-1"), false),
        (CritHeader, "crit", json!(["scaikey-unknown"]), true),
        (CritEmpty, "crit", json!([]), true),
        (B64False, "b64", json!(false), true),
        (TypAccessToken, "typ", json!("at+jwt"), true),
        (TypLogoutToken, "typ", json!("logout+jwt"), true),
        (TypSecurityEvent, "typ", json!("secevent+jwt"), true),
        (TypMissingValid, "typ", Value::Null, true),
    ] {
        bench
            .emulator
            .switches()
            .set_next(Deviation::IdToken(lie), 1);
        let token = text(&bench.sign_in().await["id_token"]);
        assert_eq!(header(&token)[name], told, "{lie:?}");
        assert_eq!(bench.verifies(&token).await, verifies, "{lie:?}");
    }
    for (lie, check) in [
        (Oversize, (|t: &str| t.len() > 8_192) as fn(&str) -> bool),
        (TwoSegments, |t| t.split('.').count() == 2),
        (FourSegments, |t| t.split('.').count() == 4),
        (Padded, |t| t.contains('=')),
        (PayloadArray, |t| claims(t).is_array()),
        (DuplicateSub, |t| claims(t)["sub"] == "usr_bob_acme"),
        (DeepNesting, |t| t.len() > 5_000),
    ] {
        bench
            .emulator
            .switches()
            .set_next(Deviation::IdToken(lie), 1);
        assert!(check(&text(&bench.sign_in().await["id_token"])), "{lie:?}");
    }
}

#[tokio::test]
async fn lies_stay_in_the_token_they_are_meant_for() {
    for alg in [SigningAlg::Rs256, SigningAlg::Es256] {
        let bench = Bench::with(|b| b.signing_alg = alg).await;
        let switches = bench.emulator.switches();
        switches.set(Deviation::RefreshedIdToken(TokenLie::WrongSub));
        let answer = bench.sign_in().await;
        assert_eq!(claims(&text(&answer["id_token"]))["sub"], "usr_alice_acme");
        let (_, refreshed) = bench.refresh(&text(&answer["refresh_token"])).await;
        assert_eq!(claims(&text(&refreshed["id_token"]))["sub"], "usr_bob_acme");
        switches.clear_all();
        switches.set(Deviation::AccessToken(TokenLie::BadSignature));
        let answer = bench.sign_in().await;
        assert!(bench.verifies(&text(&answer["id_token"])).await);
        assert!(!bench.verifies(&text(&answer["access_token"])).await);
    }
}

#[tokio::test]
async fn authorization_lies_show_in_the_callback() {
    use AuthorizationLie::*;
    let bench = Bench::start().await;
    for (lie, name, told) in [
        (IssMissing, "iss", None),
        (
            IssOfAnotherServer,
            "iss",
            Some("https://other-issuer.example"),
        ),
        (StateMissing, "state", None),
        (StateWrong, "state", Some("not-the-state-you-sent")),
        (CodeAndError, "error", Some("access_denied")),
        (CodeEmpty, "code", Some("")),
        (CodeUnknown, "code", Some("code_that_was_never_issued")),
        (Fragment, "code", None),
        (ServerError, "error", Some("server_error")),
        (ErrorWithMarkup, "code", None),
        (ErrorUnknown, "error", Some("scaikey_invented_this")),
    ] {
        bench
            .emulator
            .switches()
            .set_next(Deviation::Authorization(lie), 1);
        let callback = bench.callback(&[]).await;
        assert_eq!(param(&callback, name).as_deref(), told, "{lie:?}");
    }
    for (lie, name) in [
        (IssTwice, "iss"),
        (StateTwice, "state"),
        (CodeTwice, "code"),
    ] {
        bench
            .emulator
            .switches()
            .set_next(Deviation::Authorization(lie), 1);
        let callback = bench.callback(&[]).await;
        assert_eq!(
            callback
                .query_pairs()
                .filter(|(key, _)| key == name)
                .count(),
            2,
            "{lie:?}"
        );
    }
}

#[tokio::test]
async fn token_answer_lies_show_in_the_json() {
    use TokenAnswerLie::*;
    let bench = Bench::start().await;
    for (lie, name, told) in [
        (NoIdToken, "id_token", Value::Null),
        (EmptyIdToken, "id_token", json!("")),
        (NoAccessToken, "access_token", Value::Null),
        (NoRefreshToken, "refresh_token", Value::Null),
        (EmptyRefreshToken, "refresh_token", json!("")),
        (NoExpiresInValid, "expires_in", Value::Null),
        (ExpiresInNegative, "expires_in", json!(-1)),
        (ExpiresInZero, "expires_in", json!(0)),
        (ExpiresInFloat, "expires_in", json!(3_599.5)),
        (ExpiresInString, "expires_in", json!("3600")),
        (ExpiresInHuge, "expires_in", json!(1e300)),
        (ExpiresInMax, "expires_in", json!(i64::MAX)),
        (TokenTypeLowercaseValid, "token_type", json!("bearer")),
        (TokenTypeUppercaseValid, "token_type", json!("BEARER")),
        (TokenTypeMac, "token_type", json!("mac")),
        (TokenTypeDpop, "token_type", json!("DPoP")),
        (TokenTypeMissing, "token_type", Value::Null),
        (
            ScopeNarrower,
            "scope",
            json!("openid profile email offline_access"),
        ),
        (ScopeMissing, "scope", Value::Null),
        (ErrorWith200, "error", json!("invalid_grant")),
    ] {
        bench
            .emulator
            .switches()
            .set_next(Deviation::TokenAnswer(lie), 1);
        let code = bench.code().await;
        let (status, answer) = bench.redeem(&code).await;
        assert_eq!((status, &answer[name]), (200, &told), "{lie:?}");
    }
    for (lie, status) in [(InvalidGrant, 400), (InvalidClient, 401)] {
        bench
            .emulator
            .switches()
            .set_next(Deviation::TokenAnswer(lie), 1);
        let code = bench.code().await;
        assert_eq!(bench.redeem(&code).await.0, status, "{lie:?}");
        assert_eq!(bench.redeem(&code).await.0, 200, "{lie:?} consumes nothing");
    }
}

#[tokio::test]
async fn discovery_lies_show_in_the_document() {
    use DiscoveryLie::*;
    let bench = Bench::start().await;
    let base = bench.emulator.base_url();
    for (lie, name, told) in [
        (IssuerCase, "issuer", json!(base.to_uppercase())),
        (IssuerTrailingSlash, "issuer", json!(format!("{base}/"))),
        (IssuerOtherPath, "issuer", json!(format!("{base}/other"))),
        (IssuerMissing, "issuer", Value::Null),
        (NoJwksUri, "jwks_uri", Value::Null),
        (NoRevocationValid, "revocation_endpoint", Value::Null),
        (NoEndSessionValid, "end_session_endpoint", Value::Null),
        (NoPkce, "code_challenge_methods_supported", Value::Null),
        (
            TokenOnOtherOrigin,
            "token_endpoint",
            json!("https://attacker.example/oauth/token"),
        ),
        (MinimalValid, "userinfo_endpoint", Value::Null),
    ] {
        bench
            .emulator
            .switches()
            .set_next(Deviation::Discovery(lie), 1);
        let document = bench
            .get("/api/v1/platform/oauth/.well-known/openid-configuration")
            .await;
        assert_eq!(support::json(&document)[name], told, "{lie:?}");
    }
}

#[tokio::test]
async fn key_set_lies_show_in_the_key_set() {
    use JwksLie::*;
    let bench = Bench::start().await;
    for (lie, check) in [
        (
            SigningKeyOnlyValid,
            (|keys: &Value| keys.as_array().unwrap().len() == 1) as fn(&Value) -> bool,
        ),
        (KidAbsent, |keys| keys[0]["kid"].is_null()),
        (KidDuplicate, |keys| {
            keys[0]["kid"] == keys[1]["kid"] && keys[0]["n"] != keys[1]["n"]
        }),
        (Empty, |keys| keys == &json!([])),
        (SymmetricKey, |keys| keys[0]["kty"] == "oct"),
        (UnknownKeysValid, |keys| keys[0]["kty"] == "AKP"),
        (UseEnc, |keys| keys[0]["use"] == "enc"),
        (AlgOther, |keys| keys[0]["alg"] == "RS512"),
        (Huge, |keys| keys.as_array().unwrap().len() > 5_000),
        (KeysObject, |keys| keys.is_object()),
        (WeakRsa, |keys| keys[0]["n"].as_str().unwrap().len() == 86),
    ] {
        bench.emulator.switches().set_next(Deviation::Jwks(lie), 1);
        let set = support::json(&bench.get("/api/v1/platform/.well-known/jwks.json").await);
        assert!(check(&set["keys"]), "{lie:?}");
    }
}

#[tokio::test]
async fn userinfo_lies_show_in_userinfo() {
    let bench = Bench::start().await;
    let token = text(&bench.sign_in().await["access_token"]);
    let path = "/api/v1/platform/oauth/userinfo";
    assert_eq!(
        support::json(&bench.get_as(path, &token).await)["sub"],
        "usr_alice_acme"
    );
    for (lie, told) in [
        (UserinfoLie::WrongSub, json!("usr_somebody_else")),
        (UserinfoLie::MissingSub, Value::Null),
    ] {
        bench
            .emulator
            .switches()
            .set_next(Deviation::Userinfo(lie), 1);
        assert_eq!(
            support::json(&bench.get_as(path, &token).await)["sub"],
            told
        );
    }
    assert_eq!(bench.get_as(path, "made-up").await.status(), 401);
    assert_eq!(
        bench
            .get_as(path, &bench.service_token().await)
            .await
            .status(),
        401
    );
}

#[tokio::test]
async fn logout_tokens_are_signed_and_may_lie() {
    let bench = Bench::start().await;
    let token = LogoutToken {
        client_id: seed::CLIENT_ID.to_owned(),
        tenant_id: None,
        sub: Some("usr_alice_acme".to_owned()),
        sid: None,
    };
    let honest = bench.emulator.logout_token(&token);
    assert!(bench.verifies(&honest).await);
    assert_eq!(header(&honest)["typ"], "logout+jwt");
    assert!(
        claims(&honest)["events"]["http://schemas.openid.net/event/backchannel-logout"].is_object()
    );
    for (lie, claim) in [
        (TokenLie::LogoutWithoutEvent, "events"),
        (TokenLie::JtiMissing, "jti"),
    ] {
        bench
            .emulator
            .switches()
            .set_next(Deviation::LogoutToken(lie), 1);
        assert_eq!(
            claims(&bench.emulator.logout_token(&token))[claim],
            Value::Null
        );
    }
}

#[tokio::test]
async fn switches_work_over_http() {
    let bench = Bench::start().await;
    let post = |body: Value| {
        let request = http::Request::post(bench.url("/_emulator/switches"))
            .body(bytes::Bytes::from(body.to_string()))
            .unwrap();
        async { scaikey_emulator::plain_http::send(request).await.unwrap() }
    };
    let answer = post(json!({
        "behaviour": {"plain_discovery": true},
        "set": [{"id_token": "wrong_iss"}],
        "faults": [{"endpoint": "jwks", "fault": {"status": {"code": 503, "retry_after": 5}}, "times": 1}],
    }))
    .await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        bench
            .get("/.well-known/openid-configuration")
            .await
            .status(),
        200
    );
    let jwks = bench.get("/api/v1/platform/.well-known/jwks.json").await;
    assert_eq!(jwks.headers()["retry-after"], "5");
    let token = text(&bench.sign_in().await["id_token"]);
    assert_eq!(claims(&token)["iss"], "https://other-issuer.example");
    for bad in [
        json!({"behaviour": {"unknown": 1}}),
        json!({"set": ["nonsense"]}),
        json!({"unknown": 1}),
    ] {
        assert_eq!(post(bad).await.status(), 422);
    }
    post(json!({"reset": true})).await;
    assert_eq!(
        bench
            .get("/.well-known/openid-configuration")
            .await
            .status(),
        404
    );
    let seen = support::json(&bench.get("/_emulator/requests?endpoint=token").await);
    assert_eq!(
        seen["requests"].as_array().unwrap().len(),
        bench.emulator.recorder().count(Endpoint::Token)
    );
}
