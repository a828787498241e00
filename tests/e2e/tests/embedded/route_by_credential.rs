//! What every route answers to every kind of credential: one table, checked in as
//! `docs/access.md`, made anew here and compared. A route of `spin.toml` without a row fails.
//!
//! `SCAIGATE_UPDATE=1` writes the file instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::Request;
use scaigate_e2e::{Setup, World};
use scaikey_emulator::seed;
use serde_json::{Map, Value, json};

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";

/// Every route: method, path, body. A body that gets past the credential is the least that the
/// route takes, or `{}` where the body itself is the credential.
const ROUTES: &[(&str, &str, &str)] = &[
    ("GET", "/v1/auth/config", ""),
    ("GET", "/v1/auth/login", ""),
    ("POST", "/v1/auth/login", "{}"),
    ("GET", "/v1/auth/callback", ""),
    ("POST", "/v1/auth/exchange", "{}"),
    ("POST", "/v1/auth/token", "{}"),
    ("POST", "/v1/auth/refresh", "{}"),
    ("POST", "/v1/auth/backchannel-logout", "{}"),
    ("GET", "/v1/me", ""),
    ("GET", "/v1/me/workspaces", ""),
    ("GET", "/v1/auth/whoami", ""),
    ("GET", "/v1/workspace", ""),
    ("PATCH", "/v1/workspace", r#"{"name":"Renamed"}"#),
    ("POST", "/v1/auth/register", "{}"),
    ("GET", "/v1/nothing", ""),
    ("POST", "/v1/admin/sync", "{}"),
    ("GET", "/v1/admin/sync", ""),
    ("GET", "/v1/admin/users", ""),
    ("GET", "/v1/admin/groups", ""),
    ("GET", "/v1/admin/groups/grp_acme_staff/members", ""),
    ("GET", "/v1/admin/tenant/users", ""),
    ("GET", "/v1/admin/tenant/groups", ""),
    ("GET", "/v1/admin/tenant/groups/grp_acme_staff/members", ""),
    ("GET", "/v1/admin/tenant/flows", ""),
    (
        "POST",
        "/v1/admin/users/usr_carol_acme/role",
        r#"{"role":"tenant_admin"}"#,
    ),
    (
        "POST",
        "/v1/admin/users/usr_dave_acme/role",
        r#"{"role":"super_admin"}"#,
    ),
    ("DELETE", "/v1/admin/users/usr_carol_acme/role", ""),
    ("GET", "/v1/admin/changes", ""),
    ("GET", "/v1/admin/webhooks/deliveries", ""),
    ("GET", "/v1/admin/audit", ""),
    ("GET", "/v1/admin/audit/chain", ""),
    ("POST", "/v1/webhooks/scaikey", "{}"),
    ("GET", "/v1/flows", ""),
    ("POST", "/v1/flows", r#"{"name":"n","content":{}}"#),
    ("POST", "/v1/flows/flow_none/deploy", ""),
    ("GET", "/v1/catalog", ""),
    ("POST", "/v1/dev/deploy", "{}"),
    ("GET", "/v1/health", ""),
    ("GET", "/v1/health/ready", ""),
    ("GET", "/v1/health/detailed", ""),
    ("GET", "/v1/tenants/me/scaigrid_credentials", ""),
    ("POST", "/v1/tenants/me/scaigrid_credentials", "{}"),
    ("DELETE", "/v1/tenants/me/scaigrid_credentials", ""),
    ("GET", "/v1/scaigrid/models", ""),
    ("GET", "/v1/scaiqueue/scopes/sc_acme_support", ""),
    ("POST", "/v1/scaigrid/inference/chat", "{}"),
    ("GET", "/", ""),
    ("GET", "/console/sign-in", ""),
    ("GET", "/console/signed-in", ""),
    ("GET", "/console/api/v1/me", ""),
    ("POST", "/console/workspace", "{}"),
    ("POST", "/console/sign-out", ""),
    // Last: it ends the session that is presented.
    ("POST", "/v1/auth/logout", "{}"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tests/e2e")
        .to_owned()
}

/// The headers of one kind of credential.
type Headers = Vec<(&'static str, String)>;

fn bearer(token: &str) -> Headers {
    vec![("authorization", format!("Bearer {token}"))]
}

fn claims(world: &World, changes: Value) -> Map<String, Value> {
    let now = world.clock.wall().as_secs();
    let mut claims = json!({
        "iss": world.scaikey.base_url(), "aud": seed::CLIENT_ID, "client_id": seed::CLIENT_ID,
        "sub": "usr_bob_acme", "tenant_id": "tnt_acme0001", "scope": "openid",
        "iat": now, "exp": now + 3600,
    });
    for (name, value) in changes.as_object().expect("changes") {
        claims[name] = value.clone();
    }
    claims.as_object().expect("claims").clone()
}

fn minted(world: &World, changes: Value) -> Headers {
    bearer(&world.scaikey.mint(Map::new(), claims(world, changes)))
}

/// A session of Bob's in which he has these roles.
async fn session(world: &World, role: &str, admin_role: Option<&str>) -> Value {
    let session = world.sign_in(BOB).await;
    let person = session["user"]["id"].as_str().expect("a person");
    world.sql(
        "UPDATE membership SET role = ?1 WHERE person_id = ?2",
        &[role, person],
    );
    match admin_role {
        Some(admin_role) => world.sql(
            "UPDATE person SET admin_role = ?1, admin_role_source = 'manual' WHERE person_id = ?2",
            &[admin_role, person],
        ),
        None => world.sql(
            "UPDATE person SET admin_role = NULL WHERE person_id = ?1",
            &[person],
        ),
    };
    let body = json!({ "refresh_token": session["refresh_token"] });
    world.client.post("/v1/auth/refresh", &body).await.json()
}

async fn session_headers(world: &World, role: &str, admin_role: Option<&str>) -> Headers {
    let session = session(world, role, admin_role).await;
    bearer(session["access_token"].as_str().expect("a token"))
}

/// The kinds, in the order of the table's columns.
const KINDS: &[&str] = &[
    "none",
    "garbage",
    "expired session",
    "revoked session",
    "expired",
    "wrong audience",
    "wrong issuer",
    "other tenant",
    "access token",
    "service",
    "viewer",
    "operator",
    "author",
    "admin",
    "tenant_admin",
    "super_admin",
    "service with admin:read",
    "service with admin:write",
    "dev headers",
    "mock",
];

async fn headers(world: &World, kind: &str) -> Headers {
    let now = world.clock.wall().as_secs();
    match kind {
        "none" => Vec::new(),
        "garbage" | "mock" => bearer("mock-dev-token"),
        "expired session" => {
            let headers = session_headers(world, "admin", None).await;
            world.advance(1000);
            headers
        }
        "revoked session" => {
            let session = session(world, "admin", None).await;
            let body = json!({ "refresh_token": session["refresh_token"] });
            let out = world.client.post("/v1/auth/logout", &body).await;
            assert_eq!(out.status, 200, "{}", out.text());
            bearer(session["access_token"].as_str().expect("a token"))
        }
        "expired" => minted(world, json!({ "iat": now - 4000, "exp": now - 400 })),
        "wrong audience" => minted(world, json!({ "aud": "another-client" })),
        "wrong issuer" => minted(world, json!({ "iss": "https://staging.example" })),
        "other tenant" => minted(world, json!({ "tenant_id": "tnt_nobody_yet" })),
        "access token" => minted(world, json!({})),
        "service" => minted(
            world,
            json!({
                "sub": seed::SERVICE_CLIENT_ID, "client_id": seed::SERVICE_CLIENT_ID,
                "token_type": "client_credentials", "tenant_id": null, "platform_token": true,
            }),
        ),
        "service with admin:read" => bearer(&world.operator_token("admin:read")),
        "service with admin:write" => bearer(&world.operator_token("admin:write")),
        "tenant_admin" => session_headers(world, "admin", Some("tenant_admin")).await,
        "super_admin" => session_headers(world, "admin", Some("super_admin")).await,
        "dev headers" => vec![
            ("x-dev-subject", "usr_dev".to_owned()),
            ("x-dev-role", "admin".to_owned()),
        ],
        role => session_headers(world, role, None).await,
    }
}

async fn cell(world: &World, route: &(&str, &str, &str), headers: &Headers) -> String {
    let (method, path, body) = route;
    let mut request = Request::builder().method(*method).uri(*path);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    let request = request
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .expect("a request");
    let answer = world.client.send(request).await;
    match answer.code().as_str() {
        "" => answer.status.as_u16().to_string(),
        code => format!("{} {code}", answer.status.as_u16()),
    }
}

/// Paths of `spin.toml`, without the prefix that ScaiFlow's clients use, and without wildcards.
fn manifest_paths() -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("spin.toml")).expect("spin.toml");
    text.lines()
        .filter_map(|line| line.strip_prefix("route = \"")?.strip_suffix('"'))
        .filter(|path| path.starts_with("/v1/") && !path.ends_with("..."))
        .map(str::to_owned)
        .collect()
}

/// Whether `path` is one of the addresses of `route`, in which `:name` stands for any segment.
fn matches(route: &str, path: &str) -> bool {
    let (mut route, mut path) = (route.split('/'), path.split('/'));
    loop {
        match (route.next(), path.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || wanted.starts_with(':') => {}
            _ => return false,
        }
    }
}

const INTRODUCTION: &str = "\
# What every route answers to every credential

Made by the test `route_by_credential` (`tests/e2e`), which fails when an answer changes or a route
of `spin.toml` has no row. After a change that is meant:
`SCAIGATE_UPDATE=1 cargo test --workspace --test embedded route_by_credential`.

A cell is the status, and the code of a failure. Routes of the sign-in take no credential in a
header: their bodies, empty here, carry it. `expired`, `wrong audience`, `wrong issuer`, `other
tenant` (one that the mirror does not know), `access token` and the services are access tokens of
ScaiKey; the roles are those of sessions. The console takes none of these: its credential is its cookie,
with its page's header. A webhook's credential is its signature. `dev headers` are the `X-Dev-*` under `env=dev` without a
token; `mock` is any bearer under `scaiwave_auth_mode=mock`.
";

fn document(cells: &BTreeMap<(usize, usize), String>) -> String {
    let mut text = INTRODUCTION.to_owned();
    for (column, kind) in KINDS.iter().enumerate() {
        // One table per kind reads better than eighteen columns.
        write!(text, "\n## {kind}\n\n| route | answer |\n|---|---|\n").expect("a text");
        for (row, (method, path, _)) in ROUTES.iter().enumerate() {
            let cell = &cells[&(row, column)];
            writeln!(text, "| `{method} {path}` | {cell} |").expect("a text");
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_every_credential_as_the_table_says() {
    let paths = manifest_paths();
    let is_missing = |route: &&String| !ROUTES.iter().any(|(_, path, _)| matches(route, path));
    let missing: Vec<_> = paths.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "no row for {missing:?}");

    let mut cells = BTreeMap::new();
    for (column, kind) in KINDS.iter().enumerate() {
        // A world each: what one credential did is not there for the next.
        let setup = match *kind {
            "mock" => Setup::default().variable("scaiwave_auth_mode", "mock"),
            _ => Setup::default(),
        };
        let world = World::with(setup.scaigrid()).await;
        if *kind != "mock" {
            // A test user is no operator, and has nothing to do with the directory.
            world.sync().await;
        }
        world.sign_in(ALICE).await;
        let headers = headers(&world, kind).await;
        for (row, route) in ROUTES.iter().enumerate() {
            cells.insert((row, column), cell(&world, route, &headers).await);
        }
    }
    let made = document(&cells);
    let file = root().join("docs/access.md");
    if std::env::var_os("SCAIGATE_UPDATE").is_some() {
        std::fs::write(&file, &made).expect("docs/access.md");
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        made == kept,
        "docs/access.md says otherwise; what is true now:\n{made}"
    );
}
