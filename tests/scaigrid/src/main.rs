//! The emulator as a program of its own.

use std::io::Write;
use std::net::SocketAddr;

use clap::Parser;
use scaigrid_emulator::{Behaviour, Emulator, Jwt, Options};

/// An emulator of ScaiGrid for development and tests.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Accept ScaiKey tokens under the keys at this plain-http address.
    #[arg(long)]
    jwks: Option<String>,
    /// An audience to accept in them; may be repeated. None: all.
    #[arg(long = "audience", requires = "jwks")]
    audiences: Vec<String>,
    /// Serve /_emulator/… (steering over HTTP).
    #[arg(long)]
    control: bool,
    /// Count no calls.
    #[arg(long)]
    no_rate_limits: bool,
    /// Stop when standard input closes.
    #[arg(long)]
    exit_with_parent: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut behaviour = Behaviour::default();
    if arguments.no_rate_limits {
        behaviour.rate_limits = None;
    }
    let emulator = Emulator::start(Options {
        listen: arguments.listen,
        jwt: arguments.jwks.map_or(Jwt::Refused, |url| Jwt::Jwks {
            url,
            audiences: arguments.audiences,
        }),
        control: arguments.control,
        behaviour,
        ..Options::default()
    })
    .await?;
    // The first line is for programs, the rest for people.
    println!("{}", emulator.base_url());
    for key in &emulator.grid().keys {
        let note = match (key.is_revoked, key.expires_at, &key.scopes) {
            (true, ..) => "  revoked",
            (_, Some(_), _) => "  expired",
            (.., Some(_)) => "  narrowed",
            _ => "",
        };
        println!("  {}  {}  {}{note}", key.key, key.tenant_id, key.user_id);
    }
    std::io::stdout().flush()?;
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended?,
        () = terminated() => {}
        () = parent_gone(), if arguments.exit_with_parent => {}
    }
    emulator.stop().await;
    Ok(())
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

/// Standard input is read on a thread of its own: a pending read there must not delay the exit.
async fn parent_gone() {
    let (closed, wait) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // An unreadable input counts as closed.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = closed.send(());
    });
    let _ = wait.await;
}
