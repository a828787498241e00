//! One function per route: parsed input in, one flow, its result as an answer.

use std::rc::Rc;

use bytes::Bytes;
use http::Method;
use scaigate_kv::people;
use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::SpinPorts;
use scaigate_runtime::{Answer, Fields, Incoming, answer};
use scaigate_signin::settings;
use scaigate_signin::workspace::{self, Change};
use scaigate_signin::{Ports, Principal, Said, User, backchannel_logout, failure, register};
use serde::{Deserialize, Deserializer};

use crate::remembered::Remembered;
use crate::view;

thread_local! {
    // Each answer follows from the principal and the settings.
    static ME: Said<Bytes> = const { Said::new() };
    static WHOAMI: Said<Bytes> = const { Said::new() };
}

/// One request and what it is answered with.
pub struct Call<'a> {
    /// The ports.
    pub ports: &'a SpinPorts,
    /// The settings.
    pub remembered: &'a Remembered,
    /// The request.
    pub incoming: &'a Incoming,
}

/// The body of `PATCH /v1/workspace`. A member that is missing stays; `null` clears.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkspacePatch {
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    description: Option<Option<String>>,
}

fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl Call<'_> {
    /// Answers the request.
    pub async fn route(&self) -> Result<Answer, Problem> {
        let method = &self.incoming.method;
        match self.incoming.path.as_str() {
            "/v1/me" => {
                self.incoming.require(&Method::GET, "GET")?;
                self.me().await
            }
            "/v1/me/workspaces" => {
                self.incoming.require(&Method::GET, "GET")?;
                self.workspaces().await
            }
            "/v1/auth/whoami" => {
                self.incoming.require(&Method::GET, "GET")?;
                let principal = self.principal().await?;
                let text =
                    WHOAMI.with(|said| said.of(&principal, || view::whoami(&principal).into()));
                Ok(answer::json_text(text))
            }
            "/v1/auth/register" => {
                self.incoming.require(&Method::POST, "POST")?;
                self.register().await
            }
            "/v1/auth/backchannel-logout" => {
                self.incoming.require(&Method::POST, "POST")?;
                self.backchannel_logout().await
            }
            "/v1/workspace" if method == Method::GET => {
                let user = self.user().await?;
                let workspace = workspace::current(self.ports, &user).await?;
                Ok(answer::json_text(view::workspace(&workspace)))
            }
            "/v1/workspace" => {
                self.incoming.require(&Method::PATCH, "GET, PATCH")?;
                self.change_workspace().await
            }
            _ => Err(Problem::new(Code::NotFound)),
        }
    }

    async fn principal(&self) -> Result<Principal, Problem> {
        let callers = &self.remembered.callers;
        callers.principal(self.ports, self.incoming).await
    }

    async fn user(&self) -> Result<Rc<User>, Problem> {
        self.principal().await?.into_user()
    }

    async fn me(&self) -> Result<Answer, Problem> {
        let principal = self.principal().await?;
        let user = principal.user()?;
        let origin = self.remembered.callers.deployment.public_url.origin();
        let text = ME.with(|said| said.of(&principal, || view::me(user, origin.as_str()).into()));
        Ok(answer::json_text(text))
    }

    async fn workspaces(&self) -> Result<Answer, Problem> {
        let user = self.user().await?;
        let workspaces = match &user.person_id {
            Some(person_id) => people::workspaces(self.ports.db(), person_id, &user.tenant_id)
                .await
                .map_err(failure::database)?,
            None => Vec::new(),
        };
        Ok(answer::json_text(view::workspaces(&user, &workspaces)))
    }

    async fn register(&self) -> Result<Answer, Problem> {
        let user = self.user().await?;
        let registered = register::register(self.ports, &user).await?;
        Ok(answer::json_text(view::registered(&registered)))
    }

    async fn change_workspace(&self) -> Result<Answer, Problem> {
        let user = self.user().await?;
        let patch: WorkspacePatch = self.incoming.json()?;
        let change = Change {
            name: patch.name.as_deref(),
            description: patch.description.as_ref().map(Option::as_deref),
        };
        let workspace = workspace::change(self.ports, &user, change).await?;
        Ok(answer::json_text(view::workspace(&workspace)))
    }

    /// The logout token is the credential (OpenID Connect Back-Channel Logout 1.0 §2.5).
    async fn backchannel_logout(&self) -> Result<Answer, Problem> {
        let fields = Fields::of_body(self.incoming)?;
        let token = fields
            .secret("logout_token")
            .ok_or_else(|| Problem::invalid_field("logout_token", "missing"))?;
        let provider = self
            .remembered
            .callers
            .provider
            .as_ref()
            .map_err(|faults| settings::problem(faults))?;
        let ended =
            backchannel_logout::backchannel_logout(self.ports, provider, token.expose()).await?;
        Ok(answer::json(&view::backchannel_logout(ended)))
    }
}
