//! `/api/v1/admin/groups/` and its members.

use serde_json::{Value, json};

use crate::admin::access::{Reach, lies, read};
use crate::admin::listing::{equal, filters, found, of_partner, one, page, page_of};
use crate::admin::users;
use crate::deviation::DirectoryLie;
use crate::directory::Group;
use crate::exchange::{Call, Reply};
use crate::registry::{DirectoryGuard, Selection};
use crate::switches::UserShape;
use crate::world::World;

/// A group as a row; `member_count` counts the rows of its member list.
pub(crate) fn row(directory: &DirectoryGuard<'_>, position: usize) -> Value {
    let Some(group) = directory.groups.get(position) else {
        return Value::Null;
    };
    json!({
        "id": group.id,
        "tenant_id": group.tenant_id,
        "name": group.name,
        "group_type": group.group_type,
        "parent_id": group.parent_id,
        "member_count": directory.members(position).len(),
    })
}

/// What a caller without `groups:read` is told under `GroupsForbidden`.
const FORBIDDEN: &str = "Insufficient scope: groups:read required";

/// Reads of groups: the caller's reach and the lies in force.
fn reader(world: &World, call: &Call) -> Result<(Reach, Vec<DirectoryLie>), Reply> {
    let lies = lies(world, call);
    match read(world, call, Some("groups:read")) {
        Ok(_) if lies.contains(&DirectoryLie::GroupsForbidden) => {
            Err(Reply::detail(403, FORBIDDEN))
        }
        Ok(reach) => Ok((reach, lies)),
        Err(reply)
            if reply.status == 403
                && call.params.is_empty()
                && lies.contains(&DirectoryLie::GroupsEmptyWithoutScope) =>
        {
            Err(page(world, call, &[], &lies))
        }
        Err(reply) => Err(reply),
    }
}

/// `GET /` with `search`, `tenant_id`, `partner_id`, `group_type`.
pub(crate) fn list(world: &World, call: &Call) -> Reply {
    let (reach, lies) = match reader(world, call) {
        Ok(known) => known,
        Err(reply) => return reply,
    };
    let directory = world.directory();
    let mut by = filters(call, ["search", "tenant_id", "partner_id", "group_type"]).to_vec();
    by.push(reach.key());
    let groups = directory.list(Selection { what: "groups", by }, || {
        let visible = |(_, g): &(usize, &Group)| {
            reach.covers(&directory, &g.tenant_id)
                && equal(call, "tenant_id", &g.tenant_id)
                && equal(call, "group_type", &g.group_type)
                && of_partner(&directory, call, &g.tenant_id)
                && found(call, || vec![g.name.clone()])
        };
        let groups = directory.groups.iter().enumerate().filter(visible);
        groups.map(|(position, _)| position).collect()
    });
    page_of(world, call, groups.len(), &lies, |n, out| {
        let row = groups.get(n).map(|position| row(&directory, *position));
        out.push_str(&row.unwrap_or_default().to_string());
    })
}

/// The position of the group a path names, if the caller may see it.
fn named(directory: &DirectoryGuard<'_>, call: &Call, reach: &Reach) -> Result<usize, Reply> {
    let position = directory.group_place(call.param("id"));
    let visible = |position: &usize| {
        let group = directory.groups.get(*position);
        group.is_some_and(|g| reach.covers(directory, &g.tenant_id))
    };
    position
        .filter(visible)
        .ok_or_else(|| Reply::detail(404, "Group not found"))
}

/// `GET /{id}`.
pub(crate) fn get(world: &World, call: &Call) -> Reply {
    let (reach, _) = match reader(world, call) {
        Ok(known) => known,
        Err(reply) => return reply,
    };
    let directory = world.directory();
    match named(&directory, call, &reach) {
        Ok(position) => one(200, &row(&directory, position)),
        Err(reply) => reply,
    }
}

/// `GET /{id}/members`: direct members; those of nested groups are found at the nested group.
pub(crate) fn members(world: &World, call: &Call) -> Reply {
    let (reach, lies) = match reader(world, call) {
        Ok(known) => known,
        Err(reply) => return reply,
    };
    let shape = world.switches.behaviour().user_shape;
    let directory = world.directory();
    let group = match named(&directory, call, &reach) {
        Ok(position) => position,
        Err(reply) => return reply,
    };
    let members = directory.members(group);
    page_of(world, call, members.len(), &lies, |n, out| {
        let Some(position) = members.get(n).copied() else {
            return out.push_str("null");
        };
        let row = users::row_text(&directory, shape, position);
        out.push_str(row.strip_suffix('}').unwrap_or(row));
        out.push_str(r#","membership_type":"DIRECT","added_at":"2025-01-01T00:00:00Z""#);
        // A member row names the person under `user_id` too (`contract/scaikey.md` 3.3).
        if shape != UserShape::UserId
            && let Some(user) = directory.users.get(position)
        {
            out.push_str(r#","user_id":"#);
            out.push_str(&json!(user.id).to_string());
        }
        out.push('}');
    })
}
