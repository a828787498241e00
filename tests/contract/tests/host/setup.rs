//! Hosts with the component in them, each with state of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use scaigate_host::{Choice, Faults, Host, HostOptions, ReuseOptions};

/// The application under test, as it would be given to `spin up`.
fn manifest() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let component = folder.join("../../target/wasm32-wasip2/release/scaigate_contract.wasm");
    assert!(
        component.exists(),
        "target/wasm32-wasip2/release/scaigate_contract.wasm is missing: \
         run `cargo xtask build --test-components`"
    );
    folder.join("spin.toml")
}

/// Spin's defaults, with instances that stay however slow the machine is.
pub fn reusing() -> ReuseOptions {
    ReuseOptions {
        idle_timeout: Choice::Exactly(Duration::from_secs(3600)),
        ..ReuseOptions::default()
    }
}

pub async fn host(reuse: ReuseOptions, faults: Faults) -> Host {
    let options = HostOptions {
        reuse,
        faults,
        cache: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("code")),
        ..HostOptions::new(manifest())
    };
    Host::start(options).await.expect("the host starts")
}
