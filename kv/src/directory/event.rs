//! One event of ScaiKey, applied to the mirror. Each function is one subject, runs within the
//! caller's transaction, and says whether anything changed.
//!
//! An event that is older than what is known changes nothing: neither than the field's own time nor
//! than the reading of the last sync. What is deleted before anybody heard of it leaves a row behind,
//! so that a late creation does not bring it back.

use scaigate_types::{
    GroupId, Issuer, PartnerId, PersonId, Query, Row, StoreError, Subject, TenantId, Value,
};

use super::Stamp;

/// What an event did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Something is different now, or known to be as it was at a later time.
    Applied,
    /// Everything it says was older than what is known.
    Stale,
}

impl Effect {
    fn of<T>(rows: &[T]) -> Self {
        if rows.is_empty() {
            Self::Stale
        } else {
            Self::Applied
        }
    }

    /// Reads a first column that says whether anything was news.
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(if row.integer(0)? == 0 {
            Self::Stale
        } else {
            Self::Applied
        })
    }

    /// Of a deletion: late as it may be, the memberships that it ended are news.
    fn of_deletion(rows: &[Row], left: &[Row]) -> Result<Self, StoreError> {
        match rows.first() {
            Some(row) if left.is_empty() => Self::read(row),
            _ => Ok(Self::of(left)),
        }
    }
}

// The time before which an event is void, in a statement: when the last applied sync began to read,
// or an earlier one for what events changed under its hands (`sync_apply::finish`).
macro_rules! floor {
    ($kind:literal, $tenant:literal, $group:literal, $id:literal, $column:literal) => {
        concat!(
            "coalesce((SELECT u.floor_at FROM unsettled u WHERE u.kind = '",
            $kind,
            "' AND u.tenant_id = ",
            $tenant,
            " AND u.group_id = ",
            $group,
            " AND u.id = ",
            $id,
            "), (SELECT s.",
            $column,
            " FROM directory_state s))"
        )
    };
}

const USERS_AT: &str = floor!("user", "?3", "''", "?2", "users_at");
const USER_STATUS_AT: &str = floor!("user_status", "?3", "''", "?2", "user_status_at");
const GROUPS_AT: &str = floor!("group", "?1", "''", "?2", "groups_at");
const MEMBERSHIP_AT: &str = floor!("membership", "?1", "?2", "?3", "memberships_at");
const TENANTS_AT: &str = floor!("tenant", "?1", "''", "?1", "tenants_at");
/// That of each row of `group_membership`.
const MEMBERSHIPS_AT: &str = floor!(
    "membership",
    "group_membership.tenant_id",
    "group_membership.group_id",
    "group_membership.user_id",
    "memberships_at"
);

/// A field that an event may leave alone, clear or set.
pub type Field<'a> = Option<Option<&'a str>>;

/// A user of the directory: the issuer of the tenant's people, the tenant, and the subject.
#[derive(Clone, Copy, Debug)]
pub struct UserKey<'a> {
    /// The issuer of the tenant's people.
    pub issuer: &'a Issuer,
    /// The tenant.
    pub tenant_id: &'a TenantId,
    /// ScaiKey's identifier of the user, the `sub` of their tokens.
    pub user_id: &'a Subject,
}

impl UserKey<'_> {
    fn values(&self) -> Vec<Value> {
        vec![
            self.issuer.as_str().into(),
            self.user_id.as_str().into(),
            self.tenant_id.as_str().into(),
        ]
    }
}

/// What an event says of a user.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserChange<'a> {
    /// The e-mail address.
    pub email: Field<'a>,
    /// The display name.
    pub name: Field<'a>,
    /// The status in lower case, such as `active`.
    pub status: Option<&'a str>,
    /// Whether the event says that the user is there (again): a creation.
    pub is_present: bool,
}

