//! What the mirror's statements cost with 100,000 users, 2,000 groups and 400,000 memberships in one
//! tenant, on SQLite in a file: `cargo run --release -p scaigate-kv --example mirror_cost`. Each line is
//! a step: how many statements, their time together, the slowest of them. With `plans` as an argument,
//! how SQLite goes about each statement.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example is run by hand"
)]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use scaigate_kv::directory::event::{self, UserChange, UserKey};
use scaigate_kv::directory::listing::{self, Page};
use scaigate_kv::directory::super_admin::{self, Election};
use scaigate_kv::directory::sync_apply::{self, Covered};
use scaigate_kv::directory::sync_run::{self, Begun, Outcome, StartedBy};
use scaigate_kv::directory::{
    self, Cause, Scope, Stamp, change_log, compare, role, webhook_delivery, why,
};
use scaigate_kv::file::FileDatabase;
use scaigate_kv::memory::MemoryDatabase;
use scaigate_kv::schema::migrate;
use scaigate_types::{
    Database, GroupId, Issuer, PersonId, Query, Row, StoreError, Subject, TenantId, Timestamp,
    Transaction, Value,
};
use serde_json::json;

const USERS: usize = 100_000;
const GROUPS: usize = 2_000;
const MEMBERS: usize = 200;
/// Rows of a page at ScaiKey.
const PAGE: usize = 1_000;
/// Memberships of one statement, as the sync makes them.
const BATCH: usize = 10_000;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Statements with their times.
#[derive(Default)]
struct Clock {
    count: u32,
    total: Duration,
    slowest: Duration,
    plans: Option<BTreeSet<String>>,
}

/// A store that looks at the clock.
struct Timed<'a, Q> {
    on: &'a Q,
    clock: &'a RefCell<Clock>,
}

impl<Q: Query> Query for Timed<'_, Q> {
    async fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.plan(sql, parameters).await?;
        let begun = Instant::now();
        let rows = self.on.query(sql, parameters).await;
        let took = begun.elapsed();
        let mut clock = self.clock.borrow_mut();
        clock.count += 1;
        clock.total += took;
        clock.slowest = clock.slowest.max(took);
        rows
    }
}

impl<Q: Query> Timed<'_, Q> {
    /// Whether the plan of a statement is wanted and has not been told.
    fn is_new(&self, sql: &str) -> bool {
        let mut clock = self.clock.borrow_mut();
        let plans = clock.plans.as_mut();
        plans.is_some_and(|plans| plans.insert(sql.to_owned()))
    }

    /// Says once how the statement is gone about.
    async fn plan(&self, sql: &str, parameters: &[Value]) -> Result<(), StoreError> {
        if !self.is_new(sql) {
            return Ok(());
        }
        let explained = format!("EXPLAIN QUERY PLAN {sql}");
        let rows = self.on.query(&explained, parameters).await?;
        println!("\n{sql}");
        for row in &rows {
            println!("    {}", row.text(3)?);
        }
        Ok(())
    }
}

/// Says what a step took.
fn step<T>(
    what: &str,
    clock: &RefCell<Clock>,
    act: impl Future<Output = Result<T, StoreError>>,
) -> T {
    let outcome = block_on(act).expect(what);
    let mut clock = clock.borrow_mut();
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "{what:44} {:6} statements {:10.1} ms, slowest {:9.2} ms",
        clock.count,
        millis(clock.total),
        millis(clock.slowest)
    );
    let plans = clock.plans.take();
    *clock = Clock {
        plans,
        ..Clock::default()
    };
    outcome
}

struct Scale {
    issuer: Issuer,
    tenant_id: TenantId,
    pages: Vec<String>,
    users: String,
    groups: String,
    group_ids: Vec<GroupId>,
    members: Vec<String>,
}

impl Scale {
    fn new() -> Self {
        let user = |n: usize| format!("usr_{n:08}");
        let row = |n: usize| {
            json!({ "user_id": user(n), "email": format!("user.{n}@acme.example"),
                    "display_name": format!("User {n}"), "status": "active" })
        };
        let all: Vec<usize> = (0..USERS).collect();
        let pages = all.chunks(PAGE);
        let pages = pages.map(|page| json!(page.iter().map(|n| row(*n)).collect::<Vec<_>>()));
        let group = |n: usize| format!("grp_{n:06}");
        let groups = (0..GROUPS).map(|n| {
            json!({ "group_id": group(n), "name": format!("Group {n}"), "group_type": "SECURITY" })
        });
        let members = |group: usize| {
            let ids = (0..MEMBERS).map(|n| user((group * 7919 + n * 499) % USERS));
            json!(ids.collect::<Vec<_>>()).to_string()
        };
        Self {
            issuer: Issuer::parse("https://scaikey.test/tenants/tnt_1").expect("an issuer"),
            tenant_id: TenantId::parse("tnt_1").expect("a tenant"),
            pages: pages.map(|page| page.to_string()).collect(),
            users: json!(all.iter().map(|n| user(*n)).collect::<Vec<_>>()).to_string(),
            groups: json!(groups.collect::<Vec<_>>()).to_string(),
            group_ids: (0..GROUPS)
                .map(|n| GroupId::parse(&group(n)).expect("a group"))
                .collect(),
            members: (0..GROUPS).map(members).collect(),
        }
    }

