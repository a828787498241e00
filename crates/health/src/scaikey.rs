//! ScaiKey: its discovery, keys, token endpoint and sign-in page, each asked for real. No credential of
//! ours is sent.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, Uri};
use scaigate_jose::{Jwks, sha256, token_hash};
use scaigate_kv::{document, keys};
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::{
    AuthorizeRequest, DiscoveryError, Metadata, Prompt, date, discovery, form, jwks,
};
use scaigate_signin::begin::CALLBACK_PATH;
use scaigate_signin::settings::{Deployment, Provider};
use scaigate_signin::{Deadline, Ports, failure};
use scaigate_types::encoding::base64url;
use scaigate_types::{Clock, Outbound, OutboundError, Timestamp};

use crate::check::Check;
use crate::finding::{Finding, Severity};
use crate::list::Name;
use crate::settings::Judged;
use crate::stores::step;

/// ScaiKey writes its time to the second, and an answer takes its while.
const SKEW_SEEN: Duration = Duration::from_secs(5);
/// From here on tokens are refused.
const SKEW_TOO_LARGE: Duration = Duration::from_secs(60);
/// Largest answer of a page that is read.
const MAX_PAGE: usize = 262_144;

/// Everything about ScaiKey.
pub async fn checks(ports: &impl Ports, judged: &Judged) -> Vec<Check> {
    let Some(provider) = &judged.provider else {
        return Vec::new();
    };
    let deadline = Deadline::start(ports.clock());
    let (mut discovery, metadata) = discovery(ports, provider, deadline).await;
    let Some(metadata) = metadata else {
        // Without it nobody knows where the others are; what is remembered serves meanwhile.
        return vec![discovery];
    };
    if judged.password_grant
        && !metadata.grant_types_supported.is_empty()
        && !metadata
            .grant_types_supported
            .iter()
            .any(|one| one == "password")
    {
        discovery.find(Finding::new(Name::PasswordGrantUnsupported).with(
            "grant_types_supported",
            metadata.grant_types_supported.clone(),
        ));
    }
    let mut checks = vec![
        discovery,
        keys_check(ports, &metadata, deadline).await,
        token_endpoint(ports, &metadata, deadline).await,
    ];
    if let Some(deployment) = &judged.deployment {
        checks.push(sign_in_page(ports, provider, deployment, &metadata, deadline).await);
    }
    checks
}

async fn send(
    ports: &impl Ports,
    request: Request<Bytes>,
    deadline: Deadline,
    max_body: usize,
) -> Result<(Response<Bytes>, Duration), OutboundError> {
    let began = ports.clock().now();
    let limits = deadline.limits(ports.clock(), max_body);
    let answer = ports.outbound().send(request, limits).await?;
    Ok((answer, ports.clock().now().since(began)))
}

async fn discovery(
    ports: &impl Ports,
    provider: &Provider,
    deadline: Deadline,
) -> (Check, Option<Metadata>) {
    let mut check = Check::new("scaikey_discovery");
    check.fact("scaikey_base_url", provider.base.as_str());
    let mut problem = failure::discovery(&DiscoveryError::NotFound);
    for request in discovery::requests(&provider.base) {
        let answer = send(ports, request, deadline, discovery::MAX_BYTES).await;
        let (answer, took) = match answer {
            Ok(answer) => answer,
            Err(error) => {
                problem = failure::outbound(error);
                break;
            }
        };
        match discovery::parse_response(&provider.base, &answer) {
            Ok(metadata) => {
                clock(&mut check, date(answer.headers()), ports.clock().now());
                check.fact("issuer", metadata.issuer.as_str());
                check.took(took);
                return (check, Some(metadata));
            }
            Err(DiscoveryError::NotFound) => {}
            Err(error) => {
                problem = failure::discovery(&error);
                break;
            }
        }
    }
    check.find(Finding::of_problem(&problem, Severity::Error));
    (check, None)
}

/// How far ScaiKey's clock is from ours.
fn clock(check: &mut Check, theirs: Option<Timestamp>, ours: Timestamp) {
    let Some(theirs) = theirs else {
        return;
    };
    let ahead = theirs.since(ours);
    let behind = ours.since(theirs);
    let skew = ahead.max(behind);
    let seconds = i64::try_from(skew.as_secs()).unwrap_or(i64::MAX);
    let signed = if ahead > behind { seconds } else { -seconds };
    check.fact("clock_skew_seconds", signed);
    if skew > SKEW_SEEN {
        let mut finding = Finding::new(Name::ClockSkew)
            .with("seconds_ahead", signed)
            .with("scaikey_date", theirs.rfc3339())
            .with("our_time", ours.rfc3339());
        if skew >= SKEW_TOO_LARGE {
            finding.severity = Severity::Error;
        }
        check.find(finding);
    }
}

