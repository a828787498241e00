//! Everything that comes before a flow, done; and the flow as one request that can be sent again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::Request;
use scaigate_e2e::emulator::{LogoutToken, WebhookEvent, seed};
use scaigate_e2e::grid::seed::ACME_KEY;
use scaigate_e2e::{Answer, Browser, MANIFEST, Setup, WEBHOOK_SECRET, World};
use serde_json::{Value, json};

use crate::faults_flows::{Flow, Who};
use crate::negative_5_3::{VERIFIER, scaikey_tokens};

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";
const DEV_TOKEN: &str = "dev-token-of-the-tests-0001";

/// How long a session token is good, in seconds.
const TOKEN_TTL: u64 = 900;

/// A request with everything before it done: sent again, it is the same.
pub struct Shot {
    browser: Browser,
    request: Request<Bytes>,
}

impl Shot {
    /// What comes of it; nothing when the connection ends before.
    pub async fn answer(&self) -> Option<Answer> {
        self.browser.try_send(self.request.clone()).await.ok()
    }

    /// The same. What the request does after its answer
    /// is done then, too.
    pub async fn send(&self, world: &World) -> Option<Answer> {
        let answer = self.answer().await;
        world.host().without_instances().await;
        answer
    }
}

/// A world, and a session of its administrator that is good for a while.
pub struct Stage {
    pub world: World,
    session: Mutex<(u64, String)>,
    number: AtomicU64,
}

/// Longest that a session is used, in seconds: it is good for 900, and who waits in vain waits for long.
const A_WHILE: u64 = 100;

impl Stage {
    pub async fn new() -> Self {
        let setup = Setup::default()
            .variable("scaigrid_allowed_posts", "inference")
            .variable("scaiflow_api_token", DEV_TOKEN)
            .variable("scaigrid_api_key", ACME_KEY)
            .scaigrid()
            // An instance for each request: it has ended when there is nothing that the request still does.
            .without_reuse();
        let world = World::with(setup).await;
        // A few groups are enough: each is one more of the same statements.
        world
            .scaikey
            .directory()
            .groups
            .retain(|group| ["grp_acme_staff", "grp_umbra_admins"].contains(&group.id.as_str()));
        world.canaries.add(DEV_TOKEN);
        world.sync().await;
        world.sign_in(BOB).await;
        world.sign_in(ALICE).await;
        // Somebody has to remain who is super admin.
        world.set_role("usr_dave_acme", Some("super_admin")).await;
        Self {
            world,
            session: Mutex::new((0, String::new())),
            number: AtomicU64::new(0),
        }
    }

    /// The administrator's session token.
    async fn session(&self) -> String {
        let now = self.world.clock.wall().as_secs();
        let (since, token) = self
            .session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if now < since + A_WHILE {
            return token;
        }
        let admin = Some("tenant_admin");
        let token = self.world.token_with_role(ALICE, "admin", admin).await;
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = (now, token.clone());
        token
    }

    /// Does everything before the flow.
    pub async fn prepare(&self, flow: &Flow) -> Shot {
        let shot = self.before(flow).await;
        self.world.host().without_instances().await;
        shot
    }

