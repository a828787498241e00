//! Starting, steering and stopping an emulator.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::ServiceExt;

use crate::changes::Changes;
use crate::deviation::Deviation;
use crate::directory::{ApplicationType, Directory};
use crate::jwt;
use crate::keys::{KeyRing, Rotation};
use crate::plain_http;
use crate::random;
use crate::recorder::Recorder;
use crate::registration::{self, Decision, Registration};
use crate::registry::DirectoryGuard;
use crate::routes;
use crate::seed;
use crate::server;
use crate::switches::{Behaviour, Switches};
use crate::webhook::{WebhookDelivery, WebhookEvent};
use crate::world::World;
use scaigate_emulation::{Clock, system_clock};

/// How an emulator starts.
pub struct Options {
    /// Where to listen; port 0 picks a free one. Default `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// The clock of every lifetime and of the `Date` header. Default: the machine's.
    pub clock: Clock,
    /// Redirect URIs of the seeded WEB, SPA and TENANT clients, compared as exact strings.
    pub redirect_uris: Vec<String>,
    /// Where end-session may send the browser.
    pub post_logout_redirect_uris: Vec<String>,
    /// The address it calls itself by, without a final slash. Default: `http://` and the listening address.
    pub public_url: Option<String>,
    /// Serves `/_emulator/…` to steer it over HTTP. Default off.
    pub control: bool,
    /// Standing behaviour at the start.
    pub behaviour: Behaviour,
    /// Replaces the seeded directory. Its WEB, SPA and NATIVE applications that list no redirect URI, or no address to
    /// return to after end-session, get the options'.
    pub directory: Option<Directory>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            clock: system_clock(),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            public_url: None,
            control: false,
            behaviour: Behaviour::default(),
            directory: None,
        }
    }
}

/// What a logout token says.
#[derive(Clone, Debug)]
pub struct LogoutToken {
    /// `aud`.
    pub client_id: String,
    /// `iss` of this tenant instead of the platform's.
    pub tenant_id: Option<String>,
    /// `sub`.
    pub sub: Option<String>,
    /// `sid`.
    pub sid: Option<String>,
}

/// A running emulator. Dropping it stops it as well.
pub struct Emulator {
    world: Arc<World>,
    router: Router,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    deliveries: AtomicU64,
}

