//! `/api/v1/admin/tenants/` and `/api/v1/admin/partners/`.

use serde_json::{Value, json};

use crate::admin::access::{Reach, lies, read};
use crate::admin::listing::{equal, found, one, page};
use crate::directory::{Partner, Tenant};
use crate::exchange::{Call, Reply};
use crate::world::World;

/// A tenant as a row.
pub(crate) fn row(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id,
        "slug": tenant.slug,
        "name": tenant.name,
        "partner_id": tenant.partner_id,
        "status": tenant.status,
    })
}

/// A partner as a row.
pub(crate) fn partner_row(partner: &Partner) -> Value {
    json!({
        "id": partner.id,
        "slug": partner.slug,
        "name": partner.name,
        "status": partner.status,
    })
}

/// Deleted ones only when `status` asks for them.
fn of_status(call: &Call, status: &str) -> bool {
    match call.query("status") {
        Some(wanted) => wanted == status,
        None => status != "DELETED",
    }
}

/// `GET /` with `search`, `status`, `partner_id`.
pub(crate) fn list(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, None) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let lies = lies(world, call);
    let directory = world.directory();
    let tenants = directory
        .tenants
        .iter()
        .filter(|t| sees(&reach, t))
        .filter(|t| of_status(call, &t.status) && equal(call, "partner_id", &t.partner_id))
        .filter(|t| found(call, || vec![t.name.clone(), t.slug.clone()]));
    page(world, call, &tenants.map(row).collect::<Vec<_>>(), &lies)
}

fn sees(reach: &Reach, tenant: &Tenant) -> bool {
    match reach {
        Reach::All => true,
        Reach::Partner(own) => tenant.partner_id == *own,
        Reach::Tenant(own) => tenant.id == *own,
    }
}

/// `GET /{id}`.
pub(crate) fn get(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, None) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let directory = world.directory();
    let tenant = directory.tenant(call.param("id"));
    match tenant.filter(|t| reach.covers(&directory, &t.id)) {
        Some(tenant) => one(200, &row(tenant)),
        None => Reply::detail(404, "Tenant not found"),
    }
}

/// `GET /api/v1/admin/partners/` with `search`, `status`: for those who see everything.
pub(crate) fn partners(world: &World, call: &Call) -> Reply {
    match read(world, call, None) {
        Ok(Reach::All) => {}
        Ok(_) => return Reply::detail(403, "super_admin required"),
        Err(reply) => return reply,
    }
    let lies = lies(world, call);
    let directory = world.directory();
    let partners = directory
        .partners
        .iter()
        .filter(|p| of_status(call, &p.status))
        .filter(|p| found(call, || vec![p.name.clone(), p.slug.clone()]));
    let rows: Vec<Value> = partners.map(partner_row).collect();
    page(world, call, &rows, &lies)
}
