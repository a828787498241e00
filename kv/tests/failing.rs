//! Every call of every store that fails is told, and what was begun is undone or can be repeated.
#![expect(clippy::expect_used, reason = "a test that cannot go on ends here")]

use futures_executor::block_on;
use scaigate_kv::memory::{MemoryDatabase, MemoryKv};
use scaigate_kv::people::{self, Arrival, FreshIds, Update};
use scaigate_kv::revocation::{self, Revocation};
use scaigate_kv::schema::migrate;
use scaigate_kv::session::{self, NewSession, Whose};
use scaigate_kv::{logout_token, purge};
use scaigate_types::{
    Database, Issuer, PersonId, Query, SessionId, StoreError, Subject, TenantId, Timestamp,
    Transaction, WorkspaceId, WorkspaceRole,
};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const EXPIRY: Timestamp = Timestamp::from_secs(1_900_000_000);

/// A person with a personal workspace and a session, in stores that can fail.
struct World {
    kv: MemoryKv,
    db: MemoryDatabase,
    issuer: Issuer,
    subject: Subject,
    tenant_id: TenantId,
    person_id: PersonId,
    own: WorkspaceId,
    sid: SessionId,
}

impl World {
    fn new() -> Self {
        let world = Self {
            kv: MemoryKv::default(),
            db: MemoryDatabase::new().expect("SQLite in memory"),
            issuer: Issuer::parse("https://scaikey.test").expect("an issuer"),
            subject: Subject::parse("subject").expect("a subject"),
            tenant_id: TenantId::parse("tnt_1").expect("a tenant"),
            person_id: PersonId::parse("per_1").expect("a person"),
            own: WorkspaceId::parse("ws_own").expect("a workspace"),
            sid: SessionId::parse("ses_1").expect("a session"),
        };
        block_on(async {
            migrate(&world.db).await?;
            world.register().await?;
            let new = NewSession {
                sid: &world.sid,
                person_id: &world.person_id,
                tenant_id: &world.tenant_id,
                expires_at: EXPIRY,
                code_hash: "code",
                code_challenge: None,
                scaikey_sid: Some("scaikey"),
                scaikey_tokens: b"sealed",
            };
            session::insert(&world.db, &new, NOW).await?;
            session::redeem(&world.db, "code", &world.own, NOW).await
        })
        .expect("a world");
        world
    }

    async fn register(&self) -> Result<(), StoreError> {
        let arrival = Arrival {
            issuer: &self.issuer,
            subject: &self.subject,
            tenant_id: &self.tenant_id,
            email: None,
            name: None,
            is_tenant_admin: false,
            is_bootstrap_super_admin: false,
        };
        let fresh = FreshIds {
            person_id: self.person_id.clone(),
            workspace_id: WorkspaceId::parse("ws_default").map_err(|_| StoreError::Corrupt)?,
        };
        let registered = people::register(&self.db, &arrival, &fresh, &self.own, NOW).await?;
        registered.map(|_| ()).ok_or(StoreError::Corrupt)
    }

