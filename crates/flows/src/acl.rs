//! Access lists (`contract/scaiflow.md` 2.7).

use scaigate_kv::flow::Level;
use scaigate_kv::flow::acl::{self, Grant, Granted, MAX_ENTRIES, PrincipalType};
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Ports, failure};
use scaigate_types::{Clock, Database, FlowId, Transaction};

use crate::caller::{Reader, Writer};
use crate::{access, fresh};

/// Longest identifier of a principal or an entry.
const MAX_ID: usize = 255;

/// The entries of a flow, as a JSON array. The rights of its owner and of administrators are none.
///
/// # Errors
/// [`Code::FlowNotFound`], [`Code::FlowAccessDenied`]; a store does not answer.
pub async fn list(
    ports: &impl Ports,
    reader: &Reader,
    flow_id: &FlowId,
) -> Result<String, Problem> {
    let access = access::require(ports.db(), reader, flow_id, Level::Admin).await?;
    acl::list(ports.db(), access.flow())
        .await
        .map_err(failure::database)
}

/// What a caller asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// `user` or `group`.
    pub principal_type: &'a str,
    /// ScaiKey's identifier.
    pub principal_id: &'a str,
    /// `view`, `edit`, `deploy` or `admin`.
    pub level: &'a str,
}

/// Gives a right: the entry, as JSON. Right and entry are one transaction.
///
/// # Errors
/// [`Code::InvalidRequest`] for an unknown level or type, [`Code::PrincipalNotFound`],
/// [`Code::AclExists`], [`Code::LimitReached`], and as [`list`].
pub async fn grant(
    ports: &impl Ports,
    writer: &Writer,
    flow_id: &FlowId,
    wanted: Wanted<'_>,
) -> Result<String, Problem> {
    let principal_type = PrincipalType::parse(wanted.principal_type)
        .ok_or_else(|| Problem::invalid_field("principal_type", "neither user nor group"))?;
    let level = Level::parse(wanted.level)
        .ok_or_else(|| Problem::invalid_field("level", "none of view, edit, deploy and admin"))?;
    let not_found =
        || Problem::new(Code::PrincipalNotFound).with("principal_type", principal_type.as_str());
    if wanted.principal_id.is_empty() || wanted.principal_id.len() > MAX_ID {
        return Err(not_found());
    }
    let reader = writer.reader();
    let tx = ports.db().begin().await.map_err(failure::database)?;
    let access = access::require(&tx, reader, flow_id, Level::Admin).await?;
    let grant = Grant {
        acl_id: &fresh::id(ports, "acl"),
        principal_type,
        principal_id: wanted.principal_id,
        level,
        granted_by: &reader.user().subject,
    };
    let granted = acl::grant(&tx, access.flow(), grant, ports.clock().now())
        .await
        .map_err(failure::database)?;
    match granted {
        Granted::Given(row) => {
            tx.commit().await.map_err(failure::database)?;
            Ok(row)
        }
        Granted::PrincipalNotFound => Err(not_found()),
        Granted::Exists => Err(Problem::new(Code::AclExists)),
        Granted::Full => Err(Problem::new(Code::LimitReached).with("limit", MAX_ENTRIES)),
    }
}

/// Takes a right away.
///
/// # Errors
/// [`Code::AclNotFound`], and as [`list`].
pub async fn revoke(
    ports: &impl Ports,
    writer: &Writer,
    flow_id: &FlowId,
    acl_id: &str,
) -> Result<(), Problem> {
    let tx = ports.db().begin().await.map_err(failure::database)?;
    let access = access::require(&tx, writer.reader(), flow_id, Level::Admin).await?;
    let not_found = || Problem::new(Code::AclNotFound);
    if acl_id.len() > MAX_ID {
        return Err(not_found());
    }
    let revoked = acl::revoke(&tx, access.flow(), acl_id)
        .await
        .map_err(failure::database)?;
    if !revoked {
        return Err(not_found());
    }
    tx.commit().await.map_err(failure::database)
}
