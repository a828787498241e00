//! Who is super admin because of a group, or of the bootstrap setting.

use scaigate_types::{Database, GroupId, Kv, PersonId, Query, StoreError, Subject};

use super::Stores;
use super::mirrored::{Place, ids, told};
use super::verdict::{Failure, Verdict, same};
use crate::directory::event::{self, TenantChange, UserChange};
use crate::directory::super_admin::{Elected, Election, count, reconcile};

/// A role and where it comes from.
type Role = Option<(&'static str, &'static str)>;

const BY_GROUP: Role = Some(("super_admin", "group"));

pub(super) async fn person_of(
    on: &impl Query,
    place: &Place,
    user_id: &Subject,
) -> Result<PersonId, Failure> {
    let found = event::person_id(on, place.key(user_id)).await?;
    found.ok_or_else(|| Failure::new("no such person"))
}

pub(super) async fn give(
    on: &impl Query,
    person_id: &PersonId,
    role: Role,
) -> Result<(), StoreError> {
    let sql = "UPDATE person SET admin_role = ?2, admin_role_source = ?3 WHERE person_id = ?1";
    let parameters = [
        person_id.as_str().into(),
        role.map(|role| role.0).into(),
        role.map(|role| role.1).into(),
    ];
    on.query(sql, &parameters).await.map(|_| ())
}

/// `role source` of a person; empty without a role.
pub(super) async fn has(on: &impl Query, person_id: &PersonId) -> Result<String, Failure> {
    let sql = "SELECT coalesce(admin_role || ' ' || admin_role_source, '')
                 FROM person WHERE person_id = ?1";
    let rows = super::mirrored::texts(on, sql, &[person_id.as_str().into()]).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Failure::new("no such person"))
}

fn words(role: Role) -> String {
    role.map(|(role, source)| format!("{role} {source}"))
        .unwrap_or_default()
}

pub(super) async fn elect(
    db: &impl Database,
    groups: &[&str],
    bootstrap: Option<&str>,
) -> Result<Elected, StoreError> {
    use scaigate_types::Transaction as _;
    let tx = db.begin().await?;
    let election = Election {
        groups: &ids(groups),
        bootstrap,
    };
    let elected = reconcile(&tx, election, &told(50)).await?;
    tx.commit().await?;
    Ok(elected)
}

/// What happens to somebody before the election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    In,
    Out,
    Unset,
    DeletedIn,
    DeletedOut,
    ReturnedIn,
    ReturnedOut,
}

const FATES: [Fate; 7] = [
    Fate::In,
    Fate::Out,
    Fate::Unset,
    Fate::DeletedIn,
    Fate::DeletedOut,
    Fate::ReturnedIn,
    Fate::ReturnedOut,
];

async fn undergo(
    on: &impl Query,
    place: &Place,
    group_id: &GroupId,
    user_id: &Subject,
    fate: Fate,
) -> Verdict {
    let key = place.key(user_id);
    if !matches!(fate, Fate::Out | Fate::DeletedOut | Fate::ReturnedOut) {
        place.member(on, group_id, user_id, true, 2).await?;
    }
    if !matches!(fate, Fate::In | Fate::Out | Fate::Unset) {
        event::user_deleted(on, key, &told(3)).await?;
    }
    if fate == Fate::DeletedIn {
        // Known again, from an event on its way.
        place.member(on, group_id, user_id, true, 4).await?;
    }
    if matches!(fate, Fate::ReturnedIn | Fate::ReturnedOut) {
        let back = UserChange {
            is_present: true,
            ..UserChange::default()
        };
        event::user(on, key, back, &told(5)).await?;
    }
    if fate == Fate::ReturnedIn {
        place.member(on, group_id, user_id, true, 6).await?;
    }
    Ok(())
}

