//! `/api/v1/admin/groups/` and its members.

use serde_json::{Value, json};

use crate::admin::access::{lies, read};
use crate::admin::listing::{equal, found, one, page};
use crate::deviation::DirectoryLie;
use crate::directory::Group;
use crate::exchange::{Call, Reply};
use crate::switches::UserShape;
use crate::world::World;

fn row(group: &Group) -> Value {
    json!({
        "id": group.id,
        "tenant_id": group.tenant_id,
        "name": group.name,
        "group_type": group.group_type,
        "parent_id": group.parent_id,
        "member_count": group.members.len(),
    })
}

/// `GET /` with `search`, `tenant_id`, `group_type`.
pub(crate) fn list(world: &World, call: &Call) -> Reply {
    let lies = lies(world, call);
    let reach = match read(world, call, Some("groups:read")) {
        Ok(reach) => reach,
        Err(reply)
            if reply.status == 403 && lies.contains(&DirectoryLie::GroupsEmptyWithoutScope) =>
        {
            return page(world, call, Vec::new(), &lies);
        }
        Err(reply) => return reply,
    };
    let all = world.directory().groups.clone();
    let groups = all
        .iter()
        .filter(|g| reach.covers(world, &g.tenant_id))
        .filter(|g| {
            equal(call, "tenant_id", &g.tenant_id) && equal(call, "group_type", &g.group_type)
        })
        .filter(|g| found(call, &[&g.name]));
    page(world, call, groups.map(row).collect(), &lies)
}

/// `GET /{id}`.
pub(crate) fn get(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, Some("groups:read")) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let group = world.directory().group(call.param("id")).cloned();
    match group.filter(|g| reach.covers(world, &g.tenant_id)) {
        Some(group) => one(200, &row(&group)),
        None => Reply::detail(404, "Group not found"),
    }
}

/// `GET /{id}/members`: direct members; those of nested groups are found at the nested group.
pub(crate) fn members(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, Some("groups:read")) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let lies = lies(world, call);
    let group = world.directory().group(call.param("id")).cloned();
    let Some(group) = group.filter(|g| reach.covers(world, &g.tenant_id)) else {
        return Reply::detail(404, "Group not found");
    };
    let users: Vec<_> = {
        let directory = world.directory();
        group
            .members
            .iter()
            .filter_map(|id| directory.user(id).cloned())
            .collect()
    };
    let shape = world.switches.behaviour().user_shape;
    let rows = users.iter().filter(|u| u.status != "DELETED").map(|user| {
        let mut row = crate::admin::users::row(world, user);
        // A member row names the person under `user_id` (`contract/scaikey.md` 3.3).
        row["user_id"] = json!(user.id);
        if shape == UserShape::UserId
            && let Some(row) = row.as_object_mut()
        {
            row.remove("id");
        }
        row["membership_type"] = json!("DIRECT");
        row["added_at"] = json!("2025-01-01T00:00:00Z");
        row
    });
    let rows = rows.collect();
    page(world, call, rows, &lies)
}
