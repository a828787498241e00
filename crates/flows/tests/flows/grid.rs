//! A ScaiGrid that gives the answers of a script, and records what it was asked.

use std::cell::RefCell;
use std::collections::VecDeque;

use bytes::Bytes;
use http::StatusCode;
use scaigate_flows::deploy::{Grid, GridAnswer, GridCall, GridFailure};
use scaigate_problem::{Code, Problem};
use serde_json::{Value, json};

#[derive(Default)]
pub struct Script {
    answers: RefCell<VecDeque<Result<GridAnswer, GridFailure>>>,
    /// Method, target and body of every call.
    pub calls: RefCell<Vec<(String, Value)>>,
}

impl Script {
    pub fn of(answers: Vec<Result<GridAnswer, GridFailure>>) -> Self {
        Self {
            answers: RefCell::new(answers.into()),
            calls: RefCell::default(),
        }
    }

    pub fn targets(&self) -> Vec<String> {
        self.calls
            .borrow()
            .iter()
            .map(|(call, _)| call.clone())
            .collect()
    }
}

impl Grid for Script {
    async fn call(&self, call: GridCall<'_>) -> Result<GridAnswer, GridFailure> {
        let body = serde_json::from_slice(&call.body()).unwrap_or(Value::Null);
        let cursor = call
            .cursor()
            .map(|cursor| format!("?cursor={}", cursor.as_str()));
        let (path, cursor) = (call.segments().join("/"), cursor.unwrap_or_default());
        let line = format!("{} /{path}{cursor}", call.method());
        self.calls.borrow_mut().push((line, body));
        let next = self.answers.borrow_mut().pop_front();
        next.expect("a call that the script does not know")
    }
}

pub fn answer(status: u16, body: &Value) -> Result<GridAnswer, GridFailure> {
    let code = match status {
        401 => Code::ScaigridTokenRefused,
        403 => Code::ScaigridForbidden,
        409 => Code::ScaigridConflict,
        400 | 422 => Code::ScaigridRejected,
        _ => Code::ScaigridUnavailable,
    };
    let status = StatusCode::from_u16(status).unwrap();
    Ok(GridAnswer {
        status,
        body: Bytes::from(body.to_string()),
        refusal: (!status.is_success()).then(|| Problem::new(code).with("source", "tenant_key")),
    })
}

pub fn error(status: u16, code: &str, message: &str) -> Result<GridAnswer, GridFailure> {
    answer(
        status,
        &json!({ "status": "error", "error": { "code": code, "message": message } }),
    )
}

pub fn core() -> Result<GridAnswer, GridFailure> {
    answer(
        201,
        &json!({ "data": { "id": "core_1", "name": "expense" } }),
    )
}

pub fn list(rows: &Value) -> Result<GridAnswer, GridFailure> {
    answer(
        200,
        &json!({ "data": rows, "has_more": false, "next_cursor": null }),
    )
}