    fn user(&self, n: usize) -> Subject {
        Subject::parse(&format!("usr_{n:08}")).expect("a user")
    }

    /// Reads and compares everything; what differs.
    fn compared(&self, on: &impl Query, clock: &RefCell<Clock>) -> Differences {
        let users = step("compare users", clock, async {
            let mut changed = Vec::new();
            for page in &self.pages {
                let rows = compare::changed_users(on, &self.issuer, page).await?;
                if !rows.is_empty() {
                    changed.push(rows.json);
                }
            }
            Ok(changed)
        });
        let groups = step("compare groups", clock, async {
            compare::changed_groups(on, &self.tenant_id, &self.groups).await
        });
        let joined = step("compare members", clock, async {
            let mut batches = Vec::new();
            let mut batch: Vec<String> = Vec::new();
            for (group_id, members) in self.group_ids.iter().zip(&self.members) {
                let (tenant_id, at) = (&self.tenant_id, NOW);
                let (joined, _) =
                    compare::changed_members(on, tenant_id, group_id, members, at).await?;
                if joined.is_empty() {
                    continue;
                }
                batch.push(format!("[\"{group_id}\",{}]", joined.json));
                if batch.len() * MEMBERS >= BATCH {
                    batches.push(format!("[{}]", std::mem::take(&mut batch).join(",")));
                }
            }
            Ok(batches)
        });
        step("compare what is absent", clock, async {
            compare::mirrored_tenants(on).await?;
            compare::absent_users(on, &self.issuer, &self.users, NOW).await?;
            let ids: Vec<&str> = self.group_ids.iter().map(GroupId::as_str).collect();
            compare::absent_groups(on, &self.tenant_id, &json!(ids).to_string(), NOW).await?;
            compare::absent_tenants(on, "[\"tnt_1\"]", NOW).await?;
            compare::size(on).await
        });
        Differences {
            users,
            groups: groups.json,
            joined,
        }
    }

    /// One sync from its beginning to its end.
    fn syncs(&self, db: &FileDatabase, clock: &RefCell<Clock>, at: Timestamp) {
        let on = Timed { on: db, clock };
        let Ok(Begun::Run(sync_id)) = block_on(sync_run::begin(db, StartedBy::Call, at)) else {
            panic!("a run is under way");
        };
        let differences = self.compared(&on, clock);
        let stamp = Stamp {
            cause: Cause::Sync(sync_id),
            now: at,
            at,
        };
        let begun = Instant::now();
        let tx = block_on(db.begin()).expect("a transaction");
        let on = Timed { on: &tx, clock };
        step("apply users", clock, async {
            sync_apply::know_tenant(&on, &self.tenant_id, &stamp).await?;
            for rows in &differences.users {
                sync_apply::users(&on, &self.issuer, &self.tenant_id, rows, &stamp).await?;
            }
            Ok(())
        });
        step("apply groups", clock, async {
            sync_apply::groups(&on, &self.tenant_id, &differences.groups, &stamp).await
        });
        step("apply members", clock, async {
            for pairs in &differences.joined {
                sync_apply::joined(&on, &self.tenant_id, pairs, &stamp).await?;
            }
            Ok(())
        });
        step("finish", clock, async {
            let covered = Covered {
                users_method: "effective_users",
                user_statuses: true,
                groups: true,
                tenants: true,
                read_until: at,
                started_at: at,
            };
            sync_apply::finish(&on, covered, &stamp).await
        });
        step("elect", clock, async {
            super_admin::reconcile(&on, self.election(), &stamp).await
        });
        step("end sessions", clock, async {
            directory::end_sessions_of_inactive(&on, Scope::All, at).await
        });
        step("count changes", clock, async {
            sync_apply::changed(&on, &stamp, "user").await?;
            sync_apply::changed(&on, &stamp, "membership").await
        });
        block_on(sync_run::end(
            &on,
            sync_id,
            Outcome::Applied,
            None,
            "{}",
            at,
        ))
        .expect("an end");
        step("commit", clock, async {
            let begun = Instant::now();
            tx.commit().await?;
            clock.borrow_mut().total += begun.elapsed();
            Ok(())
        });
        println!("the transaction took {:?}\n", begun.elapsed());
    }

