//! The tenant paths: who has access to an application, and what a group is assigned to.

use serde_json::{Value, json};

use crate::admin::access::{FORBIDDEN, Reach, lies, read};
use crate::admin::applications;
use crate::admin::listing::{one, page_of};
use crate::admin::users::{self, WithStranger};
use crate::deviation::DirectoryLie;
use crate::directory::Application;
use crate::exchange::{Call, Reply};
use crate::registry::{DirectoryGuard, Selection};
use crate::world::World;

/// Who reads a tenant path: the caller's reach and, for `me`, the caller's client.
struct Reader {
    reach: Reach,
    client_id: Option<String>,
}

fn reader(world: &World, call: &Call) -> Result<Reader, Reply> {
    let reach = read(world, call, None)?;
    let me = call.param("app") == "me" && world.switches.behaviour().application_me;
    let access = call.bearer().filter(|_| me);
    let access = access.and_then(|token| world.live_access(token));
    Ok(Reader {
        reach,
        client_id: access.map(|access| access.client_id),
    })
}

/// The application of a tenant path: by id, or `me` for the caller's own (`contract/scaikey.md` 8.16).
fn named<'a>(
    directory: &'a DirectoryGuard<'_>,
    call: &Call,
    reader: &Reader,
) -> Result<&'a Application, Reply> {
    let tenant = call.param("tenant");
    if directory.tenant(tenant).is_none() || !reader.reach.covers(directory, tenant) {
        return Err(Reply::detail(404, "Tenant not found"));
    }
    let application = match &reader.client_id {
        Some(client_id) => directory.client(client_id),
        None => {
            let id = call.param("app");
            directory.applications.iter().find(|a| a.id == id)
        }
    };
    application.ok_or_else(|| Reply::detail(404, "Application not found"))
}

/// `GET …/effective-users`: everyone with access, directly or through a group.
pub(crate) fn effective_users(world: &World, call: &Call) -> Reply {
    let lies = lies(world, call);
    if lies.contains(&DirectoryLie::EffectiveUsersForbidden) {
        return Reply::detail(403, FORBIDDEN);
    }
    let reader = match reader(world, call) {
        Ok(reader) => reader,
        Err(reply) => return reply,
    };
    let shape = world.switches.behaviour().user_shape;
    let directory = world.directory();
    let application = match named(&directory, call, &reader) {
        Ok(application) => application,
        Err(reply) => return reply,
    };
    let selection = |tenant: Option<&str>| Selection {
        what: "effective users",
        by: vec![Some(application.id.clone()), tenant.map(str::to_owned)],
    };
    let tenant = call.param("tenant");
    let users = directory.list(selection(Some(tenant)), || {
        let everywhere = directory.list(selection(None), || {
            directory.effective_positions(application)
        });
        let here = |position: &usize| {
            let user = directory.users.get(*position);
            user.is_some_and(|u| u.tenant_id == tenant)
        };
        everywhere.iter().copied().filter(here).collect()
    });
    let users = WithStranger::new(&directory, call, &lies, users);
    page_of(world, call, users.len(), &lies, |n, out| {
        out.push_str(users.at(n).map_or("null", |position| {
            users::row_text(&directory, shape, position)
        }));
    })
}

/// `GET …/assignees`: people and groups assigned.
pub(crate) fn assignees(world: &World, call: &Call) -> Reply {
    let reader = match reader(world, call) {
        Ok(reader) => reader,
        Err(reply) => return reply,
    };
    let shape = world.switches.behaviour().user_shape;
    let directory = world.directory();
    let application = match named(&directory, call, &reader) {
        Ok(application) => application,
        Err(reply) => return reply,
    };
    let tenant = call.param("tenant");
    let users = application.assigned_users.iter();
    let users = users.filter_map(|id| directory.user(id));
    let groups = application.assigned_groups.iter();
    let groups = groups.filter_map(|id| directory.group(id));
    let users: Vec<Value> = users
        .filter(|u| u.tenant_id == tenant)
        .map(|u| users::row(&directory, shape, u))
        .collect();
    let groups: Vec<Value> = groups
        .filter(|g| g.tenant_id == tenant)
        .map(|g| json!({"id": g.id, "name": g.name}))
        .collect();
    one(200, &json!({"users": users, "groups": groups}))
}

/// `GET …/groups/{group}/applications`: the applications a group is assigned to.
pub(crate) fn of_group(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, None) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let directory = world.directory();
    let group = directory
        .group(call.param("group"))
        .filter(|g| g.tenant_id == call.param("tenant"));
    let Some(group) = group.filter(|g| reach.covers(&directory, &g.tenant_id)) else {
        return Reply::detail(404, "Group not found");
    };
    let assigned = |a: &&Application| a.assigned_groups.contains(&group.id);
    let applications = directory.applications.iter().filter(assigned);
    let rows: Vec<Value> = applications.map(applications::row).collect();
    one(200, &json!(rows))
}
