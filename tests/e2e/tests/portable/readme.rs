//! The README's sign-in, run as it stands.

use std::process::Command;

use scaigate_e2e::World;

const MARKER: &str = "<!-- run by tests/e2e: readme -->";

/// The first `sh` block behind the marker.
fn commands() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(path).expect("README.md");
    let (_, rest) = readme.split_once(MARKER).expect("the marker");
    let (_, rest) = rest.split_once("```sh\n").expect("a block of commands");
    rest.split_once("\n```").expect("its end").0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_s_commands_sign_alice_in() {
    let world = World::start().await;
    let written = "http://127.0.0.1:3000";
    let commands = commands();
    assert!(commands.contains(written), "{commands}");
    let commands = commands.replace(written, &world.url);
    let folder = std::env::temp_dir().join(format!(
        "scaigate-readme-{}-{}",
        std::process::id(),
        world.url.rsplit(':').next().unwrap_or_default()
    ));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let run = {
        let folder = folder.clone();
        tokio::task::spawn_blocking(move || {
            Command::new("bash")
                .args(["-euo", "pipefail", "-c", &commands])
                .current_dir(folder)
                .output()
        })
    };
    let output = run.await.expect("no panic").expect("bash");
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    let session: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stdout)));
    let me = world
        .client
        .get("/v1/me", session["access_token"].as_str())
        .await;
    assert_eq!(me.status, 200, "{}", me.text());
    assert_eq!(me.json()["email"], "alice@acme.example");
}
