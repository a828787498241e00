//! Building signed tokens, honest or not.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use ring::{digest, hmac};
use serde_json::{Map, Value, json};

use crate::deviation::TokenLie;
use crate::keys::SigningKey;
use crate::world::World;

/// The event of OpenID Connect Back-Channel Logout section 2.4.
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

pub(crate) type Claims = Map<String, Value>;

enum Seal {
    Honest,
    Empty,
    Hmac(Vec<u8>),
    Rs512,
    Ps256,
    Flipped,
    Stranger,
}

struct Draft {
    header: Claims,
    claims: Claims,
    seal: Seal,
    payload: Payload,
    shape: Shape,
}

#[derive(PartialEq)]
enum Payload {
    Object,
    Array,
    DuplicateSub(String),
    ChangedAfterSigning,
}

enum Shape {
    Three,
    Two,
    Four,
    Padded,
}

/// Signs `claims` with the key of the deployment's algorithm, then tells the lies.
pub(crate) fn sign(world: &World, typ: &str, claims: Claims, lies: &[TokenLie]) -> String {
    let alg = world.switches.behaviour().signing_alg;
    let (signer, stranger) = {
        let keys = world.keys();
        (keys.signer(alg), keys.stranger())
    };
    let mut header = Claims::new();
    header.insert("alg".into(), json!(alg.name()));
    header.insert("kid".into(), json!(signer.kid));
    header.insert("typ".into(), json!(typ));
    let mut draft = Draft {
        header,
        claims,
        seal: Seal::Honest,
        payload: Payload::Object,
        shape: Shape::Three,
    };
    for lie in lies {
        lie_about_claims(world, &mut draft, *lie);
        lie_about_header(world, &mut draft, *lie, &signer, &stranger);
    }
    assemble(&draft, &signer, &stranger)
}

/// Signs exactly this header and these claims with the deployment's key.
pub(crate) fn sign_raw(world: &World, header: Claims, claims: Claims) -> String {
    let alg = world.switches.behaviour().signing_alg;
    let signer = world.keys().signer(alg);
    let draft = Draft {
        header,
        claims,
        seal: Seal::Honest,
        payload: Payload::Object,
        shape: Shape::Three,
    };
    assemble(&draft, &signer, &signer)
}

/// `at_hash` of OpenID Connect Core section 3.1.3.6 for a SHA-256 algorithm.
pub(crate) fn half_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&digest::digest(&digest::SHA256, token.as_bytes()).as_ref()[..16])
}

/// `BASE64URL(SHA256(text))`, the S256 challenge of RFC 7636.
pub(crate) fn s256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

