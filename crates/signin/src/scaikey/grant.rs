//! ScaiKey's token endpoint.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::{Metadata, TokenError, TokenResponse, token};
use scaigate_types::{Outbound, OutboundError};

use super::documents;
use super::remembered::Asker;
use crate::failure;
use crate::ports::{Deadline, Ports};

/// Least time for which it is worth sending what ScaiKey takes only once.
const GRANT: Duration = Duration::from_millis(1_500);

/// Makes sure, before a code or token is sent that ScaiKey takes only once, that its answer can be
/// waited for and checked: nothing is spent for tokens that nobody could be given (N-048).
///
/// # Errors
/// [`Code::JwksUnavailable`], or [`Code::ScaikeyTimeout`] when reading the documents took so long
/// that too little time is left.
pub(crate) async fn ready_for_grant(
    ports: &impl Ports,
    metadata: &Metadata,
    deadline: Deadline,
) -> Result<(), Problem> {
    documents::keys(ports, metadata, Asker::SignIn, deadline).await?;
    if deadline.left(ports.clock()) < GRANT {
        return Err(Problem::new(Code::ScaikeyTimeout));
    }
    Ok(())
}

/// Why a grant gave no tokens: the answer for the caller, and whether ScaiKey certainly never saw
/// the request.
#[derive(Debug)]
pub struct GrantFailure {
    /// The answer.
    pub problem: Problem,
    /// No connection was made.
    pub not_received: bool,
    /// ScaiKey itself refused the grant: asking again is of no use.
    pub refused: bool,
}

/// Sends a grant to the token endpoint, once. Never repeated: no grant here is idempotent.
///
/// # Errors
/// [`GrantFailure`].
pub async fn grant(
    ports: &impl Ports,
    request: Request<Bytes>,
    grant_type: &'static str,
    redirect_uri: Option<&str>,
    deadline: Deadline,
) -> Result<TokenResponse, GrantFailure> {
    let limits = deadline.limits(ports.clock(), token::MAX_BYTES);
    let response = ports
        .outbound()
        .send(request, limits)
        .await
        .map_err(|error| GrantFailure {
            problem: failure::outbound(error),
            not_received: matches!(error, OutboundError::Refused | OutboundError::Denied),
            refused: false,
        })?;
    token::parse_response(&response).map_err(|error| GrantFailure {
        problem: failure::token(&error, grant_type, redirect_uri),
        not_received: false,
        refused: matches!(error, TokenError::Refused { .. }),
    })
}
