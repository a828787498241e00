//! What a chain shows of whoever has the database in their hands, and what a seal bears.
#![expect(clippy::expect_used, reason = "a test that cannot go on ends here")]

use std::time::Duration;

use futures::executor::block_on;
use scaigate_audit::{Anchor, Finding, KEPT, Report, Shown, Verifier, hash, seal};
use scaigate_jose::{KeyRing, Tagger};
use scaigate_kv::audit::{self, Entry, Filter, Order, sealing};
use scaigate_kv::memory::MemoryDatabase;
use scaigate_kv::schema::migrate;
use scaigate_types::{Query, StoreError, Timestamp, Trail};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
/// Every row.
const ALL: Filter<'_> = Filter {
    actor: None,
    action: None,
    target: None,
    tenant_id: None,
    outcome: None,
    request_id: None,
    since: None,
    until: None,
};
const OLD: &str = "b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZC0=";
const NEW: &str = "bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0=";

fn tagger(setting: &str) -> Tagger {
    Tagger::of_audit_log(&KeyRing::parse(setting).expect("a key ring"))
}

fn run(db: &MemoryDatabase, sql: &str) {
    block_on(db.query(sql, &[])).expect(sql);
}

fn append(db: &MemoryDatabase, count: u64, at: Timestamp) {
    for number in 0..count {
        let trail = Trail::new(format!("req_{number}"), Some("192.0.2.7:1"));
        let at = at.plus(Duration::from_secs(number));
        block_on(audit::note_read(db, "/v1/admin/users", &trail, at)).expect("a row");
    }
}

/// A log of `count` sealed rows.
fn sealed(count: u64) -> MemoryDatabase {
    let db = MemoryDatabase::new().expect("SQLite in memory");
    block_on(migrate(&db)).expect("a schema");
    append(&db, count, NOW);
    let done = block_on(seal(&db, &tagger(OLD), NOW)).expect("sealed");
    assert_eq!(done, count);
    db
}

/// The same, without what keeps an honest program from changing it.
fn laid_bare(count: u64) -> MemoryDatabase {
    let db = sealed(count);
    for trigger in ["audit_sealed_is_final", "audit_kept", "audit_purged"] {
        run(&db, &format!("DROP TRIGGER {trigger}"));
    }
    db
}

fn verified(db: &MemoryDatabase, keys: &str, anchor: Option<Anchor>) -> Report {
    let state = block_on(sealing::state(db)).expect("the state");
    let mut verifier = Verifier::new(state, anchor);
    loop {
        let page = audit::list(db, &ALL, Order::OldestFirst, verifier.cursor(), 3);
        let page = block_on(page).expect("a page");
        if page.is_empty() {
            return verifier.finish(Some(&tagger(keys)));
        }
        page.iter().for_each(|row| verifier.row(row));
    }
}

fn findings(db: &MemoryDatabase) -> Vec<Finding> {
    verified(db, OLD, None).findings
}

/// The hashes of the whole chain, made anew as whoever has no key can make them.
fn rechain(db: &MemoryDatabase) {
    let rows = audit::list(db, &ALL, Order::OldestFirst, None, 1000);
    let mut previous = String::new();
    for row in block_on(rows).expect("rows") {
        previous = hash(&previous, &row.entry);
        let seq = row.entry.seq;
        run(
            db,
            &format!("UPDATE audit_log SET hash = '{previous}' WHERE seq = {seq}"),
        );
    }
}

#[test]
fn the_hash_is_the_one_that_sha256sum_makes() {
    // printf 'before\n[7,1800000000000,"admin.read","success","person:a",null,"/v1/admin/users",
    //   {"a":null,"b":1},"req_1","192.0.2.7",1]' (without the break) | sha256sum
    let entry = Entry {
        seq: 7,
        at_ms: 1_800_000_000_000,
        action: "admin.read".to_owned(),
        outcome: "success".to_owned(),
        actor: Some("person:a".to_owned()),
        tenant_id: None,
        target: Some("/v1/admin/users".to_owned()),
        detail: r#"{"b":1,"a":null}"#.to_owned(),
        request_id: Some("req_1".to_owned()),
        source: Some("192.0.2.7".to_owned()),
        count: 1,
    };
    assert_eq!(
        hash("before", &entry),
        "11f360fdf32746e5db72170cb9af8e1e6ff76494df6e031f6641f8a9c1d87779"
    );
}

#[test]
fn an_untouched_log_verifies() {
    let db = sealed(10);
    append(&db, 2, NOW);
    let report = verified(&db, OLD, None);
    assert_eq!(report.findings, []);
    assert_eq!((report.rows, report.first, report.unsealed), (12, 1, 2));
    assert!(report.seal_checked);
    let (seq, hash) = report.head.expect("a head");
    assert_eq!((seq, hash.len()), (10, 64));
    // What was written down is found again, also after more was sealed.
    block_on(seal(&db, &tagger(OLD), NOW)).expect("sealed");
    let anchor = Anchor { seq, hash };
    assert_eq!(verified(&db, OLD, Some(anchor)).findings, []);
}

