//! What was found, for people and for programs.

use scaigate_health::{Finding, Severity};
use serde_json::{Value, json};

use super::Seen;
use crate::table::Table;
use crate::terminal;

/// Longest text of somebody else's that is shown, in characters.
const LONGEST: usize = 600;

const fn mark(worst: Option<Severity>) -> &'static str {
    match worst {
        None | Some(Severity::Info) => "✓",
        Some(Severity::Warning) => "!",
        Some(Severity::Error) => "✗",
    }
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "·",
        Severity::Warning => "!",
        Severity::Error => "✗",
    }
}

/// A line for each check, then each finding with its fix, the worst first.
pub fn table(seen: &[Seen]) -> String {
    let mut table = Table::plain();
    for seen in seen {
        let took = seen.latency_ms.map(|took| format!("{took} ms"));
        let codes: Vec<&str> = seen
            .findings
            .iter()
            .filter(|finding| finding.severity > Severity::Info)
            .map(|finding| finding.code.as_str())
            .collect();
        let cells = [
            Some(mark(seen.worst())),
            Some(seen.place.as_str()),
            Some(seen.name.as_str()),
            took.as_deref(),
        ];
        let codes = codes.join(", ");
        table.row(cells.into_iter().chain([Some(codes.as_str())]));
    }
    let mut text = table.render();
    for (_, finding) in sorted(seen) {
        text.push_str(&format!(
            "\n{} {}: {}\n",
            word(finding.severity),
            shown(&finding.code),
            shown(&finding.message)
        ));
        for (name, value) in &finding.evidence {
            let value = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            text.push_str(&format!("    {}: {}\n", shown(name), shown(&value)));
        }
        text.push_str(&format!("  fix: {}\n", shown(&finding.fix)));
    }
    text
}

fn shown(text: &str) -> String {
    terminal::short(text, LONGEST)
}

fn sorted(seen: &[Seen]) -> Vec<(&Seen, &Finding)> {
    let mut all: Vec<(&Seen, &Finding)> = Vec::new();
    for seen in seen {
        all.extend(seen.findings.iter().map(|finding| (seen, finding)));
    }
    all.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity));
    all
}

/// As `GET /v1/health/detailed`, with `place`.
pub fn json(seen: &[Seen]) -> Value {
    let worst = seen.iter().filter_map(Seen::worst).max();
    let check = |seen: &Seen| {
        json!({
            "place": seen.place,
            "name": seen.name,
            "status": seen.worst().filter(|worst| *worst > Severity::Info).map_or("ok", Severity::as_str),
            "latency_ms": seen.latency_ms,
            "facts": seen.facts,
        })
    };
    let finding = |(seen, finding): &(&Seen, &Finding)| {
        json!({
            "place": seen.place,
            "check": seen.name,
            "code": finding.code,
            "severity": finding.severity,
            "message": finding.message,
            "fix": finding.fix,
            "evidence": finding.evidence,
        })
    };
    json!({
        "status": match worst {
            None | Some(Severity::Info) => "ok",
            Some(Severity::Warning) => "degraded",
            Some(Severity::Error) => "failing",
        },
        "checks": seen.iter().map(check).collect::<Vec<_>>(),
        "findings": sorted(seen).iter().map(finding).collect::<Vec<_>>(),
    })
}
