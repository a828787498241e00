//! Those who send: each a person with sessions, one request at a time, at a fixed rate.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::bench::client::{Answer, Connection};
use crate::bench::person::{Client, PEOPLE, deliver, event};
use crate::bench::site::Site;
use crate::settings::WEBHOOK_SECRET;
use crate::soak::ledger::{Ledger, Session};

/// Sessions a person keeps; more are ended.
const SESSIONS: usize = 20;
/// How long a revocation may take to be known everywhere.
const REVOKED_WITHIN: Duration = Duration::from_secs(2);
/// Longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a session of the operator's is used.
const OPERATOR_TOKEN_LIFE: Duration = Duration::from_secs(60);

const JSON: (&str, &str) = ("content-type", "application/json");

/// A turn of requests; what is more frequent stands there more often.
const TURN: [Request; 20] = [
    Request::SignIn,
    Request::Me,
    Request::Refresh,
    Request::Event,
    Request::Lookup,
    Request::Me,
    Request::Refresh,
    Request::Event,
    Request::Role,
    Request::Me,
    Request::Refresh,
    Request::Event,
    Request::Lookup,
    Request::ForgedEvent,
    Request::SignIn,
    Request::Logout,
    Request::EndedSession,
    Request::Refresh,
    Request::ForbiddenRole,
    Request::Lookup,
];

#[derive(Clone, Copy)]
enum Request {
    SignIn,
    Me,
    Refresh,
    Lookup,
    Logout,
    /// A token of a session that is over: refused.
    EndedSession,
    Event,
    /// Signed with another secret: refused.
    ForgedEvent,
    /// An operator gives or takes a role.
    Role,
    /// Somebody without a role gives one: refused.
    ForbiddenRole,
}

/// One request of each kind: what serves them is compiled then, and whoever gets a role is known.
///
/// # Errors
/// The directory could not be synced: then nobody would be known who gets a role.
pub fn warm_up(site: &Site) -> Result<Ledger> {
    let mut worker = Worker::new(site, 0);
    let end = Instant::now() + PATIENCE;
    let sync = loop {
        let answer = worker.operator.request("POST", "/v1/admin/sync", "{}")?;
        // The one that is due by itself may run: whose it is, the directory is known after it.
        if answer.status != 409 || Instant::now() > end {
            break answer;
        }
        thread::sleep(Duration::from_millis(100));
    };
    let (status, body) = (sync.status, String::from_utf8_lossy(&sync.body));
    ensure!(status == 200, "the first sync answered {status}: {body}");
    worker
        .ledger
        .note("sync", Ok(sync), |status| status == 200, |_| false);
    for request in TURN {
        worker.perform(request);
    }
    Ok(worker.ledger)
}

/// Sends until it is over. Returns what was acknowledged.
pub fn send(site: &Site, number: u32, between: Duration, is_over: &AtomicBool) -> Ledger {
    let mut worker = Worker::new(site, number as usize);
    let mut due = Instant::now();
    for request in TURN.iter().cycle() {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        worker.perform(*request);
        due += between;
    }
    worker.ledger
}

/// Asks for syncs until it is over.
pub fn sync(site: &Site, between: Duration, is_over: &AtomicBool) -> Ledger {
    let mut ledger = Ledger::default();
    let mut operator = Operator::new(site);
    let mut due = Instant::now();
    while !is_over.load(Ordering::Relaxed) {
        if Instant::now() < due {
            thread::sleep(Duration::from_millis(100));
            continue;
        }
        due += between;
        let answer = operator.request("POST", "/v1/admin/sync", "{}");
        // 409: one that was killed holds its lease until that ends.
        ledger.note(
            "sync",
            answer,
            |status| status == 200,
            |status| status == 409,
        );
    }
    ledger
}

/// The number of the person who administers: the last.
const ADMINISTRATOR: usize = PEOPLE.len() - 1;

/// The super admin.
pub struct Operator {
    person: Client,
    application: Connection,
    token: Option<(String, Instant)>,
}

impl Operator {
    /// One that has asked for nothing yet.
    pub fn new(site: &Site) -> Self {
        Self {
            person: Client::new(site, ADMINISTRATOR),
            application: Connection::patient(site.application, 4 * PATIENCE),
            token: None,
        }
    }

