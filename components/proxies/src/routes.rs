//! A request becomes one flow, and its result an answer.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use scaigate_limits::Category;
use scaigate_problem::Problem;
use scaigate_proxy::{Call, Caller, Served, read, serve};
use scaigate_runtime::Incoming;
use scaigate_runtime::spin::{Arriving, SpinPorts, StreamAnswer, StreamBody, admit};
use scaigate_signin::authenticate::bearer;

use crate::remembered::Remembered;

/// Answers the request.
pub async fn route(
    ports: &SpinPorts,
    remembered: &Remembered,
    incoming: &Incoming,
    body: Arriving,
) -> Result<StreamAnswer, Problem> {
    let path = read(&incoming.method, &incoming.target())?;
    let principal = remembered.callers.principal(ports, incoming).await?;
    let category = if path.route().is_read() {
        Category::Lookup
    } else {
        Category::Inference
    };
    admit(ports, incoming, &remembered.limits, category, &principal).await?;
    let call = Call {
        path,
        headers: &incoming.headers,
        caller: Caller {
            principal: &principal,
            bearer: bearer(&incoming.headers).ok(),
        },
        request_id: incoming.request_id(),
    };
    passed(ports, remembered, call, body).await
}

async fn passed(
    ports: &SpinPorts,
    remembered: &Remembered,
    call: Call<'_>,
    body: Arriving,
) -> Result<StreamAnswer, Problem> {
    let settings = remembered.settings.as_ref().map_err(Clone::clone)?;
    Ok(match serve(ports, settings, call, body).await? {
        Served::Listed(listed) => {
            let mut answer = Response::new(StreamBody::Whole(listed.body.into()));
            *answer.headers_mut() = listed.headers.as_map().clone();
            let json = HeaderValue::from_static("application/json");
            answer.headers_mut().insert(CONTENT_TYPE, json);
            answer
        }
        Served::Passed(passed) => {
            let mut answer = Response::new(StreamBody::Pieces(Box::pin(passed.body)));
            *answer.status_mut() = passed.status;
            *answer.headers_mut() = passed.headers.as_map().clone();
            answer
        }
    })
}