#[test]
fn a_changed_row_is_found_whatever_was_changed() {
    for change in [
        "at = at + 1",
        "action = 'sign_in'",
        "outcome = 'refused'",
        "actor = 'person:nobody'",
        "tenant_id = 'tnt_1'",
        "target = NULL",
        "detail = '{\"a\":1}'",
        "request_id = 'req_9'",
        "source = NULL",
        "count = 2",
        "hash = 'f'",
    ] {
        let db = laid_bare(10);
        run(&db, &format!("UPDATE audit_log SET {change} WHERE seq = 5"));
        let found = findings(&db);
        assert_eq!(
            found.first(),
            Some(&Finding::RowChanged { seq: 5 }),
            "{change}"
        );
        // Only a hash has a second row that depends on it.
        let more = usize::from(change.starts_with("hash"));
        assert_eq!(found.len(), 1 + more, "{change}: {found:?}");
    }
}

#[test]
fn removed_inserted_and_reordered_rows_are_found() {
    let missing = |from, to| Finding::RowsMissing { from, to };
    let changed = |seq| Finding::RowChanged { seq };
    for (what, statements, expected) in [
        (
            "removed",
            vec!["DELETE FROM audit_log WHERE seq = 5"],
            vec![missing(5, 5), changed(6)],
        ),
        (
            "removed at the front",
            vec!["DELETE FROM audit_log WHERE seq < 4"],
            vec![missing(1, 3), changed(4)],
        ),
        (
            "inserted",
            vec![
                "UPDATE audit_log SET seq = seq + 100 WHERE seq >= 5",
                "UPDATE audit_log SET seq = seq - 99 WHERE seq > 100",
                "INSERT INTO audit_log (seq, at, action, hash) VALUES (5, 0, 'sign_in', 'f')",
                "UPDATE sqlite_sequence SET seq = 11 WHERE name = 'audit_log'",
            ],
            vec![
                changed(5),
                changed(6),
                changed(7),
                changed(8),
                changed(9),
                changed(10),
                changed(11),
                Finding::SealMismatch { seq: 10 },
            ],
        ),
        (
            "inserted before the first",
            vec!["INSERT INTO audit_log (seq, at, action, hash) VALUES (0, 0, 'sign_in', 'f')"],
            vec![changed(0), changed(1)],
        ),
        (
            "reordered",
            vec![
                "UPDATE audit_log SET seq = 100 WHERE seq = 5",
                "UPDATE audit_log SET seq = 5 WHERE seq = 6",
                "UPDATE audit_log SET seq = 6 WHERE seq = 100",
            ],
            vec![changed(5), changed(6), changed(7)],
        ),
        (
            "not sealed any more",
            vec!["UPDATE audit_log SET hash = NULL WHERE seq = 5"],
            vec![Finding::RowNotSealed { seq: 5 }],
        ),
        (
            "the tail removed",
            vec!["DELETE FROM audit_log WHERE seq > 7"],
            vec![missing(8, 10), Finding::SealMismatch { seq: 10 }],
        ),
        (
            "all removed",
            vec!["DELETE FROM audit_log"],
            vec![missing(1, 10), Finding::SealMismatch { seq: 10 }],
        ),
    ] {
        let db = laid_bare(10);
        for sql in statements {
            run(&db, sql);
        }
        assert_eq!(findings(&db), expected, "{what}");
    }
}

#[test]
fn whoever_makes_the_chain_anew_without_the_key_is_found() {
    // The seal is left as it was.
    let db = laid_bare(10);
    run(
        &db,
        "UPDATE audit_log SET actor = 'person:nobody' WHERE seq = 5",
    );
    rechain(&db);
    assert_eq!(findings(&db), [Finding::SealMismatch { seq: 10 }]);
    // The seal says the new hash, with the old tag.
    let hash = "(SELECT hash FROM audit_log WHERE seq = 10)";
    run(&db, &format!("UPDATE audit_state SET sealed_hash = {hash}"));
    assert_eq!(findings(&db), [Finding::SealNotOurs { seq: 10 }]);
    // No seal at all.
    run(&db, "UPDATE audit_state SET tag = NULL");
    assert_eq!(findings(&db), [Finding::SealMissing]);
    // What is sealed after that says for ever that something was wrong before.
    append(&db, 1, NOW);
    block_on(seal(&db, &tagger(OLD), NOW)).expect("sealed");
    append(&db, 1, NOW);
    block_on(seal(&db, &tagger(OLD), NOW)).expect("sealed");
    assert_eq!(findings(&db), [Finding::UnconfirmedBefore { seq: 11 }]);
    run(&db, "UPDATE audit_state SET sealed_from = 1");
    assert_eq!(findings(&db), [Finding::SealNotOurs { seq: 12 }]);
}

