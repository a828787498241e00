//! A relying party small enough to read: it builds requests, and reads tokens without judging them.
#![expect(dead_code, reason = "each test file uses its own part")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response};
use ring::digest::{SHA256, digest};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use scaikey_emulator::{Behaviour, Directory, Emulator, Options, plain_http, seed};
use serde_json::Value;
use url::Url;

pub const REDIRECT: &str = "http://127.0.0.1:9/v1/auth/callback";
pub const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0";
pub const START: i64 = 1_750_000_000;

/// An emulator with a clock that stands still until told otherwise.
pub struct Bench {
    pub emulator: Emulator,
    now: Arc<AtomicI64>,
}

impl Bench {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(edit: impl FnOnce(&mut Behaviour)) -> Self {
        Self::over(None, edit).await
    }

    /// With a directory of the test's own.
    pub async fn over(directory: Option<Directory>, edit: impl FnOnce(&mut Behaviour)) -> Self {
        let now = Arc::new(AtomicI64::new(START * 1_000));
        let mut behaviour = Behaviour {
            auto_login: true,
            ..Behaviour::default()
        };
        edit(&mut behaviour);
        let clock = now.clone();
        let emulator = Emulator::start(Options {
            clock: Arc::new(move || clock.load(Ordering::SeqCst)),
            redirect_uris: vec![REDIRECT.to_owned()],
            post_logout_redirect_uris: vec!["http://127.0.0.1:9/bye".to_owned()],
            control: true,
            behaviour,
            directory,
            ..Options::default()
        })
        .await
        .unwrap();
        Self { emulator, now }
    }

    pub fn advance(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.emulator.base_url())
    }

    pub async fn get(&self, path: &str) -> Response<Bytes> {
        plain_http::send(Request::get(self.url(path)).body(Bytes::new()).unwrap())
            .await
            .unwrap()
    }

    pub async fn get_as(&self, path: &str, token: &str) -> Response<Bytes> {
        let request =
            Request::get(self.url(path)).header("authorization", format!("Bearer {token}"));
        plain_http::send(request.body(Bytes::new()).unwrap())
            .await
            .unwrap()
    }

    /// Any request with a JSON body, as the holder of a token.
    pub async fn send_as(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Response<Bytes> {
        let request = Request::builder()
            .method(method)
            .uri(self.url(path))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()));
        plain_http::send(request.unwrap()).await.unwrap()
    }

    /// The rows of a list answer, in whichever envelope.
    pub async fn rows(&self, path: &str, token: &str) -> Vec<Value> {
        let response = self.get_as(path, token).await;
        let told = String::from_utf8_lossy(response.body());
        assert_eq!(response.status(), 200, "{path}: {told}");
        let body = json(&response);
        let list = if body.is_array() {
            &body
        } else if body["items"].is_array() {
            &body["items"]
        } else {
            &body["data"]
        };
        list.as_array().cloned().unwrap_or_default()
    }

    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Response<Bytes> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = Request::post(self.url(path))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(body))
            .unwrap();
        plain_http::send(request).await.unwrap()
    }

    /// A token request of the seeded WEB client.
    pub async fn token(&self, fields: &[(&str, &str)]) -> (u16, Value) {
        let own = [
            ("client_id", seed::CLIENT_ID),
            ("client_secret", seed::CLIENT_SECRET),
        ];
        let fields: Vec<_> = own.iter().chain(fields).copied().collect();
        let response = self.form("/api/v1/platform/oauth/token", &fields).await;
        (response.status().as_u16(), json(&response))
    }

    pub fn authorize_path(&self, extra: &[(&str, &str)]) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let usual = [
            ("response_type", "code"),
            ("client_id", seed::CLIENT_ID),
            ("redirect_uri", REDIRECT),
            ("scope", "openid profile email offline_access scaicore:view"),
            ("state", "state-1"),
            ("nonce", "nonce-1"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("login_hint", "alice@acme.example"),
        ];
        let changed = |name: &str| extra.iter().any(|(key, _)| *key == name);
        let pairs = usual
            .iter()
            .filter(|(key, _)| !changed(key))
            .chain(extra.iter().filter(|(_, v)| !v.is_empty()));
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        format!("/api/v1/platform/oauth/authorize?{query}")
    }

    /// The callback address that an authorization ends at.
    pub async fn callback(&self, extra: &[(&str, &str)]) -> Url {
        let response = self.get(&self.authorize_path(extra)).await;
        location(&response)
    }

    pub async fn code(&self) -> String {
        param(&self.callback(&[]).await, "code").unwrap()
    }

    pub async fn redeem(&self, code: &str) -> (u16, Value) {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    /// Signs alice in and returns the token answer.
    pub async fn sign_in(&self) -> Value {
        let code = self.code().await;
        let (status, answer) = self.redeem(&code).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub async fn refresh(&self, token: &str) -> (u16, Value) {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    }

    /// A service token of the seeded SERVICE client.
    pub async fn service_token(&self) -> String {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", seed::SERVICE_CLIENT_ID),
            ("client_secret", seed::SERVICE_CLIENT_SECRET),
        ];
        let response = self.form("/api/v1/platform/oauth/token", &fields).await;
        text(&json(&response)["access_token"])
    }

    /// A person's access token. The behaviour must allow the password grant.
    pub async fn token_of(&self, email: &str) -> String {
        let fields = [
            ("grant_type", "password"),
            ("username", email),
            ("password", seed::PASSWORD),
        ];
        text(&self.token(&fields).await.1["access_token"])
    }

    /// Whether the token's signature holds under the published key of its `kid`.
    pub async fn verifies(&self, token: &str) -> bool {
        let set = json(&self.get("/api/v1/platform/.well-known/jwks.json").await);
        let keys = set["keys"].as_array().cloned().unwrap_or_default();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else {
            return false;
        };
        let header = header(token);
        let Some(key) = keys.iter().find(|key| key["kid"] == header["kid"]) else {
            return false;
        };
        let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
        match (key["kty"].as_str(), header["alg"].as_str()) {
            (Some("RSA"), Some("RS256")) => RsaPublicKeyComponents {
                n: part("n"),
                e: part("e"),
            }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature)
            .is_ok(),
            (Some("EC"), Some("ES256")) => {
                let point = [vec![4], part("x"), part("y")].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .verify(message.as_bytes(), &signature)
                    .is_ok()
            }
            _ => false,
        }
    }
}

pub fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or(Value::Null)
}

pub fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a string: {value}"))
        .to_owned()
}

pub fn location(response: &Response<Bytes>) -> Url {
    let to = response.headers().get("location").unwrap_or_else(|| {
        panic!(
            "no redirect but {}: {}",
            response.status(),
            String::from_utf8_lossy(response.body())
        )
    });
    Url::parse(to.to_str().unwrap()).unwrap()
}

pub fn param(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn part(token: &str, n: usize) -> Value {
    let part = token.split('.').nth(n).unwrap().trim_end_matches('=');
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub fn header(token: &str) -> Value {
    part(token, 0)
}

pub fn claims(token: &str) -> Value {
    part(token, 1)
}
