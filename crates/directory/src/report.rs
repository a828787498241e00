//! What a sync answers (`contract/scaiflow.md` 2.2).

use serde::Serialize;

/// The seventeen documented statistics.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Statistics {
    /// Why nothing was done; `null` when something was.
    pub skipped_reason: Option<&'static str>,
    /// `effective_users` or `member_walk`.
    pub users_method: Option<&'static str>,
    /// Users that ScaiKey lists.
    pub users_seen: u64,
    /// New ones.
    pub users_added: u64,
    /// Ones that are back.
    pub users_undeleted: u64,
    /// Ones that are gone.
    pub users_soft_deleted: u64,
    /// Groups that ScaiKey lists.
    pub groups_seen: u64,
    /// New ones.
    pub groups_added: u64,
    /// Ones that are back.
    pub groups_undeleted: u64,
    /// Ones that are gone.
    pub groups_soft_deleted: u64,
    /// Memberships that ScaiKey lists.
    pub memberships_seen: u64,
    /// New ones, and ones that are back.
    pub memberships_added: u64,
    /// Ones that are gone.
    pub memberships_soft_deleted: u64,
    /// Super admins who can act.
    pub super_admin_count: u64,
    /// Became one by a group.
    pub super_admins_group_promoted: u64,
    /// Are none any more because of the groups.
    pub super_admins_group_demoted: u64,
    /// From the beginning to the end.
    pub duration_seconds: f64,
}

/// Something that went as it should and that somebody should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Stable.
    pub code: &'static str,
    /// What is so.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The run; `null` when there was none.
    pub sync_id: Option<i64>,
    /// The statistics.
    #[serde(flatten)]
    pub statistics: Statistics,
    /// What somebody should know.
    pub warnings: Vec<Warning>,
}

impl Report {
    pub(super) fn skipped(reason: &'static str) -> Self {
        Self {
            statistics: Statistics {
                skipped_reason: Some(reason),
                ..Statistics::default()
            },
            ..Self::default()
        }
    }
}
