//! The revocation index (G5): what an ended session is answered with, where, how soon, and what it
//! costs to know.

use http::Request;
use scaigate_e2e::emulator::{LogoutToken, seed};
use scaigate_e2e::{Answer, Call, Client, Setup, Target, World, together};
use serde_json::json;

const ALICE: &str = "alice@acme.example";

/// ScaiKey's word that Alice has signed out there.
async fn signs_out_at_scaikey(world: &World) {
    let token = world.scaikey.logout_token(&LogoutToken {
        client_id: seed::CLIENT_ID.to_owned(),
        tenant_id: None,
        sub: Some("usr_alice_acme".to_owned()),
        sid: None,
    });
    let fields = [("logout_token", token.as_str())];
    let out = world
        .client
        .post_form("/v1/auth/backchannel-logout", &fields)
        .await;
    assert_eq!(out.status, 200, "{}", out.text());
    assert_eq!(out.json()["sessions_ended"], 1);
}

async fn get(client: Client, token: String) -> Answer {
    client.get("/v1/me", Some(&token)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn g5_after_a_logout_every_route_in_every_instance_refuses_within_two_seconds() {
    for setup in [Setup::default(), Setup::default().without_reuse()] {
        let world = World::with(setup).await;
        let session = world.sign_in(ALICE).await;
        let bearer = session["access_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        // Several instances have seen it alive.
        for answer in together(100, |_| get(world.client.clone(), bearer.clone())).await {
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        signs_out_at_scaikey(&world).await;
        world.advance(2);
        for answer in together(100, |_| get(world.client.clone(), bearer.clone())).await {
            answer.assert_problem(401, "token_revoked");
        }
        for prefix in ["", "/api"] {
            for (method, path, body) in [
                ("GET", "/v1/me", ""),
                ("GET", "/v1/me/workspaces", ""),
                ("GET", "/v1/auth/whoami", ""),
                ("GET", "/v1/workspace", ""),
                ("PATCH", "/v1/workspace", r#"{"name":"Renamed"}"#),
                ("POST", "/v1/auth/register", "{}"),
            ] {
                let request = Request::builder()
                    .method(method)
                    .uri(format!("{prefix}{path}"))
                    .header("authorization", format!("Bearer {bearer}"))
                    .header("content-type", "application/json")
                    .body(body.into())
                    .expect("a request");
                let answer = world.client.send(request).await;
                answer.assert_problem(401, "token_revoked");
            }
        }
        let body = json!({ "refresh_token": session["refresh_token"] });
        let answer = world.client.post("/v1/auth/refresh", &body).await;
        answer.assert_problem(400, "session_ended");
    }
}

/// Reads of the key-value store.
fn index_reads(calls: &[Call]) -> usize {
    calls
        .iter()
        .filter(|call| call.target == Target::key_value() && call.operation == "get")
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_costs_one_read_of_the_revocation_index_every_two_seconds_and_no_statement() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let whoami = async || {
        let token = session["access_token"].as_str();
        world.client.get("/v1/auth/whoami", token).await
    };
    world.clock.freeze();
    world.host().kill_instances();
    for (seconds, reads) in [(0, 1), (0, 0), (1, 0), (1, 1), (0, 0), (2, 1)] {
        world.advance(seconds);
        world.faults.reset_calls();
        assert_eq!(whoami().await.status, 200);
        let calls = world.faults.calls();
        assert_eq!(index_reads(&calls), reads, "{calls:#?}");
        assert_eq!(world.faults.count(&Target::sqlite()), 0, "{calls:#?}");
    }
    // Without anything remembered, one per request, also of a session that is over.
    let body = json!({ "refresh_token": session["refresh_token"] });
    assert_eq!(
        world.client.post("/v1/auth/logout", &body).await.status,
        200
    );
    for _ in 0..3 {
        world.host().kill_instances();
        world.faults.reset_calls();
        whoami().await.assert_problem(401, "token_revoked");
        let calls = world.faults.calls();
        // After the answer, the refusal is noted in the audit log.
        assert_eq!(index_reads(&calls), 1, "{calls:#?}");
    }
    world.clock.thaw();
}
