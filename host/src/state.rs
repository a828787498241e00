//! Where key-value pairs and databases live.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

/// How the name of a temporary directory begins; the process id comes next.
const PREFIX: &str = "scaigate-host-";

/// Where a host keeps its key-value store and its databases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// In a directory of its own, removed when the host ends.
    #[default]
    Temporary,
    /// In this directory, made when missing. Its files are named as in the
    /// `.spin` directory of `spin up`.
    Directory(PathBuf),
}

pub(crate) struct StateDirectory {
    path: PathBuf,
    temporary: bool,
}

impl StateDirectory {
    pub(crate) fn open(state: &State) -> anyhow::Result<Self> {
        match state {
            State::Directory(path) => {
                fs::create_dir_all(path)
                    .with_context(|| format!("state directory {}", path.display()))?;
                Ok(Self {
                    path: path.clone(),
                    temporary: false,
                })
            }
            State::Temporary => {
                static COUNTER: AtomicU64 = AtomicU64::new(0);
                let moment = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default()
                    .as_nanos();
                let path = std::env::temp_dir().join(format!(
                    "{PREFIX}{}-{}-{moment}",
                    std::process::id(),
                    COUNTER.fetch_add(1, Ordering::Relaxed)
                ));
                // Fails when it exists: nobody prepared it for us.
                fs::DirBuilder::new()
                    .mode(0o700)
                    .create(&path)
                    .with_context(|| format!("state directory {}", path.display()))?;
                remove_orphans(&path);
                Ok(Self {
                    path,
                    temporary: true,
                })
            }
        }
    }

    pub(crate) fn is_temporary(&self) -> bool {
        self.temporary
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn key_value_file(&self) -> PathBuf {
        self.path.join("sqlite_key_value.db")
    }

    pub(crate) fn database_file(&self) -> PathBuf {
        self.path.join("sqlite_db.db")
    }
}

impl StateDirectory {
    /// Removes a temporary directory, also while its files are open.
    pub(crate) fn remove_temporary(&self) {
        if self.temporary {
            // Gone already, or the system's own cleaning takes what is left.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Removes temporary directories of ours whose process is gone: a host in a
/// static is never dropped. `own` is a directory just made.
fn remove_orphans(own: &Path) {
    let (Some(parent), Ok(owner)) = (own.parent(), own.metadata()) else {
        return;
    };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.split('-').next())
            .and_then(|process| process.parse::<u32>().ok());
        let Some(process) = process else { continue };
        let ours = fs::symlink_metadata(entry.path())
            .is_ok_and(|found| found.is_dir() && found.uid() == owner.uid());
        // Where there is no /proc, nothing is known about other processes.
        let gone = Path::new("/proc/self").exists()
            && !Path::new("/proc").join(process.to_string()).exists();
        if ours && gone {
            // Another host may be doing the same.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

impl Drop for StateDirectory {
    fn drop(&mut self) {
        self.remove_temporary();
    }
}