pub async fn follow_the_groups_and_nothing_else(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let group_id = place.has_group(on.db, "admins", 1).await?;
    let manual = Some(("super_admin", "manual"));
    let tenant_admin = Some(("tenant_admin", "manual"));
    let bootstrap = Some(("super_admin", "bootstrap"));
    // In the order of `FATES`.
    let table = [
        (None, [BY_GROUP, None, None, None, None, BY_GROUP, None]),
        (manual, [manual; 7]),
        (tenant_admin, [tenant_admin; 7]),
        (bootstrap, [bootstrap; 7]),
        (
            BY_GROUP,
            [BY_GROUP, None, None, BY_GROUP, BY_GROUP, BY_GROUP, None],
        ),
    ];
    for (row, (before, after)) in table.into_iter().enumerate() {
        for (column, (fate, after)) in FATES.into_iter().zip(after).enumerate() {
            let tag = format!("user-{row}-{column}");
            let user_id = place.has_user(on.db, &tag, 1).await?;
            let person_id = person_of(on.db, &place, &user_id).await?;
            give(on.db, &person_id, before).await?;
            undergo(on.db, &place, &group_id, &user_id, fate).await?;
            let groups = if fate == Fate::Unset {
                vec![]
            } else {
                vec![group_id.as_str()]
            };
            let elected = elect(on.db, &groups, None).await?;
            let what = format!("{before:?}, {fate:?}");
            same(&what, has(on.other, &person_id).await?, words(after))?;
            let told = (
                elected.promoted.contains(&person_id),
                elected.demoted.contains(&person_id),
            );
            let expected = (
                before.is_none() && after.is_some(),
                before.is_some() && after.is_none(),
            );
            same(&what, told, expected)?;
            // Again it changes nothing.
            let again = elect(on.db, &groups, None).await?;
            same(&what, (again.promoted.len(), again.demoted.len()), (0, 0))?;
            give(on.db, &person_id, None).await?;
            event::user_deleted(on.db, place.key(&user_id), &told_late()).await?;
        }
    }
    Ok(())
}

fn told_late() -> crate::directory::Stamp {
    told(60)
}

/// Somebody in a group of that name and nobody else; whether they are elected.
struct Candidate {
    place: Place,
    person_id: PersonId,
    group_id: GroupId,
}

impl Candidate {
    async fn new<K, D: Database>(
        on: &Stores<'_, K, D>,
        tenant: &str,
        group: &str,
        name: &str,
    ) -> Result<Self, Failure> {
        let place = Place::more(on, tenant)?;
        let user_id = place.has_user(on.db, &format!("user-{group}"), 1).await?;
        let group_id = place.group(group)?;
        let stamp = told(1);
        event::group(
            on.db,
            &place.tenant_id,
            &group_id,
            Some(Some(name)),
            None,
            true,
            &stamp,
        )
        .await?;
        place.member(on.db, &group_id, &user_id, true, 2).await?;
        let person_id = person_of(on.db, &place, &user_id).await?;
        Ok(Self {
            place,
            person_id,
            group_id,
        })
    }

    async fn is_elected(&self, on: &impl Query) -> Result<bool, Failure> {
        Ok(has(on, &self.person_id).await? == words(BY_GROUP))
    }
}

pub async fn are_named_by_the_group_or_its_name(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    Place::new(on, "none").await?;
    let name = on.name("It's \"the\" Admins");
    let one = Candidate::new(on, "tenant", "one", &name).await?;
    let two = Candidate::new(on, "tenant", "two", &on.name("others")).await?;
    let elected = elect(on.db, &[&name, "nobody's", "nobody's"], None).await?;
    same("by name", one.is_elected(on.db).await?, true)?;
    same("the other", two.is_elected(on.db).await?, false)?;
    same(
        "unknown",
        elected.unknown_groups,
        vec!["nobody's".to_owned(); 2],
    )?;
    same("ambiguous", elected.ambiguous_groups, vec![])?;
    elect(on.db, &[two.group_id.as_str()], None).await?;
    same("not any more", one.is_elected(on.db).await?, false)?;
    same("by identifier", two.is_elected(on.db).await?, true)?;
    // Names are compared letter by letter, and end with the group.
    elect(on.db, &[&name.to_uppercase()], None).await?;
    same("in capitals", one.is_elected(on.db).await?, false)?;
    elect(on.db, &[&name], None).await?;
    event::group_deleted(on.db, &one.place.tenant_id, &one.group_id, &told(9)).await?;
    let elected = elect(on.db, &[&name], None).await?;
    same("with the group", one.is_elected(on.db).await?, false)?;
    same("no such group", elected.unknown_groups, vec![name])
}

