//! A sync cut short at any point leaves the old mirror or the new one, never a mix, and the next one
//! works. One sync runs at a time; who was silent for too long applies nothing any more.

use std::time::Duration;

use scaigate_e2e::emulator::{Directory, Endpoint, Gate};
use scaigate_e2e::{Answer, Effect, Live, Scene, Setup, Target, When, World};
use serde_json::{Value, json};

/// Whom the change takes away.
const DAVE: &str = "dave@acme.example";
/// How long a run may be silent.
const LEASE: u64 = 60;

/// What is old, what is new, and a person whose session ends with the change.
struct Changing {
    scene: Scene,
    old: Live,
    new: Live,
}

impl Changing {
    async fn new() -> Self {
        let setup = Setup::default().variable("scaiflow_super_admin_groups", "grp_acme_admins");
        let mut scene = Scene::with(false, setup).await;
        small(&mut scene.before);
        small(&mut scene.after);
        let world = &scene.world;
        world.set_directory(&scene.after);
        let new = world.expected(false);
        world.set_directory(&scene.before);
        let old = world.expected(false);
        // The guard has nothing to do with it.
        world.advance(1);
        assert_eq!(world.try_sync(true).await.status, 200);
        world.live().assert_is(&old, "the beginning");
        Self { scene, old, new }
    }

    fn world(&self) -> &World {
        &self.scene.world
    }

    /// ScaiKey's directory changes, and Dave has a session.
    async fn begin(&self) -> Value {
        let session = self.world().sign_in(DAVE).await;
        self.world().set_directory(&self.scene.after);
        self.world().advance(1);
        session
    }

    /// Fails unless the mirror is the old one with all that belongs to it, or the new one. Whether it
    /// is the new one.
    #[track_caller]
    fn is_one_of_both(&self, session: &Value, what: &str) -> bool {
        let world = self.world();
        let live = world.live();
        let is_new = live == self.new;
        if !is_new {
            live.assert_is(&self.old, what);
        }
        let admins = "SELECT subject FROM person WHERE admin_role = 'super_admin' ORDER BY 1";
        let elected: &[&str] = match is_new {
            true => &["usr_alice_acme", "usr_carol_acme"],
            false => &["usr_alice_acme", "usr_bob_acme"],
        };
        assert_eq!(world.rows(admins), elected, "{what}");
        let token = session["refresh_token"].as_str().expect("a token");
        assert!(token.len() > 16);
        let ended = "SELECT count(*) FROM session WHERE ended_at IS NULL
              AND person_id IN (SELECT person_id FROM person WHERE subject = 'usr_dave_acme')";
        let expected = if is_new { "0" } else { "1" };
        assert_eq!(world.rows(ended), [expected], "{what}");
        is_new
    }

    /// The next sync makes the mirror new, when a run that died is over.
    async fn next_works(&self, what: &str) {
        let answer = self.world().try_sync(false).await;
        if answer.code() == "sync_running" {
            answer.assert_problem(409, "sync_running");
            self.world().advance(LEASE);
            self.world().sync().await;
        } else {
            assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        }
        self.world().live().assert_is(&self.new, what);
    }

    async fn back(&self) {
        self.scene.follow(&self.scene.before).await;
        self.world().sql("DELETE FROM session", &[]);
    }

    /// How many calls of the database a sync of the change makes.
    async fn statements(&self) -> u64 {
        self.calls().await.len() as u64
    }

    /// The calls of the database that a sync of the change makes: what each says.
    async fn calls(&self) -> Vec<String> {
        self.begin().await;
        // New instances: what they remember is not remembered by those that are killed.
        self.world().host().kill_instances();
        self.world().faults.reset_calls();
        self.world().sync().await;
        let faults = &self.world().faults;
        let all = faults.calls().into_iter();
        let of_database = all.filter(|call| call.target == Target::sqlite());
        let calls: Vec<String> = of_database.map(|call| call.detail).collect();
        assert_eq!(calls.len() as u64, faults.count(&Target::sqlite()));
        self.back().await;
        calls
    }
}