    const fn election(&self) -> Election<'static> {
        Election {
            groups: "[\"grp_000001\",\"Group 2\",\"grp_none\"]",
            bootstrap: Some("user.7@acme.example"),
        }
    }

    fn events(&self, db: &FileDatabase, clock: &RefCell<Clock>, at: Timestamp) {
        let on = Timed { on: db, clock };
        let stamp = Stamp {
            cause: Cause::Webhook("evt_1".to_owned()),
            now: at,
            at,
        };
        let (tenant_id, user_id) = (&self.tenant_id, self.user(4711));
        let key = UserKey {
            issuer: &self.issuer,
            tenant_id,
            user_id: &user_id,
        };
        let group_id = self.group_ids.get(1).expect("a group");
        step("a user's status", clock, async {
            let change = UserChange {
                status: Some("suspended"),
                ..UserChange::default()
            };
            event::user(&on, key, change, &stamp).await
        });
        step("a membership", clock, async {
            event::membership(&on, tenant_id, group_id, &user_id, true, &stamp).await
        });
        step("an election after it", clock, async {
            super_admin::reconcile(&on, self.election(), &stamp).await
        });
        step("a user's deletion", clock, async {
            event::user_deleted(&on, key, &stamp).await
        });
        step("the end of a user's sessions", clock, async {
            let person_id = event::person_id(&on, key).await?;
            let person_id = person_id.ok_or(StoreError::Corrupt)?;
            directory::end_sessions_of_inactive(&on, Scope::Person(&person_id), at).await
        });
        step("the end of everybody's", clock, async {
            directory::end_sessions_of_inactive(&on, Scope::All, at).await
        });
        step("a group's deletion", clock, async {
            event::group_deleted(&on, tenant_id, group_id, &stamp).await
        });
    }

    fn lists(&self, db: &FileDatabase, clock: &RefCell<Clock>) {
        let on = Timed { on: db, clock };
        let page = Page {
            tenant_id: None,
            search: None,
            status: None,
            page: 1,
            per_page: 100,
        };
        let last = Page { page: 1000, ..page };
        let (tenant, search) = (Some(&self.tenant_id), Some("user.999"));
        step("first users", clock, listing::users(&on, page));
        step("last users", clock, listing::users(&on, last));
        let of_tenant = Page {
            tenant_id: tenant,
            ..page
        };
        step("a tenant's users", clock, listing::users(&on, of_tenant));
        let found = Page {
            search,
            ..of_tenant
        };
        step("a search", clock, listing::users(&on, found));
        step("first groups", clock, listing::groups(&on, page));
        let group_id = self.group_ids.get(5).expect("a group");
        step("members", clock, listing::members(&on, group_id, page));
        step(
            "why",
            clock,
            why::known(&on, "User.5@acme.example", "[\"Group 1\"]"),
        );
        step(
            "by identifier",
            clock,
            role::by_user_id(&on, "usr_00000009", tenant),
        );
        step(
            "by address",
            clock,
            role::by_email(&on, "user.9@acme.example"),
        );
        step("first changes", clock, change_log::read(&on, 0, None, 1000));
        step(
            "last changes",
            clock,
            change_log::read(&on, 500_000, tenant, 1000),
        );
        step(
            "deliveries",
            clock,
            webhook_delivery::list(&on, None, 1, 100),
        );
        step("super admins", clock, super_admin::count(&on));
    }
}

struct Differences {
    users: Vec<String>,
    groups: String,
    joined: Vec<String>,
}

/// Sessions of every tenth user, so that there is something to look at.
fn begin_sessions(db: &FileDatabase) {
    let sql = "INSERT INTO session (sid, person_id, tenant_id, created_at, expires_at, generation)
        SELECT 'ses_' || rowid, person_id, tenant_id, 1, ?1, 0 FROM person WHERE rowid % 10 = 0";
    let expiry = NOW.plus(Duration::from_secs(1_000_000));
    block_on(db.query(sql, &[expiry.into()])).expect("sessions");
    let sql = "INSERT INTO webhook_delivery (received_at, event_id, event_type, outcome)
        SELECT ?1 - rowid, person_id, 'user.updated', 'applied' FROM person";
    block_on(db.query(sql, &[NOW.into()])).expect("deliveries");
    let sql = "SELECT person_id FROM person LIMIT 1";
    let rows = block_on(db.query(sql, &[])).expect("a person");
    let person_id = rows.first().expect("a person").text(0).expect("text");
    PersonId::parse(person_id).expect("an identifier");
}

fn main() {
    let folder = std::env::temp_dir().join(format!("scaigate-mirror-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("sqlite.db");
    let memory = MemoryDatabase::new().expect("SQLite in memory");
    block_on(migrate(&memory)).expect("a schema");
    let uri = format!("file:{}?vfs=unix", path.to_str().expect("a path of text"));
    block_on(memory.query("VACUUM INTO ?1", &[uri.into()])).expect("a file");
    let db = FileDatabase::open(&path, Duration::from_secs(5)).expect("a database");
    block_on(db.query("PRAGMA journal_mode = WAL", &[])).expect("a journal");

    let plans = std::env::args().any(|argument| argument == "plans");
    let clock = RefCell::new(Clock {
        plans: plans.then(BTreeSet::new),
        ..Clock::default()
    });
    let scale = Scale::new();
    let after = |seconds| NOW.plus(Duration::from_secs(seconds));
    println!("The first sync, into nothing:");
    scale.syncs(&db, &clock, NOW);
    begin_sessions(&db);
    println!("The second, without a change:");
    scale.syncs(&db, &clock, after(3600));
    println!("Events:");
    scale.events(&db, &clock, after(3700));
    println!("\nPages:");
    scale.lists(&db, &clock);
    println!("\nA sync after the events:");
    scale.syncs(&db, &clock, after(7200));
    drop(db);
    std::fs::remove_dir_all(&folder).expect("the folder");
}
