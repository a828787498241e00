//! The audit log. Triggers write most of its rows, in the transaction of what is logged
//! (`schema/audit.rs`); here is who and from where ([`attribute`]), what leaves no other trace
//! ([`note_read`], [`note_refusals`]), reading ([`list`]), and sealing ([`sealing`]).

mod row;
pub mod sealing;

use scaigate_types::{Query, StoreError, TenantId, Timestamp, Trail, Value};

pub use row::{Entry, Row};

/// The number of the newest row; 0 when there is none.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn newest(on: &impl Query) -> Result<i64, StoreError> {
    let rows = on
        .query("SELECT coalesce(max(seq), 0) FROM audit_log", &[])
        .await?;
    rows.first().ok_or(StoreError::Corrupt)?.integer(0)
}

/// Says of the rows after `since` by which request they were written, and by whom where they don't say
/// themselves. Within the transaction that wrote them, which read [`newest`] when it began: it holds the
/// write lock, so they are all its own.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the transaction must not be committed then.
pub async fn attribute(tx: &impl Query, since: i64, trail: &Trail) -> Result<(), StoreError> {
    let [request_id, source, actor, _] = of(trail);
    tx.query(
        "UPDATE audit_log SET request_id = ?2, source = ?3, actor = coalesce(actor, ?4)
          WHERE seq > ?1",
        &[since.into(), request_id, source, actor],
    )
    .await?;
    Ok(())
}

/// Request, source, actor and the actor's tenant, as parameters.
fn of(trail: &Trail) -> [Value; 4] {
    let actor = trail.actor();
    let tenant_id = actor.and_then(|actor| actor.tenant_id.as_ref());
    [
        trail.request_id.as_str().into(),
        trail.source.as_deref().into(),
        actor.map(|actor| actor.name.as_str()).into(),
        tenant_id.map(TenantId::as_str).into(),
    ]
}

/// Notes that an administrator read `what`, of one tenant or of all.
///
/// # Errors
/// [`StoreError`] when the store does not answer; what was read must not be shown then.
pub async fn note_read(
    on: &impl Query,
    what: &str,
    trail: &Trail,
    now: Timestamp,
) -> Result<(), StoreError> {
    let [request_id, source, actor, tenant_id] = of(trail);
    on.query(
        "INSERT INTO audit_log (at, action, actor, tenant_id, target, request_id, source)
         VALUES (?1, 'admin.read', ?2, ?3, ?4, ?5, ?6)",
        &[
            now.into(),
            actor,
            tenant_id,
            what.into(),
            request_id,
            source,
        ],
    )
    .await?;
    Ok(())
}

/// Notes that `count` requests were refused at `route` with `code`, `trail` the last of them. One row a
/// minute of each kind and caller, while it is not sealed.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn note_refusals(
    on: &impl Query,
    route: &str,
    code: &str,
    count: u32,
    trail: &Trail,
    now: Timestamp,
) -> Result<(), StoreError> {
    let [request_id, source, actor, tenant_id] = of(trail);
    let parameters = [
        now.into(),
        route.into(),
        code.into(),
        i64::from(count).into(),
        request_id,
        source,
        actor,
        tenant_id,
    ];
    let rows = on
        .query(
            "UPDATE audit_log SET count = count + ?4, request_id = ?5, source = ?6
              WHERE action = 'request.refused' AND target = ?2 AND hash IS NULL
                AND at / 60000 = ?1 / 60000 AND detail = json_object('code', ?3)
                AND actor IS ?7 AND tenant_id IS ?8 RETURNING 1",
            &parameters,
        )
        .await?;
    if rows.is_empty() {
        on.query(
            "INSERT INTO audit_log (at, action, outcome, target, detail, count, request_id, source, actor,
                                    tenant_id)
             VALUES (?1, 'request.refused', 'refused', ?2, json_object('code', ?3), ?4, ?5, ?6, ?7, ?8)",
            &parameters,
        )
        .await?;
    }
    Ok(())
}

/// Which rows are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// By whom.
    pub actor: Option<&'a str>,
    /// What was done: an action, or all that begin with it and a dot.
    pub action: Option<&'a str>,
    /// To whom.
    pub target: Option<&'a str>,
    /// In which tenant.
    pub tenant_id: Option<&'a TenantId>,
    /// How it ended.
    pub outcome: Option<&'a str>,
    /// By which request.
    pub request_id: Option<&'a str>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

/// In which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the oldest on.
    OldestFirst,
    /// From the newest back.
    NewestFirst,
}

/// The rows beyond `cursor` in that order, at most `limit`; without a cursor from its beginning.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn list(
    on: &impl Query,
    filter: &Filter<'_>,
    order: Order,
    cursor: Option<i64>,
    limit: u32,
) -> Result<Vec<Row>, StoreError> {
    let (beyond, direction, start) = match order {
        Order::OldestFirst => (">", "ASC", i64::MIN),
        Order::NewestFirst => ("<", "DESC", i64::MAX),
    };
    // The hash before a row is that of its neighbour, or of what was forgotten.
    let sql = format!(
        "SELECT {}, coalesce((SELECT p.hash FROM audit_log p WHERE p.seq = l.seq - 1),
                  (SELECT purged_hash FROM audit_state WHERE one = 1 AND purged_seq = l.seq - 1), '')
           FROM audit_log l
          WHERE seq {beyond} ?1 AND (?2 IS NULL OR actor = ?2)
            AND (?3 IS NULL OR action = ?3 OR substr(action, 1, length(?3) + 1) = ?3 || '.')
            AND (?4 IS NULL OR target = ?4) AND (?5 IS NULL OR tenant_id = ?5)
            AND (?6 IS NULL OR outcome = ?6) AND (?7 IS NULL OR request_id = ?7)
            AND (?8 IS NULL OR at >= ?8) AND (?9 IS NULL OR at < ?9)
          ORDER BY seq {direction} LIMIT ?10",
        row::COLUMNS
    );
    let rows = on
        .query(
            &sql,
            &[
                cursor.unwrap_or(start).into(),
                filter.actor.into(),
                filter.action.into(),
                filter.target.into(),
                filter.tenant_id.map(TenantId::as_str).into(),
                filter.outcome.into(),
                filter.request_id.into(),
                filter.since.into(),
                filter.until.into(),
                i64::from(limit).into(),
            ],
        )
        .await?;
    rows.iter().map(row::read).collect()
}
