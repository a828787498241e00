//! ScaiKey's RSA key for a program that takes keys from files: PEM of its SubjectPublicKeyInfo.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::bench::answer::field;

/// The tags of X.690 section 8 that a key needs.
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;
/// rsaEncryption with its NULL, in DER (RFC 8017 appendix A.1).
const RSA_ENCRYPTION: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
/// Characters of a line (RFC 7468 section 2).
const LINE: usize = 64;

/// A key to verify signatures with.
#[derive(Debug)]
pub struct PublicKey {
    /// What tokens name it by.
    pub id: String,
    /// The key, as a file has it.
    pub pem: String,
}

impl PublicKey {
    /// The first RSA key of a key set (RFC 7517).
    ///
    /// # Errors
    /// There is none, or it lacks something.
    pub fn first_rsa(set: &Value) -> Result<Self> {
        let keys = set.get("keys").and_then(Value::as_array);
        let jwk = keys
            .into_iter()
            .flatten()
            .find(|jwk| jwk.get("kty").and_then(Value::as_str) == Some("RSA"))
            .context("no RSA key in the key set")?;
        let number = |name| -> Result<Vec<u8>> {
            let digits = URL_SAFE_NO_PAD.decode(field(jwk, name)?);
            digits.with_context(|| format!("`{name}` of the key"))
        };
        Ok(Self {
            id: field(jwk, "kid")?,
            pem: pem(&number("n")?, &number("e")?),
        })
    }
}

