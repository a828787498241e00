//! What a sync writes: whole sets of differences, within one transaction. Each statement asks again
//! whether a younger event has changed the row since it was compared.

use scaigate_types::{Issuer, Query, StoreError, TenantId, Timestamp, Value};

use super::{Cause, Stamp};

fn stamped(stamp: &Stamp, parameters: impl IntoIterator<Item = Value>) -> Vec<Value> {
    [
        stamp.at.into(),
        stamp.now.into(),
        stamp.cause.to_string().into(),
    ]
    .into_iter()
    .chain(parameters)
    .collect()
}

async fn run(
    tx: &impl Query,
    sql: &str,
    stamp: &Stamp,
    parameters: impl IntoIterator<Item = Value>,
) -> Result<(), StoreError> {
    tx.query(sql, &stamped(stamp, parameters)).await.map(|_| ())
}

/// Gives the transaction's connection room for the pages of a large difference: they would else be
/// written to the log and read again, many times each. A store of another kind may not know it.
pub async fn make_room(tx: &impl Query) {
    let _ = tx.query("PRAGMA cache_size = -32768", &[]).await;
}

/// Makes, changes or brings back the users of a tenant.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn users(
    tx: &impl Query,
    issuer: &Issuer,
    tenant_id: &TenantId,
    rows: &str,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO person (person_id, issuer, subject, tenant_id, email, name, status,
                             created_at, last_seen_at, synced_at, changed_at, cause)
         SELECT 'per_' || lower(hex(randomblob(16))), ?4, j.value ->> '$.user_id', ?5,
                j.value ->> '$.email', j.value ->> '$.display_name',
                coalesce(j.value ->> '$.status', p.status, 'active'), ?2, 0, ?2, ?2, ?3
           FROM json_each(?6) j
           LEFT JOIN person p ON p.issuer = ?4 AND p.subject = j.value ->> '$.user_id'
          WHERE true
         ON CONFLICT (issuer, subject) DO UPDATE SET
           email = iif(excluded.email IS NOT NULL AND email_at < ?1, excluded.email, email),
           name = iif(excluded.name IS NOT NULL AND name_at < ?1, excluded.name, name),
           status = iif(status_at < ?1, excluded.status, status),
           deleted_at = iif(presence_at < ?1, NULL, deleted_at),
           synced_at = ?2, changed_at = ?2, cause = ?3";
    let parameters = [
        issuer.as_str().into(),
        tenant_id.as_str().into(),
        rows.into(),
    ];
    run(tx, sql, stamp, parameters).await
}

/// Marks users of a tenant as deleted.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn absent_users(
    tx: &impl Query,
    issuer: &Issuer,
    ids: &str,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    let sql =
        "UPDATE person SET deleted_at = ?2, gone_at = max(gone_at, ?1), changed_at = ?2, cause = ?3
          WHERE issuer = ?4 AND subject IN (SELECT value FROM json_each(?5))
            AND deleted_at IS NULL AND presence_at < ?1";
    run(tx, sql, stamp, [issuer.as_str().into(), ids.into()]).await
}

/// Makes, changes or brings back the groups of a tenant.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn groups(
    tx: &impl Query,
    tenant_id: &TenantId,
    rows: &str,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO directory_group (tenant_id, group_id, name, group_type, synced_at, changed_at,
                                      cause)
         SELECT ?4, j.value ->> '$.group_id', j.value ->> '$.name', j.value ->> '$.group_type',
                ?2, ?2, ?3
           FROM json_each(?5) j WHERE true
         ON CONFLICT (tenant_id, group_id) DO UPDATE SET
           name = iif(excluded.name IS NOT NULL AND name_at < ?1, excluded.name, name),
           group_type = iif(excluded.group_type IS NOT NULL AND type_at < ?1,
             excluded.group_type, group_type),
           deleted_at = iif(presence_at < ?1, NULL, deleted_at),
           synced_at = ?2, changed_at = ?2, cause = ?3";
    run(tx, sql, stamp, [tenant_id.as_str().into(), rows.into()]).await
}

