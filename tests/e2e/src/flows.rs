//! What tests of flows do: sign somebody in with a role, and save.

use bytes::Bytes;
use http::{Method, Request, header};
use serde_json::{Value, json};

use crate::{Answer, World};

/// A manifest that deploys, as the JSON text of `content`.
pub const MANIFEST: &str = r#""manifest:\n  name: expense\n""#;

impl World {
    /// Signs a person in and gives them a role in the default workspace, and perhaps an administrator's:
    /// a session token that says so.
    pub async fn token_with_role(&self, email: &str, role: &str, admin: Option<&str>) -> String {
        let session = self.sign_in(email).await;
        let person = session["user"]["id"].as_str().expect("a person");
        self.sql(
            "UPDATE membership SET role = ?1 WHERE person_id = ?2",
            &[role, person],
        );
        match admin {
            Some(admin) => self.sql(
                "UPDATE person SET admin_role = ?1, admin_role_source = 'manual'
                  WHERE person_id = ?2",
                &[admin, person],
            ),
            None => self.sql(
                "UPDATE person SET admin_role = NULL WHERE person_id = ?1",
                &[person],
            ),
        };
        let body = json!({ "refresh_token": session["refresh_token"] });
        let answer = self.client.post("/v1/auth/refresh", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let token = answer.json()["access_token"].clone();
        token.as_str().expect("a token").to_owned()
    }

    /// Sends a body as it is, byte for byte.
    pub async fn call_raw(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: impl Into<Bytes>,
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.into())
            .expect("a request");
        self.client.send(request).await
    }

    /// Saves a flow with this JSON as content: its `FlowDetail`.
    pub async fn save_flow(&self, token: &str, name: &str, content: &str) -> Value {
        let body = format!("{{\"name\":{},\"content\":{content}}}", json!(name));
        let answer = self.call_raw(Method::POST, "/v1/flows", token, body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }
}
