//! Finding what was changed, removed or inserted.

use scaigate_jose::Tagger;
use scaigate_kv::audit::Row;
use scaigate_kv::audit::sealing::State;
use serde::Serialize;
use serde_json::Value;

use crate::chain::{hash, tag_holds};

/// Most findings that are told.
const MAX_FINDINGS: usize = 100;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Finding {
    /// A row does not say what it said when it was sealed, or another one is in its place.
    RowChanged {
        /// Its number.
        seq: i64,
    },
    /// Rows are not there.
    RowsMissing {
        /// The first of them.
        from: i64,
        /// The last of them.
        to: i64,
    },
    /// A row among the sealed ones is not sealed.
    RowNotSealed {
        /// Its number.
        seq: i64,
    },
    /// Rows are sealed and no seal covers them.
    SealMissing,
    /// The seal is for another chain than the one that is here.
    SealMismatch {
        /// The last row that it covers.
        seq: i64,
    },
    /// No key of ours made the seal.
    SealNotOurs {
        /// The last row that it covers.
        seq: i64,
    },
    /// When this row was sealed, what was before it was not as it had been sealed.
    UnconfirmedBefore {
        /// The first row that is confirmed.
        seq: i64,
    },
    /// Rows were forgotten, and the log does not say so.
    PurgeNotRecorded {
        /// The last of them.
        through: i64,
    },
    /// A hash that was written down elsewhere is not in the chain.
    AnchorNotFound {
        /// The row it was of.
        seq: i64,
    },
}

/// A hash of a row that was written down outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The row.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

/// What came of verifying.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Rows that were looked at.
    pub rows: u64,
    /// The first that is kept; 0 when there is none.
    pub first: i64,
    /// The last that is sealed, and its hash: what can be written down elsewhere.
    pub head: Option<(i64, String)>,
    /// Rows after it: nothing protects them yet.
    pub unsealed: u64,
    /// Whether the seal was held against the key.
    pub seal_checked: bool,
    /// What is wrong, at most a hundred.
    pub findings: Vec<Finding>,
}

/// Looks at all rows, from the oldest on.
#[derive(Debug)]
pub struct Verifier {
    state: State,
    anchor: Option<Anchor>,
    anchor_found: bool,
    first: Option<i64>,
    cursor: Option<i64>,
    last: i64,
    previous: String,
    rows: u64,
    sealed: Option<(i64, String)>,
    /// The hash of the last row that the seal covers, as it was computed.
    at_seal: Option<String>,
    unsealed: u64,
    purge_recorded: bool,
    findings: Vec<Finding>,
}

impl Verifier {
    /// Begins with what is known of the chain. Rows that come after that moment may be given too.
    #[must_use]
    pub fn new(state: State, anchor: Option<Anchor>) -> Self {
        Self {
            cursor: None,
            last: state.purged_seq,
            previous: state.purged_hash.clone(),
            purge_recorded: state.purged_seq == 0,
            state,
            anchor,
            anchor_found: false,
            first: None,
            rows: 0,
            sealed: None,
            at_seal: None,
            unsealed: 0,
            findings: Vec::new(),
        }
    }

    fn found(&mut self, finding: Finding) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }

    /// The number of the last row that was given: the next ones come after it. `None` before the first:
    /// nothing is left out, however low its number.
    #[must_use]
    pub const fn cursor(&self) -> Option<i64> {
        self.cursor
    }

    /// Looks at the next row.
    pub fn row(&mut self, row: &Row) {
        let seq = row.entry.seq;
        self.rows += 1;
        self.first.get_or_insert(seq);
        if seq > self.last + 1 {
            self.found(Finding::RowsMissing {
                from: self.last + 1,
                to: seq - 1,
            });
        }
        self.last = self.last.max(seq);
        self.cursor = Some(seq);
        let computed = hash(&self.previous, &row.entry);
        let covered = self.state.seal.as_ref().map_or(0, |seal| seal.seq);
        match &row.hash {
            // The chain goes on from what is stored, so that one change is one finding.
            Some(stored) => {
                if *stored != computed {
                    self.found(Finding::RowChanged { seq });
                }
                self.previous.clone_from(stored);
                self.sealed = Some((seq, stored.clone()));
            }
            None => {
                if seq <= covered {
                    self.found(Finding::RowNotSealed { seq });
                } else {
                    self.unsealed += 1;
                }
                self.previous = computed;
            }
        }
        if seq == covered {
            self.at_seal = Some(self.previous.clone());
        }
        if let Some(anchor) = &self.anchor {
            self.anchor_found |= anchor.seq == seq && row.hash.as_ref() == Some(&anchor.hash);
        }
        if row.entry.action == "audit.purged" {
            let detail = row.entry.detail();
            let through = detail.get("through").and_then(Value::as_i64);
            let hash = detail.get("hash").and_then(Value::as_str);
            self.purge_recorded |= through == Some(self.state.purged_seq)
                && hash == Some(self.state.purged_hash.as_str());
        }
    }

    /// What was found, with the key if it is at hand.
    #[must_use]
    pub fn finish(mut self, tagger: Option<&Tagger>) -> Report {
        if self.last < self.state.last_seq {
            self.found(Finding::RowsMissing {
                from: self.last + 1,
                to: self.state.last_seq,
            });
        }
        match self.state.seal.clone() {
            None => {
                if self.sealed.is_some() {
                    self.found(Finding::SealMissing);
                }
            }
            Some(seal) => {
                let ends = match &self.at_seal {
                    Some(hash) => *hash == seal.hash,
                    // All that it covers was forgotten since.
                    None => {
                        seal.seq == self.state.purged_seq && seal.hash == self.state.purged_hash
                    }
                };
                if !ends {
                    self.found(Finding::SealMismatch { seq: seal.seq });
                }
                if tagger.is_some_and(|tagger| !tag_holds(tagger, &seal)) {
                    self.found(Finding::SealNotOurs { seq: seal.seq });
                }
                if seal.from > self.first.unwrap_or(1).max(1) {
                    self.found(Finding::UnconfirmedBefore { seq: seal.from });
                }
            }
        }
        if !self.purge_recorded {
            self.found(Finding::PurgeNotRecorded {
                through: self.state.purged_seq,
            });
        }
        if let Some(anchor) = self.anchor.clone()
            && !self.anchor_found
        {
            self.found(Finding::AnchorNotFound { seq: anchor.seq });
        }
        Report {
            rows: self.rows,
            first: self.first.unwrap_or_default(),
            head: self.sealed,
            unsealed: self.unsealed,
            seal_checked: tagger.is_some() && self.state.seal.is_some(),
            findings: self.findings,
        }
    }
}