/// Marks groups of a tenant as deleted, and their memberships with them.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn absent_groups(
    tx: &impl Query,
    tenant_id: &TenantId,
    ids: &str,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    let parameters: [Value; 2] = [tenant_id.as_str().into(), ids.into()];
    let sql = "UPDATE directory_group
            SET deleted_at = ?2, gone_at = max(gone_at, ?1), changed_at = ?2, cause = ?3
          WHERE tenant_id = ?4 AND group_id IN (SELECT value FROM json_each(?5))
            AND deleted_at IS NULL AND presence_at < ?1";
    run(tx, sql, stamp, parameters.clone()).await?;
    let sql = "UPDATE group_membership SET deleted_at = ?2, changed_at = ?2, cause = ?3
          WHERE tenant_id = ?4 AND group_id IN (SELECT value FROM json_each(?5))
            AND deleted_at IS NULL AND presence_at < ?1";
    run(tx, sql, stamp, parameters).await
}

/// Adds members: `pairs` is an array of `[group_id, [user_id, …]]`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn joined(
    tx: &impl Query,
    tenant_id: &TenantId,
    pairs: &str,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    // What went before the last sync began to read, or by that sync, is no younger than this reading,
    // though ScaiKey's clock may show the same second.
    // Taken apart once: `g.value` beside each of its members would be parsed for each of them.
    let sql = "WITH g AS MATERIALIZED (
           SELECT value ->> 0 AS group_id, value ->> 1 AS members FROM json_each(?5))
         INSERT INTO group_membership (tenant_id, group_id, user_id, changed_at, cause)
         SELECT ?4, g.group_id, u.value, ?2, ?3
           FROM g, json_each(g.members) u
          WHERE NOT EXISTS (SELECT 1 FROM directory_group d
                             WHERE d.tenant_id = ?4 AND d.group_id = g.group_id AND d.gone_at >= ?1
                               AND d.gone_at > (SELECT users_at FROM directory_state))
            AND NOT EXISTS (SELECT 1 FROM person p
                             WHERE p.tenant_id = ?4 AND p.subject = u.value AND p.gone_at >= ?1
                               AND p.gone_at > (SELECT users_at FROM directory_state))
         ON CONFLICT (tenant_id, group_id, user_id) DO UPDATE SET
           deleted_at = NULL, changed_at = ?2, cause = ?3
          WHERE deleted_at IS NOT NULL AND presence_at < ?1";
    run(tx, sql, stamp, [tenant_id.as_str().into(), pairs.into()]).await
}

/// Removes members: `pairs` as for [`joined`].
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn left(
    tx: &impl Query,
    tenant_id: &TenantId,
    pairs: &str,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    let sql = "WITH g AS MATERIALIZED (
           SELECT value ->> 0 AS group_id, value ->> 1 AS members FROM json_each(?5))
         UPDATE group_membership SET deleted_at = ?2, changed_at = ?2, cause = ?3
          WHERE tenant_id = ?4 AND deleted_at IS NULL AND presence_at < ?1
            AND (group_id, user_id) IN (
              SELECT g.group_id, u.value FROM g, json_each(g.members) u)";
    run(tx, sql, stamp, [tenant_id.as_str().into(), pairs.into()]).await
}

/// Makes, changes or brings back tenants.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn tenants(tx: &impl Query, rows: &str, stamp: &Stamp) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO tenant (tenant_id, created_at, name, slug, partner_id, status, synced_at,
                             changed_at, cause)
         SELECT j.value ->> '$.tenant_id', ?2, j.value ->> '$.name', j.value ->> '$.slug',
                j.value ->> '$.partner_id', coalesce(j.value ->> '$.status', t.status, 'active'),
                ?2, ?2, ?3
           FROM json_each(?4) j LEFT JOIN tenant t ON t.tenant_id = j.value ->> '$.tenant_id'
          WHERE true
         ON CONFLICT (tenant_id) DO UPDATE SET
           name = iif(excluded.name IS NOT NULL AND name_at < ?1, excluded.name, name),
           slug = iif(excluded.slug IS NOT NULL AND slug_at < ?1, excluded.slug, slug),
           partner_id = iif(excluded.partner_id IS NOT NULL AND partner_at < ?1,
             excluded.partner_id, partner_id),
           status = iif(status_at < ?1, excluded.status, status),
           deleted_at = iif(presence_at < ?1, NULL, deleted_at),
           synced_at = ?2, changed_at = ?2, cause = ?3";
    run(tx, sql, stamp, [rows.into()]).await
}

