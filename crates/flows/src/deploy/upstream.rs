//! The calls of a deployment, sent with the caller's credential or, for the deprecated deploy, with the
//! deployment's own.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use http::Method;
use scaigate_problem::{Code, Problem};
use scaigate_proxy::call::{GridPath, OwnCall, send};
use scaigate_proxy::tenant_keys::tenant_of;
use scaigate_proxy::{Caller, Settings, credential};
use scaigate_scaigrid::Chosen;
use scaigate_signin::Ports;
use scaigate_types::{Clock, Timestamp};

use super::grid::{Grid, GridAnswer, GridCall, GridFailure};

/// How long ScaiGrid has for one call.
const PER_CALL: Duration = Duration::from_secs(30);
/// How long for all calls of a deployment.
const TOTAL: Duration = Duration::from_secs(60);

/// ScaiGrid, for one deployment.
pub struct Upstream<'a, P> {
    ports: &'a P,
    /// Or why ScaiGrid can't be spoken to: told when it is, not before.
    settings: Result<&'a Settings, Problem>,
    /// `None`: the deployment itself.
    caller: Option<Caller<'a>>,
    request_id: &'a str,
    until: Timestamp,
    /// Chosen once: all calls of a deployment are one credential's.
    chosen: RefCell<Option<Rc<Chosen>>>,
}

impl<'a, P: Ports> Upstream<'a, P> {
    /// For `caller`: their own token, the tenant's key or the deployment's, as configured. Without one,
    /// for whoever holds the token of the deprecated deploy: nobody's tenant, so the deployment's key
    /// alone (`contract/scaiflow.md` 2.9).
    #[must_use]
    pub fn new(
        ports: &'a P,
        settings: Result<&'a Settings, Problem>,
        caller: Option<Caller<'a>>,
        request_id: &'a str,
    ) -> Self {
        Self {
            ports,
            settings,
            caller,
            request_id,
            until: ports.clock().now().plus(TOTAL),
            chosen: RefCell::default(),
        }
    }

    async fn chosen(&self, settings: &Settings) -> Result<Rc<Chosen>, GridFailure> {
        let known = self.chosen.borrow().as_ref().map(Rc::clone);
        if let Some(chosen) = known {
            return Ok(chosen);
        }
        let chosen = match self.caller {
            Some(caller) => credential::choose(self.ports, settings, caller).await,
            None => credential::of_deployment(settings),
        };
        let chosen = Rc::new(chosen.map_err(|problem| self.without_credential(problem))?);
        self.chosen.replace(Some(Rc::clone(&chosen)));
        Ok(chosen)
    }

    fn without_credential(&self, problem: Problem) -> GridFailure {
        if problem.code() != Code::MissingCredentials {
            return GridFailure::Failed(problem);
        }
        let tenant = self.caller.and_then(|caller| tenant_of(caller.principal));
        let message = match tenant {
            Some(tenant) => format!("no ScaiGrid credentials for tenant '{tenant}'"),
            None => "no ScaiGrid credentials for this deployment".to_owned(),
        };
        GridFailure::MissingCredentials(problem.with_detail_member("message", message))
    }
}

impl<P: Ports> Grid for Upstream<'_, P> {
    async fn call(&self, call: GridCall<'_>) -> Result<GridAnswer, GridFailure> {
        let settings = self.settings.clone().map_err(GridFailure::Failed)?;
        let chosen = self.chosen(settings).await?;
        let path = GridPath::of(&call.segments())
            .ok_or_else(|| GridFailure::Failed(Problem::new(Code::Internal)))?;
        let path = match call.cursor() {
            Some(cursor) => path.with_query("cursor", cursor.as_str()),
            None => path,
        };
        let timeout = self.until.since(self.ports.clock().now()).min(PER_CALL);
        if timeout.is_zero() {
            return Err(GridFailure::NoAnswer(Problem::new(Code::ScaigridTimeout)));
        }
        let method = call.method();
        let own = OwnCall {
            content_type: (method == Method::POST).then_some("application/json"),
            method,
            path: &path,
            body: call.body(),
            request_id: self.request_id,
            timeout,
        };
        send(self.ports, settings, &chosen, own)
            .await
            .map_err(|problem| match problem.code() {
                Code::Internal => GridFailure::Failed(problem),
                _ => GridFailure::NoAnswer(problem),
            })
    }
}
