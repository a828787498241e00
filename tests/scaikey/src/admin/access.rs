//! Who may call the admin API.

use crate::deviation::{Deviation, DirectoryLie};
use crate::directory::AdminRole;
use crate::exchange::{Call, Reply};
use crate::registry::DirectoryGuard;
use crate::world::{Access, World};

/// The text of the documented 403 (`contract/scaikey.md` 3.5).
pub(crate) const FORBIDDEN: &str = "Platform token requires admin:read or admin:write scope";

/// What a caller may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Every tenant.
    All,
    /// The tenants of one partner.
    Partner(String),
    /// One tenant.
    Tenant(String),
}

impl Reach {
    /// Whether rows of this tenant are visible; those of a deleted tenant never are.
    pub(crate) fn covers(&self, directory: &DirectoryGuard<'_>, tenant_id: &str) -> bool {
        let tenant = directory.tenant(tenant_id);
        if tenant.is_some_and(|t| t.status == "DELETED") {
            return false;
        }
        match self {
            Self::All => true,
            Self::Tenant(own) => own == tenant_id,
            Self::Partner(own) => tenant.is_some_and(|t| t.partner_id == *own),
        }
    }

    /// A text of its own for each reach.
    pub(crate) fn key(&self) -> Option<String> {
        match self {
            Self::All => None,
            Self::Partner(id) => Some(format!("partner {id}")),
            Self::Tenant(id) => Some(format!("tenant {id}")),
        }
    }
}

fn caller(world: &World, call: &Call) -> Result<Access, Reply> {
    call.bearer()
        .and_then(|token| world.live_access(token))
        .ok_or_else(|| {
            Reply::detail(401, "Could not validate credentials").with("www-authenticate", "Bearer")
        })
}

/// Reads: an admin role, a token with `admin:read` or `admin:write`, or one with the narrower scope (8.15).
pub(crate) fn read(world: &World, call: &Call, narrower: Option<&str>) -> Result<Reach, Reply> {
    let access = caller(world, call)?;
    let scoped = access.has("admin:read")
        || access.has("admin:write")
        || narrower.is_some_and(|scope| access.has(scope));
    reach(world, &access, scoped)
}

/// Writes: an admin role, or a token with `admin:write`.
pub(crate) fn write(world: &World, call: &Call) -> Result<Reach, Reply> {
    let access = caller(world, call)?;
    let scoped = access.has("admin:write");
    reach(world, &access, scoped)
}

fn reach(world: &World, access: &Access, scoped: bool) -> Result<Reach, Reply> {
    let tenant = access
        .claims
        .get("tenant_id")
        .and_then(|v| v.as_str())
        .unwrap_or_default()
        .to_owned();
    let Some(user_id) = &access.user_id else {
        if !scoped {
            return Err(Reply::detail(403, FORBIDDEN));
        }
        return Ok(if access.claims.contains_key("platform_token") {
            Reach::All
        } else {
            Reach::Tenant(tenant)
        });
    };
    let role = world.directory().user(user_id).and_then(|user| user.role);
    match role {
        Some(AdminRole::SuperAdmin) => Ok(Reach::All),
        Some(AdminRole::PartnerAdmin) => {
            let partner = world
                .directory()
                .tenant(&tenant)
                .map(|t| t.partner_id.clone());
            Ok(Reach::Partner(partner.unwrap_or_default()))
        }
        Some(AdminRole::TenantAdmin) => Ok(Reach::Tenant(tenant)),
        None => Err(Reply::detail(403, "Admin role required")),
    }
}

/// The lies in force about one list answer.
pub(crate) fn lies(world: &World, call: &Call) -> Vec<DirectoryLie> {
    let concerns = |lie: DirectoryLie| match lie {
        DirectoryLie::EffectiveUsersForbidden => call.path.contains("/effective-users"),
        DirectoryLie::GroupsEmptyWithoutScope | DirectoryLie::GroupsForbidden => {
            call.path.contains("/admin/groups")
        }
        _ => true,
    };
    world.switches.draw(|d| match d {
        Deviation::Directory(lie) if concerns(lie) => Some(lie),
        _ => None,
    })
}
