//! Trading the caller's token for one that is good at one upstream only (RFC 8693, `product.md` G7).

use scaigate_jose::{Party, SealContext, UnverifiedJwt, sha256, token_hash};
use scaigate_kv::exchanged_token;
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::token;
use scaigate_types::encoding::base64url;
use scaigate_types::{Clock, Outbound, Secret, Timestamp};

use crate::failure;
use crate::held_tokens::LEAST_LIFE;
use crate::kept_tokens::{self, login_required};
use crate::ports::{Deadline, Ports};
use crate::principal::{Credential, Principal};
use crate::scaikey::{self, Asker};
use crate::settings::TokenKeeper;

/// Exchanges for the audiences that the configuration lists.
#[derive(Clone, Copy)]
pub struct TokenExchange<'a> {
    /// Whose tokens are traded, and where.
    pub keeper: TokenKeeper<'a>,
    /// Audiences that may be asked for.
    pub audiences: &'a [String],
}

/// A token for one upstream.
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// The token.
    pub access_token: Secret<String>,
    /// When it expires, never after the token it was traded for.
    pub expires_at: Timestamp,
}

/// Whom a token is traded for.
struct Subject {
    token: Secret<String>,
    expires_at: Timestamp,
    /// Who it is and by which credential: what is cached for one is nobody else's (N-131).
    name: String,
    sub: String,
    is_service: bool,
    tenant_id: Option<String>,
    /// What the caller's token allows; `None` where nobody knows.
    scopes: Option<Vec<String>>,
}

