//! Where key-value pairs and databases live.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

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
                    "scaigate-host-{}-{}-{moment}",
                    std::process::id(),
                    COUNTER.fetch_add(1, Ordering::Relaxed)
                ));
                // Fails when it exists: nobody prepared it for us.
                fs::DirBuilder::new()
                    .mode(0o700)
                    .create(&path)
                    .with_context(|| format!("state directory {}", path.display()))?;
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

impl Drop for StateDirectory {
    fn drop(&mut self) {
        self.remove_temporary();
    }
}
