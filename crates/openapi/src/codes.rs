//! What fails in the same way behind many addresses.

use scaigate_problem::Code::{self, *};

/// Anything of ours.
pub const EVERY: &[Code] = &[Internal];

/// Anything that takes a body or changes something.
pub const SENT: &[Code] = &[InvalidRequest, PayloadTooLarge, OriginNotAllowed];

/// ScaiKey's documents: discovery and keys.
pub const SCAIKEY: &[Code] = &[
    OidcNotConfigured,
    ConfigurationInvalid,
    ScaikeyUnreachable,
    ScaikeyTimeout,
    ScaikeyUnavailable,
    ScaikeyRateLimited,
    ScaikeyInvalidResponse,
    DiscoveryInvalid,
    JwksUnavailable,
];

/// The stores.
pub const STORES: &[Code] = &[StoreUnavailable, SchemaNewer];

/// Telling who calls, beside [`SCAIKEY`] and [`STORES`].
pub const CALLER: &[Code] = &[
    TenantClaimMissing,
    PersonSuspended,
    AuthenticationRequired,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
    TenantNotFound,
    ServiceTokenWithoutSubject,
    AudienceMismatch,
];

/// A grant at ScaiKey, and the identity that comes of it.
pub const GRANT: &[Code] = &[
    InvalidGrant,
    CodeAlreadyUsed,
    ClientRefused,
    RedirectUriMismatch,
    TenantClaimMissing,
    PersonSuspended,
    UnsupportedGrantType,
    IdTokenInvalid,
    AudienceMismatch,
];

/// Administrators only.
pub const ADMINISTRATOR: &[Code] = &[UserRequired, InsufficientScope, AdminRoleRequired];

/// Asking ScaiGrid.
pub const SCAIGRID: &[Code] = &[
    NotFound,
    InvalidRequest,
    ScaikeyLoginRequired,
    InvalidTarget,
    InvalidScope,
    InvalidGrant,
    ClientRefused,
    RefreshBusy,
    IdTokenInvalid,
    ScaigridNotConfigured,
    InsufficientScope,
    UserRequired,
    ScaigridCallNotEnabled,
    MissingCredentials,
    ScaigridTokenRefused,
    ScaigridKeyRefused,
    ScaigridForbidden,
    ScaigridModuleNotEnabled,
    ScaigridNotFound,
    ScaigridConflict,
    ScaigridRejected,
    ScaigridRateLimited,
    ModelRateLimited,
    ScaigridQuotaExceeded,
    ScaigridCapacityUnavailable,
    ModelBackendFailed,
    ModelBackendTimeout,
    ScaigridUnavailable,
    ScaigridInvalidResponse,
    ScaigridUnreachable,
    ScaigridTimeout,
];
