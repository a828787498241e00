//! Who gets in: API keys, ScaiKey tokens, permissions, limits.

mod support;

use std::sync::Arc;

use scaigrid_emulator::seed::{
    ACME, ACME_EXPIRED_KEY, ACME_NARROW_KEY, ACME_REVOKED_KEY, ACME_USER_KEY, ACME_VIEWER_KEY,
    UMBRA,
};
use scaigrid_emulator::{Claims, Credential, Endpoint, ErrorEnvelope, Jwt, RateLimits};
use scaikey_emulator::{Emulator as ScaiKey, Options as ScaiKeyOptions, Rotation, SigningAlg};
use serde_json::{Map, Value, json};
use support::{
    ACME_KEY, BUNKERS, Bench, CHAT, MODELS, SCOPES, START, UMBRA_KEY, header, json, verdict,
};

#[tokio::test]
async fn bad_credentials_are_refused_with_the_documented_codes() {
    let bench = Bench::start().await;
    assert_eq!(
        verdict(&bench.get(MODELS, "").await),
        (401, "AUTH_TOKEN_MISSING".into())
    );
    for key in [
        "sgk_unknown0000000000000000000000000000",
        ACME_REVOKED_KEY,
        ACME_EXPIRED_KEY,
        "not-a-jwt",
        "a.b.c",
    ] {
        let refused = bench.get(MODELS, key).await;
        assert_eq!(
            verdict(&refused),
            (401, "AUTH_TOKEN_INVALID".into()),
            "{key}"
        );
        let body = json(&refused);
        assert_eq!(body["status"], "error");
        assert!(
            body["meta"]["request_id"]
                .as_str()
                .unwrap()
                .starts_with("req_")
        );
    }
    for authorization in ["Basic eDp5", "Bearer", "sgk_naked"] {
        let mut wire = bench.open().await;
        let request = format!(
            "GET {MODELS} HTTP/1.1\r\nAuthorization: {authorization}\r\nConnection: close\r\n\r\n"
        );
        wire.write(request).await;
        assert!(
            wire.rest().await.starts_with(b"HTTP/1.1 401"),
            "{authorization}"
        );
    }
}

#[tokio::test]
async fn two_credentials_are_none() {
    let bench = Bench::start().await;
    let mut wire = bench.open().await;
    wire.write(format!(
        "GET {MODELS} HTTP/1.1\r\nAuthorization: Bearer {ACME_KEY}\r\nauthorization: Bearer {UMBRA_KEY}\r\n\
         Connection: close\r\n\r\n"
    ))
    .await;
    assert!(wire.rest().await.starts_with(b"HTTP/1.1 401"));
}

#[tokio::test]
async fn permissions_follow_the_role_and_the_key() {
    let bench = Bench::start().await;
    let denied = "AUTHZ_PERMISSION_DENIED";
    for (key, path, status, code) in [
        (ACME_VIEWER_KEY, MODELS, 200, ""),
        (ACME_VIEWER_KEY, SCOPES, 200, ""),
        (ACME_VIEWER_KEY, BUNKERS, 403, denied),
        (ACME_USER_KEY, MODELS, 200, ""),
        (ACME_USER_KEY, SCOPES, 403, denied),
        (ACME_NARROW_KEY, MODELS, 200, ""),
        (ACME_NARROW_KEY, SCOPES, 403, "AUTH_INSUFFICIENT_SCOPE"),
        (ACME_KEY, BUNKERS, 200, ""),
    ] {
        let answer = bench.get(path, key).await;
        assert_eq!(verdict(&answer), (status, code.to_owned()), "{key} {path}");
    }
    let scope = json!({"slug": "x", "display_name": "x"});
    let refused = bench.post(SCOPES, ACME_VIEWER_KEY, &scope).await;
    assert_eq!(
        json(&refused)["error"]["message"],
        "permission_denied: need scaiqueue:manage"
    );
    let chat = json!({"model": "openai/gpt-4o", "messages": [{}]});
    assert_eq!(bench.post(CHAT, ACME_VIEWER_KEY, &chat).await.status(), 403);
    assert_eq!(bench.post(CHAT, ACME_USER_KEY, &chat).await.status(), 200);
}

