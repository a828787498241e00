//! What cases of the mirror begin with: events, readings, and rows as they are then.
//!
//! What the last sync covered and which run is under way is one row for all cases: they set it as
//! they need it.

use std::time::Duration;

use scaigate_types::{
    GroupId, Issuer, Query, Row, StoreError, Subject, TenantId, Timestamp, Value,
};
use serde_json::json;

use super::Stores;
use super::fixtures::NOW;
use super::verdict::{Failure, same};
use crate::directory::event::{self, Effect, UserChange, UserKey};
use crate::directory::sync_apply::{self, Covered};
use crate::directory::sync_run::{self, Begun, Outcome, StartedBy};
use crate::directory::{Cause, Stamp};

/// ScaiKey's time `n`.
pub fn at(n: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(n))
}

/// One tenant of the directory, for the cases that need no second.
pub struct Place {
    pub tenant_id: TenantId,
    pub issuer: Issuer,
    pub prefix: String,
}

impl Place {
    /// The tenant `tag` of a case, and nothing that was read or runs.
    pub async fn new<K, D: Query>(on: &Stores<'_, K, D>, tag: &str) -> Result<Self, Failure> {
        nothing_is_known(on.db).await?;
        Self::more(on, tag)
    }

    /// Another tenant.
    pub fn more<K, D>(on: &Stores<'_, K, D>, tag: &str) -> Result<Self, Failure> {
        let tenant_id = on.tenant(tag)?;
        let issuer = on.issuer()?.of_tenant(&tenant_id);
        Ok(Self {
            issuer: issuer.map_err(|_| Failure::new("no issuer"))?,
            tenant_id,
            prefix: on.prefix.to_owned(),
        })
    }

    /// The identifier `tag` of a user of this tenant.
    pub fn user(&self, tag: &str) -> Result<Subject, Failure> {
        let id = format!("{}-{tag}", self.prefix);
        Subject::parse(&id).map_err(|_| Failure::new("no user"))
    }

    /// The identifier `tag` of a group of this tenant.
    pub fn group(&self, tag: &str) -> Result<GroupId, Failure> {
        let id = format!("{}-{tag}", self.prefix);
        GroupId::parse(&id).map_err(|_| Failure::new("no group"))
    }

    /// The key of a user.
    pub const fn key<'a>(&'a self, user_id: &'a Subject) -> UserKey<'a> {
        UserKey {
            issuer: &self.issuer,
            tenant_id: &self.tenant_id,
            user_id,
        }
    }

    /// The user `tag` is there from ScaiKey's time `n` on, active and with an address of their own.
    pub async fn has_user(&self, on: &impl Query, tag: &str, n: u64) -> Result<Subject, Failure> {
        let user_id = self.user(tag)?;
        let email = format!("{user_id}@example.test");
        let change = UserChange {
            email: Some(Some(&email)),
            name: Some(Some(tag)),
            status: Some("active"),
            is_present: true,
        };
        let effect = event::user(on, self.key(&user_id), change, &told(n)).await?;
        same(tag, effect, Effect::Applied)?;
        Ok(user_id)
    }

    /// The group `tag` is there from ScaiKey's time `n` on.
    pub async fn has_group(&self, on: &impl Query, tag: &str, n: u64) -> Result<GroupId, Failure> {
        let group_id = self.group(tag)?;
        let name = Some(Some(group_id.as_str()));
        let tenant_id = &self.tenant_id;
        let effect = event::group(on, tenant_id, &group_id, name, None, true, &told(n)).await?;
        same(tag, effect, Effect::Applied)?;
        Ok(group_id)
    }

    /// Somebody joins or leaves at ScaiKey's time `n`.
    pub async fn member(
        &self,
        on: &impl Query,
        group_id: &GroupId,
        user_id: &Subject,
        is_member: bool,
        n: u64,
    ) -> Result<Effect, StoreError> {
        event::membership(on, &self.tenant_id, group_id, user_id, is_member, &told(n)).await
    }

    /// Who is a member of a group: live rows alone, by identifier.
    pub async fn members(
        &self,
        on: &impl Query,
        group_id: &GroupId,
    ) -> Result<Vec<String>, Failure> {
        let sql = "SELECT user_id FROM group_membership
            WHERE tenant_id = ?1 AND group_id = ?2 AND deleted_at IS NULL ORDER BY user_id";
        let of = [self.tenant_id.as_str().into(), group_id.as_str().into()];
        texts(on, sql, &of).await
    }

    /// A user's address, name, status and whether they are there; `None` without a row.
    pub async fn seen(&self, on: &impl Query, user_id: &Subject) -> Result<Option<Seen>, Failure> {
        let sql = "SELECT email, name, status, deleted_at IS NULL FROM person
            WHERE issuer = ?1 AND subject = ?2 AND tenant_id = ?3";
        let of = [
            self.issuer.as_str().into(),
            user_id.as_str().into(),
            self.tenant_id.as_str().into(),
        ];
        let rows = on.query(sql, &of).await?;
        let seen = rows.first().map(|row| {
            Ok::<_, StoreError>((
                row.optional_text(0)?.map(str::to_owned),
                row.optional_text(1)?.map(str::to_owned),
                row.text(2)?.to_owned(),
                row.integer(3)? != 0,
            ))
        });
        Ok(seen.transpose()?)
    }
}

