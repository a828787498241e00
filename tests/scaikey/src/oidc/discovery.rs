//! Discovery documents and the key set.

use serde_json::{Map, Value, json};

use crate::deviation::{Deviation, DiscoveryLie, JwksLie};
use crate::exchange::{Call, Reply};
use crate::world::{Flavour, World};

/// `GET /api/v1/platform/oauth/.well-known/openid-configuration`.
pub(crate) fn platform(world: &World, _call: &Call) -> Reply {
    document(world, &Flavour::Platform)
}

/// `GET /.well-known/openid-configuration`, off by default.
pub(crate) fn plain(world: &World, _call: &Call) -> Reply {
    if world.switches.behaviour().plain_discovery {
        document(world, &Flavour::Platform)
    } else {
        Reply::detail(404, "Not Found")
    }
}

/// `GET /api/v1/auth/tenants/{slug}/.well-known/openid-configuration`.
pub(crate) fn tenant(world: &World, call: &Call) -> Reply {
    match world.tenant_flavour(call.param("slug")) {
        Some(flavour) => document(world, &flavour),
        None => Reply::detail(404, "Tenant not found"),
    }
}

fn document(world: &World, flavour: &Flavour) -> Reply {
    let behaviour = world.switches.behaviour();
    let oauth = world.oauth_base(flavour);
    let jwks_uri = match flavour {
        Flavour::Platform => format!("{}/api/v1/platform/.well-known/jwks.json", world.base_url),
        Flavour::Tenant { slug, .. } => {
            format!(
                "{}/api/v1/auth/tenants/{slug}/.well-known/jwks.json",
                world.base_url
            )
        }
    };
    let mut grants = vec![
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ];
    if behaviour.password_grant {
        grants.push("password");
    }
    let document = json!({
        "issuer": world.issuer(flavour),
        "authorization_endpoint": format!("{oauth}/authorize"),
        "token_endpoint": format!("{oauth}/token"),
        "userinfo_endpoint": format!("{oauth}/userinfo"),
        "revocation_endpoint": format!("{oauth}/revoke"),
        "introspection_endpoint": format!("{oauth}/introspect"),
        "end_session_endpoint": format!("{}/oauth/logout", world.base_url),
        "jwks_uri": jwks_uri,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": grants,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [behaviour.signing_alg.name()],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile", "email", "groups", "offline_access"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "sid", "at_hash",
            "email", "email_verified", "name", "given_name", "family_name", "groups", "tenant_id",
        ],
        "prompt_values_supported": ["none", "login"],
        "authorization_response_iss_parameter_supported": behaviour.declare_iss_parameter,
    });
    let Value::Object(mut document) = document else {
        return Reply::empty(500);
    };
    let lies = world.switches.draw(|d| match d {
        Deviation::Discovery(lie) => Some(lie),
        _ => None,
    });
    for lie in &lies {
        falsify(&mut document, *lie);
    }
    let mut value = Value::Object(document);
    if lies.contains(&DiscoveryLie::TopLevelArray) {
        value = Value::Array(vec![value]);
    }
    Reply::json(200, &value).with("cache-control", "public, max-age=300")
}

fn falsify(document: &mut Map<String, Value>, lie: DiscoveryLie) {
    let issuer = document
        .get("issuer")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let mut put = |name: &str, value: Value| drop(document.insert(name.to_owned(), value));
    match lie {
        DiscoveryLie::IssuerCase => put("issuer", json!(issuer.to_uppercase())),
        DiscoveryLie::IssuerTrailingSlash => put("issuer", json!(format!("{issuer}/"))),
        DiscoveryLie::IssuerOtherPath => put("issuer", json!(format!("{issuer}/other"))),
        DiscoveryLie::IssuerOtherHost => put("issuer", json!("https://other-issuer.example")),
        DiscoveryLie::IssuerMissing => drop(document.remove("issuer")),
        DiscoveryLie::Huge => put("padding", json!("x".repeat(2 << 20))),
        DiscoveryLie::NoJwksUri => drop(document.remove("jwks_uri")),
        DiscoveryLie::NoTokenEndpoint => drop(document.remove("token_endpoint")),
        DiscoveryLie::NoAuthorizationEndpoint => drop(document.remove("authorization_endpoint")),
        DiscoveryLie::NoRevocationValid => drop(document.remove("revocation_endpoint")),
        DiscoveryLie::NoEndSessionValid => drop(document.remove("end_session_endpoint")),
        DiscoveryLie::NoPkce => drop(document.remove("code_challenge_methods_supported")),
        DiscoveryLie::PkcePlainOnly => put("code_challenge_methods_supported", json!(["plain"])),
        DiscoveryLie::JwksOnMetadataAddress => {
            put("jwks_uri", json!("http://169.254.169.254/latest/jwks.json"));
        }
        DiscoveryLie::JwksOnOtherOrigin => {
            put("jwks_uri", json!("https://attacker.example/jwks.json"))
        }
        DiscoveryLie::TokenOnOtherOrigin => {
            put(
                "token_endpoint",
                json!("https://attacker.example/oauth/token"),
            );
        }
        DiscoveryLie::AuthorizeIsScript => {
            put("authorization_endpoint", json!("javascript:alert(1)"))
        }
        DiscoveryLie::TokenEndpointNumber => put("token_endpoint", json!(7)),
        DiscoveryLie::TopLevelArray => {}
        DiscoveryLie::MinimalValid => {
            const KEPT: [&str; 8] = [
                "issuer",
                "authorization_endpoint",
                "token_endpoint",
                "jwks_uri",
                "response_types_supported",
                "subject_types_supported",
                "id_token_signing_alg_values_supported",
                "code_challenge_methods_supported",
            ];
            document.retain(|name, _| KEPT.contains(&name.as_str()));
        }
    }
}

