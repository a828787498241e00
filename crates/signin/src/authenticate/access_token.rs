//! ScaiKey's access token as a credential.

use std::rc::Rc;

use scaigate_jose::{AccessToken, AccessTokenError, Party, UnverifiedJwt, sha256, token_hash};
use scaigate_kv::people::{self, Person};
use scaigate_kv::revocation;
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::Metadata;
use scaigate_types::{Clock, Issuer, TenantId};

use super::{Acceptance, expired, invalid};
use crate::ports::{Deadline, Ports};
use crate::principal::{Authentication, Credential, Principal, Service, User};
use crate::scaikey::{self, Asker, SKEW};
use crate::settings::Provider;
use crate::{failure, settings};

/// What is found out about a token: good, or rejected.
type Outcome<T> = Result<Result<T, Problem>, Problem>;

pub(super) async fn authenticate(
    ports: &impl Ports,
    acceptance: &Acceptance<'_>,
    token: &str,
) -> Result<Authentication, Problem> {
    let provider = acceptance.provider;
    let claims = match verified(ports, provider, token).await? {
        Ok(claims) => claims,
        Err(problem) => return Ok(Authentication::Rejected(problem)),
    };
    let now = ports.clock().now();
    // What an instance remembers as verified goes on to expire.
    let good_until = claims.expires_at.plus(SKEW);
    if good_until < now {
        return Ok(Authentication::Rejected(expired()));
    }
    Ok(match principal(ports, &claims).await? {
        Ok(principal) => {
            let seen = ports.memory().seen.trusting(provider.ok());
            seen.note_principal(token, &principal, good_until, now);
            Authentication::Authenticated(principal)
        }
        Err(problem) => Authentication::Rejected(problem),
    })
}

async fn verified(
    ports: &impl Ports,
    provider: Result<&Provider, &[settings::Fault]>,
    token: &str,
) -> Outcome<Rc<AccessToken>> {
    let digest = sha256(token);
    let seen = || ports.memory().seen.trusting(provider.ok());
    if let Some(claims) = seen().verified(&digest, ports.clock().now()) {
        return Ok(Ok(claims));
    }
    let jwt = match UnverifiedJwt::parse(token) {
        Ok(jwt) => jwt,
        Err(error) => return Ok(Err(invalid(error.to_string()))),
    };
    let provider = provider.map_err(settings::problem)?;
    let deadline = Deadline::start(ports.clock());
    let metadata = scaikey::metadata_for(ports, provider, Asker::Bearer, deadline)
        .await
        .map_err(no_keys)?;
    let outcome =
        scaikey::check_access_token(ports, &metadata, &jwt, &provider.audiences, deadline).await?;
    Ok(match outcome {
        Ok(claims) => {
            let claims = Rc::new(claims);
            seen().note_verified(digest, &claims, ports.clock().now());
            Ok(claims)
        }
        Err(error) => Err(rejected(&error, &metadata, provider, &jwt)),
    })
}

/// Without discovery there are no keys: ScaiKey being down is one answer to whoever brings a token.
fn no_keys(problem: Problem) -> Problem {
    match problem.code() {
        Code::ScaikeyUnreachable
        | Code::ScaikeyTimeout
        | Code::ScaikeyUnavailable
        | Code::ScaikeyRateLimited
        | Code::ScaikeyInvalidResponse => {
            Problem::new(Code::JwksUnavailable).with("reason", problem.code().as_str())
        }
        _ => problem,
    }
}

/// What a rejected access token is to the caller, with what helps to tell environments apart
/// (S-04, S-14).
fn rejected(
    error: &AccessTokenError,
    metadata: &Metadata,
    provider: &Provider,
    jwt: &UnverifiedJwt<'_>,
) -> Problem {
    match error {
        AccessTokenError::Expired => expired(),
        AccessTokenError::Audience { received } => Problem::new(Code::AudienceMismatch)
            .with("expected", provider.audiences.clone())
            .with("received", received.clone())
            .with_detail_text("invalid token: Audience doesn't match")
            .with_sw_code("SW_AUTH_INVALID_TOKEN"),
        AccessTokenError::ServiceWithoutSubject => {
            Problem::new(Code::ServiceTokenWithoutSubject).with_sw_code("SW_AUTH_INVALID_TOKEN")
        }
        AccessTokenError::Issuer => {
            let received = jwt.unverified_issuer();
            invalid(failure::reason(error))
                .with("expected", metadata.issuer.as_str())
                .with("received", received.as_ref().map(Issuer::as_str))
        }
        AccessTokenError::Tenant => {
            invalid(failure::reason(error)).with_sw_code("SW_AUTH_TENANT_MISMATCH")
        }
        AccessTokenError::Type
        | AccessTokenError::NotAnAccessToken
        | AccessTokenError::Verify(_)
        | AccessTokenError::Claim(_)
        | AccessTokenError::NotYetValid
        | AccessTokenError::ServiceSubject
        | AccessTokenError::Bound
        | AccessTokenError::ActorChain => invalid(failure::reason(error)),
    }
}

