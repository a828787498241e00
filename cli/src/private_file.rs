//! Files that hold credentials: written whole or not at all, and readable by their owner alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use crate::environment;
use crate::exit::Exit;
use crate::failure::Failure;

/// Largest file read, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// Readable and writable by the owner.
const MODE: u32 = 0o600;

/// The text of a file; `None` when there is none.
///
/// # Errors
/// It is no file of text of at most a megabyte, or can't be read.
pub fn read(path: &Path) -> Result<Option<String>, Failure> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, "read", &error)),
    };
    let mut text = String::new();
    file.take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| failed(path, "read", &error))?;
    if text.len() as u64 > MAX_BYTES {
        let error = io::Error::new(ErrorKind::FileTooLarge, "larger than a megabyte");
        return Err(failed(path, "read", &error));
    }
    Ok(Some(text))
}

/// Puts `text` in the place of what is there: through a new file beside it, so that a reader sees the
/// one or the other whole. A link stays one, and what it leads to is replaced.
///
/// # Errors
/// It can't be written; what was there still is.
pub fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let target = target(path)?;
    let new = beside(&target)?;
    let written = write_new(&new, &target, text).and_then(|()| fs::rename(&new, &target));
    if written.is_err() {
        // It may not even have been made.
        let _ = fs::remove_file(&new);
    }
    written.map_err(|error| failed(path, "written", &error))?;
    sync_folder(&target);
    Ok(())
}

/// Finds out whether [`replace`] would work, without changing anything: before something is asked for
/// that is given once.
///
/// # Errors
/// It can't be written.
pub fn check_writable(path: &Path) -> Result<(), Failure> {
    let target = target(path)?;
    let new = beside(&target)?;
    let tried = write_new(&new, &target, "").and_then(|()| fs::remove_file(&new));
    tried.map_err(|error| failed(path, "written", &error))
}

/// Removes a file, if there is one.
///
/// # Errors
/// It can't be removed.
pub fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(path, "removed", &error)),
        _ => Ok(()),
    }
}

/// Where the file really is.
fn target(path: &Path) -> Result<PathBuf, Failure> {
    match fs::canonicalize(path) {
        Ok(target) if target.is_file() => Ok(target),
        Ok(_) => {
            let error = io::Error::new(ErrorKind::InvalidInput, "it is something else than a file");
            Err(failed(path, "written", &error))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(path.to_owned()),
        Err(error) => Err(failed(path, "written", &error)),
    }
}

/// A name in the same folder that nobody has.
fn beside(target: &Path) -> Result<PathBuf, Failure> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    Ok(target.with_file_name(format!("{name}.{}.new", environment::random_name()?)))
}

fn write_new(new: &Path, target: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(new)?;
    // Whatever the mask takes away or leaves.
    file.set_permissions(fs::Permissions::from_mode(MODE))?;
    if let (Ok(former), Ok(own)) = (fs::metadata(target), file.metadata())
        && (former.uid(), former.gid()) != (own.uid(), own.gid())
    {
        // Whoever runs the server reads it: root's edit must not take it away from them.
        fchown(&file, Some(former.uid()), Some(former.gid()))?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// So that the new name survives a crash, too.
fn sync_folder(target: &Path) {
    if let Some(folder) = target.parent()
        && let Ok(folder) = File::open(if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        })
    {
        // Not every file system can; the file itself is safe.
        let _ = folder.sync_all();
    }
}

fn failed(path: &Path, what: &str, error: &io::Error) -> Failure {
    let message = format!("{} can't be {what}: {error}.", path.display());
    Failure::new(Exit::Failed, "file_unusable", message)
        .with_fix("Check the path and its permissions; nothing has been changed.")
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop there"
)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let name = environment::random_name().unwrap();
            let path = std::env::temp_dir().join(format!("scaigate-cli-{name}"));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
            let mut names: Vec<_> = entries
                .map(|entry| name(entry).to_string_lossy().into_owned())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_file_is_its_owners_alone_however_it_was_before() {
        let folder = Folder::new();
        let path = folder.0.join(".env");
        replace(&path, "one").unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        replace(&path, "two").unwrap();
        assert_eq!(
            (mode(&path), read(&path).unwrap().as_deref()),
            (0o600, Some("two"))
        );
        assert_eq!(folder.names(), [".env"]);
    }

    #[test]
    fn a_link_stays_one() {
        let folder = Folder::new();
        let (path, real) = (folder.0.join(".env"), folder.0.join("real"));
        fs::write(&real, "one").unwrap();
        symlink("real", &path).unwrap();
        replace(&path, "two").unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "two");
    }

    #[test]
    fn what_can_not_be_written_is_told_before_and_left_alone() {
        let folder = Folder::new();
        let missing = folder.0.join("missing").join(".env");
        assert!(check_writable(&missing).is_err());
        assert!(replace(&missing, "x").is_err());
        assert!(check_writable(&folder.0).is_err(), "a folder");
        check_writable(&folder.0.join(".env")).unwrap();
        assert_eq!(folder.names(), Vec::<String>::new());
    }

    #[test]
    fn a_file_is_read_only_up_to_a_megabyte() {
        let folder = Folder::new();
        let path = folder.0.join("large");
        assert_eq!(read(&path).unwrap(), None);
        fs::write(&path, "x".repeat(1 << 20)).unwrap();
        assert!(read(&path).is_ok());
        fs::write(&path, "x".repeat((1 << 20) + 1)).unwrap();
        assert!(read(&path).is_err());
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(read(&path).is_err());
    }
}
