//! `/api/v1/admin/users/`, and the rows of people in every list.

use serde_json::{Value, json};

use crate::admin::access::{Reach, lies, read};
use crate::admin::listing::{equal, filters, found, of_partner, one, page_of};
use crate::deviation::DirectoryLie;
use crate::directory::User;
use crate::exchange::{Call, Reply};
use crate::registry::{DirectoryGuard, Listed, Selection};
use crate::switches::UserShape;
use crate::world::World;

/// A person as a row, spelled as asked.
pub(crate) fn row(directory: &DirectoryGuard<'_>, shape: UserShape, user: &User) -> Value {
    let mut row = json!({
        "email": user.email,
        "email_verified": user.email_verified,
        "status": user.status,
        "role": user.role,
        "custom_attributes": {},
    });
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
        row["tenant"] = nested_tenant(directory, &user.tenant_id);
    } else {
        row["tenant_id"] = json!(user.tenant_id);
    }
    row
}

/// `{id, name, slug}` of a tenant (`contract/scaikey.md` 4.5).
pub(crate) fn nested_tenant(directory: &DirectoryGuard<'_>, id: &str) -> Value {
    let tenant = directory.tenant(id);
    json!({
        "id": id,
        "name": tenant.map(|t| t.name.as_str()),
        "slug": tenant.map(|t| t.slug.as_str()),
    })
}

/// The text of the row of the person at a position.
pub(crate) fn row_text<'a>(
    directory: &'a DirectoryGuard<'_>,
    shape: UserShape,
    position: usize,
) -> &'a str {
    directory.row_text(shape, position, |user| {
        row(directory, shape, user).to_string()
    })
}

/// `GET /` with `search`, `status`, `tenant_id`, `partner_id`. Deleted people only when `status` asks for them.
pub(crate) fn list(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, Some("users:read")) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let lies = lies(world, call);
    let shape = world.switches.behaviour().user_shape;
    let directory = world.directory();
    let mut by = filters(call, ["search", "status", "tenant_id", "partner_id"]).to_vec();
    by.push(reach.key());
    let users = directory.list(Selection { what: "users", by }, || {
        let seen = |(_, u): &(usize, &User)| visible(&directory, call, &reach, u);
        let users = directory.users.iter().enumerate().filter(seen);
        users.map(|(position, _)| position).collect()
    });
    let users = WithStranger::new(&directory, call, &lies, users);
    page_of(world, call, users.len(), &lies, |n, out| {
        out.push_str(
            users
                .at(n)
                .map_or("null", |position| row_text(&directory, shape, position)),
        );
    })
}

fn visible(directory: &DirectoryGuard<'_>, call: &Call, reach: &Reach, user: &User) -> bool {
    let status = || match call.query("status") {
        Some(wanted) => wanted == user.status,
        None => user.status != "DELETED",
    };
    reach.covers(directory, &user.tenant_id)
        && equal(call, "tenant_id", &user.tenant_id)
        && status()
        && of_partner(directory, call, &user.tenant_id)
        && found(call, || vec![user.email.clone(), user.name()])
}

/// People of a list, and the row of `ForeignTenantRow` behind them: somebody of a tenant that was not asked for.
pub(crate) struct WithStranger {
    listed: Listed,
    stranger: Option<usize>,
}

impl WithStranger {
    pub(crate) fn new(
        directory: &DirectoryGuard<'_>,
        call: &Call,
        lies: &[DirectoryLie],
        listed: Listed,
    ) -> Self {
        let asked = call
            .query("tenant_id")
            .unwrap_or_else(|| call.param("tenant"));
        let told = lies.contains(&DirectoryLie::ForeignTenantRow) && !asked.is_empty();
        let foreign = |u: &User| u.tenant_id != asked;
        let stranger = told.then(|| directory.users.iter().position(foreign));
        Self {
            listed,
            stranger: stranger.flatten(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.listed.len() + usize::from(self.stranger.is_some())
    }

    /// The person at a position of the list.
    pub(crate) fn at(&self, n: usize) -> Option<usize> {
        self.listed.get(n).copied().or(self.stranger)
    }
}

/// `GET /{id}`.
pub(crate) fn get(world: &World, call: &Call) -> Reply {
    let reach = match read(world, call, Some("users:read")) {
        Ok(reach) => reach,
        Err(reply) => return reply,
    };
    let shape = world.switches.behaviour().user_shape;
    let directory = world.directory();
    let user = directory.user(call.param("id"));
    match user.filter(|u| reach.covers(&directory, &u.tenant_id)) {
        Some(user) => one(200, &row(&directory, shape, user)),
        None => Reply::detail(404, "User not found"),
    }
}
