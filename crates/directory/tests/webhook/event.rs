//! Every documented event, in every documented envelope.

use scaigate_directory::webhook::{EVENT_TYPES, Event, EventError, Field, Status, UserChange};
use scaigate_types::{GroupId, PartnerId, Subject, TenantId};
use serde_json::{Value, json};

use crate::envelope;

/// The three documented envelopes. Only ScaiKey's names things around the event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    ScaiKey,
    Short,
    ScaiFlow,
}

pub const FORMS: [Form; 3] = [Form::ScaiKey, Form::Short, Form::ScaiFlow];

/// An event of `tnt_acme` and `prt_one`, about `resource`.
pub fn event_in(
    form: Form,
    event_type: &str,
    resource: (&str, &str),
    data: &Value,
) -> Result<Event, EventError> {
    let at = "2026-04-29T10:00:00Z";
    let body = match form {
        Form::ScaiKey => json!({
            "event_id": "evt_1", "event_type": event_type, "timestamp": at,
            "resource": {"type": resource.0, "id": resource.1},
            "actor": {"id": "usr_boss", "type": "admin"},
            "data": data, "tenant_id": "tnt_acme", "partner_id": "prt_one",
        }),
        Form::Short => json!({
            "event_id": "evt_1", "event_type": event_type, "timestamp": at, "data": data,
        }),
        Form::ScaiFlow => json!({
            "id": "evt_1", "type": event_type, "created_at": at, "data": data,
        }),
    };
    Event::of(&envelope(&body).unwrap())
}

pub fn ada() -> Subject {
    Subject::parse("usr_ada").unwrap()
}

pub fn acme() -> Option<TenantId> {
    TenantId::parse("tnt_acme").ok()
}

pub fn admins() -> GroupId {
    GroupId::parse("grp_admins").unwrap()
}

pub fn partner(id: &str) -> PartnerId {
    PartnerId::parse(id).unwrap()
}

/// What is known of the user after a row with just an id and a tenant.
pub fn bare_user() -> UserChange {
    UserChange {
        user_id: ada(),
        tenant_id: acme(),
        email: Field::Absent,
        display_name: Field::Absent,
        status: None,
    }
}

pub fn text(text: &str) -> Field<String> {
    Field::Value(text.to_owned())
}

/// The sample of ScaiDNS.
fn nested_tenant() -> Value {
    json!({
        "id": "usr_ada", "email": "ada@acme.example", "first_name": "Ada", "last_name": "Lovelace",
        "status": "ACTIVE", "tenant": {"id": "tnt_acme", "name": "Acme", "slug": "acme"},
    })
}

/// The sample of ScaiFlow.
fn flat() -> Value {
    json!({"user_id": "usr_ada", "tenant_id": "tnt_acme", "email": "ada@acme.example"})
}

