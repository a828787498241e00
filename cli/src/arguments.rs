//! The command line.

mod audit;
mod examples;

use std::io::Read as _;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use scaigate_types::{AdminRole, Secret, TenantId};
use serde_json::{Map, Value};

pub use audit::{Audit, AuditFilter};

/// Longest e-mail address (RFC 5321).
const MAX_EMAIL: usize = 320;
/// Longest credential read from standard input, in bytes.
const MAX_INPUT: u64 = 64 * 1024;

/// Heading of what every command takes.
const EVERYWHERE: &str = "With every command";

/// Administers scaigate: who may do what, the mirror of ScaiKey's directory, and the registration there.
#[derive(Parser)]
#[command(name = "scaigate", version, after_help = examples::ALL)]
#[command(arg_required_else_help = true)]
pub struct Arguments {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Args)]
pub struct Common {
    /// Print JSON instead of text, on one line; failures too
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// Where settings are read that the environment lacks, and where credentials are written
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE", default_value = ".env")]
    pub env_file: PathBuf,
    /// Trust the certificate authorities in this PEM file, and no others
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Send credentials over plain http to hosts that are not this machine
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub insecure_http: bool,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Who may administer scaigate
    #[command(subcommand, after_help = examples::ADMIN)]
    Admin(Admin),
    /// Who did what to whom, and whether somebody changed that
    #[command(subcommand, after_help = examples::AUDIT)]
    Audit(Audit),
    /// Reads ScaiKey's directory again
    #[command(after_help = examples::SYNC)]
    Sync(Sync),
    /// Says what works, what does not, and what to do about it
    #[command(after_help = examples::DOCTOR)]
    Doctor(Box<Doctor>),
    /// Registers scaigate at ScaiKey and writes its credentials into .env
    #[command(after_help = examples::REGISTER)]
    ScaikeyRegister(Box<Register>),
    /// ScaiKey's events
    #[command(subcommand)]
    Webhooks(Webhooks),
    /// Prints a script that completes this command in a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// A scaigate, and who we are there.
#[derive(Args)]
pub struct Server {
    /// Address of scaigate [default: PUBLIC_URL, else http://127.0.0.1:3000]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Access token of an administrator; `-` reads it from standard input [default: SCAIGATE_TOKEN,
    /// else a token of the application that SCAIFLOW_SCAIKEY_CLIENT_ID and its secret stand for]
    #[arg(long, value_name = "TOKEN", value_parser = secret)]
    pub token: Option<Secret<String>>,
}

/// A scaigate, or its database on this machine.
#[derive(Args)]
pub struct Place {
    /// Its address.
    #[command(flatten)]
    pub server: Server,
    /// Work on this database file instead of asking a server
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "token"])]
    pub database: Option<PathBuf>,
    /// The key-value file of that database [default: sqlite_key_value.db beside it]
    #[arg(long, value_name = "FILE", requires = "database")]
    pub key_value: Option<PathBuf>,
}

/// Roles.
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Role {
    /// Administers every tenant
    SuperAdmin,
    /// Administers the people and keys of their own tenant
    TenantAdmin,
}

impl From<Role> for AdminRole {
    fn from(role: Role) -> Self {
        match role {
            Role::SuperAdmin => Self::SuperAdmin,
            Role::TenantAdmin => Self::TenantAdmin,
        }
    }
}

/// Who may administer scaigate.
#[derive(Subcommand)]
pub enum Admin {
    /// Gives somebody an administrator's role
    #[command(after_help = examples::GRANT)]
    Grant {
        /// E-mail address
        #[arg(value_parser = email)]
        email: String,
        /// The role
        #[arg(long)]
        role: Role,
        /// Their tenant, where several have somebody with that address
        #[arg(long, value_name = "ID", value_parser = tenant_id)]
        tenant: Option<TenantId>,
        /// Where.
        #[command(flatten)]
        place: Place,
    },
    /// Takes somebody's administrator role
    #[command(after_help = examples::REVOKE)]
    Revoke {
        /// E-mail address
        #[arg(value_parser = email)]
        email: String,
        /// Their tenant, where several have somebody with that address
        #[arg(long, value_name = "ID", value_parser = tenant_id)]
        tenant: Option<TenantId>,
        /// Where.
        #[command(flatten)]
        place: Place,
    },
    /// Lists the users of the mirror
    #[command(after_help = examples::USERS)]
    Users {
        /// Which.
        #[command(flatten)]
        filter: UserFilter,
        /// Where.
        #[command(flatten)]
        place: Place,
    },
    /// Says why somebody is not where they should be
    #[command(after_help = examples::WHY)]
    Why {
        /// E-mail address
        #[arg(value_parser = email)]
        email: String,
        /// Where.
        #[command(flatten)]
        place: Place,
    },
}

