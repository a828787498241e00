//! `scaigate audit`: the audit log, by way of a server or in its database file: read, exported, verified.

use futures_executor::block_on;
use scaigate_audit::{Anchor, Finding, Shown, Verifier};
use scaigate_jose::{KeyRing, Tagger};
use scaigate_kv::audit::sealing::{self, Seal, State};
use scaigate_kv::audit::{self, Filter, Order, Row};
use scaigate_kv::file::FileDatabase;
use scaigate_types::{TenantId, Timestamp};
use serde_json::{Value, json};

use crate::admin::open_database;
use crate::api::Api;
use crate::arguments::{Audit, AuditFilter, Place};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http_client::HttpClient;
use crate::output::{self, Report};
use crate::settings::Settings;
use crate::table::Table;

const PATH: &str = "/v1/admin/audit";
/// Rows of a piece.
const PIECE: u32 = 1000;

/// Where the log is.
enum Log<'a> {
    File(FileDatabase),
    Server(Api<'a>),
}

/// Runs one of the commands.
///
/// # Errors
/// Whatever went wrong.
pub fn run(command: &Audit, http: &HttpClient, settings: &Settings) -> Result<Report, Failure> {
    let at = |place: &Place| -> Result<Log<'_>, Failure> {
        Ok(match &place.database {
            Some(file) => Log::File(open_database(file)?),
            None => Log::Server(Api::connect(http, settings, &place.server, "admin:read")?),
        })
    };
    match command {
        Audit::List {
            filter,
            limit,
            place,
        } => list(&at(place)?, filter, *limit),
        Audit::Export { filter, place } => export(&at(place)?, filter),
        Audit::Verify { head, place } => verify(&at(place)?, settings, head.as_ref()),
    }
}

impl Log<'_> {
    /// The rows beyond `cursor`.
    fn rows(
        &self,
        filter: &AuditFilter,
        order: Order,
        cursor: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Row>, Failure> {
        match self {
            Self::File(database) => {
                let filter = Filter {
                    actor: filter.actor.as_deref(),
                    action: filter.action.as_deref(),
                    target: filter.target.as_deref(),
                    tenant_id: filter.tenant.as_ref(),
                    outcome: None,
                    request_id: filter.request_id.as_deref(),
                    since: None,
                    until: None,
                };
                Ok(block_on(audit::list(
                    database, &filter, order, cursor, limit,
                ))?)
            }
            Self::Server(api) => {
                let (cursor, limit) = (cursor.map(|cursor| cursor.to_string()), limit.to_string());
                let query: Vec<(&str, &str)> = [
                    ("actor", filter.actor.as_deref()),
                    ("action", filter.action.as_deref()),
                    ("target", filter.target.as_deref()),
                    ("tenant_id", filter.tenant.as_ref().map(TenantId::as_str)),
                    ("request_id", filter.request_id.as_deref()),
                    ("cursor", cursor.as_deref()),
                    ("limit", Some(&limit)),
                ]
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect();
                let shown: Vec<Shown> = match order {
                    Order::NewestFirst => {
                        let page = api.get(PATH, &query)?;
                        serde_json::from_value(page.get("entries").cloned().unwrap_or_default())
                            .map_err(|_| api.unreadable())?
                    }
                    Order::OldestFirst => {
                        let answer = api.get_as(PATH, &query, "application/x-ndjson")?;
                        serde_json::Deserializer::from_slice(answer.body())
                            .into_iter()
                            .collect::<Result<_, _>>()
                            .map_err(|_| api.unreadable())?
                    }
                };
                Ok(shown.into_iter().map(Row::from).collect())
            }
        }
    }

    /// What is known of the chain, and whether the server's key made the seal.
    fn state(&self) -> Result<(State, Option<bool>), Failure> {
        match self {
            Self::File(database) => Ok((block_on(sealing::state(database))?, None)),
            Self::Server(api) => {
                let chain = api.get(&format!("{PATH}/chain"), &[])?;
                let number = |at: &str| {
                    let number = chain.pointer(at).and_then(Value::as_i64);
                    number.ok_or_else(|| api.unreadable())
                };
                let text = |at: &str| {
                    let text = chain.pointer(at).and_then(Value::as_str);
                    text.unwrap_or_default().to_owned()
                };
                let seal = match chain.get("seal") {
                    None | Some(Value::Null) => None,
                    Some(_) => Some(Seal {
                        seq: number("/seal/seq")?,
                        hash: text("/seal/hash"),
                        from: number("/seal/confirmed_from")?,
                        at: Timestamp::from_millis(0),
                        tag: String::new(),
                    }),
                };
                let state = State {
                    purged_seq: number("/purged/seq")?,
                    purged_hash: text("/purged/hash"),
                    seal,
                    last_seq: number("/last_seq")?,
                };
                let is_ours = chain.pointer("/seal/is_ours").and_then(Value::as_bool);
                Ok((state, is_ours))
            }
        }
    }
}

