//! What is in ScaiGrid: tenants, roles, keys, models, queues, bunkers, cores. Tests may change all of it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::caller::Caller;

/// A built-in role (G-roles, `contract/scaiwave-scaicrew-scaigrid.md` 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads of one tenant.
    TenantViewer,
    /// Uses models; no module permission (contradiction 26 read as the module pages do).
    TenantUser,
    /// Everything of one tenant.
    TenantAdmin,
    /// Reads of a partner.
    PartnerViewer,
    /// Everything of a partner.
    PartnerAdmin,
    /// Everything.
    SuperAdmin,
}

const VIEWER: [&str; 4] = [
    "models:list",
    "accounting:view_own",
    "scaiqueue:view",
    "scaicore:view",
];
const USER: [&str; 5] = [
    "models:list",
    "accounting:view_own",
    "models:use",
    "api_keys:manage",
    "modules:use",
];
const ADMIN: [&str; 10] = [
    "users:manage",
    "modules:manage",
    "admin:access",
    "scaiqueue:publish",
    "scaiqueue:consume",
    "scaiqueue:manage",
    // The next two names are ours: G-coreperm was not readable.
    "scaicore:manage",
    "scaicore:invoke",
    "scaibunker:create",
    "scaibunker:images:manage",
];

impl Role {
    /// The permission keys that the role holds.
    pub fn permissions(self) -> Vec<String> {
        let keys: Vec<&str> = match self {
            Self::TenantViewer | Self::PartnerViewer => VIEWER.to_vec(),
            Self::TenantUser => USER.to_vec(),
            Self::TenantAdmin | Self::PartnerAdmin => [&VIEWER[..], &USER[2..], &ADMIN].concat(),
            Self::SuperAdmin => [&VIEWER[..], &USER[2..], &ADMIN, &["scaibunker:admin"]].concat(),
        };
        keys.into_iter().map(str::to_owned).collect()
    }
}

/// A tenant.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// `tnt_…`, as ScaiKey names it.
    pub id: String,
    /// Part of model slugs.
    pub slug: String,
    /// The partner above it.
    pub partner_id: String,
    /// Modules that are enabled.
    pub modules: Vec<String>,
}

/// An API key: one user in one tenant.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// `key_…`.
    pub id: String,
    /// `sgk_` and 32 or more characters.
    pub key: String,
    /// Shown in lists.
    pub name: String,
    /// Its tenant.
    pub tenant_id: String,
    /// Its user.
    pub user_id: String,
    /// What the user may do.
    pub permissions: Vec<String>,
    /// What the key is narrowed to; `None`: all that the user may do.
    pub scopes: Option<Vec<String>>,
    /// Unix seconds.
    pub expires_at: Option<i64>,
    /// Whether it was revoked.
    pub is_revoked: bool,
}

/// A model.
#[derive(Clone, Debug)]
pub struct Model {
    /// `openai/…`, `scailabs/…`, `tenant/{slug}/…`, `scaicore/{slug}/…`.
    pub slug: String,
    /// Shown to people.
    pub display_name: String,
    /// `chat`, `embedding`, `image`, `audio`.
    pub modality: String,
    /// Tokens.
    pub context_window: u32,
    /// Tokens; absent on some entries (G-quick).
    pub max_output_tokens: Option<u32>,
    /// `active` or `deprecated`.
    pub status: String,
    /// The only tenant that sees it; `None`: all.
    pub tenant_id: Option<String>,
    /// Whether it can stream; published cores can't (G-corepub).
    pub streams: bool,
}

/// A scope of ScaiQueue.
#[derive(Clone, Debug)]
pub struct Scope {
    /// `sc_…`.
    pub id: String,
    /// Its tenant.
    pub tenant_id: String,
    /// Unique in the tenant.
    pub slug: String,
    /// Shown to people.
    pub display_name: String,
    /// Shown to people.
    pub description: Option<String>,
}

/// A queue.
#[derive(Clone, Debug)]
pub struct Queue {
    /// `q_…`.
    pub id: String,
    /// Its scope.
    pub scope_id: String,
    /// Unique in the scope.
    pub slug: String,
    /// Shown to people.
    pub display_name: String,
    /// `fifo`, `priority`, `deadline`, `broadcast` (contradiction 19).
    pub ordering: String,
    /// Before a message is dead.
    pub max_retries: u32,
}

