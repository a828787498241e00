//! Who has signed in, as ScaiKey's tokens prove it.

use scaigate_jose::{
    IdToken, IdTokenError, IdTokenExpectation, UnverifiedJwt, VerifyError, verify_id_token,
};
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::{Metadata, TokenResponse};
use scaigate_types::{Clock, Issuer, TenantId};

use super::remembered::Asker;
use super::{SKEW, documents};
use crate::failure;
use crate::ports::{Deadline, Ports};
use crate::settings::Provider;

/// A person as ScaiKey's tokens prove it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The verified ID token.
    pub id_token: IdToken,
    /// With the token's subject, the identity: the issuer of the tenant's people.
    pub issuer: Issuer,
    /// The tenant: the ID token's, or that of the access token it was issued with.
    pub tenant_id: TenantId,
    /// Whether ScaiKey calls the person an administrator of the tenant.
    pub is_tenant_admin: bool,
}

/// Whether a role of ScaiKey administers at least a tenant (`contract/scaikey.md` 2.2).
pub(crate) fn is_admin_role(role: &str) -> bool {
    matches!(role, "tenant_admin" | "partner_admin" | "super_admin")
}

/// Verifies the tokens of a sign-in. With `nonce`, the ID token must be of that very login.
///
/// # Errors
/// The ID token is missing (N-046) or refused, or there are no keys to check it with.
pub async fn verify(
    ports: &impl Ports,
    provider: &Provider,
    metadata: &Metadata,
    tokens: &TokenResponse,
    nonce: Option<&str>,
    deadline: Deadline,
) -> Result<Identity, Problem> {
    let Some(compact) = &tokens.id_token else {
        return Err(Problem::new(Code::IdTokenInvalid).with("reason", "there is no ID token"));
    };
    let jwt = UnverifiedJwt::parse(compact.expose())
        .map_err(|error| Problem::new(Code::IdTokenInvalid).with("reason", error.to_string()))?;
    let expectation = IdTokenExpectation {
        issuer: &metadata.issuer,
        client_id: &provider.client_id,
        nonce,
        access_token: Some(tokens.access_token.expose()),
        now: ports.clock().now(),
        skew: SKEW,
    };
    let (id_token, keys) = documents::check(
        ports,
        metadata,
        &jwt,
        Asker::SignIn,
        deadline,
        |keys| verify_id_token(&jwt, keys, &expectation),
        |error| matches!(error, IdTokenError::Verify(VerifyError::Signature)),
    )
    .await?;
    let id_token = id_token.map_err(|error| match error {
        IdTokenError::Audience => {
            failure::id_token(error).with("expected", provider.client_id.as_str())
        }
        _ => failure::id_token(error),
    })?;
    // The access token carries what ScaiKey leaves out of the ID token (contract/scaikey.md 2.2).
    let access = UnverifiedJwt::parse(tokens.access_token.expose())
        .ok()
        .and_then(|jwt| keys.verify(&jwt).ok())
        .filter(|claims| claims.text("sub") == Ok(Some(id_token.subject.as_str())));
    let from_access = access
        .as_ref()
        .and_then(|claims| claims.text("tenant_id").ok().flatten());
    let tenant_id = id_token
        .tenant_id
        .clone()
        .or_else(|| from_access.and_then(|text| TenantId::parse(text).ok()))
        .or_else(|| id_token.issuer.named_tenant())
        .ok_or_else(|| Problem::new(Code::TenantClaimMissing))?;
    let issuer = id_token
        .issuer
        .of_tenant(&tenant_id)
        .map_err(|_| Problem::new(Code::TenantClaimMissing))?;
    let role = access
        .as_ref()
        .and_then(|claims| claims.text("role").ok().flatten());
    let is_tenant_admin = id_token
        .roles
        .iter()
        .map(String::as_str)
        .chain(role)
        .any(is_admin_role);
    Ok(Identity {
        id_token,
        issuer,
        tenant_id,
        is_tenant_admin,
    })
}
