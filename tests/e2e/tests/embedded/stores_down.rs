//! The stores, the variables and the network failing at every single call of every flow: each
//! answer is a documented one, an outage is never mistaken for a refusal or a success, and the next
//! sign-in works.

use http::{Method, Request};
use scaigate_e2e::{Answer, Browser, Effect, Target, When, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Login,
    Callback,
    Redeem,
    Refresh,
    Me,
    Workspaces,
    Workspace,
    PatchWorkspace,
    AccessToken,
    Register,
    Logout,
}

async fn send(world: &World, method: Method, path: &str, token: &str, body: &Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(body.to_string().into())
        .expect("a request");
    world.client.send(request).await
}

/// A flow with everything before it done.
enum Prepared {
    Login,
    Callback(Browser, String),
    Redeem(String),
    Refresh(Value),
    Me(Value),
    Workspaces(Value),
    Workspace(Value),
    PatchWorkspace(Value),
    /// An access token of somebody who is not registered.
    AccessToken(String),
    /// The same, to register with.
    Register(String),
    Logout(Value),
}

impl Prepared {
    async fn of(world: &World, flow: Flow) -> Self {
        let browser = world.browser();
        match flow {
            Flow::Login => Self::Login,
            Flow::Callback => {
                let back = world.authorize(&browser, &json!({}), ALICE).await;
                Self::Callback(browser, back)
            }
            Flow::Redeem => Self::Redeem(world.session_code(&browser, &json!({}), ALICE).await),
            Flow::Refresh => Self::Refresh(world.sign_in(ALICE).await),
            Flow::Me => Self::Me(world.sign_in(ALICE).await),
            Flow::Workspaces => Self::Workspaces(world.sign_in(ALICE).await),
            Flow::Workspace => Self::Workspace(world.sign_in(ALICE).await),
            Flow::PatchWorkspace => Self::PatchWorkspace(world.sign_in(ALICE).await),
            Flow::AccessToken => Self::AccessToken(Self::newcomer(world).await),
            Flow::Register => Self::Register(Self::newcomer(world).await),
            Flow::Logout => Self::Logout(world.sign_in(ALICE).await),
        }
    }

    /// The access token of somebody who was never here, of a tenant that is known.
    async fn newcomer(world: &World) -> String {
        world.sign_in(ALICE).await;
        let subject = format!("usr_{}", world.clock.monotonic());
        world.minted(json!({ "sub": subject }))
    }

    async fn run(&self, world: &World) -> Answer {
        match self {
            Self::Login => world.client.post("/v1/auth/login", &json!({})).await,
            Self::Callback(browser, back) => browser.get(back).await,
            Self::Redeem(code) => world.redeem(code).await,
            Self::Refresh(session) => {
                let body = json!({ "refresh_token": session["refresh_token"] });
                world.client.post("/v1/auth/refresh", &body).await
            }
            Self::Me(session) => {
                world
                    .client
                    .get("/v1/me", session["access_token"].as_str())
                    .await
            }
            Self::Workspaces(session) => {
                world
                    .client
                    .get("/v1/me/workspaces", session["access_token"].as_str())
                    .await
            }
            Self::Workspace(session) => {
                let token = session["access_token"].as_str();
                world.client.get("/v1/workspace", token).await
            }
            Self::PatchWorkspace(session) => {
                let token = session["access_token"].as_str().expect("a token");
                let body = json!({ "name": "Renamed", "description": null });
                send(world, Method::PATCH, "/v1/workspace", token, &body).await
            }
            Self::AccessToken(token) => world.client.get("/v1/me", Some(token)).await,
            Self::Register(token) => {
                send(world, Method::POST, "/v1/auth/register", token, &json!({})).await
            }
            Self::Logout(session) => {
                let body = json!({ "refresh_token": session["refresh_token"] });
                world.client.post("/v1/auth/logout", &body).await
            }
        }
    }

    /// The error code, empty when it worked. The callback tells it in the redirect, or on a page
    /// while it does not know yet whose browser it is.
    fn outcome(answer: &Answer) -> String {
        if answer.status == 303 {
            let error = answer.location_parameter("error");
            assert_eq!(
                error.is_empty(),
                !answer.location_parameter("session_code").is_empty()
            );
            return error;
        }
        if answer.header("content-type").starts_with("text/html") {
            let text = answer.text();
            let (_, rest) = text.split_once("Code ").expect("the code on the page");
            return rest.split(',').next().unwrap_or_default().to_owned();
        }
        if answer.status == 200 {
            return String::new();
        }
        answer.assert_problem(answer.status.as_u16(), &answer.code());
        answer.code()
    }

