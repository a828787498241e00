//! What was deployed, when, by whom, and what came of it.

use scaigate_types::{Query, StoreError, Subject, Timestamp};

use super::{Listed, Located, listed};

/// A deployment that begins.
#[derive(Clone, Copy, Debug)]
pub struct NewDeployment<'a> {
    /// Made up for it.
    pub deployment_id: &'a str,
    /// Which version.
    pub patch: i64,
    /// Who deploys.
    pub by: &'a Subject,
}

/// What came of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It is done.
    Succeeded,
    /// It failed with this code.
    Failed(&'a str),
}

/// What ScaiGrid made of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Made<'a> {
    /// The core.
    pub core_id: Option<&'a str>,
    /// The model it is published as.
    pub published_slug: Option<&'a str>,
}

/// Records that a deployment begins: before ScaiGrid is asked, so that what it made can be found
/// also when nobody lived to record the end.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn begin(
    on: &impl Query,
    flow: &Located,
    new: NewDeployment<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    on.query(
        "INSERT INTO flow_deployment (tenant_id, flow_id, deployment_id, patch, status, deployed_by,
                                      created_at)
         VALUES (?1, ?2, ?3, ?4, 'started', ?5, ?6)",
        &flow.and([
            new.deployment_id.into(),
            new.patch.into(),
            new.by.as_str().into(),
            now.into(),
        ]),
    )
    .await?;
    Ok(())
}

/// Records how a deployment ended.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn finish(
    on: &impl Query,
    flow: &Located,
    deployment_id: &str,
    outcome: Outcome<'_>,
    made: Made<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (status, code) = match outcome {
        Outcome::Succeeded => ("succeeded", None),
        Outcome::Failed(code) => ("failed", Some(code)),
    };
    on.query(
        "UPDATE flow_deployment SET status = ?4, code = ?5, core_id = ?6, published_slug = ?7,
                                    finished_at = ?8
          WHERE tenant_id = ?1 AND flow_id = ?2 AND deployment_id = ?3 AND finished_at IS NULL",
        &flow.and([
            deployment_id.into(),
            status.into(),
            code.into(),
            made.core_id.into(),
            made.published_slug.into(),
            now.into(),
        ]),
    )
    .await?;
    Ok(())
}

/// The deployments of a flow, the newest first.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn list(on: &impl Query, flow: &Located, limit: u32) -> Result<Listed, StoreError> {
    let sql = "SELECT (SELECT count(*) FROM flow_deployment WHERE tenant_id = ?1 AND flow_id = ?2),
                      json_group_array(json(row)) FROM (
           SELECT json_object('id', deployment_id, 'flow_id', flow_id, 'version', '1.0.' || patch,
             'status', status, 'error', code, 'core_id', core_id, 'published_slug', published_slug,
             'deployed_by', deployed_by,
             'created_at', strftime('%Y-%m-%dT%H:%M:%SZ', created_at / 1000, 'unixepoch'),
             'finished_at', strftime('%Y-%m-%dT%H:%M:%SZ', finished_at / 1000, 'unixepoch')) AS row
             FROM flow_deployment WHERE tenant_id = ?1 AND flow_id = ?2
            ORDER BY created_at DESC, deployment_id LIMIT ?3)";
    listed(&on.query(sql, &flow.and([i64::from(limit).into()])).await?)
}
