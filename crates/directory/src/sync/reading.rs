//! What a run reads, and what of it differs from the mirror.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures_util::{StreamExt as _, stream};
use scaigate_kv::directory::compare::{self, Rows, Size};
use scaigate_kv::directory::sync_run::Progress;
use scaigate_problem::Problem;
use scaigate_scaikey::directory::{GroupRow, List, Status, TenantRow, UserRow};
use scaigate_signin::{Ports, failure};
use scaigate_types::{GroupId, Issuer, TenantId, Timestamp};

use super::list::{Identified, Listing, incomplete};
use super::plan::Plan;
use super::reader::{ReadError, Reader};
use super::stage;
use crate::report::Warning;
use crate::settings::DirectorySettings;

/// Groups whose members are read at the same time.
const AT_ONCE: usize = 8;

/// Everything a run has read.
pub(super) struct Reading {
    /// What of it differs from the mirror.
    pub(super) plan: Plan,
    /// How much ScaiKey lists.
    pub(super) seen: Size,
    /// `effective_users` or `member_walk`.
    pub(super) users_method: &'static str,
    /// Whether every user's status was told.
    pub(super) user_statuses: bool,
    /// Whether groups and their members were read.
    pub(super) groups: bool,
    /// Whether tenants were read.
    pub(super) tenants: bool,
    /// The tenants that anything belongs to.
    pub(super) of_tenants: BTreeSet<TenantId>,
    /// Whose issuer the tenants' are made of.
    pub(super) issuer: Issuer,
    /// When reading began, by ScaiKey's clock.
    pub(super) read_at: Timestamp,
    /// When it ended.
    pub(super) read_until: Timestamp,
    /// What somebody should know.
    pub(super) warnings: Vec<Warning>,
}

/// Reads the directory: by the application's effective users where ScaiKey lets us, else by walking
/// the members of all groups (`contract/scaikey.md` 3.6).
///
/// # Errors
/// Something could not be read whole.
pub(super) async fn read(
    reader: &Reader<'_, impl Ports>,
    settings: &DirectorySettings,
) -> Result<Reading, Problem> {
    let mut walk = Walk::new(reader)?;
    reader.enter("users").await?;
    let method = match walk.effective_users(&settings.application_id).await {
        Ok(()) => "effective_users",
        Err(ReadError::ScopeMissing(_)) => {
            // What was read until then is half of a list.
            walk = Walk::new(reader)?;
            walk.warnings.push(Warning {
                code: "member_walk",
                message: "ScaiKey does not let our application list its users (403 Platform token requires admin:read or admin:write scope). Users were found by walking the members of groups: slower, and whoever is in no visible group is missing.".to_owned(),
                fix: "`scaigate scaikey-register` re-issues the credentials with admin:read, admin:write and groups:read.".to_owned(),
            });
            walk.users_are_members = true;
            "member_walk"
        }
        Err(error) => return Err(error.into()),
    };
    reader.enter("groups").await?;
    let groups = walk.groups().await?;
    if groups {
        reader.enter("memberships").await?;
        walk.members().await?;
    }
    reader.enter("comparing").await?;
    walk.absent(groups).await?;
    if let Some(skew) = reader.skew() {
        walk.warnings.push(Warning {
            code: "clock_skew",
            message: format!(
                "ScaiKey's clock is {} s from ours, so ours was used to order events.",
                skew.as_secs()
            ),
            fix: "Set the clocks here and at ScaiKey (NTP).".to_owned(),
        });
    }
    Ok(walk.finish(method, groups))
}

/// A reading under way.
struct Walk<'r, 'a, P: Ports> {
    reader: &'r Reader<'a, P>,
    issuer: Issuer,
    plan: Plan,
    users: BTreeMap<TenantId, HashSet<String>>,
    groups: BTreeMap<TenantId, Vec<GroupRow>>,
    tenants: Option<HashSet<String>>,
    of_tenants: BTreeSet<TenantId>,
    users_are_members: bool,
    user_statuses: bool,
    size: Size,
    warnings: Vec<Warning>,
}

impl<'r, 'a, P: Ports> Walk<'r, 'a, P> {
    fn new(reader: &'r Reader<'a, P>) -> Result<Self, Problem> {
        Ok(Self {
            reader,
            issuer: reader.issuer()?,
            plan: Plan::default(),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            tenants: None,
            of_tenants: BTreeSet::new(),
            users_are_members: false,
            user_statuses: true,
            size: Size::default(),
            warnings: Vec::new(),
        })
    }