    /// Who it is.
    pub fn name() -> &'static str {
        PEOPLE.get(ADMINISTRATOR).copied().unwrap_or_default()
    }

    /// Sends a request with a session of the operator's.
    ///
    /// # Errors
    /// There is no answer.
    pub fn request(&mut self, method: &str, target: &str, body: &str) -> Result<Answer> {
        let now = Instant::now();
        let token = match &self.token {
            Some((token, got)) if now.duration_since(*got) < OPERATOR_TOKEN_LIFE => token.clone(),
            _ => {
                let token = self.person.sign_in()?;
                self.token = Some((token.clone(), now));
                token
            }
        };
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), JSON];
        self.application.request(method, target, &headers, body)
    }
}

struct Worker {
    person: Client,
    name: &'static str,
    /// Whose role it gives and takes: nobody else does.
    subject: &'static str,
    application: Connection,
    operator: Operator,
    ledger: Ledger,
    turns: usize,
}

impl Worker {
    fn new(site: &Site, number: usize) -> Self {
        let named = |number: usize| PEOPLE.get(number % PEOPLE.len()).copied();
        Self {
            person: Client::new(site, number),
            name: named(number).unwrap_or_default(),
            // Beyond those who send, and none of them the operator.
            subject: named(number + PEOPLE.len() / 2).unwrap_or_default(),
            application: Connection::patient(site.application, PATIENCE),
            operator: Operator::new(site),
            ledger: Ledger::default(),
            turns: 0,
        }
    }

    fn perform(&mut self, request: Request) {
        self.turns += 1;
        match request {
            Request::SignIn => self.sign_in(),
            Request::Me => self.read("me", "/v1/me"),
            Request::Lookup => self.read("lookup", "/v1/scaigrid/models"),
            Request::Refresh => self.refresh(),
            Request::Logout => self.log_out(),
            Request::EndedSession => self.use_what_ended(),
            Request::Event => self.tell(),
            Request::ForgedEvent => self.lie(),
            Request::Role => self.set_role(),
            Request::ForbiddenRole => self.set_forbidden_role(),
        }
    }

    /// One of the sessions, another each time.
    fn session(&self) -> Option<(usize, Session)> {
        let index = self.turns.checked_rem(self.ledger.sessions.len())?;
        Some((index, self.ledger.sessions.get(index)?.clone()))
    }

    fn sign_in(&mut self) {
        let count = self.ledger.counts.entry("sign-in").or_default();
        let Ok(begun) = self.person.begin_session() else {
            // Some answer on the way was missing: nobody has the session, if there is one.
            count.lost += 1;
            return;
        };
        count.answered += 1;
        match Session::of(&begun.tokens) {
            Some(session) => self.ledger.sessions.push(session),
            None => self
                .ledger
                .faults
                .push("a session without tokens".to_owned()),
        }
        // The code is spent.
        let body = json!({ "session_code": begun.session_code }).to_string();
        let answer = self
            .application
            .request("POST", "/v1/auth/token", &[JSON], &body);
        self.ledger
            .note("spent code", answer, |status| status == 400, |_| false);
    }

    fn read(&mut self, kind: &'static str, target: &str) {
        let Some((_, session)) = self.session() else {
            return;
        };
        let bearer = format!("Bearer {}", session.access_token);
        let headers = [("authorization", bearer.as_str())];
        let answer = self.application.request("GET", target, &headers, "");
        self.ledger
            .note(kind, answer, |status| status == 200, |_| false);
    }

    fn refresh(&mut self) {
        let Some((index, session)) = self.session() else {
            return;
        };
        let body = json!({ "refresh_token": session.refresh_token }).to_string();
        let target = "/v1/auth/refresh";
        let answer = self.application.request("POST", target, &[JSON], &body);
        let answer = self
            .ledger
            .note("refresh", answer, |status| status == 200, |_| false);
        let renewed = answer.as_ref().and_then(Session::of);
        if let (Some(held), Some(renewed)) = (self.ledger.sessions.get_mut(index), renewed) {
            *held = renewed;
        }
    }

