//! Requests keep to themselves: instances serve many people at once and one after the other, and
//! nothing of one reaches another, whatever a client sends and whatever goes wrong (G2, G6).

use std::collections::BTreeSet;

use http::Request;
use scaigate_e2e::emulator::{Deviation, Endpoint, Fault, TokenLie};
use scaigate_e2e::{Effect, Setup, Target, When, World, together};
use serde_json::{Value, json};

use crate::malformed::{raw, request};
use crate::negative_5_3::{VERIFIER, callback, exchange, refresh, scaikey_tokens};

const ALICE: &str = "alice@acme.example";

/// Lines of the log that say that an instance ended otherwise than by a test's will.
pub fn traps(world: &World) -> Vec<String> {
    let words = [
        "instance ended",
        "request failed",
        "not passed on",
        "panicked",
        "wasm trap",
    ];
    world
        .logs
        .lines()
        .into_iter()
        .map(|line| line.line)
        .filter(|line| words.iter().any(|word| line.contains(word)))
        .collect()
}

#[track_caller]
fn assert_no_trap(world: &World) {
    let traps = traps(world);
    assert!(traps.is_empty(), "{traps:#?}");
}

/// Sixteen people of both tenants: id, address.
fn people(world: &World) -> Vec<(String, String, String)> {
    let directory = world.scaikey.directory();
    let of = |tenant: &str| {
        directory
            .users
            .iter()
            .filter(|user| user.tenant_id == tenant && user.is_active())
            .take(8)
            .map(|user| (user.id.clone(), user.email.clone(), user.tenant_id.clone()))
            .collect::<Vec<_>>()
    };
    let mut both = of("tnt_acme0001");
    both.extend(of("tnt_umbra0001"));
    assert_eq!(both.len(), 16);
    both
}

/// What one person's whole visit showed, without what differs from visit to visit.
type Seen = BTreeSet<String>;

