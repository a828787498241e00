//! Dependencies point one way: component → flow → pure crates and `kv` → types.
//!
//! The rules are the two tables below; a new crate of `crates/` takes its place
//! in `LAYERS` with the change that adds it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test: it stops at the first thing that isn't as cargo documents it, and cargo says in the environment where it is"
)]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Folder → folders its packages may depend on. A folder ending in `/` stands
/// for everything below it. The longest matching row counts.
const LAYERS: &[(&str, &[&str])] = &[
    // The vocabulary knows nobody.
    ("crates/types", &[]),
    // Pure: protocols and rules. They may know each other (cargo refuses circles), but no store.
    ("crates/problem", &["crates/types"]),
    ("crates/jose", &["crates/types", "crates/problem"]),
    (
        "crates/scaikey",
        &["crates/types", "crates/problem", "crates/jose"],
    ),
    (
        "crates/scaigrid",
        &["crates/types", "crates/problem", "crates/jose"],
    ),
    // The description of every route: nobody who serves one knows it.
    ("crates/openapi", &["crates/types", "crates/problem"]),
    // State.
    ("kv", &["crates/types", "crates/problem"]),
    // Flows: async over ports.
    (
        "crates/signin",
        &[
            "crates/types",
            "crates/problem",
            "crates/jose",
            "crates/scaikey",
            "kv",
        ],
    ),
    (
        "crates/directory",
        &[
            "crates/types",
            "crates/problem",
            "crates/scaikey",
            "crates/signin",
            "kv",
        ],
    ),
    (
        "crates/limits",
        &[
            "crates/types",
            "crates/problem",
            "crates/jose",
            "crates/signin",
            "kv",
        ],
    ),
    ("crates/audit", &["crates/types", "crates/jose", "kv"]),
    (
        "crates/flows",
        &[
            "crates/types",
            "crates/problem",
            "crates/jose",
            "crates/proxy",
            "crates/scaigrid",
            "crates/signin",
            "kv",
        ],
    ),
    (
        "crates/proxy",
        &[
            "crates/types",
            "crates/problem",
            "crates/jose",
            "crates/scaigrid",
            "crates/scaikey",
            "crates/signin",
            "kv",
        ],
    ),
    (
        "crates/console",
        &[
            "crates/types",
            "crates/problem",
            "crates/jose",
            "crates/signin",
        ],
    ),
    // What works: judges every other flow's settings and reads its state.
    (
        "crates/health",
        &[
            "crates/types",
            "crates/problem",
            "crates/jose",
            "crates/scaikey",
            "crates/directory",
            "crates/limits",
            "crates/proxy",
            "crates/signin",
            "kv",
        ],
    ),
    // WebAssembly: the adapters, then the components, which don't know each other.
    ("components/runtime", &["crates/", "kv"]),
    ("components/", &["components/runtime", "crates/", "kv"]),
    // Outside: what runs, drives and checks the rest. Nobody above may know it.
    ("host", &[]),
    ("host/", &["crates/", "kv"]),
    ("cli", &["crates/", "kv"]),
    ("tests/emulation", &[]),
    ("tests/scaikey", &["tests/emulation"]),
    ("tests/scaigrid", &["tests/emulation"]),
    ("tests/simulated", &["crates/types"]),
    ("tests/", &["crates/", "kv", "host", "tests/"]),
    // It reads what the components read, and so what they have around them.
    (
        "tests/fuzz",
        &["crates/", "kv", "components/runtime", "host"],
    ),
    ("tests/fuzz/", &["tests/fuzz"]),
    ("tests/floor", &["components/runtime"]),
    ("xtask", &[]),
];

/// Foreign crates, the folders that may depend on them, and why nobody else may.
/// Development dependencies are free, but for those named in `NEVER_IN_TESTS`.
const FOREIGN: &[(&[&str], &[&str], &str)] = &[
    (
        &["spin-sdk", "wasip2", "wasip3", "wit-bindgen"],
        &[
            "components/",
            "kv",
            "host/",
            "tests/empty",
            "tests/contract",
            "tests/fuzz/",
        ],
        "only components, kv and the test components speak to Spin",
    ),
    (
        &["wasmtime", "wasmtime-wasi", "wasmtime-wasi-http"],
        &["host", "host/", "tests/", "xtask"],
        "only the runner knows a WebAssembly engine",
    ),
    (
        // In kv for its stores in memory, an optional dependency outside WebAssembly.
        &["rusqlite"],
        &["kv", "host", "host/", "cli", "tests/"],
        "only kv and what runs outside WebAssembly knows a database driver",
    ),
    (
        &[
            "tokio",
            "hyper",
            "hyper-util",
            "reqwest",
            "async-std",
            "smol",
        ],
        &["host", "host/", "cli", "tests/", "xtask"],
        "flows run on Spin's executor; pure crates do no input or output",
    ),
    (
        &["getrandom", "rand", "rand_core", "fastrand"],
        &["host", "host/", "cli", "tests/", "xtask"],
        "randomness comes in through the `Entropy` port",
    ),
    (
        &["time", "chrono", "coarsetime", "web-time"],
        &["host", "host/", "cli", "tests/", "xtask"],
        "the time comes in through the `Clock` port",
    ),
    (
        &["anyhow", "eyre"],
        &["host", "host/", "cli", "tests/", "xtask"],
        "failures of the product are closed enums that map to an answer",
    ),
];

