//! `/api/v1/admin/users/`.

use serde_json::{Value, json};

use crate::admin::access::{Reach, lies, read};
use crate::admin::listing::{equal, found, one, page};
use crate::deviation::DirectoryLie;
use crate::directory::User;
use crate::exchange::{Call, Reply};
use crate::switches::UserShape;
use crate::world::World;

/// A person as a row; the spelling follows the switch.
pub(crate) fn row(world: &World, user: &User) -> Value {
    let mut row = json!({
        "email": user.email,
        "email_verified": user.email_verified,
        "status": user.status,
        "role": user.role,
        "custom_attributes": {},
    });
    let shape = world.switches.behaviour().user_shape;
    row[if shape == UserShape::UserId {
        "user_id"
    } else {
        "id"
    }] = json!(user.id);
    if shape == UserShape::UserId {
        row["display_name"] = json!(user.name());
    } else {
        row["first_name"] = json!(user.first_name);
        row["last_name"] = json!(user.last_name);
    }
    if shape == UserShape::NestedTenant {
        let directory = world.directory();
        let tenant = directory.tenant(&user.tenant_id);
        row["tenant"] = json!({
            "id": user.tenant_id,
            "name": tenant.map(|t| t.name.as_str()),
            "slug": tenant.map(|t| t.slug.as_str()),
        });
    } else {
        row["tenant_id"] = json!(user.tenant_id);
    }
    row
}

/// `GET /` with `search`, `status`, `tenant_id`, `partner_id`. Deleted people only when `status` asks for them.
pub(crate) fn list(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, Some("users:read")) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let lies = lies(world, call);
    let all = world.directory().users.clone();
    let users = all
        .iter()
        .filter(|u| visible(world, call, &reach, u))
        .filter(|u| {
            if call.query("status").is_none() {
                u.status != "DELETED"
            } else {
                true
            }
        })
        .filter(|u| equal(call, "status", &u.status))
        .filter(|u| found(call, &[&u.email, &u.name()]));
    let mut rows: Vec<Value> = users.map(|u| row(world, u)).collect();
    add_foreign_row(world, call, &lies, &mut rows);
    page(world, call, rows, &lies)
}

/// The row of `ForeignTenantRow`: somebody of a tenant that was not asked for.
pub(crate) fn add_foreign_row(
    world: &World,
    call: &Call,
    lies: &[DirectoryLie],
    rows: &mut Vec<Value>,
) {
    let asked = call
        .query("tenant_id")
        .unwrap_or_else(|| call.param("tenant"));
    if lies.contains(&DirectoryLie::ForeignTenantRow) && !asked.is_empty() {
        let stranger = world
            .directory()
            .users
            .iter()
            .find(|u| u.tenant_id != asked)
            .cloned();
        rows.extend(stranger.iter().map(|u| row(world, u)));
    }
}

fn visible(world: &World, call: &Call, reach: &Reach, user: &User) -> bool {
    let partner = || {
        let directory = world.directory();
        let own = directory
            .tenant(&user.tenant_id)
            .map(|t| t.partner_id.clone());
        equal(call, "partner_id", &own.unwrap_or_default())
    };
    reach.covers(world, &user.tenant_id) && equal(call, "tenant_id", &user.tenant_id) && partner()
}

/// `GET /{id}`.
pub(crate) fn get(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, Some("users:read")) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let user = world.directory().user(call.param("id")).cloned();
    match user.filter(|u| reach.covers(world, &u.tenant_id)) {
        Some(user) => one(200, &row(world, &user)),
        None => Reply::detail(404, "User not found"),
    }
}
