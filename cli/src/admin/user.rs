//! A user of the mirror, as the routes show one.

use serde::Deserialize;
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;

/// A row. What is only shown may be missing.
#[derive(Clone, Debug, Deserialize)]
pub struct User {
    /// ScaiKey's identifier.
    pub id: String,
    /// The tenant.
    pub tenant_id: String,
    /// The address.
    pub email: Option<String>,
    /// The name.
    pub display_name: Option<String>,
    /// The status, in upper case.
    #[serde(default)]
    pub status: String,
    /// `super_admin` or `tenant_admin`.
    pub admin_role: Option<String>,
    /// `manual`, `group` or `bootstrap`.
    pub admin_role_source: Option<String>,
    /// When they vanished from ScaiKey.
    pub deleted_at: Option<String>,
    /// When the directory last told of them.
    pub last_synced_at: Option<String>,
}

impl User {
    /// Whether that is their address. As in the store, only ASCII compares without case.
    pub fn has_address(&self, email: &str) -> bool {
        self.email
            .as_ref()
            .is_some_and(|own| own.eq_ignore_ascii_case(email))
    }

    /// Whether they may act, as far as the row says.
    pub fn is_active(&self) -> bool {
        self.deleted_at.is_none() && self.status.eq_ignore_ascii_case("active")
    }

    /// The status, or that they are deleted.
    pub fn shown_status(&self) -> &str {
        if self.deleted_at.is_some() {
            "DELETED"
        } else {
            &self.status
        }
    }
}

/// The users of a page.
///
/// # Errors
/// It is no page of users.
pub fn page(answer: &Value) -> Result<Vec<User>, Failure> {
    let users = answer.get("users").cloned().unwrap_or_default();
    serde_json::from_value(users).map_err(|_| {
        let message = "The answer is no page of users.";
        Failure::new(Exit::Failed, "unreadable_answer", message)
            .with_fix("Check that scaigate and this command are of one version.")
    })
}
