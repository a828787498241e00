//! One function per route.

use std::rc::Rc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, header};
use scaigate_directory::admin_scope;
use scaigate_health::{Asked, detailed, own, ready, within};
use scaigate_limits::Category;
use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::{SpinPorts, admit, note_read_after_answer};
use scaigate_runtime::{Answer, Incoming, answer};
use scaigate_signin::Ports;
use scaigate_types::Clock;
use serde_json::json;

use crate::remembered::Remembered;

/// How long it may take to know who asks: a store that hangs is told of, not waited for.
const PATIENCE: Duration = Duration::from_secs(9);
const VERSION: &str = env!("CARGO_PKG_VERSION");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Answers the request.
pub async fn route(
    ports: &SpinPorts,
    remembered: Result<Rc<Remembered>, Problem>,
    incoming: &Incoming,
) -> Result<Answer, Problem> {
    let path = incoming.path.as_str();
    if !matches!(
        path,
        "/v1/health" | "/v1/health/ready" | "/v1/health/detailed"
    ) {
        return Err(Problem::new(Code::NotFound));
    }
    incoming.require(&Method::GET, "GET")?;
    match path {
        // Touches nothing, not even the settings: whoever asks this restarts what does not answer.
        "/v1/health" => Ok(answer::json(
            &json!({ "status": "alive", "version": VERSION }),
        )),
        "/v1/health/ready" => readiness(ports, &*remembered?).await,
        _ => {
            let remembered = remembered?;
            let report = report(ports, &remembered, incoming).await?;
            note_read_after_answer(incoming, "/v1/health/detailed");
            Ok(report)
        }
    }
}

async fn readiness(ports: &SpinPorts, remembered: &Remembered) -> Result<Answer, Problem> {
    let now = ports.clock().now();
    let outcome = match remembered.ready(now) {
        Some(outcome) => outcome,
        None => {
            let outcome = ready(ports, &remembered.judged).await;
            remembered.keep_ready(ports.clock().now(), &outcome);
            outcome
        }
    };
    outcome?;
    Ok(answer::json(
        &json!({ "status": "ready", "version": VERSION }),
    ))
}

/// The caller, who must be an operator.
async fn operator(
    ports: &SpinPorts,
    remembered: &Remembered,
    incoming: &Incoming,
) -> Result<(), Problem> {
    // Every fault of every setting, not only of those by which callers are known.
    let callers = remembered.callers.as_ref();
    let callers = callers.map_err(|_| remembered.judged.problem())?;
    let principal = callers.principal(ports, incoming).await?;
    admit(
        ports,
        incoming,
        &remembered.limits,
        Category::Admin,
        &principal,
    )
    .await?;
    admin_scope::platform(&principal).map(drop)
}

async fn report(
    ports: &SpinPorts,
    remembered: &Remembered,
    incoming: &Incoming,
) -> Result<Answer, Problem> {
    let operator = operator(ports, remembered, incoming);
    let known = within(ports.clock(), PATIENCE, operator).await;
    known.unwrap_or_else(|| {
        Err(Problem::new(Code::StoreUnavailable)
            .with("reason", "nothing that knows the caller answered in time")
            .with_fix(
                "GET /v1/health/ready says which store does not answer; look at what it runs on.",
            ))
    })?;
    let judged = &remembered.judged;
    let report = match remembered.report(ports.clock().now()) {
        Some(report) => report,
        None => {
            let report = detailed(ports, judged).await;
            remembered.keep_report(&report);
            report
        }
    };
    let asked = Asked {
        host: incoming.header(header::HOST),
        headers: &incoming.headers,
    };
    let report = report.with(own(ports, judged, &asked).await);
    let mut answer = answer::json(&report.json(VERSION));
    if let Ok(timing) = HeaderValue::from_str(&report.server_timing()) {
        answer.headers_mut().insert(SERVER_TIMING, timing);
    }
    Ok(answer)
}
