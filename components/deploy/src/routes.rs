//! The two routes: parsed input in, one flow, its result as an answer.

use http::{HeaderName, HeaderValue, Method};
use scaigate_flows::deploy::{self, Upstream, Wanted};
use scaigate_flows::{Content, caller, text};
use scaigate_limits::{Category, Payer};
use scaigate_problem::{Code, Problem};
use scaigate_proxy::Caller;
use scaigate_runtime::spin::{SpinPorts, admit};
use scaigate_runtime::{Answer, Incoming, answer, path};
use scaigate_signin::Principal;
use scaigate_signin::authenticate::bearer;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::remembered::Remembered;

/// RFC 9745: since the documentation that calls it deprecated, 2026-05-18.
const DEPRECATED: (HeaderName, HeaderValue) = (
    HeaderName::from_static("deprecation"),
    HeaderValue::from_static("@1779062400"),
);

/// One request and what it is answered with.
pub struct Call<'a> {
    /// The ports.
    pub ports: &'a SpinPorts,
    /// The settings.
    pub remembered: &'a Remembered,
    /// The request.
    pub incoming: &'a Incoming,
}

/// The body of both routes. Every member may be missing, but `content` of the deprecated one.
#[derive(Default, Deserialize)]
struct Body {
    content: Option<Box<RawValue>>,
    publish_as_model: Option<bool>,
    #[serde(default)]
    group_ids: Vec<String>,
}

impl Body {
    fn wanted(&self) -> Result<Wanted, Problem> {
        Ok(Wanted {
            publish_as_model: self.publish_as_model,
            group_ids: text::group_ids("group_ids", &self.group_ids)?,
        })
    }
}

impl Call<'_> {
    /// Answers the request.
    pub async fn route(&self) -> Result<Answer, Problem> {
        let segments = path::segments(&self.incoming.path);
        let segments: Vec<&str> = segments.iter().flatten().map(AsRef::as_ref).collect();
        match segments.as_slice() {
            ["v1", "flows", id, "deploy"] => {
                self.incoming.require(&Method::POST, "POST")?;
                self.deploy(id).await
            }
            ["v1", "dev", "deploy"] => {
                self.incoming.require(&Method::POST, "POST")?;
                self.dev_deploy().await
            }
            _ => Err(Problem::new(Code::NotFound)),
        }
    }

    /// The body; one that is not there asks for nothing.
    fn body(&self) -> Result<Body, Problem> {
        if self.incoming.body.is_empty() {
            return Ok(Body::default());
        }
        self.incoming.json()
    }

    async fn principal(&self) -> Result<Principal, Problem> {
        let callers = &self.remembered.callers;
        let principal = callers.principal(self.ports, self.incoming).await;
        if callers.provider.is_err() {
            return principal.map_err(caller::without_scaikey);
        }
        principal
    }

    /// A request counts here: once, whatever it asks for.
    async fn count(&self, payer: impl Into<Payer<'_>>) -> Result<(), Problem> {
        let limits = &self.remembered.limits;
        admit(self.ports, self.incoming, limits, Category::Deploy, payer).await?;
        Ok(())
    }

    async fn deploy(&self, id: &str) -> Result<Answer, Problem> {
        let principal = self.principal().await?;
        self.count(&principal).await?;
        let writer = caller::writer(self.ports, principal.clone()).await?;
        let flow_id = text::flow_id(id)?;
        let wanted = self.body()?.wanted()?;
        let grid = self.upstream(Some(Caller {
            principal: &principal,
            bearer: bearer(&self.incoming.headers).ok(),
        }));
        let done = deploy::deploy(self.ports, &grid, &writer, &flow_id, &wanted).await?;
        Ok(answer::json(&done))
    }

    async fn dev_deploy(&self) -> Result<Answer, Problem> {
        let presented = self
            .remembered
            .dev_token
            .presented(&self.incoming.headers)?;
        self.count(Payer::DevDeploy).await?;
        let caller = presented.check()?;
        let body: Body = self.incoming.json()?;
        let wanted = body.wanted()?;
        let content = body
            .content
            .ok_or_else(|| Problem::invalid_field("content", "missing"))?;
        let content = Content::new(content)?;
        let grid = self.upstream(None);
        let done = deploy::dev_deploy(&grid, caller, &content, &wanted).await?;
        let mut answer = answer::json(&done);
        let (name, value) = DEPRECATED;
        answer.headers_mut().insert(name, value);
        Ok(answer)
    }

    fn upstream<'a>(&'a self, caller: Option<Caller<'a>>) -> Upstream<'a, SpinPorts> {
        let settings = self.remembered.settings.as_ref().map_err(Clone::clone);
        Upstream::new(self.ports, settings, caller, self.incoming.request_id())
    }
}
