//! Whole syncs of directories of several sizes: the first one and one that changes nothing, by both
//! methods.
//!
//! Every request has an instance of its own, so that the memory that is told is that of one sync. While
//! a sync runs somebody signs in ten times a second: how long those writes wait is told too.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::bench::answer::{expect, json_body};
use crate::bench::client::Connection;
use crate::bench::person::{SERVICE, granted};
use crate::bench::usage;
use crate::manifest::Manifest;
use crate::runtime::Runtime;
use crate::settings;
use crate::supervisor::Supervisor;
use crate::up;
use crate::workspace::Workspace;

/// How long a sync may take: its own limit, and a little more.
const PATIENCE: Duration = Duration::from_secs(16 * 60);
/// How often somebody begins to sign in meanwhile.
const BETWEEN_WRITES: Duration = Duration::from_millis(100);
/// People to a group, and memberships of each of them, as in the directory of 100,000.
const GROUP_SIZE: u32 = 50;
const MEMBERSHIPS: u32 = 4;

/// How the sync finds users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    EffectiveUsers,
    MemberWalk,
}

impl Method {
    const fn name(self) -> &'static str {
        match self {
            Self::EffectiveUsers => "effective_users",
            Self::MemberWalk => "member_walk",
        }
    }
}

/// One sync.
pub struct Row {
    /// People in the directory.
    pub users: u32,
    /// How they were found.
    pub method: &'static str,
    /// Whether the mirror was empty before, or in step.
    pub is_first: bool,
    /// What was measured, or why not.
    pub figures: Result<Figures>,
}

impl Row {
    /// What has no figures, and why.
    pub fn failure(&self) -> Option<String> {
        let reason = self.figures.as_ref().err()?;
        Some(format!("sync by {}: {reason:#}", self.method))
    }
}

/// What one sync took.
pub struct Figures {
    /// From the request to the answer.
    pub elapsed: Duration,
    /// Processor time of the runner, where it is known.
    pub runner: Option<Duration>,
    /// Processor time of the emulator.
    pub emulator: Option<Duration>,
    /// The most linear memory that the component had, in bytes. Only the embedded runner tells it.
    pub component: Option<u64>,
    /// Resident memory of the runner afterwards, in KiB.
    pub resident: Option<u64>,
    /// The longest that a beginning sign-in took meanwhile, and how many failed.
    pub longest_write: Duration,
    /// Sign-ins that were refused meanwhile.
    pub failed_writes: u64,
}

/// The syncs of one size.
///
/// # Errors
/// A program does not start.
pub fn measure(
    workspace: &Workspace,
    manifest: &Manifest,
    runtime: Runtime,
    users: u32,
) -> Result<Vec<Row>> {
    let folder = workspace.target.join("xtask/bench-sync");
    let mut rows = Vec::new();
    for method in [Method::EffectiveUsers, Method::MemberWalk] {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let site = Site::start(workspace, manifest, runtime, users, &folder)?;
        site.steer(method)?;
        for is_first in [true, false] {
            let what = if is_first { "first" } else { "no change" };
            eprintln!("sync of {users} people, {}, {what}", method.name());
            rows.push(Row {
                users,
                method: method.name(),
                is_first,
                figures: site.sync(users, method, is_first),
            });
        }
    }
    Ok(rows)
}

/// One directory and one mirror.
struct Site {
    supervisor: Supervisor,
    application: SocketAddr,
    emulator: SocketAddr,
}

/// What the runner is called.
const APPLICATION: &str = "sync";

impl Site {
    fn start(
        workspace: &Workspace,
        manifest: &Manifest,
        runtime: Runtime,
        users: u32,
        state: &Path,
    ) -> Result<Self> {
        let (application, emulator) = (super::free()?, super::free()?);
        let url = format!("http://{application}");
        let mut supervisor = Supervisor::start()?;
        let sizes = [
            ("--users", users),
            ("--groups", users.div_ceil(GROUP_SIZE)),
            ("--memberships", users.saturating_mul(MEMBERSHIPS)),
        ];
        let sizes = sizes.map(|(option, size)| format!("{option}={size}"));
        let sizes = sizes.each_ref().map(String::as_str);
        up::start_emulator(&mut supervisor, workspace, emulator, &url, &sizes)?;
        let mut variables = settings::for_emulator(&url, &format!("http://{emulator}"));
        settings::add_generated(&mut variables, manifest, state)?;
        variables.insert("scaiflow_sync_interval_minutes".to_owned(), "0".to_owned());
        let served = workspace.root.join("spin.toml");
        let mut command = runtime.serve(workspace, &served, application, state);
        command.args(["--max-instance-reuse-count", "1", "--quiet"]);
        up::start_application(
            &mut supervisor,
            APPLICATION,
            &mut command,
            application,
            &variables,
        )?;
        Ok(Self {
            supervisor,
            application,
            emulator,
        })
    }

