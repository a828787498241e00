//! The table.

use std::fmt::Write as _;
use std::time::Duration;

use crate::bench::cases::Case;
use crate::bench::directory;
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
    /// Microseconds of processor time the runner used for one request, by round.
    processor: Vec<f64>,
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
            processor: Vec::new(),
        }
    }

    /// The case and why it has no numbers, or not all.
    pub fn failure(&self) -> Option<String> {
        let reason = self.not_measured.as_ref();
        let reason = reason.or(self.warm.first_error.as_ref())?;
        Some(format!("{}: {reason}", self.case.title()))
    }

    /// Adds a round, for which the runner used so much processor time where that is known.
    pub fn add(&mut self, taken: Samples, used: Option<Duration>) {
        if let Some(used) = used
            && taken.count() > 0
        {
            let micros = used.as_secs_f64() * 1e6;
            self.processor.push(micros / taken.count() as f64);
        }
        self.warm.add(taken);
    }

    /// The median of the rounds.
    fn processor(&self) -> Option<f64> {
        let mut sorted = self.processor.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied()
    }
}

/// One of those that are compared at the same rate.
pub struct Side {
    /// What it does.
    pub case: Case,
    /// The token it sends.
    pub token: String,
    /// What came of it.
    pub samples: Samples,
}

/// A call of ScaiGrid at half load: the empty component, ScaiGrid alone, and through us.
pub struct HalfLoad {
    /// The case that goes through us.
    pub case: Case,
    /// Requests a second.
    pub rate: f64,
    /// In this order.
    pub sides: [Side; 3],
}

impl HalfLoad {
    /// Nothing measured yet, at half the rate of `proxied`.
    pub fn new(proxied: &Row, direct: &Row, empty: &Row) -> Self {
        let side = |row: &Row| Side {
            case: row.case,
            token: row.ready.clone().unwrap_or_default(),
            samples: Samples::default(),
        };
        Self {
            case: proxied.case,
            rate: proxied.warm.rate() / 2.0,
            sides: [side(empty), side(direct), side(proxied)],
        }
    }
}

/// What we add to a call of ScaiGrid, as text.
pub fn half_load(halves: &[HalfLoad]) -> String {
    let mut text = format!(
        "\nat half load, latencies in ms; `added` is what a call through us takes longer than ScaiGrid alone\n\n\
         {:<22}{:>8}{:>18}{:>18}{:>18}{:>18}{:>8}\n{:<30}",
        "case", "req/s", "empty", "ScaiGrid alone", "proxied", "added", "errors", ""
    );
    text += &format!("{:>9}{:>9}", "p50", "p99").repeat(4);
    text.push('\n');
    for half in halves {
        let mut line = format!("{:<22}{:>8.0}", half.case.title(), half.rate);
        let [_, direct, proxied] = &half.sides;
        for side in &half.sides {
            for share in SHARES {
                line += &format!("{:>9}", millis(side.samples.percentile(share)));
            }
        }
        for share in SHARES {
            let added = proxied
                .samples
                .percentile(share)
                .zip(direct.samples.percentile(share))
                .map(|(proxied, direct)| proxied.saturating_sub(direct));
            line += &format!("{:>9}", millis(added));
        }
        let errors: u64 = half.sides.iter().map(|side| side.samples.errors).sum();
        let _infallible = writeln!(text, "{line}{errors:>8}");
    }
    text
}

/// The shares of requests that are looked at.
const SHARES: [f64; 2] = [0.5, 0.99];

