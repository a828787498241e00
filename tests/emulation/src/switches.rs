//! The switches: standing behaviour, named lies, faults. All may change while the emulator runs.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is switched.
#[derive(Clone, Debug)]
pub struct Setting<B, D, E, F> {
    /// What an honest server may do one way or another.
    pub behaviour: B,
    /// The lies in force, with how many answers each still concerns; `None`: until cleared.
    pub deviations: Vec<(D, Option<u32>)>,
    /// Faults by endpoint, the next first.
    pub faults: HashMap<E, Vec<F>>,
}

impl<B: Default, D, E, F> Default for Setting<B, D, E, F> {
    fn default() -> Self {
        Self {
            behaviour: B::default(),
            deviations: Vec::new(),
            faults: HashMap::new(),
        }
    }
}

/// The switchboard of one emulator, of behaviour `B`, deviations `D`, and faults `F` of endpoints `E`. Every method
/// takes effect with the next request.
pub struct Switches<B, D, E, F> {
    setting: Mutex<Setting<B, D, E, F>>,
}

impl<B: Default, D, E, F> Default for Switches<B, D, E, F> {
    fn default() -> Self {
        Self {
            setting: Mutex::default(),
        }
    }
}

impl<B: Clone + Default, D: Copy + PartialEq, E: Copy + Eq + Hash, F> Switches<B, D, E, F> {
    /// With that behaviour, no lies, and no faults.
    pub fn with(behaviour: B) -> Self {
        let this = Self::default();
        this.change(|b| *b = behaviour);
        this
    }

    /// All of it, to read or change.
    pub fn lock(&self) -> MutexGuard<'_, Setting<B, D, E, F>> {
        self.setting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The behaviour as it is now.
    pub fn behaviour(&self) -> B {
        self.lock().behaviour.clone()
    }

    /// Changes behaviour: `switches.change(|b| b.auto_login = true)`.
    pub fn change(&self, edit: impl FnOnce(&mut B)) {
        edit(&mut self.lock().behaviour);
    }

    /// Tells this lie from now on, until [`Self::clear`] or [`Self::reset`].
    pub fn set(&self, deviation: D) {
        self.put(deviation, None);
    }

    /// Tells this lie in the next `times` answers that it concerns.
    pub fn set_next(&self, deviation: D, times: u32) {
        self.put(deviation, Some(times));
    }

    fn put(&self, deviation: D, times: Option<u32>) {
        let mut setting = self.lock();
        setting.deviations.retain(|(known, _)| *known != deviation);
        setting.deviations.push((deviation, times));
    }

    /// Ends one lie.
    pub fn clear(&self, deviation: D) {
        let mut setting = self.lock();
        setting.deviations.retain(|(known, _)| *known != deviation);
    }

    /// Ends all lies and faults; behaviour stays.
    pub fn clear_all(&self) {
        let mut setting = self.lock();
        setting.deviations.clear();
        setting.faults.clear();
    }

    /// Everything as at the start of an emulator without options.
    pub fn reset(&self) {
        *self.lock() = Setting::default();
    }

    /// Queues a fault behind those that the endpoint has.
    pub fn plan(&self, endpoint: E, fault: F) {
        self.lock().faults.entry(endpoint).or_default().push(fault);
    }

    /// Ends the faults of one endpoint.
    pub fn heal(&self, endpoint: E) {
        self.lock().faults.remove(&endpoint);
    }

    /// The lies in force, with how many answers each still concerns (`None`: until cleared).
    pub fn deviations(&self) -> Vec<(D, Option<u32>)> {
        self.lock().deviations.clone()
    }

    /// The lies that concern one answer; counts them down.
    pub fn draw<T>(&self, pick: impl Fn(D) -> Option<T>) -> Vec<T> {
        let mut drawn = Vec::new();
        self.lock().deviations.retain_mut(|(deviation, left)| {
            let Some(lie) = pick(*deviation) else {
                return true;
            };
            match left {
                None => {}
                Some(0) => return false,
                Some(n) => *n -= 1,
            }
            drawn.push(lie);
            *left != Some(0)
        });
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::Switches;

    #[test]
    fn a_lie_is_told_as_often_as_it_is_asked_for() {
        let switches: Switches<(), u8, u8, ()> = Switches::default();
        switches.set_next(1, 2);
        switches.set(2);
        let told = || switches.draw(|lie| (lie < 3).then_some(lie));
        assert_eq!([told(), told(), told()], [vec![1, 2], vec![1, 2], vec![2]]);
        assert_eq!(switches.deviations(), [(2, None)]);
        switches.clear(2);
        switches.plan(7, ());
        switches.heal(7);
        assert!(told().is_empty() && switches.lock().faults.is_empty());
    }
}
