//! Who may look at flows and who may change them (`product.md` section 7; C-9).

use scaigate_signin::User;
use scaigate_types::WorkspaceRole;

/// Reads.
pub const VIEW: &str = "scaicore:view";
/// Changes, which includes reading.
pub const MANAGE: &str = "scaicore:manage";

/// What of the two somebody holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// [`VIEW`]
    pub view: bool,
    /// [`MANAGE`]
    pub manage: bool,
}

impl Held {
    /// Their names.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        let names = [(self.view, VIEW), (self.manage, MANAGE)];
        names
            .into_iter()
            .filter_map(|(held, name)| held.then_some(name))
            .collect()
    }
}

/// Whether the token itself says what its bearer may do: then nothing here widens it.
#[must_use]
pub fn token_decides(user: &User) -> bool {
    !user.permissions.is_empty()
        || user
            .scopes
            .iter()
            .any(|scope| scope.starts_with("scaicore:"))
}

/// What `user` holds: what the token says where it says anything, else what the role here gives.
/// `role` is the one in the tenant's default workspace: everybody is `admin` of their personal one,
/// and flows are the tenant's.
#[must_use]
pub fn held(user: &User, role: Option<WorkspaceRole>) -> Held {
    if token_decides(user) {
        let has = |wanted: &str| {
            let mut said = user.permissions.iter().chain(&user.scopes);
            said.any(|one| one == wanted)
        };
        let manage = has(MANAGE);
        return Held {
            view: manage || has(VIEW),
            manage,
        };
    }
    let is_admin = user.admin_role.is_some();
    Held {
        view: is_admin || role.is_some(),
        manage: is_admin || role >= Some(WorkspaceRole::Author),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scaigate_signin::Credential;
    use scaigate_types::{AdminRole, Issuer, Subject, TenantId};

    fn user(permissions: &[&str], scopes: &[&str], admin_role: Option<AdminRole>) -> User {
        let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        User {
            issuer: Issuer::parse("https://scaikey.test").unwrap(),
            subject: Subject::parse("usr_1").unwrap(),
            tenant_id: TenantId::parse("tnt_1").unwrap(),
            person_id: None,
            email: None,
            name: None,
            admin_role,
            personal_workspace_id: None,
            workspace: None,
            scopes: texts(scopes),
            permissions: texts(permissions),
            roles: Vec::new(),
            groups: Vec::new(),
            credential: Credential::AccessToken,
            expires_at: None,
        }
    }

    #[test]
    fn the_token_decides_where_it_says_anything_else_the_role() {
        use WorkspaceRole::{Admin, Author, Operator, Viewer};
        let super_admin = Some(AdminRole::SuperAdmin);
        let tenant_admin = Some(AdminRole::TenantAdmin);
        let nothing: &[&str] = &[];
        for (permissions, scopes, admin_role, role, expected) in [
            (nothing, nothing, None, None, (false, false)),
            (nothing, &["openid", "profile"], None, None, (false, false)),
            (nothing, &["openid"], None, Some(Viewer), (true, false)),
            (nothing, nothing, None, Some(Operator), (true, false)),
            (nothing, nothing, None, Some(Author), (true, true)),
            (nothing, nothing, None, Some(Admin), (true, true)),
            (nothing, nothing, tenant_admin, None, (true, true)),
            (nothing, nothing, super_admin, Some(Viewer), (true, true)),
            (&[VIEW], nothing, None, None, (true, false)),
            (&[MANAGE], nothing, None, None, (true, true)),
            (nothing, &[VIEW], None, Some(Admin), (true, false)),
            (nothing, &["openid", MANAGE], None, None, (true, true)),
            // Said, and none of ours: nothing is held.
            (
                &["scaiqueue:view"],
                nothing,
                super_admin,
                Some(Admin),
                (false, false),
            ),
            (
                nothing,
                &["scaicore:other"],
                super_admin,
                Some(Admin),
                (false, false),
            ),
            (
                &["scaicore:views", "scaicore:*"],
                nothing,
                None,
                None,
                (false, false),
            ),
        ] {
            let got = held(&user(permissions, scopes, admin_role), role);
            let (view, manage) = expected;
            assert_eq!(
                got,
                Held { view, manage },
                "{permissions:?} {scopes:?} {admin_role:?} {role:?}"
            );
        }
    }
}
