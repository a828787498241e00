//! `/v1/flows`: one function per route.

use http::{Method, StatusCode};
use scaigate_flows::preview::{self, Format};
use scaigate_flows::{acl, deploy, flow, text};
use scaigate_problem::{Code, Problem};
use scaigate_runtime::{Answer, answer};

use crate::body::{self, Change, Grant, Preview, Save};
use crate::query::Query;
use crate::routes::Call;

fn created(text: String) -> Answer {
    let mut answer = answer::json_text(text);
    *answer.status_mut() = StatusCode::CREATED;
    answer
}

/// `{"items": […], "total": n}`.
fn items(listed: &scaigate_kv::flow::Listed) -> Answer {
    answer::json_text(format!(
        "{{\"items\":{},\"total\":{}}}",
        listed.rows, listed.total
    ))
}

impl Call<'_> {
    /// Answers below `/v1/flows`. What is a name of its own comes before what is a flow's.
    pub async fn flows(&self, segments: &[&str]) -> Result<Answer, Problem> {
        let method = &self.incoming.method;
        match segments {
            [] if method == Method::GET => self.list().await,
            [] if method == Method::POST => self.save().await,
            [] => self.refuse_method("GET, POST"),
            ["compile"] => self.compile().await,
            ["validate"] => self.validate().await,
            [id] if method == Method::GET => self.detail(id).await,
            [id] if method == Method::PUT => self.change(id).await,
            [id] if method == Method::DELETE => self.delete(id).await,
            [_] => self.refuse_method("GET, PUT, DELETE"),
            [id, "acls"] if method == Method::GET => self.acls(id).await,
            [id, "acls"] if method == Method::POST => self.grant(id).await,
            [_, "acls"] => self.refuse_method("GET, POST"),
            [id, "acls", acl_id] => self.revoke(id, acl_id).await,
            [id, "versions"] => self.versions(id).await,
            [id, "versions", version] => self.version(id, version).await,
            [id, "deployments"] => self.deployments(id).await,
            // Documented, and not ours: the compiler's tests, presence, the Yjs relay.
            [_, "run-tests" | "presence" | "sync"] => Err(Problem::new(Code::NotImplemented)),
            _ => Err(Problem::new(Code::NotFound)),
        }
    }

    async fn list(&self) -> Result<Answer, Problem> {
        let reader = self.reader().await?;
        let query = Query::of(self.incoming)?;
        let listed = flow::list(self.ports, &reader, query.page()?).await?;
        Ok(items(&listed))
    }

    async fn save(&self) -> Result<Answer, Problem> {
        let writer = self.writer().await?;
        let body: Save = self.incoming.json()?;
        let content = body::content(body.content)?;
        let new = flow::New {
            name: body::required("name", body.name.as_deref())?,
            description: body.description.as_deref(),
            content: &content,
        };
        flow::create(self.ports, &writer, new).await.map(created)
    }

    async fn detail(&self, id: &str) -> Result<Answer, Problem> {
        let reader = self.reader().await?;
        let flow_id = text::flow_id(id)?;
        let detail = flow::get(self.ports, &reader, &flow_id).await?;
        Ok(answer::json_text(detail))
    }

    async fn change(&self, id: &str) -> Result<Answer, Problem> {
        let writer = self.writer().await?;
        let flow_id = text::flow_id(id)?;
        let body: Change = self.incoming.json()?;
        let content = body.content.map(scaigate_flows::Content::new).transpose()?;
        let update = flow::Update {
            name: body.name.as_deref(),
            description: body.description.as_ref().map(Option::as_deref),
            content: content.as_ref(),
        };
        let detail = flow::update(self.ports, &writer, &flow_id, update).await?;
        Ok(answer::json_text(detail))
    }

    async fn delete(&self, id: &str) -> Result<Answer, Problem> {
        let writer = self.writer().await?;
        flow::delete(self.ports, &writer, &text::flow_id(id)?).await?;
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    async fn versions(&self, id: &str) -> Result<Answer, Problem> {
        self.incoming.require(&Method::GET, "GET")?;
        let reader = self.reader().await?;
        let limit = Query::of(self.incoming)?.limit()?;
        let listed = flow::versions(self.ports, &reader, &text::flow_id(id)?, limit).await?;
        Ok(items(&listed))
    }

    async fn version(&self, id: &str, version: &str) -> Result<Answer, Problem> {
        self.incoming.require(&Method::GET, "GET")?;
        let reader = self.reader().await?;
        let flow_id = text::flow_id(id)?;
        let detail = flow::version(self.ports, &reader, &flow_id, version).await?;
        Ok(answer::json_text(detail))
    }

    async fn deployments(&self, id: &str) -> Result<Answer, Problem> {
        self.incoming.require(&Method::GET, "GET")?;
        let reader = self.reader().await?;
        let limit = Query::of(self.incoming)?.limit()?;
        let flow_id = text::flow_id(id)?;
        let listed = deploy::deployments(self.ports, &reader, &flow_id, limit).await?;
        Ok(items(&listed))
    }

    async fn compile(&self) -> Result<Answer, Problem> {
        self.incoming.require(&Method::POST, "POST")?;
        let reader = self.reader().await?;
        let body: Preview = self.incoming.json()?;
        let content = body::content(body.content)?;
        let format = body::required("format", body.format.as_deref())?;
        let format = Format::parse(format)
            .ok_or_else(|| Problem::invalid_field("format", "none of yaml, ir and scai"))?;
        Ok(answer::json(&preview::compile(&reader, &content, format)))
    }

    async fn validate(&self) -> Result<Answer, Problem> {
        self.incoming.require(&Method::POST, "POST")?;
        let reader = self.reader().await?;
        let body: Preview = self.incoming.json()?;
        let content = body::content(body.content)?;
        Ok(answer::json(&preview::validate(&reader, &content)))
    }

    async fn acls(&self, id: &str) -> Result<Answer, Problem> {
        let reader = self.reader().await?;
        let rows = acl::list(self.ports, &reader, &text::flow_id(id)?).await?;
        Ok(answer::json_text(rows))
    }

    async fn grant(&self, id: &str) -> Result<Answer, Problem> {
        let writer = self.writer().await?;
        let flow_id = text::flow_id(id)?;
        let body: Grant = self.incoming.json()?;
        let wanted = acl::Wanted {
            principal_type: body::required("principal_type", body.principal_type.as_deref())?,
            principal_id: body::required("principal_id", body.principal_id.as_deref())?,
            level: body::required("level", body.level.as_deref())?,
        };
        acl::grant(self.ports, &writer, &flow_id, wanted)
            .await
            .map(created)
    }

    async fn revoke(&self, id: &str, acl_id: &str) -> Result<Answer, Problem> {
        self.incoming.require(&Method::DELETE, "DELETE")?;
        let writer = self.writer().await?;
        acl::revoke(self.ports, &writer, &text::flow_id(id)?, acl_id).await?;
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }
}
