//! An app that signs people in by itself and brings the code (ScaiFlow's canvas, ScaiWave).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use crate::World;

/// The S256 challenge of a verifier (RFC 7636 §4.2).
#[must_use]
pub fn pkce_challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(hmac_sha256::Hash::hash(verifier.as_bytes()))
}

impl World {
    /// The redirect URI of the apps that bring codes themselves.
    pub const APP_REDIRECT_URI: &str = "http://127.0.0.1:5173/auth/callback";

    /// Signs a person in as such an app does: reads the configuration, sends the browser to ScaiKey,
    /// and takes the authorization code from what comes back. With a `verifier`, bound to it.
    pub async fn app_code(&self, email: &str, verifier: Option<&str>) -> String {
        let config = self.client.get("/v1/auth/config", None).await.json();
        let data = &config["data"];
        let endpoint = data["authorization_endpoint"].as_str().expect("an address");
        let mut url = Url::parse(endpoint).expect("an address");
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", data["client_id"].as_str().expect("a client")),
            ("redirect_uri", Self::APP_REDIRECT_URI),
            ("scope", "openid profile email"),
            ("state", "state-of-the-app"),
        ]);
        if let Some(verifier) = verifier {
            url.query_pairs_mut()
                .append_pair("code_challenge", &pkce_challenge(verifier))
                .append_pair("code_challenge_method", "S256");
        }
        let back = self
            .scaikey
            .sign_in(url.as_str(), email)
            .await
            .expect("the person signs in");
        let back = Url::parse(&back).expect("an address");
        let code = back
            .query_pairs()
            .find(|(name, _)| name == "code")
            .expect("a code")
            .1
            .into_owned();
        self.canaries.add(&code);
        code
    }
}
