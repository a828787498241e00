//! Who is super admin because of a group (`product.md` section 6), and what is said when nobody is.

use std::collections::BTreeSet;

use scaigate_types::GroupId;
use thiserror::Error;

/// Most groups named.
const MAX_ENTRIES: usize = 64;
/// Longest id or name, in bytes.
const MAX_ENTRY: usize = 256;
/// What ScaiKey's ids of groups begin with (`contract/scaikey.md` section 6).
const ID_PREFIX: &str = "grp_";

/// The documented warning of a sync after which there is no super admin.
pub const NO_SUPER_ADMIN: &str = "\
ScaiKey sync OK but no super_admin elected. Two ways to bootstrap:
  (manual)  scaigate admin grant <email> --role super_admin
  (group)   set SCAIFLOW_SUPER_ADMIN_GROUPS to a comma-separated list of group ids/names";

/// Why a list of groups is not usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SuperAdminGroupsError {
    /// More than 64 groups.
    #[error("more than 64 groups")]
    TooMany,
    /// An entry of more than 256 bytes.
    #[error("a group id or name longer than 256 bytes")]
    TooLong,
    /// An entry with a control character.
    #[error("a group id or name with a control character")]
    Character,
}

/// What in the list named a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// Its id, of which there is one in all of ScaiKey.
    Id,
    /// Its name, which a group of any tenant can have.
    Name,
}

/// The groups whose members are super admins: `scaiflow_super_admin_groups`, a comma-separated list
/// of ids and names. An unset variable is the empty list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuperAdminGroups(BTreeSet<String>);

impl SuperAdminGroups {
    /// Reads the setting. Entries are trimmed; empty ones count for nothing.
    ///
    /// # Errors
    /// [`SuperAdminGroupsError`] names the first rule it breaks.
    pub fn parse(setting: &str) -> Result<Self, SuperAdminGroupsError> {
        let mut entries = BTreeSet::new();
        for entry in setting.split(',').map(str::trim) {
            if entry.is_empty() {
                continue;
            }
            if entry.len() > MAX_ENTRY {
                return Err(SuperAdminGroupsError::TooLong);
            }
            if entry.chars().any(char::is_control) {
                return Err(SuperAdminGroupsError::Character);
            }
            entries.insert(entry.to_owned());
            if entries.len() > MAX_ENTRIES {
                return Err(SuperAdminGroupsError::TooMany);
            }
        }
        Ok(Self(entries))
    }

    /// Whether no group is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries to hold against ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The entries to hold against names. Not those that have the form of an id: whoever may name a
    /// group in some tenant could name it as the id of ours.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.ids().filter(|entry| !entry.starts_with(ID_PREFIX))
    }

    /// Whether the list names a group, byte for byte, and by what.
    #[must_use]
    pub fn names_group(&self, id: &GroupId, name: Option<&str>) -> Option<NamedBy> {
        if self.0.contains(id.as_str()) {
            return Some(NamedBy::Id);
        }
        name.filter(|name| !name.starts_with(ID_PREFIX) && self.0.contains(*name))
            .map(|_| NamedBy::Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(setting: &str) -> SuperAdminGroups {
        SuperAdminGroups::parse(setting).unwrap()
    }

    fn id(text: &str) -> GroupId {
        GroupId::parse(text).unwrap()
    }

    #[test]
    fn ids_and_names_are_listed_with_commas() {
        let named = groups(" grp_1 ,platform admins,, Zürich ,grp_1,");
        assert_eq!(
            named.ids().collect::<Vec<_>>(),
            ["Zürich", "grp_1", "platform admins"]
        );
        assert_eq!(
            named.names().collect::<Vec<_>>(),
            ["Zürich", "platform admins"]
        );
        for empty in ["", " ", ",", " , ,"] {
            assert!(groups(empty).is_empty(), "{empty:?}");
        }
    }

    #[test]
    fn a_group_is_named_by_its_id_or_its_name_to_the_byte() {
        let named = groups("grp_1,platform admins");
        for (group, name, expected) in [
            ("grp_1", None, Some(NamedBy::Id)),
            ("grp_1", Some("platform admins"), Some(NamedBy::Id)),
            ("grp_2", Some("platform admins"), Some(NamedBy::Name)),
            ("grp_2", None, None),
            ("grp_2", Some(""), None),
            ("grp_2", Some("Platform admins"), None),
            ("grp_2", Some("platform admins "), None),
            ("grp_2", Some("platform"), None),
            ("grp_10", None, None),
            ("GRP_1", None, None),
            ("grp_", None, None),
        ] {
            assert_eq!(
                named.names_group(&id(group), name),
                expected,
                "{group} {name:?}"
            );
        }
        assert_eq!(groups("").names_group(&id("grp_1"), Some("")), None);
    }

    #[test]
    fn a_group_called_like_the_id_of_a_named_one_is_not_named() {
        let named = groups("grp_1");
        assert_eq!(named.names_group(&id("grp_evil"), Some("grp_1")), None);
        assert_eq!(named.names().count(), 0);
    }

    #[test]
    fn a_list_is_bounded_and_printable() {
        let many = |count: usize| {
            (0..count)
                .map(|n| format!("g{n}"))
                .collect::<Vec<_>>()
                .join(",")
        };
        assert_eq!(groups(&many(64)).ids().count(), 64);
        for (setting, error) in [
            (many(65), SuperAdminGroupsError::TooMany),
            ("x".repeat(257), SuperAdminGroupsError::TooLong),
            ("a\u{0}b".to_owned(), SuperAdminGroupsError::Character),
            ("a\nb".to_owned(), SuperAdminGroupsError::Character),
        ] {
            assert_eq!(SuperAdminGroups::parse(&setting), Err(error));
        }
        assert!(SuperAdminGroups::parse(&"x".repeat(256)).is_ok());
    }

    #[test]
    fn the_warning_has_the_documented_lines() {
        let lines: Vec<&str> = NO_SUPER_ADMIN.lines().collect();
        assert_eq!(
            lines,
            [
                "ScaiKey sync OK but no super_admin elected. Two ways to bootstrap:",
                "  (manual)  scaigate admin grant <email> --role super_admin",
                "  (group)   set SCAIFLOW_SUPER_ADMIN_GROUPS to a comma-separated list of group ids/names",
            ]
        );
    }
}
