//! What the database knows: syncs, super admins, webhooks, keys.

use futures::executor::block_on;
use scaigate_health::Severity;
use scaigate_kv::directory::sync_run::{self, Outcome, StartedBy};
use scaigate_kv::directory::webhook_delivery::{self, Delivery};
use scaigate_types::{Database as _, Query as _, Transaction as _};
use serde_json::json;

use crate::world::{NOW, World, codes, findings, judged};

impl World {
    fn sql(&self, sql: &str) {
        block_on(self.db.query(sql, &[])).unwrap();
    }

    fn person(&self, id: &str, email: &str, role: Option<&str>, status: &str) {
        let role = role.map_or("NULL, NULL".to_owned(), |role| {
            format!("'{role}', 'manual'")
        });
        self.sql(&format!(
            "INSERT INTO person (person_id, issuer, subject, tenant_id, email, status, admin_role,
                                 admin_role_source, created_at, last_seen_at)
             VALUES ('{id}', 'https://scaikey.example/tenants/tnt_a', 'usr_{id}', 'tnt_a', '{email}',
                     '{status}', {role}, 1, 1)"
        ));
    }

    fn synced(&self, outcome: Outcome, code: Option<&str>, report: serde_json::Value) {
        block_on(async {
            let begun = sync_run::begin(&self.db, StartedBy::Call, NOW)
                .await
                .unwrap();
            let sync_run::Begun::Run(sync_id) = begun else {
                panic!("{begun:?}")
            };
            let report = report.to_string();
            let ended = sync_run::end(&self.db, sync_id, outcome, code, &report, NOW).await;
            assert!(ended.unwrap());
        });
    }
}

#[test]
fn s_08_s_09_what_a_sync_warned_of_is_told_and_what_is_looked_at_anew_is_not() {
    let world = World::new();
    world.person("a", "a@acme.example", Some("super_admin"), "active");
    let warning = |code: &str| json!({ "code": code, "message": "So it is.", "fix": "Mend it." });
    world.synced(
        Outcome::Applied,
        None,
        json!({ "users_method": "member_walk", "warnings": [
            warning("member_walk"), warning("groups_scope_missing"), warning("no_super_admin"),
        ] }),
    );
    let report = world.run(&judged(&[]));
    assert_eq!(codes(&report), ["member_walk", "groups_scope_missing"]);
    let directory = report
        .checks
        .iter()
        .find(|check| check.name == "directory")
        .unwrap();
    assert_eq!(directory.facts["last_sync"]["users_method"], "member_walk");
}

#[test]
fn a_sync_that_failed_is_told_by_its_own_code() {
    for (outcome, code, told) in [
        (Outcome::Failed, Some("sync_forbidden"), "sync_forbidden"),
        (Outcome::Failed, Some("scaikey_timeout"), "scaikey_timeout"),
        (Outcome::Failed, Some("unheard_of"), "sync_incomplete"),
        (Outcome::Skipped, None, "sync_skipped"),
    ] {
        let world = World::new();
        world.person("a", "a@acme.example", Some("super_admin"), "active");
        world.synced(outcome, code, json!({}));
        assert_eq!(codes(&world.run(&judged(&[]))), [told]);
    }
}

#[test]
fn s_26_what_a_bootstrap_waits_for_is_told() {
    let setting = [("bootstrap_super_admin", "user:Boss@acme.example")];
    let reason = |world: &World| {
        let report = world.run(&judged(&setting));
        let all = findings(&report);
        let found = all
            .iter()
            .find(|(_, finding)| finding.code == "bootstrap_super_admin_waits");
        found.map(|(_, finding)| finding.evidence["reason"].as_str().unwrap().to_owned())
    };
    let world = World::new();
    assert!(reason(&world).unwrap().contains("nobody"));
    world.person("b", "boss@acme.example", None, "suspended");
    assert!(reason(&world).unwrap().contains("suspended"));
    world.sql("UPDATE person SET status = 'active'");
    assert!(reason(&world).unwrap().contains("next sync"));
    world.person("c", "BOSS@acme.example", None, "active");
    assert!(reason(&world).unwrap().contains("several"));
    // Once, although the last sync warned of it, too.
    let code = "bootstrap_super_admin_ambiguous";
    let warned = json!({ "code": code, "message": "So it is.", "fix": "Mend it." });
    world.synced(Outcome::Applied, None, json!({ "warnings": [warned] }));
    let told = world.run(&judged(&setting));
    assert!(!codes(&told).contains(&code), "{:?}", codes(&told));
    world.sql("UPDATE person SET admin_role = 'super_admin' WHERE person_id = 'b'");
    assert_eq!(reason(&world), None);
    // It has elected somebody, who has another address now.
    world.sql("UPDATE person SET admin_role_source = 'bootstrap' WHERE person_id = 'b'");
    world.sql("UPDATE person SET email = 'gone@acme.example' WHERE person_id = 'b'");
    assert!(reason(&world).unwrap().contains("does so once"));
}

