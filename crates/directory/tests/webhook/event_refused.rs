//! Known events that say too little, or two things at once.

use scaigate_directory::webhook::{EVENT_TYPES, Event, EventError};
use serde_json::{Value, json};

use crate::event::{FORMS, Form, acme, admins, event_in};

fn refusal(event_type: &str, resource: (&str, &str), data: &Value) -> Option<EventError> {
    event_in(Form::ScaiKey, event_type, resource, data).err()
}

#[test]
fn a_known_event_without_its_ids_is_incomplete() {
    for form in FORMS {
        for event_type in EVENT_TYPES {
            let event = event_in(form, event_type, ("other", "o_1"), &json!({}));
            let area = event_type.split(['.', '_']).next().unwrap();
            let missing = match area {
                "user" if !matches!(event, Ok(Event::Informational)) => "user_id",
                "group" => "group_id",
                // ScaiKey's envelope names these two around the event.
                "tenant" if form != Form::ScaiKey => "tenant_id",
                "partner" if form != Form::ScaiKey => "partner_id",
                _ => {
                    assert!(event.is_ok(), "{event_type} {form:?}");
                    continue;
                }
            };
            assert_eq!(
                event,
                Err(EventError::Incomplete(missing)),
                "{event_type} {form:?}"
            );
        }
    }
    let half = json!({"group_id": "grp_admins"});
    assert_eq!(
        refusal("group.member_added", ("group", "grp_admins"), &half),
        Some(EventError::Incomplete("user_id"))
    );
    // Of a membership, a bare id names nobody.
    let bare = json!({"id": "grp_admins", "user_id": "usr_ada"});
    assert_eq!(
        refusal("group_membership.added", ("membership", "m_1"), &bare),
        Some(EventError::Incomplete("group_id"))
    );
}

#[test]
fn n_099_two_places_that_name_different_ones_are_refused() {
    use EventError::Ambiguous;
    let user = ("user", "usr_ada");
    let group = ("group", "grp_admins");
    let cases = [
        ("user.deleted", user, json!({"id": "usr_eve"}), "user_id"),
        (
            "user.deleted",
            user,
            json!({"user_id": "usr_eve"}),
            "user_id",
        ),
        (
            "user.deleted",
            ("x", "y"),
            json!({"id": "usr_ada", "user_id": "usr_eve"}),
            "user_id",
        ),
        (
            "user.updated",
            ("x", "y"),
            json!({"user_id": "usr_ada", "user": {"id": "usr_eve"}}),
            "user_id",
        ),
        ("user.suspended", user, json!({"id": "USR_ADA"}), "user_id"),
        (
            "group.updated",
            group,
            json!({"id": "grp_evil"}),
            "group_id",
        ),
        (
            "group.deleted",
            group,
            json!({"group": {"id": "grp_evil"}}),
            "group_id",
        ),
        (
            "group.member_added",
            group,
            json!({"group_id": "grp_evil", "user_id": "usr_ada"}),
            "group_id",
        ),
        (
            "group.member_removed",
            user,
            json!({"group_id": "grp_admins", "user_id": "usr_eve"}),
            "user_id",
        ),
        (
            "tenant.updated",
            ("tenant", "tnt_acme"),
            json!({"id": "tnt_umbra"}),
            "tenant_id",
        ),
        (
            "tenant.deleted",
            ("x", "y"),
            json!({"id": "tnt_umbra"}),
            "tenant_id",
        ),
        (
            "partner.updated",
            ("partner", "prt_two"),
            json!({}),
            "partner_id",
        ),
        (
            "partner.deleted",
            ("x", "y"),
            json!({"id": "prt_two"}),
            "partner_id",
        ),
        (
            "tenant.updated",
            ("tenant", "tnt_acme"),
            json!({"partner_id": "prt_1", "partner": {"id": "prt_2"}}),
            "partner_id",
        ),
    ];
    for (event_type, resource, data, field) in cases {
        let error = refusal(event_type, resource, &data);
        let error = error.unwrap();
        assert_eq!(error, Ambiguous(field), "{event_type} {data}");
        assert_eq!(error.field(), field);
    }
}

#[test]
fn ids_and_statuses_are_bounded_and_of_their_type() {
    let any = ("x", "y");
    let long = "x".repeat(256);
    for (event_type, data, field) in [
        ("user.created", json!({"id": 5}), "user_id"),
        ("user.created", json!({"id": ""}), "user_id"),
        ("user.created", json!({"id": "usr ada"}), "user_id"),
        ("user.created", json!({"id": "usr_\u{0}"}), "user_id"),
        ("user.created", json!({"id": long}), "user_id"),
        ("user.created", json!({"id": {"id": "usr_ada"}}), "user_id"),
        (
            "user.updated",
            json!({"id": "usr_ada", "status": 1}),
            "status",
        ),
        (
            "user.updated",
            json!({"id": "usr_ada", "status": ""}),
            "status",
        ),
        (
            "user.updated",
            json!({"id": "usr_ada", "status": "not active"}),
            "status",
        ),
        (
            "tenant.updated",
            json!({"status": "x".repeat(33)}),
            "status",
        ),
        ("tenant.updated", json!({"partner_id": 5}), "partner_id"),
        ("partner.updated", json!({"status": []}), "status"),
        ("group.updated", json!({"id": long}), "group_id"),
        (
            "group.updated",
            json!({"id": "grp_admins", "name": "x".repeat(257)}),
            "name",
        ),
        (
            "group.updated",
            json!({"id": "grp_admins", "name": ""}),
            "name",
        ),
        (
            "group.updated",
            json!({"id": "grp_admins", "name": 5}),
            "name",
        ),
        (
            "group.updated",
            json!({"id": "grp_admins", "group_type": 5}),
            "group_type",
        ),
        (
            "group.member_added",
            json!({"group_id": 5, "user_id": "usr_ada"}),
            "group_id",
        ),
        (
            "group.member_added",
            json!({"group_id": "grp_admins", "user_id": []}),
            "user_id",
        ),
    ] {
        let error = refusal(event_type, any, &data);
        assert_eq!(
            error,
            Some(EventError::Malformed(field)),
            "{event_type} {data}"
        );
    }
}

#[test]
fn a_group_name_is_taken_to_the_byte_or_not_at_all() {
    // Cleaned, these would be the name that makes super admins.
    for name in [
        "platform\u{0}-admins",
        "platform-admins\u{202e}",
        "platform-\nadmins",
    ] {
        let data = json!({"id": "grp_admins", "name": name});
        assert_eq!(
            refusal("group.created", ("group", "grp_admins"), &data),
            Some(EventError::Malformed("name"))
        );
    }
    let data = json!({"id": "grp_admins", "name": " platform-admins ", "group_type": null});
    let expected = Event::GroupChanged {
        group_id: admins(),
        tenant_id: acme(),
        name: Some(" platform-admins ".to_owned()),
        group_type: None,
        is_created: true,
    };
    assert_eq!(
        event_in(
            Form::ScaiKey,
            "group.created",
            ("group", "grp_admins"),
            &data
        ),
        Ok(expected)
    );
}
