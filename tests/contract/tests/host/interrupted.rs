//! Instances that die, and stores that fail, in the middle of something.

use http::StatusCode;
use rusqlite::{Connection, OpenFlags};
use scaigate_host::{Effect, Faults, Host, Target, When};
use serde_json::Value;

use crate::client::{get, ok};
use crate::setup::{host, reusing};

/// How a call to the database can end badly.
const EFFECTS: [Effect; 3] = [Effect::Refuse, Effect::LoseAnswer, Effect::Hang];

/// Sends a request during which the `nth` call to the database goes wrong. One that hangs ends
/// with its instance. The last of the answer is whether there was such a call.
async fn struck(
    host: &Host,
    faults: &Faults,
    target: &str,
    nth: u64,
    effect: Effect,
) -> (StatusCode, Value, bool) {
    let database = Target::sqlite();
    let before = faults.count(&database);
    let rule = faults.set(database.clone(), When::Nth(nth), effect);
    let is_struck = || faults.count(&database) >= before + nth;
    let request = get(host, target);
    let kill = async {
        while !is_struck() {
            tokio::task::yield_now().await;
        }
        if effect == Effect::Hang {
            host.kill_instances();
        }
    };
    let mut request = std::pin::pin!(request);
    let (status, body) = tokio::select! {
        answer = &mut request => answer,
        () = kill => request.await,
    };
    let happened = is_struck();
    faults.remove(rule);
    (status, body, happened)
}

/// The tables of the database, read beside the host.
fn tables(host: &Host) -> Vec<String> {
    let file = host.state_directory().join("sqlite_db.db");
    let Ok(connection) = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)
    else {
        // Not even a file.
        return Vec::new();
    };
    let mut statement = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .expect("the schema");
    let names = statement.query_map([], |row| row.get(0)).expect("its rows");
    names.collect::<Result<_, _>>().expect("names")
}

#[tokio::test]
async fn a_migration_cut_short_leaves_nothing_and_the_next_one_ends_it() {
    let complete = {
        let host = host(reusing(), Faults::none()).await;
        ok(&host, "/migrate").await;
        tables(&host)
    };
    assert!(complete.len() > 5, "{complete:?}");
    for effect in EFFECTS {
        let mut nth = 1;
        loop {
            let faults = Faults::none();
            let host = host(reusing(), faults.clone()).await;
            let (status, answer, happened) = struck(&host, &faults, "/migrate", nth, effect).await;
            if !happened {
                break;
            }
            let found = tables(&host);
            assert!(
                found.is_empty() || found == complete,
                "{effect:?} at call {nth}: {status} {answer}, {found:?}"
            );
            if status == StatusCode::OK {
                assert_eq!(found, complete, "{effect:?} at call {nth}");
            }
            ok(&host, "/migrate").await;
            assert_eq!(tables(&host), complete, "{effect:?} at call {nth}");
            nth += 1;
        }
        // A connection, a transaction and its statements.
        assert!(nth > 20, "{effect:?}: {nth}");
    }
}

#[tokio::test]
async fn nothing_is_won_twice_when_answers_are_lost() {
    let faults = Faults::none();
    let host = host(reusing(), faults.clone()).await;
    for (subject, prepared) in [
        ("pending-login", true),
        ("session-code", true),
        ("authorization-code", false),
    ] {
        for effect in EFFECTS {
            for nth in 1..=6 {
                let id = format!("{subject}-{effect:?}-{nth}");
                if prepared {
                    ok(&host, &format!("/prepare/{subject}?id={id}")).await;
                }
                let target = format!("/race/{subject}?id={id}&request=workspace");
                let (_, first, _) = struck(&host, &faults, &target, nth, effect).await;
                let mut wins = usize::from(first["got"] == "won");
                for _ in 0..3 {
                    wins += usize::from(ok(&host, &target).await["got"] == "won");
                }
                assert!(wins <= 1, "{id}: won {wins} times");
                // Refused is not done: somebody has to get it.
                assert!(effect != Effect::Refuse || wins == 1, "{id}: never won");
            }
        }
    }
}
