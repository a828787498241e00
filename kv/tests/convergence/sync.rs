//! A sync as it goes by: lists are read one after the other while ScaiKey changes, compared at once,
//! and applied at the end.

use std::fmt;

use futures_executor::block_on;
use scaigate_kv::directory::compare;
use scaigate_kv::directory::sync_apply::{self, Covered};
use scaigate_kv::directory::sync_run::{self, Begun, Outcome, StartedBy};
use scaigate_kv::directory::{Cause, Stamp};
use scaigate_types::{StoreError, Timestamp};
use serde_json::{Value, json};

use super::mirror::{Mirror, group_id, issuer, tenant_id, time};
use super::model::{Directory, Fields, Model};
use super::random::Random;

const TENANTS: [&str; 2] = ["tnt_a", "tnt_b"];

#[derive(Clone, Copy, Debug)]
enum List {
    Tenants,
    Users(&'static str),
    Groups(&'static str),
    Members(&'static str),
}

/// What of a list differs from the mirror.
#[derive(Debug)]
enum Difference {
    Tenants {
        changed: String,
        absent: String,
    },
    Users {
        tenant: &'static str,
        changed: String,
        absent: String,
    },
    Groups {
        tenant: &'static str,
        changed: String,
        absent: String,
    },
    Members {
        tenant: &'static str,
        joined: String,
        left: String,
    },
}

/// A sync under way.
pub struct Sync {
    sync_id: i64,
    at: u64,
    started_at: Timestamp,
    /// What is read, if everything is read at one moment.
    snapshot: Option<Directory>,
    tells_statuses: bool,
    /// Still to be read, the last first.
    lists: Vec<List>,
    /// The groups that were listed, of which the members are read.
    groups: Vec<(String, String)>,
    differences: Vec<Difference>,
}

impl fmt::Debug for Sync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}, left to read {:?}, ", self.at, self.lists)?;
        write!(
            f,
            "statuses {}, {:?}",
            self.tells_statuses,
            self.differences.last()
        )
    }
}

impl Sync {
    fn new(mirror: &Mirror, at: u64, snapshot: Option<Directory>, tells_statuses: bool) -> Self {
        let started_at = mirror.now();
        let begun = block_on(sync_run::begin(&mirror.db, StartedBy::Call, started_at));
        let Ok(Begun::Run(sync_id)) = begun else {
            panic!("{begun:?}");
        };
        let mut lists = Vec::new();
        for tenant in TENANTS {
            lists.extend([
                List::Members(tenant),
                List::Groups(tenant),
                List::Users(tenant),
            ]);
        }
        lists.push(List::Tenants);
        Self {
            sync_id,
            at,
            started_at,
            snapshot,
            tells_statuses,
            lists,
            groups: Vec::new(),
            differences: Vec::new(),
        }
    }

    /// Begins to read. ScaiKey's clock may be coarse: the next event may bear the very time.
    pub fn begin(mirror: &Mirror, model: &mut Model, random: &mut Random) -> Self {
        let back = u64::try_from(random.below(4)).expect("small");
        let snapshot = random.chance(50).then(|| model.directory().clone());
        Self::new(
            mirror,
            model.now.saturating_sub(back),
            snapshot,
            random.chance(80),
        )
    }

    /// Reads everything while nothing changes.
    pub fn in_peace(mirror: &Mirror, model: &Model) -> Self {
        Self::new(mirror, model.now, None, true)
    }

    /// Reads and compares the next list; `false` when there is none.
    pub fn reads(&mut self, mirror: &Mirror, model: &Model) -> bool {
        let Some(list) = self.lists.pop() else {
            return false;
        };
        let seen = self.snapshot.clone();
        let seen = seen.as_ref().unwrap_or_else(|| model.directory());
        let difference = block_on(self.compares(list, mirror, seen)).expect("a comparison");
        self.differences.push(difference);
        true
    }