    fn log_out(&mut self) {
        if self.ledger.sessions.len() <= SESSIONS / 2 {
            return;
        }
        while self.ledger.sessions.len() > SESSIONS / 2 {
            let Some((index, _)) = self.session() else {
                return;
            };
            let session = self.ledger.sessions.remove(index);
            let body = json!({ "refresh_token": session.refresh_token }).to_string();
            let target = "/v1/auth/logout";
            let answer = self.application.request("POST", target, &[JSON], &body);
            let is_done = |status| status == 200 || status == 204;
            // Without an answer it may be over or not, and nobody holds it any more.
            if self
                .ledger
                .note("logout", answer, is_done, |_| false)
                .is_some()
            {
                self.ledger.ended.push((session, Instant::now()));
            }
        }
    }

    fn use_what_ended(&mut self) {
        let index = self.turns.checked_rem(self.ledger.ended.len());
        let ended = index.and_then(|index| self.ledger.ended.get(index));
        let Some((session, since)) = ended.cloned() else {
            return;
        };
        if since.elapsed() < REVOKED_WITHIN {
            return;
        }
        let bearer = format!("Bearer {}", session.access_token);
        let headers = [("authorization", bearer.as_str())];
        let answer = self.application.request("GET", "/v1/me", &headers, "");
        self.ledger
            .note("ended session", answer, |status| status == 401, |_| false);
    }

    fn tell(&mut self) {
        let (id, text) = event(self.name);
        let answer = deliver(&mut self.application, &text, WEBHOOK_SECRET);
        if self
            .ledger
            .note("event", answer, |status| status == 200, |_| false)
            .is_some()
        {
            self.ledger.events.push((id, text));
        }
    }

    fn lie(&mut self) {
        let (id, text) = event(self.name);
        let answer = deliver(&mut self.application, &text, "another secret");
        if self
            .ledger
            .note("forged event", answer, |status| status == 400, |_| false)
            .is_some()
        {
            self.ledger.forged.push((id, text));
        }
    }

    fn set_role(&mut self) {
        let target = format!("/v1/admin/users/usr_{}_acme/role", self.subject);
        let role = (self.turns / TURN.len())
            .is_multiple_of(2)
            .then_some("tenant_admin");
        let answer = match role {
            Some(role) => {
                let body = json!({ "role": role }).to_string();
                self.operator.request("POST", &target, &body)
            }
            None => self.operator.request("DELETE", &target, ""),
        };
        let is_done = self
            .ledger
            .note("role", answer, |status| status == 204, |_| false)
            .is_some();
        let may_be = self
            .ledger
            .roles
            .entry(self.subject.to_owned())
            .or_default();
        if is_done {
            may_be.clear();
            self.ledger.role_changes += 1;
        } else if may_be.is_empty() {
            may_be.push(None);
        }
        may_be.push(role);
    }

    fn set_forbidden_role(&mut self) {
        let Some((_, session)) = self.session() else {
            return;
        };
        let bearer = format!("Bearer {}", session.access_token);
        let headers = [("authorization", bearer.as_str()), JSON];
        let target = format!("/v1/admin/users/usr_{}_acme/role", self.name);
        let body = json!({ "role": "super_admin" }).to_string();
        let answer = self.application.request("POST", &target, &headers, &body);
        self.ledger
            .note("forbidden role", answer, |status| status == 403, |_| false);
    }
}

impl Ledger {
    /// Notes how a request ended: its body, if it was answered as it should be. A status that is neither
    /// that, nor one that may be meanwhile, nor 503, is a fault.
    pub fn note(
        &mut self,
        kind: &'static str,
        answer: Result<Answer>,
        is_done: impl Fn(u16) -> bool,
        may_be: impl Fn(u16) -> bool,
    ) -> Option<Value> {
        let count = self.counts.entry(kind).or_default();
        let Ok(answer) = answer else {
            count.lost += 1;
            return None;
        };
        let status = answer.status;
        if is_done(status) {
            count.answered += 1;
            return Some(serde_json::from_slice(&answer.body).unwrap_or_default());
        }
        count.unavailable += 1;
        if !may_be(status) && status != 503 {
            let body = String::from_utf8_lossy(&answer.body);
            let body: String = body.chars().take(300).collect();
            self.faults
                .push(format!("{kind} answered {status}: {body}"));
        }
        None
    }
}
