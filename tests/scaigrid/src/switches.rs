//! The switches: standing behaviour, named lies, transport faults. All may change while the emulator runs.

use std::ops::Deref;

use crate::behaviour::Behaviour;
use crate::deviation::Deviation;
use crate::endpoint::Endpoint;
use crate::fault::Fault;

/// The switchboard of one emulator. Every method takes effect with the next request.
#[derive(Default)]
pub struct Switches(Switchboard);

/// A fault is queued with how many requests still meet it; `None`: all.
type Switchboard =
    scaigate_emulation::Switches<Behaviour, Deviation, Endpoint, (Fault, Option<u32>)>;

impl Deref for Switches {
    type Target = Switchboard;

    fn deref(&self) -> &Switchboard {
        &self.0
    }
}

impl Switches {
    pub(crate) fn with(behaviour: Behaviour) -> Self {
        Self(Switchboard::with(behaviour))
    }

    /// The next `times` requests to the endpoint meet this fault. Faults of one endpoint queue up.
    pub fn fail_next(&self, endpoint: Endpoint, fault: Fault, times: u32) {
        self.plan(endpoint, (fault, Some(times)));
    }

    /// Every request to the endpoint meets this fault, until `heal`.
    pub fn fail_always(&self, endpoint: Endpoint, fault: Fault) {
        self.lock().faults.insert(endpoint, vec![(fault, None)]);
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
