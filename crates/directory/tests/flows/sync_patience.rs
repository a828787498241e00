//! How patient a run is: what it waits for, for how long in all, and what it does meanwhile.

use std::time::Duration;

use scaigate_problem::Code;
use scaigate_types::Clock as _;
use scaikey_emulator::{Endpoint, Fault, seed};

use crate::sync_reading::{fails, is_whole, refused, status, world};
use crate::world::{World, code};

#[test]
fn n_143_what_passes_is_waited_for_and_what_does_not_is_told() {
    // What goes wrong, how often; how long that takes, or why it fails.
    for (fault, times, expected) in [
        (status(503, None), 2, Ok(1_500)),
        (status(503, None), 3, Err(Code::ScaikeyUnavailable)),
        (status(429, Some(7)), 1, Ok(7_000)),
        (status(429, None), 1, Ok(2_000)),
        (status(429, Some(60)), 2, Ok(120_000)),
        (status(429, Some(7)), 3, Err(Code::ScaikeyRateLimited)),
        // More than a minute says to be left alone.
        (status(429, Some(61)), 1, Err(Code::ScaikeyRateLimited)),
        (status(500, None), 1, Ok(500)),
        (status(499, None), 1, Err(Code::SyncIncomplete)),
        (status(401, None), 1, Err(Code::SyncIncomplete)),
        (Fault::Garbage, 1, Err(Code::SyncIncomplete)),
    ] {
        let world = world();
        let what = format!("{fault:?} {times}");
        fails(&world, Endpoint::AdminGroups, fault, times);
        match expected {
            Ok(millis) => {
                let report = world.sync(false).unwrap();
                let took = Duration::from_secs_f64(report.statistics.duration_seconds);
                assert_eq!(took.as_millis(), millis, "{what}");
                is_whole(&world);
            }
            Err(code) => {
                let problem = refused(&world);
                assert_eq!(problem.code(), code, "{what}");
                assert_eq!(problem.details()["list"], "groups", "{what}");
            }
        }
    }
}

/// Keeps everything that a run says of itself.
fn listen(world: &World) {
    world.sql(
        "CREATE TABLE said (phase TEXT, at INTEGER, users INTEGER, groups_ INTEGER, members INTEGER)",
        &[],
    );
    world.sql(
        "CREATE TRIGGER says AFTER UPDATE OF lease_until ON sync_run BEGIN
           INSERT INTO said VALUES (NEW.phase, NEW.lease_until - 60000, NEW.users_seen,
                                    NEW.groups_seen, NEW.memberships_seen);
         END",
        &[],
    );
}

#[test]
fn a_run_that_waits_says_that_it_is_alive() {
    // Two minutes are more than a lease.
    let world = world();
    fails(&world, Endpoint::AdminGroups, status(429, Some(60)), 2);
    listen(&world);
    world.sync(false).unwrap();
    assert_eq!(
        world.rows::<1>("SELECT outcome FROM sync_run"),
        [["applied"]]
    );
    let longest = "SELECT max(later - at) FROM
                   (SELECT at, lead(at) OVER (ORDER BY at) AS later FROM said)";
    assert_eq!(world.number(longest), 3_000);
    // Nor more often than that: a page is no news.
    let often = "SELECT max(times) FROM (SELECT count(*) AS times FROM said GROUP BY phase, at)";
    assert_eq!(world.number(often), 1);
}

#[test]
fn a_run_says_how_much_it_has_read() {
    let world = world();
    listen(&world);
    let seen = world.sync(false).unwrap().statistics;
    let of = |count: u64| count.to_string();
    let (users, groups) = (of(seen.users_seen), of(seen.groups_seen));
    let members = of(seen.memberships_seen);
    let none = of(0);
    assert_eq!(
        world.rows::<4>("SELECT phase, users, groups_, members FROM said ORDER BY rowid"),
        [
            ["users", &none, &none, &none],
            ["groups", &users, &none, &none],
            ["memberships", &users, &groups, &none],
            ["comparing", &users, &groups, &members],
        ]
    );
}

#[test]
fn a_directory_that_is_not_read_within_fifteen_minutes_is_given_up() {
    let world = world();
    let switches = world.scaikey.emulator.switches();
    switches.change(|behaviour| behaviour.max_per_page = 2);
    for page in 1..=12 {
        switches.fail_page(
            Endpoint::EffectiveUsers,
            status(429, Some(60)),
            page,
            Some(2),
        );
    }
    let began = world.clock.now();
    let problem = refused(&world);
    assert_eq!(problem.code(), Code::ScaikeyTimeout);
    let took = world.clock.now().since(began);
    assert!((900..=903).contains(&took.as_secs()), "{took:?}");
}

#[test]
fn a_directory_that_is_read_in_just_fifteen_minutes_is_mirrored() {
    // Seven pages are waited for for two minutes each, the eighth for one.
    for (more, expected) in [(0, None), (1, Some(Code::ScaikeyTimeout))] {
        let world = world();
        let switches = world.scaikey.emulator.switches();
        switches.change(|behaviour| behaviour.max_per_page = 2);
        for page in 1..=8 {
            let times = if page == 8 { 1 } else { 2 };
            let wait = status(429, Some(60));
            switches.fail_page(Endpoint::EffectiveUsers, wait, page, Some(times));
        }
        let wait = status(429, Some(more));
        switches.fail_page(Endpoint::EffectiveUsers, wait, 9, Some(1));
        let began = world.clock.now();
        assert_eq!(code(&world.sync(false)), expected, "{more}");
        let took = world.clock.now().since(began);
        assert_eq!(took, Duration::from_secs(900 + u64::from(more)));
    }
}

#[test]
fn a_token_that_ends_soon_is_renewed_within_the_run() {
    let world = world();
    {
        let mut directory = world.scaikey.emulator.directory();
        let application = directory.client_mut(seed::CLIENT_ID).unwrap();
        application.token_lifetime = 90;
    }
    fails(&world, Endpoint::AdminGroups, status(429, Some(50)), 2);
    world.scaikey.plan.heal();
    world.sync(false).unwrap();
    let asked = world.scaikey.plan.heal();
    let tokens = asked.iter().filter(|path| path.ends_with("/oauth/token"));
    // At the start, and after each wait.
    assert_eq!(tokens.count(), 3, "{asked:?}");
    is_whole(&world);
}
