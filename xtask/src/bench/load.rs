//! Keeping a number of connections busy, and what comes of it.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::bench::cases::Case;
use crate::bench::person::Client;
use crate::bench::site::Site;

/// Latencies of the requests that succeeded, and a count of the others.
#[derive(Debug, Default)]
pub struct Samples {
    /// Microseconds each.
    micros: Vec<u64>,
    /// How long was measured.
    elapsed: Duration,
    /// Requests that failed.
    pub errors: u64,
    /// What the first of them said.
    pub first_error: Option<String>,
}

impl Samples {
    /// So many requests that took no time.
    #[cfg(test)]
    pub fn of(requests: usize) -> Self {
        Self {
            micros: vec![0; requests],
            ..Self::default()
        }
    }

    /// So many requests, one after the other in a second.
    #[cfg(test)]
    pub fn in_a_second(requests: usize) -> Self {
        Self {
            elapsed: Duration::from_secs(1),
            ..Self::of(requests)
        }
    }

    /// Requests that took so many microseconds.
    #[cfg(test)]
    pub fn each(micros: &[u64]) -> Self {
        Self {
            micros: micros.into(),
            ..Self::default()
        }
    }

    /// Adds another round, which ran after this one.
    pub fn add(&mut self, other: Self) {
        self.elapsed += other.elapsed;
        self.merge(other);
    }

    /// Requests that succeeded.
    pub fn count(&self) -> usize {
        self.micros.len()
    }

    /// Successful requests per second.
    pub fn rate(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 {
            self.micros.len() as f64 / seconds
        } else {
            0.0
        }
    }

    /// The latency below which that share (0 to 1) of the requests stayed, in
    /// microseconds; `None` without any request.
    pub fn percentile(&self, share: f64) -> Option<u64> {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied()
    }

    fn merge(&mut self, other: Self) {
        self.micros.extend(other.micros);
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
    }

    /// Nothing works: a turn must not be filled with failures.
    fn is_hopeless(&self) -> bool {
        self.errors > 0 && self.micros.is_empty()
    }

    fn take(&mut self, client: &mut Client, case: Case, token: &str, from: Instant) {
        match client.perform(case, token) {
            Ok(()) => self
                .micros
                .push(u64::try_from(from.elapsed().as_micros()).unwrap_or(u64::MAX)),
            Err(error) => {
                self.errors += 1;
                self.first_error.get_or_insert_with(|| format!("{error:#}"));
            }
        }
    }
}

/// Runs the case on that many connections for that long, as fast as they can.
pub fn run(case: Case, site: &Site, token: &str, connections: usize, turn: Duration) -> Samples {
    spread(connections, |number, start| {
        let mut client = Client::new(site, number);
        let mut samples = Samples::default();
        while start.elapsed() < turn && !samples.is_hopeless() {
            samples.take(&mut client, case, token, Instant::now());
        }
        samples
    })
}

/// Runs the case with so many requests a second, spread evenly over the connections. One that can't
/// begin when it is due, because its connection is still busy, has waited since then.
pub fn run_paced(
    case: Case,
    site: &Site,
    token: &str,
    connections: usize,
    turn: Duration,
    rate: f64,
) -> Samples {
    let between = Duration::from_secs_f64(connections as f64 / rate.max(1.0));
    spread(connections, |number, start| {
        let mut client = Client::new(site, number);
        let mut samples = Samples::default();
        let mut due = start + between.mul_f64(number as f64 / connections as f64);
        while due.duration_since(start) < turn && !samples.is_hopeless() {
            let early = due.saturating_duration_since(Instant::now());
            thread::sleep(early);
            // A sleep that is longer than asked for is this machine's, not the server's.
            let from = if early.is_zero() { due } else { Instant::now() };
            samples.take(&mut client, case, token, from);
            due += between;
        }
        samples
    })
}

/// Lets each connection work, and puts together what comes of it.
fn spread(connections: usize, work: impl Fn(usize, Instant) -> Samples + Sync) -> Samples {
    let start = Instant::now();
    let mut all = Samples::default();
    let work = &work;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..connections)
            .map(|number| scope.spawn(move || work(number, start)))
            .collect();
        for worker in workers {
            match worker.join() {
                Ok(samples) => all.merge(samples),
                Err(_) => all.errors += 1,
            }
        }
    });
    all.elapsed = start.elapsed();
    all
}

/// Runs the case a number of times on one connection.
///
/// # Errors
/// The first failure.
pub fn sequence(case: Case, site: &Site, token: &str, count: usize) -> Result<Samples> {
    let mut client = Client::new(site, 0);
    let mut samples = Samples::default();
    for _ in 0..count {
        let start = Instant::now();
        client.perform(case, token)?;
        samples
            .micros
            .push(u64::try_from(start.elapsed().as_micros())?);
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_values() {
        let samples = Samples {
            micros: (1..=100).rev().collect(),
            ..Samples::default()
        };
        for (share, value) in [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)] {
            assert_eq!(samples.percentile(share), Some(value));
        }
        assert_eq!(Samples::default().percentile(0.5), None);
    }

    #[test]
    fn rounds_add_up() {
        let round = || Samples {
            micros: vec![1; 50],
            elapsed: Duration::from_secs(1),
            errors: 1,
            first_error: Some("x".to_owned()),
        };
        let mut total = Samples::default();
        total.add(round());
        total.add(round());
        assert_eq!((total.rate(), total.errors), (50.0, 2));
    }
}