/// Whole syncs as text.
pub fn syncs(rows: &[directory::Row]) -> String {
    let mut text = format!(
        "\nwhole syncs; times in s; `runner` and `ScaiKey` are processor time; `component` is the most linear memory of the sync, `resident` what the runner holds afterwards, in MiB; `write` the longest that a sign-in took to begin meanwhile, in ms\n\n\
         {:>8}  {:<17}{:<11}{:>8}{:>8}{:>9}{:>11}{:>10}{:>8}{:>8}\n",
        "people",
        "method",
        "",
        "elapsed",
        "runner",
        "ScaiKey",
        "component",
        "resident",
        "write",
        "failed"
    );
    for row in rows {
        let what = if row.is_first { "first" } else { "no change" };
        let mut line = format!("{:>8}  {:<17}{what:<11}", row.users, row.method);
        match &row.figures {
            Ok(figures) => {
                let mebibytes = |bytes: Option<u64>| {
                    bytes.map_or_else(
                        || "-".to_owned(),
                        |bytes| format!("{:.1}", bytes as f64 / f64::from(1 << 20)),
                    )
                };
                let _infallible = write!(
                    line,
                    "{:>8}{:>8}{:>9}{:>11}{:>10}{:>8}{:>8}",
                    seconds(Some(figures.elapsed)),
                    seconds(figures.runner),
                    seconds(figures.emulator),
                    mebibytes(figures.component),
                    mebibytes(figures.resident.map(|kibibytes| kibibytes * 1024)),
                    figures.longest_write.as_millis(),
                    figures.failed_writes,
                );
            }
            Err(reason) => line += &format!("  not measured: {reason:#}"),
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn seconds(time: Option<Duration>) -> String {
    time.map_or_else(
        || "-".to_owned(),
        |time| format!("{:.2}", time.as_secs_f64()),
    )
}

/// The rows as text.
pub fn table(rows: &[Row], connections: u16, runtime: Runtime) -> String {
    let mut text = format!(
        "\n{connections} connections, {runtime:?} runtime; `first` is the median of requests to a fresh instance each, `of empty` the share of the throughput of the empty component that is sent as much; latencies in ms\n\
         `cpu` is the runner's processor time for a request in µs, the median of the rounds; the share after it is the empty component's of it\n\n\
         {:<22}{:>11}{:>9}{:>9}{:>9}{:>9}{:>8}{:>10}{:>9}{:>10}\n",
        "case", "req/s", "p50", "p99", "max", "first", "errors", "of empty", "cpu", "of empty"
    );
    for row in rows {
        let measured = |case| {
            rows.iter()
                .find(|row| row.case == case && row.warm.rate() > 0.0)
        };
        let empty = measured(row.case.baseline()).or_else(|| measured(Case::Empty));
        let rate = empty.map(|row| row.warm.rate());
        let processor = empty.and_then(Row::processor);
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
            line += &share(rate.map(|empty| row.warm.rate() / empty));
            if let Some(micros) = row.processor() {
                let _infallible = write!(line, "{micros:>9.1}");
                line += &share(processor.map(|empty| empty / micros));
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

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| " ".repeat(10), |share| format!("{share:>10.2}"))
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
    fn a_round_counts_by_its_median_share_of_a_request() {
        let mut row = Row::new(Case::Me);
        assert_eq!(row.processor(), None);
        for (requests, millis) in [(10, 2), (20, 2), (10, 9), (0, 5)] {
            let used = Some(Duration::from_millis(millis));
            row.add(Samples::of(requests), used);
        }
        assert_eq!(row.processor(), Some(200.0));
    }

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

    #[test]
    fn a_case_is_compared_with_the_empty_component_that_is_sent_as_much() {
        let row = |case, requests| {
            let mut row = Row::new(case);
            row.warm = Samples::in_a_second(requests);
            row
        };
        let shares = |rows: &[Row]| -> Vec<String> {
            let text = table(rows, 1, Runtime::Embedded);
            let lines = text.lines().skip(5);
            let last = |line: &str| line.split_whitespace().last().map(str::to_owned);
            lines.filter_map(last).collect()
        };
        let mut rows = vec![
            row(Case::Empty, 1000),
            row(Case::AuthConfig, 500),
            row(Case::Me, 400),
        ];
        assert_eq!(shares(&rows), ["1.00", "0.50", "0.40"]);
        rows.push(row(Case::EmptyToken, 800));
        assert_eq!(shares(&rows), ["1.00", "0.50", "0.50", "1.00"]);
    }

    #[test]
    fn added_is_the_difference_of_percentiles_and_never_less_than_nothing() {
        let row = |case| Row::new(case);
        let (empty, direct) = (row(Case::Empty), row(Case::LookupDirect));
        let mut half = HalfLoad::new(&row(Case::Lookup), &direct, &empty);
        let [_, direct, proxied] = &mut half.sides;
        direct.samples = Samples::each(&[1_000, 2_000, 9_000]);
        proxied.samples = Samples::each(&[2_000, 3_500, 8_000]);
        let text = half_load(&[half]);
        let line = text.lines().last().unwrap_or_default();
        let numbers: Vec<&str> = line.split_whitespace().rev().take(3).collect();
        assert_eq!(numbers, ["0", "0.00", "1.50"], "{text}");
    }

    #[test]
    fn says_why_a_sync_has_no_figures() {
        let row = directory::Row {
            users: 7,
            method: "member_walk",
            is_first: true,
            figures: Err(anyhow::anyhow!("sync answered 502 sync_incomplete")),
        };
        let text = syncs(&[row]);
        let said = "not measured: sync answered 502 sync_incomplete\n";
        assert!(text.ends_with(said), "{text}");
    }
}
