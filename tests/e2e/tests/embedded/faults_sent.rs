//! A flow sent while something fails: what is answered.

use std::pin::pin;
use std::time::Duration;

use scaigate_e2e::{Answer, Effect, Target, When, World};

use crate::faults_flows::{Flow, is_impatient};
use crate::faults_stage::Shot;

/// Longest that a component waits for anybody. Longer is the runner's own time-out: the component's is over
/// then, and it has only not said so yet.
const LONGEST_PATIENCE: Duration = Duration::from_secs(300);

/// Longer is a time-out.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(3);

/// One fault: what the table calls it, what fails, at which calls, and what the runner does then.
#[derive(Clone, Copy)]
pub struct Fault<'a> {
    pub how: &'static str,
    pub target: &'a Target,
    pub when: When,
    pub effect: Effect,
}

/// The status, and the code of a failure wherever it is told.
pub fn said(answer: Option<&Answer>) -> String {
    let Some(answer) = answer else {
        return "no answer".to_owned();
    };
    let status = answer.status.as_u16();
    let page = answer.header("content-type").starts_with("text/html");
    let code = match status {
        303 => answer.location_parameter("error"),
        _ if page => {
            let text = answer.text();
            // The callback's page and the console's.
            let code = ["Code ", "<dt>Code</dt><dd><code>"]
                .iter()
                .find_map(|label| text.split_once(label));
            let (_, rest) = code.expect("the code on the page");
            let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c == '_'));
            rest[..end.unwrap_or(rest.len())].to_owned()
        }
        200 => reported(answer),
        _ => answer.code(),
    };
    if answer.code() == "store_unavailable" && answer.json()["error"].is_object() {
        assert_eq!(answer.header("retry-after"), "1");
    }
    match code.as_str() {
        "" => status.to_string(),
        code => format!("{status} `{code}`"),
    }
}

/// What an answer that is none of a failure says of one: a report of health, or a sign-out that has not
/// ended the session.
fn reported(answer: &Answer) -> String {
    if !answer
        .header("content-type")
        .starts_with("application/json")
    {
        return String::new();
    }
    let body = answer.json();
    if body["session_ended"] == false {
        return "session_ended: false".to_owned();
    }
    let findings = body["findings"].as_array().into_iter().flatten();
    let mut codes: Vec<&str> = findings
        .filter(|finding| finding["severity"] == "error")
        .filter_map(|finding| finding["code"].as_str())
        .collect();
    codes.sort_unstable();
    codes.dedup();
    codes.join("`, `")
}

impl Fault<'_> {
    /// Sends the flow under this fault.
    pub async fn strike(self, world: &World, shot: &Shot, flow: &Flow) -> String {
        world.faults.reset_calls();
        world
            .faults
            .set(self.target.clone(), self.when, self.effect);
        let answer = match self.how {
            "killed" => killed(world, shot).await,
            "silent" => waited_out(world, shot).await,
            _ => sent(world, shot, flow).await,
        };
        world.faults.clear();
        answer
    }
}

/// Sends it while time stands still.
pub async fn sent(world: &World, shot: &Shot, flow: &Flow) -> String {
    // A component whose call is refused before its streamed body is looked at hears of it at its next
    // wake: time has to go on. And whoever waits for a store for moments only must not be hurried.
    if flow.1.ends_with("/inference/chat") || is_impatient(flow) {
        return said(shot.send(world).await.as_ref());
    }
    let (answer, _) = world.hurry(None, shot.send(world)).await;
    said(answer.as_ref())
}

/// Sends it, and kills all instances once a call hangs. Nobody hears of it then: of two that called one
/// another, the one that ends last may still answer.
async fn killed(world: &World, shot: &Shot) -> String {
    let answered = tokio::select! {
        biased;
        answer = shot.send(world) => Some(said(answer.as_ref())),
        () = world.faults.hung() => None,
    };
    if let Some(answered) = answered {
        return answered;
    }
    world.host().kill_instances();
    world.host().without_instances().await;
    said(None)
}

/// Sends it; whoever waits for a call that hangs gives up at once.
async fn waited_out(world: &World, shot: &Shot) -> String {
    world.clock.freeze();
    let mut request = pin!(shot.answer());
    let mut has_hung = false;
    let answer = loop {
        let stuck = async {
            if !has_hung {
                world.faults.hung().await;
            }
            // Nobody tells when the caller's time-out runs.
            tokio::time::sleep(Duration::from_millis(20)).await;
            world.clock.next_wake().await
        };
        tokio::select! {
            biased;
            answer = &mut request => break answer,
            wake = stuck => {
                has_hung = true;
                let wait = Duration::from_nanos(wake.saturating_sub(world.clock.monotonic()));
                // Who waits between two attempts need not, either; others are busy.
                let patience = match world.faults.is_hanging() {
                    true => LONGEST_PATIENCE,
                    false => BETWEEN_ATTEMPTS,
                };
                if wait <= patience {
                    world.clock.advance(wait);
                }
            }
        }
    };
    world.clock.thaw();
    // A call that nobody waits for any more hangs for ever, and its instance with it.
    world.host().kill_instances();
    world.host().without_instances().await;
    said(answer.as_ref())
}
