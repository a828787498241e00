//! One request to ScaiGrid, from its target to its answer.

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body::Body;
use scaigate_problem::Problem;
use scaigate_scaigrid::{Admitted, UpstreamPath};

use crate::credential::{self, Caller};
use crate::lookup::{Listed, Lookup};
use crate::pass::{Download, GridPorts, Pass, Passed};
use crate::settings::Settings;
use crate::{failure, permission};

/// A request that somebody known sends.
#[derive(Debug)]
pub struct Call<'a> {
    /// What is asked for, by [`read`].
    pub path: UpstreamPath,
    /// The client's headers, all of them.
    pub headers: &'a HeaderMap,
    /// Who asks.
    pub caller: Caller<'a>,
    /// Under which our log has it; ScaiGrid's will, too.
    pub request_id: &'a str,
}

/// What is answered.
#[derive(Debug)]
pub enum Served<B> {
    /// A list of ours.
    Listed(Listed),
    /// ScaiGrid's answer, passing through.
    Passed(Passed<B>),
}

/// Reads method and target, the path and query as they were received but for the `/api` in front.
///
/// # Errors
/// Why they lead nowhere; nothing is repaired.
pub fn read(method: &Method, target: &str) -> Result<UpstreamPath, Problem> {
    UpstreamPath::parse(method, target).map_err(failure::path)
}

/// Answers a request. `body` is read only where the route takes one.
///
/// # Errors
/// The caller lacks the permission, the call is not enabled, or there is no credential; ScaiGrid
/// refuses, does not answer, or answers what is not passed on; a store or ScaiKey does not answer.
pub async fn serve<P, U>(
    ports: &P,
    settings: &Settings,
    call: Call<'_>,
    body: U,
) -> Result<Served<Download<P>>, Problem>
where
    P: GridPorts,
    U: Body<Data = Bytes> + Unpin + 'static,
{
    let Call {
        path,
        headers,
        caller,
        request_id,
    } = call;
    permission::require(ports, caller.principal, path.route().permission()).await?;
    settings.grid.allowed_posts.check(path.route())?;
    let admitted = Admitted::new(path, headers).map_err(failure::headers)?;
    let chosen = credential::choose(ports, settings, caller).await?;
    if admitted.path().route().is_lookup() {
        let lookup = Lookup {
            ports,
            settings,
            caller,
            chosen,
            request_id,
        };
        return lookup.run(&admitted).await.map(Served::Listed);
    }
    let pass = Pass {
        ports,
        settings,
        chosen,
        request_id,
    };
    let passed = if admitted.path().route().is_read() {
        pass.read(&admitted).await?
    } else {
        pass.call(&admitted, headers, body).await?
    };
    Ok(Served::Passed(passed))
}
