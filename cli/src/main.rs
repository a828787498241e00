//! `scaigate`: administers scaigate from a shell, by way of its address or on its database file.
//!
//! Nothing that a server says is trusted: it is bounded, read once, and printed without what a
//! terminal would obey. No secret is printed, whoever sends it back.

mod admin;
mod api;
mod arguments;
mod audit;
mod doctor;
mod dotenv;
mod environment;
mod exit;
mod failure;
mod http_client;
mod output;
mod private_file;
mod progress;
mod register;
mod scaikey;
mod secrets;
mod settings;
mod sync;
mod table;
mod terminal;
mod webhooks;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::arguments::{Arguments, Command};
use crate::failure::Failure;
use crate::http_client::HttpClient;
use crate::output::Report;
use crate::settings::Settings;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.common.json;
    output::outcome(run(arguments), json).into()
}

fn run(arguments: Arguments) -> Result<Report, Failure> {
    let common = arguments.common;
    let http = HttpClient::new(common.ca_file.as_deref())?;
    let settings = Settings::new(common.env_file, common.insecure_http);
    match arguments.command {
        Command::Admin(command) => admin::run(command, &http, &settings),
        Command::Audit(command) => audit::run(&command, &http, &settings),
        Command::Sync(command) => sync::run(&command, &http, &settings),
        Command::Doctor(command) => doctor::run(&command, &http, &settings),
        Command::ScaikeyRegister(command) => register::run(&command, &http, &settings),
        Command::Webhooks(command) => webhooks::run(&command, &http, &settings),
        Command::Completions { shell } => {
            let script = completions(shell);
            Ok(Report::done(script.clone(), script.into()))
        }
    }
}

fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "scaigate", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