#[tokio::test]
async fn a_key_is_revoked_at_once_and_expires_by_the_clock() {
    let bench = Bench::start().await;
    for key in bench
        .emulator
        .grid()
        .keys
        .iter_mut()
        .filter(|k| k.key == ACME_KEY)
    {
        key.expires_at = Some(START + 60);
    }
    bench.advance(59);
    assert_eq!(bench.get(MODELS, ACME_KEY).await.status(), 200);
    bench.advance(1);
    assert_eq!(bench.get(MODELS, ACME_KEY).await.status(), 401);
    assert!(bench.emulator.grid().revoke(UMBRA_KEY));
    assert_eq!(bench.get(MODELS, UMBRA_KEY).await.status(), 401);

    let own = bench
        .send("DELETE", "/v1/api-keys/key_0003", ACME_USER_KEY, None)
        .await;
    assert_eq!(own.status(), 204);
    assert_eq!(bench.get(MODELS, ACME_USER_KEY).await.status(), 401);
}

#[tokio::test]
async fn keys_are_listed_without_themselves_and_only_to_their_owner() {
    let bench = Bench::start().await;
    let answer = bench.get("/v1/api-keys", ACME_USER_KEY).await;
    assert_eq!(json(&answer)["data"][0]["id"], "key_0003");
    assert!(!String::from_utf8_lossy(answer.body()).contains(ACME_USER_KEY));
    let foreign = bench
        .send("DELETE", "/v1/api-keys/key_0001", ACME_USER_KEY, None)
        .await;
    assert_eq!(foreign.status(), 404);
}

/// A ScaiGrid that believes a ScaiKey, and tokens of it.
async fn with_scaikey(audiences: &[&str]) -> (ScaiKey, Bench) {
    let scaikey = ScaiKey::start(ScaiKeyOptions::default()).await.unwrap();
    let url = format!(
        "{}/api/v1/platform/.well-known/jwks.json",
        scaikey.base_url()
    );
    let audiences = audiences.iter().map(|&a| a.to_owned()).collect();
    let bench = Bench::with_options(
        |b| b.rate_limits = None,
        |o| o.jwt = Jwt::Jwks { url, audiences },
    )
    .await;
    (scaikey, bench)
}

fn token(scaikey: &ScaiKey, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = json!({
        "sub": "usr_alice_acme", "tenant_id": ACME, "aud": "grid", "exp": START + 3_600,
    });
    change(&mut claims);
    let claims: Map<String, Value> = claims.as_object().unwrap().clone();
    scaikey.mint(Map::new(), claims)
}

#[tokio::test]
async fn tokens_of_scaikey_are_verified_under_its_keys() {
    let (scaikey, bench) = with_scaikey(&["grid", "other"]).await;
    for (name, change, expected) in [
        ("good", (|_| {}) as fn(&mut Value), 200),
        ("array", |c| c["aud"] = json!(["x", "other"]), 200),
        ("audience", |c| c["aud"] = json!("strange"), 401),
        ("expired", |c| c["exp"] = json!(START - 61), 401),
        ("inside the skew", |c| c["exp"] = json!(START - 30), 200),
        ("early", |c| c["nbf"] = json!(START + 120), 401),
        ("no sub", |c| c["sub"] = json!(null), 401),
        (
            "unknown tenant",
            |c| c["tenant_id"] = json!("tnt_nobody"),
            401,
        ),
    ] {
        let answer = bench.get(MODELS, &token(&scaikey, change)).await;
        assert_eq!(answer.status(), expected, "{name}");
    }
    let good = token(&scaikey, |_| {});
    let tampered = good.replace('.', ".e");
    assert_eq!(bench.get(MODELS, &tampered).await.status(), 401);
    scaikey
        .switches()
        .change(|b| b.signing_alg = SigningAlg::Es256);
    assert_eq!(
        bench.get(MODELS, &token(&scaikey, |_| {})).await.status(),
        200
    );
    scaikey.rotate_keys(Rotation::DropOld).unwrap();
    assert_eq!(
        bench.get(MODELS, &token(&scaikey, |_| {})).await.status(),
        200
    );
    // The new set no longer holds the first key.
    assert_eq!(bench.get(MODELS, &good).await.status(), 401);
}

