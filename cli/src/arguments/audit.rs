//! The arguments of `scaigate audit`.

use clap::{Args, Subcommand};
use scaigate_audit::Anchor;
use scaigate_types::TenantId;

use super::{Place, examples, tenant_id};

/// The audit log.
#[derive(Subcommand)]
pub enum Audit {
    /// Shows the newest rows
    #[command(after_help = examples::AUDIT_LIST)]
    List {
        /// Which.
        #[command(flatten)]
        filter: AuditFilter,
        /// How many rows
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Where.
        #[command(flatten)]
        place: Place,
    },
    /// Prints every row, a JSON object a line, from the oldest on
    #[command(after_help = examples::AUDIT_EXPORT)]
    Export {
        /// Which.
        #[command(flatten)]
        filter: AuditFilter,
        /// Where.
        #[command(flatten)]
        place: Place,
    },
    /// Finds rows that were changed, removed or put there later
    #[command(after_help = examples::AUDIT_VERIFY)]
    Verify {
        /// A head that an earlier run printed: it has to be in the chain still
        #[arg(long, value_name = "SEQ:HASH", value_parser = anchor)]
        head: Option<Anchor>,
        /// Where.
        #[command(flatten)]
        place: Place,
    },
}

/// Which rows.
#[derive(Args, Default)]
pub struct AuditFilter {
    /// By whom, such as person:per_1, service:app_1, scaikey or operator
    #[arg(long, value_name = "WHO")]
    pub actor: Option<String>,
    /// What was done, such as role.changed; role is all that begins with it
    #[arg(long)]
    pub action: Option<String>,
    /// To whom or what, such as person:per_1
    #[arg(long, value_name = "WHAT")]
    pub target: Option<String>,
    /// In this tenant alone
    #[arg(long, value_name = "ID", value_parser = tenant_id)]
    pub tenant: Option<TenantId>,
    /// By this request
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
}

fn anchor(text: &str) -> Result<Anchor, String> {
    let anchor = text.split_once(':').and_then(|(seq, hash)| {
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let seq = seq.parse().ok().filter(|_| is_hash)?;
        Some(Anchor {
            seq,
            hash: hash.to_ascii_lowercase(),
        })
    });
    anchor.ok_or_else(|| "not a number, a colon and 64 hexadecimal digits".to_owned())
}
