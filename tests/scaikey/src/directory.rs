//! Partners, tenants, people, groups and applications. Plain data: tests change it as they like.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

/// A partner: it has tenants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partner {
    /// `prt_…`.
    pub id: String,
    /// A short name.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// `ACTIVE` or `SUSPENDED`.
    pub status: String,
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// `tnt_…`.
    pub id: String,
    /// The path segment of tenant endpoints.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// `prt_…`.
    pub partner_id: String,
    /// `ACTIVE`, `SUSPENDED` or `DELETED`; lists say nothing of what is in a deleted one.
    pub status: String,
}

/// The admin roles of `contract/scaikey.md` section 6, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminRole {
    /// Reads and writes one tenant.
    TenantAdmin,
    /// Reads and writes the tenants of a partner.
    PartnerAdmin,
    /// Everything.
    SuperAdmin,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `usr_…`, the `sub` of tokens.
    pub id: String,
    /// The tenant the person belongs to.
    pub tenant_id: String,
    /// Sign-in name.
    pub email: String,
    /// `email_verified`.
    pub email_verified: bool,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// `ACTIVE`, `SUSPENDED` or `DELETED`.
    pub status: String,
    /// Admin role, if any.
    pub role: Option<AdminRole>,
    /// Password of the login page and the password grant.
    pub password: String,
}

impl User {
    /// An active person with the password `password`; the id is `usr_<name>_<tenant slug>` of the address' local part.
    pub(crate) fn new(
        tenant_id: &str,
        slug: &str,
        email: &str,
        first_name: &str,
        last_name: &str,
    ) -> Self {
        let local = email.split('@').next().unwrap_or_default();
        Self {
            id: format!("usr_{local}_{slug}"),
            tenant_id: tenant_id.to_owned(),
            email: email.to_owned(),
            email_verified: true,
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            status: "ACTIVE".to_owned(),
            role: None,
            password: "password".to_owned(),
        }
    }

    /// First and last name.
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }

    /// May sign in and keeps tokens.
    pub fn is_active(&self) -> bool {
        self.status == "ACTIVE"
    }
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// `grp_…`.
    pub id: String,
    /// The tenant it belongs to.
    pub tenant_id: String,
    /// Display name.
    pub name: String,
    /// `SECURITY` or `DISTRIBUTION_LIST`.
    pub group_type: String,
    /// The group this one is nested in.
    pub parent_id: Option<String>,
    /// Ids of direct members.
    pub members: Vec<String>,
}

/// Application type (`contract/scaikey.md` 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ApplicationType {
    /// Confidential, with redirect URIs.
    Web,
    /// Confidential, without people.
    Service,
    /// Public, in a browser.
    Spa,
    /// Public, on a device.
    Native,
}

impl ApplicationType {
    /// Holds a secret.
    pub fn is_confidential(self) -> bool {
        matches!(self, Self::Web | Self::Service)
    }
}

/// Where an application lives and acts (`contract/scaikey.md` 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ApplicationScope {
    /// Any tenant; platform endpoints.
    Global,
    /// A partner's tenants; tenant endpoints.
    Partner,
    /// One tenant; tenant endpoints.
    Tenant,
}

/// A registered application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// `app_…`.
    pub id: String,
    /// OAuth client id.
    pub client_id: String,
    /// OAuth secret; `None` for public types.
    pub client_secret: Option<String>,
    /// Display name.
    pub name: String,
    /// Type.
    pub kind: ApplicationType,
    /// Scope level.
    pub scope: ApplicationScope,
    /// The tenant of a `TENANT` application.
    pub tenant_id: Option<String>,
    /// The partner of a `PARTNER` application.
    pub partner_id: Option<String>,
    /// Exact redirect URIs.
    pub redirect_uris: Vec<String>,
    /// Exact addresses that end-session may send the browser to.
    pub post_logout_redirect_uris: Vec<String>,
    /// The ceiling of what tokens may carry.
    pub allowed_scopes: Vec<String>,
    /// Lifetime of access tokens, seconds.
    pub token_lifetime: i64,
    /// Audiences that this client may exchange tokens for.
    pub exchange_audiences: Vec<String>,
    /// Ids of people assigned directly.
    pub assigned_users: Vec<String>,
    /// Ids of groups assigned.
    pub assigned_groups: Vec<String>,
}

impl Application {
    /// Holds this scope.
    pub fn allows(&self, scope: &str) -> bool {
        self.allowed_scopes.iter().any(|known| known == scope)
    }
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Partners.
    pub partners: Vec<Partner>,
    /// Tenants.
    pub tenants: Vec<Tenant>,
    /// People, deleted ones included.
    pub users: Vec<User>,
    /// Groups.
    pub groups: Vec<Group>,
    /// Applications.
    pub applications: Vec<Application>,
}

impl Directory {
    /// A partner by id.
    pub fn partner(&self, id: &str) -> Option<&Partner> {
        self.partners.iter().find(|p| p.id == id)
    }