#[tokio::test]
async fn a_person_has_the_permissions_of_the_role_here() {
    let (scaikey, bench) = with_scaikey(&[]).await;
    for (sub, path, status) in [
        ("usr_alice_acme", BUNKERS, 200),
        ("usr_bob_acme", SCOPES, 200),
        ("usr_bob_acme", BUNKERS, 403),
        // The hypothesis of section 5: a plain user passes the model lookup and is refused on ScaiQueue.
        ("usr_dave_acme", MODELS, 200),
        ("usr_dave_acme", SCOPES, 403),
    ] {
        let answer = bench
            .get(path, &token(&scaikey, |c| c["sub"] = json!(sub)))
            .await;
        assert_eq!(answer.status(), status, "{sub} {path}");
    }
    bench.switches().change(|b| b.unknown_person = None);
    let stranger = token(&scaikey, |c| c["sub"] = json!("usr_dave_acme"));
    assert_eq!(bench.get(MODELS, &stranger).await.status(), 403);
    // Super admins too must belong to a tenant.
    let platform = token(&scaikey, |c| {
        c["sub"] = json!("usr_olivia_acme");
        c["tenant_id"] = json!(null);
    });
    assert_eq!(bench.get(SCOPES, &platform).await.status(), 403);
    let admin = token(&scaikey, |c| c["sub"] = json!("usr_olivia_acme"));
    let all = json(&bench.get(&format!("{BUNKERS}?limit=500"), &admin).await);
    assert_eq!(
        all["data"].as_array().unwrap().len(),
        63,
        "sees across tenants"
    );
}

#[tokio::test]
async fn a_closure_can_stand_in_for_scaikey() {
    let verify = |token: &str| {
        (token == "umbra's").then(|| Claims {
            sub: "usr_sybil_umbra".to_owned(),
            tenant_id: Some(UMBRA.to_owned()),
        })
    };
    let bench = Bench::with_options(|_| {}, |o| o.jwt = Jwt::Verify(Arc::new(verify))).await;
    assert_eq!(bench.get(SCOPES, "umbra's").await.status(), 200);
    let seen = bench.recorder().last(Endpoint::Scopes).unwrap();
    assert_eq!(seen.tenant_id.as_deref(), Some(UMBRA));
    assert_eq!(
        seen.credential,
        Some(Credential::Token("umbra's".to_owned()))
    );
    assert_eq!(bench.get(SCOPES, "acme's").await.status(), 401);
}

#[tokio::test]
async fn limits_count_and_tell_as_documented() {
    let bench = Bench::with(|_| {}).await;
    let first = bench.get(MODELS, ACME_KEY).await;
    assert_eq!(header(&first, "x-scaigrid-ratelimit-limit"), "60");
    assert_eq!(header(&first, "x-scaigrid-ratelimit-remaining"), "59");
    let reset = (START + 60).to_string();
    assert_eq!(header(&first, "x-scaigrid-ratelimit-reset"), reset);
    bench.advance(10);
    for _ in 0..59 {
        assert_eq!(bench.get(MODELS, ACME_KEY).await.status(), 200);
    }
    let refused = bench.get(MODELS, ACME_KEY).await;
    assert_eq!(verdict(&refused), (429, "RATE_LIMITED".into()));
    assert_eq!(header(&refused, "retry-after"), "50");
    assert_eq!(header(&refused, "x-scaigrid-ratelimit-remaining"), "0");
    let body = json(&refused);
    assert_eq!(body["error"]["retry_after"], 50);
    assert!(body.get("meta").is_none(), "the sample of a 429 has none");
    assert_eq!(
        bench.get(MODELS, UMBRA_KEY).await.status(),
        200,
        "another key"
    );
    bench.advance(50);
    assert_eq!(bench.get(MODELS, ACME_KEY).await.status(), 200);
}

#[tokio::test]
async fn anonymous_calls_are_limited_by_address_and_limits_can_be_off() {
    let limits = RateLimits {
        anonymous: 2,
        ..RateLimits::default()
    };
    let bench = Bench::with(|b| b.rate_limits = Some(limits)).await;
    for status in [401, 401, 429] {
        assert_eq!(bench.get(MODELS, "sgk_wrong").await.status(), status);
    }
    bench.switches().change(|b| b.rate_limits = None);
    let answer = bench.get(MODELS, "sgk_wrong").await;
    assert_eq!(answer.status(), 401);
    assert_eq!(header(&answer, "x-scaigrid-ratelimit-limit"), "");
}

#[tokio::test]
async fn errors_come_in_either_envelope() {
    let bench = Bench::start().await;
    bench
        .switches()
        .change(|b| b.error_envelope = ErrorEnvelope::Bare);
    let body = json(&bench.get(MODELS, "").await);
    assert_eq!(body["error"]["code"], "AUTH_TOKEN_MISSING");
    assert!(body.get("status").is_none() && body.get("meta").is_none());
}
