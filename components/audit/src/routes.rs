//! One function per route: parsed input in, one flow, its result as an answer.

use http::{HeaderValue, Method, StatusCode, header};
use scaigate_audit::{Shown, seal, tag_holds};
use scaigate_directory::admin_scope::{self, AdminScope};
use scaigate_kv::audit::{self, Order, sealing};
use scaigate_limits::Category;
use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::{SpinPorts, admit, note_read};
use scaigate_runtime::{Answer, Incoming, answer};
use scaigate_signin::{Ports, Principal, failure};
use scaigate_types::{AdminRole, Clock, Timestamp};
use serde_json::json;

use crate::query::Query;
use crate::remembered::Remembered;

const NDJSON: &str = "application/x-ndjson";
/// Rows of a page.
const PAGE: u32 = 100;
const MAX_PAGE: u32 = 1000;
/// Rows of a piece of an export, which is whole in memory.
const PIECE: u32 = 1000;
const MAX_PIECE: u32 = 5000;

/// One request and what it is answered with.
pub struct Call<'a> {
    /// The ports.
    pub ports: &'a SpinPorts,
    /// The settings.
    pub remembered: &'a Remembered,
    /// The request.
    pub incoming: &'a Incoming,
}

impl Call<'_> {
    /// Answers the request.
    pub async fn route(&self) -> Result<Answer, Problem> {
        match self.incoming.path.as_str() {
            "/v1/admin/audit" => {
                self.incoming.require(&Method::GET, "GET")?;
                self.list().await
            }
            "/v1/admin/audit/chain" => {
                self.incoming.require(&Method::GET, "GET")?;
                self.chain().await
            }
            "/internal/seal" => {
                self.incoming.require(&Method::POST, "POST")?;
                self.seal().await?;
                Ok(answer::empty(StatusCode::NO_CONTENT))
            }
            _ => Err(Problem::new(Code::NotFound)),
        }
    }

    async fn principal(&self) -> Result<Principal, Problem> {
        let callers = &self.remembered.callers;
        let principal = callers.principal(self.ports, self.incoming).await?;
        let limits = &self.remembered.limits;
        admit(
            self.ports,
            self.incoming,
            limits,
            Category::Admin,
            &principal,
        )
        .await?;
        Ok(principal)
    }

    /// Super admins and services of the platform see everything, a tenant's administrators their tenant.
    fn scope(principal: Principal) -> Result<AdminScope, Problem> {
        match &principal {
            Principal::User(user) | Principal::Dev(user)
                if user.admin_role == Some(AdminRole::TenantAdmin) =>
            {
                admin_scope::own_tenant(principal)
            }
            _ => admin_scope::platform(&principal),
        }
    }

    async fn seal(&self) -> Result<(), Problem> {
        let now = self.ports.clock().now();
        seal(self.ports.db(), &self.remembered.tagger, now)
            .await
            .map_err(failure::database)?;
        Ok(())
    }

    async fn list(&self) -> Result<Answer, Problem> {
        let scope = Self::scope(self.principal().await?)?;
        let is_export = self
            .incoming
            .header(header::ACCEPT)
            .is_some_and(|accept| accept.contains(NDJSON));
        let (default, max, order) = if is_export {
            (PIECE, MAX_PIECE, Order::OldestFirst)
        } else {
            (PAGE, MAX_PAGE, Order::NewestFirst)
        };
        let query = Query::of(self.incoming, max)?;
        let limit = query.limit.unwrap_or(default);
        self.seal().await?;
        let filter = query.filter(scope.tenant_id());
        let rows = audit::list(self.ports.db(), &filter, order, query.cursor, limit)
            .await
            .map_err(failure::database)?;
        note_read(self.incoming, &self.incoming.path).await?;
        // A page that is not full is the last.
        let is_full = rows.len() == limit as usize;
        let next = rows.last().filter(|_| is_full).map(|row| row.entry.seq);
        let rows = rows.into_iter().map(Shown::from);
        if is_export {
            return Self::export(rows, next);
        }
        let rows: Vec<_> = rows.collect();
        let body = Page {
            entries: &rows,
            next_cursor: next,
            has_more: next.is_some(),
        };
        let text = serde_json::to_string(&body).map_err(|_| Problem::new(Code::Internal))?;
        Ok(answer::json_text(text))
    }

    /// A row a line. The header says where to go on.
    fn export(rows: impl Iterator<Item = Shown>, next: Option<i64>) -> Result<Answer, Problem> {
        let mut text = String::new();
        for row in rows {
            let row = serde_json::to_string(&row).map_err(|_| Problem::new(Code::Internal))?;
            text.push_str(&row);
            text.push('\n');
        }
        let mut answer = answer::json_text(text);
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON));
        if let Some(next) = next {
            headers.insert("x-next-cursor", HeaderValue::from(next));
        }
        Ok(answer)
    }

    /// What is known of the chain: for whoever verifies it elsewhere, and to be written down.
    async fn chain(&self) -> Result<Answer, Problem> {
        admin_scope::platform(&self.principal().await?)?;
        self.seal().await?;
        let db = self.ports.db();
        let state = sealing::state(db).await.map_err(failure::database)?;
        let (unsealed, since) = sealing::tail(db).await.map_err(failure::database)?;
        note_read(self.incoming, &self.incoming.path).await?;
        let seal = state.seal.as_ref().map(|seal| {
            json!({
                "seq": seal.seq,
                "hash": seal.hash,
                "confirmed_from": seal.from,
                "at": seal.at.rfc3339(),
                "is_ours": tag_holds(&self.remembered.tagger, seal),
            })
        });
        Ok(answer::json(&json!({
            "last_seq": state.last_seq,
            "seal": seal,
            "unsealed": unsealed,
            "unsealed_since": since.map(Timestamp::rfc3339),
            "purged": { "seq": state.purged_seq, "hash": state.purged_hash },
        })))
    }
}

#[derive(serde::Serialize)]
struct Page<'a> {
    entries: &'a [Shown],
    next_cursor: Option<i64>,
    has_more: bool,
}
