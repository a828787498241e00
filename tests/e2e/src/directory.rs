//! What tests of the directory do: act as an operator, sync, and let ScaiKey's webhooks arrive.

use bytes::Bytes;
use http::{Method, Request, header};
use scaikey_emulator::{WebhookDelivery, WebhookEvent, seed};
use serde_json::{Value, json};

use crate::world::WEBHOOK_SECRET;
use crate::{Answer, World};

impl World {
    /// Where ScaiKey sends its webhooks.
    pub const WEBHOOK: &str = "/api/v1/webhooks/scaikey";

    /// The token of a service of the platform with these scopes, our own client: an operator's, for
    /// `admin:read` or `admin:write`.
    #[must_use]
    pub fn operator_token(&self, scope: &str) -> String {
        let now = i64::try_from(self.clock.wall().as_secs()).expect("this era");
        let claims = json!({
            "iss": self.scaikey.issuer(None), "sub": seed::CLIENT_ID, "aud": seed::CLIENT_ID,
            "client_id": seed::CLIENT_ID, "scope": scope, "token_type": "client_credentials",
            "platform_token": true, "app_scope": "GLOBAL", "iat": now, "exp": now + 3600,
        });
        let claims = claims.as_object().cloned().expect("an object");
        let token = self.scaikey.mint(serde_json::Map::new(), claims);
        self.canaries.add(&token);
        token
    }

    /// Sends a request with a bearer token and, if one is given, a JSON body.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        let body = body.map(|body| Bytes::from(body.to_string()));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(body.unwrap_or_default()).expect("a request");
        self.client.send(request).await
    }

    /// What starts a sync as the operator.
    #[must_use]
    pub fn sync_request(&self, force: bool) -> Request<Bytes> {
        let token = self.operator_token("admin:read");
        Request::post("/v1/admin/sync")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(json!({ "force": force }).to_string()))
            .expect("a request")
    }

    /// Syncs as the operator: the answer, whatever it is.
    pub async fn try_sync(&self, force: bool) -> Answer {
        self.client.send(self.sync_request(force)).await
    }

    /// Syncs and expects that it works: the statistics.
    pub async fn sync(&self) -> Value {
        let answer = self.try_sync(false).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Reads an administrator's page as the operator.
    pub async fn admin(&self, path: &str) -> Value {
        let token = self.operator_token("admin:read");
        let answer = self.client.get(path, Some(&token)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// The row of a user in the mirror; null when there is none.
    pub async fn mirrored(&self, user_id: &str) -> Value {
        let page = self
            .admin(&format!("/v1/admin/users?search={user_id}&per_page=500"))
            .await;
        let rows = page["users"].as_array().cloned().unwrap_or_default();
        rows.into_iter()
            .find(|row| row["id"] == user_id)
            .unwrap_or(Value::Null)
    }

    /// Gives a user a role as the operator, or takes the one there is.
    pub async fn set_role(&self, user_id: &str, role: Option<&str>) {
        let token = self.operator_token("admin:write");
        let path = format!("/v1/admin/users/{user_id}/role");
        let answer = match role {
            Some(role) => {
                let body = json!({ "role": role });
                self.call(Method::POST, &path, &token, Some(&body)).await
            }
            None => self.call(Method::DELETE, &path, &token, None).await,
        };
        assert_eq!(answer.status, 204, "{user_id}: {}", answer.text());
    }

    /// The session token of somebody who has this administrator's role.
    pub async fn administrator(&self, user_id: &str, email: &str, role: &str) -> String {
        self.set_role(user_id, Some(role)).await;
        let session = self.sign_in(email).await;
        let token = session["access_token"].as_str().expect("a token");
        token.to_owned()
    }

    /// The session's next tokens.
    pub async fn refreshed(&self, session: &Value) -> Value {
        let body = json!({ "refresh_token": session["refresh_token"] });
        let answer = self.client.post("/v1/auth/refresh", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Sends a delivery as it is.
    pub async fn receive(&self, delivery: &WebhookDelivery) -> Answer {
        let mut request = Request::post(Self::WEBHOOK)
            .body(Bytes::from(delivery.body.clone()))
            .expect("a request");
        *request.headers_mut() = delivery.headers.clone();
        self.client.send(request).await
    }

    /// Lets an event arrive, signed now.
    pub async fn event(&self, event: &WebhookEvent) -> Answer {
        let delivery = self.scaikey.webhook(WEBHOOK_SECRET, event);
        self.receive(&delivery).await
    }

    /// Lets an event arrive and expects that it is handled.
    pub async fn handled(&self, event: &WebhookEvent) {
        let answer = self.event(event).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["handled"], true, "{}", answer.text());
    }
}