/// A name that several groups have elects nobody: any tenant can name a group as it likes.
pub async fn a_name_of_two_groups_elects_nobody(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    Place::new(on, "none").await?;
    let name = on.name("admins");
    let ours = Candidate::new(on, "ours", "group", &name).await?;
    elect(on.db, &[&name], None).await?;
    same("alone", ours.is_elected(on.db).await?, true)?;
    let theirs = Candidate::new(on, "theirs", "group-2", &name).await?;
    let elected = elect(on.db, &[&name], None).await?;
    same("ambiguous", elected.ambiguous_groups, vec![name.clone()])?;
    same("unknown", elected.unknown_groups, vec![])?;
    let both = [
        ours.is_elected(on.db).await?,
        theirs.is_elected(on.db).await?,
    ];
    same("nobody", both, [false, false])?;
    let elected = elect(on.db, &[&name, ours.group_id.as_str()], None).await?;
    let both = [
        ours.is_elected(on.db).await?,
        theirs.is_elected(on.db).await?,
    ];
    same("by identifier", both, [true, false])?;
    same("still ambiguous", elected.ambiguous_groups, vec![name])
}

/// What is, was, or may be an identifier of a group is not looked for among names.
pub async fn an_identifier_is_no_name(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    Place::new(on, "none").await?;
    let ours = Candidate::new(on, "ours", "group", &on.name("admins")).await?;
    let id = ours.group_id.to_string();
    let theirs = Candidate::new(on, "theirs", "hostile", &id).await?;
    let elected = elect(on.db, &[&id], None).await?;
    let both = [
        ours.is_elected(on.db).await?,
        theirs.is_elected(on.db).await?,
    ];
    same("while ours is there", both, [true, false])?;
    same(
        "found",
        (elected.ambiguous_groups, elected.unknown_groups),
        (vec![], vec![]),
    )?;
    event::group_deleted(on.db, &ours.place.tenant_id, &ours.group_id, &told(9)).await?;
    let elected = elect(on.db, &[&id], None).await?;
    let both = [
        ours.is_elected(on.db).await?,
        theirs.is_elected(on.db).await?,
    ];
    same("when ours is gone", both, [false, false])?;
    same("unknown", elected.unknown_groups, vec![id])?;
    let unknown = format!("grp_{}", on.name("unknown"));
    let theirs = Candidate::new(on, "theirs", "hostile-2", &unknown).await?;
    let elected = elect(on.db, &[&unknown], None).await?;
    same(
        "before ours is known",
        theirs.is_elected(on.db).await?,
        false,
    )?;
    same("unknown", elected.unknown_groups, vec![unknown])
}

pub async fn need_somebody_who_may_act(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    Place::new(on, "none").await?;
    let name = on.name("admins");
    let somebody = Candidate::new(on, "tenant", "group", &name).await?;
    let tenant_id = &somebody.place.tenant_id;
    let partner_id = scaigate_types::PartnerId::parse(&on.name("partner"))
        .map_err(|_| Failure::new("no partner"))?;
    let of_partner = TenantChange {
        partner_id: Some(&partner_id),
        ..TenantChange::default()
    };
    event::tenant(on.db, tenant_id, of_partner, &told(1)).await?;
    let user_id = somebody.place.user("user-group")?;
    let status = async |n: u64, whose: usize, status: &str| -> Result<(), StoreError> {
        let stamp = told(n);
        match whose {
            0 => {
                let change = UserChange {
                    status: Some(status),
                    ..UserChange::default()
                };
                event::user(on.db, somebody.place.key(&user_id), change, &stamp).await?
            }
            1 => {
                let change = TenantChange {
                    status: Some(status),
                    ..TenantChange::default()
                };
                event::tenant(on.db, tenant_id, change, &stamp).await?
            }
            _ => event::partner(on.db, &partner_id, None, Some(status), None, &stamp).await?,
        };
        Ok(())
    };
    for (whose, n) in [(0, 10), (1, 20), (2, 30)] {
        give(on.db, &somebody.person_id, None).await?;
        status(n, whose, "suspended").await?;
        let before = elect(on.db, &[&name], None).await?.super_admins;
        same(
            "not elected while suspended",
            somebody.is_elected(on.db).await?,
            false,
        )?;
        status(n + 1, whose, "active").await?;
        let after = elect(on.db, &[&name], None).await?.super_admins;
        same("elected", somebody.is_elected(on.db).await?, true)?;
        same("counted", after - before, 1)?;
        status(n + 2, whose, "suspended").await?;
        elect(on.db, &[&name], None).await?;
        same("kept", somebody.is_elected(on.db).await?, true)?;
        same("but not counted", count(on.db).await?, before)?;
        status(n + 3, whose, "active").await?;
    }
    Ok(())
}
