//! ScaiKey's keys while ScaiKey is away, is asked for keys nobody has, or has just made new ones
//! (N-071 to N-073, S-15), as whoever brings an access token meets it.

use scaigate_e2e::emulator::{Endpoint, Fault, Rotation, SigningAlg};
use scaigate_e2e::{Answer, Client, Effect, Setup, Target, When, World, together};
use serde_json::json;

const ALICE: &str = "alice@acme.example";

async fn me(world: &World, token: &str) -> Answer {
    world.client.get("/v1/me", Some(token)).await
}

/// How often the key set was read.
fn reads(world: &World) -> usize {
    world.scaikey.recorder().count(Endpoint::Jwks)
}

/// Fails when the key set was asked for twice within half a minute, less what a request may be late
/// on its way.
#[track_caller]
fn assert_one_read_per_half_minute(world: &World) {
    let reads = world.scaikey.recorder().requests_to(Endpoint::Jwks);
    for pair in reads.windows(2) {
        let apart = pair[1].at - pair[0].at;
        assert!(apart >= 29_000, "read again after {apart} ms");
    }
}

/// A token whose key ScaiKey never had.
fn of_unknown_key(world: &World, kid: &str) -> String {
    world.minted_with(json!({ "kid": kid }), json!({}))
}

/// How ScaiKey is away.
#[derive(Clone, Copy, Debug)]
enum Away {
    /// It answers 503.
    Down,
    /// It accepts no connection.
    Refusing,
}

fn goes(world: &World, away: Away) {
    match away {
        Away::Down => {
            for endpoint in [Endpoint::Discovery, Endpoint::Jwks] {
                let fault = Fault::Status {
                    code: 503,
                    retry_after: None,
                };
                world.scaikey.switches().fail_always(endpoint, fault);
            }
        }
        Away::Refusing => {
            let host = Target::Outbound("127.0.0.1".to_owned());
            world.faults.set(host, When::Always, Effect::Refuse);
        }
    }
}

