//! Waiting for a ScaiKey that does not answer, without waiting.

use std::pin::pin;
use std::time::Duration;

use scaikey_emulator::Endpoint;

use crate::{Answer, World};

impl World {
    /// Runs `request` while time stands still. Where `silent` names an endpoint of ScaiKey that takes
    /// requests and never finishes its answer, each of them moves time to when its caller gives up.
    /// Returns the answer and how much time went by.
    ///
    /// # Panics
    /// When more time goes by than the callers' patience can explain.
    pub async fn wait_out(
        &self,
        silent: Option<Endpoint>,
        request: impl Future<Output = Answer>,
    ) -> (Answer, Duration) {
        self.clock.freeze();
        let began = self.clock.monotonic();
        let recorder = self.scaikey.recorder();
        let mut request = pin!(request);
        let answer = match silent {
            None => request.await,
            Some(endpoint) => {
                let mut given_up = recorder.count(endpoint);
                loop {
                    let stuck = async {
                        // The caller is inside its call, so its time-out runs or is about to.
                        recorder.arrived(endpoint, given_up + 1).await;
                        self.clock.next_wake().await
                    };
                    tokio::select! {
                        biased;
                        answer = &mut request => break answer,
                        wake = stuck => {
                            given_up += 1;
                            let wait = wake.saturating_sub(self.clock.monotonic());
                            assert!(wait <= 60_000_000_000, "a call without a time-out");
                            self.clock.advance(Duration::from_nanos(wait));
                        }
                    }
                }
            }
        };
        let took = Duration::from_nanos(self.clock.monotonic().saturating_sub(began));
        self.clock.thaw();
        (answer, took)
    }

    /// Runs `request` while time stands still, but for the waits between two attempts: those are over
    /// at once. Where `silent` names an endpoint that never finishes its answer, whoever waits for it
    /// gives up at once too. Returns what came of it and how much time went by.
    pub async fn hurry<T>(
        &self,
        silent: Option<Endpoint>,
        request: impl Future<Output = T>,
    ) -> (T, Duration) {
        /// Longer is a time-out: something is under way.
        const BETWEEN_ATTEMPTS: u64 = 3_000_000_000;
        self.clock.freeze();
        let began = self.clock.monotonic();
        let recorder = self.scaikey.recorder();
        let mut given_up = silent.map_or(0, |endpoint| recorder.count(endpoint));
        let mut request = pin!(request);
        let outcome = loop {
            let look = async {
                // Nobody tells when somebody begins to wait among others who do.
                tokio::time::sleep(Duration::from_millis(2)).await;
                self.clock.next_wake().await
            };
            tokio::select! {
                biased;
                outcome = &mut request => break outcome,
                wake = look => {
                    let wait = wake.saturating_sub(self.clock.monotonic());
                    let arrived = silent.map_or(0, |endpoint| recorder.count(endpoint));
                    if wait <= BETWEEN_ATTEMPTS || arrived > given_up {
                        given_up = arrived.max(given_up);
                        self.clock.advance(Duration::from_nanos(wait));
                    }
                }
            }
        };
        let took = Duration::from_nanos(self.clock.monotonic().saturating_sub(began));
        self.clock.thaw();
        (outcome, took)
    }

    /// Forgets ScaiKey's documents: every instance, and the key-value store's copies.
    ///
    /// # Panics
    /// When the store's file can't be written.
    pub fn forget_documents(&self) {
        // Nor that somebody has just asked for them, if there is a database yet.
        let table = "SELECT name FROM sqlite_master WHERE name = 'key_search'";
        if self.sql_text(table, &[]).is_some() {
            self.sql("DELETE FROM key_search", &[]);
        }
        self.host().kill_instances();
        let path = self.host().state_directory().join("sqlite_key_value.db");
        let connection = rusqlite::Connection::open(path).expect("the key-value store");
        connection
            .busy_timeout(Duration::from_secs(5))
            .expect("a time-out");
        connection
            .execute(
                "DELETE FROM spin_key_value WHERE key LIKE 'discovery:%' OR key LIKE 'jwks:%'",
                [],
            )
            .expect("the statement");
    }

    /// How many sessions were ever made.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sql_text("SELECT CAST(COUNT(*) AS TEXT) FROM session", &[])
            .and_then(|count| count.parse().ok())
            .unwrap_or_default()
    }
}
