//! What is refused at the start.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use scaigate_host::{Host, HostOptions};

use crate::setup::{MANIFEST, host, manifest, options};

async fn refusal(options: HostOptions) -> String {
    match Host::start(options).await {
        Ok(_) => panic!("the host started"),
        Err(error) => format!("{error:#}"),
    }
}

#[tokio::test]
async fn refuses_manifests_by_name() {
    for (from, to, named) in [
        (
            "key_value_stores = [\"default\"]",
            "files = [\"x\"]",
            "files",
        ),
        ("PROBE", "missing.wasm", "missing.wasm"),
        ("{ default = \"default\" }", "{ required = true }", "plain"),
        (
            "\"http://self\"",
            "\"http://self/path\"",
            "http://self/path",
        ),
        ("\"{{ plain }}\"", "\"{{ other }}\"", "other"),
        ("/probe/...", "/probe/:/...", "/probe/:"),
    ] {
        let text = MANIFEST.replacen(from, to, 1);
        assert_ne!(text, MANIFEST, "{from}");
        let message = refusal(options(&text)).await;
        assert!(message.contains(named), "{to}: {message}");
    }
}

#[tokio::test]
async fn refuses_what_is_no_http_component() {
    let file = manifest(&MANIFEST.replace("PROBE", file!()));
    let message = refusal(HostOptions::new(file)).await;
    assert!(message.contains("component"), "{message}");
}

#[tokio::test]
async fn names_an_address_in_use() {
    let running = host().await;
    let mut options = options(MANIFEST);
    options.listen = running.address();
    let message = refusal(options).await;
    assert!(
        message.contains(&running.address().to_string()),
        "{message}"
    );
    assert!(message.contains("already in use"), "{message}");
}

#[tokio::test]
async fn refuses_a_code_cache_others_can_write_to() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("open");
    std::fs::create_dir_all(&directory).expect("a directory");
    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o777))
        .expect("permissions");
    let mut options = options(MANIFEST);
    options.cache = Some(directory);
    // Compiled once per process: another component than the other tests load.
    let wasm = std::fs::read(crate::setup::probe()).expect("the probe");
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("copy.wasm");
    // An empty custom section named "x" at the end.
    let changed: Vec<u8> = wasm.into_iter().chain([0, 2, 1, b'x']).collect();
    std::fs::write(&copy, changed).expect("a copy");
    let text = MANIFEST.replace("PROBE", &copy.display().to_string());
    options.manifest = manifest(&text);
    let message = refusal(options).await;
    assert!(message.contains("somebody else"), "{message}");
}
