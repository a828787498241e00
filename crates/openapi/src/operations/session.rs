//! `session`: who the caller is.

use scaigate_problem::Code::*;

use crate::Operation;
use crate::schema::{maybe, named, object, text};

fn session(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation::new("session", method, path, id, summary).bearer()
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        session("GET", "/v1/me", "me", "Who the caller is")
            .fails(&[UserRequired])
            .json(
                200,
                "The person, its tenant, workspace and session.",
                named("Me"),
            ),
        session(
            "GET",
            "/v1/me/workspaces",
            "myWorkspaces",
            "The caller's workspaces",
        )
        .fails(&[UserRequired])
        .json(
            200,
            "All of them, and which the token is for.",
            named("MyWorkspaces"),
        ),
        session(
            "GET",
            "/v1/auth/whoami",
            "whoami",
            "Who a token is, also a service's",
        )
        .json(200, "The identity behind the token.", named("Identity")),
        session(
            "POST",
            "/v1/auth/register",
            "register",
            "Make the caller's personal workspace",
        )
        .about("A body is not read. Calling it again changes nothing.")
        .fails(&[UserRequired])
        .json(
            200,
            "The person, and whether it is new.",
            named("Registered"),
        ),
        session(
            "GET",
            "/v1/workspace",
            "workspace",
            "The workspace the token is for",
        )
        .fails(&[UserRequired, WorkspaceNotFound, WorkspaceForbidden])
        .json(200, "The workspace.", named("Workspace")),
        session(
            "PATCH",
            "/v1/workspace",
            "changeWorkspace",
            "Rename or describe the workspace",
        )
        .about("A member that is missing stays; a description of `null` is removed.")
        .json_body(object(&[
            ("name?", maybe(text())),
            ("description?", maybe(text())),
        ]))
        .fails(&[UserRequired, WorkspaceNotFound, WorkspaceForbidden])
        .json(200, "The workspace as it is now.", named("Workspace")),
    ]
}
