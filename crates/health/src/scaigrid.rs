//! ScaiGrid: whether it is there. Asked without a credential; what callers may do there is found out by a
//! request of theirs ([`crate::siblings`]).

use bytes::Bytes;
use http::{Request, Uri};
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Deadline, Ports};
use scaigate_types::{BaseUrl, Clock, Outbound, OutboundError};

use crate::check::Check;
use crate::finding::{Finding, Severity};
use crate::list::Name;

const MAX_BODY: usize = 65_536;

/// ScaiGrid's own `GET /health`, which is open to everybody.
pub async fn check(ports: &impl Ports, base: &BaseUrl) -> Check {
    let mut check = Check::new("scaigrid");
    check.fact("scaigrid_base_url", base.as_str());
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = Uri::try_from(base.join("/health")).unwrap_or_default();
    let began = ports.clock().now();
    let limits = Deadline::start(ports.clock()).limits(ports.clock(), MAX_BODY);
    match ports.outbound().send(request, limits).await {
        Err(error) => check.find(Finding::of_problem(&unreachable(error), Severity::Error)),
        Ok(answer) => {
            let status = answer.status().as_u16();
            check.fact("status", status);
            if !answer.status().is_success() {
                check.find(Finding::new(Name::ScaigridUnhealthy).with("status", status));
            }
            check.took(ports.clock().now().since(began));
        }
    }
    check
}

fn unreachable(error: OutboundError) -> Problem {
    match error {
        OutboundError::Timeout => Problem::new(Code::ScaigridTimeout),
        OutboundError::Refused | OutboundError::Denied => Problem::new(Code::ScaigridUnreachable),
        OutboundError::Interrupted | OutboundError::TooLarge => {
            Problem::new(Code::ScaigridInvalidResponse).with("reason", error.to_string())
        }
    }
}
