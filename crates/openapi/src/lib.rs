//! Every route described once: `/openapi.json`, the readable page at `/docs` and the error
//! reference at `/docs/errors` are made of it.
//!
//! Nothing of it runs in a component: what is made is checked in below `components/api/served`, and a
//! test compares. What makes it true are the end-to-end tests: their client holds every answer against
//! the description, and objects are closed, so a member too much or too little fails.

mod codes;
mod document;
mod operation;
mod operations;
mod page;
mod schema;
mod schemas;

pub use document::{document, responses};
pub use operation::{Answer, Body, Caller, Operation, Parameter, Place};
pub use operations::{described, find, operations};
pub use page::{docs, errors};
pub use schema::Schema;

/// The files that the component `api` serves: name, and text.
#[must_use]
pub fn served() -> Vec<(&'static str, String)> {
    vec![
        ("openapi.json", document::text(&document())),
        ("docs.html", docs()),
        ("errors.html", errors()),
    ]
}
