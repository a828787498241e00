//! Deploying to ScaiGrid (`contract/scaiflow.md` 2.9): queue, core, model, record.
//!
//! The manifest is sent as ScaiGrid documents it, JSON with `name` and `source` (C-12): the receiver's
//! own contract counts.

mod answer;
mod failure;
pub mod grid;
mod queue;
mod upstream;

use scaigate_kv::flow::deployment::{self, Made, NewDeployment, Outcome};
use scaigate_kv::flow::{Level, Listed, Located};
use scaigate_problem::{Code, Problem};
use scaigate_signin::Ports;
use scaigate_signin::failure::database;
use scaigate_types::{Clock, Database, FlowId, GroupId, StoreError, Transaction};
use serde_json::{Value, json};

use crate::caller::{Reader, Writer};
use crate::content::Content;
use crate::dev_token::DevCaller;
use crate::manifest::{Manifest, ManifestError, compile_error};
use crate::{access, flow, fresh};

pub use grid::{Grid, GridAnswer, GridCall, GridFailure, GridId};
pub use upstream::Upstream;

/// What a caller asks for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Whether to publish the core as a model; `None`: as the manifest says.
    pub publish_as_model: Option<bool>,
    /// To which groups the model is offered.
    pub group_ids: Vec<GroupId>,
}

/// What ScaiGrid has made so far.
#[derive(Debug, Default)]
struct Progress {
    core_id: Option<GridId>,
    published_slug: Option<String>,
}

impl Progress {
    fn made(&self) -> Made<'_> {
        Made {
            core_id: self.core(),
            published_slug: self.published_slug.as_deref(),
        }
    }

    fn core(&self) -> Option<&str> {
        self.core_id.as_ref().map(GridId::as_str)
    }
}

/// Deploys a flow as it is saved: `core_id` and `published_slug`, with what was recorded.
///
/// # Errors
/// [`Code::FlowNotFound`], [`Code::FlowAccessDenied`], also for a flow of another tenant;
/// [`Code::CompileError`], [`Code::MissingScaigridCredentials`], [`Code::ScaiqueueAuth`],
/// [`Code::ScaiqueueProvisionFailed`], [`Code::ScaicoreCreateFailed`], [`Code::ScaicorePublishFailed`];
/// a store does not answer.
pub async fn deploy(
    ports: &impl Ports,
    grid: &impl Grid,
    writer: &Writer,
    flow_id: &FlowId,
    wanted: &Wanted,
) -> Result<Value, Problem> {
    let reader = writer.reader();
    let access = access::require(ports.db(), reader, flow_id, Level::Deploy).await?;
    // The credential is the caller's own tenant's: what it makes is there (N-120).
    if access.flow().tenant_id != reader.user().tenant_id {
        return Err(Problem::new(Code::FlowAccessDenied)
            .with("reason", "a flow is deployed by somebody of its tenant"));
    }
    let content = flow::content_of(ports.db(), &access, access.patch()).await?;
    let manifest = Manifest::of_saved(&content).map_err(|error| compile_error(&error))?;
    let deployment_id = fresh::id(ports, "dep");
    let new = NewDeployment {
        deployment_id: &deployment_id,
        patch: access.patch(),
        by: &reader.user().subject,
    };
    begin(ports, access.flow(), new).await.map_err(database)?;
    let mut progress = Progress::default();
    let name = manifest.name().unwrap_or(access.name());
    let outcome = run(grid, &manifest, name, wanted, &mut progress).await;
    let recorded = match &outcome {
        Ok(()) => Outcome::Succeeded,
        Err(problem) => Outcome::Failed(problem.code().as_str()),
    };
    let made = progress.made();
    let finished = finish(ports, access.flow(), &deployment_id, recorded, made).await;
    outcome?;
    // The core is there: whoever hears of the store's failure must hear of that too.
    finished.map_err(|error| database(error).with("core_id", progress.core()))?;
    Ok(json!({
        "core_id": progress.core(),
        "published_slug": progress.published_slug,
        "deployment_id": deployment_id,
        "version": format!("1.0.{}", access.patch()),
    }))
}

