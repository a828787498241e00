//! Webhooks that must not count, and those that must not be lost (`negative-cases.md` 5.6), as bytes on
//! the wire against the wasm that ships.

use bytes::Bytes;
use scaigate_e2e::emulator::{Envelope, WebhookDelivery, WebhookEvent, seed, sign_webhook};
use scaigate_e2e::{Answer, Effect, Setup, Target, WEBHOOK_SECRET, When, World, together};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::isolation::traps;
use crate::malformed::{cut, request};

const BOB: &str = "usr_bob_acme";

fn now(world: &World) -> i64 {
    i64::try_from(world.clock.wall().as_secs()).expect("this era")
}

/// A world whose mirror is in step, and the delivery of Bob's suspension.
async fn suspension() -> (World, WebhookDelivery) {
    let world = World::start().await;
    world.sync().await;
    world.advance(5);
    let event = world.scaikey.changes().suspend_user(BOB);
    let delivery = world
        .scaikey
        .webhook(WEBHOOK_SECRET, &event.expect("a change"));
    (world, delivery)
}

async fn status(world: &World) -> Value {
    world.mirrored(BOB).await["status"].clone()
}

/// Deliveries that held, by what became of them.
fn held(world: &World) -> Vec<String> {
    world.rows(
        "SELECT outcome || ' ' || sum(count) FROM webhook_delivery WHERE outcome <> 'refused'
          GROUP BY outcome ORDER BY 1",
    )
}

fn with_signature(delivery: &WebhookDelivery, signature: &str) -> WebhookDelivery {
    delivery
        .clone()
        .with_header("x-scaikey-signature", Some(signature))
}

