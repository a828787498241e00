//! The mirror becomes ScaiKey's directory, whatever the order in which its events arrive and whatever
//! syncs come between: `receive` and `sync` as they ship, over stores in memory, against the emulator.
//!
//! In each world ScaiKey's directory changes at random. The honest event about each change arrives late,
//! twice, in any order, or not at all; syncs begin at any time and read page by page while the directory
//! changes, events arrive and time goes by between any two of their calls. ScaiKey's clock is up to a
//! minute from ours, and its answers are dated when they leave, a while after they were read.
//!
//! What must be so in the end:
//! - Where every event has arrived and no list slid under a reading, the mirror is the directory.
//! - Where a list slid (rows move between its pages while they are read), it is so after the syncs that
//!   are due because of it.
//! - Where events were lost, it is so after one sync.
//!
//! What no reader can know, and is not in these worlds:
//! - Two events about one subject with the very same time, to the millisecond. The later arrival counts.
//! - Somebody new who slips between two pages because one before them went and another came in the same
//!   moment: the list is as long as it was. The next sync finds them.
//! - Access to the application that no event tells of (somebody leaves a group that gave it): the users
//!   are then those of the last sync. Here everybody has access.
//! - Events dated by another clock than ScaiKey's answers. Where ScaiKey dates no answer, what happened in
//!   the minute before a reading counts as younger than it: an event of then that is lost is made up for by
//!   a sync that begins later than that.

mod change;
mod disturbed;
mod life;

use life::{Delivery, Life, Tally};

/// Worlds of each kind.
const SEEDS: u64 = 500;

fn live_through(delivery: Delivery) -> Vec<Tally> {
    let world = |seed| {
        let life = Life::new(seed, delivery);
        life.go_on();
        life.end()
    };
    (0..SEEDS).map(world).collect()
}

/// How many of the worlds it happened in, and that it was enough for the test to mean something.
fn often(tallies: &[Tally], least: u64, of: impl Fn(&Tally) -> usize) {
    let worlds = tallies.iter().filter(|tally| of(tally) > 0).count();
    assert!(worlds as u64 >= least, "only in {worlds} worlds");
}

#[test]
fn n_100_the_mirror_is_the_directory_when_every_event_has_arrived() {
    let tallies = live_through(Delivery::Complete);
    often(&tallies, SEEDS, |tally| tally.changes);
    often(&tallies, SEEDS * 3 / 4, |tally| tally.changes_during_a_sync);
    often(&tallies, SEEDS * 3 / 4, |tally| {
        tally.arrivals_during_a_sync
    });
    often(&tallies, SEEDS * 3 / 4, |tally| tally.repetitions);
    often(&tallies, 1, |tally| tally.failed_syncs);
}

#[test]
fn n_100_the_mirror_is_the_directory_after_a_sync_whatever_was_lost() {
    let tallies = live_through(Delivery::Lossy);
    often(&tallies, SEEDS * 9 / 10, |tally| tally.losses);
    often(&tallies, SEEDS, |tally| tally.syncs);
}
