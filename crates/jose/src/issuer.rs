//! Who issued a token of ScaiKey, and for which tenant.

use scaigate_types::{Issuer, TenantId};

use crate::claims::{ClaimError, Verified};
use crate::refusal::Refusal;

/// The expected issuer itself, or `{issuer}/tenants/{tenant}` of the token's own tenant
/// (contract/scaikey.md, 8.7). Compared byte for byte, nothing normalised. With the tenant that the
/// token names, else the one that its issuer names.
pub(crate) fn issuer_and_tenant(
    claims: &Verified,
    expected: &Issuer,
) -> Result<(Issuer, Option<TenantId>), Refusal> {
    let issuer = claims.issuer()?;
    let malformed = ClaimError::Malformed("tenant_id");
    let tenant = match claims.text("tenant_id")? {
        // It becomes a part of the issuer's path, so it must be one segment.
        Some(text) if text.contains(['/', '?', '#', '%']) => return Err(malformed.into()),
        Some(text) => Some(TenantId::parse(text).map_err(|_| malformed)?),
        None => None,
    };
    let named = issuer.named_tenant();
    if &issuer == expected {
        return match (named, tenant) {
            (Some(named), Some(claimed)) if claimed != named => Err(Refusal::Tenant),
            (named, claimed) => Ok((issuer, claimed.or(named))),
        };
    }
    // An issuer that names its tenant needs no claim to say so again.
    match named.filter(|named| tenant.as_ref().is_none_or(|claimed| claimed == named)) {
        Some(named)
            if expected.named_tenant().is_none()
                && expected.of_tenant(&named) == Ok(issuer.clone()) =>
        {
            Ok((issuer, Some(named)))
        }
        _ => Err(Refusal::Issuer),
    }
}
