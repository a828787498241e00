//! ScaiGrid, and a tenant's key for it.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, header};
use scaigate_host::HostClock;
use scaigrid_emulator::{Behaviour, Emulator, Jwt, Options};
use scaikey_emulator::seed;
use serde_json::{Value, json};

use crate::{Answer, Canaries, World};

/// Starts a ScaiGrid that trusts `scaikey` and has the clock of everybody else.
pub(crate) async fn start(
    behaviour: Behaviour,
    clock: &HostClock,
    scaikey: &scaikey_emulator::Emulator,
) -> Emulator {
    let clock = clock.clone();
    Emulator::start(Options {
        clock: Arc::new(move || i64::try_from(clock.wall().as_millis()).expect("this era")),
        jwt: Jwt::Jwks {
            url: format!(
                "{}/api/v1/platform/.well-known/jwks.json",
                scaikey.base_url()
            ),
            audiences: vec![seed::CLIENT_ID.to_owned(), World::GRID_AUDIENCE.to_owned()],
        },
        behaviour,
        ..Options::default()
    })
    .await
    .expect("the emulator starts")
}

/// Makes canaries of every API key.
pub(crate) fn remember_keys(scaigrid: &Emulator, canaries: &Canaries) {
    for key in &scaigrid.grid().keys {
        canaries.add(&key.key);
    }
}

impl World {
    /// An audience that ScaiGrid takes beside our client, and ScaiKey exchanges for.
    pub const GRID_AUDIENCE: &str = seed::UPSTREAM_CLIENT_ID;

    /// Where a tenant's key is set.
    pub const TENANT_KEY: &str = "/v1/tenants/me/scaigrid_credentials";

    /// ScaiGrid.
    ///
    /// # Panics
    /// When the world has none.
    #[must_use]
    pub fn grid(&self) -> &Emulator {
        self.scaigrid
            .as_ref()
            .expect("a world made with Setup::scaigrid")
    }

    /// Signs a person in with these roles: the access token of the session.
    pub async fn signed_in_as(&self, email: &str, role: &str, admin_role: Option<&str>) -> String {
        let session = self.sign_in(email).await;
        let person = session["user"]["id"].as_str().expect("a person");
        self.sql(
            "UPDATE membership SET role = ?1 WHERE person_id = ?2",
            &[role, person],
        );
        match admin_role {
            Some(admin_role) => self.sql(
                "UPDATE person SET admin_role = ?1, admin_role_source = 'manual'
                  WHERE person_id = ?2",
                &[admin_role, person],
            ),
            None => self.sql(
                "UPDATE person SET admin_role = NULL WHERE person_id = ?1",
                &[person],
            ),
        };
        let body = json!({ "refresh_token": session["refresh_token"] });
        let session = self.client.post("/v1/auth/refresh", &body).await.json();
        session["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    /// Sets the key of the tenant of whoever `token` is.
    pub async fn set_key(&self, token: &str, key: &str) {
        self.canaries.add(key);
        let body = json!({ "api_key": key });
        let answer = self
            .call(Method::POST, Self::TENANT_KEY, token, Some(&body))
            .await;
        assert_eq!(answer.status, 204, "{}", answer.text());
    }

    /// Posts a chat.
    pub async fn chat(&self, token: &str, body: &Value) -> Answer {
        let request = Request::post("/v1/scaigrid/inference/chat")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(body.to_string()))
            .expect("a request");
        self.client.send(request).await
    }
}
