//! A world for a tool from outside, such as a fuzzer: prints an address and a super admin's token, and ends
//! with its input.
//!
//! `SCAIGATE_WASM_DIR=… cargo run -p scaigate-e2e --example serve`

use std::io::Read as _;

use scaigate_e2e::{Setup, World};

const BOB: &str = "bob@acme.example";

#[tokio::main]
async fn main() {
    let setup = Setup::default().variable("session_ttl_seconds", "3600");
    let world = World::with(setup.scaigrid()).await;
    world.sync().await;
    world.sign_in(BOB).await;
    world.sql(
        "UPDATE person SET admin_role = 'super_admin', admin_role_source = 'manual' WHERE email = ?1",
        &[BOB],
    );
    let session = world.sign_in(BOB).await;
    println!(
        "{}\n{}",
        world.url,
        session["access_token"].as_str().expect("a token")
    );
    let end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    end.await.expect("no panic").expect("input");
}