fn pem(modulus: &[u8], exponent: &[u8]) -> String {
    let numbers = [unsigned(modulus), unsigned(exponent)].concat();
    // The first byte of a bit string says how many bits of the last one are not used.
    let bits = [&[0], element(SEQUENCE, &numbers).as_slice()].concat();
    let key = [&RSA_ENCRYPTION, element(BIT_STRING, &bits).as_slice()].concat();
    let mut text = "-----BEGIN PUBLIC KEY-----\n".to_owned();
    for (place, character) in STANDARD.encode(element(SEQUENCE, &key)).chars().enumerate() {
        if place > 0 && place % LINE == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text + "\n-----END PUBLIC KEY-----\n"
}

/// A number that is not negative, which its first bit would say.
fn unsigned(digits: &[u8]) -> Vec<u8> {
    match digits.first() {
        Some(0x80..) => element(INTEGER, &[&[0], digits].concat()),
        _ => element(INTEGER, digits),
    }
}

/// Tag, length and content (X.690 section 10.1: the shortest length).
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let leading = length.iter().take_while(|byte| **byte == 0).count();
    let digits = length.get(leading..).unwrap_or_default();
    let mut bytes = vec![tag];
    match digits {
        [] => bytes.push(0),
        [short @ 0..0x80] => bytes.push(*short),
        _ => {
            bytes.push(0x80 | digits.len() as u8);
            bytes.extend(digits);
        }
    }
    bytes.extend(content);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Moduli of 512, 1024 and 2048 bits, whose lengths are written in one, two and three bytes, and
    /// what `openssl rsa -pubout` makes of them.
    const KEYS: [(&str, &str); 3] = [
        (
            "xpEGRhI_TGJql7J1RbpcpTmZHSm_eL52kbroyxWGPmg7wg4vZsZ5yqz-rCkQFEqO\
             HT1RFYQ0zwncTpoYlFqy4Q",
            "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMaRBkYSP0xiapeydUW6XKU5mR0pv3i+\n\
             dpG66MsVhj5oO8IOL2bGecqs/qwpEBRKjh09URWENM8J3E6aGJRasuECAwEAAQ==",
        ),
        (
            "4NXIjqFX9TEDdFtZ29SxD6atCbhtE2U6cOtzHHgq8V_i4BoGlNfpGvX3adcMZEHL\
             zBpgI-db_0JWb-Mu6l9hwcwAseKquEozkQDfR-7HMqmTLqchVMLHXhiMHEUAjrFh\
             xiLcAfZtEE44OEBBtOpkTTi4_R7pBDXFo43KqnMFYf0",
            "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDg1ciOoVf1MQN0W1nb1LEPpq0J\n\
             uG0TZTpw63MceCrxX+LgGgaU1+ka9fdp1wxkQcvMGmAj51v/QlZv4y7qX2HBzACx\n\
             4qq4SjORAN9H7scyqZMupyFUwsdeGIwcRQCOsWHGItwB9m0QTjg4QEG06mRNOLj9\n\
             HukENcWjjcqqcwVh/QIDAQAB",
        ),
        (
            "0EvVAEjMPJCTObdmw31l74IwRtqgQdTKAtgk9kA_pf0x4UfjgdY5r8qM-jFuvTBd\
             B3C_ytAaDc_8X69B-PfitaHJdL34fYctzhN_0raqXZNKqAj7xDs2WmaGXPiUvfwk\
             kk-wqVDqqjrWlSpFi7tRW-Cy311Jg_ucg0dTM-aKU4k3U-xtWbokk1_kxnpf84tO\
             tTc2uvYL81nz25YUpvYptcyqZZpwaehnOjo5Nq8_9_JQwuknj_GM93ndnikdNATE\
             br_B-CTjrWg0-6pudJzpX89ffq8yWEkmGQ0yOoCiU5Xzye1mGsdPGOsOb3-9ZTzO\
             YAZKoXL0m9FqxZx91Bh8fw",
            "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0EvVAEjMPJCTObdmw31l\n\
             74IwRtqgQdTKAtgk9kA/pf0x4UfjgdY5r8qM+jFuvTBdB3C/ytAaDc/8X69B+Pfi\n\
             taHJdL34fYctzhN/0raqXZNKqAj7xDs2WmaGXPiUvfwkkk+wqVDqqjrWlSpFi7tR\n\
             W+Cy311Jg/ucg0dTM+aKU4k3U+xtWbokk1/kxnpf84tOtTc2uvYL81nz25YUpvYp\n\
             tcyqZZpwaehnOjo5Nq8/9/JQwuknj/GM93ndnikdNATEbr/B+CTjrWg0+6pudJzp\n\
             X89ffq8yWEkmGQ0yOoCiU5Xzye1mGsdPGOsOb3+9ZTzOYAZKoXL0m9FqxZx91Bh8\n\
             fwIDAQAB",
        ),
    ];

    #[test]
    fn is_written_as_openssl_does() -> Result<()> {
        for (modulus, lines) in KEYS {
            let set = json!({ "keys": [
                { "kty": "EC", "kid": "ec-1", "crv": "P-256", "x": "AA", "y": "AA" },
                { "kty": "RSA", "kid": "rsa-1", "n": modulus, "e": "AQAB" },
                { "kty": "RSA", "kid": "rsa-2", "n": "AQ", "e": "AQAB" },
            ] });
            let key = PublicKey::first_rsa(&set)?;
            let pem = format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n");
            assert_eq!((key.id.as_str(), key.pem), ("rsa-1", pem));
        }
        Ok(())
    }

    #[test]
    fn a_number_whose_first_bit_is_free_stays_as_it_is() {
        assert_eq!(unsigned(&[0x7f]), [2, 1, 0x7f]);
        assert_eq!(unsigned(&[0x80]), [2, 2, 0, 0x80]);
    }

    #[test]
    fn a_set_without_a_whole_rsa_key_has_none() {
        for (set, why) in [
            (json!({}), "no RSA key in the key set"),
            (
                json!({ "keys": [{ "kty": "EC" }] }),
                "no RSA key in the key set",
            ),
            (
                json!({ "keys": [{ "kty": "RSA", "n": "AQ", "e": "AQAB" }] }),
                "no `kid` in the answer",
            ),
            (
                json!({ "keys": [{ "kty": "RSA", "kid": "1", "n": "+", "e": "AQAB" }] }),
                "`n` of the key",
            ),
        ] {
            let error = PublicKey::first_rsa(&set).map(|key| key.pem);
            let error = error.map_err(|error| error.to_string());
            assert_eq!(error, Err(why.to_owned()), "{set}");
        }
    }
}
