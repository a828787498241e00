//! One function per route: parsed input in, one flow, its result as an answer.

use std::rc::Rc;

use http::{HeaderValue, Method, header};
use scaigate_console::{
    Console, Request, Returned, Route, SIGNED_IN_PATH, Settings, foreign_navigation, of_own_page,
};
use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::{SpinClock, SpinEntropy, SpinOutbound};
use scaigate_runtime::{Answer, Fields, Incoming, answer, path};
use serde::Deserialize;
use serde_json::json;

use crate::{failure, files};

/// One request of a console that is set up.
struct Call<'a> {
    console: Console<'a, SpinClock, SpinEntropy, SpinOutbound>,
    incoming: &'a Incoming,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkspaceRequest {
    workspace_id: String,
}

/// Answers the request. The page itself needs no settings: it shows what is wrong with them.
pub async fn route(
    settings: Result<Rc<Settings>, Problem>,
    incoming: &Incoming,
) -> Result<Answer, Problem> {
    if let Some((content_type, content)) = files::find(&incoming.path) {
        incoming.require(&Method::GET, "GET")?;
        return Ok(files::answer(incoming, content_type, content));
    }
    let is_navigation = matches!(incoming.path.as_str(), "/console/sign-in" | SIGNED_IN_PATH);
    let settings = match settings {
        Err(problem) if is_navigation && incoming.wants_html() => {
            return Ok(failure::page(&problem, incoming));
        }
        settings => settings?,
    };
    let call = Call {
        console: Console {
            settings: &settings,
            clock: &SpinClock,
            entropy: &SpinEntropy,
            outbound: &SpinOutbound,
        },
        incoming,
    };
    if is_navigation {
        incoming.require(&Method::GET, "GET")?;
        let outcome = match incoming.path.as_str() {
            SIGNED_IN_PATH => call.signed_in().await,
            _ => call.sign_in().await,
        };
        return outcome.or_else(|problem| {
            if incoming.wants_html() {
                Ok(failure::page(&problem, incoming))
            } else {
                Err(problem)
            }
        });
    }
    of_own_page(&incoming.headers, &settings.public_url)?;
    match incoming.path.as_str() {
        "/console/sign-out" => call.sign_out().await,
        "/console/workspace" => call.switch_workspace().await,
        path => match path.strip_prefix("/console/api") {
            Some(rest) => call.pass(rest).await,
            None => Err(Problem::new(Code::NotFound)),
        },
    }
}

fn with_cookies(mut answer: Answer, cookies: impl IntoIterator<Item = HeaderValue>) -> Answer {
    for cookie in cookies {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

impl Call<'_> {
    fn cookies(&self) -> impl Fn(&str) -> Option<String> {
        |name: &str| self.incoming.cookie(name).map(str::to_owned)
    }

    /// Whether the browser is at the host that ScaiKey sends it back to: a cookie belongs to its host
    /// (S-01: localhost and 127.0.0.1 are two).
    fn is_at_home(&self) -> bool {
        let own = self.console.settings.public_url.origin().as_str();
        match (own.split_once("://"), self.incoming.header(header::HOST)) {
            (Some((_, own)), Some(host)) => own.eq_ignore_ascii_case(host),
            _ => true,
        }
    }

    /// `GET /console/sign-in`: to ScaiKey. Another site's link leads to the page instead, where the
    /// person decides.
    async fn sign_in(&self) -> Result<Answer, Problem> {
        let home = self.console.settings.public_url.join("/");
        if foreign_navigation(&self.incoming.headers) || !self.is_at_home() {
            return Ok(answer::see_other(&home));
        }
        let begun = self.console.begin(&self.cookies()).await?;
        Ok(with_cookies(
            answer::see_other(&begun.location),
            begun.cookies,
        ))
    }

    /// `GET /console/signed-in`: back from ScaiKey, by way of the callback.
    async fn signed_in(&self) -> Result<Answer, Problem> {
        let fields = Fields::of_query(self.incoming)?;
        let returned = Returned {
            state: fields.get("state"),
            session_code: fields.get("session_code"),
            error: fields.get("error"),
        };
        let cookies = self.console.complete(&self.cookies(), returned).await?;
        let home = self.console.settings.public_url.join("/");
        Ok(with_cookies(answer::see_other(&home), cookies))
    }

    /// `POST /console/sign-out`.
    async fn sign_out(&self) -> Result<Answer, Problem> {
        self.incoming.require(&Method::POST, "POST")?;
        let (outcome, cookie) = self.console.sign_out(&self.cookies()).await;
        let body = serde_json::to_string(&outcome).map_err(|_| Problem::new(Code::Internal))?;
        Ok(with_cookies(answer::json_text(body), cookie))
    }

    /// `POST /console/workspace`: goes on in another workspace.
    async fn switch_workspace(&self) -> Result<Answer, Problem> {
        self.incoming.require(&Method::POST, "POST")?;
        let asked: WorkspaceRequest = self.incoming.json()?;
        let cookie = self
            .console
            .switch_workspace(&self.cookies(), &asked.workspace_id)
            .await?;
        let answer = answer::json(&json!({ "workspace_id": asked.workspace_id }));
        Ok(with_cookies(answer, [cookie]))
    }

    /// `/console/api/v1/…`: a call of the page's, for whoever is signed in.
    async fn pass(&self, path: &str) -> Result<Answer, Problem> {
        let incoming = self.incoming;
        let segments = path::segments(path).ok_or_else(|| Problem::new(Code::NotFound))?;
        let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        let route =
            Route::find(&incoming.method, &segments).ok_or_else(|| Problem::new(Code::NotFound))?;
        let request = Request {
            method: &incoming.method,
            query: &incoming.query,
            body: &incoming.body,
            headers: &incoming.headers,
            request_id: incoming.request_id(),
        };
        let passed = self.console.pass(&self.cookies(), &route, request).await?;
        Ok(with_cookies(passed.answer, passed.cookie))
    }
}
