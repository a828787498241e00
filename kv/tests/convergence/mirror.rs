//! The mirror as the test sees it: what it holds, and how it receives an event.

use std::cell::Cell;

use futures_executor::block_on;
use scaigate_kv::directory::event::{self, TenantChange, UserChange, UserKey};
use scaigate_kv::directory::{Cause, Stamp};
use scaigate_kv::memory::{MemoryDatabase, MemoryTransaction};
use scaigate_kv::schema::migrate;
use scaigate_types::{
    Database, GroupId, Issuer, PartnerId, Query, Row, StoreError, Subject as UserId, TenantId,
    Timestamp,
};

use super::model::{Directory, Event, Fields, Said, Subject};

/// ScaiKey's times begin here, so that nothing is before the epoch.
const EPOCH: u64 = 1_800_000_000_000;

pub const fn time(at: u64) -> Timestamp {
    Timestamp::from_millis(EPOCH + at)
}

pub fn tenant_id(id: &str) -> TenantId {
    TenantId::parse(id).expect("a tenant")
}

pub fn group_id(id: &str) -> GroupId {
    GroupId::parse(id).expect("a group")
}

pub fn issuer(tenant: &str) -> Issuer {
    Issuer::parse(&format!("https://scaikey.test/tenants/{tenant}")).expect("an issuer")
}

/// The mirror. All of it goes by in one transaction, which is faster by half and ends with the test.
pub struct Mirror {
    pub db: MemoryTransaction,
    _db: MemoryDatabase,
    now: Cell<u64>,
}

impl Mirror {
    pub fn new() -> Self {
        let db = MemoryDatabase::new().expect("SQLite in memory");
        block_on(migrate(&db)).expect("a schema");
        Self {
            db: block_on(db.begin()).expect("a transaction"),
            _db: db,
            now: Cell::new(0),
        }
    }

    fn query(&self, sql: &str) -> Vec<Row> {
        block_on(self.db.query(sql, &[])).expect(sql)
    }

    /// Forgets everything.
    pub fn reset(&self) {
        for table in [
            "person",
            "tenant",
            "partner",
            "directory_group",
            "group_membership",
        ] {
            self.query(&format!("DELETE FROM {table}"));
        }
        self.query("DELETE FROM sync_run");
        self.query("DELETE FROM change_log");
        self.query("DELETE FROM directory_state");
        self.query("INSERT INTO directory_state (one) VALUES (1)");
    }

    /// Our time, which goes on with every question. It has nothing to do with ScaiKey's.
    pub fn now(&self) -> Timestamp {
        self.now.set(self.now.get() + 1);
        Timestamp::from_millis(1_000 + self.now.get())
    }

    pub fn receive(&self, event: &Event) {
        let stamp = Stamp {
            cause: Cause::Webhook(format!("evt_{}", event.at)),
            now: self.now(),
            at: time(event.at),
        };
        block_on(self.apply(event, &stamp)).expect("a store that works");
    }