/// Which users, and which of their pages.
#[derive(Args)]
pub struct UserFilter {
    /// Part of the name or the address, or the identifier
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// The status, such as active, suspended or deleted
    #[arg(long, value_parser = status)]
    pub status: Option<String>,
    /// Of this tenant alone
    #[arg(long, value_name = "ID", value_parser = tenant_id)]
    pub tenant: Option<TenantId>,
    /// Which page
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub page: u32,
    /// Rows of a page
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub per_page: u32,
}

/// How progress is shown.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// A moving line where somebody looks, nothing elsewhere
    Auto,
    /// A line for each step, on standard error
    Plain,
    /// Nothing
    None,
}

/// Reads ScaiKey's directory again.
#[derive(Args)]
pub struct Sync {
    /// Apply it even if ScaiKey lists less than half of what is mirrored
    #[arg(long)]
    pub force: bool,
    /// Only show the run under way and the last one
    #[arg(long, conflicts_with_all = ["force", "progress"])]
    pub status: bool,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    pub progress: Progress,
    /// Where.
    #[command(flatten)]
    pub server: Server,
}

/// Says what works, what does not, and what to do about it.
#[derive(Args)]
pub struct Doctor {
    /// Address of scaigate [default: PUBLIC_URL, else http://127.0.0.1:3000]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Access token of an administrator; `-` reads it from standard input [default: SCAIGATE_TOKEN,
    /// else a token of the application that SCAIFLOW_SCAIKEY_CLIENT_ID and its secret stand for]
    #[arg(long, value_name = "TOKEN", value_parser = secret)]
    pub token: Option<Secret<String>>,
    /// Look into this database file instead of asking the server what is inside
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    pub database: Option<PathBuf>,
    /// The key-value file of that database [default: sqlite_key_value.db beside it]
    #[arg(long, value_name = "FILE", requires = "database")]
    pub key_value: Option<PathBuf>,
    /// Write what support needs into this file, secrets removed
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// The request that went wrong, for the bundle
    #[arg(long, value_name = "ID", requires = "bundle", value_parser = resource_id)]
    pub request_id: Option<String>,
    /// When it began to go wrong, for the bundle
    #[arg(long, value_name = "TIME", requires = "bundle")]
    pub since: Option<String>,
    /// When it ended, for the bundle
    #[arg(long, value_name = "TIME", requires = "bundle")]
    pub until: Option<String>,
}

/// Where an application of ScaiKey acts.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ApplicationScope {
    /// In every tenant
    Global,
    /// In the tenants of a partner
    Partner,
    /// In one tenant
    Tenant,
}

/// Registers scaigate at ScaiKey.
#[derive(Args)]
pub struct Register {
    /// Address of ScaiKey [default: SCAIKEY_BASE_URL]
    #[arg(long, value_name = "URL")]
    pub scaikey_url: Option<String>,
    /// Address of this scaigate; its callback becomes a redirect URI [default: PUBLIC_URL]
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// One more redirect URI; may be repeated
    #[arg(long = "redirect-uri", value_name = "URL")]
    pub redirect_uris: Vec<String>,
    /// Whom ScaiKey's administrator may ask about the registration
    #[arg(long, value_parser = email)]
    pub email: Option<String>,
    /// Name of the application
    #[arg(long, default_value = "scaigate")]
    pub name: String,
    /// Where the application acts
    #[arg(long, value_enum, default_value_t = ApplicationScope::Global)]
    pub scope: ApplicationScope,
    /// The partner: its slug, with an administrator's token its id
    #[arg(long, required_if_eq("scope", "partner"))]
    pub partner: Option<String>,
    /// The tenant: its slug, with an administrator's token its id
    #[arg(long, required_if_eq("scope", "tenant"))]
    pub tenant: Option<String>,
    /// Create the application at once with this token of a ScaiKey administrator; `-` reads it from
    /// standard input [default: SCAIKEY_ADMIN_TOKEN]
    #[arg(long, value_name = "TOKEN", value_parser = secret)]
    pub admin_token: Option<Secret<String>>,
    /// Widen the scopes of this application instead, with an administrator's token
    #[arg(long, value_name = "ID", value_parser = app_id)]
    pub app_id: Option<String>,
    /// Look once at the registration that waits for approval
    #[arg(long, conflicts_with_all = ["cancel", "app_id", "admin_token"])]
    pub status: bool,
    /// Cancel the registration that waits for approval
    #[arg(long, conflicts_with_all = ["app_id", "admin_token"])]
    pub cancel: bool,
    /// Do not wait for approval: run the command again to go on
    #[arg(long)]
    pub no_wait: bool,
    /// Minutes to wait for approval
    #[arg(long, value_name = "MINUTES", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=10_080))]
    pub wait: u64,
    /// Seconds between the first questions whether it is approved
    #[arg(long, value_name = "SECONDS", default_value_t = 2,
          value_parser = clap::value_parser!(u64).range(1..=60))]
    pub poll: u64,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    pub progress: Progress,
}

