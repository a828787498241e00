//! Who is calling (`contract/scaiwave-scaicrew-scaigrid.md` 3.2).

use std::sync::Arc;

use serde_json::Value;

use crate::exchange::{Call, Failure, bearer};
use crate::grid::Role;
use crate::jwks::KeySet;
use crate::world::World;

/// What a verified ScaiKey token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The person or service.
    pub sub: String,
    /// Its tenant; absent from tokens of platform services.
    pub tenant_id: Option<String>,
}

impl Claims {
    /// The claims of a JWT's payload; `None` without `sub`, as ScaiGrid refuses such tokens.
    pub fn from_json(payload: &Value) -> Option<Self> {
        let text = |name: &str| payload[name].as_str().map(str::to_owned);
        Some(Self {
            sub: text("sub").filter(|sub| !sub.is_empty())?,
            tenant_id: text("tenant_id"),
        })
    }
}

/// Verifies a token; `None` refuses it.
pub type VerifyJwt = Arc<dyn Fn(&str) -> Option<Claims> + Send + Sync>;

/// Whose JWTs are accepted.
#[derive(Clone, Default)]
pub enum Jwt {
    /// None: API keys only.
    #[default]
    Refused,
    /// Those that this function accepts.
    Verify(VerifyJwt),
    /// RS256 and ES256 tokens under the keys at this plain-http address, for one of these audiences, unexpired by the
    /// emulator's clock. Any issuer whose keys are there is believed. Keys are read at the first token and again at
    /// each unknown `kid`.
    Jwks {
        /// Where the key set is.
        url: String,
        /// Accepted `aud`; empty accepts all.
        audiences: Vec<String>,
    },
}

/// The same with the state it needs.
pub(crate) enum Verifier {
    Refused,
    Verify(VerifyJwt),
    Jwks(KeySet),
}

impl From<Jwt> for Verifier {
    fn from(jwt: Jwt) -> Self {
        match jwt {
            Jwt::Refused => Self::Refused,
            Jwt::Verify(verify) => Self::Verify(verify),
            Jwt::Jwks { url, audiences } => Self::Jwks(KeySet::new(url, audiences)),
        }
    }
}

impl Verifier {
    async fn verify(&self, token: &str, now: i64) -> Option<Claims> {
        match self {
            Self::Refused => None,
            Self::Verify(verify) => verify(token),
            Self::Jwks(keys) => keys.verify(token, now).await,
        }
    }
}

/// Someone who has shown a good credential.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    /// User id, or client id of a service.
    pub(crate) id: String,
    pub(crate) tenant_id: Option<String>,
    pub(crate) permissions: Vec<String>,
    /// What an API key is narrowed to.
    pub(crate) scopes: Option<Vec<String>>,
    /// The API key, when it was one.
    pub(crate) key: Option<String>,
}

impl Caller {
    pub(crate) fn holds(&self, permission: &str) -> bool {
        self.permissions.iter().any(|held| held == permission)
    }

    /// The tenant; empty for a caller without.
    pub(crate) fn tenant(&self) -> &str {
        self.tenant_id.as_deref().unwrap_or_default()
    }

    /// Refuses a caller who lacks the permission, or whose key is narrowed to others.
    pub(crate) fn require(&self, permission: &str) -> Result<(), Failure> {
        if !self.holds(permission) {
            let message = format!("permission_denied: need {permission}");
            return Err(Failure::new(403, "AUTHZ_PERMISSION_DENIED", &message));
        }
        let narrowed = |scopes: &Vec<String>| !scopes.iter().any(|scope| scope == permission);
        if self.scopes.as_ref().is_some_and(narrowed) {
            let message = format!("the API key lacks the scope {permission}");
            return Err(Failure::new(403, "AUTH_INSUFFICIENT_SCOPE", &message));
        }
        Ok(())
    }
}

fn unauthorized(code: &str, message: &str) -> Failure {
    Failure::new(401, code, message)
}

/// Finds the caller.
pub(crate) async fn authenticate(world: &World, call: &Call) -> Result<Caller, Failure> {
    let invalid = || unauthorized("AUTH_TOKEN_INVALID", "Invalid or expired token");
    let mut fields = call.fields.iter().filter(|f| f.is("authorization"));
    let Some(field) = fields.next() else {
        return Err(unauthorized("AUTH_TOKEN_MISSING", "Missing bearer token"));
    };
    // Two credentials could be read as either.
    if fields.next().is_some() {
        return Err(invalid());
    }
    let value = field.text();
    let token = bearer(&value).ok_or_else(invalid)?;
    if token.starts_with("sgk_") {
        return world
            .grid()
            .caller_of_key(token, world.now())
            .ok_or_else(invalid);
    }
    let claims = world.verifier.verify(token, world.now()).await;
    let Claims { sub, tenant_id } = claims.ok_or_else(invalid)?;
    let grid = world.grid();
    if let Some(tenant) = &tenant_id
        && grid.tenant(tenant).is_none()
    {
        return Err(invalid());
    }
    let unknown = world.switches.behaviour().unknown_person;
    let role: Option<Role> = grid.people.get(&sub).copied().or(unknown);
    Ok(Caller {
        permissions: role.map(Role::permissions).unwrap_or_default(),
        id: sub,
        tenant_id,
        scopes: None,
        key: None,
    })
}
