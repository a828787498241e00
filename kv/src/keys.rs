//! The keys of the key-value store: `<kind>:v<N>:<owner>`, built only here.

use scaigate_types::SessionId;

/// When somebody is to look again whether a sync is due. A hint: whoever misses it looks once more.
pub const SYNC_LOOK: &str = "sync-look:v1";

/// Written and read by whoever looks whether the store works.
pub const PROBE: &str = "probe:v1";

/// How often headers of development came where they mean nothing.
pub const DEV_HEADERS: &str = "dev-headers:v1";

/// The revocation record of a session.
#[must_use]
pub fn revocation(sid: &SessionId) -> String {
    format!("revocation:v1:{sid}")
}

/// The revocation record of a subject of ScaiKey, by a digest of its issuer and itself.
#[must_use]
pub fn subject_revocation(subject_digest: &str) -> String {
    format!("revocation:v1:subject:{subject_digest}")
}

/// The last good discovery document of a ScaiKey, by a digest of its base URL.
#[must_use]
pub fn discovery(base_url_digest: &str) -> String {
    format!("discovery:v1:{base_url_digest}")
}

/// The last good key set of an issuer, by a digest of its `jwks_uri`.
#[must_use]
pub fn jwks(jwks_uri_digest: &str) -> String {
    format!("jwks:v1:{jwks_uri_digest}")
}
