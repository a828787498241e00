//! Hosts with the probes in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use scaigate_host::{Host, HostOptions};

/// Two copies of the probe, one of them private, the probe of WASI 0.2, and every grant they need.
/// `UPSTREAM` becomes the address of a test's own server.
pub const MANIFEST: &str = r#"
spin_manifest_version = 2

[application]
name = "probe"
version = "1.2.3"

[variables]
upstream = { default = "http://127.0.0.1:1" }
optional = { default = "" }
plain = { default = "default" }
key = { default = "hidden", secret = true }

[[trigger.http]]
route = "/probe/..."
component = "probe"

[[trigger.http]]
route = "/users/:user_id/..."
component = "probe"

[[trigger.http]]
route = { private = true }
component = "inner"

[[trigger.http]]
route = "/older/..."
component = "older"

[component.probe]
source = "PROBE"
key_value_stores = ["default"]
sqlite_databases = ["default"]
allowed_outbound_hosts = [
    "{{ upstream }}",
    "https://{{ optional }}",
    "http://inner.spin.internal",
    "http://older.spin.internal",
    "http://localhost:1",
    "http://self",
]
environment = { GREETING = "hello" }

[component.probe.variables]
plain = "{{ plain }}"
joined = "{{ plain }}-{{ key }}"

[component.inner]
source = "PROBE"

[component.older]
source = "OLDER"
allowed_outbound_hosts = [
    "{{ upstream }}",
    "https://{{ optional }}",
    "http://inner.spin.internal",
    "http://localhost:1",
]
environment = { GREETING = "hello" }
"#;

/// Where the built components are.
pub fn wasm_directory() -> PathBuf {
    match std::env::var_os("SCAIGATE_WASM_DIR") {
        Some(directory) => directory.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/wasm32-wasip2/release"),
    }
}

fn built(package: &str) -> PathBuf {
    let file = wasm_directory().join(format!("{}.wasm", package.replace('-', "_")));
    assert!(
        file.exists(),
        "{} is missing: run `cargo xtask test`, or build it with \
         `cargo build --release --target wasm32-wasip2 -p {package}`",
        file.display()
    );
    file
}

pub fn probe() -> PathBuf {
    built("scaigate-host-probe")
}

/// Writes a manifest to a file of its own.
pub fn manifest(text: &str) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("spin-{}-{number}.toml", std::process::id()));
    let mut text = text.to_owned();
    for (name, package) in [
        ("PROBE", "scaigate-host-probe"),
        ("OLDER", "scaigate-host-probe-p2"),
    ] {
        text = text.replace(name, &built(package).display().to_string());
    }
    fs::write(&file, text).expect("writing a manifest");
    file
}

/// Where compiled code is kept.
pub fn code_cache() -> Option<PathBuf> {
    Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("code"))
}

pub fn options(manifest_text: &str) -> HostOptions {
    HostOptions {
        cache: code_cache(),
        ..HostOptions::new(manifest(manifest_text))
    }
}

pub async fn start(options: HostOptions) -> Host {
    Host::start(options).await.expect("the host starts")
}

pub async fn host() -> Host {
    start(options(MANIFEST)).await
}
