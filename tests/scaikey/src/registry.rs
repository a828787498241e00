//! The directory together with what makes a large one quick to read. What was worked out holds until the next change.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, MutexGuard};

use crate::directory::{Directory, Group, Tenant, User};
use crate::switches::UserShape;

/// Positions by id.
#[derive(Default)]
struct Places {
    users: HashMap<String, usize>,
    groups: HashMap<String, usize>,
    tenants: HashMap<String, usize>,
}

fn positions<'a>(ids: impl Iterator<Item = &'a String>) -> HashMap<String, usize> {
    let mut places = HashMap::new();
    for (position, id) in ids.enumerate() {
        // The first of an id counts, as everywhere in `Directory`.
        places.entry(id.clone()).or_insert(position);
    }
    places
}

/// Which rows a list consists of: everything but the page asked for. The key of lists already worked out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Selection {
    /// What is listed.
    pub(crate) what: &'static str,
    /// What narrows it, each in its place.
    pub(crate) by: Vec<Option<String>>,
}

/// Positions of rows.
pub(crate) type Listed = Arc<[usize]>;

/// Lists remembered at once; a test that asks for more forgets them all.
const LISTS: usize = 256;

/// One text per person, made when first asked for.
type RowTexts = OnceCell<Vec<OnceCell<Box<str>>>>;

/// What is worked out from the directory as it stands.
#[derive(Default)]
struct Derived {
    lists: RefCell<HashMap<Selection, Listed>>,
    members: OnceCell<Vec<OnceCell<Listed>>>,
    rows: [RowTexts; 3],
}

/// The directory, positions by id, and what is derived.
pub(crate) struct Registry {
    directory: Directory,
    places: RefCell<Places>,
    /// The directory changed since `places` were made. They still serve where what they point to is what was wanted.
    moved: Cell<bool>,
    derived: Derived,
}

impl Registry {
    pub(crate) fn new(directory: Directory) -> Self {
        Self {
            directory,
            places: RefCell::default(),
            moved: Cell::new(true),
            derived: Derived::default(),
        }
    }

    fn place(
        &self,
        id: &str,
        map: impl Fn(&Places) -> &HashMap<String, usize>,
        is: impl Fn(&Directory, usize) -> bool,
    ) -> Option<usize> {
        let known = map(&self.places.borrow()).get(id).copied();
        if let Some(position) = known
            && is(&self.directory, position)
        {
            return known;
        }
        if !self.moved.replace(false) {
            return None;
        }
        let Directory {
            users,
            groups,
            tenants,
            ..
        } = &self.directory;
        *self.places.borrow_mut() = Places {
            users: positions(users.iter().map(|u| &u.id)),
            groups: positions(groups.iter().map(|g| &g.id)),
            tenants: positions(tenants.iter().map(|t| &t.id)),
        };
        map(&self.places.borrow()).get(id).copied()
    }
}

/// The directory, locked: to read, and to change. Lookups by id take the same time in a directory of any size.
/// Do not keep it across an `.await`.
pub struct DirectoryGuard<'a>(MutexGuard<'a, Registry>);

impl Deref for DirectoryGuard<'_> {
    type Target = Directory;

    fn deref(&self) -> &Directory {
        &self.0.directory
    }
}

impl DerefMut for DirectoryGuard<'_> {
    fn deref_mut(&mut self) -> &mut Directory {
        self.0.moved.set(true);
        self.0.derived = Derived::default();
        &mut self.0.directory
    }
}

impl<'a> DirectoryGuard<'a> {
    pub(crate) fn new(registry: MutexGuard<'a, Registry>) -> Self {
        Self(registry)
    }

    fn user_place(&self, id: &str) -> Option<usize> {
        let is = |d: &Directory, n: usize| d.users.get(n).is_some_and(|u| u.id == id);
        self.0.place(id, |places| &places.users, is)
    }

    pub(crate) fn group_place(&self, id: &str) -> Option<usize> {
        let is = |d: &Directory, n: usize| d.groups.get(n).is_some_and(|g| g.id == id);
        self.0.place(id, |places| &places.groups, is)
    }

