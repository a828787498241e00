//! `/api/v1/admin/tenants/`.

use serde_json::{Value, json};

use crate::admin::access::{lies, read};
use crate::admin::listing::{equal, found, one, page};
use crate::directory::Tenant;
use crate::exchange::{Call, Reply};
use crate::world::World;

fn row(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id,
        "slug": tenant.slug,
        "name": tenant.name,
        "partner_id": tenant.partner_id,
        "status": tenant.status,
    })
}

/// `GET /` with `search`, `status`, `partner_id`.
pub(crate) fn list(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, None) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let lies = lies(world, call);
    let all = world.directory().tenants.clone();
    let tenants = all
        .iter()
        .filter(|t| reach.covers(world, &t.id))
        .filter(|t| equal(call, "status", &t.status) && equal(call, "partner_id", &t.partner_id))
        .filter(|t| found(call, &[&t.name, &t.slug]));
    page(world, call, tenants.map(row).collect(), &lies)
}

/// `GET /{id}`.
pub(crate) fn get(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, None) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let tenant = world.directory().tenant(call.param("id")).cloned();
    match tenant.filter(|t| reach.covers(world, &t.id)) {
        Some(tenant) => one(200, &row(&tenant)),
        None => Reply::detail(404, "Tenant not found"),
    }
}
