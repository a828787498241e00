//! What every kind of token of ScaiKey is refused for: its issuer, its tenant, its time.

use crate::claims::ClaimError;

/// Why a token is refused, whatever kind of token it is. Each kind has an error of its own, which
/// says this in its own words: see [`says_refusals`].
pub(crate) enum Refusal {
    /// A claim is missing or not well-formed.
    Claim(ClaimError),
    /// Issued by neither the expected issuer nor the token's own tenant there.
    Issuer,
    /// `tenant_id` is not the tenant whose issuer is expected.
    Tenant,
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` is in the future.
    NotYetValid,
}

impl From<ClaimError> for Refusal {
    fn from(error: ClaimError) -> Self {
        Self::Claim(error)
    }
}

/// Makes a [`Refusal`] an error of one kind of token, which has a variant of each name.
macro_rules! says_refusals {
    ($error:ty) => {
        impl From<$crate::refusal::Refusal> for $error {
            fn from(refusal: $crate::refusal::Refusal) -> Self {
                use $crate::refusal::Refusal;

                match refusal {
                    Refusal::Claim(error) => Self::Claim(error),
                    Refusal::Issuer => Self::Issuer,
                    Refusal::Tenant => Self::Tenant,
                    Refusal::Expired => Self::Expired,
                    Refusal::NotYetValid => Self::NotYetValid,
                }
            }
        }
    };
}
pub(crate) use says_refusals;