/// A sandbox of ScaiBunker.
#[derive(Clone, Debug)]
pub struct Bunker {
    /// `bnk_…`.
    pub id: String,
    /// Its tenant.
    pub tenant_id: String,
    /// Who made it.
    pub owner_id: String,
    /// Image name.
    pub image: String,
    /// `ephemeral`, `session`, `persistent`.
    pub lifecycle: String,
    /// `pending`, `provisioning`, `running`, `paused`, `terminated`.
    pub status: String,
}

/// A core.
#[derive(Clone, Debug)]
pub struct Core {
    /// `core_…`.
    pub id: String,
    /// Its tenant.
    pub tenant_id: String,
    /// Name in its source.
    pub name: String,
    /// The source as sent.
    pub source: String,
    /// The model slug, once published.
    pub published_slug: Option<String>,
}

/// An event of ScaiCore.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its tenant.
    pub tenant_id: String,
    /// `scaicore.runtime.…`.
    pub kind: String,
    /// Which core.
    pub core_id: String,
    /// Unix seconds.
    pub at: i64,
    /// Whatever the block said.
    pub payload: Value,
}

/// A checkpoint that waits for a person.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// `chk_…`.
    pub id: String,
    /// Its tenant.
    pub tenant_id: String,
    /// Which core.
    pub core_id: String,
    /// `pending`, `resolved`, `expired`, `cancelled`, or `failed` (contract/scaiflow.md C-11).
    pub status: String,
    /// `hitl_review` and others.
    pub checkpoint_type: String,
    /// Unix seconds.
    pub at: i64,
    /// What it was resolved with.
    pub resolution: Option<Value>,
}

/// Everything that is in ScaiGrid.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    /// Tenants.
    pub tenants: Vec<Tenant>,
    /// Roles of the people and services that ScaiKey names, by `sub`.
    pub people: HashMap<String, Role>,
    /// API keys.
    pub keys: Vec<ApiKey>,
    /// Models.
    pub models: Vec<Model>,
    /// Scopes of ScaiQueue.
    pub scopes: Vec<Scope>,
    /// Queues.
    pub queues: Vec<Queue>,
    /// Bunkers.
    pub bunkers: Vec<Bunker>,
    /// Cores.
    pub cores: Vec<Core>,
    /// Events, oldest first.
    pub events: Vec<Event>,
    /// Checkpoints.
    pub checkpoints: Vec<Checkpoint>,
}

impl Grid {
    /// A tenant by id.
    pub fn tenant(&self, id: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.id == id)
    }

    /// Whether a tenant has a module.
    pub fn has_module(&self, tenant_id: &str, module: &str) -> bool {
        let modules = self.tenant(tenant_id).map(|tenant| &tenant.modules);
        modules.is_some_and(|modules| modules.iter().any(|known| known == module))
    }

    /// Turns a module of a tenant on or off.
    pub fn set_module(&mut self, tenant_id: &str, module: &str, is_on: bool) {
        for tenant in self.tenants.iter_mut().filter(|t| t.id == tenant_id) {
            tenant.modules.retain(|known| known != module);
            if is_on {
                tenant.modules.push(module.to_owned());
            }
        }
    }

    /// Revokes an API key, by id or by itself: at once, calls in flight included. `false` when there is none.
    pub fn revoke(&mut self, key: &str) -> bool {
        let mut known = self.keys.iter_mut();
        let Some(found) = known.find(|k| k.id == key || k.key == key) else {
            return false;
        };
        found.is_revoked = true;
        true
    }

    /// Whether an API key works at this Unix time.
    pub fn is_live(&self, key: &str, now: i64) -> bool {
        self.live_key(key, now).is_some()
    }

    fn live_key(&self, key: &str, now: i64) -> Option<&ApiKey> {
        self.keys.iter().find(|known| {
            known.key == key && !known.is_revoked && known.expires_at.is_none_or(|at| at > now)
        })
    }

    pub(crate) fn caller_of_key(&self, key: &str, now: i64) -> Option<Caller> {
        let found = self.live_key(key, now)?;
        Some(Caller {
            id: found.user_id.clone(),
            tenant_id: Some(found.tenant_id.clone()),
            permissions: found.permissions.clone(),
            scopes: found.scopes.clone(),
            key: Some(found.key.clone()),
        })
    }
}
