//! Telling the lies that were drawn.

pub(crate) mod body;
pub(crate) mod error;
pub(crate) mod header;
pub(crate) mod list;

use crate::deviation::Deviation;
use crate::endpoint::Endpoint;
use crate::exchange::{Call, Reply};
use crate::world::World;

/// Text that hurts where it is shown unescaped: in HTML, in a terminal, in a log.
pub(crate) const MARKUP: &str =
    "<script>alert(1)</script>\u{1b}[2J\r\nset-cookie: x=1\u{202e}\u{0}";

/// Changes an answer as the switches say.
pub(crate) fn tell(world: &World, endpoint: Endpoint, call: &Call, mut reply: Reply) -> Reply {
    if endpoint == Endpoint::Control {
        return reply;
    }
    if reply.status >= 400 {
        for lie in world.switches.draw(|d| match d {
            Deviation::Error(at, lie) if at == endpoint => Some(lie),
            _ => None,
        }) {
            error::tell(world, call, &mut reply, lie);
        }
    } else if reply.value().is_some() {
        for lie in world.switches.draw(|d| match d {
            Deviation::Body(at, lie) if at == endpoint => Some(lie),
            _ => None,
        }) {
            body::tell(call, &mut reply, lie);
        }
    }
    for lie in world.switches.draw(|d| match d {
        Deviation::Header(at, lie) if at == endpoint => Some(lie),
        _ => None,
    }) {
        header::tell(call, &mut reply, lie);
    }
    reply
}