#[tokio::test(flavor = "multi_thread")]
async fn n_091_a_signature_that_is_not_whole_is_none() {
    let (world, delivery) = suspension().await;
    let t = now(&world);
    let good = sign_webhook(WEBHOOK_SECRET, t, &delivery.body);
    let half = &good[..32];
    let missing = "webhook_signature_missing";
    let mismatch = "webhook_signature_mismatch";
    for (signature, code) in [
        (String::new(), missing),
        ("v1,".to_owned(), missing),
        ("v1".to_owned(), missing),
        (format!("t={t}"), missing),
        (format!("t={t},v1"), missing),
        (good.clone(), missing),
        (format!("t={t},v1={good}").replace("v1=", "v2="), missing),
        (format!("v1={good}"), "webhook_timestamp_missing"),
        (format!("t=,v1={good}"), "webhook_timestamp_missing"),
        (format!("t={t},v1="), mismatch),
        (format!("t={t},v1={half}"), mismatch),
        (format!("t={t},v1={good}0"), mismatch),
        (format!("t={t},v1={good}{good}"), mismatch),
        (format!("t={t},v1= {good}"), mismatch),
        (format!("t={t},v1=\"{good}\""), mismatch),
        (format!("t={t},v1={}", "0".repeat(64)), mismatch),
        (format!("t={t},t={t},v1={good}"), mismatch),
        (format!("t={t},v1={}", "00,v1=".repeat(200)), mismatch),
        (format!("t={},v1={good}", t + 1), mismatch),
        (
            format!("t=+{t},v1={good}"),
            "webhook_timestamp_out_of_window",
        ),
    ] {
        let answer = world.receive(&with_signature(&delivery, &signature)).await;
        assert_eq!(answer.code(), code, "{signature}: {}", answer.text());
        answer.assert_problem(400, code);
    }
    let without = delivery.clone().with_header("x-scaikey-signature", None);
    world.receive(&without).await.assert_problem(400, missing);
    let without = delivery.clone().with_header("x-scaikey-timestamp", None);
    let answer = world.receive(&without).await;
    answer.assert_problem(400, "webhook_timestamp_missing");
    assert_eq!(status(&world).await, "ACTIVE");
    assert_eq!(held(&world), Vec::<String>::new());
    // The same bytes with the same signature whole.
    let spaced = with_signature(
        &delivery,
        &format!("t={t}, v0=x , v1={}", good.to_uppercase()),
    );
    assert_eq!(world.receive(&spaced).await.status, 200);
    assert_eq!(status(&world).await, "SUSPENDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_092_the_bytes_count_and_not_what_they_mean() {
    let (world, delivery) = suspension().await;
    let text = String::from_utf8(delivery.body.clone()).expect("text");
    let value: Value = serde_json::from_str(&text).expect("JSON");
    for body in [
        format!("{text}\n"),
        format!(" {text}"),
        text.replacen(',', ", ", 1),
        text.replacen(':', ": ", 1),
        format!("{value:#}"),
        text.replacen("usr_bob_acme", "usr_\\u0062ob_acme", 1),
        format!("{}{text}", '\u{feff}'),
        text.replacen("usr_bob_acme", "usr_bea_umbra", 1),
        String::new(),
    ] {
        let changed = WebhookDelivery {
            body: body.clone().into_bytes(),
            ..delivery.clone()
        };
        let answer = world.receive(&changed).await;
        assert_eq!(answer.code(), "webhook_signature_mismatch", "{body}");
    }
    assert_eq!(status(&world).await, "ACTIVE");
    assert_eq!(world.receive(&delivery).await.status, 200);
    assert_eq!(status(&world).await, "SUSPENDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_094_a_replay_does_nothing_and_another_body_under_its_id_is_refused() {
    let (world, delivery) = suspension().await;
    assert_eq!(
        world.receive(&delivery).await.json(),
        json!({ "handled": true })
    );
    // Somebody sends it again after the person is active again.
    world.advance(20);
    let event = world.scaikey.changes().activate_user(BOB);
    world.handled(&event.expect("a change")).await;
    for _ in 0..3 {
        world.advance(60);
        let again = world.receive(&delivery).await;
        assert_eq!(again.json(), json!({ "handled": true, "duplicate": true }));
    }
    assert_eq!(status(&world).await, "ACTIVE");
    let mut other: Value = serde_json::from_slice(&delivery.body).expect("JSON");
    other["event_type"] = "user.deleted".into();
    let other = WebhookDelivery::of_bytes(other.to_string(), WEBHOOK_SECRET, now(&world));
    let answer = world.receive(&other).await;
    answer.assert_problem(400, "webhook_event_conflict");
    // Outside the window the signature itself is worth nothing.
    world.advance(200);
    let answer = world.receive(&delivery).await;
    answer.assert_problem(400, "webhook_timestamp_out_of_window");
    assert_eq!(status(&world).await, "ACTIVE");
    assert_eq!(held(&world), ["applied 2", "duplicate 3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_095_nothing_moves_between_time_id_and_body() {
    let (world, _) = suspension().await;
    let t = now(&world);
    // Signed is `t.body`: what stands before the second point is no time, and the rest no event.
    let body = format!("0.{}", json!({ "id": "evt_1", "type": "user.deleted" }));
    let delivery = WebhookDelivery::of_bytes(body, WEBHOOK_SECRET, t);
    let signature = delivery.headers["x-scaikey-signature"]
        .to_str()
        .expect("text");
    let moved = WebhookDelivery {
        body: delivery.body[2..].to_vec(),
        headers: delivery.headers.clone(),
    };
    let moved = with_signature(
        &moved,
        &signature.replacen(&t.to_string(), &format!("{t}.0"), 1),
    )
    .with_header("x-scaikey-timestamp", Some(&format!("{t}.0")));
    let answer = world.receive(&moved).await;
    answer.assert_problem(400, "webhook_timestamp_out_of_window");
    // An id may hold a point; it is one id.
    let mut event = world
        .scaikey
        .changes()
        .about_user("user.suspended", BOB)
        .expect("an event");
    for (id, is_duplicate) in [("evt_1.2", false), ("evt_1", false), ("evt_1.2", true)] {
        event.id = id.to_owned();
        let answer = world.event(&event).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["duplicate"] == true, is_duplicate, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_097_an_asymmetric_scheme_or_key_signs_nothing() {
    let (world, delivery) = suspension().await;
    let t = now(&world);
    let good = sign_webhook(WEBHOOK_SECRET, t, &delivery.body);
    for scheme in ["v1a", "v1A", "V1", "v2", "v1 ", "hmac"] {
        let answer = world
            .receive(&with_signature(
                &delivery,
                &format!("t={t},{scheme}={good}"),
            ))
            .await;
        assert_eq!(answer.code(), "webhook_signature_missing", "{scheme}");
    }
    drop(world);
    for key in [
        "whpk_MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQ",
        "-----BEGIN PUBLIC KEY-----MCowBQYDK2VwAyEA",
    ] {
        let setup = Setup::default().variable("scaiflow_scaikey_webhook_secret", key);
        let world = World::with(setup).await;
        let event = world.scaikey.changes().suspend_user(BOB).expect("a change");
        let answer = world.receive(&world.scaikey.webhook(key, &event)).await;
        answer.assert_problem(503, "configuration_invalid");
        let faults = answer.json()["error"]["details"]["faults"].to_string();
        assert!(
            faults.contains("scaiflow_scaikey_webhook_secret"),
            "{faults}"
        );
        assert!(!answer.text().contains(key), "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_098_without_a_secret_nothing_is_accepted() {
    for (secret, code) in [
        ("", "webhook_not_configured"),
        ("   ", "webhook_not_configured"),
        (",", "configuration_invalid"),
        ("short", "configuration_invalid"),
        ("webhook-secret-of-the-tests-0001,", "configuration_invalid"),
    ] {
        let setup = Setup::default().variable("scaiflow_scaikey_webhook_secret", secret);
        let world = World::with(setup).await;
        world.sync().await;
        let event = world.scaikey.changes().suspend_user(BOB).expect("a change");
        for key in ["", secret, WEBHOOK_SECRET] {
            let answer = world.receive(&world.scaikey.webhook(key, &event)).await;
            answer.assert_problem(503, code);
        }
        assert_eq!(status(&world).await, "ACTIVE");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_099_an_event_is_of_the_tenant_it_names_and_of_one() {
    let world = World::start().await;
    world.sync().await;
    world.advance(5);
    let event = |tenant: &str, data: Value| {
        let mut event = WebhookEvent::new("user.suspended", BOB);
        event.tenant_id = Some(tenant.to_owned());
        event.data = data;
        event
    };
    for data in [
        json!({ "id": BOB, "tenant_id": seed::ACME }),
        json!({ "id": BOB, "tenant": { "id": seed::ACME } }),
        json!({ "user": { "id": BOB, "tenant_id": seed::ACME } }),
        json!({ "id": "usr_carol_acme" }),
    ] {
        let answer = world.event(&event(seed::UMBRA, data.clone())).await;
        assert_eq!(
            answer.code(),
            "webhook_malformed",
            "{data}: {}",
            answer.text()
        );
    }
    // Whoever has Bob's identifier in the other tenant is not Bob.
    world
        .handled(&event(seed::UMBRA, json!({ "id": BOB })))
        .await;
    let of = |tenant: &str| {
        world.rows(&format!(
            "SELECT status FROM person WHERE subject = '{BOB}' AND tenant_id = '{tenant}'"
        ))
    };
    assert_eq!(of(seed::ACME), ["active"]);
    assert_eq!(of(seed::UMBRA), ["suspended"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_100_whatever_the_order_the_latest_counts() {
    let world = World::start().await;
    world.sync().await;
    world.advance(5);
    let changes = world.scaikey.changes();
    let renamed = |name: &str| {
        let name = name.to_owned();
        changes.update_user(BOB, |user| user.last_name = name)
    };
    let (older, newer) = (renamed("Older"), renamed("Newer"));
    world.handled(&newer.expect("a change")).await;
    world.handled(&older.expect("a change")).await;
    assert_eq!(world.mirrored(BOB).await["display_name"], "Bob Newer");
    // Deleted, then the creation comes.
    let created = changes.create_user(seed::ACME, "nina@acme.example", "Nina", "Novak");
    world.advance(1);
    let deleted = changes.delete_user("usr_nina_acme");
    world.handled(&deleted.expect("a change")).await;
    world.handled(&created.expect("a change")).await;
    let row = world.mirrored("usr_nina_acme").await;
    assert!(row.is_null() || row["deleted_at"].is_string(), "{row}");
    // Joined, left and the group gone, in reverse.
    let group = "grp_umbra_research";
    let joined = changes.add_member(group, "usr_amir_umbra");
    let left = changes.remove_member(group, "usr_amir_umbra");
    let gone = changes.delete_group(group);
    for event in [gone, left, joined] {
        world.handled(&event.expect("a change")).await;
    }
    world
        .live()
        .assert_is(&world.expected(false), "after the reverse");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_101_nothing_is_parsed_before_it_is_verified() {
    let (world, delivery) = suspension().await;
    let t = now(&world);
    let deep = "[".repeat(1_000_000);
    let duplicate =
        r#"{"id":"evt_1","id":"evt_2","type":"user.deleted","created_at":"2026-11-22T12:00:00Z"}"#;
    for body in ["{", &deep, "\u{0}", duplicate, "null", "[]", "{}"] {
        let stranger = WebhookDelivery::of_bytes(body, "a-secret-of-a-stranger-01", t);
        let answer = world.receive(&stranger).await;
        answer.assert_problem(400, "webhook_signature_mismatch");
        let ours = WebhookDelivery::of_bytes(body, WEBHOOK_SECRET, t);
        let answer = world.receive(&ours).await;
        answer.assert_problem(400, "webhook_malformed");
    }
    assert_eq!(status(&world).await, "ACTIVE");
    // One MiB is read, and not a byte more.
    let padded = |size: usize| {
        let mut body = delivery.body.clone();
        let padding = b" ".repeat(size - body.len());
        body.extend(padding);
        WebhookDelivery::of_bytes(body, WEBHOOK_SECRET, t)
    };
    let answer = world.receive(&padded(1024 * 1024 + 1)).await;
    answer.assert_problem(413, "payload_too_large");
    assert_eq!(
        answer.json()["error"]["details"]["limit_bytes"],
        1024 * 1024
    );
    assert_eq!(status(&world).await, "ACTIVE");
    assert_eq!(world.receive(&padded(1024 * 1024)).await.status, 200);
    assert_eq!(status(&world).await, "SUSPENDED");
    assert_eq!(traps(&world), Vec::<String>::new());
}

/// The headers of a delivery as they go over the wire.
fn lines(delivery: &WebhookDelivery) -> String {
    let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        format!("{name}: {}\r\n", value.to_str().expect("text"))
    };
    delivery.headers.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn n_101_a_body_that_is_slow_or_cut_is_no_delivery() {
    let (world, delivery) = suspension().await;
    let (line, headers) = ("POST /v1/webhooks/scaikey", lines(&delivery));
    let length = format!("content-length: {}\r\n", delivery.body.len());
    let half = &delivery.body[..delivery.body.len() / 2];
    // Cut off in the middle.
    let answer = cut(&world, &request(line, &format!("{headers}{length}"), half)).await;
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    // Half of it, and then nothing more.
    world.clock.freeze();
    let address = world.host().address();
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let started = request(
        line,
        &format!("{headers}{length}connection: close\r\n"),
        half,
    );
    stream.write_all(&started).await.expect("half a request");
    let wake = world.clock.next_wake().await;
    let patience = std::time::Duration::from_nanos(wake - world.clock.monotonic());
    assert!(patience.as_secs() <= 10, "{patience:?}");
    world.clock.advance(patience);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(answer.contains("not received in time"), "{answer}");
    world.clock.thaw();
    assert_eq!(status(&world).await, "ACTIVE");
    assert_eq!(held(&world), Vec::<String>::new());
    // Whole, in one-byte chunks.
    let mut chunks = String::new();
    for byte in &delivery.body {
        chunks.push_str(&format!("1\r\n{}\r\n", char::from(*byte)));
    }
    chunks.push_str("0\r\n\r\n");
    let headers = format!("{headers}transfer-encoding: chunked\r\nconnection: close\r\n");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let chunked = request(line, &headers, chunks.as_bytes());
    stream.write_all(&chunked).await.expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(status(&world).await, "SUSPENDED");
    assert_eq!(traps(&world), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn n_102_what_was_answered_survives_the_runner() {
    let (mut world, delivery) = suspension().await;
    let session = world.sign_in("carol@acme.example").await;
    let suspended = world.scaikey.changes().suspend_user("usr_carol_acme");
    let other = world
        .scaikey
        .webhook(WEBHOOK_SECRET, &suspended.expect("a change"));
    assert_eq!(world.receive(&delivery).await.status, 200);
    assert_eq!(world.receive(&other).await.status, 200);
    world.crash(&[]).await;
    assert_eq!(status(&world).await, "SUSPENDED");
    let token = session["access_token"].as_str().expect("a token");
    let answer = world.client.get("/v1/me", Some(token)).await;
    answer.assert_problem(401, "token_revoked");
    let again = world.receive(&delivery).await;
    assert_eq!(again.json()["duplicate"], true, "{}", again.text());
    assert_eq!(held(&world), ["applied 2", "duplicate 1"]);
}

/// Suspends or activates Bob in turn, who is signed in.
struct Turns {
    world: World,
    is_active: bool,
}

impl Turns {
    async fn next(&mut self) -> WebhookDelivery {
        self.world.advance(1);
        if self.is_active {
            self.world.sign_in("bob@acme.example").await;
        }
        let changes = self.world.scaikey.changes();
        let event = if self.is_active {
            changes.suspend_user(BOB)
        } else {
            changes.activate_user(BOB)
        };
        self.world
            .scaikey
            .webhook(WEBHOOK_SECRET, &event.expect("a change"))
    }

    /// What the mirror, the sessions and the deliveries say.
    fn seen(&self) -> (Vec<String>, Vec<String>) {
        let sql = "SELECT status || ' ' || (SELECT count(*) FROM session s
                     WHERE s.person_id = p.person_id AND s.ended_at IS NULL)
                     FROM person p WHERE subject = 'usr_bob_acme'";
        (self.world.rows(sql), held(&self.world))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_102_n_144_a_store_that_fails_at_any_call_is_told_and_the_event_is_done_once() {
    let (world, delivery) = suspension().await;
    world.receive(&delivery).await;
    let mut turns = Turns {
        world,
        is_active: false,
    };
    for target in [Target::sqlite(), Target::key_value()] {
        for effect in [Effect::Refuse, Effect::LoseAnswer] {
            let mut calls = u64::MAX;
            let mut k = 0;
            while k < calls {
                k += 1;
                let delivery = turns.next().await;
                let before = turns.seen();
                let world = &turns.world;
                world.host().kill_instances();
                world.faults.reset_calls();
                world.faults.set(target.clone(), When::Nth(k), effect);
                let first = world.receive(&delivery).await;
                let made = world.faults.count(&target);
                world.faults.clear();
                let what = format!("{target:?} {effect:?} call {k} of {made}");
                if first.status == 200 {
                    // No call was left to fail, or opening was tried again.
                    calls = if made < k { 0 } else { calls };
                } else {
                    first.assert_problem(503, "store_unavailable");
                    assert_eq!(first.header("retry-after"), "1", "{what}");
                    let is_lost_commit = turns.seen() != before;
                    assert!(!is_lost_commit || effect == Effect::LoseAnswer, "{what}");
                    let again = turns.world.receive(&delivery).await;
                    assert_eq!(again.status, 200, "{what}: {}", again.text());
                    let is_duplicate = again.json()["duplicate"] == true;
                    assert_eq!(is_duplicate, is_lost_commit, "{what}");
                }
                let again = turns.world.receive(&delivery).await;
                assert_eq!(again.json()["duplicate"], true, "{what}: {}", again.text());
                let (rows, _) = turns.seen();
                let expected = if turns.is_active {
                    "suspended 0"
                } else {
                    "active 0"
                };
                assert_eq!(rows, [expected], "{what}");
                turns.is_active = !turns.is_active;
            }
        }
    }
}

/// What the answers to many deliveries say, counted.
fn counted(answers: &[Answer]) -> (usize, usize) {
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let is_duplicate = |answer: &&Answer| answer.json()["duplicate"] == true;
    let duplicates = answers.iter().filter(is_duplicate).count();
    (answers.len() - duplicates, duplicates)
}

async fn send(client: scaigate_e2e::Client, delivery: WebhookDelivery) -> Answer {
    let mut request = http::Request::post(World::WEBHOOK)
        .body(Bytes::from(delivery.body))
        .expect("a request");
    *request.headers_mut() = delivery.headers;
    client.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn n_094_of_200_deliveries_of_one_event_at_one_moment_one_has_an_effect() {
    let (world, delivery) = suspension().await;
    let answers = together(200, |_| send(world.client.clone(), delivery.clone())).await;
    assert_eq!(counted(&answers), (1, 199));
    assert_eq!(status(&world).await, "SUSPENDED");
    assert_eq!(held(&world), ["applied 1", "duplicate 199"]);
    let log = world.rows("SELECT fields FROM change_log WHERE cause LIKE 'webhook:%'");
    assert_eq!(log, ["status"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_102_of_200_events_at_one_moment_each_has_its_effect() {
    let world = World::start().await;
    world.sync().await;
    world.advance(5);
    let changes = world.scaikey.changes();
    let events: Vec<WebhookEvent> = (0..200)
        .map(|n| {
            let mut event = match n % 4 {
                0 => changes.create_user(seed::ACME, &format!("n{n}@acme.example"), "N", "New"),
                1 => changes.create_group(seed::UMBRA, &format!("team {n}")),
                2 => changes.update_user(BOB, |user| user.last_name = format!("B{n}")),
                _ => changes.add_member("grp_acme_admins", &format!("usr_n{}_acme", n - 3)),
            }
            .expect("a change");
            if n % 3 == 0 {
                event.envelope = Envelope::ScaiFlow;
            }
            event
        })
        .collect();
    // Everybody who was made has access.
    let ids: Vec<String> = {
        let directory = world.scaikey.directory();
        directory.users.iter().map(|user| user.id.clone()).collect()
    };
    let assigned = |id: &String| id.starts_with("usr_n") && id[5..6].parse::<u8>().is_ok();
    let made = ids.iter().filter(|id| assigned(id)).cloned();
    world
        .scaikey
        .directory()
        .client_mut(seed::CLIENT_ID)
        .expect("our client")
        .assigned_users
        .extend(made);
    let answers = together(events.len(), |n| {
        let delivery = world.scaikey.webhook(WEBHOOK_SECRET, &events[n]);
        send(world.client.clone(), delivery)
    })
    .await;
    assert_eq!(counted(&answers), (200, 0));
    world
        .live()
        .assert_is(&world.expected(false), "after 200 events");
}
