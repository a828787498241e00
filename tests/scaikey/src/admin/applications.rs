//! `/api/v1/admin/applications/`, and who has access to an application.

use serde_json::{Value, json};

use crate::admin::access::{FORBIDDEN, Reach, lies, read, write};
use crate::admin::listing::{equal, found, one, page};
use crate::admin::users;
use crate::deviation::DirectoryLie;
use crate::directory::{Application, ApplicationScope, ApplicationType};
use crate::exchange::{Call, Reply};
use crate::random;
use crate::world::World;

fn row(application: &Application) -> Value {
    json!({
        "id": application.id,
        "client_id": application.client_id,
        "name": application.name,
        "application_type": application.kind,
        "scope": application.scope,
        "tenant_id": application.tenant_id,
        "redirect_uris": application.redirect_uris,
        "allowed_scopes": application.allowed_scopes,
        "token_lifetime": application.token_lifetime,
    })
}

fn visible(world: &World, reach: &Reach, application: &Application) -> bool {
    application
        .tenant_id
        .as_ref()
        .is_none_or(|tenant| reach.covers(world, tenant))
}

/// `GET /` with `tenant_id`, `scope`, `application_type`, `search`.
pub(crate) fn list(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, None) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let lies = lies(world, call);
    let all = world.directory().applications.clone();
    let name = |value: Value| value.as_str().unwrap_or_default().to_owned();
    let applications = all
        .iter()
        .filter(|a| visible(world, &reach, a))
        .filter(|a| {
            equal(
                call,
                "tenant_id",
                a.tenant_id.as_deref().unwrap_or_default(),
            )
        })
        .filter(|a| equal(call, "scope", &name(json!(a.scope))))
        .filter(|a| equal(call, "application_type", &name(json!(a.kind))))
        .filter(|a| found(call, &[&a.name, &a.client_id]));
    page(world, call, applications.map(row).collect(), &lies)
}

/// `GET /{id}`.
pub(crate) fn get(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, None) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let application = by_id(world, call.param("id"));
    match application.filter(|a| visible(world, &reach, a)) {
        Some(application) => one(200, &row(&application)),
        None => Reply::detail(404, "Application not found"),
    }
}

fn by_id(world: &World, id: &str) -> Option<Application> {
    world
        .directory()
        .applications
        .iter()
        .find(|a| a.id == id)
        .cloned()
}