#[test]
fn a_sync_that_nobody_begins_is_told_when_it_is_long_due() {
    use std::time::Duration;
    let after = |minutes: u64, interval: &str| {
        let world = World::new();
        world.person("a", "a@acme.example", Some("super_admin"), "active");
        world.synced(Outcome::Applied, None, json!({}));
        world.later(Duration::from_secs(minutes * 60));
        let report = world.run(&judged(&[("scaiflow_sync_interval_minutes", interval)]));
        let all = findings(&report);
        let found = all.iter().find(|(_, one)| one.code == "sync_overdue");
        found.map(|(_, one)| one.evidence["due_at"].as_str().unwrap().to_owned())
    };
    assert_eq!(after(75, "60"), None);
    assert_eq!(after(76, "60").as_deref(), Some("2027-01-15T09:00:00Z"));
    assert_eq!(after(76, "120"), None);
    // By time none is ever due.
    assert_eq!(after(10_000, "0"), None);
}

#[test]
fn s_11_never_arrived_arrived_and_refused_are_three() {
    let world = World::new();
    let webhook = |world: &World| {
        let report = world.run(&judged(&[]));
        let all = findings(&report);
        let found = all.into_iter().find(|(check, _)| *check == "webhook");
        found.map(|(_, finding)| finding.clone())
    };
    let never = webhook(&world).unwrap();
    assert_eq!(never.code, "webhook_never_received");
    let url = "https://gate.example/api/v1/webhooks/scaikey";
    assert_eq!(
        (never.severity, &never.evidence["url"]),
        (Severity::Info, &json!(url))
    );

    let refuse = |count| {
        let code = "webhook_signature_mismatch";
        block_on(webhook_delivery::refused(&world.db, code, count, NOW)).unwrap();
    };
    refuse(3);
    refuse(4);
    let refused = webhook(&world).unwrap();
    assert_eq!(refused.code, "webhook_signature_mismatch");
    assert_eq!(refused.evidence["count"], 7);

    block_on(async {
        let tx = world.db.begin().await.unwrap();
        let delivery = Delivery {
            event_id: "evt_1",
            event_type: "user.updated",
            tenant_id: None,
            body_digest: "d",
        };
        let later = NOW.plus(std::time::Duration::from_secs(1));
        let outcome = webhook_delivery::Outcome::Applied;
        webhook_delivery::claim(&tx, delivery, outcome, later)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    });
    assert_eq!(webhook(&world), None);
}

#[test]
fn s_06_tenants_without_a_key_are_named() {
    let world = World::new();
    for tenant in ["tnt_a", "tnt_b"] {
        world.sql(&format!(
            "INSERT INTO tenant (tenant_id, created_at) VALUES ('{tenant}', 1)"
        ));
    }
    world.sql(
        "INSERT INTO tenant_credential (tenant_id, sealed, set_by, set_at) VALUES ('tnt_b', x'00', 'p', 1)",
    );
    for (pin, severity) in [("", Severity::Info), ("api_key", Severity::Warning)] {
        let report = world.run(&judged(&[("scaiflow_deploy_auth", pin)]));
        let all = findings(&report);
        let (_, finding) = all
            .iter()
            .find(|(check, _)| *check == "scaigrid_credentials")
            .unwrap();
        assert_eq!(finding.code, "missing_credentials");
        assert_eq!(finding.evidence["tenants"], json!(["tnt_a"]));
        assert_eq!(finding.severity, severity);
    }
}
