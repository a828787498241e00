//! Ids and rows, whole or in part, flat, nested or around the event.

use scaigate_directory::webhook::{Event, Field, Status, UserChange};
use serde_json::{Value, json};

use crate::event::{FORMS, Form, acme, ada, admins, bare_user, event_in, partner, text};

#[test]
fn the_resource_names_what_the_data_does_not() {
    let none = json!({});
    let read = |event_type, resource, data: &Value| {
        event_in(Form::ScaiKey, event_type, resource, data).unwrap()
    };
    assert_eq!(
        read("user.created", ("user", "usr_ada"), &none),
        Event::UserChanged {
            user: bare_user(),
            is_created: true,
        }
    );
    assert_eq!(
        read("group.deleted", ("group", "grp_admins"), &none),
        Event::GroupDeleted {
            group_id: admins(),
            tenant_id: acme()
        }
    );
    assert_eq!(
        read("tenant.deleted", ("tenant", "tnt_acme"), &none),
        Event::TenantDeleted {
            tenant_id: acme().unwrap()
        }
    );
    assert_eq!(
        read("partner.deleted", ("partner", "prt_one"), &none),
        Event::PartnerDeleted {
            partner_id: partner("prt_one")
        }
    );
    let membership = Event::Membership {
        group_id: admins(),
        user_id: ada(),
        tenant_id: acme(),
        present: true,
    };
    for (resource, data) in [
        (("group", "grp_admins"), json!({"user_id": "usr_ada"})),
        (
            ("Group", "grp_admins"),
            json!({"user": {"id": "usr_ada", "email": "ada@acme.example"}}),
        ),
        (("user", "usr_ada"), json!({"group_id": "grp_admins"})),
        (
            ("user", "usr_ada"),
            json!({"group": {"id": "grp_admins", "name": "admins"}}),
        ),
        (
            ("membership", "m_1"),
            json!({"group": {"group_id": "grp_admins"}, "user": {"user_id": "usr_ada"}}),
        ),
        // A bare id is the membership's.
        (
            ("membership", "m_1"),
            json!({"id": "m_1", "user_id": "usr_ada", "group_id": "grp_admins"}),
        ),
    ] {
        assert_eq!(
            read("group.member_added", resource, &data),
            membership,
            "{data}"
        );
    }
}

#[test]
fn a_row_may_be_nested() {
    let user = json!({"user": {
        "id": "usr_ada", "email": "ada@acme.example", "status": "SUSPENDED", "tenant_id": "tnt_acme",
    }});
    let group = json!({"group": {"id": "grp_admins", "name": "admins"}, "tenant_id": "tnt_acme"});
    for form in FORMS {
        let event = event_in(form, "user.updated", ("user", "usr_ada"), &user);
        let expected = UserChange {
            email: text("ada@acme.example"),
            status: Some(Status::Suspended),
            ..bare_user()
        };
        assert_eq!(
            event,
            Ok(Event::UserChanged {
                user: expected,
                is_created: false
            })
        );
        let event = event_in(form, "group.updated", ("group", "grp_admins"), &group);
        let expected = Event::GroupChanged {
            group_id: admins(),
            tenant_id: acme(),
            name: Some("admins".to_owned()),
            group_type: None,
            is_created: false,
        };
        assert_eq!(event, Ok(expected));
    }
}

