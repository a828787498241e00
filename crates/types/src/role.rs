//! Roles, in the order of what they may do.

use serde::{Deserialize, Serialize};

/// What a person may do in one workspace: `viewer < operator < author < admin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceRole {
    /// Reads.
    Viewer,
    /// Runs things.
    Operator,
    /// Makes things.
    Author,
    /// Manages the workspace.
    Admin,
}

impl WorkspaceRole {
    /// The name stored, sent and documented.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Author => "author",
            Self::Admin => "admin",
        }
    }

    /// Reads a stored or received name; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Viewer, Self::Operator, Self::Author, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

/// ScaiFlow's administrator role (`contract/scaiflow.md` 2.2), apart from any workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminRole {
    /// Administers the people and keys of one tenant.
    TenantAdmin,
    /// Administers every tenant.
    SuperAdmin,
}

impl AdminRole {
    /// The name stored, sent and documented.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TenantAdmin => "tenant_admin",
            Self::SuperAdmin => "super_admin",
        }
    }

    /// Reads a stored or received name; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::TenantAdmin, Self::SuperAdmin]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspace_roles_are_ordered() {
        use WorkspaceRole::{Admin, Author, Operator, Viewer};
        assert!(Viewer < Operator && Operator < Author && Author < Admin);
    }

    #[test]
    fn names_round_trip_and_nothing_else_parses() {
        for role in ["viewer", "operator", "author", "admin"] {
            assert_eq!(
                WorkspaceRole::parse(role).map(WorkspaceRole::as_str),
                Some(role)
            );
        }
        for role in ["tenant_admin", "super_admin"] {
            assert_eq!(AdminRole::parse(role).map(AdminRole::as_str), Some(role));
        }
        for bad in ["", "Admin", "owner", "viewer "] {
            assert_eq!(WorkspaceRole::parse(bad), None);
            assert_eq!(AdminRole::parse(bad), None);
        }
    }
}
