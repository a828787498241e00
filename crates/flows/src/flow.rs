//! Saving, listing, reading, changing and deleting flows (`contract/scaiflow.md` 2.7).

use scaigate_kv::flow::{self, Change, Level, Listed, NewFlow, Page, version};
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Ports, failure};
use scaigate_types::{Clock, Database, FlowId, Query, Transaction};

use crate::access::{self, FlowAccess};
use crate::caller::{Reader, Writer};
use crate::content::{Content, with_content};
use crate::{fresh, text};

/// What a new flow is made of.
#[derive(Debug)]
pub struct New<'a> {
    /// The name.
    pub name: &'a str,
    /// What it is for.
    pub description: Option<&'a str>,
    /// The content.
    pub content: &'a Content,
}

/// Saves a new flow of version 1.0.0, owned by the caller: its `FlowDetail`, as JSON.
///
/// # Errors
/// [`Code::InvalidRequest`]; a store does not answer.
pub async fn create(ports: &impl Ports, writer: &Writer, new: New<'_>) -> Result<String, Problem> {
    let description = new.description.map(text::description).transpose()?;
    let flow_id = fresh::flow_id(ports)?;
    let new = NewFlow {
        flow_id: &flow_id,
        owner: writer.viewer(),
        name: text::name(new.name)?,
        description: description.flatten(),
        content: new.content.as_bytes(),
    };
    let tx = ports.db().begin().await.map_err(failure::database)?;
    flow::create(&tx, new, ports.clock().now())
        .await
        .map_err(failure::database)?;
    // Before the commit: who is told of a failure has saved nothing, and may try again.
    let access = access::require(&tx, writer.reader(), &flow_id, Level::View).await?;
    let answer = with_content(access.summary(), new.content)?;
    tx.commit().await.map_err(failure::database)?;
    Ok(answer)
}

/// The flows that the caller may see.
///
/// # Errors
/// A store does not answer.
pub async fn list(ports: &impl Ports, reader: &Reader, page: Page<'_>) -> Result<Listed, Problem> {
    flow::list(ports.db(), &reader.viewer(), page)
        .await
        .map_err(failure::database)
}

/// A flow with its content: its `FlowDetail`, as JSON.
///
/// # Errors
/// [`Code::FlowNotFound`]; a store does not answer.
pub async fn get(ports: &impl Ports, reader: &Reader, flow_id: &FlowId) -> Result<String, Problem> {
    let access = access::require(ports.db(), reader, flow_id, Level::View).await?;
    let content = content_of(ports.db(), &access, access.patch()).await?;
    with_content(access.summary(), &content)
}

/// The content of a version, as it was saved.
pub(crate) async fn content_of(
    on: &impl Query,
    access: &FlowAccess,
    patch: i64,
) -> Result<Vec<u8>, Problem> {
    version::content(on, access.flow(), patch)
        .await
        .map_err(failure::database)?
        .ok_or_else(|| Problem::new(Code::FlowVersionNotFound))
}

/// What is to be changed; what is `None` stays.
#[derive(Debug, Default)]
pub struct Update<'a> {
    /// The name.
    pub name: Option<&'a str>,
    /// The description, or `Some(None)` for none.
    pub description: Option<Option<&'a str>>,
    /// The content: makes the next version.
    pub content: Option<&'a Content>,
}

/// Changes a flow: its `FlowDetail`, as JSON. Right, change and version are one transaction; whoever
/// saves at the same time makes the version after.
///
/// # Errors
/// [`Code::InvalidRequest`], [`Code::FlowNotFound`], [`Code::FlowAccessDenied`]; a store does not
/// answer.
pub async fn update(
    ports: &impl Ports,
    writer: &Writer,
    flow_id: &FlowId,
    update: Update<'_>,
) -> Result<String, Problem> {
    let change = Change {
        name: update.name.map(text::name).transpose()?,
        description: match update.description {
            None => None,
            Some(None) => Some(None),
            Some(Some(words)) => Some(text::description(words)?),
        },
        content: update.content.map(Content::as_bytes),
    };
    if change.name.is_none() && change.description.is_none() && change.content.is_none() {
        let reason = "none of name, description and content";
        return Err(Problem::invalid_field("body", reason));
    }
    let reader = writer.reader();
    let tx = ports.db().begin().await.map_err(failure::database)?;
    let access = access::require(&tx, reader, flow_id, Level::Edit).await?;
    let by = &reader.user().subject;
    let changed = flow::update(&tx, access.flow(), change, by, ports.clock().now())
        .await
        .map_err(failure::database)?;
    if !changed {
        return Err(Problem::new(Code::FlowNotFound));
    }
    // What this call made is what it answers, whatever others make of it meanwhile.
    let access = access::require(&tx, reader, flow_id, Level::View).await?;
    let answer = match change.content {
        Some(content) => with_content(access.summary(), content)?,
        None => {
            let content = content_of(&tx, &access, access.patch()).await?;
            with_content(access.summary(), &content)?
        }
    };
    tx.commit().await.map_err(failure::database)?;
    Ok(answer)
}

/// Deletes a flow. Its versions are kept.
///
/// # Errors
/// [`Code::FlowNotFound`], [`Code::FlowAccessDenied`]; a store does not answer.
pub async fn delete(ports: &impl Ports, writer: &Writer, flow_id: &FlowId) -> Result<(), Problem> {
    let tx = ports.db().begin().await.map_err(failure::database)?;
    let access = access::require(&tx, writer.reader(), flow_id, Level::Admin).await?;
    let deleted = flow::delete(&tx, access.flow(), ports.clock().now())
        .await
        .map_err(failure::database)?;
    if !deleted {
        return Err(Problem::new(Code::FlowNotFound));
    }
    tx.commit().await.map_err(failure::database)
}

/// The versions of a flow, the newest first.
///
/// # Errors
/// As [`get`].
pub async fn versions(
    ports: &impl Ports,
    reader: &Reader,
    flow_id: &FlowId,
    limit: u32,
) -> Result<Listed, Problem> {
    let access = access::require(ports.db(), reader, flow_id, Level::View).await?;
    version::list(ports.db(), access.flow(), limit)
        .await
        .map_err(failure::database)
}

/// One version of a flow: its identifier, the version and the content, as JSON.
///
/// # Errors
/// As [`get`], and [`Code::FlowVersionNotFound`].
pub async fn version(
    ports: &impl Ports,
    reader: &Reader,
    flow_id: &FlowId,
    version: &str,
) -> Result<String, Problem> {
    let access = access::require(ports.db(), reader, flow_id, Level::View).await?;
    let patch = patch_of(version).ok_or_else(|| Problem::new(Code::FlowVersionNotFound))?;
    let content = content_of(ports.db(), &access, patch).await?;
    let head = serde_json::json!({ "id": flow_id.as_str(), "version": version });
    with_content(&head.to_string(), &content)
}

/// The number of a version of a flow, spelt in its one way.
fn patch_of(version: &str) -> Option<i64> {
    let digits = version.strip_prefix("1.0.")?;
    let patch: u32 = digits.parse().ok()?;
    (patch.to_string() == digits).then_some(i64::from(patch))
}

#[cfg(test)]
mod tests {
    use super::patch_of;

    #[test]
    fn a_version_has_one_spelling() {
        assert_eq!(patch_of("1.0.0"), Some(0));
        assert_eq!(patch_of("1.0.12"), Some(12));
        for bad in [
            "", "1.0", "1.0.", "1.0.01", "1.0.+1", "1.0.-1", "2.0.0", "v1.0.0", "1.0.0 ",
        ] {
            assert_eq!(patch_of(bad), None, "{bad}");
        }
    }
}
