//! What the tests of the console need beside Rust: Chromium with its driver, and axe-core.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::debian;
use crate::process;
use crate::workspace::Workspace;

/// Program, and the package of Debian that brings it.
const PROGRAMS: [(&str, &str); 3] = [
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("npm", "npm"),
];

/// What looks for what keeps people out of a page (MPL-2.0, used unchanged and only here).
const AXE: &str = "axe-core@4.14.1";

/// Finds them, installing what is missing, and says what it does. The tests of the console are no less
/// tests than the others: without a browser they fail.
///
/// # Errors
/// Something can't be had; the message says what was tried and what would help.
pub fn prepare(workspace: &Workspace) -> Result<()> {
    let missing: Vec<String> = PROGRAMS
        .iter()
        .filter(|(program, _)| process::find_on_path(program).is_none())
        .map(|(_, package)| (*package).to_owned())
        .collect();
    if !missing.is_empty() {
        debian::install("tests of the console", &missing).with_context(|| {
            let programs = PROGRAMS.map(|(program, _)| program).join(", ");
            format!("the tests of the console need {programs} on the PATH")
        })?;
    }
    for (program, package) in PROGRAMS {
        if process::find_on_path(program).is_none() {
            bail!("tests of the console: {package} is installed, but {program} is not on the PATH");
        }
    }
    let driver = process::output(Command::new("chromedriver").arg("--version"))?;
    let driver = driver.split(" (").next().unwrap_or_default();
    eprintln!("tests of the console: {driver}, {AXE}");
    axe(&workspace.target.join("axe-core"))
}

/// axe-core of the version above, from npm's registry, in a folder of its own.
fn axe(folder: &Path) -> Result<()> {
    let package = folder.join("node_modules/axe-core");
    let version = AXE.split_once('@').map_or("", |(_, version)| version);
    let is_there = std::fs::read_to_string(package.join("package.json"))
        .is_ok_and(|text| text.contains(&format!("\"version\": \"{version}\"")));
    if is_there {
        return Ok(());
    }
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    eprintln!(
        "tests of the console: installing {AXE} into {}",
        folder.display()
    );
    process::output(
        Command::new("npm")
            .args([
                "install",
                "--no-save",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--prefix",
            ])
            .arg(folder)
            .arg(AXE),
    )
    .with_context(|| format!("by hand: npm install --prefix {} {AXE}", folder.display()))?;
    Ok(())
}
