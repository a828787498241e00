//! Another implementation's signatures.

use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use scaigate_jose::Jwks;
use scaigate_types::encoding::{base64url, from_base64url};
use serde_json::{Value, json};

use crate::published::{ED25519, P256, RSA_A, RSA_B, RsaNumbers};

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    RsaA,
    RsaB,
    P256,
    Ed25519,
}

impl Signer {
    pub const ALL: [Self; 4] = [Self::RsaA, Self::RsaB, Self::P256, Self::Ed25519];

    pub fn alg(self) -> &'static str {
        match self {
            Self::RsaA | Self::RsaB => "RS256",
            Self::P256 => "ES256",
            Self::Ed25519 => "EdDSA",
        }
    }

    pub fn kid(self) -> &'static str {
        match self {
            Self::RsaA => "rsa-a",
            Self::RsaB => "rsa-b",
            Self::P256 => "p256",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The public key as ScaiKey would publish it.
    pub fn jwk(self) -> Value {
        let mut jwk = match self {
            Self::RsaA => json!({"kty": "RSA", "n": RSA_A.n, "e": "AQAB"}),
            Self::RsaB => json!({"kty": "RSA", "n": RSA_B.n, "e": "AQAB"}),
            Self::P256 => json!({"kty": "EC", "crv": "P-256", "x": P256[0], "y": P256[1]}),
            Self::Ed25519 => json!({"kty": "OKP", "crv": "Ed25519", "x": ED25519[0]}),
        };
        jwk["kid"] = self.kid().into();
        jwk["use"] = "sig".into();
        jwk["alg"] = self.alg().into();
        jwk
    }

    /// `{"alg": …, "kid": …}`.
    pub fn header(self) -> Value {
        json!({"alg": self.alg(), "kid": self.kid()})
    }

    /// A token with the usual header.
    pub fn token(self, claims: &Value) -> String {
        self.token_with(&self.header(), claims)
    }

    /// A token with any header and claims.
    pub fn token_with(self, header: &Value, claims: &Value) -> String {
        self.token_of(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    /// A token of any bytes.
    pub fn token_of(self, header: &[u8], payload: &[u8]) -> String {
        let input = format!("{}.{}", base64url(header), base64url(payload));
        format!("{input}.{}", base64url(&self.sign(input.as_bytes())))
    }

    fn sign(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::RsaA => sign_rsa(&RSA_A, message),
            Self::RsaB => sign_rsa(&RSA_B, message),
            Self::P256 => {
                let random = SystemRandom::new();
                let point = [vec![4], bytes(P256[0]), bytes(P256[1])].concat();
                EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    &bytes(P256[2]),
                    &point,
                    &random,
                )
                .unwrap()
                .sign(&random, message)
                .unwrap()
                .as_ref()
                .to_vec()
            }
            Self::Ed25519 => {
                Ed25519KeyPair::from_seed_and_public_key(&bytes(ED25519[1]), &bytes(ED25519[0]))
                    .unwrap()
                    .sign(message)
                    .as_ref()
                    .to_vec()
            }
        }
    }
}

/// Tokens with these claims that `RsaA`'s holder didn't sign, each with what is wrong about it: all
/// name its key, or none.
pub fn forgeries(claims: &Value) -> Vec<(&'static str, String)> {
    let unsigned = |alg: Value| {
        let mut header = json!({"kid": "rsa-a", "alg": alg});
        if alg.is_null() {
            header.as_object_mut().unwrap().remove("alg");
        }
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        format!("{}.{}.", part(&header), part(claims))
    };
    let hs256 = {
        let input = unsigned(json!("HS256"));
        let input = input.trim_end_matches('.');
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &bytes(RSA_A.n));
        format!(
            "{input}.{}",
            base64url(ring::hmac::sign(&key, input.as_bytes()).as_ref())
        )
    };
    let by = |signer: Signer, header: Value| signer.token_with(&header, claims);
    let stolen = json!({"alg": "RS256", "kid": "stolen", "jwk": Signer::RsaB.jwk()});
    let jku = json!({"alg": "RS256", "kid": "stolen", "jku": "https://evil.example/jwks.json"});
    let crit = json!({"alg": "RS256", "kid": "rsa-a", "crit": ["exp"], "exp": 1});
    vec![
        ("n065 alg none", unsigned(json!("none"))),
        ("n065 alg None", unsigned(json!("None"))),
        ("n065 alg nOnE", unsigned(json!("nOnE"))),
        ("n065 no alg", unsigned(Value::Null)),
        ("n065 no signature", unsigned(json!("RS256"))),
        ("n066 public key as secret", hs256),
        ("n067 another key", by(Signer::RsaB, Signer::RsaA.header())),
        (
            "n067 another algorithm",
            by(Signer::P256, json!({"alg": "ES256", "kid": "rsa-a"})),
        ),
        (
            "n067 wrong algorithm named",
            by(Signer::RsaA, json!({"alg": "ES256", "kid": "rsa-a"})),
        ),
        ("n070 key in the header", by(Signer::RsaB, stolen)),
        ("n070 key behind an address", by(Signer::RsaB, jku)),
        ("n070 crit", by(Signer::RsaA, crit)),
    ]
}

/// A key set of these JWKs.
pub fn set_of(jwks: &[Value]) -> Jwks {
    Jwks::parse(json!({"keys": jwks}).to_string().as_bytes()).unwrap()
}

/// A key set of the public keys of these signers.
pub fn keys_of(signers: &[Signer]) -> Jwks {
    set_of(
        &signers
            .iter()
            .map(|signer| signer.jwk())
            .collect::<Vec<_>>(),
    )
}

fn sign_rsa(key: &RsaNumbers, message: &[u8]) -> Vec<u8> {
    let pair = RsaKeyPair::from_components(&KeyPairComponents {
        public_key: PublicKeyComponents {
            n: bytes(key.n),
            e: vec![1, 0, 1],
        },
        d: bytes(key.d),
        p: bytes(key.p),
        q: bytes(key.q),
        dP: bytes(key.dp),
        dQ: bytes(key.dq),
        qInv: bytes(key.qi),
    })
    .unwrap();
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message,
        &mut signature,
    )
    .unwrap();
    signature
}

fn bytes(text: &str) -> Vec<u8> {
    from_base64url(text).unwrap()
}
