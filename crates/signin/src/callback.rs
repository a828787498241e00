//! Finishing a sign-in (`GET /v1/auth/callback`): the state once, the code once, the identity
//! verified, a session for the app to redeem.

use scaigate_jose::token_hash;
use scaigate_kv::pending_login::{self, Consumed};
use scaigate_kv::people::{self, Arrival, Person};
use scaigate_kv::redeemed_code;
use scaigate_kv::session::{self, NewSession};
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::callback::{self, CallbackOutcome};
use scaigate_scaikey::token;
use scaigate_types::{Clock, Database, ReturnTo, Secret, Transaction};

use crate::begin::{self, Pending};
use crate::kept_tokens::KeptTokens;
use crate::ports::{Deadline, Ports};
use crate::scaikey::{self, Identity};
use crate::settings::Settings;
use crate::{failure, fresh, redeem};

/// A finished sign-in: the browser goes back to the app with these.
#[derive(Debug)]
pub struct Completed {
    /// Where to.
    pub return_to: ReturnTo,
    /// Redeemed once, within sixty seconds.
    pub session_code: Secret<String>,
    /// The state of the login.
    pub state: String,
}

/// A sign-in that failed. With a `return_to` the app is told; without one, it is not known to whom
/// the browser belongs, and the failure is shown where it happened.
#[derive(Debug)]
pub struct CallbackFailure {
    /// What happened.
    pub problem: Problem,
    /// The app and its state, once the state has been found good.
    pub return_to: Option<(ReturnTo, String)>,
}

impl From<Problem> for CallbackFailure {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            return_to: None,
        }
    }
}

/// Finishes the sign-in that `query` answers, for the browser whose cookie holds `browser`.
///
/// A state that is not good changes nothing (N-014). A good one is consumed before anything else
/// happens, and is gone whatever happens then: the next sign-in is a new one.
///
/// # Errors
/// [`CallbackFailure`].
pub async fn complete(
    ports: &impl Ports,
    settings: &Settings,
    query: &str,
    browser: Option<&str>,
) -> Result<Completed, CallbackFailure> {
    let deadline = Deadline::start(ports.clock());
    let parameters = callback::parse_query(query).map_err(failure::callback)?;
    let Some(state) = parameters.state else {
        return Err(Problem::new(Code::StateMissing).into());
    };
    let state_hash = begin::state_hash(&state);
    let browser_hash = browser.and_then(begin::browser_hash);
    let now = ports.clock().now();
    let consumed = pending_login::consume(ports.db(), &state_hash, browser_hash.as_deref(), now)
        .await
        .map_err(failure::database)?;
    let sealed = match consumed {
        Consumed::Now(sealed) => sealed,
        Consumed::Unknown => return Err(Problem::new(Code::StateUnknown).into()),
        Consumed::Expired => return Err(Problem::new(Code::StateExpired).into()),
        Consumed::AlreadyUsed => return Err(Problem::new(Code::StateAlreadyUsed).into()),
        Consumed::OtherBrowser => return Err(Problem::new(Code::StateOtherBrowser).into()),
    };
    // A session secret removed since the login began reads as a login we do not know.
    let pending = settings
        .sessions
        .sealer
        .open(&begin::seal_context(&state_hash), &sealed)
        .ok()
        .and_then(|record| serde_json::from_slice::<Pending>(record.expose()).ok())
        .ok_or_else(|| Problem::new(Code::StateUnknown))?;
    let return_to = begin::return_to(settings, Some(&pending.return_to))?;
    let outcome = finish(
        ports,
        settings,
        &pending,
        parameters.iss.as_deref(),
        parameters.outcome,
        deadline,
    )
    .await;
    match outcome {
        Ok(session_code) => Ok(Completed {
            return_to,
            session_code,
            state,
        }),
        Err(problem) => Err(CallbackFailure {
            problem,
            return_to: Some((return_to, state)),
        }),
    }
}

