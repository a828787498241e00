//! Debian's Rust packages (bookworm-security and later), for machines where
//! rustup can't download. They bring no `wasm32-wasip2` library, so cargo builds
//! the standard library from Debian's source package and links Debian's wasi-libc.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process;

const CARGO: &str = "/usr/bin/cargo";
const RUSTC: &str = "/usr/bin/rustc";
/// Where wasi-libc puts `libc.a` and the start files.
const WASI_LIBC: &str = "/usr/lib/wasm32-wasi";
/// The oldest Rust this workspace and spin-sdk build with.
const MINIMUM: (u32, u32) = (1, 95);
/// What the packages here are for.
const TOOLCHAIN: &str = "WebAssembly toolchain";
/// Variables of a surrounding cargo or rustup that would steer Debian's cargo
/// back to that other Rust.
const FOREIGN: [&str; 8] = [
    "CARGO",
    "CARGO_BUILD_RUSTC",
    "LD_LIBRARY_PATH",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTFLAGS",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
];

/// Debian's Rust with everything it needs for WebAssembly in place.
pub struct Debian {
    version: String,
    /// Folder with a program named `wasm-ld`, which the component linker calls.
    linker: PathBuf,
}

impl Debian {
    /// Looks for the packages and installs those that are missing.
    ///
    /// # Errors
    /// This isn't Debian, the packages can't be installed, or they are too old.
    pub fn prepare() -> Result<Self> {
        let missing = missing_packages();
        if !missing.is_empty() {
            install(TOOLCHAIN, &missing)?;
        }
        let (version, llvm) = rustc_version().context("Debian's rustc")?;
        if find_linker(llvm).is_none() {
            install(TOOLCHAIN, &[format!("lld-{llvm}")])?;
        }
        let linker = find_linker(llvm).with_context(|| format!("lld-{llvm} brought no wasm-ld"))?;
        let still = missing_packages();
        if !still.is_empty() {
            bail!(
                "apt-get succeeded, but these are not in place: {}",
                still.join(" ")
            );
        }
        Ok(Self { version, linker })
    }

    /// One line for people: which Rust this is.
    pub fn description(&self) -> String {
        format!(
            "Debian's {}, standard library built from source, {}/wasm-ld",
            self.version,
            self.linker.display()
        )
    }

    /// A call of Debian's cargo that builds the standard library along.
    pub fn cargo(&self, subcommand: &str, target_folder: &Path) -> Command {
        let mut command = Command::new(CARGO);
        for name in FOREIGN {
            command.env_remove(name);
        }
        command
            .arg(subcommand)
            .arg("-Zbuild-std=std,panic_abort")
            .env("PATH", self.path())
            .env("RUSTC", RUSTC)
            // Building the standard library is an unstable option of a stable cargo.
            .env("RUSTC_BOOTSTRAP", "1")
            .env(
                "CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS",
                format!("-L {WASI_LIBC}"),
            )
            .env("CARGO_TARGET_DIR", target_folder);
        command
    }

    /// `/usr/bin` first: `cargo clippy` must find Debian's clippy, not rustup's.
    fn path(&self) -> OsString {
        let own = [Path::new("/usr/bin"), self.linker.as_path()];
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let all = own
            .into_iter()
            .map(Path::to_owned)
            .chain(std::env::split_paths(&inherited));
        std::env::join_paths(all).unwrap_or(inherited)
    }
}

/// Packages of which a telling file isn't there.
fn missing_packages() -> Vec<String> {
    const TELLING: [(&str, &str); 4] = [
        ("cargo-web", CARGO),
        (
            "rust-web-src",
            "/usr/lib/rustlib/src/rust/library/std/Cargo.toml",
        ),
        ("rust-web-clippy", "/usr/bin/clippy-driver"),
        ("wasi-libc", "/usr/lib/wasm32-wasi/libc.a"),
    ];
    let mut missing: Vec<String> = TELLING
        .iter()
        .filter(|(_, file)| !Path::new(file).exists())
        .map(|(package, _)| (*package).to_owned())
        .collect();
    if !has_component_linker() {
        missing.extend(["rustc-web", "rust-web-llvm"].map(str::to_owned));
    }
    missing
}

