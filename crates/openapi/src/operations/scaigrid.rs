//! `tenants` and `proxies`: ScaiGrid on behalf of a tenant.

use scaigate_problem::Code::*;

use crate::codes::SCAIGRID;
use crate::schema::{any, bounded, flag, list, maybe, named, number, object, open, text, uri};
use crate::{Operation, Schema};

const KEY: &str = "/v1/tenants/me/scaigrid_credentials";

fn key(method: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("tenants", method, KEY, id, summary)
        .bearer()
        .limited()
        .fails(&[UserRequired, ScaigridNotConfigured])
}

fn proxy(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation::new("proxies", method, path, id, summary)
        .bearer()
        .limited()
        .fails(SCAIGRID)
}

fn lookup(path: &'static str, id: &'static str, summary: &'static str, row: Schema) -> Operation {
    proxy("GET", path, id, summary)
        .query(
            "cursor",
            bounded(0, 1024),
            "Where a page begins; without it and `limit`, all pages are read.",
        )
        .query("limit", number(1, 1000, 50), "Rows of a page.")
        .json(
            200,
            "In ScaiFlow's form.",
            object(&[("data", list(row)), ("next_cursor?", text())]),
        )
}

fn passed(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    proxy("GET", path, id, summary)
        .about("Passes through: status, content type and body are ScaiGrid's.")
        .answers(200, "ScaiGrid's answer.", Some("*/*"), None, &[])
        .answers(202, "ScaiGrid's answer.", Some("*/*"), None, &[])
        .answers(204, "ScaiGrid's answer.", None, None, &[])
        .answers(304, "ScaiGrid's answer.", None, None, &[])
}

fn call(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    let mut operation = passed(path, id, summary);
    operation.method = "POST";
    operation
        .about("Only where `scaigrid_allowed_posts` names it. Passes through, as a stream where ScaiGrid streams.")
        .header("idempotency-key", false, "Handed on to ScaiGrid.")
        .takes(&["application/json"], true, any())
        .fails(&[PayloadTooLarge, OriginNotAllowed])
        .answers(201, "ScaiGrid's answer.", Some("*/*"), None, &[])
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        key(
            "GET",
            "keyStatus",
            "Whether the tenant has a key for ScaiGrid",
        )
        .fails(&[TenantClaimMissing])
        .json(
            200,
            "Eight characters of it at most.",
            object(&[
                ("configured", flag()),
                ("base_url", maybe(uri())),
                ("masked_key", maybe(text())),
            ]),
        ),
        key(
            "POST",
            "setKey",
            "Set or replace the tenant's key for ScaiGrid",
        )
        .json_body(open(&[("api_key", text()), ("base_url?", maybe(uri()))]))
        .fails(&[AdminRoleRequired, InsufficientScope, TenantClaimMissing])
        .empty(204, "Kept, sealed."),
        key(
            "DELETE",
            "removeKey",
            "Remove the tenant's key for ScaiGrid",
        )
        .fails(&[AdminRoleRequired, InsufficientScope, TenantClaimMissing])
        .empty(204, "Removed, if there was one."),
        lookup(
            "/v1/scaigrid/models",
            "models",
            "The models",
            named("Model"),
        ),
        lookup(
            "/v1/scaiqueue/scopes",
            "queueScopes",
            "The scopes of ScaiQueue",
            named("QueueScope"),
        ),
        lookup(
            "/v1/scaiqueue/scopes/{scope_id}/queues",
            "queues",
            "The queues of a scope",
            named("Queue"),
        ),
        lookup(
            "/v1/scaibunker/bunkers",
            "bunkers",
            "The bunkers that run or are persistent",
            named("Bunker"),
        ),
        passed("/v1/scaigrid/models/{slug}", "model", "One model").rest(),
        passed(
            "/v1/scaigrid/modules",
            "gridModules",
            "The modules of the tenant",
        ),
        passed(
            "/v1/scaiqueue/{path}",
            "readQueue",
            "Anything else that ScaiQueue lets one read",
        )
        .rest(),
        passed(
            "/v1/scaibunker/{path}",
            "readBunker",
            "Anything else that ScaiBunker lets one read",
        )
        .rest(),
        passed(
            "/v1/scaicore/{path}",
            "readCore",
            "Anything that ScaiCore lets one read",
        )
        .rest(),
        call("/v1/scaigrid/inference/chat", "chat", "Call a model"),
        call(
            "/v1/scaigrid/inference/generate",
            "generate",
            "Call a model for text",
        ),
        call(
            "/v1/scaigrid/inference/embed",
            "embed",
            "Call a model for embeddings",
        ),
        call(
            "/v1/scaigrid/inference/images/generate",
            "generateImage",
            "Call a model for images",
        ),
        call(
            "/v1/scaicore/cores/{core_id}/invoke",
            "invokeCore",
            "Call a deployed core",
        ),
        call(
            "/v1/scaicore/checkpoints/{checkpoint_id}/resolve",
            "resolveCheckpoint",
            "Answer a checkpoint that waits for a person",
        ),
    ]
}
