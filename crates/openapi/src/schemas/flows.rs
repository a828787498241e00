//! Flows, the catalog, and ScaiGrid's lists.

use super::Named;
use crate::schema::{any, count, flag, list, maybe, named, object, open, text, time, word};

/// `kv::flow`, `kv::catalog` and `flows::preview`.
pub(super) fn flows() -> Named {
    let summary = [
        ("id", text()),
        ("name", text()),
        ("description", maybe(text())),
        ("owner_id", text()),
        ("tenant_id", text()),
        ("version", text()),
        ("created_at", time()),
        ("updated_at", time()),
    ];
    let mut flow = summary.to_vec();
    flow.push(("content", any()));
    let mut of_tenant = summary.to_vec();
    of_tenant.push(("deleted_at", maybe(time())));
    let items = |row| object(&[("items", list(row)), ("total", count())]);
    vec![
        ("FlowSummary", object(&summary)),
        ("Flow", object(&flow)),
        ("Flows", items(named("FlowSummary"))),
        ("TenantFlow", object(&of_tenant)),
        (
            "FlowVersions",
            items(object(&[
                ("version", text()),
                ("created_by", text()),
                ("created_at", time()),
                ("size_bytes", count()),
            ])),
        ),
        (
            "FlowVersion",
            object(&[("id", text()), ("version", text()), ("content", any())]),
        ),
        (
            "FlowDeployments",
            items(object(&[
                ("id", text()),
                ("flow_id", text()),
                ("version", text()),
                ("status", text()),
                ("error", maybe(named("Code"))),
                ("core_id", maybe(text())),
                ("published_slug", maybe(text())),
                ("deployed_by", text()),
                ("created_at", time()),
                ("finished_at", maybe(time())),
            ])),
        ),
        (
            "FlowAcl",
            object(&[
                ("id", text()),
                ("flow_id", text()),
                ("principal_type", word(&["user", "group"])),
                ("principal_id", text()),
                ("level", word(&["view", "edit", "deploy", "admin"])),
                ("granted_by", text()),
                ("granted_at", time()),
            ]),
        ),
        (
            "Validation",
            object(&[
                ("valid", flag()),
                (
                    "diagnostics",
                    list(object(&[
                        ("severity", text()),
                        ("message", text()),
                        ("path", maybe(text())),
                        ("node_id", maybe(text())),
                        ("edge_id", maybe(text())),
                    ])),
                ),
            ]),
        ),
        (
            "Package",
            object(&[
                ("package_id", text()),
                ("name", text()),
                ("description", maybe(text())),
                ("version", text()),
                ("author_id", text()),
                ("author_email", maybe(text())),
                ("tenant_id", text()),
                ("visibility", word(&["tenant", "groups"])),
                ("visibility_group_ids", list(text())),
                ("created_at", time()),
                ("updated_at", time()),
            ]),
        ),
    ]
}

/// `scaigrid::lookup`.
pub(super) fn scaigrid() -> Named {
    vec![
        (
            "Model",
            object(&[
                ("slug", text()),
                ("display_name", text()),
                ("modality", maybe(text())),
                ("context_window", maybe(count())),
                ("max_output_tokens?", count()),
            ]),
        ),
        (
            "QueueScope",
            object(&[
                ("id", text()),
                ("slug", text()),
                ("display_name", text()),
                ("description", maybe(text())),
            ]),
        ),
        (
            "Queue",
            object(&[
                ("id", text()),
                ("scope_id", text()),
                ("slug", text()),
                ("display_name", text()),
                (
                    "consumer_mode",
                    maybe(word(&["fifo", "priority", "deadline", "broadcast"])),
                ),
                ("max_retries", maybe(count())),
            ]),
        ),
        (
            "Bunker",
            open(&[
                ("bunker_id", text()),
                ("image_ref", maybe(text())),
                ("lifecycle", maybe(text())),
                ("status", maybe(text())),
            ]),
        ),
    ]
}
