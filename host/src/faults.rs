//! Failures on demand: what a test can make a store, a database, a variable or
//! an outbound host do, and the count of calls made to each.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::HostClock;

/// The most calls remembered by [`Faults::calls`]; older ones are dropped.
const MAX_CALLS: usize = 10_000;

/// The most characters of a detail remembered.
const MAX_DETAIL: usize = 4_096;

/// What a rule applies to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The key-value store with this label.
    KeyValue(String),
    /// The SQLite database with this label. Opening and each statement count.
    Sqlite(String),
    /// The component variable with this name.
    Variable(String),
    /// Outbound requests to this authority: `host`, or `host:port`. A rule
    /// without a port applies to every port.
    Outbound(String),
}

impl Target {
    /// The key-value store `default`.
    #[must_use]
    pub fn key_value() -> Self {
        Self::KeyValue("default".to_owned())
    }

    /// The SQLite database `default`.
    #[must_use]
    pub fn sqlite() -> Self {
        Self::Sqlite("default".to_owned())
    }

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Outbound(rule), Self::Outbound(call)) => {
                rule == call
                    || call
                        .rsplit_once(':')
                        .is_some_and(|(host, port)| host == rule && port.parse::<u16>().is_ok())
            }
            (rule, call) => rule == call,
        }
    }
}

/// When a rule applies. Calls are counted from the moment the rule is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// On every call.
    Always,
    /// On one call only; the first is 1.
    Nth(u64),
    /// On the first so many calls.
    First(u64),
}

impl When {
    fn applies(self, call: u64) -> bool {
        match self {
            Self::Always => true,
            Self::Nth(nth) => call == nth,
            Self::First(count) => call <= count,
        }
    }
}

/// What happens to the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It fails without having done anything.
    Refuse,
    /// It is done, and its answer is lost: the caller sees a failure.
    LoseAnswer,
    /// It is done after this much of the host clock's time.
    Delay(Duration),
    /// An outbound answer's body ends in an error after this many bytes.
    CutBody {
        /// Bytes delivered before the error.
        after: usize,
    },
    /// It never ends. Outbound time-outs still apply.
    Hang,
}

/// One call a component made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The calling component's id.
    pub component: String,
    /// What was called.
    pub target: Target,
    /// The operation: `get`, `set`, `open`, `execute`, an HTTP method …
    pub operation: &'static str,
    /// The statement, the key, or the path. Parameters and values are left out.
    pub detail: String,
}

/// A set rule, to be removed later with [`Faults::remove`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleId(u64);

struct Rule {
    id: RuleId,
    /// The one component whose calls it is about; `None`: every component's.
    component: Option<String>,
    target: Target,
    when: When,
    effect: Effect,
    calls: u64,
}

#[derive(Default)]
struct Shared {
    rules: Vec<Rule>,
    next: u64,
    counts: BTreeMap<Target, u64>,
    calls: VecDeque<Call>,
}

/// The rules of a host and its record of calls. Clones share both.
#[derive(Clone, Default)]
pub struct Faults {
    shared: Arc<Mutex<Shared>>,
    /// How many calls hang.
    hanging: Arc<watch::Sender<usize>>,
    /// Told when a call begins, and when a statement has ended.
    moved: Arc<watch::Sender<()>>,
}

/// A call that hangs, until its caller gives up or ends.
struct Hanging<'a>(&'a watch::Sender<usize>);

impl<'a> Hanging<'a> {
    fn begin(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count = count.saturating_add(1));
        Self(count)
    }
}

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

/// What a call has to do about a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Proceed,
    Refuse,
    LoseAnswer,
    CutBody(usize),
}

impl Faults {
    /// No rules.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    fn locked(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a rule. Of several that apply to one call, the oldest decides.
    pub fn set(&self, target: Target, when: When, effect: Effect) -> RuleId {
        self.add(None, target, when, effect)
    }

    /// Adds a rule about one component's calls: those of others are neither counted nor hit.
    pub fn set_for(&self, component: &str, target: Target, when: When, effect: Effect) -> RuleId {
        self.add(Some(component.to_owned()), target, when, effect)
    }

    fn add(&self, component: Option<String>, target: Target, when: When, effect: Effect) -> RuleId {
        let mut shared = self.locked();
        let id = RuleId(shared.next);
        shared.next = shared.next.wrapping_add(1);
        shared.rules.push(Rule {
            id,
            component,
            target,
            when,
            effect,
            calls: 0,
        });
        id
    }

    /// Removes one rule.
    pub fn remove(&self, id: RuleId) {
        self.locked().rules.retain(|rule| rule.id != id);
    }

    /// Removes every rule.
    pub fn clear(&self) {
        self.locked().rules.clear();
    }

    /// How many calls were made to `target` since the last [`Self::reset_calls`].
    /// An outbound target without a port sums its ports.
    #[must_use]
    pub fn count(&self, target: &Target) -> u64 {
        self.locked()
            .counts
            .iter()
            .filter(|(called, _)| target.covers(called))
            .map(|(_, count)| *count)
            .sum()
    }

