//! One function per route: parsed input in, one flow, its result as an answer.

use http::{Method, StatusCode};
use scaigate_directory::{admin_scope, sync};
use scaigate_kv::directory::sync_run;
use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::{SpinPorts, note_read};
use scaigate_runtime::{Answer, Fields, Incoming, answer};
use scaigate_signin::{Ports, failure};
use scaigate_types::Clock;
use serde::Deserialize;

use crate::background;
use crate::remembered::Remembered;
use crate::view;

/// One request and what it is answered with.
pub struct Call<'a> {
    /// The ports.
    pub ports: &'a SpinPorts,
    /// The settings.
    pub remembered: &'a Remembered,
    /// The request.
    pub incoming: &'a Incoming,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct SyncRequest {
    #[serde(default)]
    force: bool,
}

impl Call<'_> {
    /// Answers the request.
    pub async fn route(&self) -> Result<Answer, Problem> {
        match self.incoming.path.as_str() {
            "/v1/admin/sync" if self.incoming.method == Method::POST => self.sync().await,
            "/v1/admin/sync" => {
                self.incoming.require(&Method::GET, "GET, POST")?;
                self.state().await
            }
            "/internal/sync-if-due" => {
                self.incoming.require(&Method::POST, "POST")?;
                background::sync_if_due();
                Ok(answer::empty(StatusCode::ACCEPTED))
            }
            _ => Err(Problem::new(Code::NotFound)),
        }
    }

    /// Who may start a sync and see how far it is.
    async fn authorize(&self) -> Result<(), Problem> {
        let principal = self
            .remembered
            .callers
            .principal(self.ports, self.incoming)
            .await?;
        admin_scope::platform(&principal).map(|_| ())
    }

    async fn sync(&self) -> Result<Answer, Problem> {
        self.authorize().await?;
        let asked = if self.incoming.body.is_empty() {
            SyncRequest::default()
        } else {
            self.incoming.json()?
        };
        let by_query = match Fields::of_query(self.incoming)?.get("force") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(Problem::invalid_field("force", "neither true nor false")),
        };
        let force = asked.force || by_query;
        let context = self.remembered.sync_context()?;
        let report = sync::sync(self.ports, context, force).await?;
        background::log_report(&report);
        let text = serde_json::to_string(&report).map_err(|_| Problem::new(Code::Internal))?;
        Ok(answer::json_text(text))
    }

    async fn state(&self) -> Result<Answer, Problem> {
        self.authorize().await?;
        let now = self.ports.clock().now();
        let (running, last) = sync_run::latest(self.ports.db(), now)
            .await
            .map_err(failure::database)?;
        let due_at = sync::due_at(self.ports, self.remembered.directory()?).await?;
        note_read(self.incoming, "/v1/admin/sync").await?;
        let state = view::sync_state(running.as_ref(), last.as_ref(), due_at);
        Ok(answer::json(&state))
    }
}
