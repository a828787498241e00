//! Whether everything that was acknowledged is there afterwards, and nothing that was refused.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::bench::answer::{expect, json_body};
use crate::bench::client::{Answer, Connection};
use crate::bench::person::deliver;
use crate::settings::WEBHOOK_SECRET;
use crate::soak::ledger::{Ledger, Session};
use crate::soak::site::Site;
use crate::soak::traffic::Operator;

/// How long the lease of a sync that was killed may last.
const LEASE: Duration = Duration::from_secs(180);

/// Looks, and tells in words what is not as it should be.
///
/// # Errors
/// There is no answer.
pub fn look(site: &mut Site<'_>, ledger: &Ledger) -> Result<Vec<String>> {
    let servers = site.servers();
    let mut proof = Proof {
        application: Connection::new(servers.application),
        operator: Operator::new(&servers),
        faults: Vec::new(),
    };
    proof.sync()?;
    proof.sessions(&ledger.sessions)?;
    proof.ended(ledger)?;
    proof.roles(ledger)?;
    proof.audit(ledger)?;
    proof.events(ledger)?;
    proof.faults.extend(site.verify_audit()?);
    Ok(proof.faults)
}

struct Proof {
    application: Connection,
    operator: Operator,
    faults: Vec<String>,
}

impl Proof {
    fn claim(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(otherwise());
        }
    }

    /// A sync succeeds, as soon as the lease of the last that was killed is over.
    fn sync(&mut self) -> Result<()> {
        let start = Instant::now();
        loop {
            let answer = self.operator.request("POST", "/v1/admin/sync", "{}")?;
            if answer.status == 409 && start.elapsed() < LEASE {
                thread::sleep(Duration::from_secs(1));
                continue;
            }
            let status = answer.status;
            self.claim(status == 200, || format!("the last sync answered {status}"));
            return Ok(());
        }
    }

    fn post(&mut self, target: &str, body: &Value) -> Result<Answer> {
        let headers = [("content-type", "application/json")];
        self.application
            .request("POST", target, &headers, &body.to_string())
    }

    fn me(&mut self, session: &Session) -> Result<u16> {
        let bearer = format!("Bearer {}", session.access_token);
        let headers = [("authorization", bearer.as_str())];
        Ok(self
            .application
            .request("GET", "/v1/me", &headers, "")?
            .status)
    }

    /// Sessions that were acknowledged go on.
    fn sessions(&mut self, sessions: &[Session]) -> Result<()> {
        for session in sessions {
            let body = json!({ "refresh_token": session.refresh_token });
            let answer = self.post("/v1/auth/refresh", &body)?;
            let status = answer.status;
            self.claim(status == 200, || {
                format!("a session is gone: refresh answered {status}")
            });
            if let Some(renewed) = Session::of(&json_body(&answer)?) {
                let status = self.me(&renewed)?;
                self.claim(status == 200, || {
                    format!("a session's token answers {status}")
                });
            }
        }
        Ok(())
    }

    /// Sessions that ended stay so.
    fn ended(&mut self, ledger: &Ledger) -> Result<()> {
        for (session, _) in &ledger.ended {
            let status = self.me(session)?;
            self.claim(status == 401, || {
                format!("a session that ended answers {status}")
            });
            let body = json!({ "refresh_token": session.refresh_token });
            let status = self.post("/v1/auth/refresh", &body)?.status;
            self.claim(status == 400, || {
                format!("a session that ended is refreshed: {status}")
            });
        }
        Ok(())
    }

    /// Roles are those given last, and nobody has one that was refused.
    fn roles(&mut self, ledger: &Ledger) -> Result<()> {
        let list = "/v1/admin/users?per_page=500&tenant_id=tnt_acme0001";
        let page = json_body(&expect(
            200,
            "users",
            self.operator.request("GET", list, "")?,
        )?)?;
        let users = page
            .get("users")
            .and_then(Value::as_array)
            .context("users")?;
        for user in users {
            let text = |name| user.get(name).and_then(Value::as_str);
            let (id, role) = (text("id").unwrap_or_default(), text("admin_role"));
            let name = id.split('_').nth(1).unwrap_or_default();
            let own = (name == Operator::name()).then_some("super_admin");
            let may_be = ledger.roles.get(name).cloned().unwrap_or(vec![own]);
            self.claim(may_be.contains(&role), || {
                format!("{id} has the role {role:?}, not one of {may_be:?}")
            });
        }
        Ok(())
    }

    /// What was done is in the audit log.
    fn audit(&mut self, ledger: &Ledger) -> Result<()> {
        let events: BTreeSet<String> = self
            .rows("webhook.received")?
            .iter()
            .filter_map(|row| Some(row.get("target")?.as_str()?.to_owned()))
            .collect();
        for (id, _) in &ledger.events {
            let is_there = events.contains(&format!("event:{id}"));
            self.claim(is_there, || {
                format!("no row of the audit log tells of event {id}")
            });
        }
        for (id, _) in &ledger.forged {
            let is_there = events.contains(&format!("event:{id}"));
            self.claim(!is_there, || {
                format!("the audit log has the refused event {id}")
            });
        }
        let answered = |kind| ledger.counts.get(kind).map_or(0, |count| count.answered);
        for (action, least) in [
            ("session.started", answered("sign-in")),
            ("session.ended", ledger.ended.len() as u64),
        ] {
            let count = self.rows(action)?.len() as u64;
            self.claim(count >= least, || {
                format!("{count} rows of {action}, not {least}")
            });
        }
        Ok(())
    }

    /// All rows of an action.
    fn rows(&mut self, action: &str) -> Result<Vec<Value>> {
        let mut rows: Vec<Value> = Vec::new();
        let mut cursor = String::new();
        loop {
            let target = format!("/v1/admin/audit?action={action}&limit=1000{cursor}");
            let answer = self.operator.request("GET", &target, "")?;
            let page = json_body(&expect(200, "audit", answer)?)?;
            let found = page.get("entries").and_then(Value::as_array);
            rows.extend(found.context("no rows")?.iter().cloned());
            let has_more = page.get("has_more").and_then(Value::as_bool);
            match page.get("next_cursor").and_then(Value::as_i64) {
                Some(next) if has_more == Some(true) => cursor = format!("&cursor={next}"),
                _ => return Ok(rows),
            }
        }
    }

    /// Events that were acknowledged are known when they come again; those that were refused are new.
    fn events(&mut self, ledger: &Ledger) -> Result<()> {
        let known = ledger.events.iter().map(|event| (event, true));
        let refused = ledger.forged.iter().map(|event| (event, false));
        for ((id, text), is_known) in known.chain(refused) {
            let answer = deliver(&mut self.application, text, WEBHOOK_SECRET)?;
            let body = json_body(&expect(200, "an event again", answer)?)?;
            let duplicate = body.get("duplicate").and_then(Value::as_bool);
            let is_duplicate = duplicate == Some(true);
            self.claim(is_duplicate == is_known, || {
                format!("event {id} is known: {is_duplicate}, not {is_known}")
            });
        }
        Ok(())
    }
}
