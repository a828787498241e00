//! What many requests can race for. Each names what it got in a word.

use std::fmt;
use std::time::Duration;

use scaigate_kv::pending_login::{self, Consumed};
use scaigate_kv::people::{self, Arrival, FreshIds};
use scaigate_kv::rate_bucket::{self, Bucket, Name};
use scaigate_kv::redeemed_code;
use scaigate_kv::session::{self, NewSession, Rotation};
use scaigate_kv::spin::SpinDatabase;
use scaigate_kv::upstream_refresh::{self, Turn};
use scaigate_types::id::IdError;
use scaigate_types::{
    Issuer, PersonId, SessionId, StoreError, Subject, TenantId, Timestamp, WorkspaceId,
};

/// The time of every race.
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Why a request had no part in a race.
#[derive(Debug)]
pub enum Error {
    /// The store failed.
    Store(StoreError),
    /// A parameter is no identifier.
    Id(IdError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Id(error) => error.fmt(f),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<IdError> for Error {
    fn from(error: IdError) -> Self {
        Self::Id(error)
    }
}

/// Puts there what a race is about; `None` for an unknown subject.
pub async fn prepare(subject: &str, id: &str) -> Option<Result<(), Error>> {
    Some(match subject {
        "pending-login" => {
            pending_login::insert(&SpinDatabase::default(), id, "browser", b"sealed", NOW)
                .await
                .map_err(Error::from)
        }
        "session-code" => new_session(id).await,
        "rotation" => redeemed_session(id).await,
        _ => return None,
    })
}

/// Takes part in a race: what this request got, or `None` for an unknown subject.
pub async fn enter(subject: &str, id: &str, request: &str) -> Option<Result<String, Error>> {
    Some(match subject {
        "pending-login" => consume(id).await,
        "session-code" => redeem(id, request).await,
        "authorization-code" => claim(id).await,
        "upstream-refresh" => turn(id, request).await,
        "rotation" => rotate(id).await,
        "arrival" => arrive(id, request).await,
        "rate-bucket" => take(id).await,
        _ => return None,
    })
}

fn word(won: bool) -> String {
    if won { "won" } else { "lost" }.to_owned()
}

async fn consume(id: &str) -> Result<String, Error> {
    Ok(
        match pending_login::consume(&SpinDatabase::default(), id, Some("browser"), NOW).await? {
            Consumed::Now(_) => word(true),
            Consumed::AlreadyUsed => word(false),
            other @ (Consumed::Unknown | Consumed::Expired | Consumed::OtherBrowser) => {
                format!("{other:?}")
            }
        },
    )
}

async fn redeem(id: &str, request: &str) -> Result<String, Error> {
    let workspace_id = WorkspaceId::parse(request)?;
    Ok(word(
        session::redeem(&SpinDatabase::default(), id, &workspace_id, NOW).await?,
    ))
}

async fn claim(id: &str) -> Result<String, Error> {
    Ok(word(
        redeemed_code::claim(&SpinDatabase::default(), id, NOW).await?,
    ))
}

async fn turn(id: &str, request: &str) -> Result<String, Error> {
    Ok(
        match upstream_refresh::turn(&SpinDatabase::default(), id, request, NOW).await? {
            Turn::Lead => word(true),
            Turn::Wait => word(false),
            Turn::Answer(_) => "answer".to_owned(),
        },
    )
}

/// Takes a token from a bucket of fifty.
async fn take(id: &str) -> Result<String, Error> {
    let name = Name {
        principal: id,
        category: "race",
    };
    let bucket = Bucket {
        capacity: 50,
        refill_per_minute: 50,
    };
    let taken = rate_bucket::take(&SpinDatabase::default(), name, bucket, 1, NOW).await?;
    Ok(word(taken.granted == 1))
}

/// Presents generation 0; says which generation came back.
async fn rotate(id: &str) -> Result<String, Error> {
    Ok(
        match session::rotate(&SpinDatabase::default(), &SessionId::parse(id)?, 0, NOW).await? {
            Rotation::Current(session) => session.generation.to_string(),
            other @ (Rotation::Reused(_) | Rotation::Ended | Rotation::Unknown) => {
                format!("{other:?}")
            }
        },
    )
}

/// Somebody new arrives in the tenant `id`; says which role they have there.
async fn arrive(id: &str, request: &str) -> Result<String, Error> {
    let tenant_id = TenantId::parse(id)?;
    let arrival = Arrival {
        issuer: &Issuer::parse("https://scaikey.test")?,
        subject: &Subject::parse(&format!("{id}-{request}"))?,
        tenant_id: &tenant_id,
        email: None,
        name: None,
        is_tenant_admin: false,
        is_bootstrap_super_admin: false,
    };
    let fresh = FreshIds {
        person_id: PersonId::parse(&format!("{id}-{request}"))?,
        workspace_id: WorkspaceId::parse(&format!("{id}-{request}"))?,
    };
    let person = people::arrive(&SpinDatabase::default(), &arrival, &fresh, NOW).await?;
    let workspaces =
        people::workspaces(&SpinDatabase::default(), &person.person_id, &tenant_id).await?;
    let roles: Vec<_> = workspaces
        .iter()
        .map(|membership| membership.role.as_str())
        .collect();
    Ok(roles.join(","))
}

/// A session whose identifier and code are both `id`.
async fn new_session(id: &str) -> Result<(), Error> {
    let new = NewSession {
        sid: &SessionId::parse(id)?,
        person_id: &PersonId::parse("person")?,
        tenant_id: &TenantId::parse("tenant")?,
        expires_at: NOW.plus(Duration::from_secs(3600)),
        code_hash: id,
        code_challenge: None,
        scaikey_sid: None,
        scaikey_tokens: b"sealed",
    };
    Ok(session::insert(&SpinDatabase::default(), &new, NOW).await?)
}

async fn redeemed_session(id: &str) -> Result<(), Error> {
    new_session(id).await?;
    session::redeem(
        &SpinDatabase::default(),
        id,
        &WorkspaceId::parse("workspace")?,
        NOW,
    )
    .await?;
    Ok(())
}
