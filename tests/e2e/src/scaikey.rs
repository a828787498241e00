//! ScaiKey's own tokens, had without us in between.

use bytes::Bytes;
use http::Request;
use scaikey_emulator::{plain_http, seed};
use serde_json::{Map, Value, json};

use crate::World;

impl World {
    /// A person's tokens: access, refresh and ID token. Lies of those tokens apply.
    pub async fn tokens_of(&self, email: &str) -> Value {
        self.scaikey.switches().change(|b| b.password_grant = true);
        self.grant(&[
            ("grant_type", "password"),
            ("username", email),
            ("password", seed::PASSWORD),
            ("client_id", seed::CLIENT_ID),
            ("client_secret", seed::CLIENT_SECRET),
        ])
        .await
    }

    /// The access token of a service, for itself (`client_credentials`).
    pub async fn service_token(&self) -> String {
        let answer = self
            .grant(&[
                ("grant_type", "client_credentials"),
                ("client_id", seed::SERVICE_CLIENT_ID),
                ("client_secret", seed::SERVICE_CLIENT_SECRET),
            ])
            .await;
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    async fn grant(&self, fields: &[(&str, &str)]) -> Value {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let address = format!("{}/api/v1/platform/oauth/token", self.scaikey.base_url());
        let request = Request::post(address)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(body))
            .expect("a request");
        let answer = plain_http::send(request).await.expect("an answer");
        let value: Value = serde_json::from_slice(answer.body()).expect("JSON");
        assert_eq!(answer.status(), 200, "{value}");
        self.canaries.add_json(&value);
        value
    }

    /// An access token of Bob's with his claims changed (null takes one away), rightly signed.
    #[must_use]
    pub fn minted(&self, changes: Value) -> String {
        self.minted_with(json!({}), changes)
    }

    /// The same with parameters of its header set.
    #[must_use]
    pub fn minted_with(&self, header: Value, changes: Value) -> String {
        let now = self.clock.wall().as_secs();
        let mut claims = json!({
            "iss": self.scaikey.base_url(), "aud": seed::CLIENT_ID, "client_id": seed::CLIENT_ID,
            "sub": "usr_bob_acme", "tenant_id": seed::ACME, "scope": "openid",
            "iat": now, "exp": now + 3600,
        });
        let members = |value: &Value| value.as_object().expect("an object").clone();
        for (name, value) in members(&changes) {
            claims[name] = value;
        }
        let mut claims: Map<String, Value> = members(&claims);
        claims.retain(|_, value| !value.is_null());
        let token = self.scaikey.mint(members(&header), claims);
        self.canaries.add(&token);
        token
    }
}
