//! `api`: this description itself.

use crate::Operation;
use crate::schema::any_object;

fn page(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("api", "GET", path, id, summary)
        .page()
        .header("if-none-match", false, "The `ETag` of an earlier answer.")
        .answers(304, "It is still the same.", None, None, &["etag"])
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        page("/openapi.json", "openapi", "This description").answers(
            200,
            "OpenAPI 3.1.",
            Some("application/json"),
            Some(any_object()),
            &["etag"],
        ),
        page("/docs", "docs", "This description, to read").answers(
            200,
            "A page that needs no script and no network.",
            Some("text/html; charset=utf-8"),
            None,
            &["etag"],
        ),
        page(
            "/docs/errors",
            "errorReference",
            "Every failure with its fix, to read",
        )
        .answers(
            200,
            "A page; `type` of a failure is an address in it.",
            Some("text/html; charset=utf-8"),
            None,
            &["etag"],
        ),
        page("/docs/style.css", "docsStyle", "How the two pages look").answers(
            200,
            "A style sheet.",
            Some("text/css; charset=utf-8"),
            None,
            &["etag"],
        ),
    ]
}