    async fn apply(&self, event: &Event, stamp: &Stamp) -> Result<(), StoreError> {
        let none = Fields::new();
        let (fields, is_present) = match &event.said {
            Said::Created(fields) => (fields, Some(true)),
            Said::Updated(fields) => (fields, None),
            Said::Deleted => (&none, Some(false)),
        };
        let told = |field: &str| fields.get(field).map(String::as_str);
        let field = |name: &str| told(name).map(Some);
        let is_created = is_present == Some(true);
        let db = &self.db;
        match &event.subject {
            Subject::Tenant(tenant) => {
                let partner_id = told("partner_id").map(|id| PartnerId::parse(id).expect("an id"));
                let change = TenantChange {
                    name: field("name"),
                    slug: told("slug"),
                    partner_id: partner_id.as_ref(),
                    status: told("status"),
                    is_present,
                };
                event::tenant(db, &tenant_id(tenant), change, stamp).await?;
            }
            Subject::Partner(partner) => {
                let id = PartnerId::parse(partner).expect("an id");
                let (name, status) = (field("name"), told("status"));
                event::partner(db, &id, name, status, is_present, stamp).await?;
            }
            Subject::User(tenant, user) => {
                let key = UserKey {
                    issuer: &issuer(tenant),
                    tenant_id: &tenant_id(tenant),
                    user_id: &UserId::parse(user).expect("an id"),
                };
                if is_present == Some(false) {
                    event::user_deleted(db, key, stamp).await?;
                    return Ok(());
                }
                let change = UserChange {
                    email: field("email"),
                    name: field("display_name"),
                    status: told("status"),
                    is_present: is_created,
                };
                event::user(db, key, change, stamp).await?;
            }
            Subject::Group(tenant, group) => {
                let (tenant, group) = (tenant_id(tenant), group_id(group));
                if is_present == Some(false) {
                    event::group_deleted(db, &tenant, &group, stamp).await?;
                    return Ok(());
                }
                let (name, kind) = (field("name"), told("group_type"));
                event::group(db, &tenant, &group, name, kind, is_created, stamp).await?;
            }
            Subject::Member(tenant, group, user) => {
                let (tenant, group) = (tenant_id(tenant), group_id(group));
                let user = UserId::parse(user).expect("an id");
                event::membership(db, &tenant, &group, &user, is_created, stamp).await?;
            }
        }
        Ok(())
    }

    /// The rows of a statement: as many columns of a key as `key`, then the fields.
    fn entries(&self, sql: &str, fields: &[&'static str]) -> Vec<(Vec<String>, Fields)> {
        let rows = self.query(sql);
        let text = |row: &Row, index| {
            let text = row.optional_text(index).expect("text");
            text.unwrap_or("unknown").to_owned()
        };
        rows.iter()
            .map(|row| {
                let keys = row.0.len() - fields.len();
                let key = (0..keys).map(|index| text(row, index)).collect();
                let fields = (keys..)
                    .zip(fields)
                    .map(|(index, field)| (*field, text(row, index)));
                (key, fields.collect())
            })
            .collect()
    }

    /// What is live.
    pub fn directory(&self) -> Directory {
        let one = |(key, fields): (Vec<String>, Fields)| {
            let [id]: [String; 1] = key.try_into().expect("a key");
            (id, fields)
        };
        let two = |(key, fields): (Vec<String>, Fields)| {
            let [tenant, id]: [String; 2] = key.try_into().expect("a key");
            ((tenant, id), fields)
        };
        let tenants = self.entries(
            "SELECT tenant_id, name, slug, partner_id, status FROM tenant
              WHERE deleted_at IS NULL AND synced_at IS NOT NULL",
            &["name", "slug", "partner_id", "status"],
        );
        let partners = self.entries(
            "SELECT partner_id, name, status FROM partner WHERE deleted_at IS NULL",
            &["name", "status"],
        );
        let users = self.entries(
            "SELECT tenant_id, subject, email, name, status FROM person WHERE deleted_at IS NULL",
            &["email", "display_name", "status"],
        );
        let groups = self.entries(
            "SELECT tenant_id, group_id, name, group_type FROM directory_group
              WHERE deleted_at IS NULL",
            &["name", "group_type"],
        );
        let members = self.entries(
            "SELECT m.tenant_id, m.group_id, m.user_id FROM group_membership m
               JOIN directory_group g USING (tenant_id, group_id)
               JOIN person p ON p.tenant_id = m.tenant_id AND p.subject = m.user_id
              WHERE m.deleted_at IS NULL AND g.deleted_at IS NULL AND p.deleted_at IS NULL",
            &[],
        );
        Directory {
            tenants: tenants.into_iter().map(one).collect(),
            partners: partners.into_iter().map(one).collect(),
            users: users.into_iter().map(two).collect(),
            groups: groups.into_iter().map(two).collect(),
            members: members
                .into_iter()
                .map(|(key, _)| {
                    let [tenant, group, user]: [String; 3] = key.try_into().expect("a key");
                    (tenant, group, user)
                })
                .collect(),
        }
    }
}
