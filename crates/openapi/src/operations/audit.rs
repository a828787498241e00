//! `audit`: who did what.

use crate::Operation;
use crate::codes::ADMINISTRATOR;
use crate::schema::{bounded, count, named, number, time};

fn admin(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("audit", "GET", path, id, summary)
        .bearer()
        .limited()
        .fails(ADMINISTRATOR)
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        admin("/v1/admin/audit", "audit", "Who did what, newest first")
            .query("actor", bounded(0, 256), "By whom.")
            .query(
                "action",
                bounded(0, 256),
                "What was done; `role` is all that begins with `role.`.",
            )
            .query("target", bounded(0, 256), "To whom or what.")
            .query(
                "tenant_id",
                bounded(1, 128),
                "In this tenant; a tenant administrator's is its own, whatever is asked for.",
            )
            .query("outcome", bounded(0, 256), "With this outcome.")
            .query("request_id", bounded(0, 256), "By this request.")
            .query("since", time(), "Not before this time.")
            .query("until", time(), "Before this time.")
            .query("cursor", count(), "Beyond this row.")
            .query(
                "limit",
                number(1, 1000, 100),
                "How many rows at most; 5000 of an export.",
            )
            .json(200, "A page, newest first.", named("AuditPage"))
            .answers(
                200,
                "With `Accept: application/x-ndjson`: a row a line, oldest first.",
                Some("application/x-ndjson"),
                None,
                &["x-next-cursor"],
            ),
        admin(
            "/v1/admin/audit/chain",
            "auditChain",
            "What confirms the audit log",
        )
        .json(
            200,
            "The last seal, and what is not sealed yet.",
            named("AuditChain"),
        ),
    ]
}
