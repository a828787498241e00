//! `/v1/catalog`: one function per route.

use http::{Method, StatusCode};
use scaigate_flows::catalog::{self, Shown, Source};
use scaigate_flows::text;
use scaigate_problem::{Code, Problem};
use scaigate_runtime::{Answer, answer};

use crate::body::{self, Publish, Visibility};
use crate::query::Query;
use crate::routes::Call;

impl Call<'_> {
    /// Answers below `/v1/catalog`.
    pub async fn catalog(&self, segments: &[&str]) -> Result<Answer, Problem> {
        let method = &self.incoming.method;
        match segments {
            [] => self.browse().await,
            ["publish"] => self.publish().await,
            [id] if method == Method::PATCH => self.show(id).await,
            [id] if method == Method::DELETE => self.remove(id).await,
            [_] => self.refuse_method("PATCH, DELETE"),
            [id, "install"] => self.install(id).await,
            _ => Err(Problem::new(Code::NotFound)),
        }
    }

    async fn browse(&self) -> Result<Answer, Problem> {
        self.incoming.require(&Method::GET, "GET")?;
        let reader = self.reader().await?;
        let rows = catalog::browse(self.ports, &reader).await?;
        Ok(answer::json_text(rows))
    }

    async fn publish(&self) -> Result<Answer, Problem> {
        self.incoming.require(&Method::POST, "POST")?;
        let writer = self.writer().await?;
        let body: Publish = self.incoming.json()?;
        let package_id = body::required("package_id", body.package_id.as_deref())?;
        let version = body::required("version", body.version.as_deref())?;
        let flow_id = body.flow_id.as_deref().map(text::flow_id).transpose()?;
        let content = body.content.map(scaigate_flows::Content::new).transpose()?;
        let source = match (&flow_id, &content) {
            // Where both are given, the flow is what ScaiFlow prefers.
            (Some(flow_id), _) => Source::Flow(flow_id),
            (None, Some(content)) => Source::Content(content),
            (None, None) => {
                let reason = "missing, and no content either";
                return Err(Problem::invalid_field("flow_id", reason));
            }
        };
        let groups = &body.visibility_group_ids;
        let shown = match &body.visibility {
            Some(visibility) => Some(Shown::parse(visibility, groups)?),
            None if !groups.is_empty() => {
                let reason = "missing beside visibility_group_ids";
                return Err(Problem::invalid_field("visibility", reason));
            }
            None => None,
        };
        let publish = catalog::Publish {
            package_id: &text::new_package_id(package_id)?,
            name: body::required("name", body.name.as_deref())?,
            description: body.description.as_deref(),
            version: catalog::version(version)?,
            readme: body.readme.as_deref(),
            shown: shown.as_ref(),
            source,
        };
        let row = catalog::publish(self.ports, &writer, publish).await?;
        let mut answer = answer::json_text(row);
        *answer.status_mut() = StatusCode::CREATED;
        Ok(answer)
    }

    async fn install(&self, id: &str) -> Result<Answer, Problem> {
        self.incoming.require(&Method::POST, "POST")?;
        let reader = self.reader().await?;
        let package_id = text::package_id(id)?;
        let tenant_id = Query::of(self.incoming)?.tenant_id()?;
        let copy = catalog::install(self.ports, &reader, tenant_id.as_ref(), &package_id).await?;
        Ok(answer::json_text(copy))
    }

    async fn show(&self, id: &str) -> Result<Answer, Problem> {
        let writer = self.writer().await?;
        let package_id = text::package_id(id)?;
        let tenant_id = Query::of(self.incoming)?.tenant_id()?;
        let body: Visibility = self.incoming.json()?;
        let visibility = body::required("visibility", body.visibility.as_deref())?;
        let shown = Shown::parse(visibility, &body.visibility_group_ids)?;
        let tenant_id = tenant_id.as_ref();
        let row = catalog::show(self.ports, &writer, tenant_id, &package_id, &shown).await?;
        Ok(answer::json_text(row))
    }

    async fn remove(&self, id: &str) -> Result<Answer, Problem> {
        let writer = self.writer().await?;
        let package_id = text::package_id(id)?;
        let tenant_id = Query::of(self.incoming)?.tenant_id()?;
        catalog::delete(self.ports, &writer, tenant_id.as_ref(), &package_id).await?;
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }
}