impl TokenExchange<'_> {
    /// A token for `audience` on the caller's behalf: cached until thirty seconds before it ends.
    ///
    /// `bearer` is the token the caller sent; `scope`, space-separated, narrows what is asked for.
    ///
    /// # Errors
    /// [`Code::InvalidTarget`] for an audience that is not listed, [`Code::InvalidScope`] for a
    /// scope that the caller's token lacks (N-124), [`Code::ScaikeyLoginRequired`] for a caller whom
    /// ScaiKey does not know; ScaiKey refuses or does not answer, or answers with a token for
    /// somebody else ([`Code::ScaikeyInvalidResponse`]); the database does not answer.
    pub async fn for_audience(
        &self,
        ports: &impl Ports,
        principal: &Principal,
        bearer: &str,
        audience: &str,
        scope: Option<&str>,
    ) -> Result<Exchanged, Problem> {
        if !self.audiences.iter().any(|known| known == audience) {
            return Err(Problem::new(Code::InvalidTarget)
                .with("audience", audience)
                .with_oauth_error("invalid_target"));
        }
        let subject = self.subject(ports, principal, bearer).await?;
        if let (Some(scope), Some(present)) = (scope, &subject.scopes)
            && scope
                .split(' ')
                .any(|wanted| !wanted.is_empty() && !present.iter().any(|has| has == wanted))
        {
            return Err(Problem::new(Code::InvalidScope)
                .with("required", scope)
                .with("present", present.clone())
                .with_oauth_error("invalid_scope"));
        }
        let name = token_hash(
            "exchanged_token",
            &format!("{} {audience} {}", subject.name, scope.unwrap_or_default()),
        );
        let now = ports.clock().now();
        if let Some((access_token, expires_at)) = ports.memory().tokens.get(&name, now) {
            return Ok(Exchanged {
                access_token,
                expires_at,
            });
        }
        let exchanged = match self.kept(ports, &name).await? {
            Some(exchanged) => exchanged,
            None => {
                let exchanged = self.exchange(ports, &subject, audience, scope).await?;
                self.keep(ports, &name, &exchanged).await?;
                exchanged
            }
        };
        let token = (exchanged.access_token.clone(), exchanged.expires_at);
        ports.memory().tokens.put(name, token, ports.clock().now());
        Ok(exchanged)
    }

    async fn subject(
        &self,
        ports: &impl Ports,
        principal: &Principal,
        bearer: &str,
    ) -> Result<Subject, Problem> {
        let bearer_name = || format!("bearer {}", base64url(&sha256(bearer)));
        match principal {
            Principal::Dev(_) => Err(login_required()),
            Principal::Service(service) => Ok(Subject {
                token: Secret::new(bearer.to_owned()),
                expires_at: service.expires_at,
                name: bearer_name(),
                sub: service.client_id.as_str().to_owned(),
                is_service: true,
                tenant_id: service.tenant_id.as_ref().map(|id| id.as_str().to_owned()),
                scopes: Some(service.scopes.clone()),
            }),
            Principal::User(user) => {
                let (token, expires_at, name, scopes) = match &user.credential {
                    Credential::Session(sid) => {
                        let (token, expires_at) =
                            kept_tokens::access_token(ports, self.keeper, sid).await?;
                        (token, expires_at, format!("session {sid}"), None)
                    }
                    Credential::AccessToken => (
                        Secret::new(bearer.to_owned()),
                        user.expires_at.unwrap_or_default(),
                        bearer_name(),
                        Some(user.scopes.clone()),
                    ),
                    Credential::Mock | Credential::DevHeaders => return Err(login_required()),
                };
                Ok(Subject {
                    token,
                    expires_at,
                    name,
                    sub: user.subject.as_str().to_owned(),
                    is_service: false,
                    tenant_id: Some(user.tenant_id.as_str().to_owned()),
                    scopes,
                })
            }
        }
    }

    async fn kept(&self, ports: &impl Ports, name: &str) -> Result<Option<Exchanged>, Problem> {
        let now = ports.clock().now();
        let kept = exchanged_token::find(ports.db(), name, now.plus(LEAST_LIFE))
            .await
            .map_err(failure::database)?;
        // One sealed with a key that is gone is none.
        Ok(kept.and_then(|(sealed, expires_at)| {
            let opened = self.keeper.sealer.open(&context(name), &sealed);
            let text = String::from_utf8(opened.ok()?.expose().to_vec()).ok()?;
            Some(Exchanged {
                access_token: Secret::new(text),
                expires_at,
            })
        }))
    }

    async fn keep(
        &self,
        ports: &impl Ports,
        name: &str,
        exchanged: &Exchanged,
    ) -> Result<(), Problem> {
        let sealer = self.keeper.sealer;
        let text = exchanged.access_token.expose();
        let sealed = sealer.seal(ports.entropy(), &context(name), text.as_bytes());
        exchanged_token::put(ports.db(), name, &sealed, exchanged.expires_at)
            .await
            .map_err(failure::database)
    }

    async fn exchange(
        &self,
        ports: &impl Ports,
        subject: &Subject,
        audience: &str,
        scope: Option<&str>,
    ) -> Result<Exchanged, Problem> {
        let deadline = Deadline::start(ports.clock());
        let scaikey = self.keeper.client()?;
        let metadata =
            scaikey::metadata_for(ports, &scaikey.provider, Asker::Bearer, deadline).await?;
        let request =
            token::exchange_request(&metadata, &scaikey.client, &subject.token, audience, scope);
        let limits = deadline.limits(ports.clock(), token::MAX_BYTES);
        let response = ports
            .outbound()
            .send(request, limits)
            .await
            .map_err(failure::outbound)?;
        let tokens = token::parse_exchange_response(&response)
            .map_err(|error| failure::token(&error, failure::TOKEN_EXCHANGE, None))?;
        let compact = tokens.access_token.expose();
        // What we asked for is not what we got until its claims say so (N-123, N-124, N-129).
        let refused = |reason: String| {
            Problem::new(Code::ScaikeyInvalidResponse)
                .with("reason", format!("the exchanged token: {reason}"))
        };
        let jwt = UnverifiedJwt::parse(compact).map_err(|error| refused(error.to_string()))?;
        let audiences = [audience.to_owned()];
        let verified =
            scaikey::check_access_token(ports, &metadata, &jwt, &audiences, deadline).await?;
        let claims = verified.map_err(|error| refused(failure::reason(&error)))?;
        // One that is good elsewhere, too, could be used there by whoever gets it here.
        if claims.audience.iter().any(|other| other != audience) {
            return Err(refused("it is for other audiences too".to_owned()));
        }
        let (sub, is_service) = match &claims.party {
            Party::User { subject } => (subject.as_str(), false),
            Party::Service { client_id, .. } => (client_id.as_str(), true),
        };
        if sub != subject.sub || is_service != subject.is_service {
            return Err(refused("it is somebody else's".to_owned()));
        }
        if claims.tenant_id.as_ref().map(|id| id.as_str()) != subject.tenant_id.as_deref() {
            return Err(refused("it is of another tenant".to_owned()));
        }
        // Without a scope it is asked for what the caller's token allows, where that is known.
        let allowed: Option<Vec<&str>> = match (scope, &subject.scopes) {
            (Some(scope), _) => Some(scope.split(' ').collect()),
            (None, Some(scopes)) => Some(scopes.iter().map(String::as_str).collect()),
            (None, None) => None,
        };
        let is_wider = |allowed: &Vec<&str>| {
            let mut granted = claims.scopes.iter().map(String::as_str);
            granted.any(|scope| !allowed.contains(&scope))
        };
        if allowed.as_ref().is_some_and(is_wider) {
            return Err(refused("it allows more than was asked for".to_owned()));
        }
        let now = ports.clock().now();
        let expires_at = now
            .plus(tokens.expires_in)
            .min(claims.expires_at)
            .min(subject.expires_at);
        Ok(Exchanged {
            access_token: tokens.access_token.clone(),
            expires_at,
        })
    }
}

fn context(name: &str) -> SealContext<'_> {
    SealContext {
        purpose: "exchanged_token",
        owner: name,
    }
}