/// `GET …/.well-known/jwks.json`; platform and tenants share one key set.
pub(crate) fn jwks(world: &World, call: &Call) -> Reply {
    if call.params.contains_key("slug") && world.tenant_flavour(call.param("slug")).is_none() {
        return Reply::detail(404, "Tenant not found");
    }
    let alg = world.switches.behaviour().signing_alg;
    let (mut keys, signer, stranger) = {
        let ring = world.keys();
        let keys: Vec<Value> = ring.published().iter().map(|key| key.jwk()).collect();
        (keys, ring.signer(alg).jwk(), ring.stranger().jwk())
    };
    let lies = world.switches.draw(|d| match d {
        Deviation::Jwks(lie) => Some(lie),
        _ => None,
    });
    for lie in &lies {
        falsify_keys(&mut keys, *lie, &signer, &stranger);
    }
    let set = if lies.contains(&JwksLie::KeysObject) {
        json!({"keys": {"0": keys}})
    } else {
        json!({ "keys": keys })
    };
    Reply::json(200, &set).with("cache-control", "public, max-age=3600")
}

fn falsify_keys(keys: &mut Vec<Value>, lie: JwksLie, signer: &Value, stranger: &Value) {
    match lie {
        JwksLie::SigningKeyOnlyValid => *keys = vec![signer.clone()],
        JwksLie::KidAbsent => {
            for key in keys.iter_mut().filter_map(Value::as_object_mut) {
                key.remove("kid");
            }
        }
        JwksLie::KidDuplicate => {
            let mut twin = stranger.clone();
            twin["kid"] = signer["kid"].clone();
            keys.insert(0, twin);
        }
        JwksLie::Empty => keys.clear(),
        JwksLie::SymmetricKey => {
            keys.insert(
                0,
                json!({"kty": "oct", "alg": "HS256", "kid": signer["kid"], "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I"}),
            );
        }
        JwksLie::UnknownKeysValid => {
            keys.insert(
                0,
                json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "future-1", "pub": "AAAA"}),
            );
            keys.insert(
                1,
                json!({"kty": "EC", "crv": "P-521", "kid": "ec-521", "x": "AA", "y": "AA"}),
            );
            keys.push(json!({"kty": "OKP", "crv": "X448", "kid": "okp-1", "x": "AA", "ext": true}));
            for key in keys.iter_mut().filter_map(Value::as_object_mut) {
                key.insert("x-extra".to_owned(), json!({"any": [1, 2]}));
            }
        }
        JwksLie::UseEnc => {
            for key in keys.iter_mut() {
                key["use"] = json!("enc");
            }
        }
        JwksLie::AlgOther => {
            for key in keys.iter_mut().filter(|key| key["kty"] == "RSA") {
                key["alg"] = json!("RS512");
            }
        }
        JwksLie::Huge => {
            for n in 0..5_000 {
                let mut key = stranger.clone();
                key["kid"] = json!(format!("filler-{n}"));
                keys.push(key);
            }
        }
        JwksLie::KeysObject => {}
        JwksLie::WeakRsa => {
            for key in keys.iter_mut().filter(|key| key["kty"] == "RSA") {
                let short: String = key["n"]
                    .as_str()
                    .unwrap_or_default()
                    .chars()
                    .take(86)
                    .collect();
                key["n"] = json!(short);
            }
        }
    }
}

/// `GET /_emulator/stranger-jwks.json`: the forger's key set.
pub(crate) fn stranger_jwks(world: &World, _call: &Call) -> Reply {
    let key = world.keys().stranger().jwk();
    Reply::json(200, &json!({ "keys": [key] }))
}
