//! Changes of the directory that say which event ScaiKey would send about them.

mod access;
mod groups;
mod payload;
mod tenants;
mod users;

use serde_json::Value;

use crate::registry::DirectoryGuard;
use crate::switches::Behaviour;
use crate::webhook::WebhookEvent;
use crate::world::World;

/// Changes the directory of a running emulator as ScaiKey's administrators would, one change a call. Each returns the one
/// honest event about it, to send, delay, repeat, reorder or lose; `None` when nothing changed, because what it names is
/// not there or is so already. The events' times are strictly increasing, in the order of the changes. How they are
/// written follows [`Behaviour::webhook_envelope`], [`Behaviour::webhook_names`] and [`Behaviour::webhook_data`].
///
/// The directory is locked during a change: what edits one must not reach for the emulator.
pub struct Changes<'a> {
    world: &'a World,
}

impl<'a> Changes<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        Self { world }
    }

    fn begin(&self) -> Change<'a> {
        let behaviour = self.world.switches.behaviour();
        Change {
            world: self.world,
            behaviour,
            directory: self.world.directory(),
        }
    }
}

/// One change under way; the directory is locked until its event has its time.
struct Change<'a> {
    world: &'a World,
    behaviour: Behaviour,
    directory: DirectoryGuard<'a>,
}

impl Change<'_> {
    /// The event about a resource. `of` is the tenant and the partner it belongs to.
    fn event(
        &self,
        event_type: &str,
        resource: (&str, &str),
        of: (Option<&str>, Option<&str>),
        data: Value,
    ) -> WebhookEvent {
        let mut event = WebhookEvent::new(event_type, resource.1);
        resource.0.clone_into(&mut event.resource.0);
        event.at_ms = Some(self.world.next_event_time());
        event.tenant_id = of.0.map(str::to_owned);
        event.partner_id = of.1.map(str::to_owned);
        event.data = data;
        event.envelope = self.behaviour.webhook_envelope;
        event
    }
}
