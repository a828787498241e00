//! One function per route: parsed input in, one flow, its result as an answer.

use http::{Method, StatusCode};
use scaigate_directory::admin_scope::{self, AdminScope};
use scaigate_directory::{roles, why};
use scaigate_kv::directory::{change_log, listing, webhook_delivery};
use scaigate_limits::Category;
use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::{SpinPorts, admit, note_read};
use scaigate_runtime::{Answer, Incoming, answer, path};
use scaigate_signin::{Ports, Principal, failure};
use scaigate_types::{AdminRole, GroupId, TenantId};
use serde::Deserialize;

use crate::query::Query;
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleRequest {
    role: String,
}

impl Call<'_> {
    /// Answers the request.
    pub async fn route(&self) -> Result<Answer, Problem> {
        let segments = path::segments(&self.incoming.path);
        let segments: Vec<&str> = segments.iter().flatten().map(AsRef::as_ref).collect();
        let method = &self.incoming.method;
        match segments.as_slice() {
            ["v1", "admin", "users", id, "role"] if method == Method::POST => {
                self.give_role(id).await
            }
            ["v1", "admin", "users", id, "role"] => {
                self.incoming.require(&Method::DELETE, "POST, DELETE")?;
                self.set_role(&self.roles().await?, id, None).await
            }
            ["v1", "admin", rest @ ..] => {
                self.incoming.require(&Method::GET, "GET")?;
                let read = self.read(rest).await?;
                note_read(self.incoming, &self.incoming.path).await?;
                Ok(read)
            }
            _ => Err(Problem::new(Code::NotFound)),
        }
    }

    async fn read(&self, segments: &[&str]) -> Result<Answer, Problem> {
        match segments {
            ["users"] => self.users().await,
            ["groups"] => self.groups(&self.platform().await?).await,
            ["groups", id, "members"] => self.members(&self.platform().await?, id).await,
            ["tenant", "users"] => self.list_users(&self.own_tenant().await?).await,
            ["tenant", "groups"] => self.groups(&self.own_tenant().await?).await,
            ["tenant", "groups", id, "members"] => {
                self.members(&self.own_tenant().await?, id).await
            }
            ["tenant", "flows"] => self.flows(&self.own_tenant().await?).await,
            ["changes"] => self.changes().await,
            ["webhooks", "deliveries"] => self.deliveries().await,
            _ => Err(Problem::new(Code::NotFound)),
        }
    }

    /// Whoever calls. A request counts here: once, whatever it asks for.
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

    async fn platform(&self) -> Result<AdminScope, Problem> {
        admin_scope::platform(&self.principal().await?)
    }

    async fn roles(&self) -> Result<AdminScope, Problem> {
        admin_scope::roles(&self.principal().await?)
    }

    async fn own_tenant(&self) -> Result<AdminScope, Problem> {
        admin_scope::own_tenant(self.principal().await?)
    }

    async fn give_role(&self, id: &str) -> Result<Answer, Problem> {
        let scope = self.roles().await?;
        let asked: RoleRequest = self.incoming.json()?;
        let role = AdminRole::parse(&asked.role).ok_or_else(|| {
            Problem::invalid_field("role", "neither tenant_admin nor super_admin")
        })?;
        self.set_role(&scope, id, Some(role)).await
    }

    async fn set_role(
        &self,
        scope: &AdminScope,
        id: &str,
        role: Option<AdminRole>,
    ) -> Result<Answer, Problem> {
        let tenant_id = Query::of(self.incoming)?.tenant_id()?;
        roles::set(self.ports, scope, id, tenant_id.as_ref(), role).await?;
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    async fn users(&self) -> Result<Answer, Problem> {
        let scope = self.platform().await?;
        let query = Query::of(self.incoming)?;
        let Some(email) = query.text("why", why::MAX_EMAIL)? else {
            return self.list_users(&scope).await;
        };
        let found = why::why(self.ports, self.remembered.directory()?, email).await?;
        Ok(answer::json(&serde_json::json!({ "why": found })))
    }

    /// The tenant whose rows are shown: the scope's own, or the one that is asked for.
    fn shown<'q>(scope: &'q AdminScope, asked: Option<&'q TenantId>) -> Option<&'q TenantId> {
        scope.tenant_id().or(asked)
    }

    async fn list_users(&self, scope: &AdminScope) -> Result<Answer, Problem> {
        let query = Query::of(self.incoming)?;
        let asked = query.tenant_id()?;
        let mut status = String::new();
        let page = query.listing(Self::shown(scope, asked.as_ref()), &mut status)?;
        let listed = listing::users(self.ports.db(), page)
            .await
            .map_err(failure::database)?;
        Ok(answer::json_text(view::list("users", &listed, &page)))
    }

    async fn groups(&self, scope: &AdminScope) -> Result<Answer, Problem> {
        let query = Query::of(self.incoming)?;
        let asked = query.tenant_id()?;
        let mut status = String::new();
        let page = query.listing(Self::shown(scope, asked.as_ref()), &mut status)?;
        let listed = listing::groups(self.ports.db(), page)
            .await
            .map_err(failure::database)?;
        Ok(answer::json_text(view::list("groups", &listed, &page)))
    }

    async fn flows(&self, scope: &AdminScope) -> Result<Answer, Problem> {
        let query = Query::of(self.incoming)?;
        let mut status = String::new();
        let page = query.listing(scope.tenant_id(), &mut status)?;
        let listed = listing::flows(self.ports.db(), page)
            .await
            .map_err(failure::database)?;
        Ok(answer::json_text(view::list("flows", &listed, &page)))
    }

    async fn members(&self, scope: &AdminScope, id: &str) -> Result<Answer, Problem> {
        let not_found = || Problem::new(Code::GroupNotFound);
        let group_id = GroupId::parse(id).map_err(|_| not_found())?;
        let query = Query::of(self.incoming)?;
        let asked = query.tenant_id()?;
        let tenant_id = Self::shown(scope, asked.as_ref());
        let mut status = String::new();
        let page = query.listing(tenant_id, &mut status)?;
        let exists = listing::has_group(self.ports.db(), &group_id, tenant_id)
            .await
            .map_err(failure::database)?;
        if !exists {
            return Err(not_found());
        }
        let listed = listing::members(self.ports.db(), &group_id, page)
            .await
            .map_err(failure::database)?;
        Ok(answer::json_text(view::list("members", &listed, &page)))
    }

    async fn changes(&self) -> Result<Answer, Problem> {
        self.platform().await?;
        let query = Query::of(self.incoming)?;
        let tenant_id = query.tenant_id()?;
        let limit = query.number("limit", 100, 1000)?;
        let cursor = query.cursor()?;
        let read = change_log::read(self.ports.db(), cursor, tenant_id.as_ref(), limit)
            .await
            .map_err(failure::database)?;
        match read {
            change_log::Read::Changes(changes) => Ok(answer::json_text(view::changes(&changes))),
            change_log::Read::Expired => Err(Problem::new(Code::CursorExpired)),
        }
    }

    async fn deliveries(&self) -> Result<Answer, Problem> {
        self.platform().await?;
        let query = Query::of(self.incoming)?;
        let (page, per_page) = query.page()?;
        let outcome = query.text("outcome", 32)?;
        let listed = webhook_delivery::list(self.ports.db(), outcome, page, per_page)
            .await
            .map_err(failure::database)?;
        let text = view::deliveries(&listed, page, per_page);
        Ok(answer::json_text(text))
    }
}
