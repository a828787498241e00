//! Building the WebAssembly components.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::manifest::Manifest;
use crate::process;
use crate::toolchain::{Choice, Toolchain};
use crate::workspace::Workspace;

/// The most a component may weigh, in bytes. Edge platforms load it on the
/// first request, so size is latency.
const SIZE_LIMIT: u64 = 1_200_000;

/// Prepares a toolchain and builds the components of `spin.toml`.
///
/// # Errors
/// No toolchain, no manifest, a build fails, or a component is too large.
pub fn build(choice: Choice, test_components: bool) -> Result<()> {
    let workspace = Workspace::load()?;
    let manifest = Manifest::load(&workspace.root)?;
    let toolchain = Toolchain::prepare(choice)?;
    build_application(&workspace, &manifest, &toolchain)?;
    if test_components {
        build_for_tests(&workspace, &manifest, &toolchain)?;
    }
    Ok(())
}

/// Builds what `spin.toml` serves.
///
/// # Errors
/// A source that no package builds, a failing build, or a component above the limit.
pub fn build_application(
    workspace: &Workspace,
    manifest: &Manifest,
    toolchain: &Toolchain,
) -> Result<()> {
    let mut stems = Vec::new();
    for component in &manifest.components {
        let source = Path::new(&component.source);
        let folder = source.parent().map(|folder| workspace.root.join(folder));
        if folder.as_deref() != Some(workspace.wasm().as_path()) {
            bail!(
                "[component.{}] is served from {}, outside target/wasm32-wasip2/release",
                component.id,
                component.source
            );
        }
        let stem = source
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        if !stems.contains(&stem) {
            stems.push(stem);
        }
    }
    let sizes = build_components(workspace, toolchain, &stems)?;
    let heavy: Vec<&str> = sizes
        .iter()
        .filter(|(_, size)| *size > SIZE_LIMIT)
        .map(|(stem, _)| stem.as_str())
        .collect();
    if !heavy.is_empty() {
        bail!(
            "above the limit of {} a component: {}",
            bytes(SIZE_LIMIT),
            heavy.join(", ")
        );
    }
    Ok(())
}

/// Builds the components of the workspace that `spin.toml` doesn't serve: the
/// probes and baselines of tests and measurements. In a build of its own, so
/// that their features don't leak into what ships.
///
/// # Errors
/// A failing build.
pub fn build_for_tests(
    workspace: &Workspace,
    manifest: &Manifest,
    toolchain: &Toolchain,
) -> Result<()> {
    let served = |stem: &str| {
        manifest.components.iter().any(|component| {
            Path::new(&component.source)
                .file_stem()
                .and_then(|stem| stem.to_str())
                == Some(stem)
        })
    };
    let stems: Vec<&str> = workspace
        .packages
        .iter()
        .filter_map(|package| package.component.as_deref())
        .filter(|stem| !served(stem))
        .collect();
    build_components(workspace, toolchain, &stems)?;
    Ok(())
}

/// Builds the components of those file stems and puts them where `spin.toml`
/// and the tests look for them. Returns their sizes in bytes.
fn build_components(
    workspace: &Workspace,
    toolchain: &Toolchain,
    stems: &[&str],
) -> Result<Vec<(String, u64)>> {
    if stems.is_empty() {
        return Ok(Vec::new());
    }
    let mut command = toolchain.cargo(workspace, "build");
    for stem in stems {
        let package = workspace
            .component(stem)
            .with_context(|| format!("no package of the workspace builds {stem}.wasm"))?;
        command.args(["--package", &package.name]);
    }
    process::run(&mut command)?;

    let mut sizes = Vec::new();
    for stem in stems {
        let path = publish(workspace, toolchain, stem)?;
        let size = path.metadata()?.len();
        eprintln!("{:>11}  {stem}.wasm", bytes(size));
        sizes.push(((*stem).to_owned(), size));
    }
    Ok(sizes)
}

/// Copies a built component from cargo's folder to the workspace's, when they differ.
fn publish(workspace: &Workspace, toolchain: &Toolchain, stem: &str) -> Result<PathBuf> {
    let file = format!("{stem}.wasm");
    let built = toolchain.output(workspace).join(&file);
    let published = workspace.wasm().join(&file);
    if built != published {
        fs::create_dir_all(workspace.wasm())?;
        // Removed first: cargo's own file there is a hard link into its cache,
        // and writing through it would corrupt what cargo believes it built.
        if published.exists() {
            fs::remove_file(&published)?;
        }
        fs::copy(&built, &published).with_context(|| {
            format!("can't copy {} to {}", built.display(), published.display())
        })?;
    }
    Ok(published)
}

/// A number of bytes with its thousands apart, as in `1,200,000 B`.
fn bytes(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + " B"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_thousands() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1,000 B"),
            (1_200_000, "1,200,000 B"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }
}