async fn keys_check(ports: &impl Ports, metadata: &Metadata, deadline: Deadline) -> Check {
    let mut check = Check::new("scaikey_keys");
    check.fact("jwks_uri", metadata.jwks_uri.as_str());
    let key = keys::jwks(&token_hash("jwks", &metadata.jwks_uri));
    let now = ports.clock().now();
    if let Ok(Some(kept)) = step(ports, document::load(ports.kv(), &key)).await
        && !kept.body.is_empty()
    {
        check.fact("age_seconds", now.since(kept.fetched_at).as_secs());
    }
    let answer = send(ports, jwks::request(metadata), deadline, jwks::MAX_BYTES).await;
    let problem = match &answer {
        Err(error) => Some(Problem::new(Code::JwksUnavailable).with("reason", error.to_string())),
        Ok((answer, _)) => match jwks::parse_response(answer) {
            Err(error) => Some(failure::keys_answer(error)),
            Ok(body) => Jwks::parse(body).err().map(failure::keys),
        },
    };
    if let Some(problem) = problem {
        check.find(Finding::of_problem(&problem, Severity::Error));
    }
    if let Ok((_, took)) = answer {
        check.took(took);
    }
    check
}

/// A grant that nobody has: any refusal in OAuth's form shows that the endpoint is there.
async fn token_endpoint(ports: &impl Ports, metadata: &Metadata, deadline: Deadline) -> Check {
    let mut check = Check::new("scaikey_token_endpoint");
    let body = Bytes::from(form::encode(&[("grant_type", "urn:scaigate:health")]));
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::try_from(&metadata.token_endpoint).unwrap_or_default();
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, form);
    let problem = match send(ports, request, deadline, MAX_PAGE).await {
        Err(error) => Some(failure::outbound(error)),
        Ok((answer, took)) => {
            check.took(took);
            check.fact("status", answer.status().as_u16());
            refusal(&answer)
        }
    };
    if let Some(problem) = problem {
        check.find(
            Finding::of_problem(&problem, Severity::Error)
                .with("endpoint", metadata.token_endpoint.as_str()),
        );
    }
    check
}

/// What is wrong with an answer that should be a refusal of OAuth.
fn refusal(answer: &Response<Bytes>) -> Option<Problem> {
    let status = answer.status().as_u16();
    match status {
        400 | 401 => None,
        429 => Some(Problem::new(Code::ScaikeyRateLimited)),
        500.. => Some(Problem::new(Code::ScaikeyUnavailable).with("status", status)),
        _ => Some(
            Problem::new(Code::ScaikeyInvalidResponse)
                .with("reason", "the token endpoint does not answer as one")
                .with("status", status),
        ),
    }
}

/// Asks for a silent sign-in that nobody is there for: ScaiKey sends the browser back to our callback
/// only if it is registered (S-32).
async fn sign_in_page(
    ports: &impl Ports,
    provider: &Provider,
    deployment: &Deployment,
    metadata: &Metadata,
    deadline: Deadline,
) -> Check {
    let mut check = Check::new("scaikey_sign_in");
    let redirect_uri = deployment.public_url.join(CALLBACK_PATH);
    check.fact("redirect_uri", redirect_uri.as_str());
    let url = AuthorizeRequest {
        client_id: &provider.client_id,
        redirect_uri: &redirect_uri,
        scope: "openid",
        state: "health",
        nonce: "health",
        code_challenge: &base64url(&sha256("scaigate health")),
        login_hint: None,
        prompt: Some(Prompt::None),
        idp_hint: None,
    }
    .url(metadata);
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = Uri::try_from(url).unwrap_or_default();
    let (answer, took) = match send(ports, request, deadline, MAX_PAGE).await {
        Ok(answer) => answer,
        // The page may be on another host, which only browsers reach.
        Err(OutboundError::Denied) => {
            check.fact("asked", false);
            return check;
        }
        Err(error) => {
            check.find(Finding::of_problem(
                &failure::outbound(error),
                Severity::Error,
            ));
            return check;
        }
    };
    let status = answer.status().as_u16();
    check.fact("status", status);
    if let Some(finding) = refused(&answer, &redirect_uri) {
        check.find(finding);
    }
    check.took(took);
    check
}

fn refused(answer: &Response<Bytes>, redirect_uri: &str) -> Option<Finding> {
    let status = answer.status().as_u16();
    if status >= 500 {
        let problem = Problem::new(Code::ScaikeyUnavailable).with("status", status);
        return Some(Finding::of_problem(&problem, Severity::Error));
    }
    // Back to us, on to the page, or the page itself.
    if status < 400 {
        return None;
    }
    let page = String::from_utf8_lossy(answer.body()).to_ascii_lowercase();
    if page.contains("redirect") {
        let finding = Finding::of_code(Code::RedirectUriMismatch, Severity::Error)
            .with("redirect_uri", redirect_uri);
        return Some(finding.with_fix(format!(
            "Register exactly {redirect_uri} as a redirect URI of the application in ScaiKey."
        )));
    }
    page.contains("client")
        .then(|| Finding::new(Name::ClientUnknown).with("status", status))
}
