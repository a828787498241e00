//! The mirror as it is in the database, and as it should be by ScaiKey's own directory.

use std::collections::BTreeSet;

use rusqlite::types::ValueRef;
use scaikey_emulator::{Directory, seed};

use crate::World;

/// Users, groups and memberships that are there, one line each. The deleted ones are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live(BTreeSet<String>);

impl Live {
    /// Fails with what is missing and what is too much, unless the two are the same.
    #[track_caller]
    pub fn assert_is(&self, expected: &Self, what: &str) {
        let missing: Vec<_> = expected.0.difference(&self.0).collect();
        let extra: Vec<_> = self.0.difference(&expected.0).collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "{what}: missing {missing:?}, extra {extra:?}"
        );
    }

    /// Whether there is no row at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "-".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}

/// What a sync may change. `sync_run` is not among it: a run says how it ended, whatever came of it.
const TABLES: [&str; 9] = [
    "tenant",
    "partner",
    "person",
    "directory_group",
    "group_membership",
    "directory_state",
    "unsettled",
    "change_log",
    "session",
];

const LIVE: [&str; 3] = [
    "SELECT 'user', tenant_id, subject, email, name, upper(status) FROM person
      WHERE synced_at IS NOT NULL AND deleted_at IS NULL",
    "SELECT 'group', tenant_id, group_id, name, group_type FROM directory_group
      WHERE deleted_at IS NULL",
    "SELECT 'member', m.tenant_id, m.group_id, m.user_id FROM group_membership m
       JOIN directory_group g USING (tenant_id, group_id)
      WHERE m.deleted_at IS NULL AND g.deleted_at IS NULL",
];

/// The seeded directory after people and groups have come, gone and changed.
#[must_use]
pub fn reorganised(directory: &Directory) -> Directory {
    let mut directory = directory.clone();
    let nina = directory.add_user(seed::ACME, "nina@acme.example", "Nina", "Novak");
    directory.add_member("grp_acme_staff", &nina.id);
    directory.remove_user("usr_dave_acme");
    directory.remove_member("grp_acme_staff", "usr_heidi_acme");
    directory.remove_member("grp_acme_admins", "usr_bob_acme");
    directory.add_member("grp_acme_admins", "usr_carol_acme");
    directory.add_member("grp_umbra_admins", "usr_otto_umbra");
    let grace = directory.user_mut("usr_grace_acme").expect("Grace");
    "grace.hopper@acme.example".clone_into(&mut grace.email);
    "Hopper".clone_into(&mut grace.last_name);
    let jin = directory.user_mut("usr_jin_umbra").expect("Jin");
    "SUSPENDED".clone_into(&mut jin.status);
    let group = directory.group_mut("grp_acme_engineers").expect("a group");
    "Engineers, formerly \"engineers\"".clone_into(&mut group.name);
    let mut made = group.clone();
    "grp_acme_made".clone_into(&mut made.id);
    "made".clone_into(&mut made.name);
    "DISTRIBUTION_LIST".clone_into(&mut made.group_type);
    made.members.truncate(6);
    directory.groups.insert(0, made);
    let kept = |id: &str| id != "grp_umbra_research";
    directory.groups.retain(|group| kept(&group.id));
    directory
}

impl World {
    /// Makes ScaiKey's directory this one.
    pub fn set_directory(&self, directory: &Directory) {
        *self.scaikey.directory() = directory.clone();
    }

    /// Makes ScaiKey's directory this one, syncs, and expects that the mirror is it.
    pub async fn follow(&self, directory: &Directory, is_walk: bool) {
        self.set_directory(directory);
        // ScaiKey tells its time to the second: what it says is newer than what it said before.
        self.advance(1);
        self.sync().await;
        self.live()
            .assert_is(&self.expected(is_walk), "undisturbed");
    }

    /// The rows of a statement, each as a line.
    #[must_use]
    pub fn rows(&self, sql: &str) -> Vec<String> {
        let connection = self.connection();
        let mut statement = connection.prepare(sql).expect("the statement");
        let columns = statement.column_count();
        let rows = statement
            .query_map([], |row| {
                let cells: Result<Vec<_>, _> = (0..columns)
                    .map(|column| row.get_ref(column).map(shown))
                    .collect();
                Ok(cells?.join(" | "))
            })
            .expect("the rows");
        rows.collect::<Result<_, _>>().expect("rows")
    }

    /// Everything that a sync may change, to the byte.
    #[must_use]
    pub fn mirror(&self) -> Vec<String> {
        TABLES
            .iter()
            .flat_map(|table| {
                let rows = self.rows(&format!("SELECT * FROM {table} ORDER BY 1, 2, 3"));
                rows.into_iter().map(move |row| format!("{table}: {row}"))
            })
            .collect()
    }

    /// What the mirror shows.
    #[must_use]
    pub fn live(&self) -> Live {
        Live(LIVE.iter().flat_map(|sql| self.rows(sql)).collect())
    }

    /// What a mirror of ScaiKey's directory shows, made by reading that: by the users of our
    /// application, or by the members of all groups.
    #[must_use]
    pub fn expected(&self, is_walk: bool) -> Live {
        let directory = self.scaikey.directory();
        let ours = directory.client(seed::CLIENT_ID).expect("our application");
        let mut lines = BTreeSet::new();
        for tenant in directory.tenants.iter().filter(|t| t.status != "DELETED") {
            let groups: Vec<_> = directory
                .groups
                .iter()
                .filter(|group| group.tenant_id == tenant.id)
                .collect();
            for group in &groups {
                let cells = [
                    "group",
                    &tenant.id,
                    &group.id,
                    &group.name,
                    &group.group_type,
                ];
                lines.insert(cells.join(" | "));
                for member in &group.members {
                    lines.insert(["member", &tenant.id, &group.id, member].join(" | "));
                }
            }
            let users = if is_walk {
                let members: BTreeSet<_> = groups.iter().flat_map(|group| &group.members).collect();
                members
                    .into_iter()
                    .filter_map(|id| directory.user(id))
                    .collect()
            } else {
                directory.effective_users(&tenant.id, ours)
            };
            for user in users {
                let name = user.name();
                let cells = [
                    "user",
                    &tenant.id,
                    &user.id,
                    &user.email,
                    &name,
                    &user.status,
                ];
                lines.insert(cells.join(" | "));
            }
        }
        Live(lines)
    }
}
