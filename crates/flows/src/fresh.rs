//! New identifiers.

use scaigate_problem::{Code, Problem};
use scaigate_signin::Ports;
use scaigate_types::encoding::base64url;
use scaigate_types::{Entropy, FlowId};

/// An identifier nobody can guess.
pub(crate) fn id(ports: &impl Ports, prefix: &str) -> String {
    format!("{prefix}_{}", base64url(&ports.entropy().bytes::<16>()))
}

pub(crate) fn flow_id(ports: &impl Ports) -> Result<FlowId, Problem> {
    FlowId::parse(&id(ports, "flow")).map_err(|_| Problem::new(Code::Internal))
}
