//! `/api/v1/admin/applications/`.

use serde_json::{Value, json};

use crate::admin::access::{Reach, lies, read, write};
use crate::admin::listing::{equal, found, one, page};
use crate::admin::new_application::{parse, strings};
use crate::directory::{Application, ApplicationScope};
use crate::exchange::{Call, Reply};
use crate::registry::DirectoryGuard;
use crate::world::World;

/// An application as a row; never with its secret.
pub(crate) fn row(application: &Application) -> Value {
    json!({
        "id": application.id,
        "client_id": application.client_id,
        "name": application.name,
        "application_type": application.kind,
        "scope": application.scope,
        "tenant_id": application.tenant_id,
        "partner_id": application.partner_id,
        "redirect_uris": application.redirect_uris,
        "allowed_scopes": application.allowed_scopes,
        "token_lifetime": application.token_lifetime,
    })
}

/// The visibility of `contract/scaikey.md` 3.4.
fn visible(directory: &DirectoryGuard<'_>, reach: &Reach, application: &Application) -> bool {
    match (application.scope, reach) {
        (ApplicationScope::Global, _) | (_, Reach::All) => true,
        (ApplicationScope::Partner, Reach::Partner(own)) => {
            application.partner_id.as_ref() == Some(own)
        }
        (ApplicationScope::Partner, Reach::Tenant(own)) => {
            let tenant = directory.tenant(own);
            application.partner_id.as_deref() == tenant.map(|t| t.partner_id.as_str())
        }
        (ApplicationScope::Tenant, _) => {
            let tenant = application.tenant_id.as_deref().unwrap_or_default();
            reach.covers(directory, tenant)
        }
    }
}

/// The table of `contract/scaikey.md` 5.1: who may register and change.
fn may_write(directory: &DirectoryGuard<'_>, reach: &Reach, application: &Application) -> bool {
    match (application.scope, reach) {
        (_, Reach::All) => true,
        (ApplicationScope::Global, _) | (ApplicationScope::Partner, Reach::Tenant(_)) => false,
        _ => visible(directory, reach, application),
    }
}

/// `GET /` with `tenant_id`, `partner_id`, `scope`, `application_type`, `search`.
pub(crate) fn list(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, None) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let lies = lies(world, call);
    let directory = world.directory();
    let name = |value: Value| value.as_str().unwrap_or_default().to_owned();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let applications = directory
        .applications
        .iter()
        .filter(|a| visible(&directory, &reach, a))
        .filter(|a| equal(call, "tenant_id", &text(&a.tenant_id)))
        .filter(|a| equal(call, "partner_id", &text(&a.partner_id)))
        .filter(|a| equal(call, "scope", &name(json!(a.scope))))
        .filter(|a| equal(call, "application_type", &name(json!(a.kind))))
        .filter(|a| found(call, || vec![a.name.clone(), a.client_id.clone()]));
    let rows: Vec<Value> = applications.map(row).collect();
    page(world, call, &rows, &lies)
}

/// `GET /{id}`.
pub(crate) fn get(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, None) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let directory = world.directory();
    let id = call.param("id");
    let application = directory.applications.iter().find(|a| a.id == id);
    match application.filter(|a| visible(&directory, &reach, a)) {
        Some(application) => one(200, &row(application)),
        None => Reply::detail(404, "Application not found"),
    }
}

/// `PATCH /{id}`: `allowed_scopes`, `redirect_uris`, `name`; lists replace (`contract/scaikey.md` 3.5).
pub(crate) fn patch(world: &World, call: &Call) -> Reply {
    let reach = match write(world, call) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let mut directory = world.directory();
    let id = call.param("id");
    let Some(position) = directory.applications.iter().position(|a| a.id == id) else {
        return Reply::detail(404, "Application not found");
    };
    if !may_write(&directory, &reach, &directory.applications[position]) {
        return Reply::detail(403, "super_admin required");
    }
    let body = call.json();
    let application = &mut directory.applications[position];
    if let Some(scopes) = strings(&body, "allowed_scopes") {
        application.allowed_scopes = scopes;
    }
    if let Some(uris) = strings(&body, "redirect_uris") {
        application.redirect_uris = uris;
    }
    if let Some(name) = body["name"].as_str() {
        name.clone_into(&mut application.name);
    }
    one(200, &row(application))
}

/// `POST /`: registers an application; the answer holds the secret, once.
pub(crate) fn create(world: &World, call: &Call) -> Reply {
    let reach = match write(world, call) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let application = match parse(&call.json()) {
        Ok(application) => application,
        Err(reply) => return reply,
    };
    let mut directory = world.directory();
    if !may_write(&directory, &reach, &application) {
        let needed = match application.scope {
            ApplicationScope::Global => "super_admin required",
            _ => "the application's tenant or partner is out of reach",
        };
        return Reply::detail(403, needed);
    }
    let mut answer = row(&application);
    answer["client_secret"] = json!(application.client_secret);
    directory.applications.push(application);
    one(201, &answer)
}
