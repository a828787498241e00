//! What an instance does once, although it begins with many requests at the same time.

use std::time::Duration;

use scaigate_e2e::{Effect, Setup, Target, When, World};

const MODELS: &str = "/v1/scaigrid/models";
const PATIENCE: &str = "PRAGMA busy_timeout";

/// How often `proxies` did that to `target`.
fn count(world: &World, target: &Target, operation: &str) -> usize {
    let calls = world.faults.calls();
    let ours = calls.iter().filter(|call| call.component == "proxies");
    ours.filter(|call| call.target == *target && call.operation == operation)
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_opens_the_database_once_however_many_requests_it_begins_with() {
    let world = World::with(Setup::default().scaigrid()).await;
    let token = world
        .signed_in_as("alice@acme.example", "viewer", None)
        .await;
    world.clock.freeze();
    world.faults.reset_calls();
    // The connection is open, and its first statement takes its time.
    let slow = Effect::Delay(Duration::from_secs(1));
    let first = When::Nth(2);
    world
        .faults
        .set_for("proxies", Target::sqlite(), first, slow);
    let (client, bearer) = (world.client.clone(), token.clone());
    let waiting = tokio::spawn(async move { client.get(MODELS, Some(&bearer)).await });
    let begins = || {
        let calls = world.faults.calls();
        calls.iter().any(|call| call.detail.contains(PATIENCE))
    };
    world.faults.until(begins).await;

    for _ in 0..8 {
        let answer = world.client.get(MODELS, Some(&token)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert!(!waiting.is_finished());
    world.advance(1);
    assert_eq!(waiting.await.expect("an answer").status, 200);

    // An instance reads its settings once, so they tell how many there were.
    let setting = Target::Variable("scaigrid_base_url".to_owned());
    let instances = count(&world, &setting, "get");
    assert!((1..=9).contains(&instances), "{instances}");
    assert_eq!(count(&world, &Target::sqlite(), "open"), instances);
}
