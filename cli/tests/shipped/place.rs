//! A running scaigate, and a folder whose command knows it.

use std::time::{SystemTime, UNIX_EPOCH};

use scaigate_e2e::{Setup, World, emulator::seed, set_scopes};

use crate::bench::{Bench, Ran};

/// The scopes with which the application may be used by an operator.
const SCOPES: &str = "openid profile email groups offline_access users:read groups:read admin:read \
                      admin:write";

/// A world whose time is the machine's, as the command signs with that, and whose application may
/// be used to administer it.
pub async fn world() -> World {
    let world = World::with(Setup::default()).await;
    #[expect(
        clippy::disallowed_methods,
        reason = "the command's clock is the machine's"
    )]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    world.clock.set_wall(now.as_secs());
    set_scopes(&mut world.scaikey.directory(), SCOPES);
    world
}

/// The operator's folder: the command gets its token by the application's credentials.
pub fn operator(world: &World) -> Bench {
    Bench::new()
        .with("PUBLIC_URL", &world.url)
        .with("SCAIKEY_BASE_URL", &world.scaikey.base_url())
        .with("SCAIFLOW_SCAIKEY_CLIENT_ID", seed::CLIENT_ID)
        .with("SCAIFLOW_SCAIKEY_CLIENT_SECRET", seed::CLIENT_SECRET)
}

/// Runs the command; nothing that is secret in this world is printed.
pub fn run(world: &World, bench: &Bench, line: &str) -> Ran {
    run_with_input(world, bench, line, "")
}

/// The same with something on its standard input.
pub fn run_with_input(world: &World, bench: &Bench, line: &str, input: &str) -> Ran {
    let ran = tokio::task::block_in_place(|| bench.run_with_input(line, input));
    for printed in [&ran.stdout, &ran.stderr] {
        world.canaries.check(&format!("`scaigate {line}`"), printed);
    }
    ran
}

/// Runs the command while something else happens.
pub fn run_beside<T>(bench: &Bench, line: &str, beside: impl Future<Output = T>) -> (Ran, T) {
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let running = scope.spawn(|| bench.run(line));
            let happened = tokio::runtime::Handle::current().block_on(beside);
            (running.join().unwrap(), happened)
        })
    })
}
