//! Database files that the command does not touch, and what it does when a store fails.

use std::fs;

use futures_executor::block_on;
use scaigate_kv::schema::VERSION;
use scaigate_types::{Database as _, Query as _, Transaction as _};

use crate::database::Stores;

const ALICE: [(&str, &str, &str); 1] = [("usr_alice", "tnt_acme", "alice@acme.example")];
const FILE: &str = "--database .spin/sqlite_db.db";

fn grant(role: &str) -> String {
    format!("admin grant alice@acme.example --role {role} {FILE}")
}

#[test]
fn s_25_a_schema_of_another_version_is_refused_and_left_alone() {
    let stores = Stores::new(&ALICE);
    for (version, code, fix) in [
        (
            VERSION - 1,
            "schema_older: ",
            "serve it once, which migrates it",
        ),
        (
            VERSION + 1,
            "schema_newer: ",
            "the version that serves the database",
        ),
    ] {
        let other = Stores::new(&ALICE);
        other.sql(&format!("UPDATE schema_version SET version = {version}"));
        let path = other.bench.path(".spin/sqlite_db.db");
        let before = fs::read(&path).unwrap();
        for line in [grant("super_admin"), format!("admin users {FILE}")] {
            other.bench.run(&line).failed(4, code, fix);
        }
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    stores.bench.run(&grant("super_admin")).done();
}

#[test]
fn a_file_that_is_not_there_or_not_scaigates_is_refused() {
    let stores = Stores::new(&ALICE);
    let bench = &stores.bench;
    bench
        .run("admin users --database missing.db")
        .failed(3, "file_not_found: ", "--database");
    assert!(!bench.has("missing.db"));
    bench
        .run("admin users --database .spin")
        .failed(3, "file_not_found: ", "--database");
    bench.write(
        "text.db",
        &"no database, but as long as one has to be ".repeat(50),
    );
    bench
        .run("admin users --database text.db")
        .failed(2, "file_foreign: ", "--database");
    bench
        .run("admin users --database .spin/sqlite_key_value.db")
        .failed(2, "file_foreign: ", "--database");
}

#[test]
fn a_role_does_not_change_while_its_tokens_can_not_be_revoked() {
    let stores = Stores::new(&ALICE);
    let bench = &stores.bench;
    bench.run(&grant("tenant_admin")).done();
    let sid = stores.session("ses_1", "usr_alice");
    let keys = bench.path(".spin/sqlite_key_value.db");
    let aside = bench.path("aside.db");
    fs::rename(&keys, &aside).unwrap();

    bench
        .run(&grant("super_admin"))
        .failed(3, "file_not_found: ", "--key-value");
    bench
        .run(&format!(
            "{} --key-value .spin/sqlite_db.db",
            grant("super_admin")
        ))
        .failed(2, "file_foreign: ", "--key-value");
    let role = "SELECT admin_role FROM person WHERE subject = 'usr_alice'";
    assert_eq!(stores.text(role).as_deref(), Some("tenant_admin"));

    // Elsewhere, it is found when it is named.
    bench
        .run(&format!("{} --key-value aside.db", grant("super_admin")))
        .done();
    assert_eq!(stores.text(role).as_deref(), Some("super_admin"));
    fs::rename(&aside, &keys).unwrap();
    assert!(stores.revoked(&sid).is_some());
}

#[test]
fn a_database_that_another_writer_holds_is_waited_for_and_then_told() {
    let stores = Stores::new(&ALICE);
    let database = stores.database();
    let transaction = block_on(database.begin()).unwrap();
    stores
        .bench
        .run(&grant("super_admin"))
        .failed(1, "store_busy: ", "Try again");
    block_on(transaction.commit()).unwrap();
    stores.bench.run(&grant("super_admin")).done();
}

#[test]
fn the_command_works_beside_a_server_that_reads() {
    let stores = Stores::new(&ALICE);
    stores.sql("PRAGMA journal_mode = WAL");
    let server = stores.database();
    let read = || block_on(server.query("SELECT admin_role FROM person", &[])).unwrap();
    assert_eq!(read()[0].optional_text(0), Ok(None));
    stores.bench.run(&grant("super_admin")).done();
    assert_eq!(read()[0].text(0), Ok("super_admin"));
}

#[test]
fn an_identifier_under_two_issuers_is_not_guessed() {
    let stores = Stores::new(&ALICE);
    stores.sql(
        "INSERT INTO person (person_id, issuer, subject, tenant_id, email, created_at, last_seen_at,
                             changed_at, cause)
         VALUES ('per_other', 'https://former.test/tenants/tnt_acme', 'usr_alice', 'tnt_acme',
                 'alice@former.example', 1, 1, 1, 'sign_in')",
    );
    stores
        .bench
        .run(&grant("super_admin"))
        .failed(2, "user_ambiguous: ", "tenant");
    let admins = "SELECT subject FROM person WHERE admin_role IS NOT NULL";
    assert_eq!(stores.text(admins), None);
}