    /// Lets ScaiKey show us the application's users, or not (`contract/scaikey.md` 3.6).
    fn steer(&self, method: Method) -> Result<()> {
        if method == Method::EffectiveUsers {
            return Ok(());
        }
        let told = json!({ "detail": "Platform token requires admin:read or admin:write scope" });
        let command = json!({ "faults": [{
            "endpoint": "effective_users",
            "fault": { "answer": { "code": 403, "body": told.to_string() } },
        }] });
        let headers = [("content-type", "application/json")];
        let mut emulator = Connection::new(self.emulator);
        let target = "/_emulator/switches";
        let answer = emulator.request("POST", target, &headers, &command.to_string())?;
        expect(200, "the emulator's switches", answer)?;
        Ok(())
    }

    fn used(&self, name: &str) -> Option<Duration> {
        self.supervisor.id(name).and_then(usage::processor_time)
    }

    fn sync(&self, users: u32, method: Method, is_first: bool) -> Result<Figures> {
        let token = granted(&mut Connection::new(self.emulator), SERVICE)?;
        // What was there before is forgotten.
        self.peak_memory();
        let before = (self.used(APPLICATION), self.used(up::EMULATOR));
        let is_over = AtomicBool::new(false);
        let (outcome, elapsed, (longest_write, failed_writes)) = thread::scope(|scope| {
            let writes = scope.spawn(|| self.writes(&is_over));
            let start = Instant::now();
            let outcome = self.request(&token);
            let elapsed = start.elapsed();
            is_over.store(true, Ordering::Relaxed);
            (outcome, elapsed, writes.join().unwrap_or_default())
        });
        let report = outcome?;
        check(&report, users, method, is_first)?;
        let since = |name, before: Option<Duration>| {
            let after = self.used(name);
            Some(after?.saturating_sub(before?))
        };
        Ok(Figures {
            elapsed,
            runner: since(APPLICATION, before.0),
            emulator: since(up::EMULATOR, before.1),
            component: self.peak_memory(),
            resident: self.supervisor.id(APPLICATION).and_then(usage::resident),
            longest_write,
            failed_writes,
        })
    }

    fn request(&self, token: &str) -> Result<Value> {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let mut application = Connection::patient(self.application, PATIENCE);
        let body = json!({ "force": true }).to_string();
        let answer = application.request("POST", "/v1/admin/sync", &headers, &body)?;
        json_body(&expect(200, "sync", answer)?)
    }

    /// Begins to sign in, again and again. The longest time it took, and how often it failed.
    fn writes(&self, is_over: &AtomicBool) -> (Duration, u64) {
        let mut application = Connection::new(self.application);
        let headers = [("content-type", "application/json")];
        let (mut longest, mut failed) = (Duration::ZERO, 0);
        while !is_over.load(Ordering::Relaxed) {
            let start = Instant::now();
            let answer = application
                .request("POST", "/v1/auth/login", &headers, "{}")
                .and_then(|answer| expect(200, "login", answer));
            failed += u64::from(answer.is_err());
            longest = longest.max(start.elapsed());
            thread::sleep(BETWEEN_WRITES);
        }
        (longest, failed)
    }

    /// The most memory that the component has had since this was last asked.
    fn peak_memory(&self) -> Option<u64> {
        let target = "/.well-known/scaigate-host/peak-memory/sync";
        let answer = Connection::new(self.application)
            .request("GET", target, &[], "")
            .ok()?;
        let text = String::from_utf8(answer.body).ok()?;
        text.parse().ok().filter(|_| answer.status == 200)
    }
}

/// Fails unless that was the sync that was meant.
fn check(report: &Value, users: u32, method: Method, is_first: bool) -> Result<()> {
    let number = |name: &str| {
        report
            .get(name)
            .and_then(Value::as_u64)
            .with_context(|| format!("the answer has no {name}"))
    };
    let used = report.get("users_method").and_then(Value::as_str);
    let memberships = u64::from(users) * u64::from(MEMBERSHIPS);
    let added = |all: u64| if is_first { all } else { 0 };
    if used != Some(method.name()) {
        bail!("it went by {}", used.unwrap_or("no method"));
    }
    for (name, expected) in [
        ("users_seen", u64::from(users)),
        ("memberships_seen", memberships),
        ("users_added", added(u64::from(users))),
        ("memberships_added", added(memberships)),
    ] {
        let told = number(name)?;
        if told != expected {
            bail!("{name} is {told}, not {expected}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_sync_than_the_one_that_was_meant_is_not_measured() {
        let report = |method: &str, added: u64| {
            json!({
                "users_method": method, "users_seen": 10, "memberships_seen": 40,
                "users_added": added, "memberships_added": 4 * added,
            })
        };
        let walk = Method::MemberWalk;
        assert!(check(&report("member_walk", 10), 10, walk, true).is_ok());
        assert!(check(&report("member_walk", 0), 10, walk, false).is_ok());
        assert!(check(&report("member_walk", 0), 10, walk, true).is_err());
        assert!(check(&report("member_walk", 10), 11, walk, true).is_err());
        assert!(check(&report("effective_users", 10), 10, walk, true).is_err());
        assert!(check(&json!({ "users_method": "member_walk" }), 10, walk, true).is_err());
    }
}
