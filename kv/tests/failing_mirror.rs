//! Every call that fails while the mirror is changed is told, and leaves it as it was: never a part of
//! a sync, of an event or of a role.
#![expect(clippy::expect_used, reason = "a test that cannot go on ends here")]

use futures_executor::block_on;
use scaigate_kv::directory::event::{self, UserKey};
use scaigate_kv::directory::role::{self, Change};
use scaigate_kv::directory::super_admin::{self, Election};
use scaigate_kv::directory::sync_apply::{self, Covered};
use scaigate_kv::directory::sync_run::{self, Begun, Outcome, StartedBy};
use scaigate_kv::directory::webhook_delivery::{self, Claim, Delivery};
use scaigate_kv::directory::{Cause, Scope, Stamp, compare, end_sessions_of_inactive};
use scaigate_kv::memory::{MemoryDatabase, MemoryKv};
use scaigate_kv::revocation::{self, Revocation};
use scaigate_kv::schema::migrate;
use scaigate_kv::session::{self, NewSession};
use scaigate_types::{
    AdminRole, Database, GroupId, Issuer, PersonId, Query, Row, SessionId, StoreError, Subject,
    TenantId, Timestamp, Transaction,
};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const LATER: Timestamp = Timestamp::from_secs(1_800_000_100);

/// Users 1 to 3 and the group of the first two, which elects; a session of the first.
struct World {
    kv: MemoryKv,
    db: MemoryDatabase,
    issuer: Issuer,
    tenant_id: TenantId,
    group_id: GroupId,
    sid: SessionId,
}

fn stamp(cause: Cause, at: Timestamp) -> Stamp {
    Stamp { cause, now: at, at }
}

fn user(id: &str) -> Subject {
    Subject::parse(id).expect("a user")
}

impl World {
    fn new() -> Self {
        let world = Self {
            kv: MemoryKv::default(),
            db: MemoryDatabase::new().expect("SQLite in memory"),
            issuer: Issuer::parse("https://scaikey.test/tenants/tnt_1").expect("an issuer"),
            tenant_id: TenantId::parse("tnt_1").expect("a tenant"),
            group_id: GroupId::parse("grp_1").expect("a group"),
            sid: SessionId::parse("ses_1").expect("a session"),
        };
        block_on(async {
            migrate(&world.db).await?;
            let read = stamp(Cause::Sync(0), NOW);
            let (tenant_id, db) = (&world.tenant_id, &world.db);
            sync_apply::know_tenant(db, tenant_id, &read).await?;
            let users = r#"[{"user_id":"usr_1"},{"user_id":"usr_2"},{"user_id":"usr_3"}]"#;
            sync_apply::users(db, &world.issuer, tenant_id, users, &read).await?;
            let group = r#"[{"group_id":"grp_1","name":"Admins"}]"#;
            sync_apply::groups(db, tenant_id, group, &read).await?;
            let members = r#"[["grp_1",["usr_1","usr_2"]]]"#;
            sync_apply::joined(db, tenant_id, members, &read).await?;
            super_admin::reconcile(db, ELECTION, &read).await?;
            let new = NewSession {
                sid: &world.sid,
                person_id: &world.person("usr_1").await?,
                tenant_id,
                expires_at: Timestamp::from_secs(1_900_000_000),
                code_hash: "code",
                code_challenge: None,
                scaikey_sid: None,
                scaikey_tokens: b"sealed",
            };
            session::insert(db, &new, NOW).await
        })
        .expect("a world");
        world
    }

    fn key<'a>(&'a self, user_id: &'a Subject) -> UserKey<'a> {
        UserKey {
            issuer: &self.issuer,
            tenant_id: &self.tenant_id,
            user_id,
        }
    }

    async fn person(&self, id: &str) -> Result<PersonId, StoreError> {
        let found = event::person_id(&self.db, self.key(&user(id))).await?;
        found.ok_or(StoreError::Corrupt)
    }