/// A user was created, changed, suspended or activated.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn user(
    tx: &impl Query,
    key: UserKey<'_>,
    change: UserChange<'_>,
    stamp: &Stamp,
) -> Result<Effect, StoreError> {
    let mut parameters = key.values();
    parameters.extend([
        i64::from(change.email.is_some()).into(),
        change.email.flatten().into(),
        i64::from(change.name.is_some()).into(),
        change.name.flatten().into(),
        change.status.into(),
        i64::from(change.is_present).into(),
        stamp.at.into(),
        stamp.now.into(),
        stamp.cause.to_string().into(),
    ]);
    // ?4 ?5 email, ?6 ?7 name, ?8 status, ?9 present, ?10 ScaiKey's time, ?11 ours, ?12 cause.
    // Whether anything is news can be asked after the change as well: what was not later than the
    // event bears its time then.
    let news = format!(
        "((?4 AND max(email_at, {USERS_AT}) <= ?10) OR (?6 AND max(name_at, {USERS_AT}) <= ?10)
          OR (?8 IS NOT NULL AND max(status_at, {USER_STATUS_AT}) <= ?10)
          OR (?9 AND max(presence_at, {USERS_AT}) <= ?10))"
    );
    let sql = format!(
        "UPDATE person SET
           email = iif(?4 AND max(email_at, {USERS_AT}) <= ?10, ?5, email),
           email_at = iif(?4, max(email_at, ?10), email_at),
           name = iif(?6 AND max(name_at, {USERS_AT}) <= ?10, ?7, name),
           name_at = iif(?6, max(name_at, ?10), name_at),
           status = iif(?8 IS NOT NULL AND max(status_at, {USER_STATUS_AT}) <= ?10, ?8, status),
           status_at = iif(?8 IS NOT NULL, max(status_at, ?10), status_at),
           deleted_at = iif(?9 AND max(presence_at, {USERS_AT}) <= ?10, NULL, deleted_at),
           presence_at = iif(?9, max(presence_at, ?10), presence_at),
           synced_at = iif({news}, coalesce(synced_at, ?11), synced_at),
           changed_at = ?11, cause = ?12
          WHERE issuer = ?1 AND subject = ?2 AND tenant_id = ?3
          RETURNING {news}"
    );
    let known = tx.query(&sql, &parameters).await?;
    if let Some(row) = known.first() {
        return Effect::read(row);
    }
    // Nobody of that name: a creation, unless a sync has looked since and found nobody. One whom the
    // issuer has in another tenant stays there until they sign in.
    let sql = format!(
        "INSERT INTO person (person_id, issuer, subject, tenant_id, email, name, status,
                             created_at, last_seen_at, synced_at,
                             email_at, name_at, status_at, presence_at, changed_at, cause)
         SELECT 'per_' || lower(hex(randomblob(16))), ?1, ?2, ?3, ?5, ?7, coalesce(?8, 'active'),
                ?11, 0, ?11, ?4 * ?10, ?6 * ?10, (?8 IS NOT NULL) * ?10, ?9 * ?10, ?11, ?12
          WHERE {USERS_AT} <= ?10
         ON CONFLICT (issuer, subject) DO NOTHING
         RETURNING 1"
    );
    let rows = tx.query(&sql, &parameters).await?;
    if !rows.is_empty() {
        know_tenant(tx, key.tenant_id, stamp).await?;
    }
    Ok(Effect::of(&rows))
}

