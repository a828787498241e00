//! The table of outcomes as a document.

use std::fmt::Write as _;

use crate::faults_flows::{Flow, WITHOUT, Who};

/// What comes of one fault: the answer, what is left behind, and what the same request does afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub answer: String,
    pub left: String,
    pub again: String,
}

/// What comes of a fault of some kind at some call.
pub struct Row {
    pub how: &'static str,
    pub call: u64,
    pub outcome: Outcome,
}

/// What one store, or one neighbour, does to one flow.
pub struct Part {
    pub name: String,
    /// How many calls there are, where they come one after another.
    pub calls: Option<u64>,
    pub rows: Vec<Row>,
}

/// What becomes of one flow.
pub struct Section {
    pub flow: Flow,
    pub usual: String,
    pub changes: String,
    pub parts: Vec<Part>,
}

const INTRODUCTION: &str = "\
# What happens when a store, ScaiKey or ScaiGrid fails

Made by the test `faults` (`tests/e2e`) on the components that ship: it sends every request with one fault
at each of its calls in turn, looks at what the stores then hold, and sends the same request again. It
fails when an outcome changes or a route of `spin.toml` is missing here. After a change that is meant:
`SCAIGATE_UPDATE=1 cargo test --workspace --test embedded -- faults::`.

- **Fails** names who fails, and how many calls an instance that has just started makes, one that has read
  nothing yet: a warm one makes fewer. To open SQLite is a call too, and so is each look whether the schema is there.
  Where there is no number, the calls are made side by side, and all of them fail at once.
- **How** says at which of the calls: *refused*, nothing was done; *lost*, it was done and the answer never
  came; *silent*, no answer until the caller gives up; *killed*, the instance ends in the midst of the
  call; *down*, every call is refused; *slow*, every call of a store takes a tenth of a second. A
  request that only reads is not killed: it leaves nothing.
- **Left behind**: *nothing*; *all*, a change wherever the request changes something when nothing fails; or where
  something has changed. What goes on after the answer is done by then.
- **Again**: the same request three seconds later, when the fault is over. What makes something each time (a flow, a
  core at ScaiGrid) then makes a second one, where *all* was left behind.
  It *works* when it is answered as usual and what it changes is changed then.

A store that fails is never mistaken for a refusal: a first try comes to what it would have come to, or to
`store_unavailable` (503 with `Retry-After: 1`; the callback tells the app in its redirect). A sign-out at the console
always signs the browser out, and says `session_ended: false` where the session may live on, until it expires.

Routes that are not here:

";

fn who(who: Who) -> &'static str {
    match who {
        Who::Nobody => "",
        Who::Session => ", a session",
        Who::AccessToken => ", ScaiKey's access token",
        Who::Newcomer => ", ScaiKey's access token of somebody new",
        Who::Reader | Who::Writer => ", an operator",
        Who::DevToken => ", the deployment's own token",
        Who::ScaiKeysAnswer => ", ScaiKey's answer",
        Who::SessionCode => ", a session code",
        Who::AuthorizationCode => ", an authorization code",
        Who::OurRefreshToken => ", our refresh token",
        Who::ScaiKeysRefreshToken => ", ScaiKey's refresh token",
        Who::SessionToEnd => ", our refresh token",
        Who::LogoutToken => ", a logout token",
        Who::Event => ", an event",
        Who::Page => ", somebody signed in",
        Who::OldPage => ", somebody whose token is to be renewed",
        Who::ConsolesAnswer => ", a session code",
    }
}

/// `1–3, 5`, or nothing where it is every call.
fn ranges(calls: &[u64], all: u64) -> String {
    if calls.len() as u64 == all || calls == [0] {
        return String::new();
    }
    let mut text = String::new();
    let mut rest = calls;
    while let Some(first) = rest.first() {
        let run = rest
            .iter()
            .zip(*first..)
            .take_while(|(call, expected)| **call == *expected)
            .count();
        let comma = if text.is_empty() { " " } else { ", " };
        match run {
            1 => write!(text, "{comma}{first}"),
            _ => write!(text, "{comma}{first}–{}", first + run as u64 - 1),
        }
        .expect("a text");
        rest = &rest[run..];
    }
    text
}

/// Which faults have this outcome.
fn faults(part: &Part, outcome: &Outcome) -> String {
    let mut kinds: Vec<&str> = Vec::new();
    for row in &part.rows {
        if !kinds.contains(&row.how) {
            kinds.push(row.how);
        }
    }
    let mut texts = Vec::new();
    for kind in kinds {
        let of_kind = part.rows.iter().filter(|row| row.how == kind);
        let calls: Vec<u64> = of_kind
            .filter(|row| row.outcome == *outcome)
            .map(|row| row.call)
            .collect();
        if !calls.is_empty() {
            let all = part.calls.unwrap_or_default();
            texts.push(format!("{kind}{}", ranges(&calls, all)));
        }
    }
    texts.join("; ")
}

fn table(section: &Section) -> String {
    let mut text =
        "| fails | how | the caller gets | left behind | again |\n|---|---|---|---|---|\n"
            .to_owned();
    for part in &section.parts {
        let mut outcomes: Vec<&Outcome> = Vec::new();
        for row in &part.rows {
            if !outcomes.contains(&&row.outcome) {
                outcomes.push(&row.outcome);
            }
        }
        for outcome in outcomes {
            let calls = part.calls.map(|calls| format!(" ({calls})"));
            writeln!(
                text,
                "| {}{} | {} | {} | {} | {} |",
                part.name,
                calls.unwrap_or_default(),
                faults(part, outcome),
                outcome.answer,
                outcome.left,
                outcome.again
            )
            .expect("a text");
        }
    }
    text
}

/// The document of all subjects.
pub fn document(subjects: &[(&str, Vec<Section>)]) -> String {
    let mut text = INTRODUCTION.to_owned();
    for (route, why) in WITHOUT {
        writeln!(text, "- `{route}` {why}.").expect("a text");
    }
    for (subject, sections) in subjects {
        writeln!(text, "\n## {subject}").expect("a text");
        let mut rest = sections.as_slice();
        while let Some(first) = rest.first() {
            let said = table(first);
            // Routes that do the same share a table.
            let alike = |other: &&Section| {
                (&other.usual, &other.changes) == (&first.usual, &first.changes)
                    && table(other) == said
            };
            let run = rest.iter().take_while(alike).count();
            let names: Vec<String> = rest[..run]
                .iter()
                .map(|section| {
                    let (method, path, _, caller) = section.flow;
                    format!("`{method} {path}`{}", who(caller))
                })
                .collect();
            write!(
                text,
                "\n### {}\n\nUndisturbed: {}; changes {}.\n\n",
                names.join("; "),
                first.usual,
                first.changes
            )
            .expect("a text");
            if first.parts.is_empty() {
                text.push_str("Calls nobody.\n");
            } else {
                text.push_str(&said);
            }
            rest = &rest[run..];
        }
    }
    text
}
