//! The table.

use std::fmt::Write as _;

use crate::bench::cases::Case;
use crate::bench::load::Samples;
use crate::runtime::Runtime;

/// A case and its numbers.
pub struct Row {
    /// The case.
    pub case: Case,
    /// The token to measure it with, once it is known to work.
    pub ready: Option<String>,
    /// Why it isn't measured.
    pub not_measured: Option<String>,
    /// Under load, instances used again.
    pub warm: Samples,
    /// One after the other, an instance each.
    pub fresh: Samples,
}

impl Row {
    /// The row of a case, without numbers yet.
    pub fn new(case: Case) -> Self {
        Self {
            case,
            ready: None,
            not_measured: None,
            warm: Samples::default(),
            fresh: Samples::default(),
        }
    }
}

/// The rows as text.
pub fn table(rows: &[Row], connections: u16, runtime: Runtime) -> String {
    let mut text = format!(
        "\n{connections} connections, {runtime:?} runtime; `first` is the median of requests to a fresh instance each, `of empty` the share of the empty component's throughput; latencies in ms\n\n\
         {:<22}{:>11}{:>9}{:>9}{:>9}{:>9}{:>8}{:>10}\n",
        "case", "req/s", "p50", "p99", "max", "first", "errors", "of empty"
    );
    let empty = rows
        .iter()
        .find(|row| row.case == Case::Empty)
        .map(|row| row.warm.rate())
        .filter(|rate| *rate > 0.0);
    for row in rows {
        let mut line = format!("{:<22}", row.case.title());
        if let Some(reason) = &row.not_measured {
            line += &format!("  not measured: {reason}");
        } else {
            let _infallible = write!(
                line,
                "{:>11.0}{:>9}{:>9}{:>9}{:>9}{:>8}",
                row.warm.rate(),
                millis(row.warm.percentile(0.5)),
                millis(row.warm.percentile(0.99)),
                millis(row.warm.percentile(1.0)),
                millis(row.fresh.percentile(0.5)),
                row.warm.errors,
            );
            if let Some(empty) = empty {
                let _infallible = write!(line, "{:>10.2}", row.warm.rate() / empty);
            }
        }
        if let Some(error) = &row.warm.first_error {
            line += &format!("  ({error})");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn millis(micros: Option<u64>) -> String {
    micros.map_or_else(
        || "-".to_owned(),
        |micros| format!("{:.2}", micros as f64 / 1000.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_why_a_case_has_no_numbers() {
        let mut row = Row::new(Case::Me);
        row.not_measured = Some("me answered 404".to_owned());
        let text = table(&[row], 1, Runtime::Embedded);
        assert!(
            text.contains("GET /v1/me              not measured: me answered 404\n"),
            "{text}"
        );
    }
}
