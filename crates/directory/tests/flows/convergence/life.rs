//! One world as it goes by.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::rc::Rc;
use std::time::Duration;

use futures::executor::block_on;
use scaigate_directory::sync;
use scaigate_problem::Code;
use scaigate_simulated::Seeded;
use scaikey_emulator::{Envelope, EventNames, ListEnvelope, UserShape, WebhookEvent};

use super::change::{change, small_directory};
use super::disturbed::Disturbed;
use crate::world::{World, code};

/// What may happen to the events of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Every event arrives, late or soon, once or more often.
    Complete,
    /// Some never arrive.
    Lossy,
}

/// Steps of each world, besides what happens while it syncs.
const STEPS: usize = 25;

/// What has happened in all worlds, so that a test can't pass because nothing did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Changes of the directory.
    pub changes: usize,
    /// Those that came while a sync was reading.
    pub changes_during_a_sync: usize,
    /// Events that arrived for the first time.
    pub arrivals: usize,
    /// Those that came while a sync was under way.
    pub arrivals_during_a_sync: usize,
    /// Events that arrived again.
    pub repetitions: usize,
    /// Events that never arrived.
    pub losses: usize,
    /// Syncs that were applied.
    pub syncs: usize,
    /// Syncs that were refused or failed.
    pub failed_syncs: usize,
}

/// One world.
pub struct Life {
    pub world: World,
    pub random: Seeded,
    seed: u64,
    delivery: Delivery,
    /// Whether lists have several pages, so that rows move between them.
    has_pages: bool,
    /// Whether ScaiKey dates its answers. Where it does not, a sync knows the time to a minute or two.
    dates_answers: bool,
    pending: RefCell<Vec<WebhookEvent>>,
    lost: RefCell<Vec<WebhookEvent>>,
    arrived: RefCell<BTreeSet<String>>,
    trace: RefCell<Vec<String>>,
    is_acting: Cell<bool>,
    is_syncing: Cell<bool>,
    tally: Cell<Tally>,
}

impl Life {
    pub fn new(seed: u64, delivery: Delivery) -> Rc<Self> {
        let random = Seeded::new(seed);
        let world = World::new();
        *world.scaikey.emulator.directory() = small_directory();
        world.assign_everybody();
        let ahead = i64::try_from(random.below(120_001)).unwrap() - 60_000;
        world.scaikey.skew(ahead);
        let has_pages = random.chance(50);
        let per_page = if has_pages { 2 } else { 1_000 };
        let switches = world.scaikey.emulator.switches();
        let dates_answers = random.chance(90);
        switches.change(|behaviour| {
            behaviour.max_per_page = per_page;
            behaviour.date_header = dates_answers;
        });
        Rc::new(Self {
            world,
            random,
            seed,
            delivery,
            has_pages,
            dates_answers,
            pending: RefCell::default(),
            lost: RefCell::default(),
            arrived: RefCell::default(),
            trace: RefCell::default(),
            is_acting: Cell::default(),
            is_syncing: Cell::default(),
            tally: Cell::default(),
        })
    }

    fn note(&self, what: impl Debug) {
        self.trace.borrow_mut().push(format!("{what:?}"));
    }

    fn count(&self, count: impl FnOnce(&mut Tally)) {
        let mut tally = self.tally.get();
        count(&mut tally);
        self.tally.set(tally);
    }

    /// Something changes at ScaiKey, and its event is on its way.
    fn change(&self) {
        let random = &self.random;
        self.world.scaikey.emulator.switches().change(|behaviour| {
            behaviour.webhook_envelope =
                *random.pick(&[Envelope::ScaiKey, Envelope::Short, Envelope::ScaiFlow]);
            behaviour.webhook_names = *random.pick(&[EventNames::ScaiKey, EventNames::ScaiFlow]);
            behaviour.webhook_data =
                *random.pick(&[UserShape::Flat, UserShape::NestedTenant, UserShape::UserId]);
        });
        let Some(event) = change(&self.world, random) else {
            return;
        };
        // Whoever is there has access.
        self.world.assign_everybody();
        self.count(|tally| {
            tally.changes += 1;
            tally.changes_during_a_sync += usize::from(self.is_syncing.get());
        });
        let at = event.at_ms.unwrap_or_default() % 1_000_000;
        self.note(("happens", at, &event.event_type, &event.data));
        if self.delivery == Delivery::Lossy && random.chance(30) {
            self.note("and is lost");
            self.lost.borrow_mut().push(event);
            self.count(|tally| tally.losses += 1);
        } else {
            self.pending.borrow_mut().push(event);
        }
    }

    /// One of the events that are on their way arrives, perhaps not for the last time.
    async fn arrive(&self) {
        let event = {
            let mut pending = self.pending.borrow_mut();
            if pending.is_empty() {
                return;
            }
            let index = self.random.below(pending.len());
            if self.random.chance(20) {
                pending[index].clone()
            } else {
                pending.swap_remove(index)
            }
        };
        self.receive(&event).await;
    }

