//! The admin API and the tenant-path directory reads (`contract/scaikey.md` section 3).

pub(crate) mod access;
pub(crate) mod applications;
pub(crate) mod assignments;
pub(crate) mod groups;
pub(crate) mod listing;
pub(crate) mod new_application;
pub(crate) mod registration_requests;
pub(crate) mod tenants;
pub(crate) mod users;
