//! The emulator as a program of its own.

use std::io::Write;
use std::net::SocketAddr;

use clap::Parser;
use scaikey_emulator::{Behaviour, Emulator, Options, seed};

/// An emulator of ScaiKey for development and tests.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A redirect URI of the seeded clients; may be repeated.
    #[arg(long = "redirect-uri")]
    redirect_uris: Vec<String>,
    /// An address that end-session may send the browser to; may be repeated.
    #[arg(long = "post-logout-uri")]
    post_logout_redirect_uris: Vec<String>,
    /// The address it calls itself by, when that is not the listening address.
    #[arg(long)]
    public_url: Option<String>,
    /// Serve /_emulator/… (steering over HTTP).
    #[arg(long)]
    control: bool,
    /// Sign in the person of `login_hint` without a login page.
    #[arg(long)]
    auto_login: bool,
    /// Serve /.well-known/openid-configuration too.
    #[arg(long)]
    plain_discovery: bool,
    /// Accept grant_type=password.
    #[arg(long)]
    password_grant: bool,
    /// A large directory with this many people instead of the seeded one.
    #[arg(long)]
    users: Option<usize>,
    /// Its groups [default: one for fifty people].
    #[arg(long, requires = "users")]
    groups: Option<usize>,
    /// Its direct memberships [default: four for each person].
    #[arg(long, requires = "users")]
    memberships: Option<usize>,
    /// Its tenants.
    #[arg(long, requires = "users", default_value_t = 4)]
    tenants: usize,
    /// Stop when standard input closes.
    #[arg(long)]
    exit_with_parent: bool,
}

/// So many people are printed.
const SHOWN: usize = 50;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let directory = arguments.users.map(|users| {
        let groups = arguments.groups.unwrap_or(users.div_ceil(50));
        let memberships = arguments.memberships.unwrap_or(users.saturating_mul(4));
        seed::large(users, groups, memberships, arguments.tenants)
    });
    let emulator = Emulator::start(Options {
        directory,
        listen: arguments.listen,
        redirect_uris: arguments.redirect_uris,
        post_logout_redirect_uris: arguments.post_logout_redirect_uris,
        public_url: arguments.public_url,
        control: arguments.control,
        behaviour: Behaviour {
            auto_login: arguments.auto_login,
            plain_discovery: arguments.plain_discovery,
            password_grant: arguments.password_grant,
            ..Behaviour::default()
        },
        ..Options::default()
    })
    .await?;
    // The first line is for programs, the rest for people.
    println!("{}", emulator.base_url());
    println!("client:   {} / {}", seed::CLIENT_ID, seed::CLIENT_SECRET);
    println!("spa:      {}", seed::SPA_CLIENT_ID);
    println!(
        "service:  {} / {}",
        seed::SERVICE_CLIENT_ID,
        seed::SERVICE_CLIENT_SECRET
    );
    println!("password: {}", seed::PASSWORD);
    print_people(&emulator);
    std::io::stdout().flush()?;
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended?,
        () = terminated() => {}
        () = parent_gone(), if arguments.exit_with_parent => {}
    }
    emulator.stop().await;
    Ok(())
}

fn print_people(emulator: &Emulator) {
    let directory = emulator.directory();
    for user in directory.users.iter().take(SHOWN) {
        let role = user
            .role
            .map_or(String::new(), |role| format!("  {role:?}"));
        println!("  {:<26} {}{role}", user.email, user.id);
    }
    if let Some(more) = directory.users.len().checked_sub(SHOWN).filter(|n| *n > 0) {
        println!("  and {more} more");
    }
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