    /// A tenant by id.
    pub fn tenant(&self, id: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|t| t.id == id)
    }

    /// A tenant by slug.
    pub fn tenant_by_slug(&self, slug: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|t| t.slug == slug)
    }

    /// A person by id.
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|u| u.id == id)
    }

    /// A person by id, to change.
    pub fn user_mut(&mut self, id: &str) -> Option<&mut User> {
        self.users.iter_mut().find(|u| u.id == id)
    }

    /// A person by e-mail address, without regard to case; deleted ones are not found.
    pub fn user_by_email(&self, email: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|u| u.status != "DELETED" && u.email.eq_ignore_ascii_case(email))
    }

    /// Adds an active person with the password `password`; the id is `usr_<name>_<tenant slug>` of the address' local part.
    pub fn add_user(
        &mut self,
        tenant_id: &str,
        email: &str,
        first_name: &str,
        last_name: &str,
    ) -> User {
        let slug = self.tenant(tenant_id).map_or("", |t| t.slug.as_str());
        let user = User::new(tenant_id, slug, email, first_name, last_name);
        self.users.push(user.clone());
        user
    }

    /// Sets a status; `false` when there is no such person.
    pub fn set_user_status(&mut self, id: &str, status: &str) -> bool {
        self.user_mut(id)
            .map(|u| status.clone_into(&mut u.status))
            .is_some()
    }

    /// Removes a person without a trace, memberships and assignments included.
    pub fn remove_user(&mut self, id: &str) {
        self.users.retain(|u| u.id != id);
        for group in &mut self.groups {
            group.members.retain(|m| m != id);
        }
        for application in &mut self.applications {
            application.assigned_users.retain(|m| m != id);
        }
    }

    /// A group by id.
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.iter().find(|g| g.id == id)
    }

    /// A group by id, to change.
    pub fn group_mut(&mut self, id: &str) -> Option<&mut Group> {
        self.groups.iter_mut().find(|g| g.id == id)
    }

    /// Adds a direct member once.
    pub fn add_member(&mut self, group_id: &str, user_id: &str) {
        if let Some(group) = self.group_mut(group_id)
            && !group.members.iter().any(|m| m == user_id)
        {
            group.members.push(user_id.to_owned());
        }
    }

    /// Removes a direct member.
    pub fn remove_member(&mut self, group_id: &str, user_id: &str) {
        if let Some(group) = self.group_mut(group_id) {
            group.members.retain(|m| m != user_id);
        }
    }

    /// The groups a person is in, directly or through nesting.
    pub fn groups_of(&self, user_id: &str) -> Vec<&Group> {
        let parents: HashMap<&str, Option<&str>> = self
            .groups
            .iter()
            .map(|g| (g.id.as_str(), g.parent_id.as_deref()))
            .collect();
        let direct = self
            .groups
            .iter()
            .filter(|g| g.members.iter().any(|m| m == user_id));
        let mut reached = HashSet::new();
        for group in direct {
            let mut next = Some(group.id.as_str());
            // Ends at the top, and where a cycle that a test made closes.
            while let Some(id) = next.filter(|id| reached.insert(*id)) {
                next = parents.get(id).copied().flatten();
            }
        }
        let within = |g: &&Group| reached.contains(g.id.as_str());
        self.groups.iter().filter(within).collect()
    }

    /// An application by client id.
    pub fn client(&self, client_id: &str) -> Option<&Application> {
        self.applications.iter().find(|a| a.client_id == client_id)
    }

    /// An application by client id, to change.
    pub fn client_mut(&mut self, client_id: &str) -> Option<&mut Application> {
        self.applications
            .iter_mut()
            .find(|a| a.client_id == client_id)
    }

    /// People of a tenant with access to an application, directly or through a group; deleted ones have none.
    pub fn effective_users(&self, tenant_id: &str, application: &Application) -> Vec<&User> {
        self.effective_positions(application)
            .into_iter()
            .filter_map(|position| self.users.get(position))
            .filter(|u| u.tenant_id == tenant_id)
            .collect()
    }

    /// Where in `users` the people of all tenants with access to an application are.
    pub(crate) fn effective_positions(&self, application: &Application) -> Vec<usize> {
        let mut members: HashMap<&str, &[String]> = HashMap::with_capacity(self.groups.len());
        let mut nested: HashMap<&str, Vec<&str>> = HashMap::new();
        for group in &self.groups {
            members.insert(&group.id, &group.members);
            if let Some(parent) = &group.parent_id {
                nested.entry(parent).or_default().push(&group.id);
            }
        }
        let mut holders: HashSet<&str> = application
            .assigned_users
            .iter()
            .map(String::as_str)
            .collect();
        let mut waiting: Vec<&str> = application
            .assigned_groups
            .iter()
            .map(String::as_str)
            .collect();
        let mut reached = HashSet::new();
        while let Some(group) = waiting.pop() {
            if reached.insert(group) {
                let direct = members.get(group).copied().unwrap_or_default();
                holders.extend(direct.iter().map(String::as_str));
                waiting.extend(nested.get(group).into_iter().flatten());
            }
        }
        self.users
            .iter()
            .enumerate()
            .filter(|(_, u)| u.status != "DELETED" && holders.contains(u.id.as_str()))
            .map(|(position, _)| position)
            .collect()
    }
}
