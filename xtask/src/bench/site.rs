//! The servers that are measured.

use std::net::SocketAddr;

use crate::bench::peers::Peers;

/// The servers a case speaks to.
#[derive(Debug)]
pub struct Site {
    /// scaigate.
    pub application: SocketAddr,
    /// The emulator scaigate sends people to.
    pub emulator: SocketAddr,
    /// The emulator scaigate calls for people who are signed in.
    pub grid: SocketAddr,
    /// The empty component.
    pub empty: SocketAddr,
    /// What somebody would take instead, where it is measured.
    pub peers: Option<Peers>,
}
