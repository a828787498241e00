//! Everything an emulator knows: directory, keys, and what it has issued.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::directory::{Application, Directory};
use crate::keys::KeyRing;
use crate::recorder::Recorder;
use crate::registration::Registrations;
use crate::registry::{DirectoryGuard, Registry};
use crate::switches::{PlatformIssuer, Switches};
use scaigate_emulation::Clock;

/// Which family of endpoints (`contract/scaikey.md` 1.1) a request came through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    Platform,
    Tenant { id: String, slug: String },
}

/// A checked authorization request.
#[derive(Clone)]
pub(crate) struct AuthorizationRequest {
    pub(crate) flavour: Flavour,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) scope: String,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) code_challenge: Option<String>,
    pub(crate) login_hint: Option<String>,
}

/// What one sign-in grants; codes and refresh tokens carry it.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) flavour: Flavour,
    pub(crate) client_id: String,
    pub(crate) user_id: String,
    pub(crate) scope: String,
    pub(crate) nonce: Option<String>,
    pub(crate) sid: String,
    pub(crate) auth_time: i64,
    /// All tokens of one sign-in.
    pub(crate) family: String,
}

pub(crate) struct Code {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    pub(crate) code_challenge: Option<String>,
    pub(crate) expires: i64,
    pub(crate) used: bool,
}

pub(crate) struct Refresh {
    pub(crate) grant: Grant,
    pub(crate) expires: i64,
    pub(crate) used: bool,
}

/// An access token that was issued.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) claims: crate::jwt::Claims,
    pub(crate) client_id: String,
    pub(crate) user_id: Option<String>,
    pub(crate) scope: String,
    pub(crate) expires: i64,
    pub(crate) family: String,
}

impl Access {
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|held| held == scope)
    }
}

pub(crate) struct LoginSession {
    pub(crate) user_id: String,
    pub(crate) auth_time: i64,
}

/// What was issued and what became of it.
#[derive(Default)]
pub(crate) struct Issued {
    /// Login pages shown, by flow id.
    pub(crate) flows: HashMap<String, AuthorizationRequest>,
    pub(crate) codes: HashMap<String, Code>,
    pub(crate) refresh: HashMap<String, Refresh>,
    pub(crate) access: HashMap<String, Access>,
    /// Browser sessions at ScaiKey, by sid.
    pub(crate) sessions: HashMap<String, LoginSession>,
    pub(crate) revoked_families: HashSet<String>,
    pub(crate) revoked_access: HashSet<String>,
}

/// The times of events: each later than the one before.
#[derive(Default)]
struct EventTimes {
    last: i64,
    /// Events that do not say their time keep the one they were first sent with.
    of_event: HashMap<String, i64>,
}

/// The state behind every handler.
pub(crate) struct World {
    pub(crate) base_url: String,
    pub(crate) control: bool,
    pub(crate) switches: Switches,
    pub(crate) recorder: Recorder,
    clock: Clock,
    directory: Mutex<Registry>,
    keys: Mutex<KeyRing>,
    event_times: Mutex<EventTimes>,
    issued: Mutex<Issued>,
    registrations: Mutex<Registrations>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(crate) fn new(
        base_url: String,
        control: bool,
        clock: Clock,
        switches: Switches,
        directory: Directory,
        keys: KeyRing,
    ) -> Self {
        Self {
            base_url,
            control,
            switches,
            recorder: Recorder::default(),
            clock,
            directory: Mutex::new(Registry::new(directory)),
            keys: Mutex::new(keys),
            event_times: Mutex::new(EventTimes::default()),
            issued: Mutex::new(Issued::default()),
            registrations: Mutex::new(Registrations::default()),
        }
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        (self.clock)().div_euclid(1_000)
    }

    pub(crate) fn now_millis(&self) -> i64 {
        (self.clock)()
    }

    /// When the event that happens now says it happened, Unix milliseconds: now, or a millisecond after the last one.
    pub(crate) fn next_event_time(&self) -> i64 {
        let now = self.now_millis();
        let mut times = lock(&self.event_times);
        times.last = now.max(times.last.saturating_add(1));
        times.last
    }

    /// The time of an event that does not say it, the same at every delivery.
    pub(crate) fn time_of_event(&self, id: &str) -> i64 {
        if let Some(known) = lock(&self.event_times).of_event.get(id) {
            return *known;
        }
        let time = self.next_event_time();
        let mut times = lock(&self.event_times);
        *times.of_event.entry(id.to_owned()).or_insert(time)
    }

    pub(crate) fn directory(&self) -> DirectoryGuard<'_> {
        DirectoryGuard::new(lock(&self.directory))
    }

    pub(crate) fn keys(&self) -> MutexGuard<'_, KeyRing> {
        lock(&self.keys)
    }

    pub(crate) fn issued(&self) -> MutexGuard<'_, Issued> {
        lock(&self.issued)
    }

    pub(crate) fn registrations(&self) -> MutexGuard<'_, Registrations> {
        lock(&self.registrations)
    }

    pub(crate) fn client(&self, client_id: &str) -> Option<Application> {
        self.directory().client(client_id).cloned()
    }

    /// The flavour of a tenant slug; `None` for an unknown tenant.
    pub(crate) fn tenant_flavour(&self, slug: &str) -> Option<Flavour> {
        let directory = self.directory();
        let tenant = directory.tenant_by_slug(slug)?;
        Some(Flavour::Tenant {
            id: tenant.id.clone(),
            slug: tenant.slug.clone(),
        })
    }

    /// The issuer that discovery of this flavour names.
    pub(crate) fn issuer(&self, flavour: &Flavour) -> String {
        match flavour {
            Flavour::Platform => self.base_url.clone(),
            Flavour::Tenant { id, .. } => format!("{}/tenants/{id}", self.base_url),
        }
    }

    /// The `iss` of tokens; `tenant` is the person's, `None` for a service.
    pub(crate) fn token_issuer(&self, flavour: &Flavour, tenant: Option<&str>) -> String {
        match (flavour, self.switches.behaviour().platform_issuer, tenant) {
            (Flavour::Platform, PlatformIssuer::Tenant, Some(tenant)) => {
                format!("{}/tenants/{tenant}", self.base_url)
            }
            _ => self.issuer(flavour),
        }
    }

    /// The prefix of a flavour's OAuth endpoints.
    pub(crate) fn oauth_base(&self, flavour: &Flavour) -> String {
        match flavour {
            Flavour::Platform => format!("{}/api/v1/platform/oauth", self.base_url),
            Flavour::Tenant { slug, .. } => {
                format!("{}/api/v1/auth/tenants/{slug}/oauth", self.base_url)
            }
        }
    }

    /// A live access token, its person still active.
    pub(crate) fn live_access(&self, token: &str) -> Option<Access> {
        let now = self.now();
        let access = {
            let issued = self.issued();
            let access = issued.access.get(token)?.clone();
            let dead = issued.revoked_access.contains(token)
                || issued.revoked_families.contains(&access.family);
            (!dead && access.expires > now).then_some(access)?
        };
        match &access.user_id {
            Some(id) if !self.directory().user(id).is_some_and(|u| u.is_active()) => None,
            _ => Some(access),
        }
    }
}
