//! `scaigate-host`: serves a `spin.toml` where there is no Spin.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use scaigate_host::{
    Choice, Host, HostOptions, LogSink, ReuseOptions, State, variables_from_environment,
};
use tokio::signal::unix::{SignalKind, signal};

/// Serves the application of a spin.toml.
#[derive(Parser)]
struct Arguments {
    /// The manifest.
    #[arg(long, short = 'f', default_value = "spin.toml")]
    manifest: PathBuf,
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// A variable's value, before one of SPIN_VARIABLE_*. May be given again.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// Where to keep key-value pairs and databases; by default nowhere.
    #[arg(long, value_name = "DIRECTORY")]
    state_dir: Option<PathBuf>,
    /// Where to keep compiled code.
    #[arg(long, value_name = "DIRECTORY")]
    cache_dir: Option<PathBuf>,
    /// Print neither the components' output nor the routes.
    #[arg(long)]
    quiet: bool,
    /// Requests an instance answers before it is dropped.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(Choice<usize>))]
    max_instance_reuse_count: Option<Choice<usize>>,
    /// Requests an instance answers at the same time.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(Choice<usize>))]
    max_instance_concurrent_reuse_count: Option<Choice<usize>>,
    /// How long an instance waits for another request.
    #[arg(long, value_name = "DURATION", value_parser = clap::value_parser!(Choice<Duration>))]
    idle_instance_timeout: Option<Choice<Duration>>,
    /// How long a request may take.
    #[arg(long, value_name = "DURATION", value_parser = clap::value_parser!(Choice<Duration>))]
    request_timeout: Option<Choice<Duration>>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("expected NAME=VALUE".to_owned()),
    }
}

fn options(arguments: &Arguments) -> anyhow::Result<HostOptions> {
    let mut variables: BTreeMap<String, String> = variables_from_environment(&arguments.manifest)?;
    variables.extend(arguments.variables.iter().cloned());
    let default = ReuseOptions::default();
    Ok(HostOptions {
        listen: arguments.listen,
        listener: None,
        variables,
        state: arguments
            .state_dir
            .clone()
            .map_or(State::Temporary, State::Directory),
        logs: if arguments.quiet {
            LogSink::discard()
        } else {
            LogSink::echo()
        },
        cache: arguments.cache_dir.clone(),
        reuse: ReuseOptions {
            max_reuse_count: arguments
                .max_instance_reuse_count
                .unwrap_or(default.max_reuse_count),
            max_concurrent_reuse_count: arguments
                .max_instance_concurrent_reuse_count
                .unwrap_or(default.max_concurrent_reuse_count),
            idle_timeout: arguments
                .idle_instance_timeout
                .unwrap_or(default.idle_timeout),
            request_timeout: arguments.request_timeout,
        },
        ..HostOptions::new(&arguments.manifest)
    })
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    // Before anything that takes time: a signal meanwhile is not lost.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let host = Host::start(options(&arguments)?).await?;
    if !arguments.quiet {
        let mut out = std::io::stdout().lock();
        writeln!(out, "Serving {}", host.url())?;
        for (route, component) in host.routes() {
            writeln!(out, "  {component}: {}{route}", host.url())?;
        }
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    host.stop().await;
    Ok(())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(arguments)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nowhere else to say it.
            let _ = writeln!(std::io::stderr().lock(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