/// One person signs in and asks everything, while others do the same.
async fn visit(
    client: scaigate_e2e::Client,
    browser: scaigate_e2e::Browser,
    email: String,
) -> Vec<Value> {
    let begun = browser
        .post("/v1/auth/login", &json!({ "login_hint": email }))
        .await
        .json();
    let url = begun["authorize_url"].as_str().expect("a URL").to_owned();
    // ScaiKey redirects at once: it knows the hint.
    let back = browser.get(&url).await;
    assert_eq!(back.status, 303, "{}", back.text());
    let done = browser.get(back.location()).await;
    assert_eq!(
        done.location_parameter("state"),
        begun["state"].as_str().expect("a state")
    );
    let code = done.location_parameter("session_code");
    let session = client
        .post("/v1/auth/token", &json!({ "session_code": code }))
        .await
        .json();
    let token = session["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let me = client.get("/v1/me", Some(&token)).await.json();
    let whoami = client.get("/v1/auth/whoami", Some(&token)).await.json();
    let workspaces = client.get("/v1/me/workspaces", Some(&token)).await.json();
    let body = json!({ "refresh_token": session["refresh_token"] });
    let refreshed = client.post("/v1/auth/refresh", &body).await.json();
    let again = client
        .get("/v1/me", refreshed["access_token"].as_str())
        .await
        .json();
    vec![session, me, whoami, workspaces, refreshed, again]
}

async fn sixteen_people_at_once(setup: Setup) -> Seen {
    let world = World::with(setup.behaviour(|b| b.auto_login = true)).await;
    // First sign-ins make the tenants' workspaces: who is first must not differ.
    for first in ["alice@acme.example", "olivia@scailabs.example"] {
        if world.scaikey.directory().user_by_email(first).is_some() {
            world.sign_in(first).await;
        }
    }
    let people = people(&world);
    let mut seen = Seen::new();
    for _ in 0..3 {
        let visits = together(people.len(), |i| {
            let (client, browser) = (world.client.clone(), world.browser());
            let email = people[i].1.clone();
            async move { (i, visit(client, browser, email).await) }
        })
        .await;
        for (i, answers) in visits {
            let (id, email, tenant) = &people[i];
            for answer in &answers {
                let text = answer.to_string();
                for (other_id, other_email, _) in people.iter().filter(|other| other.0 != *id) {
                    assert!(
                        !text.contains(other_id.as_str()),
                        "{email} saw {other_email}: {text}"
                    );
                    assert!(
                        !text.contains(other_email.as_str()),
                        "{email} saw {other_email}: {text}"
                    );
                }
            }
            assert_eq!(answers[0]["tenant_id"], *tenant, "{email}");
            for me in [&answers[1], &answers[5]] {
                assert_eq!((&me["sub"], &me["email"]), (&json!(id), &json!(email)));
                assert_eq!(me["tenant_id"], *tenant);
            }
            assert_eq!(answers[2]["tenant_id"], *tenant);
            let list = answers[3]["workspaces"].as_array().expect("a list");
            assert!(!list.is_empty(), "{email}: {}", answers[3]);
            let role = |answer: &Value| answer["workspace"]["role"].to_string();
            assert_eq!(role(&answers[0]), role(&answers[1]), "{email}");
            seen.insert(format!(
                "{email} {tenant} {} {}",
                list.len(),
                answers[1]["name"]
            ));
        }
    }
    assert_no_trap(&world);
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_people_at_once_get_their_own_with_and_without_reuse_of_instances() {
    let reused = sixteen_people_at_once(Setup::default()).await;
    let fresh = sixteen_people_at_once(Setup::default().without_reuse()).await;
    assert_eq!(reused, fresh);
    assert_eq!(reused.len(), 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn request_ids_stay_with_their_requests() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let token = session["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let answers = together(64, |i| {
        let client = world.client.clone();
        let (path, token) = match i % 4 {
            0 => ("/v1/me", Some(token.clone())),
            1 => ("/v1/me", None),
            2 => ("/v1/nothing/here", None),
            _ => ("/v1/auth/config", None),
        };
        async move {
            let id = (i % 8 != 7).then(|| format!("req-of-visit-{i:04}"));
            let mut request = Request::get(path);
            if let Some(id) = &id {
                request = request.header("x-request-id", id);
            }
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            (
                id,
                client
                    .send(request.body(bytes::Bytes::new()).expect("a request"))
                    .await,
            )
        }
    })
    .await;
    let mut made = BTreeSet::new();
    for (id, answer) in answers {
        let got = answer.header("x-request-id").to_owned();
        match id {
            Some(id) => assert_eq!(got, id),
            None => assert!(got.starts_with("req_") && made.insert(got.clone()), "{got}"),
        }
        if answer.status.is_client_error() {
            assert_eq!(answer.json()["error"]["request_id"], *got);
        }
    }
    assert!(!made.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn g6_a_session_of_one_tenant_reaches_nothing_of_another() {
    let world = World::start().await;
    let acme = world.sign_in(ALICE).await;
    let umbra_person = people(&world)[8].1.clone();
    let umbra = world.sign_in(&umbra_person).await;
    assert_eq!(umbra["tenant_id"], "tnt_umbra0001");
    let foreign = umbra["workspace"]["workspace_id"]
        .as_str()
        .expect("a workspace")
        .to_owned();
    assert_ne!(acme["workspace"]["workspace_id"], *foreign);
    let token = acme["access_token"].as_str();
    let list = world.client.get("/v1/me/workspaces", token).await;
    assert!(!list.text().contains(&foreign), "{}", list.text());
    // Neither by switching, nor by redeeming into it.
    let body = json!({ "refresh_token": acme["refresh_token"], "workspace_id": foreign });
    world
        .client
        .post("/v1/auth/refresh", &body)
        .await
        .assert_problem(403, "workspace_forbidden");
    let code = world
        .session_code(&world.browser(), &json!({}), ALICE)
        .await;
    let body = json!({ "session_code": code, "workspace_id": foreign });
    world
        .client
        .post("/v1/auth/token", &body)
        .await
        .assert_problem(403, "workspace_forbidden");
    // The refusals cost nothing.
    assert_eq!(world.redeem(&code).await.status, 200);
    assert_eq!(refresh(&world, &acme["refresh_token"]).await.status, 200);
    // A tenant named by the caller changes nothing.
    for name in [
        "x-tenant-id",
        "x-dev-workspace-id",
        "x-dev-subject",
        "x-dev-role",
        "x-user-id",
    ] {
        let request = Request::get("/v1/me")
            .header(
                "authorization",
                format!("Bearer {}", token.expect("a token")),
            )
            .header(name, "tnt_umbra0001");
        let me = world
            .client
            .send(request.body(bytes::Bytes::new()).expect("a request"))
            .await;
        assert_eq!(me.json()["tenant_id"], "tnt_acme0001", "{name}");
        // Without a token they name nobody, or under `env=dev` (these worlds are) a test user, who
        // is of no tenant of ScaiKey's.
        let request = Request::get("/v1/me").header(name, "usr_alice_acme");
        let me = world
            .client
            .send(request.body(bytes::Bytes::new()).expect("a request"))
            .await;
        match name {
            "x-dev-subject" | "x-dev-workspace-id" => {
                assert_eq!(me.json()["iss"], "urn:scaigate:dev", "{name}");
                assert_eq!(me.json()["tenant_id"], "tnt_dev", "{name}");
                assert_eq!(me.json()["person_id"], json!(null), "{name}");
            }
            "x-dev-role" => me.assert_problem(401, "token_invalid"),
            _ => me.assert_problem(401, "authentication_required"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g6_a_membership_of_another_tenant_is_not_shown_in_this_one() {
    let world = World::start().await;
    let acme = world.sign_in(ALICE).await;
    let umbra = world.sign_in(&people(&world)[8].1.clone()).await;
    let foreign = umbra["workspace"]["workspace_id"]
        .as_str()
        .expect("a workspace");
    let me = world
        .client
        .get("/v1/me", acme["access_token"].as_str())
        .await
        .json();
    let person = me["person_id"].as_str().expect("a person");
    // As a bug or an old mistake could leave it.
    world.sql(
        "UPDATE membership SET person_id = ?1 WHERE workspace_id = ?2",
        &[person, foreign],
    );
    let list = world
        .client
        .get("/v1/me/workspaces", acme["access_token"].as_str())
        .await;
    assert!(!list.text().contains(foreign), "{}", list.text());
    let body = json!({ "refresh_token": acme["refresh_token"], "workspace_id": foreign });
    world
        .client
        .post("/v1/auth/refresh", &body)
        .await
        .assert_problem(403, "workspace_forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_111_n_112_n_113_headers_that_name_host_path_or_person_change_nothing() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let token = session["access_token"].as_str().expect("a token");
    let own = format!("{}/v1/auth/callback", world.url);
    for (name, value) in [
        ("spin-full-url", "https://evil.example/v1/auth/callback"),
        ("spin-client-addr", "10.0.0.1:1"),
        ("spin-path-info", "/v1/auth/config"),
        ("spin-base-path", "/evil"),
        ("spin-matched-route", "/v1/auth/config"),
        ("spin-raw-component-route", "/v1/auth/config"),
        ("spin-component-route", "/v1/auth/config"),
        ("spin-path-match-user", "usr_bob_acme"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-prefix", "/evil"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-original-url", "/v1/auth/config"),
        ("x-rewrite-url", "/v1/auth/config"),
        ("x-http-method-override", "DELETE"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-auth-request-email", "bob@acme.example"),
        ("x-remote-user", "usr_bob_acme"),
    ] {
        let request = Request::get("/v1/me").header(name, value);
        let me = world
            .client
            .send(request.body(bytes::Bytes::new()).expect("a request"))
            .await;
        me.assert_problem(401, "authentication_required");
        assert_eq!(me.json()["instance"], "/v1/me", "{name}");
        let request = Request::get("/v1/me")
            .header(name, value)
            .header("authorization", format!("Bearer {token}"));
        let me = world
            .client
            .send(request.body(bytes::Bytes::new()).expect("a request"))
            .await;
        assert_eq!(
            (me.status.as_u16(), &me.json()["email"]),
            (200, &json!(ALICE)),
            "{name}"
        );
        let request = Request::post("/v1/auth/login")
            .header(name, value)
            .header("content-type", "application/json");
        let begun = world
            .client
            .send(request.body("{}".into()).expect("a request"))
            .await;
        assert_eq!(begun.status, 200, "{name}: {}", begun.text());
        let text = begun.json()["authorize_url"]
            .as_str()
            .expect("a URL")
            .to_owned();
        let url = url::Url::parse(&text).expect("a URL");
        let redirect = url
            .query_pairs()
            .find(|(key, _)| key == "redirect_uri")
            .map(|(_, v)| v.into_owned());
        assert_eq!(redirect.as_deref(), Some(own.as_str()), "{name}");
        assert!(!begun.text().contains("evil"), "{name}: {}", begun.text());
        assert_eq!(begun.json()["warnings"], json!([]), "{name}");
    }
    assert_no_trap(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_everything_and_every_kind_of_failure_leaves_no_secret_behind() {
    let world = World::with(Setup::default().behaviour(|b| b.password_grant = true)).await;
    let scaikey = &world.scaikey;
    // All that works.
    let browser = world.browser();
    let login = json!({ "return_to": "http://127.0.0.1:5173/x", "login_hint": ALICE });
    let code = world.session_code(&browser, &login, ALICE).await;
    let session = world.redeem(&code).await.json();
    let token = session["access_token"].as_str();
    for path in [
        "/v1/me",
        "/v1/me/workspaces",
        "/v1/auth/whoami",
        "/v1/auth/config",
    ] {
        assert_eq!(world.client.get(path, token).await.status, 200, "{path}");
    }
    let tokens = scaikey_tokens(&world, ALICE).await;
    assert_eq!(refresh(&world, &tokens["refresh_token"]).await.status, 200);
    let refreshed = refresh(&world, &session["refresh_token"]).await.json();
    // All that is refused.
    world
        .redeem(&code)
        .await
        .assert_problem(400, "session_code_already_used");
    for secret in [
        &session["access_token"],
        &session["refresh_token"],
        &json!(code),
    ] {
        let secret = secret.as_str().expect("a text");
        for path in ["/v1/me", "/v1/auth/whoami"] {
            world.client.get(path, Some(&format!("{secret}x"))).await;
        }
        for (path, field) in [
            ("/v1/auth/token", "session_code"),
            ("/v1/auth/refresh", "refresh_token"),
            ("/v1/auth/logout", "refresh_token"),
            ("/v1/auth/exchange", "code"),
            ("/v1/auth/login", "return_to"),
            ("/v1/auth/login", "code_challenge"),
        ] {
            // With a letter more it is no session's, and as secret as before.
            let body = json!({ field: format!("{secret}x") });
            let answer = world.client.post(path, &body).await;
            assert!(
                answer.status.is_client_error(),
                "{path} {field}: {}",
                answer.text()
            );
        }
        // Where it is in the path, the answer names that path to whoever sent it; the log does not.
        let line = format!("GET /v1/{secret}?x={secret}");
        raw(&world, &request(&line, "Connection: close\r\n", b"")).await;
        world
            .client
            .get(
                &format!("/v1/auth/callback?code={secret}&state={secret}"),
                None,
            )
            .await;
        world
            .client
            .get(&format!("/v1/auth/callback?error={secret}"), None)
            .await;
    }
    let form = [
        ("grant_type", "password"),
        ("username", ALICE),
        ("password", "not-a-short-password"),
    ];
    world.canaries.add("not-a-short-password");
    world.client.post_form("/v1/auth/token", &form).await;
    // All that fails.
    for endpoint in [Endpoint::Token, Endpoint::Jwks, Endpoint::Discovery] {
        for fault in [
            Fault::Garbage,
            Fault::Reset,
            Fault::Status {
                code: 500,
                retry_after: None,
            },
        ] {
            world.forget_documents();
            world.client.get("/v1/auth/config", None).await;
            scaikey.switches().fail_always(endpoint, fault);
            if endpoint == Endpoint::Discovery {
                world.forget_documents();
                world.client.post("/v1/auth/login", &json!({})).await;
            } else {
                callback(&world).await;
            }
            scaikey.switches().heal(endpoint);
        }
    }
    for lie in [
        TokenLie::WrongIss,
        TokenLie::Oversize,
        TokenLie::AlgNone,
        TokenLie::DeepNesting,
    ] {
        scaikey.switches().set(Deviation::IdToken(lie));
        assert_eq!(callback(&world).await, "id_token_invalid");
        scaikey.switches().clear_all();
    }
    for target in [Target::sqlite(), Target::key_value()] {
        world.faults.set(target, When::Always, Effect::Refuse);
        refresh(&world, &refreshed["refresh_token"]).await;
        world.advance(2);
        world
            .client
            .get("/v1/me/workspaces", refreshed["access_token"].as_str())
            .await;
        world.faults.clear();
    }
    // An instance that ends in the middle of an exchange, as after a panic.
    let code = world.app_code(ALICE, Some(VERIFIER)).await;
    scaikey.recorder().clear();
    scaikey.recorder().hold(Endpoint::Token);
    let body =
        json!({ "code": code, "code_verifier": VERIFIER, "redirect_uri": World::APP_REDIRECT_URI });
    let cut = async {
        let request = Request::post("/v1/auth/exchange")
            .header("content-type", "application/json")
            .body(bytes::Bytes::from(body.to_string()))
            .expect("a request");
        world.client.try_send(request).await
    };
    let kill = async {
        scaikey.recorder().arrived(Endpoint::Token, 1).await;
        world.host().kill_instances();
    };
    let (cut, ()) = tokio::join!(cut, kill);
    scaikey.recorder().release(Endpoint::Token);
    assert!(cut.is_err() || cut.is_ok_and(|answer| answer.status.is_server_error()));
    exchange(&world, &code)
        .await
        .assert_problem(400, "code_already_used");
    let out = json!({ "refresh_token": refreshed["refresh_token"] });
    assert_eq!(world.client.post("/v1/auth/logout", &out).await.status, 200);
    world.sign_in(ALICE).await;

    let lines = world.logs.lines();
    assert!(
        lines
            .iter()
            .any(|line| line.line.contains("instance killed"))
    );
    for line in &lines {
        world.canaries.check("a log line", &line.line);
        assert!(
            !line.line.contains(ALICE) && !line.line.contains('?'),
            "{}",
            line.line
        );
    }
    // The runner's word on the one request whose instance was killed; a trap or a panic by itself
    // would say "instance ended".
    let traps = traps(&world);
    let killed = |line: &String| line.starts_with("request failed");
    assert!(traps.len() <= 1 && traps.iter().all(killed), "{traps:#?}");
}
