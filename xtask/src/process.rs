//! Running other programs: what runs is printed, and a failure names it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The cargo that started us, else the one on the PATH.
///
/// Without what `cargo run` told us about our own package: a build script that watches those
/// variables (ring's) would run again whenever cargo was called by hand in between.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Prints the command line and runs it with our own input and output.
///
/// # Errors
/// The program can't be started, or ends with anything but success.
pub fn run(command: &mut Command) -> Result<()> {
    run_reading(command, |_| Ok(()))
}

/// The same, where `command` says that its output is piped: `read` reads it.
///
/// # Errors
/// As [`run`], or the output can't be read.
pub fn run_reading(
    command: &mut Command,
    read: impl FnOnce(ChildStdout) -> Result<()>,
) -> Result<()> {
    let line = describe(command);
    eprintln!("$ {line}");
    let mut child = command
        .spawn()
        .with_context(|| format!("can't start `{line}`"))?;
    let outcome = child.stdout.take().map_or(Ok(()), read);
    let status = child
        .wait()
        .with_context(|| format!("waiting for `{line}`"))?;
    outcome?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs a program without showing it, and returns what it printed.
///
/// # Errors
/// The program can't be started, or ends with anything but success; the message
/// carries its last line of error output.
pub fn output(command: &mut Command) -> Result<String> {
    let line = describe(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("can't start `{line}`"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last = stderr
            .trim()
            .lines()
            .last()
            .unwrap_or("no message")
            .to_owned();
        bail!("`{line}` failed ({}): {last}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed no UTF-8"))
}

/// Where the PATH finds a program.
pub fn find_on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| is_executable(candidate))
}

/// Whether the path is a file that somebody may execute.
pub fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The command line as one would type it; environment and folder left out.
fn describe(command: &Command) -> String {
    let name = Path::new(command.get_program())
        .file_name()
        .unwrap_or(OsStr::new("?"));
    std::iter::once(name)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
