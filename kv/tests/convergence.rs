//! ScaiKey's directory changes at random. Its events arrive late, twice, in any order or not at all,
//! and syncs read it while it changes and apply what they have read later. The mirror converges.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends here"
)]

mod convergence {
    pub mod mirror;
    pub mod model;
    pub mod random;
    pub mod sync;
}

use convergence::mirror::Mirror;
use convergence::model::{Event, Model};
use convergence::random::Random;
use convergence::sync::Sync;

/// What may happen to the events of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    /// Every event arrives, late or soon, once or more often.
    Complete,
    /// Some never arrive.
    Lossy,
}

/// How many worlds of each kind.
const SEEDS: u64 = 500;
/// Steps of each.
const STEPS: u32 = 50;

/// Lets a world go by.
struct World<'a> {
    random: Random,
    model: Model,
    mirror: &'a Mirror,
    delivery: Delivery,
    pending: Vec<Event>,
    past: Vec<Event>,
    sync: Option<Sync>,
    trace: Vec<String>,
}

impl<'a> World<'a> {
    fn new(mirror: &'a Mirror, seed: u64, delivery: Delivery) -> Self {
        mirror.reset();
        Self {
            random: Random::new(seed),
            model: Model::default(),
            mirror,
            delivery,
            pending: Vec::new(),
            past: Vec::new(),
            sync: None,
            trace: Vec::new(),
        }
    }

    fn note(&mut self, what: impl std::fmt::Debug) {
        self.trace.push(format!("{what:?}"));
    }

    fn change(&mut self) {
        let events = self.model.change(&mut self.random);
        for event in events {
            self.note(("happens", &event));
            self.past.push(event.clone());
            if self.delivery == Delivery::Lossy && self.random.chance(25) {
                self.note("and is lost");
                continue;
            }
            if self.random.chance(20) {
                self.pending.push(event.clone());
            }
            self.pending.push(event);
        }
    }

    fn deliver(&mut self) {
        if !self.pending.is_empty() {
            let index = self.random.below(self.pending.len());
            let event = self.pending.swap_remove(index);
            self.note(("arrives", &event));
            self.mirror.receive(&event);
        }
    }

    fn read_or_apply(&mut self) {
        let Some(mut sync) = self.sync.take() else {
            let sync = Sync::begin(self.mirror, &mut self.model, &mut self.random);
            self.note(("sync begins", &sync));
            self.sync = Some(sync);
            return;
        };
        if sync.reads(self.mirror, &self.model) {
            self.note(("sync has read", &sync));
            self.sync = Some(sync);
        } else if self.random.chance(15) {
            self.note("sync fails");
            sync.fails(self.mirror);
        } else {
            self.note("sync is applied");
            sync.applies(self.mirror);
        }
    }

    fn step(&mut self) {
        match self.random.below(10) {
            0..4 => self.change(),
            4..7 => self.deliver(),
            _ => self.read_or_apply(),
        }
    }

    /// A sync that nothing disturbs, after which the mirror is the directory.
    fn sync_in_peace(&mut self) {
        if let Some(sync) = self.sync.take() {
            sync.fails(self.mirror);
        }
        let mut sync = Sync::in_peace(self.mirror, &self.model);
        while sync.reads(self.mirror, &self.model) {}
        sync.applies(self.mirror);
        self.note(("sync in peace", &sync));
    }

    fn check(&self, seed: u64, what: &str) {
        let (mut found, mut expected) = (self.mirror.directory(), self.model.directory().clone());
        if self.delivery == Delivery::Lossy {
            // Of partners there are events alone: no list is read.
            found.partners.clear();
            expected.partners.clear();
        }
        assert_eq!(
            found,
            expected,
            "{what}, seed {seed}, {:?}:\n{}",
            self.delivery,
            self.trace.join("\n")
        );
    }
}

fn pass(mirror: &Mirror, seed: u64, delivery: Delivery) {
    let mut world = World::new(mirror, seed, delivery);
    for _ in 0..STEPS {
        world.step();
    }
    if delivery == Delivery::Complete {
        // A sync may still be under way, and end while the rest arrives.
        while !world.pending.is_empty() || world.sync.is_some() {
            if world.random.chance(30) && world.sync.is_some() {
                world.read_or_apply();
            } else {
                world.deliver();
            }
        }
        world.check(seed, "every event arrived");
    }
    world.sync_in_peace();
    world.check(seed, "a sync was applied");
    // Whatever is repeated or still on its way is older than that.
    for _ in 0..world.past.len() {
        let index = world.random.below(world.past.len());
        let event = world.past.get(index).expect("an event").clone();
        world.note(("arrives late", &event));
        world.mirror.receive(&event);
    }
    world.check(seed, "old events arrived");
    // Life goes on: what comes now is news.
    for _ in 0..10 {
        for event in world.model.change(&mut world.random) {
            world.note(("happens and arrives", &event));
            world.mirror.receive(&event);
        }
    }
    world.check(seed, "new events arrived");
}

#[test]
fn the_mirror_is_the_directory_when_every_event_has_arrived() {
    let mirror = Mirror::new();
    for seed in 0..SEEDS {
        pass(&mirror, seed, Delivery::Complete);
    }
}

#[test]
fn the_mirror_is_the_directory_after_a_sync_whatever_was_lost() {
    let mirror = Mirror::new();
    for seed in 0..SEEDS {
        pass(&mirror, seed, Delivery::Lossy);
    }
}
