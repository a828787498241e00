//! The mirror of the directory, and syncs.

use serde_json::json;

use super::Named;
use crate::operations::admin_role;
use crate::schema::{
    Schema, any_object, count, flag, list, maybe, named, object, text, time, word,
};

fn page(of: &'static str, row: &'static str, more: &[(&'static str, Schema)]) -> Schema {
    let mut members = vec![
        (of, list(named(row))),
        ("total", count()),
        ("page", count()),
        ("per_page", count()),
    ];
    members.extend_from_slice(more);
    object(&members)
}

/// `kv::directory::listing`, `change_log` and `webhook_delivery`, `directory::why`.
pub(super) fn directory() -> Named {
    vec![
        (
            "User",
            object(&[
                ("id", text()),
                ("tenant_id", text()),
                ("email", maybe(text())),
                ("display_name", maybe(text())),
                ("status", text()),
                ("admin_role", maybe(admin_role())),
                ("admin_role_source", maybe(text())),
                ("deleted_at", maybe(time())),
                ("last_synced_at", maybe(time())),
            ]),
        ),
        ("Users", page("users", "User", &[])),
        ("Members", page("members", "User", &[])),
        (
            "Group",
            object(&[
                ("id", text()),
                ("tenant_id", text()),
                ("name", maybe(text())),
                ("group_type", maybe(text())),
                ("member_count", count()),
                ("deleted_at", maybe(time())),
                ("last_synced_at", maybe(time())),
            ]),
        ),
        ("Groups", page("groups", "Group", &[])),
        ("TenantFlows", page("flows", "TenantFlow", &[])),
        (
            "Why",
            object(&[(
                "why",
                object(&[
                    ("email", text()),
                    (
                        "findings",
                        list(object(&[
                            ("code", text()),
                            ("message", text()),
                            ("fix", text()),
                            ("user_id", maybe(text())),
                            ("tenant_id", maybe(text())),
                        ])),
                    ),
                    ("last_sync_at", maybe(time())),
                    ("users_method", maybe(text())),
                ]),
            )]),
        ),
        (
            "Change",
            object(&[
                ("cursor", count()),
                ("at", time()),
                ("entity", text()),
                ("action", text()),
                ("tenant_id", maybe(text())),
                ("id", text()),
                ("group_id", maybe(text())),
                ("fields", list(text())),
                ("cause", object(&[("type", text()), ("id", maybe(text()))])),
            ]),
        ),
        (
            "Changes",
            object(&[
                ("changes", list(named("Change"))),
                ("next_cursor", count()),
                ("has_more", flag()),
            ]),
        ),
        (
            "Delivery",
            object(&[
                ("received_at", time()),
                ("event_id", maybe(text())),
                ("event_type", maybe(text())),
                ("tenant_id", maybe(text())),
                (
                    "outcome",
                    word(&["applied", "ignored", "stale", "duplicate", "refused"]),
                ),
                ("code", maybe(named("Code"))),
                ("count", count()),
            ]),
        ),
        (
            "Deliveries",
            page(
                "deliveries",
                "Delivery",
                &[
                    ("last_received_at", maybe(time())),
                    ("last_refused_at", maybe(time())),
                ],
            ),
        ),
    ]
}

/// `directory::sync::report` and `sync::view`.
pub(super) fn sync() -> Named {
    const COUNTS: [&str; 14] = [
        "users_seen",
        "users_added",
        "users_undeleted",
        "users_soft_deleted",
        "groups_seen",
        "groups_added",
        "groups_undeleted",
        "groups_soft_deleted",
        "memberships_seen",
        "memberships_added",
        "memberships_soft_deleted",
        "super_admin_count",
        "super_admins_group_promoted",
        "super_admins_group_demoted",
    ];
    let mut statistics = vec![
        ("skipped_reason", maybe(text())),
        (
            "users_method",
            maybe(word(&["effective_users", "member_walk"])),
        ),
    ];
    statistics.extend(COUNTS.map(|name| (name, count())));
    statistics.push((
        "duration_seconds",
        json!({ "type": "number", "minimum": 0 }),
    ));
    let mut report = vec![("sync_id", maybe(count()))];
    report.extend(statistics.clone());
    report.push(("warnings", list(named("Warning"))));
    let run = |more: Named| {
        let mut members = vec![
            ("sync_id", count()),
            ("trigger", text()),
            ("started_at", time()),
        ];
        members.extend(more);
        maybe(object(&members))
    };
    vec![
        (
            "Warning",
            object(&[("code", text()), ("message", text()), ("fix", text())]),
        ),
        ("SyncReport", object(&report)),
        (
            "SyncState",
            object(&[
                (
                    "running",
                    run(vec![
                        ("phase", text()),
                        ("users_seen", count()),
                        ("groups_seen", count()),
                        ("memberships_seen", count()),
                    ]),
                ),
                (
                    "last",
                    run(vec![
                        ("finished_at", maybe(time())),
                        ("outcome", maybe(text())),
                        ("code", maybe(named("Code"))),
                        ("details", maybe(any_object())),
                        ("statistics", maybe(object(&statistics))),
                        ("warnings", list(named("Warning"))),
                    ]),
                ),
                ("due_at", maybe(time())),
            ]),
        ),
    ]
}