/// ScaiKey's events.
#[derive(Subcommand)]
pub enum Webhooks {
    /// Signs a sample event as ScaiKey does and sends it to scaigate
    #[command(after_help = examples::WEBHOOKS_TEST)]
    Test(WebhookTest),
}

/// A sample event.
#[derive(Args)]
pub struct WebhookTest {
    /// Type of the event. The default changes nothing in the mirror
    #[arg(long, value_name = "TYPE", default_value = "user.password_changed", value_parser = event_type)]
    pub event: String,
    /// Identifier of what the event is about, such as a user's. An event that changes the mirror
    /// needs one
    #[arg(long, value_name = "ID", value_parser = resource_id)]
    pub resource: Option<String>,
    /// The tenant that the event names
    #[arg(long, value_name = "ID", value_parser = tenant_id)]
    pub tenant: Option<TenantId>,
    /// The event's data, a JSON object
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub data: Option<Map<String, Value>>,
    /// The webhook secret; `-` reads it from standard input [default: the first of
    /// SCAIFLOW_SCAIKEY_WEBHOOK_SECRET]
    #[arg(long, value_name = "SECRET", value_parser = secret)]
    pub secret: Option<Secret<String>>,
    /// Address of scaigate [default: PUBLIC_URL, else http://127.0.0.1:3000]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

fn secret(text: &str) -> Result<Secret<String>, String> {
    if text != "-" {
        return Ok(Secret::new(text.to_owned()));
    }
    let mut input = String::new();
    std::io::stdin()
        .take(MAX_INPUT)
        .read_to_string(&mut input)
        .map_err(|_| "standard input is not text".to_owned())?;
    Ok(Secret::new(input.trim().to_owned()))
}

fn email(text: &str) -> Result<String, String> {
    let is_plain = text.chars().all(|c| !c.is_control() && !c.is_whitespace());
    match text.split_once('@') {
        Some((name, host)) if is_plain && !name.is_empty() && !host.is_empty() => {}
        _ => return Err("an e-mail address looks like alice@acme.example".to_owned()),
    }
    if text.len() > MAX_EMAIL {
        return Err(format!("longer than {MAX_EMAIL} bytes"));
    }
    Ok(text.to_owned())
}

fn tenant_id(text: &str) -> Result<TenantId, String> {
    TenantId::parse(text).map_err(|error| error.to_string())
}

fn status(text: &str) -> Result<String, String> {
    let status = text.to_ascii_lowercase();
    let is_word = status
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_word && (1..=32).contains(&status.len()) {
        Ok(status)
    } else {
        Err("a status is a word such as active".to_owned())
    }
}

/// A segment of a path, whatever ScaiKey calls its applications.
fn app_id(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if (1..=128).contains(&text.len()) && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("an application looks like app_1a2b3c".to_owned())
    }
}

fn event_type(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.');
    if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("an event looks like user.updated".to_owned())
    }
}

fn resource_id(text: &str) -> Result<String, String> {
    if (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err("an identifier looks like usr_1a2b3c".to_owned())
    }
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|_| "this is no JSON object".to_owned())
}

#[cfg(test)]
mod tests;
