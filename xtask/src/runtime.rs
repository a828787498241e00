//! What serves `spin.toml`: Spin itself, or the embedded runner `scaigate-host`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

use crate::process;
use crate::workspace::Workspace;

/// The oldest Spin that has what the components use (WASI 0.3).
const MINIMUM: (u32, u32) = (4, 1);

/// A program that serves the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Runtime {
    /// `spin up`, from the PATH.
    Spin,
    /// `scaigate-host`, from this workspace.
    Embedded,
}

impl Runtime {
    /// The one asked for, else Spin where it is new enough, else the embedded runner.
    ///
    /// # Errors
    /// Spin was asked for and isn't there, or is too old.
    pub fn choose(asked: Option<Self>) -> Result<Self> {
        match asked {
            Some(Self::Embedded) => Ok(Self::Embedded),
            Some(Self::Spin) => {
                eprintln!("runtime: {}", spin_version()?);
                Ok(Self::Spin)
            }
            None => match spin_version() {
                Ok(version) => {
                    eprintln!("runtime: {version}");
                    Ok(Self::Spin)
                }
                Err(reason) => {
                    eprintln!("runtime: embedded ({reason:#})");
                    Ok(Self::Embedded)
                }
            },
        }
    }

    /// The command that serves a manifest. Variables are handed over in its environment, not on the command line, where every
    /// user of the machine could read them.
    pub fn serve(
        self,
        workspace: &Workspace,
        manifest: &Path,
        listen: SocketAddr,
        state: &Path,
    ) -> Command {
        let mut command = match self {
            Self::Spin => {
                let mut command = Command::new("spin");
                command.args(["up", "--from"]);
                command
            }
            Self::Embedded => {
                let mut command = Command::new(workspace.program("scaigate-host"));
                command
                    .arg("--cache-dir")
                    .arg(workspace.target.join("xtask/cache"));
                command.arg("--manifest");
                command
            }
        };
        command
            .arg(manifest)
            .arg("--listen")
            .arg(listen.to_string())
            .arg("--state-dir")
            .arg(state)
            .current_dir(&workspace.root);
        command
    }
}

/// The version of the `spin` on the PATH, if it will do.
fn spin_version() -> Result<String> {
    if process::find_on_path("spin").is_none() {
        bail!("no `spin` on the PATH");
    }
    let text = process::output(Command::new("spin").arg("--version"))?;
    let line = text.lines().next().unwrap_or_default().trim();
    let version = parse_version(line).with_context(|| format!("`spin --version` said `{line}`"))?;
    if version < MINIMUM {
        bail!(
            "{line} is too old; {}.{} is the oldest that works",
            MINIMUM.0,
            MINIMUM.1
        );
    }
    Ok(line.to_owned())
}

fn parse_version(line: &str) -> Option<(u32, u32)> {
    let mut numbers = line.strip_prefix("spin ")?.split(['.', '-', ' ']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_spin_versions() {
        for (line, version) in [
            ("spin 4.1.0 (abc 2026-10-01)", Some((4, 1))),
            ("spin 4.1.0-pre0 (abc 2026-10-01)", Some((4, 1))),
            ("spin 10.0.1", Some((10, 0))),
            ("spin", None),
            ("Spin model checker 6.5", None),
        ] {
            assert_eq!(parse_version(line), version, "{line}");
        }
    }
}
