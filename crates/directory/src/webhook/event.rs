//! What the mirror has to do because of an event (`contract/scaikey.md` 4.4, `contract/scaiflow.md`
//! 2.3).

use scaigate_types::{GroupId, PartnerId, Subject, TenantId};
use serde_json::Value;

use super::data::{GROUP, PARTNER, TENANT, USER, display, exact, other_id, own_id, row};
use super::envelope::Envelope;
use super::event_error::EventError;
use super::member::present;
use super::status::Status;
use super::user::UserChange;

/// Every event that is handled, under all the names that ScaiKey and its readers document.
pub const EVENT_TYPES: [&str; 25] = [
    "partner.created",
    "partner.updated",
    "partner.deleted",
    "tenant.created",
    "tenant.updated",
    "tenant.deleted",
    "user.created",
    "user.updated",
    "user.deleted",
    "user.suspended",
    "user.activated",
    "user.password_changed",
    "user.mfa_enabled",
    "user.mfa_disabled",
    "group.created",
    "group.updated",
    "group.deleted",
    "group.member_added",
    "group.member_removed",
    "group_membership.added",
    "group_membership.removed",
    "application.user_assigned",
    "application.user_unassigned",
    "application.group_assigned",
    "application.group_unassigned",
];

/// An effect on the mirror. In a changed row, `None` is what the event doesn't say: unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A user is there, new or changed.
    UserChanged {
        /// The row, or part of it.
        user: UserChange,
        /// Whether it was created: a change does not bring back who was deleted.
        is_created: bool,
    },
    /// A user's status has changed. `Deleted` is also what ScaiKey sends when somebody is no longer
    /// assigned to the application.
    UserStatus {
        /// The user.
        user_id: Subject,
        /// The tenant that the event names.
        tenant_id: Option<TenantId>,
        /// The status now.
        status: Status,
    },
    /// A group is there, new or changed.
    GroupChanged {
        /// The group.
        group_id: GroupId,
        /// The tenant that the event names.
        tenant_id: Option<TenantId>,
        /// Its name to the byte: super admins can depend on it. At most 256 bytes.
        name: Option<String>,
        /// Such as `SECURITY`. At most 256 bytes.
        group_type: Option<String>,
        /// Whether it was created.
        is_created: bool,
    },
    /// A group is gone.
    GroupDeleted {
        /// The group.
        group_id: GroupId,
        /// The tenant that the event names.
        tenant_id: Option<TenantId>,
    },
    /// Somebody has joined or left a group.
    Membership {
        /// The group.
        group_id: GroupId,
        /// The user.
        user_id: Subject,
        /// The tenant that the event names.
        tenant_id: Option<TenantId>,
        /// Whether the user is in the group now.
        present: bool,
    },
    /// A tenant is there, new or changed. A suspension arrives here.
    TenantChanged {
        /// The tenant.
        tenant_id: TenantId,
        /// For display.
        name: Option<String>,
        /// The path segment of its endpoints.
        slug: Option<String>,
        /// The partner it belongs to now.
        partner_id: Option<PartnerId>,
        /// The status now.
        status: Option<Status>,
        /// Whether it was created.
        is_created: bool,
    },
    /// A tenant is gone.
    TenantDeleted {
        /// The tenant.
        tenant_id: TenantId,
    },
    /// A partner is there, new or changed. A suspension arrives here.
    PartnerChanged {
        /// The partner.
        partner_id: PartnerId,
        /// The status now.
        status: Option<Status>,
        /// For display.
        name: Option<String>,
        /// Whether it was created.
        is_created: bool,
    },
    /// A partner is gone.
    PartnerDeleted {
        /// The partner.
        partner_id: PartnerId,
    },
    /// Who may use the application has changed, directly or through a group: the effective users
    /// have to be read again. It says nothing about the rows of users or groups.
    RefreshUsers {
        /// Whose users; `None`: everybody's.
        tenant_id: Option<TenantId>,
        /// The user who was assigned, where the event carries the row.
        user: Option<UserChange>,
    },
    /// Known, and nothing that is mirrored.
    Informational,
    /// Not known: acknowledged, so that it is not sent again, and not handled.
    Unknown,
}

