//! Events about who is assigned to an application.

use super::{Change, Changes};
use crate::directory::Application;
use crate::webhook::WebhookEvent;

impl Change<'_> {
    /// Assigns an id or takes it away, in the list that `of` picks; `None` when that changes nothing.
    fn assign(
        &mut self,
        application_id: &str,
        id: &str,
        assigned: bool,
        of: fn(&mut Application) -> &mut Vec<String>,
    ) -> Option<Application> {
        let applications = &self.directory.applications;
        let place = applications.iter().position(|a| a.id == application_id)?;
        let list = of(self.directory.applications.get_mut(place)?);
        if list.iter().any(|known| known == id) == assigned {
            return None;
        }
        if assigned {
            list.push(id.to_owned());
        } else {
            list.retain(|known| known != id);
        }
        self.directory.applications.get(place).cloned()
    }

    fn group_access(
        &mut self,
        application_id: &str,
        id: &str,
        assigned: bool,
    ) -> Option<WebhookEvent> {
        let group = self.directory.group(id)?.clone();
        let application = self.assign(application_id, id, assigned, |a| &mut a.assigned_groups)?;
        let event_type = if assigned {
            "application.group_assigned"
        } else {
            "application.group_unassigned"
        };
        let holder = ("group", group.id.as_str(), group.name.as_str());
        let data = self.assignment_data(&application, holder, &group.tenant_id);
        let of = (Some(group.tenant_id.as_str()), None);
        Some(self.event(event_type, ("application", application_id), of, data))
    }

    fn user_access(
        &mut self,
        application_id: &str,
        id: &str,
        assigned: bool,
    ) -> Option<WebhookEvent> {
        let user = self.directory.user(id).filter(|u| u.status != "DELETED");
        let user = user?.clone();
        let application = self.assign(application_id, id, assigned, |a| &mut a.assigned_users)?;
        let event_type = if assigned {
            "application.user_assigned"
        } else {
            "application.user_unassigned"
        };
        let holder = ("user", user.id.as_str(), user.email.as_str());
        let data = self.assignment_data(&application, holder, &user.tenant_id);
        let of = (Some(user.tenant_id.as_str()), None);
        Some(self.event(event_type, ("application", application_id), of, data))
    }
}

impl Changes<'_> {
    /// Everybody in a group gets access to an application (`application.group_assigned`).
    pub fn assign_group(&self, application_id: &str, group_id: &str) -> Option<WebhookEvent> {
        self.begin().group_access(application_id, group_id, true)
    }

    /// A group no longer gives access to an application (`application.group_unassigned`).
    pub fn unassign_group(&self, application_id: &str, group_id: &str) -> Option<WebhookEvent> {
        self.begin().group_access(application_id, group_id, false)
    }

    /// A person gets access to an application directly (`application.user_assigned`).
    pub fn assign_user(&self, application_id: &str, user_id: &str) -> Option<WebhookEvent> {
        self.begin().user_access(application_id, user_id, true)
    }

    /// A person no longer has access to an application directly (`application.user_unassigned`).
    pub fn unassign_user(&self, application_id: &str, user_id: &str) -> Option<WebhookEvent> {
        self.begin().user_access(application_id, user_id, false)
    }
}