/// A user was deleted, or removed from the application. Their memberships go with them. That it was
/// so then is kept even where the user is known to be there again: it ends what was before.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn user_deleted(
    tx: &impl Query,
    key: UserKey<'_>,
    stamp: &Stamp,
) -> Result<Effect, StoreError> {
    let mut parameters = key.values();
    parameters.extend([
        stamp.at.into(),
        stamp.now.into(),
        stamp.cause.to_string().into(),
    ]);
    let sql = format!(
        "INSERT INTO person (person_id, issuer, subject, tenant_id, created_at, last_seen_at,
                             synced_at, deleted_at, presence_at, gone_at, changed_at, cause)
         SELECT 'per_' || lower(hex(randomblob(16))), ?1, ?2, ?3, ?5, 0, ?5, ?5, ?4, ?4, ?5, ?6
          WHERE true
         ON CONFLICT (issuer, subject) DO UPDATE SET
           deleted_at = iif(max(presence_at, {USERS_AT}) <= ?4, coalesce(deleted_at, ?5), deleted_at),
           presence_at = max(presence_at, ?4), gone_at = max(gone_at, ?4),
           changed_at = ?5, cause = ?6
          WHERE tenant_id = ?3
         RETURNING max(presence_at, {USERS_AT}) <= ?4"
    );
    let rows = tx.query(&sql, &parameters).await?;
    // By the user's index: a tenant has many more memberships.
    let sql = format!(
        "UPDATE group_membership SET deleted_at = ?5, changed_at = ?5, cause = ?6
          WHERE +tenant_id = ?3 AND user_id = ?2 AND deleted_at IS NULL AND presence_at <= ?4
            AND {MEMBERSHIPS_AT} <= ?4
          RETURNING 1"
    );
    let left = tx.query(&sql, &parameters).await?;
    Effect::of_deletion(&rows, &left)
}

/// The tenant of whoever an event names exists.
async fn know_tenant(
    tx: &impl Query,
    tenant_id: &TenantId,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    tx.query(
        "INSERT OR IGNORE INTO tenant (tenant_id, created_at, changed_at, cause)
         VALUES (?1, ?2, ?2, ?3)",
        &[
            tenant_id.as_str().into(),
            stamp.now.into(),
            stamp.cause.to_string().into(),
        ],
    )
    .await?;
    Ok(())
}

/// A group was created or changed. A deleted group stays so unless `is_present`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn group(
    tx: &impl Query,
    tenant_id: &TenantId,
    group_id: &GroupId,
    name: Field<'_>,
    group_type: Option<&str>,
    is_present: bool,
    stamp: &Stamp,
) -> Result<Effect, StoreError> {
    let parameters = [
        tenant_id.as_str().into(),
        group_id.as_str().into(),
        i64::from(name.is_some()).into(),
        name.flatten().into(),
        group_type.into(),
        i64::from(is_present).into(),
        stamp.at.into(),
        stamp.now.into(),
        stamp.cause.to_string().into(),
    ];
    // ?3 ?4 name, ?5 type, ?6 present, ?7 ScaiKey's time, ?8 ours, ?9 cause.
    let sql = format!(
        "UPDATE directory_group SET
           name = iif(?3 AND max(name_at, {GROUPS_AT}) <= ?7, ?4, name),
           name_at = iif(?3, max(name_at, ?7), name_at),
           group_type = iif(?5 IS NOT NULL AND max(type_at, {GROUPS_AT}) <= ?7, ?5, group_type),
           type_at = iif(?5 IS NOT NULL, max(type_at, ?7), type_at),
           deleted_at = iif(?6 AND max(presence_at, {GROUPS_AT}) <= ?7, NULL, deleted_at),
           presence_at = iif(?6, max(presence_at, ?7), presence_at),
           changed_at = ?8, cause = ?9
          WHERE tenant_id = ?1 AND group_id = ?2
          RETURNING (?3 AND max(name_at, {GROUPS_AT}) <= ?7)
                 OR (?5 IS NOT NULL AND max(type_at, {GROUPS_AT}) <= ?7)
                 OR (?6 AND max(presence_at, {GROUPS_AT}) <= ?7)"
    );
    let known = tx.query(&sql, &parameters).await?;
    if let Some(row) = known.first() {
        return Effect::read(row);
    }
    let sql = format!(
        "INSERT INTO directory_group (tenant_id, group_id, name, group_type, synced_at,
                                      name_at, type_at, presence_at, changed_at, cause)
         SELECT ?1, ?2, ?4, ?5, ?8, ?3 * ?7, (?5 IS NOT NULL) * ?7, ?6 * ?7, ?8, ?9
          WHERE {GROUPS_AT} <= ?7
         RETURNING 1"
    );
    let rows = tx.query(&sql, &parameters).await?;
    if !rows.is_empty() {
        know_tenant(tx, tenant_id, stamp).await?;
    }
    Ok(Effect::of(&rows))
}