fn lie_about_claims(world: &World, draft: &mut Draft, lie: TokenLie) {
    let now = world.now();
    let claims = &mut draft.claims;
    let text = |claims: &Claims, name: &str| {
        claims
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut put = |name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
    };
    match lie {
        TokenLie::WrongIss => put("iss", json!("https://other-issuer.example")),
        TokenLie::IssTrailingSlash => {
            let iss = text(claims, "iss");
            claims.insert("iss".into(), json!(format!("{iss}/")));
        }
        TokenLie::MissingIss => drop(claims.remove("iss")),
        TokenLie::WrongSub => {
            let other = another_person(world, &text(claims, "sub"));
            claims.insert("sub".into(), json!(other));
        }
        TokenLie::MissingSub => drop(claims.remove("sub")),
        TokenLie::EmptySub => put("sub", json!("")),
        TokenLie::SubNumber => put("sub", json!(42)),
        TokenLie::WrongAud => put("aud", json!("another-client")),
        TokenLie::MissingAud => drop(claims.remove("aud")),
        TokenLie::AudArrayOfOneValid => {
            let aud = text(claims, "aud");
            claims.insert("aud".into(), json!([aud]));
        }
        TokenLie::AudEmptyArray => put("aud", json!([])),
        TokenLie::AudUntrustedExtra => {
            let aud = text(claims, "aud");
            claims.insert("aud".into(), json!([aud, "untrusted-audience"]));
            claims.remove("azp");
        }
        TokenLie::AudUntrustedExtraWithAzp => {
            let aud = text(claims, "aud");
            claims.insert("aud".into(), json!([aud, "untrusted-audience"]));
            claims.insert("azp".into(), json!(aud));
        }
        TokenLie::AzpWrong => put("azp", json!("another-client")),
        TokenLie::AzpValid => {
            let aud = text(claims, "aud");
            claims.insert("azp".into(), json!(aud));
        }
        TokenLie::ExpMissing => drop(claims.remove("exp")),
        TokenLie::ExpPast => put("exp", json!(now - 600)),
        TokenLie::ExpInsideSkewValid => put("exp", json!(now - 30)),
        TokenLie::ExpOutsideSkew => put("exp", json!(now - 61)),
        TokenLie::ExpString => put("exp", json!((now + 3_600).to_string())),
        TokenLie::ExpFloat => put("exp", json!(seconds(now + 3_600) + 0.5)),
        TokenLie::ExpHuge => put("exp", json!(1e300)),
        TokenLie::ExpOverflow => put("exp", json!(9_223_372_036_854_775_808_u64)),
        TokenLie::ExpNegative => put("exp", json!(-1)),
        TokenLie::ExpNull => put("exp", Value::Null),
        TokenLie::IatMissing => drop(claims.remove("iat")),
        TokenLie::IatFuture => put("iat", json!(now + 600)),
        TokenLie::IatString => put("iat", json!(now.to_string())),
        TokenLie::IatOld => put("iat", json!(now - 2 * 86_400)),
        TokenLie::NbfFuture => put("nbf", json!(now + 600)),
        TokenLie::NbfString => put("nbf", json!(now.to_string())),
        TokenLie::NonceMissing => drop(claims.remove("nonce")),
        TokenLie::NonceWrong => put("nonce", json!("not-the-nonce-you-sent")),
        TokenLie::AuthTimeChanged => {
            let before = claims
                .get("auth_time")
                .and_then(Value::as_i64)
                .unwrap_or(now);
            claims.insert("auth_time".into(), json!(before - 3_600));
        }
        TokenLie::SidMissing => drop(claims.remove("sid")),
        TokenLie::JtiMissing => drop(claims.remove("jti")),
        TokenLie::AtHashWrong => put("at_hash", json!(half_hash("another access token"))),
        TokenLie::AtHashMissingValid => drop(claims.remove("at_hash")),
        TokenLie::EmailMissing => drop(claims.remove("email")),
        TokenLie::EmailUnverified => put("email_verified", json!(false)),
        TokenLie::GroupsMissing => drop(claims.remove("groups")),
        TokenLie::TenantMissing => drop(claims.remove("tenant_id")),
        TokenLie::TenantOther => {
            let mine = text(claims, "tenant_id");
            let other = world
                .directory()
                .tenants
                .iter()
                .find(|t| t.id != mine)
                .map(|t| t.id.clone());
            claims.insert("tenant_id".into(), json!(other));
        }
        TokenLie::Oversize => put("padding", json!("x".repeat(9_000))),
        TokenLie::DeepNesting => {
            put(
                "deep",
                (0..2_000).fold(Value::Null, |inner, _| Value::Array(vec![inner])),
            );
        }
        TokenLie::LogoutWithNonce => put("nonce", json!("a-logout-token-has-none")),
        TokenLie::LogoutWithoutEvent => drop(claims.remove("events")),
        TokenLie::LogoutWrongEvent => {
            put("events", json!({"http://schemas.example/event/other": {}}))
        }
        TokenLie::PayloadArray => draft.payload = Payload::Array,
        TokenLie::DuplicateSub => {
            let other = another_person(world, &text(claims, "sub"));
            draft.payload = Payload::DuplicateSub(other);
        }
        TokenLie::PayloadChanged => draft.payload = Payload::ChangedAfterSigning,
        _ => {}
    }
}

fn lie_about_header(
    world: &World,
    draft: &mut Draft,
    lie: TokenLie,
    signer: &SigningKey,
    stranger: &SigningKey,
) {
    let header = &mut draft.header;
    let mut put = |name: &str, value: Value| {
        header.insert(name.to_owned(), value);
    };
    let stranger_set = format!("{}/_emulator/stranger-jwks.json", world.base_url);
    match lie {
        TokenLie::AlgNone => {
            put("alg", json!("none"));
            draft.seal = Seal::Empty;
        }
        TokenLie::AlgNoneMixedCase => {
            put("alg", json!("nOnE"));
            draft.seal = Seal::Empty;
        }
        TokenLie::AlgMissing => drop(header.remove("alg")),
        TokenLie::Hs256WithPublicPem => {
            put("alg", json!("HS256"));
            draft.seal = Seal::Hmac(signer.public_pem().into_bytes());
        }
        TokenLie::Hs256WithPublicDer => {
            put("alg", json!("HS256"));
            draft.seal = Seal::Hmac(signer.public_der());
        }
        TokenLie::AlgRs512 => {
            put("alg", json!("RS512"));
            draft.seal = Seal::Rs512;
        }
        TokenLie::AlgPs256 => {
            put("alg", json!("PS256"));
            draft.seal = Seal::Ps256;
        }
        TokenLie::AlgMismatch => {
            let honest = signer.alg() == crate::keys::SigningAlg::Rs256;
            put("alg", json!(if honest { "ES256" } else { "RS256" }));
        }
        TokenLie::BadSignature => draft.seal = Seal::Flipped,
        TokenLie::EmptySignature => draft.seal = Seal::Empty,
        TokenLie::StrangerKey => {
            put("alg", json!(stranger.alg().name()));
            draft.seal = Seal::Stranger;
        }
        TokenLie::KidMissing => drop(header.remove("kid")),
        TokenLie::KidUnknown => {
            put("kid", json!(stranger.kid));
            put("alg", json!(stranger.alg().name()));
            draft.seal = Seal::Stranger;
        }
        TokenLie::KidNumber => put("kid", json!(1)),
        TokenLie::JkuHeader | TokenLie::X5uHeader => {
            put(
                if lie == TokenLie::JkuHeader {
                    "jku"
                } else {
                    "x5u"
                },
                json!(stranger_set),
            );
            put("kid", json!(stranger.kid));
            put("alg", json!(stranger.alg().name()));
            draft.seal = Seal::Stranger;
        }
        TokenLie::JwkHeader => {
            put("jwk", stranger.jwk());
            put("kid", json!(stranger.kid));
            put("alg", json!(stranger.alg().name()));
            draft.seal = Seal::Stranger;
        }
        TokenLie::CritHeader => {
            put("crit", json!(["scaikey-unknown"]));
            put("scaikey-unknown", json!(true));
        }
        TokenLie::CritEmpty => put("crit", json!([])),
        TokenLie::B64False => {
            put("crit", json!(["b64"]));
            put("b64", json!(false));
        }
        TokenLie::TypAccessToken => put("typ", json!("at+jwt")),
        TokenLie::TypLogoutToken => put("typ", json!("logout+jwt")),
        TokenLie::TypSecurityEvent => put("typ", json!("secevent+jwt")),
        TokenLie::TypMissingValid => drop(header.remove("typ")),
        TokenLie::TwoSegments => draft.shape = Shape::Two,
        TokenLie::FourSegments => draft.shape = Shape::Four,
        TokenLie::Padded => draft.shape = Shape::Padded,
        _ => {}
    }
}

