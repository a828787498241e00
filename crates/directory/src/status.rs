//! The status of users, tenants and partners as it is stored: in lower case, `active` for whoever may
//! act.

/// A status of ScaiKey (`ACTIVE`) as it is stored (`active`).
pub(crate) fn stored(status: &str) -> String {
    status.to_ascii_lowercase()
}