    fn db(&self) -> &'a P::Database {
        self.reader.ports.db()
    }

    fn finish(self, users_method: &'static str, groups: bool) -> Reading {
        Reading {
            plan: self.plan,
            seen: self.size,
            users_method,
            user_statuses: self.user_statuses,
            groups,
            tenants: self.tenants.is_some(),
            of_tenants: self.of_tenants,
            issuer: self.issuer,
            read_at: self.reader.read_at(),
            read_until: self.reader.read_until(),
            warnings: self.warnings,
        }
    }

    fn note_progress(&self) {
        self.reader.progress.set(Progress {
            users_seen: self.size.users,
            groups_seen: self.size.groups,
            memberships_seen: self.size.memberships,
        });
    }

    /// The tenants, and of each the users of our application.
    async fn effective_users(&mut self, application_id: &str) -> Result<(), ReadError> {
        let reader = self.reader;
        let mut rows: Vec<TenantRow> = all_of(reader, List::Tenants).await?;
        rows.retain(|row| row.status != Some(Status::Deleted));
        let changed = compare::changed_tenants(self.db(), &stage::tenants(&rows)?)
            .await
            .map_err(failure::database)?;
        if !changed.is_empty() {
            self.plan.tenants.push(changed.json);
        }
        let seen: HashSet<String> = rows
            .iter()
            .map(|row| row.tenant_id.as_str().to_owned())
            .collect();
        self.tenants = Some(seen);
        for row in rows {
            let tenant_id = row.tenant_id;
            let list = List::EffectiveUsers {
                tenant_id: &tenant_id,
                application_id,
            };
            self.users.entry(tenant_id.clone()).or_default();
            self.of_tenants.insert(tenant_id.clone());
            let mut listing = Listing::new(reader, list);
            listing
                .read(async |page| self.take_users(list, &tenant_id, &page).await)
                .await?;
            // Nobody is given up for a row that may have slipped from one page to another.
            if listing.can_miss() && !self.absent_users(&tenant_id).await?.is_empty() {
                listing
                    .read(async |page| self.take_users(list, &tenant_id, &page).await)
                    .await?;
            }
        }
        Ok(())
    }

    async fn take_users(
        &mut self,
        list: List<'_>,
        tenant_id: &TenantId,
        page: &[UserRow],
    ) -> Result<(), Problem> {
        let is_foreign = |row: &UserRow| {
            let named = row.tenant_id.as_ref();
            named.is_some_and(|named| named != tenant_id)
        };
        if page.iter().any(is_foreign) {
            return Err(incomplete(list, "it holds a user of another tenant"));
        }
        self.add_users(tenant_id, page).await
    }

    /// Takes users of a tenant who have not been seen yet, deleted ones left out.
    async fn add_users(&mut self, tenant_id: &TenantId, rows: &[UserRow]) -> Result<(), Problem> {
        let seen = self.users.entry(tenant_id.clone()).or_default();
        let rows: Vec<&UserRow> = rows
            .iter()
            .filter(|row| row.status != Some(Status::Deleted))
            .filter(|row| seen.insert(row.user_id.as_str().to_owned()))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        self.user_statuses &= rows.iter().all(|row| row.status.is_some());
        self.size.users += rows.len() as u64;
        self.note_progress();
        let issuer = of_tenant(&self.issuer, tenant_id)?;
        let changed = compare::changed_users(self.db(), &issuer, &stage::users(&rows)?)
            .await
            .map_err(failure::database)?;
        if !changed.is_empty() {
            self.of_tenants.insert(tenant_id.clone());
            self.plan.users.push((tenant_id.clone(), changed.json));
        }
        Ok(())
    }

    /// The groups; `false` when we may not read them and can do without.
    async fn groups(&mut self) -> Result<bool, Problem> {
        match all_of::<GroupRow>(self.reader, List::Groups).await {
            // A ScaiKey may show nothing to whom it should refuse.
            Ok(rows) if rows.is_empty() && !self.reader.may_list_groups() => {}
            Err(ReadError::ScopeMissing(_) | ReadError::Forbidden(_))
                if !self.users_are_members => {}
            Ok(rows) => return self.take_groups(rows).map(|()| true),
            Err(error) => return Err(error.into()),
        }
        if self.users_are_members {
            return Err(ReadError::ScopeMissing("groups").into());
        }
        self.warnings.push(Warning {
            code: "groups_scope_missing",
            message: "Our application may not list groups at ScaiKey (groups:read is missing). Groups and memberships were left as they were.".to_owned(),
            fix: "Give the application groups:read: `scaigate scaikey-register` does it. Then sync again.".to_owned(),
        });
        Ok(false)
    }

    fn take_groups(&mut self, rows: Vec<GroupRow>) -> Result<(), Problem> {
        if rows.is_empty() {
            self.warnings.push(Warning {
                code: "no_groups",
                message: "ScaiKey has no groups: the list is complete and empty.".to_owned(),
                fix: "Nothing, if that is so. Else look at the groups in ScaiKey, and whether our application sees their tenant.".to_owned(),
            });
        }
        // An application of one tenant may be told of no tenant.
        let only = match (self.of_tenants.len(), self.of_tenants.first()) {
            (1, Some(tenant_id)) => Some(tenant_id.clone()),
            _ => None,
        };
        self.size.groups = rows.len() as u64;
        for row in rows {
            let tenant_id = row.tenant_id.clone().or_else(|| only.clone());
            let Some(tenant_id) = tenant_id else {
                return Err(incomplete(List::Groups, "it holds a group of no tenant"));
            };
            self.of_tenants.insert(tenant_id.clone());
            self.groups.entry(tenant_id).or_default().push(row);
        }
        self.note_progress();
        Ok(())
    }

    /// The members of all groups, some groups at a time.
    async fn members(&mut self) -> Result<(), Problem> {
        let reader = self.reader;
        let with_rows = self.users_are_members;
        let groups: Vec<(TenantId, GroupId)> = self
            .groups
            .iter()
            .flat_map(|(of, rows)| rows.iter().map(|row| (of.clone(), row.group_id.clone())))
            .collect();
        let mut read = stream::iter(groups)
            .map(|(tenant_id, group_id)| async move {
                let members = members_of(reader, &tenant_id, &group_id, with_rows).await;
                (tenant_id, group_id, members)
            })
            .buffer_unordered(AT_ONCE);
        let mut foreign = 0_u64;
        let mut gone: HashSet<GroupId> = HashSet::new();
        while let Some((tenant_id, group_id, members)) = read.next().await {
            let (members, changes) = match members {
                Ok(read) => read,
                // Deleted since it was listed.
                Err(ReadError::NotFound(_)) => {
                    gone.insert(group_id);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            foreign += members.foreign;
            self.size.memberships += members.ids.len() as u64;
            self.plan.members(&tenant_id, &group_id, changes);
            self.note_progress();
            let mut by_tenant: BTreeMap<TenantId, Vec<UserRow>> = BTreeMap::new();
            for row in members.rows {
                let of = row.tenant_id.clone().unwrap_or_else(|| tenant_id.clone());
                by_tenant.entry(of).or_default().push(row);
            }
            for (of, rows) in by_tenant {
                self.add_users(&of, &rows).await?;
            }
        }
        drop(read);
        self.leave_out(&gone).await?;
        if foreign > 0 {
            self.warnings.push(Warning {
                code: "foreign_members",
                message: format!(
                    "{foreign} memberships are of users of another tenant than their group's. They were left out: a group gives nothing to other tenants."
                ),
                fix: "Nothing, if that is meant. Else look at the groups in ScaiKey.".to_owned(),
            });
        }
        self.plan_groups().await
    }

    /// Leaves out groups whose members ScaiKey does not know: they were deleted since they were listed.
    /// Where they are listed still, one of its answers is wrong, and nobody knows which.
    async fn leave_out(&mut self, gone: &HashSet<GroupId>) -> Result<(), Problem> {
        if gone.is_empty() {
            return Ok(());
        }
        let mut listed: HashSet<GroupId> = HashSet::new();
        Listing::new(self.reader, List::Groups)
            .read(async |page: Vec<GroupRow>| {
                listed.extend(page.into_iter().map(|row| row.group_id));
                Ok(())
            })
            .await?;
        if let Some(group_id) = gone.iter().find(|id| listed.contains(id)) {
            let list = List::GroupMembers { group_id };
            let reason = "they are not found, and the group is listed";
            return Err(incomplete(list, reason));
        }
        for rows in self.groups.values_mut() {
            rows.retain(|row| !gone.contains(&row.group_id));
        }
        self.size.groups -= gone.len() as u64;
        Ok(())
    }

    async fn plan_groups(&mut self) -> Result<(), Problem> {
        for (tenant_id, rows) in &self.groups {
            let changed = compare::changed_groups(self.db(), tenant_id, &stage::groups(rows)?)
                .await
                .map_err(failure::database)?;
            if !changed.is_empty() {
                self.plan.groups.push((tenant_id.clone(), changed.json));
            }
        }
        Ok(())
    }

    /// The mirrored users of a tenant who have not been seen.
    async fn absent_users(&self, tenant_id: &TenantId) -> Result<Rows, Problem> {
        let issuer = of_tenant(&self.issuer, tenant_id)?;
        let seen: Vec<&str> = self
            .users
            .get(tenant_id)
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let read_at = self.reader.read_at();
        compare::absent_users(self.db(), &issuer, &stage::ids(&seen)?, read_at)
            .await
            .map_err(failure::database)
    }

    /// What the mirror has and ScaiKey does not list.
    async fn absent(&mut self, groups: bool) -> Result<(), Problem> {
        let read_at = self.reader.read_at();
        let mirrored = compare::mirrored_tenants(self.db())
            .await
            .map_err(failure::database)?;
        let all: BTreeSet<&TenantId> = mirrored.iter().chain(self.users.keys()).collect();
        for tenant_id in all {
            let absent = self.absent_users(tenant_id).await?;
            if !absent.is_empty() {
                self.plan
                    .absent_users
                    .push((tenant_id.clone(), absent.json));
            }
            if !groups {
                continue;
            }
            let rows = self.groups.get(tenant_id).into_iter().flatten();
            let seen: Vec<&str> = rows.map(|row| row.group_id.as_str()).collect();
            let absent = compare::absent_groups(self.db(), tenant_id, &stage::ids(&seen)?, read_at)
                .await
                .map_err(failure::database)?;
            if !absent.is_empty() {
                self.plan
                    .absent_groups
                    .push((tenant_id.clone(), absent.json));
            }
        }
        if let Some(seen) = &self.tenants {
            let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
            let absent = compare::absent_tenants(self.db(), &stage::ids(&seen)?, read_at)
                .await
                .map_err(failure::database)?;
            self.plan.absent_tenants = (!absent.is_empty()).then_some(absent.json);
        }
        Ok(())
    }
}

/// The issuer of a tenant's people.
fn of_tenant(issuer: &Issuer, tenant_id: &TenantId) -> Result<Issuer, Problem> {
    issuer.of_tenant(tenant_id).map_err(|_| {
        incomplete(
            List::Tenants,
            "it holds a tenant whose id is no part of an issuer",
        )
    })
}

/// All rows of a list that is never long: read twice if that could tell more.
async fn all_of<T: Identified>(
    reader: &Reader<'_, impl Ports>,
    list: List<'_>,
) -> Result<Vec<T>, ReadError> {
    let mut rows: Vec<T> = Vec::new();
    let mut listing = Listing::new(reader, list);
    let mut take = async |page: Vec<T>| {
        rows.extend(page);
        Ok(())
    };
    listing.read(&mut take).await?;
    if listing.can_miss() {
        listing.read(&mut take).await?;
    }
    Ok(rows)
}

/// The members of one group.
#[derive(Default)]
struct Members {
    ids: Vec<String>,
    /// Members who are of another tenant than the group.
    foreign: u64,
    /// The members' rows, where users are found by them.
    rows: Vec<UserRow>,
    with_rows: bool,
}

impl Members {
    fn take(&mut self, tenant_id: &TenantId, page: Vec<UserRow>) {
        for row in page {
            if row.status == Some(Status::Deleted) {
                continue;
            }
            // Identifiers are a tenant's own: in another they may be somebody else's (N-103).
            if row.tenant_id.as_ref().is_none_or(|of| of == tenant_id) {
                self.ids.push(row.user_id.as_str().to_owned());
            } else {
                self.foreign += 1;
            }
            if self.with_rows {
                self.rows.push(row);
            }
        }
    }

    /// Who joined, and who left.
    async fn changes(
        &self,
        reader: &Reader<'_, impl Ports>,
        tenant_id: &TenantId,
        group_id: &GroupId,
    ) -> Result<(Rows, Rows), Problem> {
        let ids: Vec<&str> = self.ids.iter().map(String::as_str).collect();
        let read_at = reader.read_at();
        let ids = stage::ids(&ids)?;
        compare::changed_members(reader.ports.db(), tenant_id, group_id, &ids, read_at)
            .await
            .map_err(failure::database)
    }
}

/// The members of a group, and who joined and who left it.
async fn members_of<P: Ports>(
    reader: &Reader<'_, P>,
    tenant_id: &TenantId,
    group_id: &GroupId,
    with_rows: bool,
) -> Result<(Members, (Rows, Rows)), ReadError> {
    let mut members = Members {
        with_rows,
        ..Members::default()
    };
    let mut listing = Listing::new(reader, List::GroupMembers { group_id });
    listing
        .read(async |page| {
            members.take(tenant_id, page);
            Ok(())
        })
        .await?;
    let mut changes = members.changes(reader, tenant_id, group_id).await?;
    // Nobody has left for a row that may have slipped from one page to another.
    if listing.can_miss() && !changes.1.is_empty() {
        listing
            .read(async |page| {
                members.take(tenant_id, page);
                Ok(())
            })
            .await?;
        changes = members.changes(reader, tenant_id, group_id).await?;
    }
    Ok((members, changes))
}