    /// Everything that is known, without the run that may be under way.
    fn rows(&self) -> Vec<Vec<Row>> {
        [
            "SELECT * FROM person ORDER BY person_id",
            "SELECT * FROM directory_group",
            "SELECT * FROM group_membership ORDER BY user_id",
            "SELECT * FROM tenant",
            "SELECT * FROM directory_state",
            "SELECT * FROM unsettled",
            "SELECT * FROM change_log",
            "SELECT * FROM webhook_delivery",
            "SELECT * FROM session",
            "SELECT 1 FROM sync_run WHERE outcome IS NOT NULL",
        ]
        .into_iter()
        .map(|sql| block_on(self.db.query(sql, &[])).expect(sql))
        .collect()
    }

    /// What taking a role away does: change, narrow, commit.
    async fn takes_a_role(&self) -> Result<(), StoreError> {
        let person_id = self.person("usr_1").await?;
        let tx = self.db.begin().await?;
        let by_hand = stamp(Cause::Operator, LATER);
        let role = Some(AdminRole::TenantAdmin);
        let change = role::set(&tx, &person_id, Some(&self.tenant_id), role, &by_hand).await?;
        assert_eq!(change, Change::Done { narrows: true });
        for (sid, generation) in session::generations(&tx, &person_id, LATER).await? {
            revocation::narrow(&self.kv, &sid, generation, LATER).await?;
        }
        tx.commit().await
    }

    /// What an event does: claim, change, elect, end sessions, commit.
    async fn receives_a_deletion(&self) -> Result<(), StoreError> {
        let tx = self.db.begin().await?;
        let delivery = Delivery {
            event_id: "evt_1",
            event_type: "user.deleted",
            tenant_id: None,
            body_digest: "digest",
        };
        let outcome = webhook_delivery::Outcome::Applied;
        let claimed = webhook_delivery::claim(&tx, delivery, outcome, LATER).await?;
        assert_eq!(claimed, Claim::New);
        let told = stamp(Cause::Webhook("evt_1".to_owned()), LATER);
        event::user_deleted(&tx, self.key(&user("usr_1")), &told).await?;
        super_admin::reconcile(&tx, ELECTION, &told).await?;
        let person_id = event::person_id(&tx, self.key(&user("usr_1"))).await?;
        let person_id = person_id.ok_or(StoreError::Corrupt)?;
        let scope = Scope::Person(&person_id);
        for sid in end_sessions_of_inactive(&tx, scope, LATER).await? {
            revocation::revoke(&self.kv, &sid, LATER).await?;
        }
        tx.commit().await
    }

