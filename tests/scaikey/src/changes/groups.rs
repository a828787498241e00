//! Events about groups and memberships.

use super::{Change, Changes};
use crate::directory::Group;
use crate::webhook::{EventNames, WebhookEvent};

impl Change<'_> {
    fn about_group(&self, event_type: &str, group: &Group) -> WebhookEvent {
        let data = self.group_data(group);
        let of = (Some(group.tenant_id.as_str()), None);
        self.event(event_type, ("group", &group.id), of, data)
    }

    fn about_membership(&self, added: bool, group: &str, user: &str) -> Option<WebhookEvent> {
        let event_type = match (self.behaviour.webhook_names, added) {
            (EventNames::ScaiKey, true) => "group.member_added",
            (EventNames::ScaiKey, false) => "group.member_removed",
            (EventNames::ScaiFlow, true) => "group_membership.added",
            (EventNames::ScaiFlow, false) => "group_membership.removed",
        };
        let group = self.directory.group(group)?;
        let data = self.membership_data(group, self.directory.user(user)?);
        let of = (Some(group.tenant_id.as_str()), None);
        Some(self.event(event_type, ("group", &group.id), of, data))
    }
}

impl Changes<'_> {
    /// A new empty `SECURITY` group at the top level (`group.created`). The id is `grp_<tenant slug>_<name>`, with an
    /// underscore for whatever is no letter or digit; it must not be there.
    pub fn create_group(&self, tenant_id: &str, name: &str) -> Option<WebhookEvent> {
        let mut change = self.begin();
        let slug = &change.directory.tenant(tenant_id)?.slug;
        let plain = name
            .to_ascii_lowercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let id = format!("grp_{slug}_{plain}");
        if change.directory.group(&id).is_some() {
            return None;
        }
        change.directory.groups.push(Group {
            id: id.clone(),
            tenant_id: tenant_id.to_owned(),
            name: name.to_owned(),
            group_type: "SECURITY".to_owned(),
            parent_id: None,
            members: Vec::new(),
        });
        let group = change.directory.group(&id)?;
        Some(change.about_group("group.created", group))
    }

    /// Changes name, type or parent of a group (`group.updated`).
    pub fn update_group(&self, id: &str, edit: impl FnOnce(&mut Group)) -> Option<WebhookEvent> {
        let mut change = self.begin();
        let before = change.directory.group(id)?.clone();
        let mut after = before.clone();
        edit(&mut after);
        after.id.clone_from(&before.id);
        after.tenant_id.clone_from(&before.tenant_id);
        after.members.clone_from(&before.members);
        if after == before {
            return None;
        }
        *change.directory.group_mut(id)? = after;
        let group = change.directory.group(id)?;
        Some(change.about_group("group.updated", group))
    }

    /// Deletes a group with its memberships and assignments (`group.deleted`); not while groups are nested in it.
    pub fn delete_group(&self, id: &str) -> Option<WebhookEvent> {
        let mut change = self.begin();
        let nested = |group: &Group| group.parent_id.as_deref() == Some(id);
        if change.directory.groups.iter().any(nested) {
            return None;
        }
        let group = change.directory.group(id)?.clone();
        let event = change.about_group("group.deleted", &group);
        change.directory.groups.retain(|g| g.id != id);
        for application in &mut change.directory.applications {
            application.assigned_groups.retain(|g| g != id);
        }
        Some(event)
    }

    /// A person of the group's tenant becomes a direct member (`group.member_added` or `group_membership.added`).
    pub fn add_member(&self, group_id: &str, user_id: &str) -> Option<WebhookEvent> {
        let mut change = self.begin();
        let user = change.directory.user(user_id)?;
        let group = change.directory.group(group_id)?;
        let can = user.status != "DELETED" && user.tenant_id == group.tenant_id;
        if !can || group.members.iter().any(|m| m == user_id) {
            return None;
        }
        let members = &mut change.directory.group_mut(group_id)?.members;
        members.push(user_id.to_owned());
        change.about_membership(true, group_id, user_id)
    }

    /// A direct member is one no longer (`group.member_removed` or `group_membership.removed`).
    pub fn remove_member(&self, group_id: &str, user_id: &str) -> Option<WebhookEvent> {
        let mut change = self.begin();
        let group = change.directory.group(group_id)?;
        let position = group.members.iter().position(|m| m == user_id)?;
        let members = &mut change.directory.group_mut(group_id)?.members;
        members.remove(position);
        change.about_membership(false, group_id, user_id)
    }
}
