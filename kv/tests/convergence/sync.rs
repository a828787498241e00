//! A sync as it goes by: lists are read one after the other while ScaiKey changes, compared at once,
//! and applied at the end.

use std::collections::{BTreeMap, BTreeSet};
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
    /// Of the group of that number among those that were listed.
    Members(usize),
    /// What is missing from all of these.
    Absent,
}

/// What differs from the mirror, in the order in which it is applied.
#[derive(Debug)]
enum Difference {
    Tenants(String),
    Users(&'static str, String),
    AbsentUsers(&'static str, String),
    Groups(&'static str, String),
    AbsentGroups(&'static str, String),
    Joined(String, String),
    Left(String, String),
    AbsentTenants(String),
}

impl Difference {
    const fn turn(&self) -> u8 {
        match self {
            Self::Tenants(_) => 0,
            Self::Users(..) => 1,
            Self::AbsentUsers(..) => 2,
            Self::Groups(..) => 3,
            Self::AbsentGroups(..) => 4,
            Self::Joined(..) => 5,
            Self::Left(..) => 6,
            Self::AbsentTenants(_) => 7,
        }
    }
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
    seen_tenants: BTreeSet<String>,
    seen_users: BTreeMap<&'static str, BTreeSet<String>>,
    /// The groups that were listed, of which the members are read.
    seen_groups: Vec<(&'static str, String)>,
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
        let lists = TENANTS.map(List::Groups).into_iter();
        let lists = lists.chain(TENANTS.map(List::Users)).chain([List::Tenants]);
        Self {
            sync_id,
            at,
            started_at,
            snapshot,
            tells_statuses,
            lists: [List::Absent].into_iter().chain(lists).collect(),
            seen_tenants: BTreeSet::new(),
            seen_users: BTreeMap::new(),
            seen_groups: Vec::new(),
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
        block_on(self.compares(list, mirror, seen)).expect("a comparison");
        true
    }

    async fn compares(
        &mut self,
        list: List,
        mirror: &Mirror,
        seen: &Directory,
    ) -> Result<(), StoreError> {
        let db = &mirror.db;
        match list {
            List::Tenants => {
                let rows = seen.tenants.iter();
                let rows = array(rows.map(|(id, fields)| row("tenant_id", id, fields)));
                let changed = compare::changed_tenants(db, &rows).await?.json;
                self.differences.push(Difference::Tenants(changed));
                self.seen_tenants = seen.tenants.keys().cloned().collect();
            }
            List::Users(tenant) => {
                let of = seen.users.iter().filter(|((of, _), _)| of == tenant);
                let rows = array(of.clone().map(|((_, id), fields)| {
                    let mut fields = fields.clone();
                    if !self.tells_statuses {
                        fields.remove("status");
                    }
                    row("user_id", id, &fields)
                }));
                let changed = compare::changed_users(db, &issuer(tenant), &rows).await?;
                self.differences
                    .push(Difference::Users(tenant, changed.json));
                let ids = of.map(|((_, id), _)| id.clone()).collect();
                self.seen_users.insert(tenant, ids);
            }
            List::Groups(tenant) => {
                let of = seen.groups.iter().filter(|((of, _), _)| of == tenant);
                let rows = of
                    .clone()
                    .map(|((_, id), fields)| row("group_id", id, fields));
                let rows = array(rows);
                let changed = compare::changed_groups(db, &tenant_id(tenant), &rows).await?;
                self.differences
                    .push(Difference::Groups(tenant, changed.json));
                for ((_, id), _) in of {
                    self.lists.push(List::Members(self.seen_groups.len()));
                    self.seen_groups.push((tenant, id.clone()));
                }
                // The other tenant's groups are listed before any members.
                self.lists.sort_by_key(|list| match list {
                    List::Absent => 0,
                    List::Members(_) => 1,
                    _ => 2,
                });
            }
            List::Members(number) => self.compares_members(number, mirror, seen).await?,
            List::Absent => self.compares_absent(mirror).await?,
        }
        Ok(())
    }

    async fn compares_members(
        &mut self,
        number: usize,
        mirror: &Mirror,
        seen: &Directory,
    ) -> Result<(), StoreError> {
        let Some((tenant, group)) = self.seen_groups.get(number).cloned() else {
            return Ok(());
        };
        if !seen
            .groups
            .contains_key(&(tenant.to_owned(), group.clone()))
        {
            // Deleted since it was listed.
            if let Some(listed) = self.seen_groups.get_mut(number) {
                listed.0 = "tnt_none";
            }
            return Ok(());
        }
        let of = seen.members.iter();
        let ids = of.filter(|(of, in_group, _)| of == tenant && *in_group == group);
        let ids = json!(ids.map(|(_, _, user)| user).collect::<Vec<_>>()).to_string();
        let (tenant_id, group_id) = (tenant_id(tenant), group_id(&group));
        let (joined, left) =
            compare::changed_members(&mirror.db, &tenant_id, &group_id, &ids, time(self.at))
                .await?;
        let pair = |ids: &str| format!("[[\"{group}\",{ids}]]");
        let differences = [
            Difference::Joined(tenant.to_owned(), pair(&joined.json)),
            Difference::Left(tenant.to_owned(), pair(&left.json)),
        ];
        self.differences.extend(differences);
        Ok(())
    }

    async fn compares_absent(&mut self, mirror: &Mirror) -> Result<(), StoreError> {
        let (db, at) = (&mirror.db, time(self.at));
        for tenant in TENANTS {
            let ids = json!(self.seen_users.get(tenant)).to_string();
            let absent = compare::absent_users(db, &issuer(tenant), &ids, at).await?;
            self.differences
                .push(Difference::AbsentUsers(tenant, absent.json));
            let listed = self.seen_groups.iter().filter(|(of, _)| *of == tenant);
            let ids = json!(listed.map(|(_, id)| id).collect::<Vec<_>>()).to_string();
            let absent = compare::absent_groups(db, &tenant_id(tenant), &ids, at).await?;
            self.differences
                .push(Difference::AbsentGroups(tenant, absent.json));
        }
        let ids = json!(self.seen_tenants).to_string();
        let absent = compare::absent_tenants(db, &ids, at).await?;
        self.differences
            .push(Difference::AbsentTenants(absent.json));
        self.differences.sort_by_key(Difference::turn);
        Ok(())
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
        for tenant in TENANTS {
            sync_apply::know_tenant(db, &tenant_id(tenant), &stamp).await?;
        }
        for difference in &self.differences {
            match difference {
                Difference::Tenants(rows) => sync_apply::tenants(db, rows, &stamp).await?,
                Difference::Users(tenant, rows) => {
                    let (issuer, tenant_id) = (issuer(tenant), tenant_id(tenant));
                    sync_apply::users(db, &issuer, &tenant_id, rows, &stamp).await?;
                }
                Difference::AbsentUsers(tenant, ids) => {
                    sync_apply::absent_users(db, &issuer(tenant), ids, &stamp).await?;
                }
                Difference::Groups(tenant, rows) => {
                    sync_apply::groups(db, &tenant_id(tenant), rows, &stamp).await?;
                }
                Difference::AbsentGroups(tenant, ids) => {
                    sync_apply::absent_groups(db, &tenant_id(tenant), ids, &stamp).await?;
                }
                Difference::Joined(tenant, pairs) => {
                    sync_apply::joined(db, &tenant_id(tenant), pairs, &stamp).await?;
                }
                Difference::Left(tenant, pairs) => {
                    sync_apply::left(db, &tenant_id(tenant), pairs, &stamp).await?;
                }
                Difference::AbsentTenants(ids) => {
                    sync_apply::absent_tenants(db, ids, &stamp).await?;
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
