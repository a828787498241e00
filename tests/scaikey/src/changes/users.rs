//! Events about people.

use super::{Change, Changes};
use crate::directory::User;
use crate::webhook::WebhookEvent;

impl Change<'_> {
    fn about_user(&self, event_type: &str, id: &str) -> Option<WebhookEvent> {
        let user = self.directory.user(id)?;
        let data = self.user_data(user);
        let of = (Some(user.tenant_id.as_str()), None);
        Some(self.event(event_type, ("user", &user.id), of, data))
    }

    /// Changes a person that `wanted` lets through; id and tenant stay.
    fn user(
        &mut self,
        event_type: &str,
        id: &str,
        wanted: impl FnOnce(&User) -> bool,
        change: impl FnOnce(&mut User),
    ) -> Option<WebhookEvent> {
        let before = self.directory.user(id).filter(|user| wanted(user))?.clone();
        let mut after = before.clone();
        change(&mut after);
        after.id.clone_from(&before.id);
        after.tenant_id.clone_from(&before.tenant_id);
        if after == before {
            return None;
        }
        *self.directory.user_mut(id)? = after;
        self.about_user(event_type, id)
    }
}

impl Changes<'_> {
    /// A new active person (`user.created`). The id is `usr_<local part>_<tenant slug>`; one that was there before, even
    /// deleted, is not made again.
    pub fn create_user(
        &self,
        tenant_id: &str,
        email: &str,
        first_name: &str,
        last_name: &str,
    ) -> Option<WebhookEvent> {
        let mut change = self.begin();
        let tenant = change.directory.tenant(tenant_id)?;
        let local = email.split('@').next().unwrap_or_default();
        if change
            .directory
            .user(&format!("usr_{local}_{}", tenant.slug))
            .is_some()
        {
            return None;
        }
        let user = change
            .directory
            .add_user(tenant_id, email, first_name, last_name);
        change.about_user("user.created", &user.id)
    }

    /// Changes anything about a person but id and tenant (`user.updated`).
    pub fn update_user(&self, id: &str, change: impl FnOnce(&mut User)) -> Option<WebhookEvent> {
        self.begin()
            .user("user.updated", id, |user| user.status != "DELETED", change)
    }

    /// `user.suspended`.
    pub fn suspend_user(&self, id: &str) -> Option<WebhookEvent> {
        self.begin()
            .user("user.suspended", id, User::is_active, |user| {
                "SUSPENDED".clone_into(&mut user.status);
            })
    }

    /// `user.activated`, of a suspended person.
    pub fn activate_user(&self, id: &str) -> Option<WebhookEvent> {
        let suspended = |user: &User| user.status == "SUSPENDED";
        self.begin().user("user.activated", id, suspended, |user| {
            "ACTIVE".clone_into(&mut user.status);
        })
    }

    /// `user.deleted`: softly, the memberships and assignments are gone for good.
    pub fn delete_user(&self, id: &str) -> Option<WebhookEvent> {
        let mut change = self.begin();
        let there = |user: &User| user.status != "DELETED";
        let event = change.user("user.deleted", id, there, |user| {
            "DELETED".clone_into(&mut user.status);
        })?;
        for group in &mut change.directory.groups {
            group.members.retain(|m| m != id);
        }
        for application in &mut change.directory.applications {
            application.assigned_users.retain(|m| m != id);
        }
        Some(event)
    }

    /// A deleted person is there again, active and in no group (`user.created`).
    pub fn restore_user(&self, id: &str) -> Option<WebhookEvent> {
        let deleted = |user: &User| user.status == "DELETED";
        self.begin().user("user.created", id, deleted, |user| {
            "ACTIVE".clone_into(&mut user.status);
        })
    }

    /// An event about a person that changes nothing in the directory, such as `user.password_changed`.
    pub fn about_user(&self, event_type: &str, id: &str) -> Option<WebhookEvent> {
        self.begin().about_user(event_type, id)
    }
}