async fn principal(ports: &impl Ports, claims: &AccessToken) -> Outcome<Principal> {
    let person = match standing(ports, claims).await? {
        Ok(person) => person,
        Err(problem) => return Ok(Err(problem)),
    };
    Ok(match &claims.party {
        Party::Service {
            client_id,
            is_platform,
        } => Ok(Principal::Service(Rc::new(Service {
            issuer: claims.issuer.clone(),
            client_id: client_id.clone(),
            tenant_id: claims.tenant_id.clone(),
            is_platform: *is_platform,
            scopes: claims.scopes.clone(),
            permissions: claims.permissions.clone(),
            roles: claims.roles.clone(),
            expires_at: claims.expires_at,
        }))),
        Party::User { subject } => claims
            .tenant_id
            .clone()
            .ok_or_else(|| Problem::new(Code::TenantClaimMissing))
            .map(|tenant_id| {
                let known = person.as_ref();
                Principal::User(Rc::new(User {
                    issuer: person_issuer(claims),
                    subject: subject.clone(),
                    tenant_id,
                    person_id: known.map(|person| person.person_id.clone()),
                    email: claims
                        .email
                        .clone()
                        .or_else(|| known.and_then(|person| person.email.clone())),
                    name: claims
                        .name
                        .clone()
                        .or_else(|| known.and_then(|person| person.name.clone())),
                    admin_role: known.and_then(|person| person.admin_role),
                    personal_workspace_id: known
                        .and_then(|person| person.personal_workspace_id.clone()),
                    workspace: None,
                    scopes: claims.scopes.clone(),
                    permissions: claims.permissions.clone(),
                    roles: claims.roles.clone(),
                    groups: claims.groups.clone(),
                    credential: Credential::AccessToken,
                    expires_at: Some(claims.expires_at),
                }))
            }),
    })
}

/// Whether the bearer may act here now: not revoked, of a tenant that the mirror knows, and not
/// suspended. The person's row, if there is one.
async fn standing(ports: &impl Ports, claims: &AccessToken) -> Outcome<Option<Person>> {
    let subject = match &claims.party {
        Party::User { subject } => subject.as_str(),
        Party::Service { client_id, .. } => client_id.as_str(),
    };
    let issuer = person_issuer(claims);
    let digest = subject_digest(&issuer, subject);
    let revoked_before = revocation::subject_revoked_before(ports.kv(), &digest)
        .await
        .map_err(failure::kv)?;
    if revoked_before.is_some_and(|before| claims.issued_at <= before) {
        return Ok(Err(Problem::new(Code::TokenRevoked)));
    }
    let Some(tenant_id) = &claims.tenant_id else {
        return Ok(Ok(None));
    };
    let not_found = |tenant_id: &TenantId| {
        Problem::new(Code::TenantNotFound)
            .with("tenant_id", tenant_id.as_str())
            .with_sw_code("SW_TENANT_NOT_FOUND")
    };
    let Party::User { subject } = &claims.party else {
        let known = people::tenant_known(ports.db(), tenant_id)
            .await
            .map_err(failure::database)?;
        return Ok(if known {
            Ok(None)
        } else {
            Err(not_found(tenant_id))
        });
    };
    let standing = people::standing(ports.db(), &issuer, subject, tenant_id)
        .await
        .map_err(failure::database)?;
    Ok(match standing.person {
        _ if !standing.tenant_known => Err(not_found(tenant_id)),
        Some(person) if !person.is_active => Err(Problem::new(Code::PersonSuspended)),
        person => Ok(person),
    })
}

/// The issuer under which whoever the token names is kept. That of the token where it names no
/// tenant, or one that is no part of an issuer.
fn person_issuer(claims: &AccessToken) -> Issuer {
    claims
        .tenant_id
        .as_ref()
        .and_then(|tenant_id| claims.issuer.of_tenant(tenant_id).ok())
        .unwrap_or_else(|| claims.issuer.clone())
}

/// The name of a subject in the revocation index.
pub(crate) fn subject_digest(issuer: &Issuer, subject: &str) -> String {
    token_hash("subject", &format!("{issuer} {subject}"))
}
