//! `admin` on a database file.

use std::path::Path;
use std::time::Duration;

use futures_executor::block_on;
use scaigate_kv::directory::{self, Cause, Stamp};
use scaigate_kv::file::{FileDatabase, FileKv};
use scaigate_kv::memory::MemoryDatabase;
use scaigate_kv::revocation::{self, Revocation};
use scaigate_kv::schema::migrate;
use scaigate_kv::session::{self, NewSession};
use scaigate_types::{
    Issuer, PersonId, Query as _, SessionId, StoreError, Subject, TenantId, Timestamp, Value,
};
use serde_json::json;

use crate::bench::Bench;

/// A time that the command, which reads the machine's clock, takes for the past.
const THEN: Timestamp = Timestamp::from_secs(1_700_000_000);
const LATER: Timestamp = Timestamp::from_secs(4_000_000_000);

/// A database file with users, as a deployment has it.
pub struct Stores {
    pub bench: Bench,
}

impl Stores {
    /// In the folder `.spin` of a bench, as Spin has them.
    pub fn new(users: &[(&str, &str, &str)]) -> Self {
        let bench = Bench::new();
        std::fs::create_dir(bench.path(".spin")).unwrap();
        let memory = MemoryDatabase::new().unwrap();
        block_on(async {
            migrate(&memory).await.unwrap();
            for (user_id, tenant_id, email) in users {
                add(&memory, user_id, tenant_id, email).await.unwrap();
            }
        });
        save(&memory, &bench.path(".spin/sqlite_db.db"));
        let memory = MemoryDatabase::new().unwrap();
        let sql = "CREATE TABLE spin_key_value (store TEXT NOT NULL, key TEXT NOT NULL,
                     value BLOB NOT NULL, PRIMARY KEY (store, key))";
        block_on(memory.query(sql, &[])).unwrap();
        save(&memory, &bench.path(".spin/sqlite_key_value.db"));
        Self { bench }
    }

    pub fn database(&self) -> FileDatabase {
        let path = self.bench.path(".spin/sqlite_db.db");
        FileDatabase::open(&path, Duration::ZERO).unwrap()
    }

    pub fn sql(&self, sql: &str) -> Vec<Vec<Value>> {
        let rows = block_on(self.database().query(sql, &[])).unwrap();
        rows.into_iter().map(|row| row.0).collect()
    }

    /// The one value of a statement, as text.
    pub fn text(&self, sql: &str) -> Option<String> {
        match self.sql(sql).first().and_then(|row| row.first()) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    /// A live session of a user.
    pub fn session(&self, sid: &str, user_id: &str) -> SessionId {
        let sid = SessionId::parse(sid).unwrap();
        let sql = format!("SELECT person_id FROM person WHERE subject = '{user_id}'");
        let person_id = PersonId::parse(&self.text(&sql).unwrap()).unwrap();
        let tenant_id = TenantId::parse("tnt_acme").unwrap();
        let new = NewSession {
            sid: &sid,
            person_id: &person_id,
            tenant_id: &tenant_id,
            expires_at: LATER,
            code_hash: sid.as_str(),
            code_challenge: None,
            scaikey_sid: None,
            scaikey_tokens: b"sealed",
        };
        block_on(session::insert(&self.database(), &new, THEN)).unwrap();
        sid
    }

    pub fn revoked(&self, sid: &SessionId) -> Option<Revocation> {
        let path = self.bench.path(".spin/sqlite_key_value.db");
        let kv = FileKv::open(&path, Duration::ZERO).unwrap();
        block_on(revocation::read(&kv, sid)).unwrap()
    }
}

async fn add(
    memory: &MemoryDatabase,
    user_id: &str,
    tenant_id: &str,
    email: &str,
) -> Result<(), StoreError> {
    let tenant_id = TenantId::parse(tenant_id).unwrap();
    let issuer = Issuer::parse("https://scaikey.test").unwrap();
    let key = directory::event::UserKey {
        issuer: &issuer.of_tenant(&tenant_id).unwrap(),
        tenant_id: &tenant_id,
        user_id: &Subject::parse(user_id).unwrap(),
    };
    let change = directory::event::UserChange {
        email: Some(Some(email)),
        is_present: true,
        ..Default::default()
    };
    let stamp = Stamp {
        cause: Cause::Webhook("evt_1".to_owned()),
        now: THEN,
        at: THEN,
    };
    directory::event::user(memory, key, change, &stamp).await?;
    Ok(())
}