    /// What ScaiKey's logout does: claim, end, record, commit.
    async fn log_out(&self) -> Result<bool, StoreError> {
        let tx = self.db.begin().await?;
        if !logout_token::claim(&tx, "token", EXPIRY).await? {
            return Ok(false);
        }
        let whose = Whose::SubjectAndSession {
            issuer: &self.issuer,
            subject: &self.subject,
            sid: "scaikey",
        };
        for sid in session::end_all(&tx, whose, "scaikey_logout", NOW).await? {
            revocation::revoke(&self.kv, &sid, NOW).await?;
        }
        revocation::revoke_subject(&self.kv, "digest", NOW).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// What taking a role away does: change, narrow, commit.
    async fn lower(&self) -> Result<(), StoreError> {
        let tx = self.db.begin().await?;
        let viewer = WorkspaceRole::Viewer;
        people::set_membership_role(&tx, &self.person_id, &self.own, viewer).await?;
        for (sid, generation) in session::generations(&tx, &self.person_id, NOW).await? {
            revocation::narrow(&self.kv, &sid, generation, NOW).await?;
        }
        tx.commit().await
    }

    async fn role(&self) -> Result<Option<WorkspaceRole>, StoreError> {
        let (person_id, tenant_id) = (&self.person_id, &self.tenant_id);
        let seen = people::workspace(&self.db, person_id, &self.own, tenant_id).await?;
        Ok(seen.map(|seen| seen.role))
    }

    async fn reads(&self) -> Result<(), StoreError> {
        let (person_id, tenant_id) = (&self.person_id, &self.tenant_id);
        people::standing(&self.db, &self.issuer, &self.subject, tenant_id).await?;
        people::tenant_known(&self.db, tenant_id).await?;
        people::personal_workspace(&self.db, person_id).await?;
        people::workspace(&self.db, person_id, &self.own, tenant_id).await?;
        revocation::read(&self.kv, &self.sid).await?;
        revocation::subject_revoked_before(&self.kv, "digest").await?;
        Ok(())
    }

    async fn changes(&self) -> Result<(), StoreError> {
        let (person_id, tenant_id) = (&self.person_id, &self.tenant_id);
        let elsewhere = TenantId::parse("tnt_2").map_err(|_| StoreError::Corrupt)?;
        let name = Some("Name");
        for (tenant_id, expected) in [(tenant_id, Update::Updated), (&elsewhere, Update::NotFound)]
        {
            let done = people::update_workspace(
                &self.db, person_id, &self.own, tenant_id, name, None, NOW,
            )
            .await?;
            assert_eq!(done, expected);
        }
        Ok(())
    }

    async fn removes(&self) -> Result<(), StoreError> {
        people::remove_membership(&self.db, &self.person_id, &self.own, NOW).await?;
        Ok(())
    }
}

/// Lets each call in turn fail that `act` makes of either store; `check` sees what is left of the
/// world, and then `act` must work.
fn strike<T>(
    act: impl AsyncFn(&World) -> Result<T, StoreError>,
    check: impl AsyncFn(&World) -> Result<(), StoreError>,
) {
    let calls = {
        let world = World::new();
        world.db.failing.heal();
        world.kv.failing.heal();
        block_on(act(&world)).expect("nothing fails");
        (world.db.failing.heal(), world.kv.failing.heal())
    };
    assert!(calls.0 + calls.1 > 0);
    let of_db = (1..=calls.0).map(|n| (Some(n), None));
    let of_kv = (1..=calls.1).map(|n| (None, Some(n)));
    for (db, kv) in of_db.chain(of_kv) {
        let world = World::new();
        if let Some(n) = db {
            world.db.failing.fail_at(n);
        }
        if let Some(n) = kv {
            world.kv.failing.fail_at(n);
        }
        let outcome = block_on(act(&world));
        world.db.failing.heal();
        world.kv.failing.heal();
        let error = outcome.err();
        assert_eq!(error, Some(StoreError::Unavailable), "{db:?} {kv:?}");
        block_on(check(&world)).expect("stores that work");
        block_on(act(&world)).expect("once more");
    }
}

async fn anything(_: &World) -> Result<(), StoreError> {
    Ok(())
}

#[test]
fn reading_and_changing_tell_every_failure() {
    strike(World::reads, anything);
    strike(World::changes, anything);
    strike(World::register, anything);
    strike(World::removes, async |world| {
        assert!(world.role().await?.is_some());
        Ok(())
    });
    strike(
        async |world: &World| purge::purge(&world.db, &world.kv, EXPIRY).await,
        anything,
    );
}

#[test]
fn n_086_a_logout_that_fails_leaves_its_token_good() {
    let act = async |world: &World| {
        // `strike` acts once more after the failure: a token used up would be refused then.
        assert!(world.log_out().await?);
        Ok(())
    };
    strike(act, async |world| {
        let sql = "SELECT 1 FROM session WHERE ended_at IS NOT NULL";
        assert!(world.db.query(sql, &[]).await?.is_empty());
        Ok(())
    });
    let world = World::new();
    assert_eq!(block_on(world.log_out()), Ok(true));
    assert_eq!(block_on(world.log_out()), Ok(false));
    let ended = Some(Revocation::Ended);
    assert_eq!(block_on(revocation::read(&world.kv, &world.sid)), Ok(ended));
    let before = block_on(revocation::subject_revoked_before(&world.kv, "digest"));
    assert_eq!(before, Ok(Some(NOW)));
}

#[test]
fn a_role_is_not_lowered_without_its_tokens() {
    strike(World::lower, async |world| {
        assert_eq!(world.role().await?, Some(WorkspaceRole::Admin));
        Ok(())
    });
    let world = World::new();
    block_on(world.lower()).expect("stores that work");
    let narrowed = Some(Revocation::Narrowed { generation: 0 });
    assert_eq!(
        block_on(revocation::read(&world.kv, &world.sid)),
        Ok(narrowed)
    );
    assert_eq!(block_on(world.role()), Ok(Some(WorkspaceRole::Viewer)));
}