    /// What a sync does: read, compare, apply, elect, end sessions, end, commit.
    async fn syncs(&self) -> Result<(), StoreError> {
        // A run that has failed before is not in the way.
        let begun = sync_run::begin(&self.db, StartedBy::Call, LATER).await?;
        let (Begun::Run(sync_id) | Begun::Running { sync_id, .. }) = begun;
        let page = r#"[{"user_id":"usr_2","email":"b@acme.example"},{"user_id":"usr_4"}]"#;
        let (issuer, tenant_id) = (&self.issuer, &self.tenant_id);
        let changed = compare::changed_users(&self.db, issuer, page).await?;
        let seen = r#"["usr_2","usr_4"]"#;
        let absent = compare::absent_users(&self.db, issuer, seen, LATER).await?;
        let group_id = &self.group_id;
        let (joined, left) =
            compare::changed_members(&self.db, tenant_id, group_id, r#"["usr_4"]"#, LATER).await?;
        let pairs = |ids: &str| format!(r#"[["grp_1",{ids}]]"#);
        let read = stamp(Cause::Sync(sync_id), LATER);
        let tx = self.db.begin().await?;
        sync_apply::users(&tx, issuer, tenant_id, &changed.json, &read).await?;
        sync_apply::absent_users(&tx, issuer, &absent.json, &read).await?;
        sync_apply::joined(&tx, tenant_id, &pairs(&joined.json), &read).await?;
        sync_apply::left(&tx, tenant_id, &pairs(&left.json), &read).await?;
        let covered = Covered {
            users_method: "effective_users",
            user_statuses: true,
            groups: true,
            tenants: false,
            read_until: LATER,
            started_at: LATER,
        };
        sync_apply::finish(&tx, covered, &read).await?;
        super_admin::reconcile(&tx, ELECTION, &read).await?;
        for sid in end_sessions_of_inactive(&tx, Scope::All, LATER).await? {
            revocation::revoke(&self.kv, &sid, LATER).await?;
        }
        sync_apply::changed(&tx, &read, "user").await?;
        let end = sync_run::end(&tx, sync_id, Outcome::Applied, None, "{}", LATER).await?;
        assert!(end);
        tx.commit().await
    }
}

const ELECTION: Election<'static> = Election {
    groups: r#"["grp_1"]"#,
    bootstrap: Some("b@acme.example"),
};

/// Lets each call in turn fail that `act` makes of either store: nothing has changed then, and once
/// more it works.
fn strike(act: impl AsyncFn(&World) -> Result<(), StoreError>) {
    let calls = {
        let world = World::new();
        world.db.failing.heal();
        world.kv.failing.heal();
        block_on(act(&world)).expect("nothing fails");
        (world.db.failing.heal(), world.kv.failing.heal())
    };
    assert!(calls.0 > 3 && calls.1 > 0, "{calls:?}");
    let of_db = (1..=calls.0).map(|n| (Some(n), None));
    let of_kv = (1..=calls.1).map(|n| (None, Some(n)));
    for (db, kv) in of_db.chain(of_kv) {
        let world = World::new();
        let before = world.rows();
        world.db.failing.heal();
        world.kv.failing.heal();
        if let Some(n) = db {
            world.db.failing.fail_at(n);
        }
        if let Some(n) = kv {
            world.kv.failing.fail_at(n);
        }
        let outcome = block_on(act(&world));
        world.db.failing.heal();
        world.kv.failing.heal();
        assert_eq!(outcome, Err(StoreError::Unavailable), "{db:?} {kv:?}");
        assert_eq!(world.rows(), before, "{db:?} {kv:?}");
        block_on(act(&world)).expect("once more");
        assert_ne!(world.rows(), before);
    }
}

fn revoked(world: &World) -> Option<Revocation> {
    block_on(revocation::read(&world.kv, &world.sid)).expect("a store that works")
}

#[test]
fn a_role_is_the_old_or_the_new() {
    strike(World::takes_a_role);
    let world = World::new();
    block_on(world.takes_a_role()).expect("stores that work");
    let narrowed = Some(Revocation::Narrowed { generation: 0 });
    assert_eq!(revoked(&world), narrowed);
}

#[test]
fn an_event_has_all_of_its_effect_or_none() {
    strike(World::receives_a_deletion);
    let world = World::new();
    block_on(world.receives_a_deletion()).expect("stores that work");
    assert_eq!(revoked(&world), Some(Revocation::Ended));
}

#[test]
fn a_sync_is_applied_or_not() {
    strike(World::syncs);
    let world = World::new();
    block_on(world.syncs()).expect("stores that work");
    assert_eq!(revoked(&world), Some(Revocation::Ended));
    let sql = "SELECT subject || ' ' || coalesce(admin_role_source, '') FROM person
                WHERE deleted_at IS NULL ORDER BY subject";
    let rows = block_on(world.db.query(sql, &[])).expect("rows");
    let found: Vec<_> = rows.iter().map(|row| row.text(0).expect("text")).collect();
    // The second left the group and has the address of the setting; the fourth has joined it.
    assert_eq!(found, ["usr_2 bootstrap", "usr_4 group"]);
}
