//! What the mirror holds and what ScaiKey holds, in one form.

use std::collections::{BTreeMap, BTreeSet};

use futures::executor::block_on;
use scaigate_types::{Query as _, Row, Value};
use scaikey_emulator::{Directory, Tenant};

use super::World;

/// A directory: what is live, and what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mirror {
    /// Name, slug, partner and status of tenants.
    pub tenants: BTreeMap<String, [String; 4]>,
    /// Address, name and status of users, by tenant and id.
    pub users: BTreeMap<(String, String), [String; 3]>,
    /// Name and type of groups, by tenant and id.
    pub groups: BTreeMap<(String, String), [String; 2]>,
    /// Tenant, group, user.
    pub members: BTreeSet<[String; 3]>,
    /// Statuses of partners.
    pub partners: BTreeMap<String, String>,
}

impl Mirror {
    /// What ScaiKey holds of those who have access to our application: in the tests everybody.
    pub fn of_scaikey(directory: &Directory) -> Self {
        let text = |text: &str| text.to_ascii_lowercase();
        let live = |tenant: &&Tenant| tenant.status != "DELETED";
        let tenants: BTreeMap<_, _> = directory
            .tenants
            .iter()
            .filter(live)
            .map(|t| {
                let known = [
                    t.name.clone(),
                    t.slug.clone(),
                    t.partner_id.clone(),
                    text(&t.status),
                ];
                (t.id.clone(), known)
            })
            .collect();
        let users: BTreeMap<_, _> = directory
            .users
            .iter()
            .filter(|u| u.status != "DELETED" && tenants.contains_key(&u.tenant_id))
            .map(|u| {
                let known = [u.email.clone(), u.name(), text(&u.status)];
                ((u.tenant_id.clone(), u.id.clone()), known)
            })
            .collect();
        let listed = directory
            .groups
            .iter()
            .filter(|g| tenants.contains_key(&g.tenant_id));
        let members = listed.clone().flat_map(|g| {
            let of = |user: &String| [g.tenant_id.clone(), g.id.clone(), user.clone()];
            g.members.iter().map(of)
        });
        Self {
            members: members.collect(),
            groups: listed
                .map(|g| {
                    let key = (g.tenant_id.clone(), g.id.clone());
                    (key, [g.name.clone(), g.group_type.clone()])
                })
                .collect(),
            partners: directory
                .partners
                .iter()
                .map(|p| (p.id.clone(), text(&p.status)))
                .collect(),
            users,
            tenants,
        }
    }
}

fn lines<'a, K: std::fmt::Debug + 'a, V: std::fmt::Debug + 'a>(
    kind: &str,
    entries: impl IntoIterator<Item = (&'a K, &'a V)>,
) -> BTreeSet<String> {
    let line = |(key, value): (&K, &V)| format!("{kind} {key:?} {value:?}");
    entries.into_iter().map(line).collect()
}

impl Mirror {
    fn lines(&self) -> BTreeSet<String> {
        let members = self.members.iter().map(|key| (key, &()));
        let mut all = lines("tenant", &self.tenants);
        all.extend(lines("user", &self.users));
        all.extend(lines("group", &self.groups));
        all.extend(lines("member", members));
        all.extend(lines("partner", &self.partners));
        all
    }

    /// What is here and not there, and what is there and not here.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let (here, there) = (self.lines(), other.lines());
        let more = here.difference(&there).map(|line| format!("+ {line}"));
        let less = there.difference(&here).map(|line| format!("- {line}"));
        more.chain(less).collect()
    }
}

/// Texts of a row; a mark for what is not known.
fn texts<const N: usize>(row: &Row) -> [String; N] {
    std::array::from_fn(|index| match &row.0[index] {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    })
}

impl World {
    /// The rows of a statement, as texts.
    pub fn rows<const N: usize>(&self, sql: &str) -> Vec<[String; N]> {
        let rows = block_on(self.db.inner.query(sql, &[])).unwrap();
        rows.iter().map(texts).collect()
    }

    /// What the mirror holds. What is in a tenant that is deleted is not live.
    pub fn mirror(&self) -> Mirror {
        let tenants = self.rows::<5>(
            "SELECT tenant_id, name, slug, partner_id, status FROM tenant
              WHERE deleted_at IS NULL AND synced_at IS NOT NULL",
        );
        let users = self.rows::<5>(
            "SELECT tenant_id, subject, email, p.name, p.status FROM person p JOIN tenant t USING (tenant_id)
              WHERE p.deleted_at IS NULL AND p.synced_at IS NOT NULL AND t.deleted_at IS NULL",
        );
        let groups = self.rows::<4>(
            "SELECT tenant_id, group_id, g.name, g.group_type FROM directory_group g
               JOIN tenant t USING (tenant_id)
              WHERE g.deleted_at IS NULL AND t.deleted_at IS NULL",
        );
        let members = self.rows::<3>(
            "SELECT m.tenant_id, m.group_id, m.user_id FROM group_membership m
               JOIN directory_group g USING (tenant_id, group_id)
               JOIN person p ON p.tenant_id = m.tenant_id AND p.subject = m.user_id
               JOIN tenant t ON t.tenant_id = m.tenant_id
              WHERE m.deleted_at IS NULL AND g.deleted_at IS NULL AND p.deleted_at IS NULL
                AND t.deleted_at IS NULL",
        );
        let partners =
            self.rows::<2>("SELECT partner_id, status FROM partner WHERE deleted_at IS NULL");
        Mirror {
            tenants: tenants
                .into_iter()
                .map(|[id, name, slug, partner, status]| (id, [name, slug, partner, status]))
                .collect(),
            users: users
                .into_iter()
                .map(|[tenant, id, email, name, status]| ((tenant, id), [email, name, status]))
                .collect(),
            groups: groups
                .into_iter()
                .map(|[tenant, id, name, kind]| ((tenant, id), [name, kind]))
                .collect(),
            members: members.into_iter().collect(),
            partners: partners
                .into_iter()
                .map(|[id, status]| (id, status))
                .collect(),
        }
    }

    /// What is decided here on top of it: roles, live sessions, deliveries that held, and whether one
    /// asked for a sync.
    pub fn decided(&self) -> Vec<[String; 3]> {
        self.rows::<3>(
            "SELECT 'role', tenant_id || ' ' || subject, admin_role || ' ' || admin_role_source
               FROM person WHERE admin_role IS NOT NULL
             UNION ALL SELECT 'session', sid, '' FROM session WHERE ended_at IS NULL
             UNION ALL SELECT 'delivery', event_id, outcome FROM webhook_delivery
                        WHERE outcome <> 'duplicate'
             UNION ALL SELECT 'sync', '', '' FROM directory_state WHERE requested_at IS NOT NULL
              ORDER BY 1, 2, 3",
        )
    }

    /// What ScaiKey holds.
    pub fn truth(&self) -> Mirror {
        Mirror::of_scaikey(&self.scaikey.emulator.directory())
    }
}