fn save(memory: &MemoryDatabase, path: &Path) {
    // The source is in no file system; the copy is to be in the machine's.
    let uri = format!("file:{}?vfs=unix", path.to_str().unwrap());
    block_on(memory.query("VACUUM INTO ?1", &[uri.into()])).unwrap();
}

const ACME: [(&str, &str, &str); 2] = [
    ("usr_alice", "tnt_acme", "alice@acme.example"),
    ("usr_bob", "tnt_acme", "bob@acme.example"),
];
const FILE: &str = "--database .spin/sqlite_db.db";

#[test]
fn s_10_a_role_is_given_when_nobody_is_administrator() {
    let stores = Stores::new(&ACME);
    let ran = stores.bench.run(&format!(
        "admin grant Alice@acme.example --role super_admin {FILE}"
    ));
    assert_eq!(
        ran.done(),
        "Alice@acme.example of tnt_acme is super_admin.\n"
    );
    let role =
        "SELECT admin_role || ' ' || admin_role_source FROM person WHERE subject = 'usr_alice'";
    assert_eq!(stores.text(role).as_deref(), Some("super_admin manual"));
    // The change log says who did it.
    let log = "SELECT cause || ' ' || fields FROM change_log ORDER BY cursor DESC LIMIT 1";
    let logged = stores.text(log).unwrap();
    assert!(
        logged.starts_with("operator ") && logged.contains("admin_role"),
        "{logged}"
    );
}

#[test]
fn a_role_that_is_taken_revokes_the_tokens_that_say_it() {
    let stores = Stores::new(&ACME);
    let grant = |who: &str, role: &str| {
        let line = format!("admin grant {who}@acme.example --role {role} {FILE}");
        stores.bench.run(&line).done().to_owned()
    };
    grant("alice", "super_admin");
    grant("bob", "super_admin");
    let (one, two) = (
        stores.session("ses_1", "usr_bob"),
        stores.session("ses_2", "usr_bob"),
    );
    let others = stores.session("ses_3", "usr_alice");

    let ran = stores
        .bench
        .run(&format!("admin revoke bob@acme.example --json {FILE}"));
    ran.done();
    assert_eq!(ran.json()["previous_role"], "super_admin");
    assert_eq!(ran.json()["sessions_narrowed"], 2);
    for sid in [&one, &two] {
        assert_eq!(
            stores.revoked(sid),
            Some(Revocation::Narrowed { generation: 0 })
        );
    }
    assert_eq!(stores.revoked(&others), None);

    // A role that only becomes more is in the next token.
    grant("bob", "tenant_admin");
    let shown = grant("bob", "super_admin");
    assert_eq!(
        shown,
        "bob@acme.example of tnt_acme is super_admin now, and no longer tenant_admin.\n\
         Tokens of 2 sessions are revoked; the next refresh says the new role.\n"
    );
}

#[test]
fn the_last_super_admin_stays() {
    let stores = Stores::new(&ACME);
    stores
        .bench
        .run(&format!(
            "admin grant alice@acme.example --role super_admin {FILE}"
        ))
        .done();
    let sid = stores.session("ses_1", "usr_alice");
    for change in [
        "revoke alice@acme.example",
        "grant alice@acme.example --role tenant_admin",
    ] {
        let ran = stores.bench.run(&format!("admin {change} {FILE}"));
        ran.failed(4, "last_super_admin: ", "`scaigate admin grant <email>");
    }
    let role = "SELECT admin_role FROM person WHERE subject = 'usr_alice'";
    assert_eq!(stores.text(role).as_deref(), Some("super_admin"));
    assert_eq!(stores.revoked(&sid), None);
}

