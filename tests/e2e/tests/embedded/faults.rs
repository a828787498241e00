//! What becomes of every flow when a store, ScaiKey or ScaiGrid fails at each call in turn: one
//! table, checked in as `docs/faults.md`, made anew here and compared. A route of `spin.toml` without
//! a row fails.
//!
//! `SCAIGATE_UPDATE=1` writes the file instead.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use scaigate_e2e::{Effect, Target, Traces, When, World};

use crate::faults_document::{Outcome, Part, Row, Section, document};
use crate::faults_flows::{Flow, SUBJECTS, WITHOUT, is_impatient, is_side_by_side};
use crate::faults_sent::{Fault, sent};
use crate::faults_stage::{Shot, Stage};

/// How calls of a target fail: what the table calls it, and what the runner does.
type Kind = (&'static str, Effect);

const REFUSED: Kind = ("refused", Effect::Refuse);
const LOST: Kind = ("lost", Effect::LoseAnswer);
const SILENT: Kind = ("silent", Effect::Hang);
const KILLED: Kind = ("killed", Effect::Hang);
const DOWN: Kind = ("down", Effect::Refuse);
const SLOW: Kind = ("slow", Effect::Delay(Duration::from_millis(100)));

/// What an undisturbed request says and changes.
struct Usual {
    said: String,
    changed: BTreeSet<String>,
}

/// What `now` has that was not there `before`, as compared with an undisturbed request.
fn left(now: &Traces, before: &Traces, usual: &Usual) -> String {
    let changed = now.since(before);
    if changed.is_empty() {
        "nothing".to_owned()
    } else if changed == usual.changed {
        "all".to_owned()
    } else {
        changed.into_iter().collect::<Vec<_>>().join(", ")
    }
}

/// What the same request does when the fault is over: it works when it is answered as usual and all is
/// done then that it has to do.
async fn again(world: &World, shot: &Shot, flow: &Flow, before: &Traces, usual: &Usual) -> String {
    let mut first = None;
    for wait in [3, 60] {
        world.advance(wait);
        let answer = sent(world, shot, flow).await;
        if answer == usual.said {
            let is_done = world.traces().since(before).is_superset(&usual.changed);
            let works = if is_done {
                "works"
            } else {
                "as usual, but it does nothing"
            };
            return match first {
                None => works.to_owned(),
                Some(first) => format!("{first}; {works} a minute later"),
            };
        }
        first.get_or_insert(answer);
    }
    first.unwrap_or_default()
}

/// A statement that writes, and whose answer was lost, may have been done: the request that made it
/// does not run it a second time. What a commit has done is all that was written in its transaction.
fn assert_not_done_twice(world: &World, flow: &Flow, fault: Fault<'_>) {
    let (Target::Sqlite(_), When::Nth(call)) = (fault.target, fault.when) else {
        return;
    };
    let calls = world.faults.calls().into_iter();
    let made: Vec<String> = calls
        .filter(|made| made.target == *fault.target)
        .map(|made| made.detail)
        .collect();
    let call = usize::try_from(call).expect("a few calls");
    let (done, later) = made.split_at(call.min(made.len()));
    let lost: &[String] = match done.split_last() {
        Some((commit, before)) if commit == "COMMIT" => {
            let began = before.iter().rposition(|made| made.starts_with("BEGIN"));
            &before[began.unwrap_or_default()..]
        }
        Some(_) => &done[done.len() - 1..],
        None => &[],
    };
    for statement in lost {
        let writes = ["INSERT", "UPDATE", "DELETE"];
        let is_writing = writes
            .iter()
            .any(|verb| statement.trim_start().starts_with(verb));
        // How something ended may be said again: it changes nothing that has ended. And every
        // transaction says of its own rows of the audit log who made them.
        let is_harmless = statement.contains("AND outcome IS NULL")
            || statement.starts_with("UPDATE audit_log SET request_id");
        let is_repeated = is_writing && later.contains(statement);
        assert!(!is_repeated || is_harmless, "{flow:?} twice: {statement}");
    }
}

/// Whether the request has also purged what has expired, as one of 4096 to `session` does after its
/// answer, by chance: then nothing can be said of its calls.
fn has_purged(world: &World) -> bool {
    let calls = world.faults.calls();
    let purge = "DELETE FROM pending_login WHERE rowid IN";
    calls.iter().any(|call| call.detail.contains(purge))
}

/// One fault, all of it.
async fn disturbed(stage: &Stage, flow: &Flow, usual: &Usual, fault: Fault<'_>) -> Outcome {
    let world = &stage.world;
    let (shot, answer, before) = loop {
        let shot = stage.prepare(flow).await;
        world.advance(1);
        world.forget_documents();
        let before = world.traces();
        let answer = fault.strike(world, &shot, flow).await;
        if !has_purged(world) {
            break (shot, answer, before);
        }
    };
    if fault.how == "lost" {
        assert_not_done_twice(world, flow, fault);
    }
    let left = left(&world.traces(), &before, usual);
    // A store that is down is an outage, never a refusal.
    let is_outage = answer.contains("`store_unavailable`") || fault.how == "killed";
    let is_store = !matches!(fault.target, Target::Outbound(_));
    // A sign-out signs the browser out, whatever becomes of the session, and says so.
    let is_told = answer.ends_with("`session_ended: false`");
    assert!(
        !is_store || is_outage || is_told || answer == usual.said,
        "{flow:?}, {:?} {} {:?}: {answer}",
        fault.target,
        fault.how,
        fault.when
    );
    let again = match answer == usual.said {
        true => "–".to_owned(),
        false => again(world, &shot, flow, &before, usual).await,
    };
    Outcome {
        answer,
        left,
        again,
    }
}

/// Whom the last request has called, by the name in the table, and how often: stores, then neighbours,
/// then other components.
fn called(world: &World) -> Vec<(String, Target, u64)> {
    let grid = world.grid().address().to_string();
    let scaikey = world.scaikey.base_url();
    let mut called = BTreeMap::new();
    for call in world.faults.calls() {
        let name = match &call.target {
            Target::Sqlite(_) => (0, "SQLite".to_owned()),
            Target::KeyValue(_) => (1, "key-value".to_owned()),
            Target::Outbound(host) if scaikey.ends_with(host) => (2, "ScaiKey".to_owned()),
            Target::Outbound(host) if *host == grid => (3, "ScaiGrid".to_owned()),
            Target::Outbound(host) => {
                let id = host.split('.').next().unwrap_or_default();
                (4, format!("component `{id}`"))
            }
            Target::Variable(_) => continue,
        };
        called.entry(name).or_insert((call.target, 0)).1 += 1;
    }
    let called = called.into_iter();
    called
        .map(|((_, name), (target, calls))| (name, target, calls))
        .collect()
}

/// The faults of a target that is called so often: how, and at which call. Call 0 is every call.
fn faults(flow: &Flow, usual: &Usual, target: &Target, calls: u64) -> Vec<(Kind, u64)> {
    if is_side_by_side(flow) {
        return vec![(DOWN, 0), (LOST, 0)];
    }
    let is_store = !matches!(target, Target::Outbound(_));
    let mut kinds = vec![REFUSED, LOST];
    if !is_store || is_impatient(flow) {
        kinds.push(SILENT);
    }
    if is_store && !usual.changed.is_empty() {
        kinds.push(KILLED);
    }
    let in_turn = kinds
        .into_iter()
        .flat_map(|kind| (1..=calls).map(move |call| (kind, call)));
    let always = [Some(DOWN), is_store.then_some(SLOW)];
    let always = always.into_iter().flatten().map(|kind| (kind, 0));
    in_turn.chain(always).collect()
}

/// Everything that can happen to a flow.
async fn section(stage: &Stage, flow: &Flow) -> Section {
    let world = &stage.world;
    let (usual, targets) = loop {
        let shot = stage.prepare(flow).await;
        world.advance(1);
        world.forget_documents();
        let before = world.traces();
        world.faults.reset_calls();
        let said = sent(world, &shot, flow).await;
        assert!(!said.contains('`'), "{flow:?}: {said}");
        let usual = Usual {
            said,
            changed: world.traces().since(&before),
        };
        if !has_purged(world) {
            break (usual, called(world));
        }
    };
    let mut parts = Vec::new();
    for (name, target, calls) in targets {
        let mut rows = Vec::new();
        for ((how, effect), call) in faults(flow, &usual, &target, calls) {
            let fault = Fault {
                how,
                target: &target,
                when: match call {
                    0 => When::Always,
                    call => When::Nth(call),
                },
                effect,
            };
            let outcome = disturbed(stage, flow, &usual, fault).await;
            rows.push(Row { how, call, outcome });
        }
        parts.push(Part {
            name,
            calls: if is_side_by_side(flow) {
                None
            } else {
                Some(calls)
            },
            rows,
        });
    }
    let changes: Vec<String> = usual.changed.into_iter().collect();
    Section {
        flow: *flow,
        usual: usual.said,
        changes: match changes.is_empty() {
            true => "nothing".to_owned(),
            false => changes.join(", "),
        },
        parts,
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tests/e2e")
        .to_owned()
}

/// Whether `path` is one of the addresses of `route`: `:name` stands for any segment, `...` for any rest.
fn is_of(route: &str, path: &str) -> bool {
    if let Some(prefix) = route.strip_suffix("...") {
        return path.starts_with(prefix.trim_end_matches('/'));
    }
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    let alike = |(wanted, given): (&&str, &&str)| wanted == given || wanted.starts_with(':');
    route.len() == path.len() && route.iter().zip(&path).all(alike)
}

#[test]
fn every_route_has_a_row_or_a_reason() {
    let manifest = std::fs::read_to_string(root().join("spin.toml")).expect("spin.toml");
    let routes: Vec<&str> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("route = \"")?.strip_suffix('"'))
        // The prefix that ScaiFlow's clients use leads to the same.
        .filter(|route| !route.starts_with("/api/v1/"))
        .collect();
    assert!(routes.len() > 20, "{routes:?}");
    let has_row = |route: &str| {
        let mut flows = SUBJECTS.iter().flat_map(|(_, flows)| *flows);
        flows.any(|(_, path, _, _)| is_of(route, path))
    };
    for route in routes {
        let has_reason = WITHOUT.iter().any(|(without, _)| *without == route);
        assert!(has_reason || has_row(route), "no row for {route}");
    }
}

#[test]
fn every_flow_comes_to_what_the_table_says() {
    let sections: Vec<(&str, Vec<Section>)> = std::thread::scope(|scope| {
        // A world and a thread for each subject: they have nothing in common.
        let running: Vec<_> = SUBJECTS
            .iter()
            .map(|(subject, flows)| {
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_multi_thread()
                        .worker_threads(2)
                        .enable_all()
                        .build()
                        .expect("a runtime");
                    runtime.block_on(async {
                        let stage = Stage::new().await;
                        let mut sections = Vec::new();
                        for flow in *flows {
                            sections.push(section(&stage, flow).await);
                        }
                        (*subject, sections)
                    })
                })
            })
            .collect();
        let ended = running.into_iter().map(|thread| thread.join());
        ended.map(|result| result.expect("a subject")).collect()
    });
    let made = document(&sections);
    let file = root().join("docs/faults.md");
    if std::env::var_os("SCAIGATE_UPDATE").is_some() {
        std::fs::write(&file, &made).expect("docs/faults.md");
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = made.lines().zip(kept.lines()).find(|(new, old)| new != old);
    assert!(made == kept, "docs/faults.md says otherwise: {differs:?}");
}