    /// Tries the same again when the fault is over.
    async fn again(&self, world: &World, effect: Effect, outcome: &str, what: &str) {
        if outcome.is_empty() {
            return;
        }
        let done = effect == Effect::LoseAnswer;
        if (done || outcome == "jwks_unavailable")
            && matches!(self, Self::AccessToken(_) | Self::Register(_))
        {
            // ScaiKey is not asked again by every request with a token, not even when whoever was
            // to ask never heard so.
            world.advance(31);
        }
        let answer = self.run(world).await;
        let second = Self::outcome(&answer);
        let allowed: &[&str] = match self {
            // The state is gone with the first try, unless that did not get so far.
            Self::Callback(..) => &["", "state_already_used"],
            Self::Redeem(_) if done => &["", "session_code_already_used"],
            // An outage costs no token, even when the work was done and the answer lost.
            _ => &[""],
        };
        assert!(allowed.contains(&second.as_str()), "{what}: then {second}");
        if let Self::Register(_) = self {
            let participant = answer.json()["participant_id"].clone();
            let own = world.sql_text(
                "SELECT CAST(COUNT(*) AS TEXT) FROM workspace
                  WHERE kind = 'personal' AND created_by = ?1",
                &[participant.as_str().expect("a participant")],
            );
            assert_eq!(own.as_deref(), Some("1"), "{what}");
        }
        if let Self::Logout(session) = self {
            world.advance(2);
            let token = session["access_token"].as_str();
            world
                .client
                .get("/v1/me", token)
                .await
                .assert_problem(401, "token_revoked");
        }
    }
}

/// What a failing call of `target` may lead to in `flow`.
fn allowed(flow: Flow, target: &Target) -> &'static [&'static str] {
    match (target, flow) {
        (
            Target::KeyValue(_),
            Flow::Me | Flow::Workspaces | Flow::Workspace | Flow::PatchWorkspace,
        ) => &["store_unavailable"],
        // ScaiKey's documents are read again, the revocation index is not done without.
        (Target::KeyValue(_), Flow::AccessToken | Flow::Register) => &["", "store_unavailable"],
        // Logging out writes the record that every request reads: without it, it did not happen.
        (Target::KeyValue(_), Flow::Logout) => &["", "store_unavailable"],
        // Elsewhere it only keeps ScaiKey's documents, which can be read again.
        (Target::KeyValue(_), _) => &[""],
        (Target::Sqlite(_), _) => &["", "store_unavailable"],
        (Target::Variable(_), _) => &["configuration_invalid"],
        (Target::Outbound(_), Flow::Logout) => &[""],
        (Target::Outbound(_), Flow::AccessToken | Flow::Register) => &["jwks_unavailable"],
        (Target::Outbound(_), Flow::Login) => &["scaikey_unreachable", "scaikey_invalid_response"],
        (Target::Outbound(_), _) => &[
            "scaikey_unreachable",
            "scaikey_invalid_response",
            "jwks_unavailable",
        ],
    }
}

/// Fails each call of `target` that `flow` makes on a new instance, one after the other.
async fn every_call(world: &World, flow: Flow, target: &Target) -> u64 {
    let prepared = Prepared::of(world, flow).await;
    world.forget_documents();
    world.faults.reset_calls();
    let answer = prepared.run(world).await;
    assert_eq!(
        Prepared::outcome(&answer),
        "",
        "{flow:?}: {}",
        answer.text()
    );
    let calls = world.faults.count(target);
    for effect in [Effect::Refuse, Effect::LoseAnswer] {
        for k in 1..=calls {
            let what = format!("{flow:?}, {target:?} call {k} of {calls}, {effect:?}");
            let prepared = Prepared::of(world, flow).await;
            world.forget_documents();
            world.faults.set(target.clone(), When::Nth(k), effect);
            let answer = prepared.run(world).await;
            world.faults.clear();
            let outcome = Prepared::outcome(&answer);
            assert!(
                allowed(flow, target).contains(&outcome.as_str()),
                "{what}: {outcome:?}"
            );
            if outcome == "store_unavailable" && answer.status != 303 {
                assert_eq!(answer.status, 503, "{what}");
                if !answer.json().is_null() {
                    assert_eq!(answer.header("retry-after"), "1", "{what}");
                }
            }
            prepared.again(world, effect, &outcome, &what).await;
            world.sign_in(ALICE).await;
        }
    }
    calls
}