impl Emulator {
    /// Listens and serves on the current tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(options.listen)
            .await
            .context("cannot listen")?;
        let address = listener.local_addr()?;
        let base_url = options
            .public_url
            .unwrap_or_else(|| format!("http://{address}"));
        let (redirects, returns) = (options.redirect_uris, options.post_logout_redirect_uris);
        let directory = match options.directory {
            Some(mut directory) => {
                complete(&mut directory, &redirects, &returns);
                directory
            }
            None => seed::directory(&redirects, &returns),
        };
        let world = Arc::new(World::new(
            base_url,
            options.control,
            options.clock,
            Switches::with(options.behaviour),
            directory,
            KeyRing::new()?,
        ));
        let (stop, stopped) = watch::channel(false);
        let router = routes::router(world.clone());
        let server = tokio::spawn(server::serve(listener, router.clone(), stopped));
        Ok(Self {
            world,
            router,
            address,
            stop,
            server,
            deliveries: AtomicU64::new(4_291),
        })
    }

    /// Its address as clients configure it, without a final slash.
    pub fn base_url(&self) -> String {
        self.world.base_url.clone()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The issuer of platform discovery (`None`), or of a tenant's by id.
    pub fn issuer(&self, tenant_id: Option<&str>) -> String {
        match tenant_id {
            None => self.base_url(),
            Some(id) => format!("{}/tenants/{id}", self.world.base_url),
        }
    }

    /// The switches.
    pub fn switches(&self) -> &Switches {
        &self.world.switches
    }

    /// The record of requests, and the gates.
    pub fn recorder(&self) -> &Recorder {
        &self.world.recorder
    }

    /// The directory, to read and change. Do not keep the guard across an `.await`, nor two at once.
    pub fn directory(&self) -> DirectoryGuard<'_> {
        self.world.directory()
    }

    /// Changes of the directory together with the honest event about each.
    pub fn changes(&self) -> Changes<'_> {
        Changes::new(&self.world)
    }

    /// New signing keys from now on.
    ///
    /// # Errors
    /// After the third rotation.
    pub fn rotate_keys(&self, rotation: Rotation) -> anyhow::Result<()> {
        self.world.keys().rotate(rotation)
    }

    /// The `kid` that signs now.
    pub fn signing_kid(&self) -> String {
        let alg = self.world.switches.behaviour().signing_alg;
        self.world.keys().signer(alg).kid.clone()
    }

    /// Approves or rejects a pending self-registration; `false` when there is none.
    pub fn decide_registration(&self, request_id: &str, approve: bool) -> bool {
        let decision = if approve {
            Decision::Approve
        } else {
            Decision::Reject(None)
        };
        registration::decide(&self.world, request_id, decision)
    }

    /// Rejects a pending self-registration and says why; `false` when there is none.
    pub fn reject_registration(&self, request_id: &str, reason: &str) -> bool {
        let decision = Decision::Reject(Some(reason.to_owned()));
        registration::decide(&self.world, request_id, decision)
    }

    /// Lets a pending self-registration expire now; `false` when there is none.
    pub fn expire_registration(&self, request_id: &str) -> bool {
        registration::decide(&self.world, request_id, Decision::Expire)
    }

    /// Every self-registration, by id.
    pub fn registrations(&self) -> Vec<Registration> {
        registration::all(&self.world)
    }

    /// Ends every token and browser session of a person, as an administrator would.
    pub fn revoke_user(&self, user_id: &str) {
        let mut issued = self.world.issued();
        let issued = &mut *issued;
        issued
            .sessions
            .retain(|_, session| session.user_id != user_id);
        let mine = issued
            .refresh
            .values()
            .filter(|r| r.grant.user_id == user_id)
            .map(|r| &r.grant.family);
        let access = issued
            .access
            .values()
            .filter(|a| a.user_id.as_deref() == Some(user_id));
        let families: Vec<String> = mine.chain(access.map(|a| &a.family)).cloned().collect();
        issued.revoked_families.extend(families);
    }

    /// Whether an access token still works here.
    pub fn is_live(&self, access_token: &str) -> bool {
        self.world.live_access(access_token).is_some()
    }

    /// Whether a refresh token would still be accepted.
    pub fn is_refresh_live(&self, refresh_token: &str) -> bool {
        let now = self.world.now();
        let issued = self.world.issued();
        issued.refresh.get(refresh_token).is_some_and(|r| {
            !r.used && r.expires > now && !issued.revoked_families.contains(&r.grant.family)
        })
    }

    /// Signs any header and claims with the deployment's key. `alg` and `kid` are filled in when absent;
    /// an explicit `null` leaves them out.
    pub fn mint(&self, header: Map<String, Value>, claims: Map<String, Value>) -> String {
        let alg = self.world.switches.behaviour().signing_alg;
        let mut full = Map::new();
        full.insert("alg".into(), json!(alg.name()));
        full.insert("kid".into(), json!(self.signing_kid()));
        full.extend(header);
        full.retain(|_, value| !value.is_null());
        jwt::sign_raw(&self.world, full, claims)
    }

    /// A logout token (Back-Channel Logout 1.0); lies under [`Deviation::LogoutToken`] apply.
    pub fn logout_token(&self, token: &LogoutToken) -> String {
        let iss = self.issuer(token.tenant_id.as_deref());
        let claims = jwt::logout_claims(
            &iss,
            &token.client_id,
            token.sub.as_deref(),
            token.sid.as_deref(),
            self.world.now(),
            &random::token("lgt_"),
        );
        let lies = self.world.switches.draw(|d| match d {
            Deviation::LogoutToken(lie) => Some(lie),
            _ => None,
        });
        jwt::sign(&self.world, "logout+jwt", claims, &lies)
    }

    /// Plays the browser: opens an authorize address and signs the person in through the login form, over HTTP.
    /// Returns where the browser is sent, code and state included.
    ///
    /// # Errors
    /// When ScaiKey refuses the request or the person instead of redirecting.
    pub async fn sign_in(&self, authorize_url: &str, email: &str) -> anyhow::Result<String> {
        let page = plain_http::send(Request::get(authorize_url).body(Bytes::new())?).await?;
        if let Some(to) = location(&page) {
            return Ok(to);
        }
        let html = String::from_utf8_lossy(page.body()).into_owned();
        let flow = html
            .split_once("name=\"flow\" value=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(flow, _)| flow.to_owned())
            .with_context(|| format!("no login page (status {}): {html}", page.status()))?;
        let password = self
            .directory()
            .user_by_email(email)
            .map(|u| u.password.clone())
            .unwrap_or_default();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("flow", flow.as_str()),
                ("email", email),
                ("password", &password),
            ])
            .finish();
        let request = Request::post(format!("http://{}/login", self.address))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form))?;
        location(&plain_http::send(request).await?).context("the person was not signed in")
    }

    /// Answers a request without a connection, on whatever executor the caller has: for tests that go through many
    /// directories. A fault that ends the connection never answers.
    ///
    /// # Errors
    /// When the body breaks off.
    pub async fn answer(&self, request: Request<Bytes>) -> anyhow::Result<Response<Bytes>> {
        let answer = self.router.clone().oneshot(request.map(Body::from)).await;
        let (parts, body) = match answer {
            Ok(response) => response.into_parts(),
            Err(never) => match never {},
        };
        let body = body.collect().await.context("the body broke off")?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }

    /// Serialises and signs an event now; each delivery gets its own row id. An event that does not say when it happened
    /// gets its time with its first delivery and keeps it: later deliveries have the same body.
    pub fn webhook(&self, secret: &str, event: &WebhookEvent) -> WebhookDelivery {
        let row = self.deliveries.fetch_add(1, Ordering::Relaxed);
        let at = event.at_ms;
        let event = WebhookEvent {
            at_ms: at.or_else(|| Some(self.world.time_of_event(&event.id))),
            ..event.clone()
        };
        WebhookDelivery::new(&event, secret, self.world.now(), row)
    }

    /// Signs and posts an event to a plain-HTTP address; once, without retries.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn send_webhook(
        &self,
        url: &str,
        secret: &str,
        event: &WebhookEvent,
    ) -> anyhow::Result<Response<Bytes>> {
        self.deliver(url, self.webhook(secret, event)).await
    }

    /// Posts a prepared (perhaps tampered) delivery.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn deliver(
        &self,
        url: &str,
        delivery: WebhookDelivery,
    ) -> anyhow::Result<Response<Bytes>> {
        let mut request = Request::post(url).body(Bytes::from(delivery.body))?;
        request.headers_mut().extend(delivery.headers);
        plain_http::send(request).await
    }

    /// Stops listening and drops every connection.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let Self { server, .. } = self;
        // The server task ends by itself; a panic inside it would have shown in the test.
        let _ = server.await;
    }
}

/// Applications that send browsers somewhere need addresses to send them to.
fn complete(directory: &mut Directory, redirects: &[String], returns: &[String]) {
    let with_people = |kind| kind != ApplicationType::Service;
    let applications = directory.applications.iter_mut();
    for application in applications.filter(|a| with_people(a.kind)) {
        if application.redirect_uris.is_empty() {
            application.redirect_uris = redirects.to_vec();
        }
        if application.post_logout_redirect_uris.is_empty() {
            application.post_logout_redirect_uris = returns.to_vec();
        }
    }
}

fn location(response: &Response<Bytes>) -> Option<String> {
    response
        .headers()
        .get("location")
        .and_then(|v| v.to_str().ok())
        .map(str::to_owned)
}