    async fn receive(&self, event: &WebhookEvent) {
        let at = event.at_ms.unwrap_or_default() % 1_000_000;
        let received = self.world.receive(&self.world.delivery(event)).await;
        self.note(("arrives", at, &event.event_type, received.as_ref().ok()));
        let received = received.unwrap();
        assert!(received.is_handled);
        let is_new = self.arrived.borrow_mut().insert(event.id.clone());
        assert_eq!(received.is_duplicate, !is_new, "{event:?}");
        self.count(|tally| {
            tally.arrivals += usize::from(is_new);
            tally.arrivals_during_a_sync += usize::from(is_new && self.is_syncing.get());
            tally.repetitions += usize::from(!is_new);
        });
    }

    /// So much that a sync knows all that has happened for older than its reading.
    fn time_passes(&self) {
        let seconds = if self.dates_answers { 5 } else { 125 };
        self.world.clock.advance(Duration::from_secs(seconds));
    }

    fn time_goes_by(&self) {
        let time = Duration::from_millis(self.random.below(1_500).try_into().unwrap());
        self.world.clock.advance(time);
    }

    /// What may happen between two calls of a sync, so many times of a hundred.
    pub async fn meanwhile(&self, percent: usize) {
        // What happens meanwhile is not itself interrupted.
        while !self.is_acting.get() && self.random.chance(percent) {
            self.is_acting.set(true);
            match self.random.below(4) {
                0 | 1 => self.change(),
                2 => self.arrive().await,
                _ => self.time_goes_by(),
            }
            self.is_acting.set(false);
        }
    }

    /// Syncs while life goes on.
    fn sync(self: &Rc<Self>) {
        let random = &self.random;
        self.world.scaikey.emulator.switches().change(|behaviour| {
            behaviour.list_envelope = *random.pick(&[
                ListEnvelope::Data,
                ListEnvelope::Items,
                ListEnvelope::BareArray,
            ]);
            behaviour.user_shape =
                *random.pick(&[UserShape::Flat, UserShape::NestedTenant, UserShape::UserId]);
        });
        self.note("sync begins");
        self.is_syncing.set(true);
        let ports = Disturbed::new(Rc::clone(self));
        let reader = self.world.reader();
        let outcome = block_on(sync::sync(&ports, reader, random.chance(80)));
        self.is_syncing.set(false);
        self.note(("sync ends", code(&outcome)));
        match code(&outcome) {
            None => self.count(|tally| tally.syncs += 1),
            Some(Code::SyncSuspiciousShrink | Code::SyncIncomplete) => {
                self.count(|tally| tally.failed_syncs += 1);
            }
            Some(_) => outcome.map(drop).unwrap(),
        }
    }

    /// Syncs while nothing else happens.
    fn sync_in_peace(&self) {
        let outcome = self.world.sync(true);
        self.note(("sync in peace", code(&outcome)));
        outcome.map(drop).unwrap();
        self.count(|tally| tally.syncs += 1);
    }

    pub fn go_on(self: &Rc<Self>) {
        for _ in 0..STEPS {
            match self.random.below(20) {
                0..9 => self.change(),
                9..14 => block_on(self.arrive()),
                14..18 => self.time_goes_by(),
                _ => self.sync(),
            }
        }
    }

    fn everything_arrives(self: &Rc<Self>) {
        while !self.pending.borrow().is_empty() {
            if self.random.chance(4) {
                self.sync();
            }
            block_on(self.arrive());
        }
    }

    /// Runs the syncs that events or syncs have asked for.
    fn sync_if_asked(&self) {
        let is_asked = "SELECT count(*) FROM directory_state WHERE requested_at IS NOT NULL";
        for _ in 0..2 {
            if self.world.number(is_asked) > 0 {
                self.time_passes();
                self.sync_in_peace();
            }
        }
        assert_eq!(self.world.number(is_asked), 0, "a sync asks for no sync");
    }

    fn check(&self, what: &str) {
        let (mut found, mut expected) = (self.world.mirror(), self.world.truth());
        if self.delivery == Delivery::Lossy {
            // Of partners there are events alone: no list is read.
            found.partners.clear();
            expected.partners.clear();
        } else {
            expected
                .partners
                .retain(|id, _| found.partners.contains_key(id));
        }
        let differences = found.differences(&expected);
        assert!(
            differences.is_empty(),
            "{what}, seed {}, {:?}:\n{}\n{}",
            self.seed,
            self.delivery,
            self.trace.borrow().join("\n"),
            differences.join("\n"),
        );
    }

    pub fn end(self: &Rc<Self>) -> Tally {
        if self.delivery == Delivery::Complete {
            self.everything_arrives();
            // ScaiKey told of the directory it began with to nobody: the first sync does.
            if self.tally.get().syncs == 0 {
                self.sync_in_peace();
            }
            if !self.has_pages {
                self.check("every event arrived");
            }
            self.sync_if_asked();
            self.check("every event arrived, and the sync that was due is over");
        }
        self.time_passes();
        self.sync_in_peace();
        self.check("a sync was applied");
        // What arrives now is older than that.
        let lost = self.lost.take();
        self.pending.borrow_mut().extend(lost);
        while !self.pending.borrow().is_empty() {
            block_on(self.arrive());
        }
        self.check("old events arrived");
        // Life goes on: what comes now is news.
        for _ in 0..8 {
            self.change();
            while !self.pending.borrow().is_empty() {
                block_on(self.arrive());
            }
            for event in self.lost.take() {
                block_on(self.receive(&event));
            }
        }
        self.check("new events arrived");
        self.tally.get()
    }
}