/// A group was deleted. Its memberships go with it, as those of a deleted user.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn group_deleted(
    tx: &impl Query,
    tenant_id: &TenantId,
    group_id: &GroupId,
    stamp: &Stamp,
) -> Result<Effect, StoreError> {
    let parameters = [
        tenant_id.as_str().into(),
        group_id.as_str().into(),
        stamp.at.into(),
        stamp.now.into(),
        stamp.cause.to_string().into(),
    ];
    let sql = format!(
        "INSERT INTO directory_group (tenant_id, group_id, synced_at, deleted_at, presence_at, gone_at,
                                      changed_at, cause)
         SELECT ?1, ?2, ?4, ?4, ?3, ?3, ?4, ?5 WHERE true
         ON CONFLICT (tenant_id, group_id) DO UPDATE SET
           deleted_at = iif(max(presence_at, {GROUPS_AT}) <= ?3, coalesce(deleted_at, ?4), deleted_at),
           presence_at = max(presence_at, ?3), gone_at = max(gone_at, ?3),
           changed_at = ?4, cause = ?5
         RETURNING max(presence_at, {GROUPS_AT}) <= ?3"
    );
    let rows = tx.query(&sql, &parameters).await?;
    let sql = format!(
        "UPDATE group_membership SET deleted_at = ?4, changed_at = ?4, cause = ?5
          WHERE tenant_id = ?1 AND group_id = ?2 AND deleted_at IS NULL AND presence_at <= ?3
            AND {MEMBERSHIPS_AT} <= ?3
          RETURNING 1"
    );
    let left = tx.query(&sql, &parameters).await?;
    Effect::of_deletion(&rows, &left)
}

/// Somebody joined or left a group. A joining that is older than the deletion of the group or of the
/// user says nothing of what came after.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn membership(
    tx: &impl Query,
    tenant_id: &TenantId,
    group_id: &GroupId,
    user_id: &Subject,
    is_member: bool,
    stamp: &Stamp,
) -> Result<Effect, StoreError> {
    let sql = format!(
        "INSERT INTO group_membership (tenant_id, group_id, user_id, deleted_at, presence_at,
                                       changed_at, cause)
         SELECT ?1, ?2, ?3, iif(?4, NULL, ?6), ?5, ?6, ?7
          WHERE {MEMBERSHIP_AT} <= ?5
            AND NOT (?4 AND (
              EXISTS (SELECT 1 FROM directory_group g
                       WHERE g.tenant_id = ?1 AND g.group_id = ?2 AND g.gone_at > ?5)
              OR EXISTS (SELECT 1 FROM person p
                          WHERE p.tenant_id = ?1 AND p.subject = ?3 AND p.gone_at > ?5)))
         ON CONFLICT (tenant_id, group_id, user_id) DO UPDATE SET
           deleted_at = iif(?4, NULL, coalesce(deleted_at, ?6)),
           presence_at = ?5, changed_at = ?6, cause = ?7
          WHERE presence_at <= ?5
         RETURNING 1"
    );
    let parameters = [
        tenant_id.as_str().into(),
        group_id.as_str().into(),
        user_id.as_str().into(),
        i64::from(is_member).into(),
        stamp.at.into(),
        stamp.now.into(),
        stamp.cause.to_string().into(),
    ];
    let rows = tx.query(&sql, &parameters).await?;
    Ok(Effect::of(&rows))
}

/// Whether the mirror has a user of that identifier who is not deleted.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn has_user(
    on: &impl Query,
    tenant_id: &TenantId,
    user_id: &Subject,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM person WHERE tenant_id = ?1 AND subject = ?2
                 AND synced_at IS NOT NULL AND deleted_at IS NULL";
    let parameters = [tenant_id.as_str().into(), user_id.as_str().into()];
    Ok(!on.query(sql, &parameters).await?.is_empty())
}

