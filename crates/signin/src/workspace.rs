//! The caller's workspace (`GET` and `PATCH /v1/workspace`).

use scaigate_kv::people::{self, Update, Workspace};
use scaigate_problem::{Code, Problem};
use scaigate_types::{Clock, PersonId, WorkspaceId};

use crate::failure;
use crate::ports::Ports;
use crate::principal::User;

/// Longest name, in characters.
pub const MAX_NAME: usize = 100;
/// Longest description, in characters.
pub const MAX_DESCRIPTION: usize = 1000;

/// What is to be changed; what is `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change<'a> {
    /// The name.
    pub name: Option<&'a str>,
    /// The description, or `Some(None)` for none.
    pub description: Option<Option<&'a str>>,
}

fn not_found() -> Problem {
    Problem::new(Code::WorkspaceNotFound).with_sw_code("SW_WORKSPACE_NOT_FOUND")
}

/// The workspace that the session is in; for an access token, which names none, the first of the
/// person's.
async fn current_id<'u>(
    ports: &impl Ports,
    user: &'u User,
) -> Result<(&'u PersonId, WorkspaceId), Problem> {
    let person_id = user.person_id.as_ref().ok_or_else(not_found)?;
    if let Some((workspace_id, _)) = &user.workspace {
        return Ok((person_id, workspace_id.clone()));
    }
    let workspaces = people::workspaces(ports.db(), person_id, &user.tenant_id)
        .await
        .map_err(failure::database)?;
    let first = workspaces.into_iter().next().ok_or_else(not_found)?;
    Ok((person_id, first.workspace_id))
}

/// The caller's workspace, as it is now.
///
/// # Errors
/// [`Code::WorkspaceNotFound`] when the caller is no member (any more), or the database does not
/// answer.
pub async fn current(ports: &impl Ports, user: &User) -> Result<Workspace, Problem> {
    let (person_id, id) = current_id(ports, user).await?;
    people::workspace(ports.db(), person_id, &id, &user.tenant_id)
        .await
        .map_err(failure::database)?
        .ok_or_else(not_found)
}

/// Changes it. Only its `admin` may, whatever the token says: the database is asked.
///
/// # Errors
/// [`Code::InvalidRequest`], [`Code::WorkspaceForbidden`], [`Code::WorkspaceNotFound`], or the
/// database does not answer.
pub async fn change(
    ports: &impl Ports,
    user: &User,
    change: Change<'_>,
) -> Result<Workspace, Problem> {
    let name = change.name.map(|name| text("name", name, MAX_NAME));
    let name = name.transpose()?;
    if name.is_some_and(str::is_empty) {
        return Err(Problem::invalid_field("name", "empty"));
    }
    let description = match change.description {
        None => None,
        Some(None) => Some(None),
        Some(Some(description)) => {
            let description = text("description", description, MAX_DESCRIPTION)?;
            Some(Some(description).filter(|text| !text.is_empty()))
        }
    };
    if name.is_none() && description.is_none() {
        return Err(Problem::invalid_field(
            "body",
            "neither name nor description",
        ));
    }
    let (person_id, id) = current_id(ports, user).await?;
    let now = ports.clock().now();
    let tenant_id = &user.tenant_id;
    let update = people::update_workspace(
        ports.db(),
        person_id,
        &id,
        tenant_id,
        name,
        description,
        now,
    )
    .await
    .map_err(failure::database)?;
    match update {
        Update::Updated => current(ports, user).await,
        Update::Forbidden => Err(Problem::new(Code::WorkspaceForbidden)
            .with("required_role", "admin")
            .with_sw_code("SW_WORKSPACE_FORBIDDEN")),
        Update::NotFound => Err(not_found()),
    }
}

/// A text to be shown to others: bounded, and without characters that change how it is read.
fn text<'a>(field: &str, text: &'a str, max: usize) -> Result<&'a str, Problem> {
    let text = text.trim();
    let changes_direction = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.chars().count() > max {
        return Err(Problem::invalid_field(field, "too long").with("limit", max));
    }
    if text.chars().any(|c| c.is_control() || changes_direction(c)) {
        return Err(Problem::invalid_field(
            field,
            "holds a control or direction-changing character",
        ));
    }
    Ok(text)
}
