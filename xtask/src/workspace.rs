//! The workspace as `cargo metadata` shows it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::process;

/// Folders and packages of this workspace.
#[derive(Debug)]
pub struct Workspace {
    /// The folder of the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Where cargo puts what it builds.
    pub target: PathBuf,
    /// The members, in cargo's order.
    pub packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Debug, Clone)]
pub struct Package {
    /// The package's name.
    pub name: String,
    /// Its folder, relative to the workspace's root.
    pub folder: PathBuf,
    /// The file stem of its WebAssembly component, when it builds one.
    pub component: Option<String>,
}

impl Workspace {
    /// Asks cargo.
    ///
    /// # Errors
    /// Cargo can't be run, or its answer isn't the documented one.
    pub fn load() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask lies at the root of the file system")?;
        let answer = process::output(
            process::cargo()
                .args(["metadata", "--no-deps", "--format-version", "1"])
                .current_dir(root),
        )?;
        Self::parse(&serde_json::from_str(&answer).context("cargo metadata")?)
    }

    fn parse(metadata: &Value) -> Result<Self> {
        let path = |key: &str| {
            metadata
                .get(key)
                .and_then(Value::as_str)
                .map(PathBuf::from)
                .with_context(|| format!("cargo metadata has no {key}"))
        };
        let root = path("workspace_root")?;
        let packages = metadata
            .get("packages")
            .and_then(Value::as_array)
            .context("cargo metadata has no packages")?
            .iter()
            .map(|package| Package::parse(package, &root))
            .collect::<Result<_>>()?;
        Ok(Self {
            target: path("target_directory")?,
            packages,
            root,
        })
    }

    /// Where the built components lie; `spin.toml` names the same folder.
    pub fn wasm(&self) -> PathBuf {
        self.root.join("target/wasm32-wasip2/release")
    }

    /// Where cargo leaves a native program of the dev profile.
    pub fn program(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// Whether there is a package of that name.
    pub fn has(&self, name: &str) -> bool {
        self.packages.iter().any(|package| package.name == name)
    }

    /// The package that builds the component of that file stem.
    pub fn component(&self, stem: &str) -> Option<&Package> {
        self.packages
            .iter()
            .find(|package| package.component.as_deref() == Some(stem))
    }
}

impl Package {
    fn parse(package: &Value, root: &Path) -> Result<Self> {
        let name = package
            .get("name")
            .and_then(Value::as_str)
            .context("a package without a name")?
            .to_owned();
        let folder = package
            .get("manifest_path")
            .and_then(Value::as_str)
            .and_then(|path| Path::new(path).parent())
            .and_then(|folder| folder.strip_prefix(root).ok())
            .with_context(|| format!("package {name} lies outside the workspace"))?
            .to_owned();
        let component = package
            .get("targets")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .find(|target| {
                target
                    .get("crate_types")
                    .and_then(Value::as_array)
                    .is_some_and(|types| types.iter().any(|kind| kind == "cdylib"))
            })
            .and_then(|target| target.get("name")?.as_str())
            .map(|name| name.replace('-', "_"));
        Ok(Self {
            name,
            folder,
            component,
        })
    }
}
