//! What cases begin with: identifiers of their own, and rows that are not what they are about.

use std::time::Duration;

use scaigate_types::{
    Database, Issuer, PersonId, Query, SessionId, StoreError, Subject, TenantId, Timestamp,
    WorkspaceId,
};

use super::verdict::Failure;
use super::{Stores, verdict::same};
use crate::people::{self, Arrival, FreshIds, Person, Registration};
use crate::session::{self, NewSession, Rotation, Session};

/// The time at which cases begin.
pub const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// How long the sessions of cases live.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// One millisecond: the smallest step of a [`Timestamp`].
pub const TICK: Duration = Duration::from_millis(1);

impl<K, D> Stores<'_, K, D> {
    /// A digest, key or name of this case.
    pub(super) fn name(&self, tag: &str) -> String {
        format!("{}-{tag}", self.prefix)
    }

    pub(super) fn sid(&self, tag: &str) -> Result<SessionId, Failure> {
        SessionId::parse(&self.name(tag)).map_err(|_| unfit())
    }

    pub(super) fn person(&self, tag: &str) -> Result<PersonId, Failure> {
        PersonId::parse(&self.name(tag)).map_err(|_| unfit())
    }

    pub(super) fn tenant(&self, tag: &str) -> Result<TenantId, Failure> {
        TenantId::parse(&self.name(tag)).map_err(|_| unfit())
    }

    pub(super) fn workspace(&self, tag: &str) -> Result<WorkspaceId, Failure> {
        WorkspaceId::parse(&self.name(tag)).map_err(|_| unfit())
    }

    pub(super) fn subject(&self, tag: &str) -> Result<Subject, Failure> {
        Subject::parse(&self.name(tag)).map_err(|_| unfit())
    }

    /// An issuer, the same for every case: what tells cases apart is the subject.
    pub(super) fn issuer(&self) -> Result<Issuer, Failure> {
        Issuer::parse("https://scaikey.test").map_err(|_| unfit())
    }
}

fn unfit() -> Failure {
    Failure::new("the prefix makes no identifier")
}

/// Somebody who arrives, and in which tenant.
#[derive(Clone, Debug)]
pub struct Somebody {
    pub issuer: Issuer,
    pub subject: Subject,
    pub tenant_id: TenantId,
    pub email: Option<String>,
    pub name: Option<&'static str>,
    pub is_tenant_admin: bool,
    pub is_bootstrap_super_admin: bool,
    /// Made up for the person and the workspace that may not exist yet.
    pub fresh: FreshIds,
}

impl Somebody {
    /// A person called `tag` of the case's tenant `tenant`.
    pub fn new<K, D>(on: &Stores<'_, K, D>, tag: &str, tenant: &str) -> Result<Self, Failure> {
        Ok(Self {
            issuer: on.issuer()?,
            subject: on.subject(tag)?,
            tenant_id: on.tenant(tenant)?,
            email: Some(format!("{}@example.test", on.name(tag))),
            name: Some("Somebody"),
            is_tenant_admin: false,
            is_bootstrap_super_admin: false,
            fresh: FreshIds {
                person_id: on.person(tag)?,
                workspace_id: on.workspace(&format!("ws-{tag}"))?,
            },
        })
    }

    fn arrival(&self) -> Arrival<'_> {
        Arrival {
            issuer: &self.issuer,
            subject: &self.subject,
            tenant_id: &self.tenant_id,
            email: self.email.as_deref(),
            name: self.name,
            is_tenant_admin: self.is_tenant_admin,
            is_bootstrap_super_admin: self.is_bootstrap_super_admin,
        }
    }

    /// Lets them arrive.
    pub async fn arrive(&self, db: &impl Database) -> Result<Person, StoreError> {
        people::arrive(db, &self.arrival(), &self.fresh, NOW).await
    }

    /// Lets them register, with `own` for the personal workspace that may not exist yet.
    pub async fn register(
        &self,
        db: &impl Database,
        own: &WorkspaceId,
    ) -> Result<Option<Registration>, StoreError> {
        people::register(db, &self.arrival(), &self.fresh, own, NOW).await
    }

    /// Registers and expects that it works, with the workspace `tag` of the case.
    pub async fn registers<K, D>(
        &self,
        db: &impl Database,
        tag: &str,
        on: &Stores<'_, K, D>,
    ) -> Result<Registration, Failure> {
        let registered = self.register(db, &on.workspace(tag)?).await?;
        registered.ok_or_else(|| Failure::new("an active person was refused"))
    }

    /// Sets their status, as a later administrator's page will.
    pub async fn set_status(&self, db: &impl Query, status: &str) -> Result<(), StoreError> {
        let sql = "UPDATE person SET status = ?3 WHERE issuer = ?1 AND subject = ?2";
        let parameters = [
            self.issuer.as_str().into(),
            self.subject.as_str().into(),
            status.into(),
        ];
        db.query(sql, &parameters).await.map(|_| ())
    }
}

/// A session that nobody has redeemed: its identifier is `tag`, its code `tag` with `-code`.
pub async fn unredeemed<K, D: Database>(
    on: &Stores<'_, K, D>,
    tag: &str,
) -> Result<SessionId, Failure> {
    let sid = on.sid(tag)?;
    session::insert(
        on.db,
        &NewSession {
            sid: &sid,
            person_id: &on.person("owner")?,
            tenant_id: &on.tenant("tenant")?,
            expires_at: NOW.plus(SESSION_LIFETIME),
            code_hash: &code_of(on, tag),
            code_challenge: Some("challenge"),
            scaikey_sid: Some("scaikey-session"),
            scaikey_tokens: b"sealed",
        },
        NOW,
    )
    .await?;
    Ok(sid)
}

/// The digest of the code of [`unredeemed`].
pub fn code_of<K, D>(on: &Stores<'_, K, D>, tag: &str) -> String {
    on.name(&format!("{tag}-code"))
}

/// A session redeemed for the workspace `home`.
pub async fn redeemed<K, D: Database>(
    on: &Stores<'_, K, D>,
    tag: &str,
) -> Result<SessionId, Failure> {
    let sid = unredeemed(on, tag).await?;
    let redeemed = session::redeem(on.db, &code_of(on, tag), &on.workspace("home")?, NOW).await?;
    same("redeeming", redeemed, true)?;
    Ok(sid)
}

/// Rotates and expects the session with `generation`.
pub async fn rotates(
    db: &impl Database,
    sid: &SessionId,
    presented: u32,
    now: Timestamp,
    generation: u32,
) -> Result<Session, Failure> {
    match session::rotate(db, sid, presented, now).await? {
        Rotation::Current(session) if session.generation == generation => Ok(session),
        other => Err(Failure::new(format!(
            "presenting generation {presented}: {other:?} instead of generation {generation}"
        ))),
    }
}
