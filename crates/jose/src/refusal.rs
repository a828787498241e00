//! What every kind of token of ScaiKey is refused for: a claim, its issuer, its tenant, its time.

use thiserror::Error;

/// What is wrong with a claim. Names the claim, never its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ClaimError {
    /// The payload is not one bounded JSON object without duplicate members.
    #[error("the claims are not readable")]
    Unreadable,
    /// A claim that must be there is not.
    #[error("the claim {0} is missing")]
    Missing(&'static str),
    /// A claim is of another type than its specification says, or out of range. A date must be a
    /// whole number of seconds from 1970 to 9999.
    #[error("the claim {0} is not well-formed")]
    Malformed(&'static str),
    /// A list of more than 512 entries.
    #[error("the claim {0} has too many entries")]
    TooMany(&'static str),
}

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