const FLOWS: [Flow; 11] = [
    Flow::Login,
    Flow::Callback,
    Flow::Redeem,
    Flow::Refresh,
    Flow::Me,
    Flow::Workspaces,
    Flow::Workspace,
    Flow::PatchWorkspace,
    Flow::AccessToken,
    Flow::Register,
    Flow::Logout,
];

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_of_every_flow_may_fail() {
    let world = World::start().await;
    for flow in FLOWS {
        let calls = every_call(&world, flow, &Target::sqlite()).await;
        assert_eq!(
            calls > 0,
            flow != Flow::Me,
            "{flow:?} makes {calls} statements"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_value_call_of_every_flow_may_fail() {
    let world = World::start().await;
    for flow in FLOWS {
        let calls = every_call(&world, flow, &Target::key_value()).await;
        let none = matches!(flow, Flow::Redeem | Flow::Refresh);
        assert_eq!(calls == 0, none, "{flow:?} makes {calls} calls");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_outbound_call_of_every_flow_may_fail() {
    let world = World::start().await;
    let scaikey = Target::Outbound("127.0.0.1".to_owned());
    for flow in FLOWS {
        let calls = every_call(&world, flow, &scaikey).await;
        let some = matches!(
            flow,
            Flow::Login | Flow::Callback | Flow::AccessToken | Flow::Register | Flow::Logout
        );
        assert_eq!(calls > 0, some, "{flow:?} makes {calls} calls");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_of_variables_that_does_not_answer_is_not_an_unset_variable() {
    let world = World::start().await;
    for (flow, name) in [
        (Flow::Login, "scaikey_base_url"),
        (Flow::Login, "public_url"),
        (Flow::Callback, "scaiflow_scaikey_client_secret"),
        (Flow::Callback, "session_secret"),
        (Flow::Redeem, "session_secret"),
        (Flow::Refresh, "session_ttl_seconds"),
        (Flow::Me, "session_secret"),
        (Flow::Workspaces, "app_url"),
        (Flow::Workspace, "env"),
        (Flow::PatchWorkspace, "scaiwave_auth_mode"),
        (Flow::AccessToken, "scaikey_audience"),
        (Flow::Register, "scaikey_base_url"),
        (Flow::Logout, "bootstrap_super_admin"),
    ] {
        let calls = every_call(&world, flow, &Target::Variable(name.to_owned())).await;
        assert_eq!(calls, 1, "{flow:?} reads {name} once per instance");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_store_is_down_every_route_says_so_and_afterwards_all_is_well() {
    let world = World::start().await;
    for effect in [Effect::Refuse, Effect::LoseAnswer] {
        for flow in FLOWS {
            let prepared = Prepared::of(&world, flow).await;
            world.host().kill_instances();
            world.faults.set(Target::sqlite(), When::Always, effect);
            let outcome = Prepared::outcome(&prepared.run(&world).await);
            world.faults.clear();
            let want = if flow == Flow::Me {
                ""
            } else {
                "store_unavailable"
            };
            assert_eq!(outcome, want, "{flow:?}, {effect:?}");
            prepared
                .again(&world, effect, &outcome, &format!("{flow:?}, {effect:?}"))
                .await;
        }
        world.sign_in(ALICE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_session_is_never_good_while_the_revocation_index_is_down() {
    let world = World::start().await;
    let (ended, alive) = (
        world.sign_in(ALICE).await,
        world.sign_in("bob@acme.example").await,
    );
    let me = async |session: &Value| {
        world
            .client
            .get("/v1/me", session["access_token"].as_str())
            .await
    };
    assert_eq!(me(&ended).await.status, 200);
    assert_eq!(me(&alive).await.status, 200);
    let body = json!({ "refresh_token": ended["refresh_token"] });
    assert_eq!(
        world.client.post("/v1/auth/logout", &body).await.status,
        200
    );
    world.advance(2);
    for effect in [Effect::Refuse, Effect::LoseAnswer] {
        world.faults.set(Target::key_value(), When::Always, effect);
        for session in [&ended, &alive] {
            for path in ["/v1/me", "/v1/me/workspaces", "/v1/auth/whoami"] {
                let answer = world
                    .client
                    .get(path, session["access_token"].as_str())
                    .await;
                answer.assert_problem(503, "store_unavailable");
            }
        }
        world.faults.clear();
        me(&ended).await.assert_problem(401, "token_revoked");
        assert_eq!(me(&alive).await.status, 200);
        world.advance(2);
    }
    // A logout that could not be recorded has not happened, and says so.
    world
        .faults
        .set(Target::key_value(), When::Always, Effect::Refuse);
    let body = json!({ "refresh_token": alive["refresh_token"] });
    world
        .client
        .post("/v1/auth/logout", &body)
        .await
        .assert_problem(503, "store_unavailable");
    world.faults.clear();
    assert_eq!(me(&alive).await.status, 200);
    assert_eq!(
        world.client.post("/v1/auth/logout", &body).await.status,
        200
    );
    world.advance(2);
    me(&alive).await.assert_problem(401, "token_revoked");
}