/// A host test that calls one of these aborts its whole process.
const NEVER_IN_TESTS: &[&str] = &["spin-sdk", "wasip2", "wasip3"];

#[derive(Debug, PartialEq)]
enum Kind {
    Shipped,
    Development,
}

struct Dependency {
    name: String,
    /// The folder, for a package of this workspace.
    folder: Option<String>,
    kind: Kind,
}

struct Package {
    folder: String,
    dependencies: Vec<Dependency>,
}

#[test]
fn dependencies_point_one_way() {
    let mut broken = Vec::new();
    for package in packages() {
        let Some(allowed) = row(&package.folder) else {
            broken.push(format!("{}: has no place in LAYERS", package.folder));
            continue;
        };
        for dependency in shipped(&package) {
            if let Some(folder) = &dependency.folder
                && !allowed.iter().any(|pattern| matches(pattern, folder))
            {
                broken.push(format!(
                    "{} → {folder}: may only use {allowed:?}",
                    package.folder
                ));
            }
        }
    }
    report(
        &broken,
        "component → flow → pure crates and kv → types, never the other way",
    );
}

#[test]
fn each_foreign_crate_stays_where_it_belongs() {
    let mut broken = Vec::new();
    for package in packages() {
        for (names, folders, why) in FOREIGN {
            if folders
                .iter()
                .any(|pattern| matches(pattern, &package.folder))
            {
                continue;
            }
            for dependency in shipped(&package) {
                if names.contains(&dependency.name.as_str()) {
                    broken.push(format!("{} → {}: {why}", package.folder, dependency.name));
                }
            }
        }
    }
    report(&broken, "each foreign crate has its place; see FOREIGN");
}

#[test]
fn native_tests_never_name_the_sdk() {
    let mut broken = Vec::new();
    for package in packages() {
        for dependency in &package.dependencies {
            if dependency.kind == Kind::Development
                && NEVER_IN_TESTS.contains(&dependency.name.as_str())
            {
                broken.push(format!("{} → {}", package.folder, dependency.name));
            }
        }
    }
    report(
        &broken,
        "calling the SDK outside WebAssembly aborts the test process",
    );
}

#[test]
fn the_longest_row_counts() {
    assert_eq!(
        row("components/runtime"),
        Some(["crates/", "kv"].as_slice())
    );
    assert_eq!(
        row("components/session").unwrap().first(),
        Some(&"components/runtime")
    );
    assert_eq!(row("crates/unheard-of"), None);
    assert!(
        !matches("kv", "kv2") && !matches("host", "host/probe") && matches("host/", "host/probe")
    );
}

fn shipped(package: &Package) -> impl Iterator<Item = &Dependency> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == Kind::Shipped)
}

fn row(folder: &str) -> Option<&'static [&'static str]> {
    LAYERS
        .iter()
        .filter(|(pattern, _)| matches(pattern, folder))
        .max_by_key(|(pattern, _)| pattern.len())
        .map(|(_, allowed)| *allowed)
}

/// A pattern ending in `/` stands for the folders below, any other for itself.
fn matches(pattern: &str, folder: &str) -> bool {
    if pattern.ends_with('/') {
        folder.starts_with(pattern)
    } else {
        folder == pattern
    }
}

fn report(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}\n  {}", broken.join("\n  "));
}

fn packages() -> Vec<Package> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(&root)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let folder_of = |path: &Path| {
        let folder = path
            .strip_prefix(&root)
            .unwrap_or_else(|_| panic!("{} lies outside", path.display()));
        folder.to_str().unwrap().to_owned()
    };
    list(&metadata, "packages")
        .map(|package| Package {
            folder: folder_of(
                Path::new(text(package, "manifest_path").unwrap())
                    .parent()
                    .unwrap(),
            ),
            dependencies: list(package, "dependencies")
                .map(|dependency| Dependency {
                    name: text(dependency, "name").unwrap().to_owned(),
                    folder: text(dependency, "path").map(|path| folder_of(Path::new(path))),
                    kind: match text(dependency, "kind") {
                        Some("dev") => Kind::Development,
                        _ => Kind::Shipped,
                    },
                })
                .collect(),
        })
        .collect()
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).unwrap().iter()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}
