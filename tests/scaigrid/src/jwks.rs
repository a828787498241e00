//! The built-in verifier of ScaiKey tokens: keys over plain HTTP, checks with `ring`.

use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use url::Url;

use crate::caller::Claims;

/// Tolerance of `exp` and `nbf`, seconds.
const SKEW: i64 = 60;

pub(crate) struct KeySet {
    url: String,
    audiences: Vec<String>,
    keys: Mutex<Vec<Value>>,
}

impl KeySet {
    pub(crate) fn new(url: String, audiences: Vec<String>) -> Self {
        Self {
            url,
            audiences,
            keys: Mutex::new(Vec::new()),
        }
    }

    /// The claims of a good token.
    pub(crate) async fn verify(&self, token: &str, now: i64) -> Option<Claims> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let (header, payload) = (json(header)?, json(payload)?);
        let key = self.key(header["kid"].as_str()?).await?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        if !holds(
            &key,
            header["alg"].as_str()?,
            message.as_bytes(),
            &signature,
        ) {
            return None;
        }
        let is_timely = payload["exp"].as_i64()? > now - SKEW
            && payload["nbf"].as_i64().is_none_or(|nbf| nbf <= now + SKEW);
        (is_timely && self.is_for_us(&payload["aud"])).then(|| Claims::from_json(&payload))?
    }

    fn is_for_us(&self, aud: &Value) -> bool {
        let ours = |aud: &Value| {
            aud.as_str()
                .is_some_and(|aud| self.audiences.iter().any(|ours| ours == aud))
        };
        self.audiences.is_empty()
            || ours(aud)
            || aud.as_array().is_some_and(|all| all.iter().any(ours))
    }

    async fn key(&self, kid: &str) -> Option<Value> {
        let of = |keys: &[Value]| keys.iter().find(|key| key["kid"] == kid).cloned();
        let mut keys = self.keys.lock().await;
        if let Some(key) = of(&keys) {
            return Some(key);
        }
        let set = timeout(Duration::from_secs(5), fetch(&self.url)).await;
        let set: Value = serde_json::from_slice(&set.ok()?.ok()?).ok()?;
        *keys = set["keys"].as_array()?.clone();
        of(&keys)
    }
}

fn json(segment: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).ok()?).ok()
}

fn holds(key: &Value, alg: &str, message: &[u8], signature: &[u8]) -> bool {
    let part = |name: &str| {
        let text = key[name].as_str().unwrap_or_default();
        URL_SAFE_NO_PAD.decode(text).unwrap_or_default()
    };
    match (key["kty"].as_str(), alg) {
        (Some("RSA"), "RS256") => {
            let key = RsaPublicKeyComponents {
                n: part("n"),
                e: part("e"),
            };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok()
        }
        (Some("EC"), "ES256") => {
            let point = [vec![4], part("x"), part("y")].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(message, signature)
                .is_ok()
        }
        _ => false,
    }
}

/// Reads a document of at most 1 MiB; HTTP/1.0, so that neither chunks nor a kept connection come back.
async fn fetch(url: &str) -> anyhow::Result<Vec<u8>> {
    let url = Url::parse(url)?;
    anyhow::ensure!(url.scheme() == "http", "only plain http is spoken here");
    let host = url.host_str().context("no host")?;
    let port = url.port_or_known_default().unwrap_or(80);
    let mut stream = TcpStream::connect((host, port)).await?;
    let request = format!(
        "GET {} HTTP/1.0\r\nHost: {host}:{port}\r\nAccept: application/json\r\n\r\n",
        url.path()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(1 << 20).read_to_end(&mut answer).await?;
    let end = answer
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .context("no header")?;
    let status = answer.get(9..12).unwrap_or_default();
    anyhow::ensure!(
        answer.starts_with(b"HTTP/1.") && status == b"200",
        "the key set is not there"
    );
    Ok(answer.split_off(end + 4))
}