/// Marks tenants as deleted.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn absent_tenants(tx: &impl Query, ids: &str, stamp: &Stamp) -> Result<(), StoreError> {
    let sql = "UPDATE tenant SET deleted_at = ?2, changed_at = ?2, cause = ?3
          WHERE tenant_id IN (SELECT value FROM json_each(?4))
            AND deleted_at IS NULL AND presence_at < ?1";
    run(tx, sql, stamp, [ids.into()]).await
}

/// Makes a tenant known that only its users or groups have named.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn know_tenant(
    tx: &impl Query,
    tenant_id: &TenantId,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO tenant (tenant_id, created_at, changed_at, cause)
         SELECT ?4, ?2, ?2, ?3 WHERE ?1 >= 0";
    run(tx, sql, stamp, [tenant_id.as_str().into()]).await
}

/// What a reading covered, for [`finish`].
#[derive(Clone, Copy, Debug)]
pub struct Covered {
    /// `effective_users` or `member_walk`.
    pub users_method: &'static str,
    /// Whether every user's status was told.
    pub user_statuses: bool,
    /// Whether groups and memberships were read.
    pub groups: bool,
    /// Whether tenants were read.
    pub tenants: bool,
    /// When everything had been read, by ScaiKey's clock.
    pub read_until: Timestamp,
    /// When the run began, by our clock: what was requested before is answered.
    pub started_at: Timestamp,
}

