//! Finding or making the queue that a flow needs. Others may make it at the same time: a 409 means
//! looking once more.

use http::StatusCode;
use scaigate_problem::{Code, Problem};
use scaigate_scaigrid::lookup::{self, Page, Queue, Scope, ShapeError};

use super::grid::{Grid, GridAnswer, GridCall, GridFailure, GridId};
use super::{answer, failure};
use crate::manifest::{ConsumerMode, QueueConfig};

/// Most pages of one list.
const MAX_PAGES: usize = 20;

/// Makes sure that scope and queue are there, and are what the flow needs.
///
/// # Errors
/// [`Code::ScaiqueueAuth`], [`Code::ScaiqueueProvisionFailed`], [`Code::MissingScaigridCredentials`].
pub(super) async fn ensure(grid: &impl Grid, config: &QueueConfig) -> Result<(), Problem> {
    let provision = Provision { grid, config };
    let scope_id = provision.scope().await?;
    provision.queue(&scope_id).await
}

struct Provision<'a, G> {
    grid: &'a G,
    config: &'a QueueConfig,
}

impl<G: Grid> Provision<'_, G> {
    /// Says for which queue.
    fn of_queue(&self, problem: Problem) -> Problem {
        problem
            .with_detail_member("scope", self.config.scope.as_str())
            .with_detail_member("queue", self.config.queue.as_str())
    }

    fn failed(&self, message: impl Into<String>) -> Problem {
        let problem = Problem::new(Code::ScaiqueueProvisionFailed);
        self.of_queue(problem.with_detail_member("message", message.into()))
    }

    fn unusable(&self, answer: &GridAnswer, reason: &str) -> Problem {
        let step = Code::ScaiqueueProvisionFailed;
        self.of_queue(failure::unusable(step, answer, reason))
    }

    /// The answer, if it is not a refusal. What `tolerated` names is the caller's to understand.
    fn accepted(
        &self,
        answer: Result<GridAnswer, GridFailure>,
        tolerated: Option<StatusCode>,
    ) -> Result<GridAnswer, Problem> {
        let step = Code::ScaiqueueProvisionFailed;
        let answer = answer.map_err(|failure| {
            let problem = failure::unanswered(step, failure);
            if problem.code() == step {
                self.of_queue(problem)
            } else {
                problem
            }
        })?;
        let status = answer.status;
        if status.is_success() || Some(status) == tolerated {
            return Ok(answer);
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            let step = Code::ScaiqueueAuth;
            return Err(failure::refused(step, &answer).with_fix(step.fix()));
        }
        Err(self.of_queue(failure::refused(step, &answer)))
    }

    fn page<T>(
        &self,
        answer: &GridAnswer,
        read: impl FnOnce(&[u8]) -> Result<Page<T>, ShapeError>,
    ) -> Result<Page<T>, Problem> {
        read(&answer.body).map_err(|error| self.unusable(answer, &error.to_string()))
    }

    async fn find_scope(&self) -> Result<Option<Scope>, Problem> {
        let mut cursor = None;
        for _ in 0..MAX_PAGES {
            let call = GridCall::ListScopes {
                cursor: cursor.as_ref(),
            };
            let answer = self.accepted(self.grid.call(call).await, None)?;
            let page = self.page(&answer, lookup::scopes)?;
            let mut rows = page.rows.into_iter();
            if let Some(scope) = rows.find(|scope| scope.slug == self.config.scope) {
                return Ok(Some(scope));
            }
            cursor = match page.next {
                None => return Ok(None),
                next => next,
            };
        }
        Err(self.failed("ScaiGrid lists more scopes than are read"))
    }

    async fn find_queue(&self, scope_id: &GridId) -> Result<Option<Queue>, Problem> {
        let mut cursor = None;
        for _ in 0..MAX_PAGES {
            let call = GridCall::ListQueues {
                scope_id,
                cursor: cursor.as_ref(),
            };
            let answer = self.accepted(self.grid.call(call).await, None)?;
            let page = self.page(&answer, |body| lookup::queues(body, scope_id.segment()))?;
            let mut rows = page.rows.into_iter();
            if let Some(queue) = rows.find(|queue| queue.slug == self.config.queue) {
                return Ok(Some(queue));
            }
            cursor = match page.next {
                None => return Ok(None),
                next => next,
            };
        }
        Err(self.failed("ScaiGrid lists more queues than are read"))
    }

    fn scope_id(&self, scope: &Scope) -> Result<GridId, Problem> {
        GridId::parse(&scope.id).ok_or_else(|| self.failed("the scope has no usable id"))
    }

    async fn scope(&self) -> Result<GridId, Problem> {
        if let Some(scope) = self.find_scope().await? {
            return self.scope_id(&scope);
        }
        let call = GridCall::CreateScope {
            slug: &self.config.scope,
        };
        let answer = self.grid.call(call).await;
        let answer = self.accepted(answer, Some(StatusCode::CONFLICT))?;
        if answer.status.is_success() {
            return answer::id(&answer, &["id", "scope_id"])
                .ok_or_else(|| self.unusable(&answer, "ScaiGrid's answer names no scope"));
        }
        match self.find_scope().await? {
            Some(scope) => self.scope_id(&scope),
            None => Err(self.failed("the scope exists, but is not among those listed")),
        }
    }

    async fn queue(&self, scope_id: &GridId) -> Result<(), Problem> {
        if let Some(queue) = self.find_queue(scope_id).await? {
            return self.fits(&queue);
        }
        let config = self.config;
        let call = GridCall::CreateQueue { scope_id, config };
        let answer = self.grid.call(call).await;
        let answer = self.accepted(answer, Some(StatusCode::CONFLICT))?;
        if answer.status.is_success() {
            return Ok(());
        }
        match self.find_queue(scope_id).await? {
            Some(queue) => self.fits(&queue),
            None => Err(self.failed("the queue exists, but is not among those listed")),
        }
    }

    /// A queue that is there must be what the flow asks for; what either does not say is no difference.
    fn fits(&self, queue: &Queue) -> Result<(), Problem> {
        if let (Some(asked), Some(found)) = (self.config.consumer_mode, queue.consumer_mode)
            && asked != mode(found)
        {
            let found = mode(found).as_str();
            return Err(self.failed(format!("the queue exists with consumer_mode {found}")));
        }
        if let (Some(asked), Some(found)) = (self.config.max_retries, queue.max_retries)
            && u64::from(asked) != found
        {
            return Err(self.failed(format!("the queue exists with max_retries {found}")));
        }
        Ok(())
    }
}

const fn mode(found: lookup::ConsumerMode) -> ConsumerMode {
    match found {
        lookup::ConsumerMode::Fifo => ConsumerMode::Fifo,
        lookup::ConsumerMode::Priority => ConsumerMode::Priority,
        lookup::ConsumerMode::Deadline => ConsumerMode::Deadline,
        lookup::ConsumerMode::Broadcast => ConsumerMode::Broadcast,
    }
}