/// [`deployment::begin`], in a transaction: what the audit log says of it is whoever's request this is.
async fn begin(
    ports: &impl Ports,
    flow: &Located,
    new: NewDeployment<'_>,
) -> Result<(), StoreError> {
    let tx = ports.db().begin().await?;
    deployment::begin(&tx, flow, new, ports.clock().now()).await?;
    tx.commit().await
}

/// [`deployment::finish`], as [`begin`].
async fn finish(
    ports: &impl Ports,
    flow: &Located,
    deployment_id: &str,
    outcome: Outcome<'_>,
    made: Made<'_>,
) -> Result<(), StoreError> {
    let tx = ports.db().begin().await?;
    let now = ports.clock().now();
    deployment::finish(&tx, flow, deployment_id, outcome, made, now).await?;
    tx.commit().await
}

/// Deploys content that is not saved, for the deprecated `POST /v1/dev/deploy`.
///
/// # Errors
/// As [`deploy`].
pub async fn dev_deploy(
    grid: &impl Grid,
    _: DevCaller,
    content: &Content,
    wanted: &Wanted,
) -> Result<Value, Problem> {
    let manifest = Manifest::of_content(content).map_err(|error| compile_error(&error))?;
    let name = manifest.name().ok_or_else(|| {
        compile_error(&ManifestError::Member {
            path: "manifest.name",
            expected: "there",
        })
    })?;
    let mut progress = Progress::default();
    run(grid, &manifest, name, wanted, &mut progress).await?;
    Ok(json!({ "core_id": progress.core(), "published_slug": progress.published_slug }))
}

async fn run(
    grid: &impl Grid,
    manifest: &Manifest,
    name: &str,
    wanted: &Wanted,
    progress: &mut Progress,
) -> Result<(), Problem> {
    if let Some(config) = manifest.queue() {
        queue::ensure(grid, config).await?;
    }
    let source = manifest.text();
    let answer = grid.call(GridCall::CreateCore { name, source }).await;
    let core_id = core_id(answer)?;
    let core_id = progress.core_id.insert(core_id);
    if wanted
        .publish_as_model
        .unwrap_or(manifest.publish_as_model())
    {
        let call = GridCall::PublishCore {
            core_id,
            group_ids: &wanted.group_ids,
        };
        let slug = published_slug(grid.call(call).await);
        let slug =
            slug.map_err(|problem| problem.with_detail_member("core_id", core_id.as_str()))?;
        progress.published_slug = Some(slug);
    }
    Ok(())
}

fn core_id(answer: Result<GridAnswer, GridFailure>) -> Result<GridId, Problem> {
    let step = Code::ScaicoreCreateFailed;
    let answer = answer.map_err(|failure| {
        // Nobody refused: the request may have arrived.
        let may_exist = matches!(&failure, GridFailure::NoAnswer(cause)
            if cause.code() != Code::ScaigridUnreachable);
        let problem = failure::unanswered(step, failure);
        if may_exist {
            problem.with("core_may_exist", true)
        } else {
            problem
        }
    })?;
    if !answer.status.is_success() {
        return Err(failure::refused(step, &answer));
    }
    answer::id(&answer, &["id", "core_id"]).ok_or_else(|| {
        failure::unusable(step, &answer, "ScaiGrid's answer names no core")
            .with("core_may_exist", true)
    })
}

fn published_slug(answer: Result<GridAnswer, GridFailure>) -> Result<String, Problem> {
    let step = Code::ScaicorePublishFailed;
    let answer = answer.map_err(|failure| failure::unanswered(step, failure))?;
    if !answer.status.is_success() {
        return Err(failure::refused(step, &answer));
    }
    answer::slug(&answer)
        .ok_or_else(|| failure::unusable(step, &answer, "ScaiGrid's answer names no model"))
}

/// The deployments of a flow, the newest first.
///
/// # Errors
/// [`Code::FlowNotFound`]; a store does not answer.
pub async fn deployments(
    ports: &impl Ports,
    reader: &Reader,
    flow_id: &FlowId,
    limit: u32,
) -> Result<Listed, Problem> {
    let access = access::require(ports.db(), reader, flow_id, Level::View).await?;
    deployment::list(ports.db(), access.flow(), limit)
        .await
        .map_err(database)
}