async fn finish(
    ports: &impl Ports,
    settings: &Settings,
    pending: &Pending,
    iss: Option<&str>,
    outcome: CallbackOutcome,
    deadline: Deadline,
) -> Result<Secret<String>, Problem> {
    // Before anything else is called (RFC 9207 §2.4).
    callback::check_issuer(&pending.metadata, iss).map_err(failure::callback)?;
    let code = match outcome {
        CallbackOutcome::Code { code } => code,
        CallbackOutcome::Refused { error, description } => {
            return Err(Problem::new(Code::AuthorizationRefused)
                .with("error", error.as_str())
                .with("error_description", description));
        }
    };
    let now = ports.clock().now();
    // The same code, brought to another of our doors, must not reach ScaiKey either.
    if !redeemed_code::claim(ports.db(), &code_hash(code.expose()), now)
        .await
        .map_err(failure::database)?
    {
        return Err(code_already_used());
    }
    let request = token::code_request(
        &pending.metadata,
        &settings.scaikey.client,
        &code,
        &pending.redirect_uri,
        Some(&pending.code_verifier),
    );
    let tokens = scaikey::grant(
        ports,
        request,
        "authorization_code",
        Some(&pending.redirect_uri),
        deadline,
    )
    .await
    .map_err(|failure| failure.problem)?;
    let identity = scaikey::verify(
        ports,
        &settings.scaikey.provider,
        &pending.metadata,
        &tokens,
        Some(&pending.nonce),
        deadline,
    )
    .await?;
    // An answer that names one tenant's issuer is for a person of that tenant (N-009).
    let named = iss.filter(|iss| *iss != pending.metadata.issuer.as_str());
    let tenant = named.and_then(|iss| Some(iss.rsplit_once("/tenants/")?.1));
    if tenant.is_some_and(|tenant| tenant != identity.tenant_id.as_str()) {
        return Err(Problem::new(Code::IssuerMismatch)
            .with("reason", "the answer is for another tenant than the token"));
    }
    let person = arrive(ports, settings, &identity).await?;

    let sid = fresh::session_id(ports)?;
    let now = ports.clock().now();
    let sealed = KeptTokens::of(&tokens, now).seal(ports, &settings.sessions.sealer, &sid)?;
    let session_code = format!("{}{}", redeem::CODE_PREFIX, begin::token(ports.entropy()));
    let end = now.plus(settings.sessions.refresh_ttl);
    let tx = ports.db().begin().await.map_err(failure::database)?;
    session::insert(
        &tx,
        &NewSession {
            sid: &sid,
            person_id: &person.person_id,
            tenant_id: &person.tenant_id,
            expires_at: identity
                .id_token
                .session_expiry
                .map_or(end, |expiry| expiry.min(end)),
            code_hash: &redeem::code_hash(&session_code),
            code_challenge: pending.code_challenge.as_deref(),
            scaikey_sid: identity.id_token.sid.as_deref(),
            scaikey_tokens: &sealed,
        },
        now,
    )
    .await
    .map_err(failure::database)?;
    tx.commit().await.map_err(failure::database)?;
    Ok(Secret::new(session_code))
}

/// Digest of an authorization code.
pub(crate) fn code_hash(code: &str) -> String {
    token_hash("authorization_code", code)
}

/// The second use of an authorization code, in ScaiFlow's documented words.
pub(crate) fn code_already_used() -> Problem {
    Problem::new(Code::CodeAlreadyUsed)
        .with_detail_text("invalid_grant: code already used")
        .with_sw_code("SW_AUTH_OIDC_FAILED")
        .with_oauth_error("invalid_grant")
}

/// Records that a verified person arrived.
///
/// # Errors
/// [`Code::PersonSuspended`], or the database does not answer.
pub(crate) async fn arrive(
    ports: &impl Ports,
    settings: &Settings,
    identity: &Identity,
) -> Result<Person, Problem> {
    let ids = fresh::person(ports)?;
    let id_token = &identity.id_token;
    // An address that ScaiKey says is not verified grants nothing, and only ASCII has two cases:
    // Unicode's would make other addresses equal (N-040).
    let is_bootstrap = id_token.email_verified != Some(false)
        && settings.bootstrap_super_admin.is_some()
        && id_token.email.as_deref().map(str::to_ascii_lowercase) == settings.bootstrap_super_admin;
    // One transaction, so that the audit log says by which request.
    let tx = ports.db().begin().await.map_err(failure::database)?;
    let person = people::arrive(
        &tx,
        &Arrival {
            issuer: &identity.issuer,
            subject: &id_token.subject,
            tenant_id: &identity.tenant_id,
            email: id_token.email.as_deref(),
            name: id_token.name.as_deref(),
            is_tenant_admin: identity.is_tenant_admin,
            is_bootstrap_super_admin: is_bootstrap,
        },
        &ids,
        ports.clock().now(),
    )
    .await
    .map_err(failure::database)?;
    tx.commit().await.map_err(failure::database)?;
    if person.is_active {
        Ok(person)
    } else {
        Err(Problem::new(Code::PersonSuspended))
    }
}
