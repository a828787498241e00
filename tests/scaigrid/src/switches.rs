//! The switches: standing behaviour, named lies, transport faults. All may change while the emulator runs.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::behaviour::Behaviour;
use crate::deviation::Deviation;
use crate::endpoint::Endpoint;
use crate::fault::Fault;

#[derive(Default)]
struct Setting {
    behaviour: Behaviour,
    /// `None`: until cleared.
    deviations: Vec<(Deviation, Option<u32>)>,
    faults: HashMap<Endpoint, Vec<(Fault, Option<u32>)>>,
}

/// The switchboard of one emulator. Every method takes effect with the next request.
#[derive(Default)]
pub struct Switches {
    setting: Mutex<Setting>,
}

impl Switches {
    pub(crate) fn with(behaviour: Behaviour) -> Self {
        let this = Self::default();
        this.change(|b| *b = behaviour);
        this
    }

    fn lock(&self) -> MutexGuard<'_, Setting> {
        self.setting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The behaviour as it is now.
    pub fn behaviour(&self) -> Behaviour {
        self.lock().behaviour.clone()
    }

    /// Changes behaviour: `switches.change(|b| b.models_form = ModelsForm::Data)`.
    pub fn change(&self, edit: impl FnOnce(&mut Behaviour)) {
        edit(&mut self.lock().behaviour);
    }

    /// Tells this lie from now on, until [`Self::clear`] or [`Self::reset`].
    pub fn set(&self, deviation: Deviation) {
        self.put(deviation, None);
    }

    /// Tells this lie in the next `times` answers that it concerns.
    pub fn set_next(&self, deviation: Deviation, times: u32) {
        self.put(deviation, Some(times));
    }

    fn put(&self, deviation: Deviation, times: Option<u32>) {
        let mut setting = self.lock();
        setting.deviations.retain(|(known, _)| *known != deviation);
        setting.deviations.push((deviation, times));
    }

    /// Ends one lie.
    pub fn clear(&self, deviation: Deviation) {
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

    /// The next `times` requests to the endpoint meet this fault. Faults of one endpoint queue up.
    pub fn fail_next(&self, endpoint: Endpoint, fault: Fault, times: u32) {
        let mut setting = self.lock();
        let queue = setting.faults.entry(endpoint).or_default();
        queue.push((fault, Some(times)));
    }

    /// Every request to the endpoint meets this fault, until [`Self::heal`].
    pub fn fail_always(&self, endpoint: Endpoint, fault: Fault) {
        self.lock().faults.insert(endpoint, vec![(fault, None)]);
    }

    /// Ends the faults of one endpoint.
    pub fn heal(&self, endpoint: Endpoint) {
        self.lock().faults.remove(&endpoint);
    }

    /// The lies in force, with how many answers each still concerns (`None`: until cleared).
    pub fn deviations(&self) -> Vec<(Deviation, Option<u32>)> {
        self.lock().deviations.clone()
    }

    /// The lies that concern one answer; counts them down.
    pub(crate) fn draw<T>(&self, pick: impl Fn(Deviation) -> Option<T>) -> Vec<T> {
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

    pub(crate) fn draw_fault(&self, endpoint: Endpoint) -> Option<Fault> {
        let mut setting = self.lock();
        let queue = setting.faults.get_mut(&endpoint)?;
        queue.retain(|(_, left)| *left != Some(0));
        let (fault, left) = queue.first_mut()?;
        if let Some(left) = left {
            *left -= 1;
        }
        Some(fault.clone())
    }

    /// Whether the answer comes before the request's body is read.
    pub(crate) fn is_next_fault_early(&self, endpoint: Endpoint) -> bool {
        let setting = self.lock();
        let mut queue = setting.faults.get(&endpoint).into_iter().flatten();
        let next = queue.find(|(_, left)| *left != Some(0));
        matches!(next, Some((Fault::AnswerEarly, _)))
    }
}
