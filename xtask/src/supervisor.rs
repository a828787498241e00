//! Child processes that end when we do, however we end.
//!
//! All children share one process group, led by a guard: a few lines of shell
//! that wait for our end of a pipe to close. The kernel closes it when we exit,
//! crash or are killed, so no handler of ours has to run. The guard then asks
//! the group to stop, and after five seconds makes it.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

const GUARD: &str = r#"
trap '' TERM INT HUP
pids=
while read -r pid; do pids="$pids $pid"; done
alive() { for pid in $pids; do kill -0 "$pid" 2>/dev/null && return 0; done; return 1; }
kill -TERM 0
rounds=0
while [ "$rounds" -lt 50 ] && alive; do sleep 0.1; rounds=$((rounds + 1)); done
kill -KILL 0
"#;

/// How often children and signals are looked at.
const TICK: Duration = Duration::from_millis(50);

/// The children and their guard. Dropping it ends them all.
pub struct Supervisor {
    guard: Child,
    /// Our end of the pipe the guard waits on.
    lifeline: Option<ChildStdin>,
    children: Vec<(String, Child)>,
    signals: Signals,
}

impl Supervisor {
    /// Starts the guard, and takes over SIGINT, SIGTERM and SIGHUP.
    ///
    /// # Errors
    /// No `sh`, or signals can't be watched.
    pub fn start() -> Result<Self> {
        let signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let mut guard = Command::new("sh")
            .args(["-c", GUARD])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("can't start sh")?;
        let lifeline = guard.stdin.take();
        Ok(Self {
            guard,
            lifeline,
            children: Vec::new(),
            signals,
        })
    }

    /// Starts a child in the guarded group. Its standard input is a pipe that
    /// stays open as long as we live.
    ///
    /// # Errors
    /// The program can't be started.
    pub fn spawn(&mut self, name: &str, command: &mut Command) -> Result<()> {
        let group = i32::try_from(self.guard.id())?;
        let child = command
            .process_group(group)
            .stdin(Stdio::piped())
            .spawn()
            .with_context(|| format!("can't start {name}"))?;
        if let Some(lifeline) = &mut self.lifeline {
            writeln!(lifeline, "{}", child.id())?;
        }
        self.children.push((name.to_owned(), child));
        Ok(())
    }

    /// Waits until something accepts connections at the address.
    ///
    /// # Errors
    /// A child ends first, a signal arrives, or the time is over.
    pub fn wait_until_listening(
        &mut self,
        name: &str,
        address: SocketAddr,
        limit: Duration,
    ) -> Result<()> {
        let start = Instant::now();
        while TcpStream::connect_timeout(&address, TICK).is_err() {
            if let Some((name, status)) = self.ended()? {
                bail!("{name} ended at its start ({status})");
            }
            if self.signals.pending().next().is_some() {
                bail!("interrupted");
            }
            if start.elapsed() > limit {
                bail!("{name} doesn't listen on {address} after {limit:?}");
            }
            thread::sleep(TICK);
        }
        Ok(())
    }

    /// Waits for a signal to stop.
    ///
    /// # Errors
    /// A child ended by itself.
    pub fn wait_for_signal(&mut self) -> Result<()> {
        loop {
            if self.signals.pending().next().is_some() {
                return Ok(());
            }
            if let Some((name, status)) = self.ended()? {
                bail!("{name} ended ({status})");
            }
            thread::sleep(TICK);
        }
    }

    /// Kills a child at once, as a crash would, and forgets it.
    ///
    /// # Errors
    /// There is none of that name, or it can't be killed.
    pub fn kill(&mut self, name: &str) -> Result<()> {
        let position = self.children.iter().position(|(child, _)| child == name);
        let position = position.with_context(|| format!("no {name} to kill"))?;
        let (_, mut child) = self.children.remove(position);
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// The process id of a child, while it is one.
    pub fn id(&self, name: &str) -> Option<u32> {
        self.children
            .iter()
            .find(|(child, _)| child == name)
            .map(|(_, child)| child.id())
    }

    fn ended(&mut self) -> Result<Option<(String, ExitStatus)>> {
        for (name, child) in &mut self.children {
            if let Some(status) = child.try_wait()? {
                return Ok(Some((name.clone(), status)));
            }
        }
        Ok(None)
    }
}

impl Drop for Supervisor {
    /// Lets the guard end the group, and returns when nothing of it is left.
    fn drop(&mut self) {
        drop(self.lifeline.take());
        while matches!(self.guard.try_wait(), Ok(None)) {
            // Reaped as they end, else the guard sees them alive.
            for (_, child) in &mut self.children {
                let _reaped = child.try_wait();
            }
            thread::sleep(TICK);
        }
        for (_, child) in &mut self.children {
            let _reaped = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_no_child_behind() -> Result<()> {
        let mut supervisor = Supervisor::start()?;
        supervisor.spawn("polite", Command::new("sleep").arg("600"))?;
        let id = supervisor.id("polite").context("no id")?;
        let alive = || {
            Command::new("kill")
                .args(["-0", &id.to_string()])
                .stderr(Stdio::null())
                .status()
        };
        assert!(alive()?.success());
        drop(supervisor);
        assert!(!alive()?.success());
        Ok(())
    }
}