#[test]
fn an_absent_field_is_unchanged_and_null_clears_it() {
    use Field::{Absent, Null};
    for (row, email, name) in [
        (json!({}), Absent, Absent),
        (json!({"email": null, "display_name": null}), Null, Null),
        (json!({"email": "", "display_name": "  "}), Null, Null),
        (
            json!({"display_name": "Ada L", "first_name": "X", "last_name": "Y"}),
            Absent,
            text("Ada L"),
        ),
        (json!({"name": "Ada L"}), Absent, text("Ada L")),
        (
            json!({"display_name": null, "first_name": "Ada", "last_name": "L"}),
            Absent,
            text("Ada L"),
        ),
        (
            json!({"first_name": "Ada", "last_name": null}),
            Absent,
            text("Ada"),
        ),
        (json!({"first_name": null, "last_name": null}), Absent, Null),
        // Half of a name is not the name.
        (json!({"first_name": "Ada"}), Absent, Absent),
        (
            json!({"last_name": "L", "display_name": null}),
            Absent,
            Null,
        ),
        (
            json!({"display_name": "A\u{202e}d\na\u{0}"}),
            Absent,
            text("Ada"),
        ),
        // What is unusable changes nothing.
        (json!({"email": 5, "display_name": ["x"]}), Absent, Absent),
        (
            json!({"email": "ada", "display_name": "x".repeat(257)}),
            Absent,
            Absent,
        ),
        (
            json!({"first_name": "x".repeat(200), "last_name": "y".repeat(100)}),
            Absent,
            Absent,
        ),
        (json!({"email": "a b@acme.example"}), Absent, Absent),
        (json!({"email": "a@b@acme.example"}), Absent, Absent),
        (json!({"email": "ada@acme.example\u{202e}"}), Absent, Absent),
        (
            json!({"email": format!("{}@acme.example", "a".repeat(308))}),
            Absent,
            Absent,
        ),
    ] {
        let mut data = row.clone();
        data["id"] = json!("usr_ada");
        let event = event_in(Form::ScaiKey, "user.updated", ("user", "usr_ada"), &data).unwrap();
        let user = UserChange {
            email,
            display_name: name,
            ..bare_user()
        };
        assert_eq!(
            event,
            Event::UserChanged {
                user,
                is_created: false
            },
            "{row}"
        );
    }
}

#[test]
fn a_suspension_arrives_in_any_case_with_the_row() {
    for (word, status) in [
        ("SUSPENDED", Status::Suspended),
        ("suspended", Status::Suspended),
        ("Active", Status::Active),
        ("deleted", Status::Deleted),
        ("Archived", Status::Other("ARCHIVED".to_owned())),
    ] {
        let data = json!({"status": word});
        let read = |event_type, resource| event_in(Form::ScaiKey, event_type, resource, &data);
        let expected = Some(status);
        assert!(matches!(
            read("tenant.updated", ("tenant", "tnt_acme")),
            Ok(Event::TenantChanged { status, .. }) if status == expected
        ));
        assert!(matches!(
            read("partner.updated", ("partner", "prt_one")),
            Ok(Event::PartnerChanged { status, .. }) if status == expected
        ));
        assert!(matches!(
            read("user.updated", ("user", "usr_ada")),
            Ok(Event::UserChanged { user, .. }) if user.status == expected
        ));
    }
}

#[test]
fn a_tenant_that_moves_is_of_the_partner_in_its_row() {
    for (data, expected) in [
        (json!({"partner_id": "prt_two"}), "prt_two"),
        (json!({"partner": {"id": "prt_two"}}), "prt_two"),
        (json!({}), "prt_one"),
    ] {
        let event = event_in(
            Form::ScaiKey,
            "tenant.updated",
            ("tenant", "tnt_acme"),
            &data,
        );
        assert!(
            matches!(&event, Ok(Event::TenantChanged { partner_id: Some(id), .. }) if id.as_str() == expected),
            "{event:?}"
        );
    }
}

#[test]
fn an_assignment_carries_a_user_only_when_it_is_one() {
    for (data, carries) in [
        (
            json!({"user": {"id": "usr_ada", "email": "ada@acme.example"}}),
            true,
        ),
        (
            json!({"id": "asg_1", "user": {"id": "usr_ada", "email": "ada@acme.example"}}),
            true,
        ),
        (json!({"id": "usr_ada", "email": "ada@acme.example"}), true),
        (
            json!({"user_id": "usr_ada", "email": "ada@acme.example"}),
            true,
        ),
        // No row, only a mention.
        (json!({"user_id": "usr_ada"}), false),
        (json!({"user": {"id": "usr_ada"}}), false),
        // Whose id, whose address?
        (json!({"id": "app_1", "email": "ada@acme.example"}), false),
        (
            json!({"id": "app_1", "user_id": "usr_ada", "email": "ada@acme.example"}),
            false,
        ),
        (json!({"user_id": 5, "email": "ada@acme.example"}), false),
        (json!({}), false),
    ] {
        let event = event_in(
            Form::ScaiKey,
            "application.user_assigned",
            ("application", "app_1"),
            &data,
        );
        let Ok(Event::RefreshUsers { tenant_id, user }) = event else {
            unreachable!("{event:?}");
        };
        assert_eq!(tenant_id, acme());
        assert_eq!(user.is_some(), carries, "{data}");
    }
}
