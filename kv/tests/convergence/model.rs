//! A small ScaiKey: what it holds, how it changes, and the event of each change.

use std::collections::{BTreeMap, BTreeSet};

use super::random::Random;

const TENANTS: &[&str] = &["tnt_a", "tnt_b"];
const USERS: &[&str] = &["usr_1", "usr_2", "usr_3"];
const GROUPS: &[&str] = &["grp_1", "grp_2"];
const PARTNERS: &[&str] = &["prt_1", "prt_2"];
/// Few, so that what was true once is often true again.
const TEXTS: &[&str] = &["a", "b", "c"];
const STATUSES: &[&str] = &["active", "suspended"];

/// What can be known of users, groups, tenants and partners.
pub type Fields = BTreeMap<&'static str, String>;

/// Everything that is live.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    pub tenants: BTreeMap<String, Fields>,
    pub partners: BTreeMap<String, Fields>,
    pub users: BTreeMap<(String, String), Fields>,
    pub groups: BTreeMap<(String, String), Fields>,
    /// Tenant, group, user.
    pub members: BTreeSet<(String, String, String)>,
}

/// Whom or what an event is about.
#[derive(Clone, Debug)]
pub enum Subject {
    Tenant(&'static str),
    Partner(&'static str),
    User(&'static str, &'static str),
    Group(&'static str, &'static str),
    Member(&'static str, &'static str, &'static str),
}

/// What an event says.
#[derive(Clone, Debug)]
pub enum Said {
    /// It is there now, and what is known of it. Of a membership: nothing.
    Created(Fields),
    /// Some of it is so now.
    Updated(Fields),
    /// It is gone.
    Deleted,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    pub at: u64,
    pub subject: Subject,
    pub said: Said,
}

/// ScaiKey.
#[derive(Debug, Default)]
pub struct Model {
    directory: Directory,
    /// The time of the next event.
    pub now: u64,
}

fn some(of: &[&'static str], random: &mut Random) -> Fields {
    let mut fields = Fields::new();
    for field in of {
        let values = match *field {
            "status" => STATUSES,
            "partner_id" => PARTNERS,
            _ => TEXTS,
        };
        fields.insert(field, random.pick(values).to_owned());
    }
    fields
}

/// Creates, changes or deletes an entry, and what the event of that says.
fn evolve<K: Ord + Clone>(
    entries: &mut BTreeMap<K, Fields>,
    key: &K,
    fields: &[&'static str],
    random: &mut Random,
) -> Said {
    let Some(known) = entries.get_mut(key) else {
        let all = some(fields, random);
        entries.insert(key.clone(), all.clone());
        return Said::Created(all);
    };
    if random.chance(30) {
        entries.remove(key);
        return Said::Deleted;
    }
    let field = random.pick(fields);
    known.extend(some(&[field], random));
    // An event may tell everything, or no more than what has changed.
    if random.chance(50) {
        return Said::Updated(known.clone());
    }
    let told = known.get(field).expect("just set").clone();
    Said::Updated(Fields::from([(field, told)]))
}

impl Model {
    pub const fn directory(&self) -> &Directory {
        &self.directory
    }

    /// One change, with its events.
    pub fn change(&mut self, random: &mut Random) -> Vec<Event> {
        let directory = &mut self.directory;
        let tenant = random.pick(TENANTS);
        let (user, group) = (random.pick(USERS), random.pick(GROUPS));
        let of = |id: &str| (tenant.to_owned(), id.to_owned());
        let (subject, said) = match random.below(20) {
            0..8 => {
                let key = of(user);
                let fields = ["email", "display_name", "status"];
                let said = evolve(&mut directory.users, &key, &fields, random);
                if matches!(said, Said::Deleted) {
                    directory
                        .members
                        .retain(|m| (&m.0, &m.2) != (&key.0, &key.1));
                }
                (Subject::User(tenant, user), said)
            }
            8..12 => {
                let key = of(group);
                let fields = ["name", "group_type"];
                let said = evolve(&mut directory.groups, &key, &fields, random);
                if matches!(said, Said::Deleted) {
                    directory
                        .members
                        .retain(|m| (&m.0, &m.1) != (&key.0, &key.1));
                }
                (Subject::Group(tenant, group), said)
            }
            12..18 => {
                if !directory.users.contains_key(&of(user))
                    || !directory.groups.contains_key(&of(group))
                {
                    return Vec::new();
                }
                let key = (tenant.to_owned(), group.to_owned(), user.to_owned());
                let said = if directory.members.remove(&key) {
                    Said::Deleted
                } else {
                    directory.members.insert(key);
                    Said::Created(Fields::new())
                };
                (Subject::Member(tenant, group, user), said)
            }
            18 => {
                let fields = ["name", "slug", "partner_id", "status"];
                let said = evolve(&mut directory.tenants, &tenant.to_owned(), &fields, random);
                (Subject::Tenant(tenant), said)
            }
            _ => {
                let partner = random.pick(PARTNERS);
                let fields = ["name", "status"];
                let key = partner.to_owned();
                let said = evolve(&mut directory.partners, &key, &fields, random);
                (Subject::Partner(partner), said)
            }
        };
        let at = self.now;
        self.now += 1 + u64::try_from(random.below(3)).expect("small");
        vec![Event { at, subject, said }]
    }
}
