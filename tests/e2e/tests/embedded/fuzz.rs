//! Requests made from the API description, right and wrong: no answer is a 500, and each is as described
//! (the client of these tests holds every answer against it).
//!
//! The same requests each time. `SCAIGATE_FUZZ_CASES` makes more of them for each operation.

#[path = "fuzz/request.rs"]
mod request;

use std::time::Duration;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use scaigate_e2e::{Setup, World};
use scaigate_openapi::{Operation, operations};
use serde_json::{Value, json};

use request::Case;

const CASES: usize = 24;
const BOB: &str = "bob@acme.example";

/// Who sends them.
const CALLERS: [Option<&str>; 4] = [
    None,
    Some("viewer"),
    Some("tenant_admin"),
    Some("super_admin"),
];

fn cases() -> usize {
    let asked = std::env::var("SCAIGATE_FUZZ_CASES").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(CASES)
}

/// A session of Bob's, in the first of his workspaces: a made-up request may have given him a second.
async fn session(world: &World) -> Value {
    let code = world.session_code(&world.browser(), &json!({}), BOB).await;
    let answer = world.redeem(&code).await.json();
    if answer["requires_selection"] != true {
        return answer;
    }
    let workspace = &answer["workspaces"][0]["workspace_id"];
    let body = json!({ "session_code": code, "workspace_id": workspace });
    world.client.post("/v1/auth/token", &body).await.json()
}

/// A session of Bob's with that role; what was sent before may have ended the last one.
async fn token(world: &World, role: &str) -> String {
    let first = session(world).await;
    let person = first["user"]["id"].as_str().expect("a person");
    let (member, admin) = match role {
        "viewer" => ("viewer", None),
        role => ("admin", Some(role)),
    };
    world.sql(
        "UPDATE membership SET role = ?1 WHERE person_id = ?2",
        &[member, person],
    );
    world.sql(
        "UPDATE person SET admin_role = nullif(?1, ''), admin_role_source = iif(?1 = '', NULL, 'manual')
          WHERE person_id = ?2",
        &[admin.unwrap_or_default(), person],
    );
    let session = session(world).await;
    session["access_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

async fn fuzz(world: &World, operation: &'static Operation, runner: &mut TestRunner) {
    let strategy = request::case(operation);
    for role in CALLERS {
        let token = match role {
            Some(role) => Some(token(world, role).await),
            None => None,
        };
        for _ in 0..cases().div_ceil(CALLERS.len()) {
            let case: Case = strategy.new_tree(runner).expect("a case").current();
            let what = format!("{role:?} sends {case:?}");
            let answer = world.client.try_send(case.request(token.as_deref()));
            let answer = tokio::time::timeout(Duration::from_secs(60), answer).await;
            let answer = answer.unwrap_or_else(|_| panic!("no answer: {what}"));
            let answer = answer.unwrap_or_else(|error| panic!("{error}: {what}"));
            assert_ne!(answer.status, 500, "{}: {what}", answer.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn made_up_requests_are_answered_as_described() {
    let world = World::with(Setup::default().scaigrid()).await;
    world.sync().await;
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for operation in operations() {
        fuzz(&world, operation, &mut runner).await;
    }
}