/// Notes what was covered: events that are older than the beginning of the reading are void now.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn finish(tx: &impl Query, covered: Covered, stamp: &Stamp) -> Result<(), StoreError> {
    if covered.groups {
        orphans(tx, stamp).await?;
    }
    unsettle(tx, covered, stamp).await?;
    tx.query(
        "UPDATE directory_state SET
           users_at = ?1,
           user_status_at = iif(?2, ?1, user_status_at),
           groups_at = iif(?3, ?1, groups_at),
           memberships_at = iif(?3, ?1, memberships_at),
           tenants_at = iif(?4, ?1, tenants_at),
           read_until = ?5, users_method = ?6, synced_at = ?7,
           requested_at = iif(requested_at <= ?8, NULL, requested_at)
          WHERE one = 1",
        &[
            stamp.at.into(),
            i64::from(covered.user_statuses).into(),
            i64::from(covered.groups).into(),
            i64::from(covered.tenants).into(),
            covered.read_until.into(),
            covered.users_method.into(),
            stamp.now.into(),
            covered.started_at.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Marks memberships of groups that are not there as deleted. No list of members names them, for none
/// is read; should the group be created again, it would have members from before.
async fn orphans(tx: &impl Query, stamp: &Stamp) -> Result<(), StoreError> {
    let sql = "UPDATE group_membership SET deleted_at = ?2, changed_at = ?2, cause = ?3
          WHERE deleted_at IS NULL AND presence_at < ?1
            AND NOT EXISTS (SELECT 1 FROM directory_group g
                             WHERE g.tenant_id = group_membership.tenant_id
                               AND g.group_id = group_membership.group_id
                               AND g.deleted_at IS NULL)";
    run(tx, sql, stamp, []).await
}

/// Notes what events have changed since the run began to read.
///
/// It was compared before they came, so the reading does not make older events of it void: one that
/// came since may itself be older than another that is still on its way. What the reading before this
/// one covered stays its limit, until a sync compares it undisturbed.
async fn unsettle(tx: &impl Query, covered: Covered, stamp: &Stamp) -> Result<(), StoreError> {
    let Cause::Sync(sync_id) = stamp.cause else {
        return Ok(());
    };
    let kinds = [
        Some("user"),
        covered.user_statuses.then_some("user_status"),
        covered.groups.then_some("group"),
        covered.groups.then_some("membership"),
        covered.tenants.then_some("tenant"),
    ];
    let kinds: Vec<_> = kinds.into_iter().flatten().collect();
    let parameters = [
        serde_json::to_string(&kinds)
            .map_err(|_| StoreError::Corrupt)?
            .into(),
        sync_id.into(),
    ];
    // A group that was created or deleted may have members that no list was compared with.
    let disturbed = "touched AS (
        SELECT entity, tenant_id, coalesce(group_id, '') AS group_id, id FROM change_log
         WHERE cursor > (SELECT log_cursor FROM sync_run WHERE sync_id = ?2)
           AND cause >= 'webhook:' AND cause < 'webhook;'),
      disturbed AS (
        SELECT k.value AS kind, t.tenant_id, t.group_id, t.id
          FROM touched t JOIN json_each(?1) k
            ON t.entity = iif(k.value = 'user_status', 'user', k.value)
        UNION
        SELECT k.value, m.tenant_id, m.group_id, m.user_id
          FROM json_each(?1) k JOIN touched t ON t.entity = 'group'
          JOIN group_membership m ON m.tenant_id = t.tenant_id AND m.group_id = t.id
         WHERE k.value = 'membership'
           AND (m.presence_at >= (SELECT memberships_at FROM directory_state)
             OR (k.value, m.tenant_id, m.group_id, m.user_id)
               IN (SELECT kind, tenant_id, group_id, id FROM unsettled)))";
    let sql = format!(
        "WITH {disturbed} DELETE FROM unsettled
          WHERE kind IN (SELECT value FROM json_each(?1))
            AND (kind, tenant_id, group_id, id) NOT IN disturbed"
    );
    tx.query(&sql, &parameters).await?;
    let sql = format!(
        "WITH {disturbed} INSERT OR IGNORE INTO unsettled (kind, tenant_id, group_id, id, floor_at)
         SELECT d.kind, d.tenant_id, d.group_id, d.id,
                CASE d.kind WHEN 'user' THEN users_at WHEN 'user_status' THEN user_status_at
                  WHEN 'group' THEN groups_at WHEN 'membership' THEN memberships_at
                  ELSE tenants_at END
           FROM disturbed d, directory_state"
    );
    tx.query(&sql, &parameters).await.map(|_| ())
}

/// How many rows of each kind were changed by a cause, as the change log has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// New.
    pub added: u64,
    /// Brought back.
    pub undeleted: u64,
    /// Marked as deleted.
    pub soft_deleted: u64,
    /// Otherwise.
    pub updated: u64,
}

/// What a cause changed of one kind (`user`, `group`, `membership`, `tenant`).
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn changed(tx: &impl Query, stamp: &Stamp, entity: &str) -> Result<Changed, StoreError> {
    // Nothing of a run was logged before it began.
    let sync_id = match stamp.cause {
        Cause::Sync(sync_id) => Some(sync_id),
        _ => None,
    };
    let rows = tx
        .query(
            "SELECT action, count(*) FROM change_log
              WHERE cursor > coalesce((SELECT log_cursor FROM sync_run WHERE sync_id = ?3), 0)
                AND cause = ?1 AND entity = ?2 GROUP BY action",
            &[
                stamp.cause.to_string().into(),
                entity.into(),
                sync_id.into(),
            ],
        )
        .await?;
    let mut changed = Changed::default();
    for row in &rows {
        let count = u64::try_from(row.integer(1)?).map_err(|_| StoreError::Corrupt)?;
        match row.text(0)? {
            "created" => changed.added = count,
            "restored" => changed.undeleted = count,
            "deleted" => changed.soft_deleted = count,
            "updated" => changed.updated = count,
            _ => return Err(StoreError::Corrupt),
        }
    }
    Ok(changed)
}