#[test]
fn a_tail_removed_with_its_traces_is_found_by_what_was_written_down() {
    let db = laid_bare(7);
    let early = block_on(sealing::state(&db))
        .expect("a state")
        .seal
        .expect("a seal");
    append(&db, 3, NOW);
    block_on(seal(&db, &tagger(OLD), NOW)).expect("sealed");
    let (seq, hash) = verified(&db, OLD, None).head.expect("a head");
    run(&db, "DELETE FROM audit_log WHERE seq > 7");
    run(
        &db,
        "UPDATE sqlite_sequence SET seq = 7 WHERE name = 'audit_log'",
    );
    run(
        &db,
        &format!(
            "UPDATE audit_state SET sealed_seq = 7, sealed_hash = '{}', tag = '{}'",
            early.hash, early.tag
        ),
    );
    // Nothing within the database can tell this from a log that ended there.
    assert_eq!(findings(&db), []);
    let found = verified(&db, OLD, Some(Anchor { seq, hash })).findings;
    assert_eq!(found, [Finding::AnchorNotFound { seq: 10 }]);
}

#[test]
fn a_new_secret_takes_over_from_an_old_one() {
    let db = sealed(3);
    append(&db, 3, NOW);
    block_on(seal(&db, &tagger(&format!("{NEW},{OLD}")), NOW)).expect("sealed");
    // The old one is not needed any more: the newest seal covers all.
    assert_eq!(verified(&db, NEW, None).findings, []);
    // Where it went before that, nobody can say what was before.
    let db = sealed(3);
    assert_eq!(
        verified(&db, NEW, None).findings,
        [Finding::SealNotOurs { seq: 3 }]
    );
    append(&db, 3, NOW);
    block_on(seal(&db, &tagger(NEW), NOW)).expect("sealed");
    assert_eq!(
        verified(&db, NEW, None).findings,
        [Finding::UnconfirmedBefore { seq: 4 }]
    );
}

#[test]
fn what_is_forgotten_is_recorded_and_the_rest_verifies() {
    let db = sealed(10);
    let late = NOW.plus(KEPT).plus(Duration::from_secs(5));
    append(&db, 1, late);
    block_on(seal(&db, &tagger(OLD), late)).expect("sealed");
    // The row that says so is sealed with the next.
    block_on(seal(&db, &tagger(OLD), late)).expect("sealed");
    let report = verified(&db, OLD, None);
    assert_eq!(report.findings, []);
    assert_eq!((report.first, report.rows, report.unsealed), (6, 7, 0));
    // Who forgets by hand is found.
    for trigger in ["audit_kept", "audit_purged"] {
        run(&db, &format!("DROP TRIGGER {trigger}"));
    }
    run(
        &db,
        "UPDATE audit_state SET purged_seq = 8,
                purged_hash = (SELECT hash FROM audit_log WHERE seq = 8)",
    );
    run(&db, "DELETE FROM audit_log WHERE seq <= 8");
    assert_eq!(findings(&db), [Finding::PurgeNotRecorded { through: 8 }]);
}

#[test]
fn whichever_call_of_sealing_fails_the_next_one_finishes() {
    let calls = {
        let db = sealed(3);
        append(&db, 3, NOW);
        db.failing.heal();
        block_on(seal(&db, &tagger(OLD), NOW)).expect("sealed");
        db.failing.heal()
    };
    assert!(calls > 5, "{calls}");
    for call in 1..=calls {
        let db = sealed(3);
        append(&db, 3, NOW);
        db.failing.fail_at(call);
        let outcome = block_on(seal(&db, &tagger(OLD), NOW));
        db.failing.heal();
        assert_eq!(outcome, Err(StoreError::Unavailable), "call {call}");
        assert_eq!(findings(&db), [], "call {call}");
        block_on(seal(&db, &tagger(OLD), NOW)).expect("sealed");
        let report = verified(&db, OLD, None);
        assert_eq!(
            (report.findings, report.unsealed),
            (vec![], 0),
            "call {call}"
        );
    }
}

#[test]
fn more_rows_than_one_transaction_seals_are_one_chain() {
    let db = sealed(1201);
    assert_eq!(findings(&db), []);
    assert_eq!(verified(&db, OLD, None).head.expect("a head").0, 1201);
}

#[test]
fn what_is_shown_is_enough_to_verify() {
    let db = sealed(3);
    let rows = audit::list(&db, &ALL, Order::OldestFirst, None, 10);
    let rows = block_on(rows).expect("rows");
    for row in rows {
        let text = serde_json::to_string(&Shown::from(row.clone())).expect("JSON");
        let shown: Shown = serde_json::from_str(&text).expect("the same");
        assert_eq!(audit::Row::from(shown), row);
        assert_eq!(row.hash, Some(hash(&row.previous, &row.entry)));
    }
}