    /// A person by id.
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.get(self.user_place(id)?)
    }

    /// A person by id, to change.
    pub fn user_mut(&mut self, id: &str) -> Option<&mut User> {
        let place = self.user_place(id)?;
        self.users.get_mut(place)
    }

    /// A group by id.
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.get(self.group_place(id)?)
    }

    /// A group by id, to change.
    pub fn group_mut(&mut self, id: &str) -> Option<&mut Group> {
        let place = self.group_place(id)?;
        self.groups.get_mut(place)
    }

    /// A tenant by id.
    pub fn tenant(&self, id: &str) -> Option<&Tenant> {
        let is = |d: &Directory, n: usize| d.tenants.get(n).is_some_and(|t| t.id == id);
        let place = self.0.place(id, |places| &places.tenants, is)?;
        self.tenants.get(place)
    }

    /// The rows of a list; `choose` works them out when the directory changed since the last time.
    pub(crate) fn list(&self, selection: Selection, choose: impl FnOnce() -> Vec<usize>) -> Listed {
        let known = self.0.derived.lists.borrow().get(&selection).cloned();
        if let Some(known) = known {
            return known;
        }
        // `choose` may ask for another list.
        let chosen: Listed = choose().into();
        let mut lists = self.0.derived.lists.borrow_mut();
        if lists.len() >= LISTS {
            lists.clear();
        }
        lists.insert(selection, chosen.clone());
        chosen
    }

    /// The direct members of the group at a position, without deleted people and ids of nobody.
    pub(crate) fn members(&self, group: usize) -> Listed {
        let of = |group: usize| -> Listed {
            let ids = self.groups.get(group).map(|g| g.members.as_slice());
            let places = ids
                .unwrap_or_default()
                .iter()
                .filter_map(|id| self.user_place(id));
            let here = |n: &usize| self.users.get(*n).is_some_and(|u| u.status != "DELETED");
            places.filter(here).collect()
        };
        let all = self
            .0
            .derived
            .members
            .get_or_init(|| vec![OnceCell::new(); self.groups.len()]);
        match all.get(group) {
            Some(cell) => cell.get_or_init(|| of(group)).clone(),
            None => of(group),
        }
    }

    /// The text of a person's row; `make` writes it when it is not known.
    pub(crate) fn row_text(
        &self,
        shape: UserShape,
        position: usize,
        make: impl FnOnce(&User) -> String,
    ) -> &str {
        let texts = self.0.derived.rows[shape as usize]
            .get_or_init(|| vec![OnceCell::new(); self.users.len()]);
        match (texts.get(position), self.users.get(position)) {
            (Some(text), Some(user)) => text.get_or_init(|| make(user).into()),
            _ => "null",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::{DirectoryGuard, Registry, Selection};
    use crate::seed;

    fn with_guard(check: impl FnOnce(&mut DirectoryGuard<'_>)) {
        let registry = Mutex::new(Registry::new(seed::directory(&[], &[])));
        check(&mut DirectoryGuard::new(
            registry.lock().unwrap_or_else(PoisonError::into_inner),
        ));
    }

    #[test]
    fn finds_by_id_whatever_was_changed() {
        with_guard(|directory| {
            assert_eq!(directory.user("usr_bob_acme").unwrap().first_name, "Bob");
            directory.users.remove(0);
            assert!(directory.user("usr_alice_acme").is_none());
            assert_eq!(directory.user("usr_bob_acme").unwrap().first_name, "Bob");
            directory.users[0].id = "usr_renamed".to_owned();
            assert!(directory.user("usr_bob_acme").is_none());
            assert_eq!(directory.user("usr_renamed").unwrap().first_name, "Bob");
            directory.user_mut("usr_renamed").unwrap().id = "usr_again".to_owned();
            assert!(directory.user("usr_renamed").is_none());
            assert!(directory.user_mut("usr_again").is_some());
            directory.groups.reverse();
            assert_eq!(directory.group("grp_acme_staff").unwrap().members.len(), 12);
            directory.tenants.remove(0);
            assert!(directory.tenant(seed::ACME).is_none());
            assert_eq!(directory.tenant(seed::UMBRA).unwrap().slug, "umbra");
        });
    }

    #[test]
    fn a_change_ends_what_was_worked_out() {
        let selection = |what| Selection {
            what,
            by: Vec::new(),
        };
        with_guard(|directory| {
            let group = directory.group_place("grp_umbra_admins").unwrap();
            assert_eq!(directory.members(group).len(), 1);
            assert_eq!(directory.list(selection("a"), || vec![1]).as_ref(), [1]);
            assert_eq!(directory.list(selection("a"), || vec![2]).as_ref(), [1]);
            assert_eq!(directory.list(selection("b"), || vec![2]).as_ref(), [2]);
            directory.add_member("grp_umbra_admins", "usr_amir_umbra");
            directory.add_member("grp_umbra_admins", "usr_nobody");
            assert_eq!(directory.members(group).len(), 2);
            assert_eq!(directory.list(selection("a"), || vec![2]).as_ref(), [2]);
            directory.set_user_status("usr_amir_umbra", "DELETED");
            assert_eq!(directory.members(group).len(), 1);
        });
    }
}
