//! Who is super admin because of a group (`product.md` section 6), and what is said when nobody is.

use std::collections::BTreeSet;

use thiserror::Error;

/// Most groups named.
const MAX_ENTRIES: usize = 64;
/// Longest id or name, in bytes.
const MAX_ENTRY: usize = 256;

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

    /// The entries.
    pub fn entries(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(setting: &str) -> SuperAdminGroups {
        SuperAdminGroups::parse(setting).unwrap()
    }

    #[test]
    fn ids_and_names_are_listed_with_commas() {
        let named = groups(" grp_1 ,platform admins,, Zürich ,grp_1,");
        assert_eq!(
            named.entries().collect::<Vec<_>>(),
            ["Zürich", "grp_1", "platform admins"]
        );
        for empty in ["", " ", ",", " , ,"] {
            assert!(groups(empty).is_empty(), "{empty:?}");
        }
    }

    #[test]
    fn a_list_is_bounded_and_printable() {
        let many = |count: usize| {
            (0..count)
                .map(|n| format!("g{n}"))
                .collect::<Vec<_>>()
                .join(",")
        };
        assert_eq!(groups(&many(64)).entries().count(), 64);
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
