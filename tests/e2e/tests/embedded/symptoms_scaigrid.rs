//! The documented failures around ScaiGrid, and what their users see instead (`symptoms.md`).

use http::Method;
use scaigate_e2e::grid::seed::ACME_KEY;
use scaigate_e2e::grid::{Endpoint, Fault};
use scaigate_e2e::{Setup, World};
use serde_json::json;

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";

#[tokio::test(flavor = "multi_thread")]
async fn s_05_s_07_who_has_not_signed_in_through_scaikey_is_told_the_mode_and_the_way() {
    let setup = Setup::default().variable("scaiwave_auth_mode", "mock");
    let world = World::with(setup.scaigrid()).await;
    let config = world.client.get("/v1/auth/config", None).await;
    assert_eq!(config.status, 200, "{}", config.text());
    assert!(config.text().contains("mock"), "{}", config.text());
    let answer = world
        .client
        .get("/v1/scaigrid/models", Some("mock-dev-token"))
        .await;
    answer.assert_problem(412, "missing_credentials");
    let fix = answer.json()["error"]["fix"].to_string();
    assert!(fix.contains("POST /v1/auth/login"), "{fix}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s_06_missing_credentials_name_the_endpoint_and_whether_the_caller_may_call_it() {
    let setup = Setup::default().variable("scaiflow_deploy_auth", "api_key");
    let world = World::with(setup.scaigrid()).await;
    let admin = world
        .signed_in_as(ALICE, "viewer", Some("tenant_admin"))
        .await;
    let member = world.signed_in_as(BOB, "viewer", None).await;
    for (token, may) in [(&admin, true), (&member, false)] {
        for path in [
            "/v1/scaigrid/models",
            "/v1/scaiqueue/scopes",
            "/v1/scaigrid/modules",
        ] {
            let answer = world.client.get(path, Some(token)).await;
            answer.assert_problem(412, "missing_credentials");
            let body = answer.json();
            assert_eq!(body["error"]["details"]["caller_may_set"], may);
            for fix in [&body["error"]["fix"], &body["detail"]["fix"]] {
                let fix = fix.as_str().expect("a fix");
                assert!(
                    fix.contains("POST /v1/tenants/me/scaigrid_credentials"),
                    "{fix}"
                );
            }
        }
        // What the fix says about the caller is so.
        let body = json!({ "api_key": ACME_KEY });
        let answer = world
            .call(Method::POST, World::TENANT_KEY, token, Some(&body))
            .await;
        assert_eq!(answer.status.is_success(), may, "{}", answer.text());
        let gone = world
            .call(Method::DELETE, World::TENANT_KEY, &admin, None)
            .await;
        assert_eq!(gone.status, 204);
    }
    // It is shown per tenant.
    let shown = world
        .client
        .get(World::TENANT_KEY, Some(&member))
        .await
        .json();
    assert_eq!(shown["configured"], false);
    world.set_key(&admin, ACME_KEY).await;
    let answer = world.client.get("/v1/scaigrid/models", Some(&member)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn s_22_too_many_requests_say_whose_limit_it_is_and_how_long_to_wait() {
    let world = World::with(Setup::default().scaigrid()).await;
    let token = world.signed_in_as(ALICE, "viewer", None).await;
    let fault = Fault::Status {
        code: 429,
        retry_after: Some(17),
    };
    for (path, endpoint) in [
        ("/v1/scaigrid/models", Endpoint::Models),
        ("/v1/scaigrid/modules", Endpoint::Modules),
    ] {
        world
            .grid()
            .switches()
            .fail_next(endpoint, fault.clone(), 1);
        let answer = world.client.get(path, Some(&token)).await;
        answer.assert_problem(429, "scaigrid_rate_limited");
        assert_eq!(answer.header("retry-after"), "17");
        let details = &answer.json()["error"]["details"];
        assert_eq!(details["category"], "scaigrid");
        assert_eq!(details["limit"], 60);
        assert_eq!(details["remaining"], 0);
        assert!(details["reset"].is_u64(), "{details}");
        assert_eq!(details["source"], "caller_token");
        // What is left of it is told with every answer.
        let answer = world.client.get(path, Some(&token)).await;
        assert_eq!(answer.status, 200);
        assert_ne!(answer.header("x-scaigrid-ratelimit-remaining"), "");
    }
}
