//! What events say in `data`. ScaiKey's payloads are not published (`contract/scaikey.md` 4.5): these extend the two
//! samples there, in the three spellings of `UserShape`.

use serde_json::{Value, json};

use super::Change;
use crate::admin::{groups, tenants, users};
use crate::directory::{Application, Group, Partner, Tenant, User};
use crate::switches::UserShape;

/// `id` under another name, where that is the spelling.
fn renamed(shape: UserShape, mut row: Value, id: &str) -> Value {
    if shape == UserShape::UserId {
        row[id] = row["id"].take();
        without(&mut row, "id");
    }
    row
}

fn without(row: &mut Value, name: &str) {
    if let Some(row) = row.as_object_mut() {
        row.remove(name);
    }
}

impl Change<'_> {
    fn shape(&self) -> UserShape {
        self.behaviour.webhook_data
    }

    /// The tenant, flat or nested.
    fn with_tenant(&self, mut data: Value, tenant_id: &str) -> Value {
        if self.shape() == UserShape::NestedTenant {
            without(&mut data, "tenant_id");
            data["tenant"] = users::nested_tenant(&self.directory, tenant_id);
        } else {
            data["tenant_id"] = json!(tenant_id);
        }
        data
    }

    pub(super) fn user_data(&self, user: &User) -> Value {
        users::row(&self.directory, self.shape(), user)
    }

    pub(super) fn group_data(&self, group: &Group) -> Value {
        let mut row = json!({
            "id": group.id,
            "name": group.name,
            "group_type": group.group_type,
            "parent_id": group.parent_id,
        });
        if let Some(position) = self.directory.group_place(&group.id) {
            row["member_count"] = groups::row(&self.directory, position)["member_count"].take();
        }
        let row = self.with_tenant(row, &group.tenant_id);
        renamed(self.shape(), row, "group_id")
    }

    pub(super) fn tenant_data(&self, tenant: &Tenant) -> Value {
        let mut row = tenants::row(tenant);
        if self.shape() == UserShape::NestedTenant {
            let partner = self.directory.partner(&tenant.partner_id);
            without(&mut row, "partner_id");
            row["partner"] = json!({
                "id": tenant.partner_id,
                "name": partner.map(|p| p.name.as_str()),
                "slug": partner.map(|p| p.slug.as_str()),
            });
        }
        renamed(self.shape(), row, "tenant_id")
    }

    pub(super) fn partner_data(&self, partner: &Partner) -> Value {
        renamed(self.shape(), tenants::partner_row(partner), "partner_id")
    }

    pub(super) fn membership_data(&self, group: &Group, user: &User) -> Value {
        let data = match self.shape() {
            UserShape::NestedTenant => json!({
                "group": {"id": group.id, "name": group.name},
                "user": {"id": user.id, "email": user.email},
            }),
            UserShape::Flat | UserShape::UserId => json!({
                "group_id": group.id,
                "group_name": group.name,
                "user_id": user.id,
                "email": user.email,
            }),
        };
        let mut data = self.with_tenant(data, &group.tenant_id);
        data["membership_type"] = json!("DIRECT");
        data
    }

    /// An assignment of a person or a group: `holder` is `user` or `group`, with its id and its name or address.
    pub(super) fn assignment_data(
        &self,
        application: &Application,
        holder: (&str, &str, &str),
        tenant_id: &str,
    ) -> Value {
        let (kind, id, name) = holder;
        let data = match self.shape() {
            UserShape::NestedTenant => {
                let called = if kind == "user" { "email" } else { "name" };
                let Application {
                    id: application_id,
                    client_id,
                    name: title,
                    ..
                } = application;
                let mut data = json!({
                    "application": {"id": application_id, "client_id": client_id, "name": title},
                });
                data[kind] = json!({"id": id, called: name});
                data
            }
            UserShape::Flat | UserShape::UserId => {
                let mut data = json!({
                    "application_id": application.id,
                    "client_id": application.client_id,
                });
                data[format!("{kind}_id")] = json!(id);
                data
            }
        };
        self.with_tenant(data, tenant_id)
    }
}