/// What an event says of a tenant.
#[derive(Clone, Copy, Debug, Default)]
pub struct TenantChange<'a> {
    /// The display name.
    pub name: Field<'a>,
    /// The path segment at ScaiKey.
    pub slug: Option<&'a str>,
    /// The partner it belongs to.
    pub partner_id: Option<&'a PartnerId>,
    /// The status in lower case.
    pub status: Option<&'a str>,
    /// Whether the event is a creation (`Some(true)`) or a deletion (`Some(false)`).
    pub is_present: Option<bool>,
}

/// A tenant was created, changed, suspended or deleted.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn tenant(
    tx: &impl Query,
    tenant_id: &TenantId,
    change: TenantChange<'_>,
    stamp: &Stamp,
) -> Result<Effect, StoreError> {
    let parameters = [
        tenant_id.as_str().into(),
        i64::from(change.name.is_some()).into(),
        change.name.flatten().into(),
        change.slug.into(),
        change.partner_id.map(PartnerId::as_str).into(),
        change.status.into(),
        change.is_present.map(i64::from).into(),
        stamp.at.into(),
        stamp.now.into(),
        stamp.cause.to_string().into(),
    ];
    // ?2 ?3 name, ?4 slug, ?5 partner, ?6 status, ?7 present, ?8 ScaiKey's time, ?9 ours, ?10 cause.
    let news = format!(
        "((?2 AND max(name_at, {TENANTS_AT}) <= ?8)
          OR (?4 IS NOT NULL AND max(slug_at, {TENANTS_AT}) <= ?8)
          OR (?5 IS NOT NULL AND max(partner_at, {TENANTS_AT}) <= ?8)
          OR (?6 IS NOT NULL AND max(status_at, {TENANTS_AT}) <= ?8)
          OR (?7 IS NOT NULL AND max(presence_at, {TENANTS_AT}) <= ?8))"
    );
    let sql = format!(
        "UPDATE tenant SET
           name = iif(?2 AND max(name_at, {TENANTS_AT}) <= ?8, ?3, name),
           name_at = iif(?2, max(name_at, ?8), name_at),
           slug = iif(?4 IS NOT NULL AND max(slug_at, {TENANTS_AT}) <= ?8, ?4, slug),
           slug_at = iif(?4 IS NOT NULL, max(slug_at, ?8), slug_at),
           partner_id = iif(?5 IS NOT NULL AND max(partner_at, {TENANTS_AT}) <= ?8, ?5, partner_id),
           partner_at = iif(?5 IS NOT NULL, max(partner_at, ?8), partner_at),
           status = iif(?6 IS NOT NULL AND max(status_at, {TENANTS_AT}) <= ?8, ?6, status),
           status_at = iif(?6 IS NOT NULL, max(status_at, ?8), status_at),
           deleted_at = CASE WHEN ?7 IS NULL OR max(presence_at, {TENANTS_AT}) > ?8 THEN deleted_at
             WHEN ?7 THEN NULL ELSE coalesce(deleted_at, ?9) END,
           presence_at = iif(?7 IS NOT NULL, max(presence_at, ?8), presence_at),
           synced_at = iif({news}, coalesce(synced_at, ?9), synced_at),
           changed_at = ?9, cause = ?10
          WHERE tenant_id = ?1
          RETURNING {news}"
    );
    let known = tx.query(&sql, &parameters).await?;
    if let Some(row) = known.first() {
        return Effect::read(row);
    }
    let sql = format!(
        "INSERT INTO tenant (tenant_id, created_at, name, slug, partner_id, status, deleted_at,
                             synced_at, name_at, slug_at, partner_at, status_at, presence_at,
                             changed_at, cause)
         SELECT ?1, ?9, ?3, ?4, ?5, coalesce(?6, 'active'), iif(?7 IS 0, ?9, NULL), ?9, ?2 * ?8,
                (?4 IS NOT NULL) * ?8, (?5 IS NOT NULL) * ?8, (?6 IS NOT NULL) * ?8,
                (?7 IS NOT NULL) * ?8, ?9, ?10
          WHERE {TENANTS_AT} <= ?8
         RETURNING 1"
    );
    Ok(Effect::of(&tx.query(&sql, &parameters).await?))
}

