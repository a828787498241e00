//! Signing keys and the published key set.
//!
//! RSA keys are fixed test keys (making one takes seconds); EC keys are made at start. Signing is done with
//! `ring`, so the product's verifier is checked against an implementation that is not its own.

use std::sync::Arc;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// TEST KEYS. They protect nothing and are public on purpose.
const RSA_TEST_KEYS: [&str; 4] = [
    include_str!("test_keys/rsa-1.test-only.pem"),
    include_str!("test_keys/rsa-2.test-only.pem"),
    include_str!("test_keys/rsa-3.test-only.pem"),
    include_str!("test_keys/rsa-4.test-only.pem"),
];
/// A test key that is never published: the forger's.
const RSA_STRANGER_TEST_KEY: &str = include_str!("test_keys/rsa-stranger.test-only.pem");

/// The two algorithms a ScaiKey deployment may be set to (`contract/scaikey.md` 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SigningAlg {
    /// RSASSA-PKCS1-v1_5 with SHA-256, ScaiKey's default.
    #[default]
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl SigningAlg {
    /// The JOSE name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// What happens to the replaced keys at a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// The old keys stay published.
    KeepOld,
    /// The old keys vanish from the key set at once.
    DropOld,
}

/// One key pair with its `kid`.
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

impl SigningKey {
    fn rsa(kid: &str, pem: &str) -> anyhow::Result<Self> {
        let der = STANDARD
            .decode(
                pem.lines()
                    .filter(|line| !line.starts_with("-----"))
                    .collect::<String>(),
            )
            .context("test key is not base64")?;
        let pair = RsaKeyPair::from_pkcs8(&der).map_err(|e| anyhow::anyhow!("test key: {e}"))?;
        Ok(Self {
            kid: kid.to_owned(),
            pair: Pair::Rsa(pair),
        })
    }

    fn ec(kid: &str) -> anyhow::Result<Self> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map_err(|_| anyhow::anyhow!("cannot make an EC key"))?;
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random)
                .map_err(|e| anyhow::anyhow!("EC key: {e}"))?;
        Ok(Self {
            kid: kid.to_owned(),
            pair: Pair::Ec(pair),
        })
    }

    pub(crate) fn alg(&self) -> SigningAlg {
        match self.pair {
            Pair::Rsa(_) => SigningAlg::Rs256,
            Pair::Ec(_) => SigningAlg::Es256,
        }
    }

    /// Signs with the key's own algorithm; an EC signature is the fixed 64 bytes of RFC 7518 section 3.4.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(_) => self.sign_rsa(&RSA_PKCS1_SHA256, message),
            Pair::Ec(pair) => pair
                .sign(&SystemRandom::new(), message)
                .expect("an EC key signs")
                .as_ref()
                .to_vec(),
        }
    }

    /// RS512, an algorithm that was never agreed on. An EC key has none: it signs as usual.
    pub(crate) fn sign_rs512(&self, message: &[u8]) -> Vec<u8> {
        self.sign_rsa(&RSA_PKCS1_SHA512, message)
    }

    /// PS256, an algorithm that was never agreed on. An EC key has none: it signs as usual.
    pub(crate) fn sign_ps256(&self, message: &[u8]) -> Vec<u8> {
        self.sign_rsa(&RSA_PSS_SHA256, message)
    }

    fn sign_rsa(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let Pair::Rsa(pair) = &self.pair else {
            return self.sign(message);
        };
        let mut signature = vec![0_u8; pair.public().modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), message, &mut signature)
            .expect("an RSA key signs");
        signature
    }

    /// The public half as a JWK (RFC 7517).
    pub(crate) fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Rsa(pair) => {
                let parts: PublicKeyComponents<Vec<u8>> = pair.public().into();
                json!({
                    "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
                    "n": URL_SAFE_NO_PAD.encode(&parts.n), "e": URL_SAFE_NO_PAD.encode(&parts.e),
                })
            }
            Pair::Ec(pair) => {
                let point = pair.public_key().as_ref();
                json!({
                    "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
                    "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65]),
                })
            }
        }
    }

    /// The public half as SubjectPublicKeyInfo, in DER: what an algorithm-confusion attack uses as HMAC key.
    pub(crate) fn public_der(&self) -> Vec<u8> {
        // The fixed DER prefixes for a 2048-bit RSA key and for a point on P-256.
        const RSA: [u8; 24] = [
            0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
            0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00,
        ];
        const EC: [u8; 26] = [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
            0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ];
        match &self.pair {
            Pair::Rsa(pair) => [&RSA[..], pair.public().as_ref()].concat(),
            Pair::Ec(pair) => [&EC[..], pair.public_key().as_ref()].concat(),
        }
    }

    /// The same in PEM, with a final newline.
    pub(crate) fn public_pem(&self) -> String {
        let text = STANDARD.encode(self.public_der());
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap_or_default())
            .collect();
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            lines.join("\n")
        )
    }
}

/// The keys in use: one per algorithm signs, all are published.
pub(crate) struct KeyRing {
    published: Vec<Arc<SigningKey>>,
    rsa: Arc<SigningKey>,
    ec: Arc<SigningKey>,
    stranger: Arc<SigningKey>,
    generation: usize,
}

impl KeyRing {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let rsa = Arc::new(SigningKey::rsa("sk-rsa-1", RSA_TEST_KEYS[0])?);
        let ec = Arc::new(SigningKey::ec("sk-ec-1")?);
        Ok(Self {
            published: vec![rsa.clone(), ec.clone()],
            rsa,
            ec,
            stranger: Arc::new(SigningKey::rsa("stranger-1", RSA_STRANGER_TEST_KEY)?),
            generation: 1,
        })
    }

    /// New keys of both algorithms sign from now on. At most three rotations, then an error: there are four RSA keys.
    pub(crate) fn rotate(&mut self, rotation: Rotation) -> anyhow::Result<()> {
        let Some(pem) = RSA_TEST_KEYS.get(self.generation) else {
            bail!(
                "no test key left: an emulator rotates at most {} times",
                RSA_TEST_KEYS.len() - 1
            );
        };
        self.generation += 1;
        self.rsa = Arc::new(SigningKey::rsa(
            &format!("sk-rsa-{}", self.generation),
            pem,
        )?);
        self.ec = Arc::new(SigningKey::ec(&format!("sk-ec-{}", self.generation))?);
        if rotation == Rotation::DropOld {
            self.published.clear();
        }
        self.published
            .splice(0..0, [self.rsa.clone(), self.ec.clone()]);
        Ok(())
    }

    pub(crate) fn signer(&self, alg: SigningAlg) -> Arc<SigningKey> {
        match alg {
            SigningAlg::Rs256 => self.rsa.clone(),
            SigningAlg::Es256 => self.ec.clone(),
        }
    }

    pub(crate) fn stranger(&self) -> Arc<SigningKey> {
        self.stranger.clone()
    }

    pub(crate) fn published(&self) -> &[Arc<SigningKey>] {
        &self.published
    }
}
