//! Spin's own runtime, where a test runs on it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running `spin up`, ended with whoever holds it.
pub(crate) struct SpinProcess {
    child: Child,
    /// The state directory: stores, what the components said, and Spin itself (`spin.txt`).
    state: PathBuf,
}

impl SpinProcess {
    /// Ends it. `spin up` only starts the process that serves, and hands SIGTERM on to it; killed
    /// itself, it would leave that one behind.
    pub(crate) fn stop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What the components said.
    pub(crate) fn log_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for entry in std::fs::read_dir(self.state.join("logs")).expect("the log directory") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(path).expect("a log");
            lines.extend(text.lines().map(str::to_owned));
        }
        lines
    }
}

impl Drop for SpinProcess {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            eprintln!("what spin kept is in {}", self.state.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.state);
        }
    }
}

pub(crate) async fn start_spin(
    manifest: &Path,
    address: SocketAddr,
    variables: &BTreeMap<String, String>,
) -> SpinProcess {
    let name = format!("scaigate-spin-{}-{}", std::process::id(), address.port());
    let state = std::env::temp_dir().join(name);
    // A world begins with nothing, also where an earlier one had the same name and failed.
    let _ = std::fs::remove_dir_all(&state);
    std::fs::create_dir_all(&state).expect("a state directory");
    let said = std::fs::File::create(state.join("spin.txt")).expect("a file");
    let child = Command::new("spin")
        .args(["up", "--quiet", "--listen", &address.to_string()])
        .arg("--from")
        .arg(manifest)
        .arg("--state-dir")
        .arg(&state)
        .envs(variables.iter().map(|(name, value)| {
            (
                format!("SPIN_VARIABLE_{}", name.to_uppercase()),
                value.clone(),
            )
        }))
        // Stores and routes at every start, and at the end a panic for each instance that waits.
        .stdout(Stdio::null())
        .stderr(said)
        .spawn()
        .expect("`spin` is on the PATH");
    let mut process = SpinProcess { child, state };
    // It is there when it takes connections.
    for _ in 0..300 {
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            return process;
        }
        if let Ok(Some(status)) = process.child.try_wait() {
            let said = std::fs::read_to_string(process.state.join("spin.txt"));
            panic!(
                "spin ended at its start ({status}): {}",
                said.unwrap_or_default()
            );
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("spin did not start within 30 s");
}
