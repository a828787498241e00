//! What a component writes about a request (`docs/operate.md`).

use http::Request;
use scaigate_e2e::World;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_line_says_what_was_asked_what_came_of_it_and_in_which_trace() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const CODE: &str = "a-session-code-that-nobody-gave-out";
    let world = World::start().await;
    for (traceparent, trace_id) in [
        (
            Some(format!("00-{TRACE}-00f067aa0ba902b7-01")),
            json!(TRACE),
        ),
        (Some(format!("00-{TRACE}-00f067aa0ba902b7")), Value::Null),
        (None, Value::Null),
    ] {
        let mut request = Request::post(format!("/v1/auth/token?{CODE}=1"))
            .header("content-type", "application/json");
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        let body = json!({ "session_code": CODE }).to_string().into();
        let request = request.body(body).expect("a request");
        let answer = world.client.send(request).await;
        let id = answer.header("x-request-id");
        let lines = world.logs.lines();
        let mut lines = lines.iter().filter(|line| line.line.contains(id));
        let line = &lines.next().expect("a line").line;
        assert!(lines.next().is_none(), "one line for a request");
        assert!(!line.contains(CODE), "{line}");
        let mut line: Value = serde_json::from_str(line).expect("JSON");
        assert!(line["ms"].take().is_u64(), "{line}");
        let expected = json!({
            "component": "callback",
            "method": "POST",
            "path": "/v1/auth/token",
            "status": answer.status.as_u16(),
            "code": answer.code(),
            "fault": "client",
            "request_id": id,
            "trace_id": trace_id,
            "dev_headers": false,
            "ms": null,
        });
        assert_eq!(line, expected);
    }
}