/// rustc-web's component linker lies in a folder named after the machine.
fn has_component_linker() -> bool {
    std::fs::read_dir("/usr/lib/rustlib").is_ok_and(|folders| {
        folders
            .flatten()
            .any(|folder| folder.path().join("bin/wasm-component-ld").exists())
    })
}

/// Installs without asking, and says for what. Never removes a package to make room: `rustc-web`
/// and another Rust from Debian exclude each other, and that choice is the owner's.
///
/// # Errors
/// This isn't Debian, or the packages can't be installed; the message says what to do by hand.
pub fn install(purpose: &str, packages: &[String]) -> Result<()> {
    let list = packages.join(" ");
    let by_hand = format!("apt-get install --no-install-recommends {list}");
    if process::find_on_path("apt-get").is_none() {
        bail!("needs {list}, and this machine has no apt-get");
    }
    let base = match process::output(Command::new("id").arg("-u"))?.trim() {
        "0" => vec!["apt-get"],
        _ if process::find_on_path("sudo").is_some() => vec!["sudo", "-n", "apt-get"],
        _ => bail!("needs {list}; run as root: {by_hand}"),
    };
    eprintln!("{purpose}: installing {list}");
    let apt = |arguments: &[&str]| {
        let mut words = base.iter().copied();
        let mut command = Command::new(words.next().unwrap_or("apt-get"));
        command
            .args(words)
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        process::output(&mut command)
    };
    let mut arguments = vec!["install", "-y", "--no-remove", "--no-install-recommends"];
    arguments.extend(packages.iter().map(String::as_str));
    // The first try spares a machine that has its package lists the update.
    if apt(&arguments).is_err() {
        apt(&["update"])?;
        apt(&arguments).with_context(|| format!("by hand: {by_hand}"))?;
    }
    Ok(())
}

/// rustc's version, and the LLVM it was built with: the linker should be of the same.
fn rustc_version() -> Result<(String, u32)> {
    parse_version(&process::output(Command::new(RUSTC).arg("-vV"))?)
}

fn parse_version(text: &str) -> Result<(String, u32)> {
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
            .with_context(|| format!("`rustc -vV` has no `{name}`"))
    };
    let release = field("release:")?;
    let mut numbers = release
        .split(['.', '-'])
        .map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version < MINIMUM {
        bail!(
            "rustc {release} is too old; {}.{} is the oldest that works",
            MINIMUM.0,
            MINIMUM.1
        );
    }
    let llvm = field("LLVM version:")?
        .split('.')
        .next()
        .and_then(|major| major.parse().ok())
        .context("`rustc -vV` names no LLVM")?;
    Ok((format!("rustc {release}"), llvm))
}

/// `wasm-ld` under that name, of the given LLVM or a later one.
fn find_linker(llvm: u32) -> Option<PathBuf> {
    let versioned = std::fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let version: u32 = name.to_str()?.strip_prefix("llvm-")?.parse().ok()?;
            let folder = entry.path().join("bin");
            (version >= llvm && folder.join("wasm-ld").exists()).then_some((version, folder))
        })
        .min();
    versioned.map(|(_, folder)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_release_and_llvm() -> Result<()> {
        let text = "rustc 1.96.0 (x)\nrelease: 1.96.0\nLLVM version: 22.1.8\n";
        assert_eq!(parse_version(text)?, ("rustc 1.96.0".to_owned(), 22));
        Ok(())
    }

    #[test]
    fn refuses_an_old_rust() {
        for release in ["1.63.0", "1.94.2", "0.9", "x"] {
            let text = format!("release: {release}\nLLVM version: 14.0\n");
            assert!(parse_version(&text).is_err(), "{release}");
        }
    }
}
