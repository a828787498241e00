//! Events about tenants and partners. Suspension is an update (`contract/scaikey.md` 4.4).

use super::{Change, Changes};
use crate::directory::{Partner, Tenant};
use crate::webhook::WebhookEvent;

impl Change<'_> {
    fn about_tenant(&self, event_type: &str, tenant: &Tenant) -> WebhookEvent {
        let data = self.tenant_data(tenant);
        let of = (Some(tenant.id.as_str()), Some(tenant.partner_id.as_str()));
        self.event(event_type, ("tenant", &tenant.id), of, data)
    }

    fn tenant(
        &mut self,
        event_type: &str,
        id: &str,
        edit: impl FnOnce(&mut Tenant),
    ) -> Option<WebhookEvent> {
        let directory = &self.directory;
        let place = directory.tenants.iter().position(|t| t.id == id)?;
        let before = directory.tenants.get(place)?.clone();
        let mut after = before.clone();
        edit(&mut after);
        after.id.clone_from(&before.id);
        if before.status == "DELETED" || after == before {
            return None;
        }
        self.directory.tenants[place].clone_from(&after);
        Some(self.about_tenant(event_type, &after))
    }
}

impl Changes<'_> {
    /// A new active tenant, `tnt_<slug>` (`tenant.created`).
    pub fn create_tenant(&self, slug: &str, name: &str, partner_id: &str) -> Option<WebhookEvent> {
        let mut change = self.begin();
        let id = format!("tnt_{slug}");
        change.directory.partner(partner_id)?;
        let taken = |t: &Tenant| t.id == id || t.slug == slug;
        if change.directory.tenants.iter().any(taken) {
            return None;
        }
        let tenant = Tenant {
            id,
            slug: slug.to_owned(),
            name: name.to_owned(),
            partner_id: partner_id.to_owned(),
            status: "ACTIVE".to_owned(),
        };
        change.directory.tenants.push(tenant.clone());
        Some(change.about_tenant("tenant.created", &tenant))
    }

    /// Changes anything about a tenant but its id (`tenant.updated`).
    pub fn update_tenant(&self, id: &str, edit: impl FnOnce(&mut Tenant)) -> Option<WebhookEvent> {
        self.begin().tenant("tenant.updated", id, edit)
    }

    /// `tenant.updated` with the status `SUSPENDED`; the directory lists its people as before.
    pub fn suspend_tenant(&self, id: &str) -> Option<WebhookEvent> {
        self.update_tenant(id, |tenant| "SUSPENDED".clone_into(&mut tenant.status))
    }

    /// `tenant.updated` with the status `ACTIVE`.
    pub fn activate_tenant(&self, id: &str) -> Option<WebhookEvent> {
        self.update_tenant(id, |tenant| "ACTIVE".clone_into(&mut tenant.status))
    }

    /// `tenant.deleted`: softly; no list shows it or what is in it any more.
    pub fn delete_tenant(&self, id: &str) -> Option<WebhookEvent> {
        self.begin().tenant("tenant.deleted", id, |tenant| {
            "DELETED".clone_into(&mut tenant.status);
        })
    }

    /// Changes anything about a partner but its id (`partner.updated`).
    pub fn update_partner(
        &self,
        id: &str,
        edit: impl FnOnce(&mut Partner),
    ) -> Option<WebhookEvent> {
        let mut change = self.begin();
        let place = change.directory.partners.iter().position(|p| p.id == id)?;
        let before = change.directory.partners.get(place)?.clone();
        let mut after = before.clone();
        edit(&mut after);
        after.id.clone_from(&before.id);
        if after == before {
            return None;
        }
        change.directory.partners[place].clone_from(&after);
        let data = change.partner_data(&after);
        Some(change.event("partner.updated", ("partner", id), (None, Some(id)), data))
    }

    /// `partner.updated` with the status `SUSPENDED`; its tenants keep theirs.
    pub fn suspend_partner(&self, id: &str) -> Option<WebhookEvent> {
        self.update_partner(id, |partner| "SUSPENDED".clone_into(&mut partner.status))
    }

    /// `partner.updated` with the status `ACTIVE`.
    pub fn activate_partner(&self, id: &str) -> Option<WebhookEvent> {
        self.update_partner(id, |partner| "ACTIVE".clone_into(&mut partner.status))
    }
}