/// Every event with data that says all it can, and what comes of it.
fn every_event() -> Vec<(&'static str, (&'static str, &'static str), Value, Event)> {
    let user = ("user", "usr_ada");
    let group = ("group", "grp_admins");
    let tenant = ("tenant", "tnt_acme");
    let of_partner = ("partner", "prt_one");
    let application = ("application", "app_1");
    let whole_user = UserChange {
        email: text("ada@acme.example"),
        display_name: text("Ada Lovelace"),
        status: Some(Status::Active),
        ..bare_user()
    };
    let flat_user = UserChange {
        email: text("ada@acme.example"),
        ..bare_user()
    };
    let user_status = |status| Event::UserStatus {
        user_id: ada(),
        tenant_id: acme(),
        status,
    };
    let group_row = json!({
        "id": "grp_admins", "tenant_id": "tnt_acme", "name": "admins", "group_type": "SECURITY",
    });
    let group_changed = |is_created| Event::GroupChanged {
        group_id: admins(),
        tenant_id: acme(),
        name: Some("admins".to_owned()),
        group_type: Some("SECURITY".to_owned()),
        is_created,
    };
    let member = json!({"group_id": "grp_admins", "user_id": "usr_ada", "tenant_id": "tnt_acme"});
    let membership = |present| Event::Membership {
        group_id: admins(),
        user_id: ada(),
        tenant_id: acme(),
        present,
    };
    let tenant_row = json!({
        "id": "tnt_acme", "name": "Acme", "slug": "acme", "partner_id": "prt_one",
        "status": "suspended",
    });
    let tenant_changed = |is_created| Event::TenantChanged {
        tenant_id: acme().unwrap(),
        name: Some("Acme".to_owned()),
        slug: Some("acme".to_owned()),
        partner_id: Some(partner("prt_one")),
        status: Some(Status::Suspended),
        is_created,
    };
    let partner_row = json!({"id": "prt_one", "name": "One", "status": "SUSPENDED"});
    let partner_changed = |is_created| Event::PartnerChanged {
        partner_id: partner("prt_one"),
        status: Some(Status::Suspended),
        name: Some("One".to_owned()),
        is_created,
    };
    let in_acme = json!({"tenant_id": "tnt_acme", "application_id": "app_1"});
    let refresh = || Event::RefreshUsers {
        tenant_id: acme(),
        user: None,
    };
    let user_changed = |user: &UserChange, is_created| Event::UserChanged {
        user: user.clone(),
        is_created,
    };
    vec![
        (
            "user.created",
            user,
            nested_tenant(),
            user_changed(&whole_user, true),
        ),
        ("user.created", user, flat(), user_changed(&flat_user, true)),
        (
            "user.updated",
            user,
            nested_tenant(),
            user_changed(&whole_user, false),
        ),
        (
            "user.updated",
            user,
            flat(),
            user_changed(&flat_user, false),
        ),
        ("user.deleted", user, flat(), user_status(Status::Deleted)),
        (
            "user.deleted",
            user,
            nested_tenant(),
            user_status(Status::Deleted),
        ),
        (
            "user.suspended",
            user,
            nested_tenant(),
            user_status(Status::Suspended),
        ),
        ("user.activated", user, flat(), user_status(Status::Active)),
        ("user.password_changed", user, flat(), Event::Informational),
        ("user.mfa_enabled", user, flat(), Event::Informational),
        ("user.mfa_disabled", user, json!({}), Event::Informational),
        (
            "group.created",
            group,
            group_row.clone(),
            group_changed(true),
        ),
        (
            "group.updated",
            group,
            group_row.clone(),
            group_changed(false),
        ),
        (
            "group.deleted",
            group,
            group_row,
            Event::GroupDeleted {
                group_id: admins(),
                tenant_id: acme(),
            },
        ),
        (
            "group.member_added",
            group,
            member.clone(),
            membership(true),
        ),
        (
            "group.member_removed",
            group,
            member.clone(),
            membership(false),
        ),
        (
            "group_membership.added",
            ("group_membership", "gm_1"),
            member.clone(),
            membership(true),
        ),
        (
            "group_membership.removed",
            ("group_membership", "gm_1"),
            member,
            membership(false),
        ),
        (
            "tenant.created",
            tenant,
            tenant_row.clone(),
            tenant_changed(true),
        ),
        (
            "tenant.updated",
            tenant,
            tenant_row.clone(),
            tenant_changed(false),
        ),
        (
            "tenant.deleted",
            tenant,
            tenant_row,
            Event::TenantDeleted {
                tenant_id: acme().unwrap(),
            },
        ),
        (
            "partner.created",
            of_partner,
            partner_row.clone(),
            partner_changed(true),
        ),
        (
            "partner.updated",
            of_partner,
            partner_row.clone(),
            partner_changed(false),
        ),
        (
            "partner.deleted",
            of_partner,
            partner_row,
            Event::PartnerDeleted {
                partner_id: partner("prt_one"),
            },
        ),
        (
            "application.user_assigned",
            application,
            in_acme.clone(),
            refresh(),
        ),
        (
            "application.user_assigned",
            application,
            flat(),
            Event::RefreshUsers {
                tenant_id: acme(),
                user: Some(flat_user),
            },
        ),
        (
            "application.user_assigned",
            application,
            nested_tenant(),
            Event::RefreshUsers {
                tenant_id: acme(),
                user: Some(whole_user),
            },
        ),
        (
            "application.user_unassigned",
            application,
            flat(),
            refresh(),
        ),
        (
            "application.group_assigned",
            application,
            in_acme.clone(),
            refresh(),
        ),
        (
            "application.group_unassigned",
            application,
            in_acme,
            refresh(),
        ),
    ]
}

#[test]
fn every_documented_event_is_read_in_every_envelope() {
    let table = every_event();
    for (event_type, resource, data, expected) in &table {
        for form in FORMS {
            let event = event_in(form, event_type, *resource, data).unwrap();
            assert_eq!(&event, expected, "{event_type} {form:?} {data}");
            assert!(event.is_handled());
        }
    }
    for event_type in EVENT_TYPES {
        assert!(table.iter().any(|row| row.0 == event_type), "{event_type}");
    }
}

#[test]
fn what_is_not_known_is_not_handled() {
    for event_type in [
        "session.revoked",
        "registration.approved",
        "user",
        "user.",
        "user.created.v2",
        "USER.CREATED",
        "group.member",
        "tenant.suspended",
        "partner.suspended",
    ] {
        for form in FORMS {
            let event = event_in(form, event_type, ("x", "y"), &json!({"id": 5})).unwrap();
            assert_eq!(event, Event::Unknown, "{event_type}");
            assert!(!event.is_handled());
        }
    }
}

#[test]
fn debug_shows_no_personal_data() {
    for (event_type, resource, data, _) in every_event() {
        let event = event_in(Form::ScaiKey, event_type, resource, &data).unwrap();
        let shown = format!("{event:?}");
        assert!(
            !shown.contains("Lovelace") && !shown.contains("ada@"),
            "{shown}"
        );
    }
}

#[test]
fn a_user_is_shown_by_id_alone() {
    let data = json!({"id": "usr_ada", "email": "ada@acme.example", "display_name": "Ada"});
    let event = event_in(Form::ScaiKey, "user.updated", ("user", "usr_ada"), &data).unwrap();
    let Event::UserChanged { user, .. } = &event else {
        unreachable!("{event:?}")
    };
    let shown = format!("{user:?}");
    assert!(shown.contains("usr_ada"), "{shown}");
    assert!(
        !shown.contains("acme.example") && !shown.contains("\"Ada"),
        "{shown}"
    );
}
