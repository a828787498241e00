//! One function per method: parsed input in, one flow, its result as an answer.

use http::{Method, StatusCode};
use scaigate_limits::Category;
use scaigate_problem::{Code, Problem};
use scaigate_proxy::tenant_keys::{self, administrator, member};
use scaigate_runtime::spin::{SpinPorts, admit};
use scaigate_runtime::{Answer, Incoming, answer};
use scaigate_signin::{Principal, settings};

use crate::remembered::Remembered;

/// Where the component that judges the deployment asks for what seals the keys. No public route leads
/// there.
const SETTINGS: &str = "/internal/settings";

/// Whether keys can be sealed.
fn sealing(remembered: &Remembered) -> Result<Answer, Problem> {
    let keys = remembered.keys.as_ref();
    keys.map_err(|faults| settings::problem(faults))?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// Answers the request.
pub async fn route(
    ports: &SpinPorts,
    remembered: &Remembered,
    incoming: &Incoming,
) -> Result<Answer, Problem> {
    if incoming.path == SETTINGS {
        return sealing(remembered);
    }
    if incoming.path != "/v1/tenants/me/scaigrid_credentials" {
        return Err(Problem::new(Code::NotFound));
    }
    let is_read = incoming.method == Method::GET;
    if !is_read && incoming.method != Method::POST {
        incoming.require(&Method::DELETE, "GET, POST, DELETE")?;
    }
    let principal = remembered.callers.principal(ports, incoming).await?;
    let category = if is_read {
        Category::Lookup
    } else {
        Category::Admin
    };
    admit(ports, incoming, &remembered.limits, category, &principal).await?;
    done(ports, remembered, incoming, principal).await
}

async fn done(
    ports: &SpinPorts,
    remembered: &Remembered,
    incoming: &Incoming,
    principal: Principal,
) -> Result<Answer, Problem> {
    let keys = remembered.keys.as_ref().map_err(Vec::as_slice);
    let nothing = || answer::empty(StatusCode::NO_CONTENT);
    if incoming.method == Method::GET {
        let member = member(&principal)?;
        let configured = remembered.base_url.as_ref().map_err(Clone::clone)?;
        let status = tenant_keys::status(ports, keys, configured, &member).await?;
        let body = serde_json::to_string(&status).map_err(|_| Problem::new(Code::Internal))?;
        return Ok(answer::json_text(body));
    }
    let administrator = administrator(principal)?;
    if incoming.method == Method::DELETE {
        tenant_keys::remove(ports, &administrator).await?;
        return Ok(nothing());
    }
    incoming.require_json()?;
    let configured = remembered.base_url.as_ref().map_err(Clone::clone)?;
    tenant_keys::set(ports, keys, configured, &administrator, &incoming.body).await?;
    Ok(nothing())
}