fn list(log: &Log<'_>, filter: &AuditFilter, limit: u32) -> Result<Report, Failure> {
    let rows = log.rows(filter, Order::NewestFirst, None, limit)?;
    let mut table = Table::new(&[
        "TIME", "ACTION", "OUTCOME", "ACTOR", "TARGET", "FROM", "REQUEST",
    ]);
    for row in &rows {
        let entry = &row.entry;
        table.row([
            Some(entry.at().rfc3339().as_str()),
            Some(&entry.action),
            Some(&entry.outcome),
            entry.actor.as_deref(),
            entry.target.as_deref(),
            entry.source.as_deref(),
            entry.request_id.as_deref(),
        ]);
    }
    let shown: Vec<Shown> = rows.into_iter().map(Shown::from).collect();
    Ok(Report::done(table.render(), json!({ "entries": shown })))
}

/// Every row a line, as it is read: memory holds one piece.
fn export(log: &Log<'_>, filter: &AuditFilter) -> Result<Report, Failure> {
    let (mut cursor, mut count) = (None, 0_u64);
    // What is written while this runs is not in it: reading a server's log is written into it, too.
    let end = log.state()?.0.last_seq;
    loop {
        let rows = log.rows(filter, Order::OldestFirst, cursor, PIECE)?;
        let Some(last) = rows.last() else { break };
        cursor = Some(last.entry.seq);
        for row in rows {
            if row.entry.seq > end {
                break;
            }
            count += 1;
            let row = serde_json::to_value(Shown::from(row)).unwrap_or_default();
            output::line(&row)?;
        }
        if cursor >= Some(end) {
            break;
        }
    }
    output::note(&format!("{count} rows, up to {end}."));
    Ok(Report::silent())
}

fn verify(log: &Log<'_>, settings: &Settings, head: Option<&Anchor>) -> Result<Report, Failure> {
    let (state, is_ours) = log.state()?;
    let tagger = match log {
        Log::File(_) => tagger(settings)?,
        Log::Server(_) => None,
    };
    let end = state.last_seq;
    let seal = state.seal.clone();
    let mut verifier = Verifier::new(state, head.cloned());
    let all = AuditFilter::default();
    loop {
        let rows = log.rows(&all, Order::OldestFirst, verifier.cursor(), PIECE)?;
        rows.iter()
            .filter(|row| row.entry.seq <= end)
            .for_each(|row| verifier.row(row));
        if rows.last().is_none_or(|row| row.entry.seq >= end) {
            break;
        }
    }
    let mut report = verifier.finish(tagger.as_ref());
    // The server holds its seal against its key by itself.
    if let (Some(is_ours), Some(seal)) = (is_ours, seal) {
        report.seal_checked = true;
        if !is_ours {
            report.findings.push(Finding::SealNotOurs { seq: seal.seq });
        }
    }
    let mut human = String::new();
    for finding in &report.findings {
        human.push_str(&format!("✗ {}\n", sentence(finding)));
    }
    if report.findings.is_empty() {
        human.push_str(&format!(
            "✓ {} rows from {} on are in order.\n",
            report.rows, report.first
        ));
    }
    if let Some((seq, hash)) = &report.head {
        human.push_str(&format!("head: {seq}:{hash}\n"));
    }
    if report.unsealed > 0 {
        human.push_str(&format!(
            "{} rows after it are not sealed yet: nothing protects them.\n",
            report.unsealed
        ));
    }
    if !report.seal_checked {
        human.push_str("The seal was not held against the key: SESSION_SECRET is not set here.\n");
    }
    let exit = if report.findings.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    };
    let json = serde_json::to_value(&report).unwrap_or_default();
    Ok(Report::done(human, json).ending(exit))
}

/// The key of the seal, where the secret is at hand.
fn tagger(settings: &Settings) -> Result<Option<Tagger>, Failure> {
    let Some(secret) = settings.secret(None, "SESSION_SECRET")? else {
        return Ok(None);
    };
    let keys = KeyRing::parse(secret.expose()).map_err(|error| {
        Failure::usage(format!("SESSION_SECRET is not usable: {error}."))
            .with_fix("Set it as scaigate has it.")
    })?;
    Ok(Some(Tagger::of_audit_log(&keys)))
}

fn sentence(finding: &Finding) -> String {
    match finding {
        Finding::RowChanged { seq } => format!("row {seq} was changed, or put there later"),
        Finding::RowsMissing { from, to } => format!("rows {from} to {to} were removed"),
        Finding::RowNotSealed { seq } => {
            format!("row {seq} has lost its hash, or was put there later")
        }
        Finding::SealMissing => "the seal was removed".to_owned(),
        Finding::SealMismatch { seq } => {
            format!("the seal up to row {seq} is for another chain than this")
        }
        Finding::SealNotOurs { seq } => {
            format!("the seal up to row {seq} was made with none of the keys of session_secret")
        }
        Finding::UnconfirmedBefore { seq } => {
            format!("what is before row {seq} was not in order when that row was sealed")
        }
        Finding::PurgeNotRecorded { through } => {
            format!("rows up to {through} were forgotten, and not by scaigate")
        }
        Finding::AnchorNotFound { seq } => {
            format!("row {seq} is not the one whose hash was given with --head")
        }
    }
}
