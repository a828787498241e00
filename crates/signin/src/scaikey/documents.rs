//! ScaiKey's discovery document and its keys.

use std::rc::Rc;

use bytes::Bytes;
use http::{Request, Response};
use scaigate_jose::{
    AccessToken, AccessTokenError, AccessTokenExpectation, Jwks, UnverifiedJwt, VerifyError,
    token_hash, verify_access_token,
};
use scaigate_kv::keys;
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::{DiscoveryError, Metadata, discovery, jwks};
use scaigate_types::{Clock, Outbound};

use super::SKEW;
use super::remembered::{Asker, Read, Source};
use crate::failure;
use crate::ports::{Deadline, Ports};
use crate::settings::Provider;

/// ScaiKey's discovery document.
///
/// # Errors
/// Why there is none, with what to do.
pub async fn metadata(
    ports: &impl Ports,
    provider: &Provider,
    deadline: Deadline,
) -> Result<Rc<Metadata>, Problem> {
    metadata_for(ports, provider, Asker::SignIn, deadline).await
}

pub(crate) async fn metadata_for(
    ports: &impl Ports,
    provider: &Provider,
    asker: Asker,
    deadline: Deadline,
) -> Result<Rc<Metadata>, Problem> {
    let source = Source {
        slot: &ports.memory().metadata,
        key: keys::discovery(&token_hash("discovery", provider.base.as_str())),
        parse: |body: &str| {
            serde_json::from_str::<Metadata>(body)
                .ok()
                .filter(|metadata| metadata.check(&provider.base).is_ok())
        },
    };
    let fetch = async || {
        let metadata = fetch_metadata(ports, provider, deadline).await?;
        let body = serde_json::to_string(&metadata).map_err(|_| Problem::new(Code::Internal))?;
        Ok((metadata, body))
    };
    Ok(source.read(ports, asker, deadline, fetch).await?.value)
}

async fn fetch_metadata(
    ports: &impl Ports,
    provider: &Provider,
    deadline: Deadline,
) -> Result<Metadata, Problem> {
    let mut last = DiscoveryError::NotFound;
    for request in discovery::requests(&provider.base) {
        let response = send(ports, request, deadline, discovery::MAX_BYTES).await?;
        match discovery::parse_response(&provider.base, &response) {
            Ok(metadata) => return Ok(metadata),
            Err(DiscoveryError::NotFound) => last = DiscoveryError::NotFound,
            Err(error) => {
                last = error;
                break;
            }
        }
    }
    Err(failure::discovery(&last))
}

async fn send(
    ports: &impl Ports,
    request: Request<Bytes>,
    deadline: Deadline,
    max_body: usize,
) -> Result<Response<Bytes>, Problem> {
    let limits = deadline.limits(ports.clock(), max_body);
    ports
        .outbound()
        .send(request, limits)
        .await
        .map_err(failure::outbound)
}

fn read_keys(body: &str) -> Option<Jwks> {
    Jwks::parse(body.as_bytes()).ok()
}

/// ScaiKey's keys.
pub(crate) async fn keys(
    ports: &impl Ports,
    metadata: &Metadata,
    asker: Asker,
    deadline: Deadline,
) -> Result<Read<Jwks>, Problem> {
    let source = Source {
        slot: &ports.memory().keys,
        key: keys::jwks(&token_hash("jwks", &metadata.jwks_uri)),
        parse: read_keys,
    };
    let fetch = async || fetch_keys(ports, metadata, deadline).await;
    source.read(ports, asker, deadline, fetch).await
}

/// ScaiKey's keys, for a token that those at hand do not verify.
async fn keys_for(
    ports: &impl Ports,
    metadata: &Metadata,
    jwt: &UnverifiedJwt<'_>,
    asker: Asker,
    deadline: Deadline,
) -> Result<Read<Jwks>, Problem> {
    let source = Source {
        slot: &ports.memory().keys,
        key: keys::jwks(&token_hash("jwks", &metadata.jwks_uri)),
        parse: read_keys,
    };
    // Without `kid` nothing says that a key is there but the signature.
    let contains = |keys: &Jwks| match jwt.kid() {
        Some(_) => keys.has_key_for(jwt),
        None => keys.verify(jwt).is_ok(),
    };
    let fetch = async || fetch_keys(ports, metadata, deadline).await;
    source.search(ports, asker, deadline, contains, fetch).await
}

async fn fetch_keys(
    ports: &impl Ports,
    metadata: &Metadata,
    deadline: Deadline,
) -> Result<(Jwks, String), Problem> {
    let request = jwks::request(metadata);
    let limits = deadline.limits(ports.clock(), jwks::MAX_BYTES);
    let response = ports
        .outbound()
        .send(request, limits)
        .await
        .map_err(|error| Problem::new(Code::JwksUnavailable).with("reason", error.to_string()))?;
    let body = jwks::parse_response(&response).map_err(failure::keys_answer)?;
    let keys = Jwks::parse(body).map_err(failure::keys)?;
    let text = String::from_utf8(body.to_vec())
        .map_err(|_| Problem::new(Code::JwksUnavailable).with("reason", "not UTF-8"))?;
    Ok((keys, text))
}

/// Checks a token with ScaiKey's keys, and with keys read anew when those at hand do not know its
/// key. `is_signature` tells the failure that may mean a missing key where the token names none.
///
/// # Errors
/// There are no keys to check with; in particular the token's key is not known and ScaiKey does
/// not answer, which is neither yes nor no ([`Code::JwksUnavailable`]).
pub(crate) async fn check<T, E>(
    ports: &impl Ports,
    metadata: &Metadata,
    jwt: &UnverifiedJwt<'_>,
    asker: Asker,
    deadline: Deadline,
    verify: impl Fn(&Jwks) -> Result<T, E>,
    is_signature: impl Fn(&E) -> bool,
) -> Result<(Result<T, E>, Rc<Jwks>), Problem> {
    let known = keys(ports, metadata, asker, deadline).await?;
    let is_missing = |keys: &Jwks, outcome: &Result<T, E>| {
        !keys.has_key_for(jwt) || jwt.kid().is_none() && outcome.as_ref().is_err_and(&is_signature)
    };
    let outcome = verify(&known.value);
    if !is_missing(&known.value, &outcome) {
        return Ok((outcome, known.value));
    }
    let found = keys_for(ports, metadata, jwt, asker, deadline).await?;
    let outcome = verify(&found.value);
    if !found.is_current && is_missing(&found.value, &outcome) {
        return Err(Problem::new(Code::JwksUnavailable).with(
            "reason",
            "the token's key is not known, and ScaiKey does not answer",
        ));
    }
    Ok((outcome, found.value))
}

/// Checks an access token that somebody bears, for one of `audiences`.
///
/// # Errors
/// As [`check`].
pub(crate) async fn check_access_token(
    ports: &impl Ports,
    metadata: &Metadata,
    jwt: &UnverifiedJwt<'_>,
    audiences: &[String],
    deadline: Deadline,
) -> Result<Result<AccessToken, AccessTokenError>, Problem> {
    let expectation = AccessTokenExpectation {
        issuer: &metadata.issuer,
        audiences,
        now: ports.clock().now(),
        skew: SKEW,
    };
    let (outcome, _) = check(
        ports,
        metadata,
        jwt,
        Asker::Bearer,
        deadline,
        |keys| verify_access_token(jwt, keys, &expectation),
        |error| matches!(error, AccessTokenError::Verify(VerifyError::Signature)),
    )
    .await?;
    Ok(outcome)
}