    async fn before(&self, (method, path, body, who): &Flow) -> Shot {
        let world = &self.world;
        let n = self.number.fetch_add(1, Ordering::Relaxed).to_string();
        let (mut path, mut body) = ((*path).to_owned(), body.replace("{n}", &n));
        body = body.replace("{key}", ACME_KEY);
        self.arrange(method, &mut path, &n).await;
        let page = world.console();
        let browser = page.0.clone();
        let mut request = Request::builder().method(*method);
        let json_with = |name: &str, token: &Value| json!({ name: token }).to_string();
        let bearer = match who {
            Who::Session => Some(self.session().await),
            Who::AccessToken => Some(world.minted(json!({}))),
            Who::Newcomer => Some(world.minted(json!({ "sub": format!("usr_new_{n}") }))),
            Who::Reader => Some(world.operator_token("admin:read")),
            Who::Writer => Some(world.operator_token("admin:write")),
            Who::DevToken => Some(DEV_TOKEN.to_owned()),
            _ => None,
        };
        match who {
            Who::ScaiKeysAnswer => {
                path = world.authorize(&browser, &json!({}), ALICE).await;
                request = request.header("accept", "text/html,*/*");
            }
            Who::SessionCode => {
                let code = world.session_code(&browser, &json!({}), ALICE).await;
                body = json_with("session_code", &code.into());
            }
            Who::AuthorizationCode => {
                let code = world.app_code(ALICE, Some(VERIFIER)).await;
                let redirect_uri = World::APP_REDIRECT_URI;
                body = json!({
                    "code": code, "code_verifier": VERIFIER, "redirect_uri": redirect_uri,
                })
                .to_string();
            }
            Who::OurRefreshToken | Who::SessionToEnd => {
                let session = world.sign_in(ALICE).await;
                body = json_with("refresh_token", &session["refresh_token"]);
            }
            Who::ScaiKeysRefreshToken => {
                let tokens = scaikey_tokens(world, ALICE).await;
                body = json_with("refresh_token", &tokens["refresh_token"]);
            }
            Who::ConsolesAnswer => {
                path = world.console_return(&page, BOB).await;
                request = request.header("accept", "text/html,*/*");
            }
            Who::Page | Who::OldPage => {
                world.console_sign_in(&page, BOB).await;
                let me = page.me().await.json();
                let workspace = me["workspace"]["workspace_id"].as_str();
                body = body.replace("{workspace}", workspace.expect("a workspace"));
                request = request
                    .header("x-scaigate-console", "1")
                    .header("sec-fetch-site", "same-origin");
                if *who == Who::OldPage {
                    world.advance(TOKEN_TTL);
                }
            }
            Who::LogoutToken => {
                world.sign_in(BOB).await;
                let token = world.scaikey.logout_token(&LogoutToken {
                    client_id: seed::CLIENT_ID.to_owned(),
                    tenant_id: Some(seed::ACME.to_owned()),
                    sub: Some("usr_bob_acme".to_owned()),
                    sid: None,
                });
                world.canaries.add(&token);
                body = format!("logout_token={token}");
                request = request.header("content-type", "application/x-www-form-urlencoded");
            }
            Who::Event => {
                let event = self.renamed(&n);
                let delivery = world.scaikey.webhook(WEBHOOK_SECRET, &event);
                for (name, value) in &delivery.headers {
                    request = request.header(name, value);
                }
                let body = Bytes::from(delivery.body.clone());
                let request = request.uri(path).body(body).expect("a request");
                return Shot { browser, request };
            }
            _ => {}
        }
        if let Some(token) = bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if body.starts_with('{') {
            request = request.header("content-type", "application/json");
        }
        let request = request.uri(path).body(body.into()).expect("a request");
        Shot { browser, request }
    }

    /// Makes what the flow is about, and puts its identifier into the path.
    async fn arrange(&self, method: &str, path: &mut String, n: &str) {
        let world = &self.world;
        if path.contains("{flow}") {
            let token = self.session().await;
            let flow = world.save_flow(&token, "n", MANIFEST).await;
            *path = path.replace("{flow}", flow["id"].as_str().expect("an id"));
            if path.contains("{acl}") {
                let acls = path.replace("/{acl}", "");
                let body = json!({
                    "principal_type": "user", "principal_id": "usr_bob_acme", "level": "edit",
                });
                let given = world.call(http::Method::POST, &acls, &token, Some(&body));
                let id = given.await.json()["id"].clone();
                *path = path.replace("{acl}", id.as_str().expect("an id"));
            }
        }
        if path.contains("{package}") {
            let id = format!("p{n}");
            let body = json!({
                "package_id": id, "name": "n", "version": "1.0.0", "content": "manifest: {}",
            });
            let token = self.session().await;
            let at = "/v1/catalog/publish";
            let answer = world
                .call(http::Method::POST, at, &token, Some(&body))
                .await;
            assert_eq!(answer.status, 201, "{}", answer.text());
            *path = path.replace("{package}", &id);
        }
        match (method, path.as_str()) {
            // So that one row is to be sealed, however many there were.
            ("GET", "/v1/admin/audit" | "/v1/admin/audit/chain") => {
                world.admin("/v1/admin/audit/chain").await;
            }
            ("POST", "/v1/admin/sync") => drop(self.renamed(n)),
            ("POST" | "DELETE", "/v1/admin/users/usr_carol_acme/role") => {
                world.set_role("usr_carol_acme", Some("super_admin")).await;
            }
            ("DELETE", World::TENANT_KEY) => {
                world.set_key(&self.session().await, ACME_KEY).await;
            }
            _ => {}
        }
    }

    /// Bob has another name at ScaiKey.
    fn renamed(&self, n: &str) -> WebhookEvent {
        // ScaiKey tells its time to the second.
        self.world.advance(2);
        let changes = self.world.scaikey.changes();
        changes
            .update_user("usr_bob_acme", |user| user.last_name = format!("B{n}"))
            .expect("a change")
    }
}