/// A few groups are enough: each is one more of the same statements.
fn small(directory: &mut Directory) {
    let kept = [
        "grp_acme_admins",
        "grp_acme_staff",
        "grp_acme_made",
        "grp_umbra_admins",
    ];
    directory
        .groups
        .retain(|group| kept.contains(&group.id.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_of_a_sync_may_fail_and_the_mirror_is_the_old_or_the_new() {
    let changing = Changing::new().await;
    let world = changing.world();
    let calls = changing.statements().await;
    assert!(calls > 30, "{calls}");
    for effect in [Effect::Refuse, Effect::LoseAnswer] {
        let mut applied = 0;
        for k in 1..=calls {
            let what = format!("statement {k} of {calls}, {effect:?}");
            let session = changing.begin().await;
            world.host().kill_instances();
            world.faults.set(Target::sqlite(), When::Nth(k), effect);
            let answer = world.try_sync(false).await;
            world.faults.clear();
            let is_new = changing.is_one_of_both(&session, &what);
            if answer.status == 200 {
                assert!(is_new, "{what}");
            } else {
                answer.assert_problem(503, "store_unavailable");
                assert_eq!(answer.header("retry-after"), "1", "{what}");
            }
            applied += u32::from(is_new);
            changing.next_works(&what).await;
            changing.back().await;
        }
        // Opening is tried again, and room for the transaction done without; all else ends the run, and
        // it is the last that decides.
        assert!(applied <= 7, "{effect:?}: {applied} of {calls} applied");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_gone_from_any_statement_on_leaves_the_old_mirror() {
    let changing = Changing::new().await;
    let world = changing.world();
    let calls = changing.statements().await;
    for k in (1..=calls).step_by(3) {
        let what = format!("from statement {k} of {calls} on");
        let session = changing.begin().await;
        world.host().kill_instances();
        for later in k..=calls + 10 {
            let when = When::Nth(later);
            world.faults.set(Target::sqlite(), when, Effect::Refuse);
        }
        let answer = world.try_sync(false).await;
        world.faults.clear();
        answer.assert_problem(503, "store_unavailable");
        assert!(!changing.is_one_of_both(&session, &what), "{what}");
        changing.next_works(&what).await;
        changing.back().await;
    }
}

/// Starts a sync, waits for `stuck`, and kills every instance. What was answered is of no interest.
async fn killed(world: &World, stuck: impl Future<Output = ()>) {
    let sync = world.client.try_send(world.sync_request(false));
    let kill = async {
        stuck.await;
        world.host().kill_instances();
    };
    let (_, ()) = tokio::join!(sync, kill);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_statement_of_a_sync_the_mirror_is_the_old_one() {
    let changing = Changing::new().await;
    let world = changing.world();
    let calls = changing.statements().await;
    for k in 1..=calls {
        let what = format!("killed at statement {k} of {calls}");
        let session = changing.begin().await;
        // No call of an earlier round hangs any more.
        world.host().kill_instances();
        world.host().without_instances().await;
        world.faults.reset_calls();
        world
            .faults
            .set(Target::sqlite(), When::Nth(k), Effect::Hang);
        killed(world, world.faults.hung()).await;
        world.faults.clear();
        assert!(!changing.is_one_of_both(&session, &what), "{what}");
        changing.next_works(&what).await;
        changing.back().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_scaikey_has_its_call_the_mirror_is_the_old_one() {
    let changing = Changing::new().await;
    let world = changing.world();
    let recorder = world.scaikey.recorder();
    for endpoint in [
        Endpoint::Token,
        Endpoint::AdminTenants,
        Endpoint::EffectiveUsers,
        Endpoint::AdminGroups,
        Endpoint::GroupMembers,
    ] {
        for gate in [Gate::Before, Gate::After] {
            let what = format!("{endpoint:?}, {gate:?}");
            let session = changing.begin().await;
            recorder.hold_at(endpoint, gate);
            killed(world, recorder.stands(endpoint)).await;
            recorder.release(endpoint);
            assert!(!changing.is_one_of_both(&session, &what), "{what}");
            // A dead run is seen as one that runs until its lease is over, and then for what it is.
            let state = world.admin("/v1/admin/sync").await;
            assert!(state["running"].is_object(), "{state}");
            world.advance(LEASE);
            let state = world.admin("/v1/admin/sync").await;
            assert_eq!(state["running"], Value::Null, "{state}");
            assert_eq!(state["last"]["outcome"], "abandoned", "{state}");
            changing.next_works(&what).await;
            changing.back().await;
        }
    }
}

fn is_running(answer: &Answer) -> bool {
    if answer.status == 200 {
        return false;
    }
    answer.assert_problem(409, "sync_running");
    let seconds: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    let details = &answer.json()["error"]["details"];
    assert!(details["sync_id"].is_u64(), "{details}");
    assert!(details["started_at"].is_string(), "{details}");
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sync_runs_at_a_time_and_the_others_are_told_which() {
    let scene = Scene::new(false, |_| {}).await;
    let world = &scene.world;
    let recorder = world.scaikey.recorder();
    world.set_directory(&scene.after);
    world.advance(1);
    recorder.clear();
    recorder.hold(Endpoint::AdminGroups);
    let others = async {
        recorder.held(Endpoint::AdminGroups, 1).await;
        assert!(is_running(&world.try_sync(false).await));
        assert!(is_running(&world.try_sync(true).await));
        let state = world.admin("/v1/admin/sync").await;
        let running = &state["running"];
        assert_eq!(running["phase"], "groups", "{state}");
        assert_eq!(running["trigger"], "call", "{state}");
        assert_eq!(running["users_seen"], 36, "{state}");
        assert_eq!(running["groups_seen"], 0, "{state}");
        assert!(running["started_at"].is_string(), "{state}");
        recorder.release(Endpoint::AdminGroups);
    };
    let (answer, ()) = tokio::join!(world.try_sync(false), others);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(recorder.count_grant("client_credentials"), 1);
    let state = world.admin("/v1/admin/sync").await;
    assert_eq!(state["running"], Value::Null, "{state}");
    let last = &state["last"];
    let report = answer.json();
    assert_eq!(last["sync_id"], report["sync_id"]);
    assert_eq!(last["outcome"], "applied");
    assert_eq!(last["code"], Value::Null);
    assert_eq!(last["warnings"], report["warnings"]);
    let statistics = last["statistics"].as_object().expect("statistics");
    assert_eq!(statistics.len(), 17, "{last}");
    for (name, value) in statistics {
        assert_eq!(value, &report[name], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_syncs_at_one_moment_one_runs() {
    for setup in [Setup::default(), Setup::default().without_reuse()] {
        let scene = Scene::with(false, setup).await;
        let world = &scene.world;
        let recorder = world.scaikey.recorder();
        world.set_directory(&scene.after);
        world.advance(1);
        recorder.clear();
        recorder.hold(Endpoint::AdminGroups);
        let many = scaigate_e2e::together(20, |_| {
            let (client, request) = (world.client.clone(), world.sync_request(false));
            async move { client.send(request).await }
        });
        let release = async {
            recorder.held(Endpoint::AdminGroups, 1).await;
            // Nobody else has got so far, and nobody will: the others have been answered by then.
            assert!(is_running(&world.try_sync(false).await));
            recorder.release(Endpoint::AdminGroups);
        };
        let (answers, ()) = tokio::join!(many, release);
        let refused = answers.iter().filter(|answer| is_running(answer)).count();
        // Whoever arrives when the first is through runs after it, which is as good.
        let ran = answers.len() - refused;
        assert!((1..=2).contains(&ran), "{ran} ran");
        assert_eq!(recorder.count_grant("client_credentials"), ran);
        world.live().assert_is(&world.expected(false), "twenty");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_taken_for_dead_applies_nothing() {
    let changing = Changing::new().await;
    let world = changing.world();
    let said = changing.calls().await;
    let calls = said.len();
    // From here on the first has the database, and the second waits for it for seconds of real time:
    // one sample is enough, the last moment before all is done.
    let is_held = said.iter().rposition(|sql| sql == "BEGIN IMMEDIATE");
    let is_done = said.iter().rposition(|sql| sql == "COMMIT");
    let (is_held, is_done) = is_held.zip(is_done).expect("a transaction");
    assert!(is_held < is_done, "{said:?}");
    // The nth call is the one before which the first falls silent.
    let before = (1..=is_held as u64).step_by(4);
    let samples = before.chain([is_held as u64 + 1, is_done as u64 + 1]);
    // A third state, which the second run reads: what the first has read would be wrong by then.
    let mut third = changing.scene.before.clone();
    let removed = "usr_erin_acme";
    third.remove_user(removed);
    let mut superseded = 0;
    for k in samples {
        let what = format!("silent at statement {k} of {calls}");
        let session = changing.begin().await;
        assert!(session["access_token"].is_string());
        world.host().kill_instances();
        world.faults.reset_calls();
        let silent = Effect::Delay(Duration::from_secs(LEASE + 30));
        world.faults.set(Target::sqlite(), When::Nth(k), silent);
        let second = async {
            let fell_silent = || world.faults.count(&Target::sqlite()) >= k;
            world.faults.until(fell_silent).await;
            world.advance(LEASE + 1);
            world.set_directory(&third);
            let second = world.try_sync(false).await;
            let kept = (second.status == 200).then(|| world.mirror());
            world.advance(30);
            (second, kept)
        };
        let (first, (second, kept)) = tokio::join!(world.try_sync(false), second);
        world.faults.clear();
        match (first.status.as_u16(), kept) {
            (409, Some(kept)) => {
                assert!(
                    ["sync_superseded", "sync_running"].contains(&first.code().as_str()),
                    "{what}: {}",
                    first.text()
                );
                superseded += u32::from(first.code() == "sync_superseded");
                changing.scene.unchanged(&kept, &what);
            }
            // The first had not begun when the second ran, and reads what the second has read; or
            // it had the database, and the second waited for it in vain.
            (200, _) => {}
            (503, None) => {}
            _ => panic!("{what}: {} then {}", first.text(), second.text()),
        }
        // Whatever happened, the next sync is right.
        world.advance(LEASE);
        world.sync().await;
        world.live().assert_is(&world.expected(false), &what);
        changing.back().await;
    }
    assert!(superseded >= 3, "{superseded} were superseded");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sync_failed_of_is_shown_afterwards() {
    let scene = Scene::new(false, |_| {}).await;
    let world = &scene.world;
    let fault = scaigate_e2e::emulator::Fault::Garbage;
    world
        .scaikey
        .switches()
        .fail_always(Endpoint::AdminGroups, fault);
    let answer = scene.fails(502, "sync_incomplete", "garbage").await;
    let last = world.admin("/v1/admin/sync").await["last"].clone();
    assert_eq!(last["outcome"], "failed", "{last}");
    assert_eq!(last["code"], "sync_incomplete", "{last}");
    assert_eq!(last["details"], answer.json()["error"]["details"], "{last}");
    assert_eq!(last["statistics"], Value::Null, "{last}");
    assert_eq!(last["warnings"], json!([]), "{last}");
    assert!(last["finished_at"].is_string(), "{last}");
}