fn seconds(unix: i64) -> f64 {
    // Good until 2106, when 32 bits of seconds end.
    f64::from(u32::try_from(unix).unwrap_or(u32::MAX))
}

fn another_person(world: &World, not: &str) -> String {
    let directory = world.directory();
    directory
        .users
        .iter()
        .find(|u| u.id != not)
        .map_or_else(|| "usr_nobody".to_owned(), |u| u.id.clone())
}

fn payload(draft: &Draft) -> String {
    let honest = Value::Object(draft.claims.clone()).to_string();
    match &draft.payload {
        Payload::Object | Payload::ChangedAfterSigning => honest,
        Payload::Array => format!("[{honest}]"),
        Payload::DuplicateSub(other) => {
            format!(
                "{},\"sub\":{}}}",
                honest.trim_end_matches('}'),
                json!(other)
            )
        }
    }
}

fn assemble(draft: &Draft, signer: &SigningKey, stranger: &SigningKey) -> String {
    let encode = |bytes: &[u8]| match draft.shape {
        Shape::Padded => URL_SAFE.encode(bytes),
        _ => URL_SAFE_NO_PAD.encode(bytes),
    };
    let header = encode(Value::Object(draft.header.clone()).to_string().as_bytes());
    let mut body = encode(payload(draft).as_bytes());
    let message = format!("{header}.{body}");
    let signature = match &draft.seal {
        Seal::Honest => signer.sign(message.as_bytes()),
        Seal::Empty => Vec::new(),
        Seal::Hmac(secret) => hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, secret),
            message.as_bytes(),
        )
        .as_ref()
        .to_vec(),
        Seal::Rs512 => signer.sign_rs512(message.as_bytes()),
        Seal::Ps256 => signer.sign_ps256(message.as_bytes()),
        Seal::Flipped => {
            let mut signature = signer.sign(message.as_bytes());
            if let Some(byte) = signature.get_mut(20) {
                *byte ^= 1;
            }
            signature
        }
        Seal::Stranger => stranger.sign(message.as_bytes()),
    };
    if draft.payload == Payload::ChangedAfterSigning {
        let mut changed = draft.claims.clone();
        changed.insert("email".into(), json!("root@acme.example"));
        body = encode(Value::Object(changed).to_string().as_bytes());
    }
    let signature = encode(&signature);
    match draft.shape {
        Shape::Two => format!("{header}.{body}"),
        Shape::Four => format!("{header}.{body}.{signature}.AAAA"),
        Shape::Three | Shape::Padded => format!("{header}.{body}.{signature}"),
    }
}

/// The claims of a logout token, honest.
pub(crate) fn logout_claims(
    iss: &str,
    aud: &str,
    sub: Option<&str>,
    sid: Option<&str>,
    now: i64,
    jti: &str,
) -> Claims {
    let mut claims = Claims::new();
    claims.insert("iss".into(), json!(iss));
    claims.insert("aud".into(), json!(aud));
    claims.insert("iat".into(), json!(now));
    claims.insert("exp".into(), json!(now + 120));
    claims.insert("jti".into(), json!(jti));
    claims.insert("events".into(), json!({ LOGOUT_EVENT: {} }));
    if let Some(sub) = sub {
        claims.insert("sub".into(), json!(sub));
    }
    if let Some(sid) = sid {
        claims.insert("sid".into(), json!(sid));
    }
    claims
}
