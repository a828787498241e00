//! ScaiKey tells us that somebody has signed out there (`POST /v1/auth/backchannel-logout`,
//! OpenID Connect Back-Channel Logout 1.0).

use std::time::Duration;

use scaigate_jose::{
    LogoutToken, LogoutTokenError, LogoutTokenExpectation, UnverifiedJwt, VerifyError, token_hash,
    verify_logout_token,
};
use scaigate_kv::session::Whose;
use scaigate_kv::{logout_token, people, revocation};
use scaigate_problem::{Code, Problem};
use scaigate_types::{Clock, Database, Issuer, Subject, Timestamp, Transaction};

use crate::authenticate::subject_digest;
use crate::ports::{Deadline, Ports};
use crate::scaikey::{self, Asker, SKEW};
use crate::settings::Provider;
use crate::{failure, revoke};

/// How old a logout token may be (§2.6 leaves it to us; §4 suggests two minutes of life).
const MAX_AGE: Duration = Duration::from_secs(300);

/// Acts on a logout token, once: ends the sessions it names. The number of sessions ended.
///
/// A token that names a person and no session also revokes ScaiKey's access tokens of that person
/// that were issued before it.
///
/// # Errors
/// [`Code::LogoutTokenInvalid`], [`Code::LogoutTokenReplayed`]; ScaiKey's keys can't be read; or a
/// store does not answer, which refuses the token and leaves it good for another try.
pub async fn backchannel_logout(
    ports: &impl Ports,
    provider: &Provider,
    compact: &str,
) -> Result<usize, Problem> {
    let token = verified(ports, provider, compact).await?;
    let tx = ports.db().begin().await.map_err(failure::database)?;
    let expires_at = token.issued_at.plus(MAX_AGE).plus(SKEW).plus(SKEW);
    let token_hash = token_hash("logout_token", &format!("{} {}", token.issuer, token.jti));
    if !logout_token::claim(&tx, &token_hash, expires_at)
        .await
        .map_err(failure::database)?
    {
        return Err(Problem::new(Code::LogoutTokenReplayed).with_oauth_error("invalid_request"));
    }
    let issuer = &speaks_for(&token);
    let whose = match (&token.subject, &token.sid) {
        (Some(subject), Some(sid)) => Whose::SubjectAndSession {
            issuer,
            subject,
            sid,
        },
        (Some(subject), None) => Whose::Subject { issuer, subject },
        (None, Some(sid)) => Whose::ScaikeySession { issuer, sid },
        (None, None) => return Err(refused(&LogoutTokenError::NoTarget)),
    };
    if let (Some(subject), None) = (&token.subject, &token.sid) {
        revoke_access_tokens(ports, &tx, issuer, subject, token.issued_at).await?;
    }
    let ended = revoke::end_all(ports, &tx, whose, "backchannel_logout").await?;
    tx.commit().await.map_err(failure::database)?;
    Ok(ended)
}

/// The issuer whose people are meant: of the tenant, if the token names one. The platform's token
/// for one tenant says nothing of somebody with the same `sub` in another (N-088).
fn speaks_for(token: &LogoutToken) -> Issuer {
    token
        .tenant_id
        .as_ref()
        .and_then(|tenant_id| token.issuer.of_tenant(tenant_id).ok())
        .unwrap_or_else(|| token.issuer.clone())
}

async fn revoke_access_tokens(
    ports: &impl Ports,
    tx: &impl Transaction,
    issuer: &Issuer,
    subject: &Subject,
    until: Timestamp,
) -> Result<(), Problem> {
    let mut issuers = people::issuers_of(tx, issuer, subject)
        .await
        .map_err(failure::database)?;
    // Somebody who was never here may hold a token all the same.
    if !issuers.contains(issuer) {
        issuers.push(issuer.clone());
    }
    for issuer in issuers {
        let digest = subject_digest(&issuer, subject.as_str());
        revocation::revoke_subject(ports.kv(), &digest, until)
            .await
            .map_err(failure::kv)?;
    }
    Ok(())
}

async fn verified(
    ports: &impl Ports,
    provider: &Provider,
    compact: &str,
) -> Result<LogoutToken, Problem> {
    let jwt = UnverifiedJwt::parse(compact).map_err(|error| {
        Problem::new(Code::LogoutTokenInvalid)
            .with("reason", error.to_string())
            .with_oauth_error("invalid_request")
    })?;
    let deadline = Deadline::start(ports.clock());
    let metadata = scaikey::metadata_for(ports, provider, Asker::Bearer, deadline).await?;
    let expectation = LogoutTokenExpectation {
        issuer: &metadata.issuer,
        client_id: &provider.client_id,
        now: ports.clock().now(),
        skew: SKEW,
        max_age: MAX_AGE,
    };
    let (outcome, _) = scaikey::check(
        ports,
        &metadata,
        &jwt,
        Asker::Bearer,
        deadline,
        |keys| verify_logout_token(&jwt, keys, &expectation),
        |error| matches!(error, LogoutTokenError::Verify(VerifyError::Signature)),
    )
    .await?;
    outcome.map_err(|error| refused(&error))
}

fn refused(error: &LogoutTokenError) -> Problem {
    Problem::new(Code::LogoutTokenInvalid)
        .with("reason", failure::reason(error))
        .with_oauth_error("invalid_request")
}