#[test]
fn nobody_and_several_are_told_apart() {
    let stores = Stores::new(&[
        ("usr_1", "tnt_a", "same@acme.example"),
        ("usr_2", "tnt_b", "same@acme.example"),
        ("usr_3", "tnt_c", "same@acme.example"),
    ]);
    let bench = &stores.bench;
    bench
        .run(&format!(
            "admin grant else@acme.example --role super_admin {FILE}"
        ))
        .failed(
            3,
            "user_not_found: ",
            "BOOTSTRAP_SUPER_ADMIN=user:else@acme.example",
        );
    let ran = bench.run(&format!(
        "admin grant same@acme.example --role super_admin {FILE}"
    ));
    ran.failed(2, "user_ambiguous: ", "--tenant");
    assert!(
        ran.stderr
            .contains("tnt_a (usr_1), tnt_b (usr_2), tnt_c (usr_3)"),
        "{ran:?}"
    );
    let line = format!("admin grant same@acme.example --role super_admin --tenant tnt_c {FILE}");
    bench.run(&line).done();
    let admins = "SELECT group_concat(subject) FROM person WHERE admin_role IS NOT NULL";
    assert_eq!(stores.text(admins).as_deref(), Some("usr_3"));
}

#[test]
fn users_are_listed_as_the_server_lists_them() {
    let stores = Stores::new(&ACME);
    let ran = stores
        .bench
        .run(&format!("admin users --search ALICE --json {FILE}"));
    ran.done();
    assert_eq!(
        ran.json(),
        json!({
            "users": [{
                "id": "usr_alice", "tenant_id": "tnt_acme", "email": "alice@acme.example",
                "display_name": null, "status": "ACTIVE", "admin_role": null,
                "admin_role_source": null, "deleted_at": null,
                "last_synced_at": "2023-11-14T22:13:20Z",
            }],
            "total": 1, "page": 1, "per_page": 100,
        })
    );
    let shown = stores
        .bench
        .run(&format!("admin users --per-page 1 --page 2 {FILE}"));
    assert!(shown.done().contains("bob@acme.example"), "{shown:?}");
    assert!(shown.done().ends_with("1 of 2, page 2\n"));
}

#[test]
fn s_12_why_is_answered_from_the_file() {
    let stores = Stores::new(&ACME);
    let code = |email: &str| {
        let ran = stores
            .bench
            .run(&format!("admin why {email} --json {FILE}"));
        ran.done();
        ran.json()["why"]["findings"][0]["code"].clone()
    };
    assert_eq!(code("nobody@acme.example"), "not_yet_synced");
    assert_eq!(code("ALICE@acme.example"), "present");
    stores.sql("UPDATE directory_state SET synced_at = 1, users_method = 'member_walk'");
    assert_eq!(code("nobody@acme.example"), "in_no_visible_group");
    stores.sql("UPDATE person SET deleted_at = 1 WHERE subject = 'usr_bob'");
    assert_eq!(code("bob@acme.example"), "in_no_visible_group");
    stores.sql("UPDATE directory_state SET users_method = 'effective_users'");
    assert_eq!(code("bob@acme.example"), "soft_deleted");
    assert_eq!(code("nobody@acme.example"), "not_assigned");
}

#[test]
fn s_26_a_bootstrap_that_waits_is_told_as_such() {
    let mut stores = Stores::new(&ACME);
    stores.bench = std::mem::replace(&mut stores.bench, Bench::new())
        .with("BOOTSTRAP_SUPER_ADMIN", "user:Alice@acme.example");
    let why = |who: &str| {
        let ran = stores
            .bench
            .run(&format!("admin why {who}@acme.example {FILE}"));
        ran.done().to_owned()
    };
    assert!(
        why("alice").contains("bootstrap_waits: "),
        "{}",
        why("alice")
    );
    assert!(!why("bob").contains("bootstrap"), "{}", why("bob"));
}

#[test]
fn s_13_a_group_that_was_not_applied_is_found_by_the_setting() {
    let mut stores = Stores::new(&ACME);
    stores.sql(
        "INSERT INTO directory_group (tenant_id, group_id, name, synced_at, changed_at, cause)
         VALUES ('tnt_acme', 'grp_1', 'platform-admins', 1, 1, 'sync:1')",
    );
    stores.sql(
        "INSERT INTO group_membership (tenant_id, group_id, user_id, changed_at, cause)
         VALUES ('tnt_acme', 'grp_1', 'usr_bob', 1, 'sync:1')",
    );
    stores.bench = std::mem::replace(&mut stores.bench, Bench::new())
        .with("SCAIFLOW_SUPER_ADMIN_GROUPS", "grp_9, platform-admins");
    let ran = stores
        .bench
        .run(&format!("admin why bob@acme.example {FILE}"));
    assert!(ran.done().starts_with("groups_read_at_sync: "), "{ran:?}");
    assert!(ran.done().contains("last sync: never"), "{ran:?}");
}