/// Address, name, status, and whether the user is there.
pub type Seen = (Option<String>, Option<String>, String, bool);

/// What a webhook says at ScaiKey's time `n`. Ours goes on with it.
pub fn told(n: u64) -> Stamp {
    Stamp {
        cause: Cause::Webhook(format!("evt_{n}")),
        now: at(n),
        at: at(n),
    }
}

/// What a sync says that began to read at ScaiKey's time `n`.
pub fn read(n: u64) -> Stamp {
    Stamp {
        cause: Cause::Sync(0),
        ..told(n)
    }
}

/// No sync was applied, and none runs.
pub async fn nothing_is_known(on: &impl Query) -> Result<(), StoreError> {
    for sql in [
        "UPDATE directory_state SET users_at = 0, user_status_at = 0, groups_at = 0,
                memberships_at = 0, tenants_at = 0, read_until = 0, users_method = NULL,
                synced_at = NULL, requested_at = NULL",
        "DELETE FROM unsettled",
        "UPDATE sync_run SET outcome = 'failed', finished_at = started_at WHERE outcome IS NULL",
    ] {
        on.query(sql, &[]).await?;
    }
    Ok(())
}

/// A run begins; its number.
pub async fn begins(on: &impl Query, now: Timestamp) -> Result<i64, Failure> {
    match sync_run::begin(on, StartedBy::Call, now).await? {
        Begun::Run(sync_id) => Ok(sync_id),
        Begun::Running { .. } => Err(Failure::new("another run is under way")),
    }
}

/// The run ends with what it has read from ScaiKey's time `n` on: everything.
pub async fn finishes(on: &impl Query, sync_id: i64, n: u64) -> Result<(), Failure> {
    let stamp = Stamp {
        cause: Cause::Sync(sync_id),
        ..told(n)
    };
    let covered = Covered {
        users_method: "effective_users",
        user_statuses: true,
        groups: true,
        tenants: true,
        read_until: at(n),
        started_at: at(n),
    };
    sync_apply::finish(on, covered, &stamp).await?;
    let end = sync_run::end(on, sync_id, Outcome::Applied, None, "{}", at(n)).await?;
    same("the end of the run", end, true)
}

/// A sync that began to read at ScaiKey's time `n` was applied, and changed nothing.
pub async fn was_read(on: &impl Query, n: u64) -> Result<(), Failure> {
    let sync_id = begins(on, at(n)).await?;
    finishes(on, sync_id, n).await
}

/// A JSON array of identifiers.
pub fn ids<T: AsRef<str>>(of: &[T]) -> String {
    let ids: Vec<&str> = of.iter().map(AsRef::as_ref).collect();
    json!(ids).to_string()
}

/// The first column of every row.
pub async fn texts(
    on: &impl Query,
    sql: &str,
    parameters: &[Value],
) -> Result<Vec<String>, Failure> {
    let rows = on.query(sql, parameters).await?;
    let texts: Result<Vec<_>, _> = rows
        .iter()
        .map(|row| row.text(0).map(str::to_owned))
        .collect();
    Ok(texts?)
}

/// The orders of three.
const ORDERS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

/// Three events of `kinds` happen at ScaiKey's times 1, 2 and 3 and arrive in every order; what is
/// left is the same each time, and stays so when they arrive again. `receive` gets what to call the
/// entry, the kind and the time; `state` is what is left of the entry.
pub async fn every_order(
    kinds: usize,
    receive: impl AsyncFn(&str, usize, u64) -> Result<(), Failure>,
    state: impl AsyncFn(&str) -> Result<Vec<Row>, Failure>,
) -> Result<(), Failure> {
    let of = |n: usize| n.checked_rem(kinds).unwrap_or(0);
    for number in 0..kinds.pow(3) {
        let events = [number, number / kinds, number / kinds / kinds].map(of);
        let mut expected = None;
        for (turn, order) in ORDERS.into_iter().enumerate() {
            let tag = format!("{number}-{turn}");
            for index in order {
                let kind = events.get(index).copied().unwrap_or(0);
                receive(&tag, kind, index as u64 + 1).await?;
            }
            if expected.is_none() {
                expected = Some(state(&tag).await?);
                // Once more, after all.
                for (time, kind) in (1..).zip(events) {
                    receive(&tag, kind, time).await?;
                }
            }
            let found = Some(state(&tag).await?);
            let what = format!("{events:?} in the order {order:?}");
            same(&what, &found, &expected)?;
        }
    }
    Ok(())
}