    /// The last 10,000 calls, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.locked().calls.iter().cloned().collect()
    }

    /// Forgets counts and calls; rules stay.
    pub fn reset_calls(&self) {
        let mut shared = self.locked();
        shared.counts.clear();
        shared.calls.clear();
    }

    /// Whether a call hangs now.
    #[must_use]
    pub fn is_hanging(&self) -> bool {
        *self.hanging.borrow() > 0
    }

    /// Waits until a call hangs ([`Effect::Hang`]).
    pub async fn hung(&self) {
        let mut hanging = self.hanging.subscribe();
        // The sender is held here.
        let _ = hanging.wait_for(|count| *count > 0).await;
    }

    /// Waits until something is so that calls bring about: looks at once, and whenever a call has
    /// begun or a statement has ended.
    pub async fn until(&self, mut is_so: impl FnMut() -> bool) {
        // Subscribed before the first look: a call in between is not missed.
        let mut moved = self.moved.subscribe();
        while !is_so() {
            // The sender is held here.
            let _ = moved.changed().await;
        }
    }

    /// A statement has ended: what it changes is changed.
    pub(crate) fn statement_ended(&self) {
        self.moved.send_replace(());
    }

    /// Records a call and waits out what a rule says about it.
    pub(crate) async fn meet(
        &self,
        clock: &HostClock,
        component: &str,
        target: Target,
        operation: &'static str,
        detail: &str,
    ) -> Verdict {
        // Before the call is counted: whoever sees the count and moves the clock
        // ends the delay.
        let start = clock.monotonic();
        let effect = self.record(component, target, operation, detail);
        match effect {
            None => Verdict::Proceed,
            Some(Effect::Refuse) => Verdict::Refuse,
            Some(Effect::LoseAnswer) => Verdict::LoseAnswer,
            Some(Effect::CutBody { after }) => Verdict::CutBody(after),
            Some(Effect::Delay(duration)) => {
                let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
                clock.sleep_until(start.saturating_add(nanoseconds)).await;
                Verdict::Proceed
            }
            Some(Effect::Hang) => {
                let _hanging = Hanging::begin(&self.hanging);
                std::future::pending().await
            }
        }
    }

    fn record(
        &self,
        component: &str,
        target: Target,
        operation: &'static str,
        detail: &str,
    ) -> Option<Effect> {
        let mut shared = self.locked();
        let mut effect = None;
        for rule in &mut shared.rules {
            let is_of_it = rule.component.as_deref().is_none_or(|of| of == component);
            if is_of_it && rule.target.covers(&target) {
                rule.calls = rule.calls.saturating_add(1);
                if effect.is_none() && rule.when.applies(rule.calls) {
                    effect = Some(rule.effect);
                }
            }
        }
        let count = shared.counts.entry(target.clone()).or_insert(0);
        *count = count.saturating_add(1);
        if shared.calls.len() >= MAX_CALLS {
            shared.calls.pop_front();
        }
        shared.calls.push_back(Call {
            component: component.to_owned(),
            target,
            operation,
            detail: detail.chars().take(MAX_DETAIL).collect(),
        });
        drop(shared);
        self.moved.send_replace(());
        effect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effects(when: When, calls: usize) -> Vec<bool> {
        let faults = Faults::none();
        faults.set(Target::sqlite(), when, Effect::Refuse);
        (0..calls)
            .map(|_| {
                faults
                    .record("c", Target::sqlite(), "execute", "")
                    .is_some()
            })
            .collect()
    }

    #[test]
    fn rules_apply_when_they_say() {
        for (when, expected) in [
            (When::Always, [true, true, true]),
            (When::Nth(2), [false, true, false]),
            (When::First(2), [true, true, false]),
        ] {
            assert_eq!(effects(when, 3), expected, "{when:?}");
        }
    }

    #[test]
    fn counts_per_target_and_outbound_hosts_over_their_ports() {
        let faults = Faults::none();
        let call = |host: &str| {
            faults.record("c", Target::Outbound(host.to_owned()), "GET", "/");
        };
        call("idp.test:80");
        call("idp.test:443");
        call("other.test:80");
        assert_eq!(faults.count(&Target::Outbound("idp.test".to_owned())), 2);
        assert_eq!(
            faults.count(&Target::Outbound("idp.test:443".to_owned())),
            1
        );
        assert_eq!(faults.count(&Target::key_value()), 0);
        faults.reset_calls();
        assert!(faults.calls().is_empty());
    }

    #[tokio::test]
    async fn waits_until_calls_have_made_it_so() {
        let faults = Faults::none();
        let call = async {
            faults.record("c", Target::sqlite(), "execute", "");
            tokio::task::yield_now().await;
            faults.record("c", Target::sqlite(), "execute", "");
        };
        let both = faults.until(|| faults.count(&Target::sqlite()) == 2);
        tokio::join!(both, call);
        // What is so already is not waited for.
        faults.until(|| true).await;
    }
}
