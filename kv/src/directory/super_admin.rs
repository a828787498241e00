//! Who is super admin, reconciled with the groups that make one.
//!
//! A role given by hand or by the bootstrap setting is never touched. One that came from a group goes
//! with the group. A deleted user keeps what they had, for when they come back.

use scaigate_types::{PersonId, Query, StoreError};

use super::{Stamp, person_ids};

/// What makes a super admin.
#[derive(Clone, Copy, Debug)]
pub struct Election<'a> {
    /// Identifiers and names of groups, as a JSON array of texts.
    pub groups: &'a str,
    /// The e-mail address, in lower case, that `bootstrap_super_admin` names.
    pub bootstrap: Option<&'a str>,
}

/// What a reconciliation did and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elected {
    /// Became super admin by a group.
    pub promoted: Vec<PersonId>,
    /// Are not super admin by a group any more.
    pub demoted: Vec<PersonId>,
    /// Became super admin by the bootstrap setting.
    pub bootstrapped: Vec<PersonId>,
    /// Names that several groups have: they elect nobody, for any tenant can name a group as it likes.
    pub ambiguous_groups: Vec<String>,
    /// Names that one group has, and elect by. Should it go, another tenant could take the name.
    pub groups_by_name: Vec<String>,
    /// Entries that name no group.
    pub unknown_groups: Vec<String>,
    /// Whether several people have or had the bootstrap address, so that nobody is elected by it.
    pub ambiguous_bootstrap: bool,
    /// Whether the bootstrap address has elected somebody before.
    pub spent_bootstrap: bool,
    /// Super admins who can act.
    pub super_admins: u64,
}

/// The groups that elect: by identifier, or by a name that only one live group has. What may be an
/// identifier is no name, even where no such group is there: any tenant can name a group as it likes.
const ELECTING: &str = "entry AS (
      SELECT value AS text,
             value GLOB 'grp_*' OR EXISTS (
               SELECT 1 FROM directory_group k WHERE k.group_id = value) AS is_id
        FROM json_each(?4)),
    electing AS (
      SELECT g.tenant_id, g.group_id FROM entry JOIN directory_group g ON g.group_id = entry.text
       WHERE g.deleted_at IS NULL
      UNION
      SELECT min(g.tenant_id), min(g.group_id) FROM entry JOIN directory_group g ON g.name = entry.text
       WHERE g.deleted_at IS NULL AND NOT entry.is_id
       GROUP BY entry.text HAVING count(DISTINCT g.tenant_id || ' ' || g.group_id) = 1),
    elected AS (
      SELECT m.tenant_id, m.user_id FROM group_membership m JOIN electing USING (tenant_id, group_id)
       WHERE m.deleted_at IS NULL)";

/// Makes the roles what the groups say, within the caller's transaction.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn reconcile(
    tx: &impl Query,
    election: Election<'_>,
    stamp: &Stamp,
) -> Result<Elected, StoreError> {
    // ?1 is not used: the statements of a sync share their first three parameters.
    let parameters = [
        stamp.at.into(),
        stamp.now.into(),
        stamp.cause.to_string().into(),
        election.groups.into(),
    ];
    let sql = format!(
        "WITH {ELECTING}
         UPDATE person SET admin_role = NULL, admin_role_source = NULL, changed_at = ?2, cause = ?3
          WHERE admin_role IS NOT NULL AND admin_role_source = 'group' AND deleted_at IS NULL
            AND (tenant_id, subject) NOT IN (SELECT tenant_id, user_id FROM elected)
         RETURNING person_id"
    );
    let demoted = person_ids(&tx.query(&sql, &parameters).await?)?;
    let sql = format!(
        "WITH {ELECTING}
         UPDATE person SET admin_role = 'super_admin', admin_role_source = 'group',
                           changed_at = ?2, cause = ?3
          WHERE (tenant_id, subject) IN (SELECT tenant_id, user_id FROM elected)
            AND admin_role IS NULL
            AND EXISTS (SELECT 1 FROM active_person a WHERE a.person_id = person.person_id)
         RETURNING person_id"
    );
    let promoted = person_ids(&tx.query(&sql, &parameters).await?)?;
    let mut elected = Elected {
        promoted,
        demoted,
        ..Elected::default()
    };
    if let Some(email) = election.bootstrap {
        bootstrap(tx, email, stamp, &mut elected).await?;
    }
    let sql = format!(
        "WITH {ELECTING}
         SELECT text, CASE
             WHEN is_id THEN (SELECT count(*) FROM directory_group g
                               WHERE g.group_id = text AND g.deleted_at IS NULL) > 0
             ELSE (SELECT count(*) FROM directory_group g
                    WHERE g.name = text AND g.deleted_at IS NULL) END, is_id
           FROM entry"
    );
    let rows = tx.query(&sql, &parameters).await?;
    for row in &rows {
        match (row.integer(1)?, row.integer(2)?) {
            (0, _) => elected.unknown_groups.push(row.text(0)?.to_owned()),
            (1, 0) => elected.groups_by_name.push(row.text(0)?.to_owned()),
            (2.., 0) => elected.ambiguous_groups.push(row.text(0)?.to_owned()),
            _ => {}
        }
    }
    elected.super_admins = count(tx).await?;
    Ok(elected)
}

/// The setting names an address, not a person, and an address can pass to somebody else: it elects
/// once, and only where nobody else has ever had it.
async fn bootstrap(
    tx: &impl Query,
    email: &str,
    stamp: &Stamp,
    elected: &mut Elected,
) -> Result<(), StoreError> {
    let rows = tx
        .query(
            "SELECT count(*), EXISTS (SELECT 1 FROM bootstrap_election WHERE address = ?1)
               FROM person WHERE lower(email) = ?1",
            &[email.into()],
        )
        .await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    elected.spent_bootstrap = row.integer(1)? != 0;
    if elected.spent_bootstrap {
        return Ok(());
    }
    elected.ambiguous_bootstrap = row.integer(0)? > 1;
    if elected.ambiguous_bootstrap {
        return Ok(());
    }
    let rows = tx
        .query(
            "UPDATE person SET admin_role = 'super_admin', admin_role_source = 'bootstrap',
                               changed_at = ?2, cause = ?3
              WHERE lower(email) = ?1 AND admin_role IS NOT 'super_admin'
                AND EXISTS (SELECT 1 FROM active_person a WHERE a.person_id = person.person_id)
             RETURNING person_id",
            &[
                email.into(),
                stamp.now.into(),
                stamp.cause.to_string().into(),
            ],
        )
        .await?;
    elected.bootstrapped = person_ids(&rows)?;
    Ok(())
}

/// How many super admins can act.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn count(on: &impl Query) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM active_person WHERE admin_role = 'super_admin'";
    let rows = on.query(sql, &[]).await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    u64::try_from(row.integer(0)?).map_err(|_| StoreError::Corrupt)
}
