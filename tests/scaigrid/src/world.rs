//! Everything an emulator knows, and how an honest answer comes about.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::caller::{Caller, Jwt, Verifier, authenticate};
use crate::exchange::{Answer, Call, Failure, Reply};
use crate::grid::Grid;
use crate::limits::{Standing, Windows};
use crate::recorder::Recorder;
use crate::routes::{Access, Found};
use crate::switches::Switches;
use scaigate_emulation::Clock;

/// The state behind every handler.
pub(crate) struct World {
    pub(crate) control: bool,
    pub(crate) switches: Switches,
    pub(crate) recorder: Recorder,
    pub(crate) verifier: Verifier,
    clock: Clock,
    grid: Mutex<Grid>,
    windows: Mutex<Windows>,
    requests: AtomicUsize,
    failures: AtomicUsize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(crate) fn new(
        control: bool,
        clock: Clock,
        switches: Switches,
        grid: Grid,
        jwt: Jwt,
    ) -> Self {
        Self {
            control,
            switches,
            recorder: Recorder::default(),
            verifier: jwt.into(),
            clock,
            grid: Mutex::new(grid),
            windows: Mutex::new(Windows::default()),
            requests: AtomicUsize::new(0),
            failures: AtomicUsize::new(0),
        }
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        (self.clock)().div_euclid(1_000)
    }

    pub(crate) fn now_millis(&self) -> i64 {
        (self.clock)()
    }

    pub(crate) fn grid(&self) -> MutexGuard<'_, Grid> {
        lock(&self.grid)
    }

    pub(crate) fn next_index(&self) -> usize {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    /// A failure's answer, in the envelope that the deployment uses.
    pub(crate) fn failed(&self, failure: &Failure) -> Reply {
        let number = self.failures.fetch_add(1, Ordering::Relaxed);
        let envelope = self.switches.behaviour().error_envelope;
        failure.reply(envelope, &format!("req_{number:012x}"))
    }

    /// The answer to a request, honest.
    pub(crate) async fn serve(&self, found: &Found, call: &Call, index: usize) -> Reply {
        match self.try_serve(found, call, index).await {
            Ok(reply) => reply,
            Err(failure) => self.failed(&failure),
        }
    }

    async fn try_serve(&self, found: &Found, call: &Call, index: usize) -> Answer {
        let Some(route) = found.route else {
            return Err(if found.is_wrong_method {
                Failure::new(405, "METHOD_NOT_ALLOWED", "Method not allowed")
            } else {
                Failure::not_found("Route")
            });
        };
        let (permission, needs_tenant) = match route.access {
            Access::Open => return (route.handler)(self, call, &Caller::default()),
            Access::Holder(permission) => (permission, false),
            Access::TenantHolder(permission) => (permission, true),
        };
        let caller = match authenticate(self, call).await {
            Ok(caller) => caller,
            Err(refused) => {
                self.limit(call, None)?;
                return Err(refused);
            }
        };
        self.recorder
            .update(index, |r| r.tenant_id.clone_from(&caller.tenant_id));
        let standing = self.limit(call, Some(&caller))?;
        let told = |fields: &mut Vec<(&'static str, String)>| {
            fields.extend(standing.iter().flat_map(Standing::fields));
        };
        let served = self
            .admit(route.module(), permission, needs_tenant, &caller)
            .and_then(|()| (route.handler)(self, call, &caller));
        match served {
            Ok(mut reply) => {
                let mut fields = Vec::new();
                told(&mut fields);
                for (name, value) in fields {
                    reply.add(name, value);
                }
                Ok(reply)
            }
            Err(mut failure) => {
                told(&mut failure.fields);
                Err(failure)
            }
        }
    }

    fn admit(
        &self,
        module: Option<&str>,
        permission: &str,
        needs_tenant: bool,
        caller: &Caller,
    ) -> Result<(), Failure> {
        if let (Some(module), Some(tenant)) = (module, &caller.tenant_id)
            && !self.grid().has_module(tenant, module)
        {
            let message = format!("module {module} is not enabled for this tenant");
            return Err(Failure::new(403, "MODULE_NOT_ENABLED", &message));
        }
        if needs_tenant && caller.tenant_id.is_none() {
            let message = "a tenant-scoped caller is required";
            return Err(Failure::new(403, "AUTHZ_PERMISSION_DENIED", message));
        }
        caller.require(permission)
    }

    /// Counts the call; `None` when limits are off.
    fn limit(&self, call: &Call, caller: Option<&Caller>) -> Result<Option<Standing>, Failure> {
        let Some(limits) = self.switches.behaviour().rate_limits else {
            return Ok(None);
        };
        let mut levels = Vec::new();
        match caller {
            None => levels.push((format!("address {}", call.peer), limits.anonymous)),
            Some(caller) => {
                if let Some(key) = &caller.key {
                    levels.push((format!("key {key}"), limits.api_key));
                }
                levels.push((format!("user {}", caller.id), limits.user));
                if let Some(tenant) = &caller.tenant_id {
                    levels.push((format!("tenant {tenant}"), limits.tenant));
                    if let Some(tenant) = self.grid().tenant(tenant) {
                        levels.push((format!("partner {}", tenant.partner_id), limits.partner));
                    }
                }
            }
        }
        let taken = lock(&self.windows).take(self.now_millis(), &levels);
        taken.map(Some).map_err(|(standing, seconds)| {
            let mut failure = Failure::new(429, "RATE_LIMITED", "Rate limit exceeded");
            failure.retry_after = Some(seconds);
            failure.fields = standing.fields();
            failure
        })
    }

    /// The fields of a 429 that nobody counted for.
    pub(crate) fn exhausted(&self, seconds: u64) -> Vec<(&'static str, String)> {
        let standing = Standing {
            limit: 60,
            remaining: 0,
            reset: self
                .now()
                .saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX)),
        };
        standing.fields()
    }
}
