//! Who the caller is.

use super::Named;
use crate::operations::{nullable_role, workspace_role};
use crate::schema::{
    about, any_object, count, doubled, flag, list, maybe, named, object, text, time, uri, word,
};

/// `session::view`.
pub(super) fn callers() -> Named {
    let credential = || word(&["session", "access_token", "mock", "dev_headers"]);
    let me = [
        ("sub", text()),
        ("iss", text()),
        ("tenant_id", text()),
        ("email", maybe(text())),
        ("name", maybe(text())),
        ("admin_role", nullable_role()),
        ("person_id", maybe(text())),
        ("participant_id", maybe(text())),
        ("local_id", text()),
        ("fqid", text()),
        ("display_name", text()),
        ("avatar_url", maybe(uri())),
        ("bio", maybe(text())),
        ("personal_workspace_id", maybe(text())),
        ("roles", list(text())),
        ("groups", list(text())),
        ("presence", text()),
        (
            "tenant",
            object(&[
                ("id", text()),
                ("slug", maybe(text())),
                ("name", maybe(text())),
                ("features", any_object()),
            ]),
        ),
        (
            "workspace",
            maybe(object(&[
                ("workspace_id", text()),
                ("role", workspace_role()),
            ])),
        ),
        (
            "session",
            maybe(object(&[("sid", text()), ("expires_at", maybe(count()))])),
        ),
        ("credential", credential()),
    ];
    vec![
        ("Me", doubled(&me)),
        (
            "MyWorkspaces",
            doubled(&[
                ("workspaces", list(named("Member"))),
                ("current_workspace_id", maybe(text())),
            ]),
        ),
        (
            "Identity",
            object(&[
                ("identity_id", text()),
                ("identity_type", word(&["user", "dev", "service_account"])),
                ("display_name", maybe(text())),
                ("tenant_id", maybe(text())),
                ("partner_id", maybe(text())),
                ("scopes", list(text())),
                ("permissions", list(text())),
                ("groups", list(text())),
                ("roles", list(text())),
                ("mfa_verified_at", maybe(time())),
                ("token_expires_at", maybe(time())),
                ("sub", text()),
                ("iss", text()),
                ("credential", credential()),
                ("registered?", about(flag(), "Of a person.")),
                ("workspace_id?", maybe(text())),
                ("workspace_role?", maybe(workspace_role())),
                ("platform_token?", about(flag(), "Of a service.")),
            ]),
        ),
        (
            "Workspace",
            doubled(&[
                ("workspace_id", text()),
                ("tenant_id", text()),
                ("name", text()),
                ("description", maybe(text())),
                ("kind", word(&["default", "personal", "shared"])),
                ("role", workspace_role()),
                ("member_count", count()),
                ("created_at", time()),
                ("updated_at", maybe(time())),
            ]),
        ),
        (
            "Registered",
            doubled(&[
                ("participant_id", text()),
                ("tenant_id", text()),
                ("display_name", text()),
                ("email", maybe(text())),
                ("personal_workspace_id", text()),
                ("created", flag()),
            ]),
        ),
    ]
}