fn returns(world: &World) {
    world.scaikey.switches().heal(Endpoint::Discovery);
    world.scaikey.switches().heal(Endpoint::Jwks);
    world.faults.clear();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_without_scaikey_costs_nobody_with_a_known_key_anything() {
    for away in [Away::Down, Away::Refusing] {
        let world = World::start().await;
        world.sign_in(ALICE).await;
        let now = world.clock.wall().as_secs();
        let token = world.minted(json!({ "exp": now + 7200 }));
        assert_eq!(me(&world, &token).await.status, 200);
        goes(&world, away);
        world.scaikey.recorder().clear();
        world.faults.reset_calls();
        let minutes = 60;
        for minute in 0..minutes {
            world.advance(60);
            if minute % 3 == 0 {
                world.host().kill_instances();
            }
            // One that an instance may remember, and one that it can't.
            let new = world.minted(json!({ "exp": now + 7200, "jti": format!("t{minute}") }));
            for token in [&token, &new] {
                let answer = me(&world, token).await;
                assert_eq!(answer.status, 200, "{away:?}, {minute}: {}", answer.text());
            }
            // Of a key that nobody knows it can't be said that it is wrong.
            let answer = me(&world, &of_unknown_key(&world, &format!("k{minute}"))).await;
            answer.assert_problem(503, "jwks_unavailable");
        }
        assert_one_read_per_half_minute(&world);
        // Discovery and keys, each at most once per half minute, and tries to no other end.
        let asked = world
            .faults
            .count(&Target::Outbound("127.0.0.1".to_owned()));
        assert!(asked <= 2 * 2 * minutes, "{away:?}: asked {asked} times");
        returns(&world);
        world.advance(31);
        let answer = me(&world, &of_unknown_key(&world, "k-last")).await;
        answer.assert_problem(401, "token_invalid");
        assert_eq!(me(&world, &token).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_keys_a_token_is_neither_good_nor_bad() {
    for away in [Away::Down, Away::Refusing] {
        let world = World::start().await;
        world.sign_in(ALICE).await;
        let token = world.minted(json!({}));
        world.forget_documents();
        goes(&world, away);
        world.faults.reset_calls();
        world.clock.freeze();
        for _ in 0..5 {
            me(&world, &token)
                .await
                .assert_problem(503, "jwks_unavailable");
            world.host().kill_instances();
        }
        // Not asked again by every request (discovery has two addresses).
        let asked = world
            .faults
            .count(&Target::Outbound("127.0.0.1".to_owned()));
        assert!(asked <= 2, "{away:?}: asked {asked} times");
        world.clock.thaw();
        returns(&world);
        world.advance(31);
        assert_eq!(me(&world, &token).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_last_read_a_day_ago_vouch_for_nobody() {
    let world = World::start().await;
    world.sign_in(ALICE).await;
    let now = world.clock.wall().as_secs();
    let token = |n: u64| world.minted(json!({ "exp": now + 200_000, "jti": format!("t{n}") }));
    assert_eq!(me(&world, &token(0)).await.status, 200);
    goes(&world, Away::Down);
    world.advance(24 * 3600 - 120);
    assert_eq!(me(&world, &token(1)).await.status, 200);
    world.advance(150);
    me(&world, &token(2))
        .await
        .assert_problem(503, "jwks_unavailable");
    world.host().kill_instances();
    me(&world, &token(1))
        .await
        .assert_problem(503, "jwks_unavailable");
}

async fn ask(client: Client, token: String) -> Answer {
    client.get("/v1/me", Some(&token)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn n_072_a_storm_of_ten_thousand_unknown_keys_is_one_read_per_half_minute() {
    const BATCHES: usize = 20;
    const EACH: usize = 500;
    let world = World::start().await;
    world.sign_in(ALICE).await;
    let good = world.minted(json!({}));
    assert_eq!(me(&world, &good).await.status, 200);
    world.advance(31);
    world.scaikey.recorder().clear();
    let began = world.clock.monotonic();
    // Signatures are slow to make and these need none that fits.
    let token = of_unknown_key(&world, "k");
    let (_, rest) = token.split_once('.').expect("a header");
    let header = |kid: &str| {
        use base64::Engine;
        let text = json!({ "alg": "RS256", "kid": kid }).to_string();
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    };
    for batch in 0..BATCHES {
        let answers = together(EACH, |i| {
            let token = format!("{}.{rest}", header(&format!("storm-{batch}-{i}")));
            ask(world.client.clone(), token)
        })
        .await;
        for answer in &answers {
            answer.assert_problem(401, "token_invalid");
        }
        // Whoever has a known key is served meanwhile.
        assert_eq!(me(&world, &good).await.status, 200);
        if batch % 5 == 4 {
            world.advance(31);
            world.host().kill_instances();
        }
    }
    assert_one_read_per_half_minute(&world);
    let halves = (world.clock.monotonic() - began) / 30_000_000_000;
    let reads = reads(&world);
    assert!(
        reads >= 4 && reads <= usize::try_from(halves).expect("few") + 1,
        "{reads} reads in {halves} half minutes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_072_without_the_database_nobody_searches_for_an_unknown_key() {
    let world = World::start().await;
    world.sign_in(ALICE).await;
    assert_eq!(me(&world, &world.minted(json!({}))).await.status, 200);
    let before = reads(&world);
    world
        .faults
        .set(Target::sqlite(), When::Always, Effect::Refuse);
    for n in 0..10 {
        let answer = me(&world, &of_unknown_key(&world, &format!("k{n}"))).await;
        answer.assert_problem(503, "store_unavailable");
    }
    world.faults.clear();
    assert_eq!(reads(&world), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_071_s_15_a_new_key_is_good_at_once_for_fifty_at_once() {
    for alg in [SigningAlg::Rs256, SigningAlg::Es256] {
        for setup in [Setup::default(), Setup::default().without_reuse()] {
            let world = World::with(setup.behaviour(|b| b.signing_alg = alg)).await;
            world.sign_in(ALICE).await;
            let old = world.minted(json!({}));
            assert_eq!(me(&world, &old).await.status, 200);
            world
                .scaikey
                .rotate_keys(Rotation::KeepOld)
                .expect("new keys");
            let before = reads(&world);
            let tokens: Vec<String> = (0..50)
                .map(|n| world.minted(json!({ "jti": format!("t{n}") })))
                .collect();
            let answers = together(tokens.len(), |i| {
                ask(world.client.clone(), tokens[i].clone())
            })
            .await;
            for answer in &answers {
                assert_eq!(answer.status, 200, "{}", answer.text());
            }
            assert_eq!(reads(&world), before + 1);
            // The old one stays good for as long as ScaiKey publishes its key.
            assert_eq!(me(&world, &old).await.status, 200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_073_a_key_that_scaikey_withdraws_is_good_for_ten_minutes_more_at_most() {
    let world = World::start().await;
    world.sign_in(ALICE).await;
    let now = world.clock.wall().as_secs();
    let old = world.minted(json!({ "exp": now + 7200 }));
    let unseen = world.minted(json!({ "exp": now + 7200, "jti": "unseen" }));
    assert_eq!(me(&world, &old).await.status, 200);
    world
        .scaikey
        .rotate_keys(Rotation::DropOld)
        .expect("new keys");
    // As soon as the new set was read nothing new is verified with the old key,
    let new = world.minted(json!({ "exp": now + 7200 }));
    assert_eq!(me(&world, &new).await.status, 200);
    world.host().kill_instances();
    me(&world, &unseen)
        .await
        .assert_problem(401, "token_invalid");
    me(&world, &old).await.assert_problem(401, "token_invalid");
    // and without anybody reading it, after ten minutes.
    assert_eq!(me(&world, &new).await.status, 200);
    world
        .scaikey
        .rotate_keys(Rotation::DropOld)
        .expect("new keys");
    world.advance(601);
    me(&world, &new).await.assert_problem(401, "token_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_ten_minutes_old_are_renewed_by_one_of_fifty_and_nobody_waits() {
    for down in [false, true] {
        for setup in [Setup::default(), Setup::default().without_reuse()] {
            let world = World::with(setup).await;
            world.sign_in(ALICE).await;
            assert_eq!(me(&world, &world.minted(json!({}))).await.status, 200);
            for round in 0..3 {
                world.advance(601);
                if down {
                    goes(&world, Away::Down);
                }
                let before = reads(&world);
                let tokens: Vec<String> = (0..50)
                    .map(|n| world.minted(json!({ "jti": format!("t{round}-{n}") })))
                    .collect();
                let answers = together(tokens.len(), |i| {
                    ask(world.client.clone(), tokens[i].clone())
                })
                .await;
                for answer in &answers {
                    assert_eq!(answer.status, 200, "{}", answer.text());
                }
                assert_eq!(reads(&world), before + 1, "down: {down}, {round}");
            }
        }
    }
}
