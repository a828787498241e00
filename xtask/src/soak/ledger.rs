//! What was answered, and what has to be there because of it.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::Value;

/// A session that somebody holds.
#[derive(Clone)]
pub struct Session {
    /// The newest refresh token that was answered.
    pub refresh_token: String,
    /// The newest session token.
    pub access_token: String,
}

impl Session {
    /// The session of a token answer.
    pub fn of(tokens: &Value) -> Option<Self> {
        let text = |name| Some(tokens.get(name)?.as_str()?.to_owned());
        Some(Self {
            refresh_token: text("refresh_token")?,
            access_token: text("access_token")?,
        })
    }
}

/// What one of several workers knows, or all of them together.
#[derive(Default)]
pub struct Ledger {
    /// Requests and what came of them, by kind.
    pub counts: BTreeMap<&'static str, Count>,
    /// Sessions that have to be good.
    pub sessions: Vec<Session>,
    /// Sessions whose end was acknowledged, and when.
    pub ended: Vec<(Session, Instant)>,
    /// Events that were acknowledged: identifier and text.
    pub events: Vec<(String, String)>,
    /// Events that were refused.
    pub forged: Vec<(String, String)>,
    /// What a person's role may be: the last that was acknowledged, and those sent since.
    pub roles: BTreeMap<String, Vec<Option<&'static str>>>,
    /// Changes of roles that were acknowledged.
    pub role_changes: u64,
    /// What must never be, in words.
    pub faults: Vec<String>,
}

/// How requests of a kind ended.
#[derive(Clone, Copy, Default)]
pub struct Count {
    /// As they should.
    pub answered: u64,
    /// With a failure that says to come again.
    pub unavailable: u64,
    /// With no answer: the runner was gone.
    pub lost: u64,
}

impl Ledger {
    /// Puts another's knowledge, which is newer, to this one's.
    pub fn merge(&mut self, other: Self) {
        for (kind, count) in other.counts {
            let sum = self.counts.entry(kind).or_default();
            sum.answered += count.answered;
            sum.unavailable += count.unavailable;
            sum.lost += count.lost;
        }
        self.sessions.extend(other.sessions);
        self.ended.extend(other.ended);
        self.events.extend(other.events);
        self.forged.extend(other.forged);
        self.roles.extend(other.roles);
        self.role_changes += other.role_changes;
        self.faults.extend(other.faults);
    }

    /// A table of what was sent.
    pub fn summary(&self, kills: u32) -> String {
        let mut lines = vec![
            "| request | answered | come again | no answer |".to_owned(),
            "|---|---|---|---|".to_owned(),
        ];
        lines.extend(self.counts.iter().map(|(kind, count)| {
            format!(
                "| {kind} | {} | {} | {} |",
                count.answered, count.unavailable, count.lost
            )
        }));
        lines.push(format!(
            "\nkilled {kills} times; sessions {}, ended {}, events {}, refused events {}, changes of roles {}",
            self.sessions.len(),
            self.ended.len(),
            self.events.len(),
            self.forged.len(),
            self.role_changes
        ));
        lines.join("\n")
    }
}