impl Event {
    /// Reads what an event asks for.
    ///
    /// # Errors
    /// [`EventError`] when a known event lacks an id, or holds one that contradicts another.
    pub fn of(envelope: &Envelope) -> Result<Self, EventError> {
        let tenant_id = || envelope.tenant_id().cloned();
        let user_status = |status| {
            Ok(Self::UserStatus {
                user_id: own_id(envelope, USER, None, Subject::parse)?,
                tenant_id: tenant_id(),
                status,
            })
        };
        match envelope.event_type() {
            "user.created" | "user.updated" => Ok(Self::UserChanged {
                user: UserChange::of(envelope)?,
                is_created: is_created(envelope),
            }),
            "user.suspended" => user_status(Status::Suspended),
            "user.activated" => user_status(Status::Active),
            "user.deleted" => user_status(Status::Deleted),
            "user.password_changed" | "user.mfa_enabled" | "user.mfa_disabled" => {
                Ok(Self::Informational)
            }
            "group.created" | "group.updated" => group_changed(envelope),
            "group.deleted" => Ok(Self::GroupDeleted {
                group_id: own_id(envelope, GROUP, None, GroupId::parse)?,
                tenant_id: tenant_id(),
            }),
            "group.member_added" | "group_membership.added" => membership(envelope, true),
            "group.member_removed" | "group_membership.removed" => membership(envelope, false),
            "tenant.created" | "tenant.updated" => tenant_changed(envelope),
            "tenant.deleted" => Ok(Self::TenantDeleted {
                tenant_id: own_tenant(envelope)?,
            }),
            "partner.created" | "partner.updated" => partner_changed(envelope),
            "partner.deleted" => Ok(Self::PartnerDeleted {
                partner_id: own_partner(envelope)?,
            }),
            "application.user_assigned" => Ok(Self::RefreshUsers {
                tenant_id: tenant_id(),
                user: assigned_user(envelope),
            }),
            "application.user_unassigned"
            | "application.group_assigned"
            | "application.group_unassigned" => Ok(Self::RefreshUsers {
                tenant_id: tenant_id(),
                user: None,
            }),
            _ => Ok(Self::Unknown),
        }
    }

    /// What the documented answer says: `{"handled": …}`.
    #[must_use]
    pub const fn is_handled(&self) -> bool {
        !matches!(self, Self::Unknown)
    }
}

fn group_changed(envelope: &Envelope) -> Result<Event, EventError> {
    let row = row(envelope, GROUP);
    let text = |name: &'static str| {
        present(row, name)
            .map(|value| exact(value).ok_or(EventError::Malformed(name)))
            .transpose()
    };
    Ok(Event::GroupChanged {
        group_id: own_id(envelope, GROUP, None, GroupId::parse)?,
        tenant_id: envelope.tenant_id().cloned(),
        name: text("name")?.map(str::to_owned),
        group_type: text("group_type")?.map(str::to_owned),
        is_created: is_created(envelope),
    })
}

fn membership(envelope: &Envelope, present: bool) -> Result<Event, EventError> {
    Ok(Event::Membership {
        group_id: other_id(envelope, GROUP, GroupId::parse)?,
        user_id: other_id(envelope, USER, Subject::parse)?,
        tenant_id: envelope.tenant_id().cloned(),
        present,
    })
}

fn own_tenant(envelope: &Envelope) -> Result<TenantId, EventError> {
    let around = envelope.tenant_id().map(TenantId::as_str);
    own_id(envelope, TENANT, around, TenantId::parse)
}

fn own_partner(envelope: &Envelope) -> Result<PartnerId, EventError> {
    let around = envelope.partner_id().map(PartnerId::as_str);
    own_id(envelope, PARTNER, around, PartnerId::parse)
}

fn tenant_changed(envelope: &Envelope) -> Result<Event, EventError> {
    let row = row(envelope, TENANT);
    // What the row says counts: around the event may be the partner that the tenant left.
    let named = match other_id(envelope, PARTNER, PartnerId::parse) {
        Err(EventError::Incomplete(_)) => None,
        named => Some(named?),
    };
    Ok(Event::TenantChanged {
        tenant_id: own_tenant(envelope)?,
        name: present(row, "name").and_then(display),
        slug: present(row, "slug").and_then(display),
        partner_id: named.or_else(|| envelope.partner_id().cloned()),
        status: Status::of(row)?,
        is_created: is_created(envelope),
    })
}

fn partner_changed(envelope: &Envelope) -> Result<Event, EventError> {
    let row = row(envelope, PARTNER);
    Ok(Event::PartnerChanged {
        partner_id: own_partner(envelope)?,
        status: Status::of(row)?,
        name: present(row, "name").and_then(display),
        is_created: is_created(envelope),
    })
}

fn is_created(envelope: &Envelope) -> bool {
    envelope.event_type().ends_with(".created")
}

/// The row of the user who was assigned. A bare `data.id` may be the application's or that of the
/// assignment, so it counts only with ScaiKey's prefix of users. Whatever is wrong with the row,
/// reading the effective users puts it right.
fn assigned_user(envelope: &Envelope) -> Option<UserChange> {
    let row = row(envelope, USER);
    let text = |name| present(row, name).and_then(Value::as_str);
    let is_nested = !std::ptr::eq(row, envelope.data());
    let is_user =
        is_nested || text(USER.id).is_some() || text("id").is_some_and(|id| id.starts_with("usr_"));
    (is_user && text("email").is_some())
        .then(|| UserChange::of(envelope).ok())
        .flatten()
}