/// A partner was created, changed, suspended or deleted.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn partner(
    tx: &impl Query,
    partner_id: &PartnerId,
    name: Field<'_>,
    status: Option<&str>,
    is_present: Option<bool>,
    stamp: &Stamp,
) -> Result<Effect, StoreError> {
    let rows = tx
        .query(
            "INSERT INTO partner (partner_id, name, status, deleted_at, name_at, status_at,
                                  presence_at, changed_at, cause)
             VALUES (?1, ?3, coalesce(?4, 'active'), iif(?5 IS 0, ?7, NULL), ?2 * ?6,
                     (?4 IS NOT NULL) * ?6, (?5 IS NOT NULL) * ?6, ?7, ?8)
             ON CONFLICT (partner_id) DO UPDATE SET
               name = iif(?2 AND name_at <= ?6, excluded.name, name),
               name_at = iif(?2, max(name_at, ?6), name_at),
               status = iif(?4 IS NOT NULL AND status_at <= ?6, ?4, status),
               status_at = iif(?4 IS NULL, status_at, max(status_at, ?6)),
               deleted_at = CASE WHEN ?5 IS NULL OR presence_at > ?6 THEN deleted_at
                 WHEN ?5 THEN NULL ELSE coalesce(deleted_at, ?7) END,
               presence_at = iif(?5 IS NULL, presence_at, max(presence_at, ?6)),
               changed_at = ?7, cause = ?8
             RETURNING (?2 AND name_at <= ?6) OR (?4 IS NOT NULL AND status_at <= ?6)
                    OR (?5 IS NOT NULL AND presence_at <= ?6)",
            &[
                partner_id.as_str().into(),
                i64::from(name.is_some()).into(),
                name.flatten().into(),
                status.into(),
                is_present.map(i64::from).into(),
                stamp.at.into(),
                stamp.now.into(),
                stamp.cause.to_string().into(),
            ],
        )
        .await?;
    Effect::read(rows.first().ok_or(StoreError::Corrupt)?)
}

/// The tenants in which a group of that identifier is known: an event may name none.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn tenants_of_group(
    on: &impl Query,
    group_id: &GroupId,
) -> Result<Vec<TenantId>, StoreError> {
    let sql = "SELECT tenant_id FROM directory_group WHERE group_id = ?1 LIMIT 2";
    tenants(on, sql, group_id.as_str()).await
}

/// The tenants in which a user of that identifier is known: an event may name none.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn tenants_of_user(
    on: &impl Query,
    user_id: &Subject,
) -> Result<Vec<TenantId>, StoreError> {
    let sql = "SELECT DISTINCT tenant_id FROM person WHERE subject = ?1 LIMIT 2";
    tenants(on, sql, user_id.as_str()).await
}

async fn tenants(on: &impl Query, sql: &str, id: &str) -> Result<Vec<TenantId>, StoreError> {
    let rows = on.query(sql, &[id.into()]).await?;
    rows.iter()
        .map(|row| TenantId::parse(row.text(0)?).map_err(|_| StoreError::Corrupt))
        .collect()
}

/// The person's row, to look at their sessions after the event.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn person_id(on: &impl Query, key: UserKey<'_>) -> Result<Option<PersonId>, StoreError> {
    let sql = "SELECT person_id FROM person WHERE issuer = ?1 AND subject = ?2 AND tenant_id = ?3";
    let rows = on.query(sql, &key.values()).await?;
    Ok(super::person_ids(&rows)?.into_iter().next())
}