    async fn compares(
        &mut self,
        list: List,
        mirror: &Mirror,
        seen: &Directory,
    ) -> Result<Difference, StoreError> {
        let (db, at) = (&mirror.db, time(self.at));
        Ok(match list {
            List::Tenants => {
                let rows = seen
                    .tenants
                    .iter()
                    .map(|(id, fields)| row("tenant_id", id, fields));
                let ids: Vec<_> = seen.tenants.keys().collect();
                Difference::Tenants {
                    changed: compare::changed_tenants(db, &array(rows)).await?.json,
                    absent: compare::absent_tenants(db, &json!(ids).to_string(), at)
                        .await?
                        .json,
                }
            }
            List::Users(tenant) => {
                let of = seen.users.iter().filter(|((of, _), _)| of == tenant);
                let rows = of.clone().map(|((_, id), fields)| {
                    let mut fields = fields.clone();
                    if !self.tells_statuses {
                        fields.remove("status");
                    }
                    row("user_id", id, &fields)
                });
                let ids: Vec<_> = of.clone().map(|((_, id), _)| id).collect();
                let (issuer, ids) = (issuer(tenant), json!(ids).to_string());
                Difference::Users {
                    tenant,
                    changed: compare::changed_users(db, &issuer, &array(rows))
                        .await?
                        .json,
                    absent: compare::absent_users(db, &issuer, &ids, at).await?.json,
                }
            }
            List::Groups(tenant) => {
                let of = seen.groups.iter().filter(|((of, _), _)| of == tenant);
                self.groups.extend(of.clone().map(|(key, _)| key.clone()));
                let rows = of
                    .clone()
                    .map(|((_, id), fields)| row("group_id", id, fields));
                let ids: Vec<_> = of.clone().map(|((_, id), _)| id).collect();
                let (tenant_id, ids) = (tenant_id(tenant), json!(ids).to_string());
                Difference::Groups {
                    tenant,
                    changed: compare::changed_groups(db, &tenant_id, &array(rows))
                        .await?
                        .json,
                    absent: compare::absent_groups(db, &tenant_id, &ids, at).await?.json,
                }
            }
            List::Members(tenant) => {
                let (mut joined, mut left) = (Vec::new(), Vec::new());
                for (_, group) in self.groups.iter().filter(|(of, _)| of == tenant) {
                    let of = seen.members.iter();
                    let of = of.filter(|(t, g, _)| t == tenant && g == group);
                    let ids: Vec<_> = of.map(|(_, _, user)| user).collect();
                    let ids = json!(ids).to_string();
                    let (tenant_id, group_id) = (tenant_id(tenant), group_id(group));
                    let (more, fewer) =
                        compare::changed_members(db, &tenant_id, &group_id, &ids, at).await?;
                    joined.push(format!("[\"{group}\",{}]", more.json));
                    left.push(format!("[\"{group}\",{}]", fewer.json));
                }
                Difference::Members {
                    tenant,
                    joined: format!("[{}]", joined.join(",")),
                    left: format!("[{}]", left.join(",")),
                }
            }
        })
    }

    pub fn fails(&self, mirror: &Mirror) {
        let end = sync_run::end(
            &mirror.db,
            self.sync_id,
            Outcome::Failed,
            None,
            "{}",
            mirror.now(),
        );
        assert_eq!(block_on(end), Ok(true));
    }

    pub fn applies(&self, mirror: &Mirror) {
        block_on(self.apply(mirror)).expect("a store that works");
        let end = sync_run::end(
            &mirror.db,
            self.sync_id,
            Outcome::Applied,
            None,
            "{}",
            mirror.now(),
        );
        assert_eq!(block_on(end), Ok(true));
    }

    async fn apply(&self, mirror: &Mirror) -> Result<(), StoreError> {
        let stamp = Stamp {
            cause: Cause::Sync(self.sync_id),
            now: mirror.now(),
            at: time(self.at),
        };
        let db = &mirror.db;
        for difference in &self.differences {
            match difference {
                Difference::Tenants { changed, absent } => {
                    sync_apply::tenants(db, changed, &stamp).await?;
                    sync_apply::absent_tenants(db, absent, &stamp).await?;
                }
                Difference::Users {
                    tenant,
                    changed,
                    absent,
                } => {
                    let (issuer, tenant_id) = (issuer(tenant), tenant_id(tenant));
                    sync_apply::know_tenant(db, &tenant_id, &stamp).await?;
                    sync_apply::users(db, &issuer, &tenant_id, changed, &stamp).await?;
                    sync_apply::absent_users(db, &issuer, absent, &stamp).await?;
                }
                Difference::Groups {
                    tenant,
                    changed,
                    absent,
                } => {
                    let tenant_id = tenant_id(tenant);
                    sync_apply::groups(db, &tenant_id, changed, &stamp).await?;
                    sync_apply::absent_groups(db, &tenant_id, absent, &stamp).await?;
                }
                Difference::Members {
                    tenant,
                    joined,
                    left,
                } => {
                    let tenant_id = tenant_id(tenant);
                    sync_apply::joined(db, &tenant_id, joined, &stamp).await?;
                    sync_apply::left(db, &tenant_id, left, &stamp).await?;
                }
            }
        }
        let covered = Covered {
            users_method: "effective_users",
            user_statuses: self.tells_statuses,
            groups: true,
            tenants: true,
            read_until: stamp.at,
            started_at: self.started_at,
        };
        sync_apply::finish(db, covered, &stamp).await
    }
}

fn row(key: &str, id: &str, fields: &Fields) -> Value {
    let mut row = json!(fields);
    if let Some(row) = row.as_object_mut() {
        row.insert(key.to_owned(), id.into());
    }
    row
}

fn array(rows: impl Iterator<Item = Value>) -> String {
    Value::Array(rows.collect()).to_string()
}
