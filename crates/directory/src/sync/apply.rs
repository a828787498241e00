//! Making a reading the mirror: one transaction.

use scaigate_kv::directory::compare::{self, Size};
use scaigate_kv::directory::super_admin::{self, Elected};
use scaigate_kv::directory::sync_apply::{self, Covered};
use scaigate_kv::directory::sync_run::{self, Outcome};
use scaigate_kv::directory::{Cause, Stamp};
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Ports, failure};
use scaigate_types::{Clock, Database, StoreError, TenantId, Transaction};

use super::Run;
use super::reading::Reading;
use crate::election;
use crate::report::{Report, Statistics, Warning};
use crate::settings::DirectorySettings;

/// Refuses a reading that holds nothing, or less than half of what is mirrored: an outage at ScaiKey
/// can look like that (N-107).
///
/// # Errors
/// [`Code::SyncSuspiciousShrink`]; the database does not answer.
pub(super) async fn refuse_shrink(ports: &impl Ports, reading: &Reading) -> Result<(), Problem> {
    let Size {
        users,
        groups,
        memberships,
    } = compare::size(ports.db()).await.map_err(failure::database)?;
    let seen = reading.seen;
    let mut lists = vec![("users", users, seen.users)];
    if reading.groups {
        lists.push(("groups", groups, seen.groups));
        lists.push(("memberships", memberships, seen.memberships));
    }
    for (list, mirrored, seen) in lists {
        if seen.saturating_mul(2) < mirrored {
            return Err(Problem::new(Code::SyncSuspiciousShrink)
                .with("list", list)
                .with("mirrored", mirrored)
                .with("seen", seen));
        }
    }
    Ok(())
}

/// Applies a reading, elects the super admins, ends and narrows the sessions that it concerns, and
/// ends the run, all or nothing.
///
/// # Errors
/// [`Code::SyncSuperseded`]; a store does not answer.
pub(super) async fn apply(
    ports: &impl Ports,
    settings: &DirectorySettings,
    run: Run,
    reading: Reading,
) -> Result<Report, Problem> {
    let now = ports.clock().now();
    let stamp = Stamp {
        cause: Cause::Sync(run.sync_id),
        now,
        at: reading.read_at,
    };
    let tx = ports.db().begin().await.map_err(failure::database)?;
    write(&tx, &reading, run, &stamp)
        .await
        .map_err(failure::database)?;
    let elected = election::reconcile(ports, &tx, settings, &stamp).await?;
    election::end_sessions_of_inactive(ports, &tx, scaigate_kv::directory::Scope::All).await?;
    let mut report = report(&tx, &reading, &elected, run, &stamp)
        .await
        .map_err(failure::database)?;
    let ended_at = ports.clock().now();
    report.statistics.duration_seconds = ended_at.since(run.started_at).as_secs_f64();
    report.warnings.extend(reading.warnings);
    report.warnings.extend(election::warnings(&elected));
    report
        .warnings
        .extend(election::bootstrap_waits(&tx, &elected, settings).await?);
    let text = serde_json::to_string(&report).map_err(|_| Problem::new(Code::Internal))?;
    let is_ours = sync_run::end(&tx, run.sync_id, Outcome::Applied, None, &text, ended_at)
        .await
        .map_err(failure::database)?;
    if !is_ours {
        return Err(Problem::new(Code::SyncSuperseded));
    }
    tx.commit().await.map_err(failure::database)?;
    Ok(report)
}

async fn write(
    tx: &impl Transaction,
    reading: &Reading,
    run: Run,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    let plan = &reading.plan;
    // Parsed before: a tenant whose issuer can't be made was refused while reading.
    let issuer = |tenant_id: &TenantId| {
        reading
            .issuer
            .of_tenant(tenant_id)
            .map_err(|_| StoreError::Corrupt)
    };
    sync_apply::make_room(tx).await;
    for rows in &plan.tenants {
        sync_apply::tenants(tx, rows, stamp).await?;
    }
    for tenant_id in &reading.of_tenants {
        sync_apply::know_tenant(tx, tenant_id, stamp).await?;
    }
    for (tenant_id, rows) in &plan.users {
        sync_apply::users(tx, &issuer(tenant_id)?, tenant_id, rows, stamp).await?;
    }
    for (tenant_id, ids) in &plan.absent_users {
        sync_apply::absent_users(tx, &issuer(tenant_id)?, ids, stamp).await?;
    }
    for (tenant_id, rows) in &plan.groups {
        sync_apply::groups(tx, tenant_id, rows, stamp).await?;
    }
    for (tenant_id, ids) in &plan.absent_groups {
        sync_apply::absent_groups(tx, tenant_id, ids, stamp).await?;
    }
    for (tenant_id, pairs) in plan.joined() {
        sync_apply::joined(tx, tenant_id, &pairs, stamp).await?;
    }
    for (tenant_id, pairs) in plan.left() {
        sync_apply::left(tx, tenant_id, &pairs, stamp).await?;
    }
    if let Some(ids) = &plan.absent_tenants {
        sync_apply::absent_tenants(tx, ids, stamp).await?;
    }
    let covered = Covered {
        users_method: reading.users_method,
        user_statuses: reading.user_statuses,
        groups: reading.groups,
        tenants: reading.tenants,
        read_until: reading.read_until,
        started_at: run.started_at,
    };
    sync_apply::finish(tx, covered, stamp).await
}

async fn report(
    tx: &impl Transaction,
    reading: &Reading,
    elected: &Elected,
    run: Run,
    stamp: &Stamp,
) -> Result<Report, StoreError> {
    let users = sync_apply::changed(tx, stamp, "user").await?;
    let groups = sync_apply::changed(tx, stamp, "group").await?;
    let memberships = sync_apply::changed(tx, stamp, "membership").await?;
    let mut warnings = Vec::new();
    if reading.users_method == "member_walk" && users.soft_deleted > 0 {
        warnings.push(Warning {
            code: "users_without_group_removed",
            message: format!(
                "{} users are marked as deleted because no visible group has them. That may be so, or they were known from the application's users before.",
                users.soft_deleted
            ),
            fix: "Give the application admin:read (`scaigate scaikey-register`) and sync again: whoever has access comes back.".to_owned(),
        });
    }
    Ok(Report {
        sync_id: Some(run.sync_id),
        statistics: Statistics {
            skipped_reason: None,
            users_method: Some(reading.users_method),
            users_seen: reading.seen.users,
            users_added: users.added,
            users_undeleted: users.undeleted,
            users_soft_deleted: users.soft_deleted,
            groups_seen: reading.seen.groups,
            groups_added: groups.added,
            groups_undeleted: groups.undeleted,
            groups_soft_deleted: groups.soft_deleted,
            memberships_seen: reading.seen.memberships,
            memberships_added: memberships.added + memberships.undeleted,
            memberships_soft_deleted: memberships.soft_deleted,
            super_admin_count: super_admin::count(tx).await?,
            super_admins_group_promoted: elected.promoted.len() as u64,
            super_admins_group_demoted: elected.demoted.len() as u64,
            duration_seconds: 0.0,
        },
        warnings,
    })
}
