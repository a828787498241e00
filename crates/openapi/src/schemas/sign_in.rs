//! Signing in and out.

use serde_json::json;

use super::Named;
use crate::operations::{nullable_role, workspace_role};
use crate::schema::{
    Schema, about, count, doubled, flag, list, maybe, named, object, text, uri, word,
};

/// `signin::config_document`, `callback::routes`, `signin::session_answer`, `signin::logout`.
pub(super) fn signing_in() -> Named {
    let fault = || object(&[("setting", text()), ("problem", text()), ("fix", text())]);
    let config: Vec<(&str, Schema)> = vec![
        ("auth_mode", word(&["scaikey", "dev_token"])),
        ("scaikey_base_url", maybe(uri())),
        ("client_id", maybe(text())),
        ("audience", maybe(text())),
        ("redirect_uri", maybe(uri())),
        (
            "scaiwave_auth_mode",
            maybe(word(&["scaikey", "mock", "hybrid"])),
        ),
    ];
    let data = [
        config.clone(),
        vec![
            ("issuer", maybe(uri())),
            ("authorization_endpoint", maybe(uri())),
            ("token_endpoint", maybe(uri())),
            ("scopes_supported", maybe(list(text()))),
        ],
    ];
    let more = vec![
        (
            "reason?",
            object(&[("code", named("Code")), ("faults", list(fault()))]),
        ),
        (
            "configuration?",
            object(&[("code", named("Code")), ("faults", list(fault()))]),
        ),
        (
            "discovery?",
            object(&[
                ("code", named("Code")),
                ("message", text()),
                ("fix", text()),
            ]),
        ),
        ("data", object(&data.concat())),
    ];
    let member = || {
        object(&[
            ("workspace_id", text()),
            ("name", text()),
            ("role", workspace_role()),
        ])
    };
    vec![
        ("AuthConfig", object(&[config, more].concat())),
        (
            "LoginBegun",
            object(&[
                ("authorize_url", uri()),
                ("state", text()),
                ("expires_in", count()),
                (
                    "warnings",
                    list(object(&[
                        ("code", text()),
                        ("host", text()),
                        ("public_url", text()),
                        ("fix", text()),
                    ])),
                ),
            ]),
        ),
        (
            "ScaiKeyTokens",
            doubled(&[
                ("access_token", text()),
                ("refresh_token", maybe(text())),
                ("id_token", maybe(text())),
                ("token_type", word(&["Bearer"])),
                ("expires_in", count()),
                ("refresh_after", count()),
                ("scope", maybe(text())),
            ]),
        ),
        ("Member", member()),
        (
            "Session",
            object(&[
                ("access_token", text()),
                ("token_type", word(&["Bearer"])),
                ("expires_in", count()),
                (
                    "refresh_after",
                    about(count(), "Seconds after which to refresh."),
                ),
                ("refresh_token", text()),
                (
                    "user",
                    object(&[
                        ("id", text()),
                        ("sub", text()),
                        ("email", maybe(text())),
                        ("name", maybe(text())),
                        ("admin_role", nullable_role()),
                    ]),
                ),
                ("tenant_id", text()),
                ("workspace", named("Member")),
            ]),
        ),
        (
            "WorkspaceChoice",
            object(&[
                ("requires_selection", json!({ "const": true })),
                ("workspaces", list(named("Member"))),
            ]),
        ),
        (
            "LoggedOut",
            object(&[
                ("logged_out", flag()),
                ("scaikey_revoked", flag()),
                ("end_session_url", maybe(uri())),
            ]),
        ),
        (
            "BackchannelLoggedOut",
            object(&[("logged_out", flag()), ("sessions_ended", count())]),
        ),
    ]
}
