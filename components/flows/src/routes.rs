//! Which request is which, and who is calling.

use scaigate_flows::{Reader, Writer, caller};
use scaigate_limits::Category;
use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::{SpinPorts, admit};
use scaigate_runtime::{Answer, Incoming, path};
use scaigate_signin::Principal;

use crate::remembered::Remembered;

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
        let segments = path::segments(&self.incoming.path);
        let segments: Vec<&str> = segments.iter().flatten().map(AsRef::as_ref).collect();
        match segments.as_slice() {
            ["v1", "flows", rest @ ..] => self.flows(rest).await,
            ["v1", "catalog", rest @ ..] => self.catalog(rest).await,
            _ => Err(Problem::new(Code::NotFound)),
        }
    }

    /// The method is none of those that the address takes.
    pub fn refuse_method<T>(&self, allow: &'static str) -> Result<T, Problem> {
        Err(Problem::new(Code::MethodNotAllowed).with_allow(allow))
    }

    /// Somebody who may look.
    pub async fn reader(&self) -> Result<Reader, Problem> {
        let principal = self.principal(Category::Lookup).await?;
        caller::reader(self.ports, principal).await
    }

    /// Somebody who may change.
    pub async fn writer(&self) -> Result<Writer, Problem> {
        let principal = self.principal(Category::Deploy).await?;
        caller::writer(self.ports, principal).await
    }

    /// Whoever calls. A request counts here: once, whatever it asks for.
    async fn principal(&self, category: Category) -> Result<Principal, Problem> {
        let principal = self.caller().await?;
        let limits = &self.remembered.limits;
        admit(self.ports, self.incoming, limits, category, &principal).await?;
        Ok(principal)
    }

    async fn caller(&self) -> Result<Principal, Problem> {
        let callers = &self.remembered.callers;
        let principal = callers.principal(self.ports, self.incoming).await;
        if callers.provider.is_err() {
            return principal.map_err(caller::without_scaikey);
        }
        principal
    }
}