/// `PATCH /{id}`: `allowed_scopes`, `redirect_uris`, `name`; lists replace (`contract/scaikey.md` 3.5).
pub(crate) fn patch(world: &World, call: &Call) -> Reply {
    let reach = match write(world, call) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let Some(known) = by_id(world, call.param("id")) else {
        return Reply::detail(404, "Application not found");
    };
    if known.scope == ApplicationScope::Global && !matches!(reach, Reach::All)
        || !visible(world, &reach, &known)
    {
        return Reply::detail(403, "super_admin required");
    }
    let body = call.json();
    let mut directory = world.directory();
    let Some(application) = directory.client_mut(&known.client_id) else {
        return Reply::detail(404, "Application not found");
    };
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

fn strings(body: &Value, name: &str) -> Option<Vec<String>> {
    body[name].as_array().map(|list| {
        list.iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    })
}

/// `POST /`: registers an application; the answer holds the secret, once.
pub(crate) fn create(world: &World, call: &Call) -> Reply {
    let reach = match write(world, call) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    match from_json(&call.json()) {
        Some(application)
            if application.scope == ApplicationScope::Global && !matches!(reach, Reach::All) =>
        {
            Reply::detail(403, "super_admin required")
        }
        Some(application) => {
            let mut answer = row(&application);
            answer["client_secret"] = json!(application.client_secret);
            world.directory().applications.push(application);
            one(201, &answer)
        }
        None => Reply::json(
            422,
            &json!({"detail": [{"loc": ["body", "name"], "msg": "Field required", "type": "missing"}]}),
        ),
    }
}

/// An application from a create or registration body; `None` without a name.
pub(crate) fn from_json(body: &Value) -> Option<Application> {
    let name = body["name"].as_str().filter(|name| !name.is_empty())?;
    let kind =
        serde_json::from_value(body["application_type"].clone()).unwrap_or(ApplicationType::Web);
    let scope = serde_json::from_value(body["scope"].clone()).unwrap_or(ApplicationScope::Global);
    Some(Application {
        id: random::token("app_"),
        client_id: random::token(""),
        client_secret: kind.is_confidential().then(|| random::token("sks_")),
        name: name.to_owned(),
        kind,
        scope,
        tenant_id: body["tenant_id"].as_str().map(str::to_owned),
        redirect_uris: strings(body, "redirect_uris").unwrap_or_default(),
        post_logout_redirect_uris: Vec::new(),
        allowed_scopes: strings(body, "allowed_scopes")
            .unwrap_or_else(|| ["openid", "profile", "email"].map(str::to_owned).to_vec()),
        token_lifetime: body["token_lifetime"].as_i64().unwrap_or(3_600),
        exchange_audiences: Vec::new(),
        assigned_users: Vec::new(),
        assigned_groups: Vec::new(),
    })
}

/// The application of a tenant path: by id, or `me` for the caller's own (`contract/scaikey.md` 8.16).
fn on_tenant_path(world: &World, call: &Call) -> Result<Application, Reply> {
    let reach = read(world, call, None)?;
    if world.directory().tenant(call.param("tenant")).is_none()
        || !reach.covers(world, call.param("tenant"))
    {
        return Err(Reply::detail(404, "Tenant not found"));
    }
    let application = match call.param("app") {
        "me" if world.switches.behaviour().application_me => call
            .bearer()
            .and_then(|token| world.live_access(token))
            .and_then(|access| world.client(&access.client_id)),
        id => by_id(world, id),
    };
    application.ok_or_else(|| Reply::detail(404, "Application not found"))
}

/// `GET …/effective-users`: everyone with access, directly or through a group.
pub(crate) fn effective_users(world: &World, call: &Call) -> Reply {
    let lies = lies(world, call);
    if lies.contains(&DirectoryLie::EffectiveUsersForbidden) {
        return Reply::detail(403, FORBIDDEN);
    }
    let application = match on_tenant_path(world, call) {
        Ok(application) => application,
        Err(reply) => return reply,
    };
    let users: Vec<_> = {
        let directory = world.directory();
        directory
            .effective_users(call.param("tenant"), &application)
            .into_iter()
            .cloned()
            .collect()
    };
    let mut rows: Vec<Value> = users.iter().map(|u| users::row(world, u)).collect();
    users::add_foreign_row(world, call, &lies, &mut rows);
    page(world, call, rows, &lies)
}

/// `GET …/assignees`: people and groups assigned.
pub(crate) fn assignees(world: &World, call: &Call) -> Reply {
    let application = match on_tenant_path(world, call) {
        Ok(application) => application,
        Err(reply) => return reply,
    };
    let (users, groups): (Vec<_>, Vec<_>) = {
        let directory = world.directory();
        let tenant = call.param("tenant");
        let users = application
            .assigned_users
            .iter()
            .filter_map(|id| directory.user(id));
        let groups = application
            .assigned_groups
            .iter()
            .filter_map(|id| directory.group(id));
        (
            users.filter(|u| u.tenant_id == tenant).cloned().collect(),
            groups
                .filter(|g| g.tenant_id == tenant)
                .map(|g| json!({"id": g.id, "name": g.name}))
                .collect(),
        )
    };
    let users: Vec<Value> = users.iter().map(|u| users::row(world, u)).collect();
    one(200, &json!({"users": users, "groups": groups}))
}

/// `GET …/groups/{group}/applications`: the applications a group is assigned to.
pub(crate) fn of_group(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, None) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let directory = world.directory().clone();
    let group = directory
        .group(call.param("group"))
        .filter(|g| g.tenant_id == call.param("tenant"));
    let Some(group) = group.filter(|g| reach.covers(world, &g.tenant_id)) else {
        return Reply::detail(404, "Group not found");
    };
    let rows: Vec<Value> = directory
        .applications
        .iter()
        .filter(|a| a.assigned_groups.contains(&group.id))
        .map(row)
        .collect();
    one(200, &json!(rows))
}
