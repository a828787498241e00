//! Every list of ScaiKey's directory behind every broken transport: the sync is bounded, says what
//! was wrong, changes nothing, and the next one works.

use std::time::Duration;

use scaigate_e2e::emulator::{Endpoint, Fault};
use scaigate_e2e::{Effect, Scene, Target, When};

const LISTS: [(Endpoint, &str); 4] = [
    (Endpoint::AdminTenants, "tenants"),
    (Endpoint::EffectiveUsers, "effective_users"),
    (Endpoint::AdminGroups, "groups"),
    (Endpoint::GroupMembers, "group_members"),
];

fn status(code: u16, retry_after: Option<u32>) -> Fault {
    Fault::Status { code, retry_after }
}

fn answer(code: u16, body: &str) -> Fault {
    Fault::Answer {
        code,
        body: body.to_owned(),
    }
}

fn elsewhere() -> String {
    "http://127.0.0.1:9/collect".to_owned()
}

/// Each fault, with the status and the code that it comes to.
fn faults() -> Vec<(Fault, u16, &'static str)> {
    vec![
        (Fault::Reset, 502, "scaikey_invalid_response"),
        (Fault::AnswerLost, 502, "scaikey_invalid_response"),
        (Fault::Truncated, 502, "scaikey_invalid_response"),
        (status(500, None), 502, "scaikey_unavailable"),
        (status(503, Some(1)), 502, "scaikey_unavailable"),
        (status(429, None), 503, "scaikey_rate_limited"),
        (status(429, Some(1)), 503, "scaikey_rate_limited"),
        (status(429, Some(3600)), 503, "scaikey_rate_limited"),
        (status(401, None), 502, "sync_incomplete"),
        (status(404, None), 502, "sync_incomplete"),
        (status(418, None), 502, "sync_incomplete"),
        (Fault::WrongContentType, 502, "sync_incomplete"),
        (Fault::Garbage, 502, "sync_incomplete"),
        (Fault::EndlessBody, 502, "sync_incomplete"),
        (Fault::Redirect { to: elsewhere() }, 502, "sync_incomplete"),
        (
            Fault::RedirectKeepingMethod { to: elsewhere() },
            502,
            "sync_incomplete",
        ),
        (answer(200, "{}"), 502, "sync_incomplete"),
        (answer(200, "null"), 502, "sync_incomplete"),
        (
            answer(200, r#"{"data":{"id":"x"}}"#),
            502,
            "sync_incomplete",
        ),
        (
            answer(200, r#"{"data":[],"error":"down"}"#),
            502,
            "sync_incomplete",
        ),
        (
            answer(200, r#"{"data":[],"meta":{"total":18446744073709551615}}"#),
            502,
            "sync_incomplete",
        ),
        (
            answer(200, r#"{"data":[],"meta":{"total":-1}}"#),
            502,
            "sync_incomplete",
        ),
        (
            answer(200, r#"{"data":[{"id":".."}]}"#),
            502,
            "sync_incomplete",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_behind_every_broken_transport_fails_by_name_and_changes_nothing() {
    let scene = Scene::new(false, |behaviour| behaviour.max_per_page = 10).await;
    let switches = scene.world.scaikey.switches();
    for (endpoint, list) in LISTS {
        for (fault, status, code) in faults() {
            let what = format!("{list}: {fault:?}");
            let is_id_of_a_user =
                endpoint == Endpoint::EffectiveUsers || endpoint == Endpoint::GroupMembers;
            if is_id_of_a_user
                && matches!(&fault, Fault::Answer { body, .. } if body.contains(".."))
            {
                // An identifier of a user is never part of a path.
                continue;
            }
            switches.fail_always(endpoint, fault.clone());
            let answer = scene.fails(status, code, &what).await;
            let details = &answer.json()["error"]["details"];
            assert_eq!(details["list"], list, "{what}: {details}");
            if code == "scaikey_rate_limited" {
                let seconds = match fault {
                    Fault::Status { retry_after, .. } => retry_after.unwrap_or(2),
                    _ => 0,
                };
                assert_eq!(answer.header("retry-after"), seconds.to_string(), "{what}");
            }
            switches.heal(endpoint);
        }
        // Nothing of all that is left.
        scene.succeeds(list).await;
        scene.follow(&scene.before).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_never_ends_its_answer_is_given_up_in_bounded_time() {
    let scene = Scene::new(false, |_| {}).await;
    let world = &scene.world;
    for (endpoint, list) in LISTS {
        for fault in [Fault::Hang, Fault::HangingBody, Fault::AnswerNever] {
            let what = format!("{list}: {fault:?}");
            world.scaikey.switches().fail_always(endpoint, fault);
            world.set_directory(&scene.after);
            let kept = world.mirror();
            let (answer, took) = world.hurry(Some(endpoint), world.try_sync(false)).await;
            answer.assert_problem(504, "scaikey_timeout");
            assert_eq!(answer.json()["error"]["details"]["list"], list, "{what}");
            assert!(took <= Duration::from_secs(40), "{what}: {took:?}");
            scene.unchanged(&kept, &what);
            world.scaikey.switches().clear_all();
        }
        scene.follow(&scene.after).await;
        scene.follow(&scene.before).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_by_is_waited_out() {
    let scene = Scene::new(false, |behaviour| behaviour.max_per_page = 10).await;
    let switches = scene.world.scaikey.switches();
    for (endpoint, list) in LISTS {
        for fault in [
            Fault::Reset,
            Fault::Truncated,
            status(503, None),
            status(429, Some(2)),
        ] {
            switches.fail_next(endpoint, fault.clone(), 2);
            scene.succeeds(&format!("{list}: {fault:?}, twice")).await;
            scene.follow(&scene.before).await;
        }
    }
    // A later page is asked for again alone.
    switches.fail_page(Endpoint::EffectiveUsers, status(500, None), 2, Some(2));
    scene.succeeds("the second page, twice").await;
    scene.follow(&scene.before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_nearly_a_minute_is_waited_out_and_no_other_run_takes_over_meanwhile() {
    let scene = Scene::new(false, |_| {}).await;
    let world = &scene.world;
    let recorder = world.scaikey.recorder();
    let limit = status(429, Some(45));
    world
        .scaikey
        .switches()
        .fail_next(Endpoint::AdminGroups, limit, 2);
    recorder.clear();
    recorder.hold(Endpoint::GroupMembers);
    world.set_directory(&scene.after);
    world.advance(1);
    // Somebody asks again and again, and would take over from a run that seems dead.
    let others = async {
        recorder.arrived(Endpoint::AdminGroups, 1).await;
        let mut refused = 0;
        while recorder.waiting(Endpoint::GroupMembers) == 0 {
            let answer = world.try_sync(false).await;
            answer.assert_problem(409, "sync_running");
            refused += 1;
        }
        recorder.release(Endpoint::GroupMembers);
        refused
    };
    let both = async { tokio::join!(world.try_sync(false), others) };
    let ((answer, refused), took) = world.hurry(None, both).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(refused > 0);
    assert!(took >= Duration::from_secs(105), "{took:?}");
    world.live().assert_is(&world.expected(false), "waited out");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_too_large_are_asked_for_smaller() {
    let scene = Scene::new(false, |_| {}).await;
    let world = &scene.world;
    let refused =
        r#"{"detail":[{"loc":["query","per_page"],"msg":"too many","type":"less_than_equal"}]}"#;
    for fault in [Fault::EndlessBody, answer(422, refused)] {
        for (endpoint, list) in LISTS {
            world.scaikey.recorder().clear();
            world
                .scaikey
                .switches()
                .fail_next(endpoint, fault.clone(), 2);
            scene.succeeds(&format!("{list}: {fault:?}")).await;
            let asked = world.scaikey.recorder().requests_to(endpoint);
            let sizes: Vec<_> = asked
                .iter()
                .filter_map(|one| one.query("per_page"))
                .collect();
            assert_eq!(sizes.first(), Some(&"1000"), "{list}");
            assert!(sizes.contains(&"500"), "{list}: {sizes:?}");
            scene.follow(&scene.before).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_to_scaikey_may_be_refused_once() {
    let scene = Scene::new(false, |_| {}).await;
    let world = &scene.world;
    let scaikey = Target::Outbound("127.0.0.1".to_owned());
    world.forget_documents();
    world.faults.reset_calls();
    scene.follow(&scene.after).await;
    let calls = world.faults.count(&scaikey);
    assert!(calls > 10, "{calls}");
    scene.follow(&scene.before).await;
    for k in 1..=calls {
        world.forget_documents();
        world.set_directory(&scene.after);
        world.advance(1);
        let kept = world.mirror();
        world
            .faults
            .set(scaikey.clone(), When::Nth(k), Effect::Refuse);
        let (answer, _) = world.hurry(None, world.try_sync(false)).await;
        world.faults.clear();
        let what = format!("call {k} of {calls}: {}", answer.text());
        if answer.status != 200 {
            // Keys, documents and the token are not asked for again: whoever waits for them is told.
            let codes = ["jwks_unavailable", "scaikey_unreachable"];
            assert!(codes.contains(&answer.code().as_str()), "{what}");
            scene.unchanged(&kept, &what);
            // An unknown key is looked for again after half a minute.
            world.advance(31);
            scene.follow(&scene.after).await;
        }
        world.live().assert_is(&world.expected(false), &what);
        scene.follow(&scene.before).await;
    }
}
