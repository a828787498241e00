//! Envelopes: ScaiKey's, its short form, and ScaiFlow's.

use scaigate_directory::webhook::{Envelope, EnvelopeError};
use scaigate_types::Timestamp;
use serde_json::{Value, json};

use crate::{Delivery, NOW, changed, envelope};

fn scaikey() -> Value {
    json!({
        "event_id": "evt_1",
        "event_type": "user.created",
        "timestamp": "2026-04-29T09:59:58.250Z",
        "resource": {"type": "user", "id": "usr_ada"},
        "actor": {"id": null, "type": "admin"},
        "data": {"id": "usr_ada", "tenant": {"id": "tnt_acme", "name": "Acme", "slug": "acme"}},
        "tenant_id": "tnt_acme",
        "partner_id": "prt_one",
    })
}

fn refusal(changes: &Value) -> Option<EnvelopeError> {
    envelope(&changed(scaikey(), changes)).err()
}

fn tenant(envelope: &Envelope) -> Option<&str> {
    envelope.tenant_id().map(|tenant| tenant.as_str())
}

#[test]
fn the_three_documented_forms_say_the_same() {
    let data = json!({"user_id": "usr_ada", "tenant_id": "tnt_acme"});
    let at = "2026-04-29T09:59:58.250Z";
    let forms = [
        scaikey(),
        json!({"event_id": "evt_1", "event_type": "user.created", "timestamp": at, "data": data}),
        json!({"id": "evt_1", "type": "user.created", "created_at": at, "data": data}),
    ];
    for form in &forms {
        let envelope = envelope(form).unwrap();
        assert_eq!(envelope.event_id().to_string(), "evt_1");
        assert_eq!(envelope.event_type(), "user.created");
        let occurred_at = Timestamp::from_millis((NOW - 2) * 1000 + 250);
        assert_eq!(envelope.occurred_at(), occurred_at);
        assert_eq!(tenant(&envelope), Some("tnt_acme"));
    }
    let full = envelope(&forms[0]).unwrap();
    assert_eq!(full.partner_id().unwrap().as_str(), "prt_one");
    let resource = full.resource().unwrap();
    assert_eq!((&*resource.kind, &*resource.id), ("user", "usr_ada"));
    let short = envelope(&forms[1]).unwrap();
    assert!(short.partner_id().is_none() && short.resource().is_none());
}

#[test]
fn null_says_as_little_as_nothing() {
    let absent = json!({
        "tenant_id": null, "partner_id": null, "resource": null, "data": null,
        "id": null, "type": null, "created_at": null,
    });
    let envelope = envelope(&changed(scaikey(), &absent)).unwrap();
    assert!(envelope.tenant_id().is_none() && envelope.partner_id().is_none());
    assert!(envelope.resource().is_none());
    for resource in [
        json!({}),
        json!({"type": "user", "id": null}),
        json!({"type": "delivery", "id": 4291}),
    ] {
        assert_eq!(refusal(&json!({"resource": resource})), None, "{resource}");
    }
}

#[test]
fn fields_are_there_once_bounded_and_of_their_type() {
    use EnvelopeError::{Ambiguous, Malformed, Missing};
    let long = |max: usize| "x".repeat(max + 1);
    for (changes, error) in [
        (json!({"event_id": "absent"}), Missing("event_id")),
        (json!({"event_id": null}), Missing("event_id")),
        (json!({"event_type": "absent"}), Missing("event_type")),
        (json!({"timestamp": "absent"}), Missing("timestamp")),
        (json!({"event_id": 5}), Malformed("event_id")),
        (json!({"event_id": ""}), Malformed("event_id")),
        (json!({"event_id": "evt 1"}), Malformed("event_id")),
        (json!({"event_id": "evt\n1"}), Malformed("event_id")),
        (json!({"event_id": "évt"}), Malformed("event_id")),
        (json!({"event_id": long(128)}), Malformed("event_id")),
        (
            json!({"event_type": ["user.created"]}),
            Malformed("event_type"),
        ),
        (
            json!({"event_type": "user created"}),
            Malformed("event_type"),
        ),
        (json!({"event_type": long(128)}), Malformed("event_type")),
        (json!({"timestamp": "yesterday"}), Malformed("timestamp")),
        (json!({"timestamp": 1_777_456_800}), Malformed("timestamp")),
        (
            json!({"timestamp": "2026-02-30T00:00:00Z"}),
            Malformed("timestamp"),
        ),
        (json!({"tenant_id": 7}), Malformed("tenant_id")),
        (json!({"tenant_id": "tnt acme"}), Malformed("tenant_id")),
        (json!({"tenant_id": long(128)}), Malformed("tenant_id")),
        (json!({"partner_id": []}), Malformed("partner_id")),
        (json!({"partner_id": ""}), Malformed("partner_id")),
        (json!({"resource": "usr_ada"}), Malformed("resource")),
        (
            json!({"resource": {"type": "user", "id": long(255)}}),
            Malformed("resource"),
        ),
        (
            json!({"resource": {"type": long(64), "id": "usr_ada"}}),
            Malformed("resource"),
        ),
        (
            json!({"resource": {"type": "user", "id": "usr ada"}}),
            Malformed("resource"),
        ),
        (json!({"data": []}), Malformed("data")),
        (json!({"data": "x"}), Malformed("data")),
        (json!({"id": "evt_2"}), Ambiguous("event_id")),
        (json!({"type": "user.deleted"}), Ambiguous("event_type")),
        (
            json!({"created_at": "2026-04-29T09:59:59Z"}),
            Ambiguous("timestamp"),
        ),
    ] {
        assert_eq!(refusal(&changes), Some(error), "{changes}");
        let field = match &error {
            Missing(field) | Malformed(field) | Ambiguous(field) => *field,
            other => unreachable!("{other:?}"),
        };
        assert_eq!(error.field(), Some(field));
    }
    assert_eq!(
        refusal(&json!({"id": "evt_1", "type": "user.created"})),
        None
    );
    assert_eq!(refusal(&json!({"event_id": "x".repeat(128)})), None);
}

#[test]
fn n_141_a_body_is_one_unambiguous_object() {
    let nested = format!(r#"{{"data":{}{}}}"#, "[".repeat(1000), "]".repeat(1000));
    for body in [
        "",
        "null",
        "[]",
        "{",
        "{}{}",
        r#"{"event_id":"evt_1","event_id":"evt_1"}"#,
        r#"{"data":{"id":"usr_1","id":"usr_2"}}"#,
        &nested,
    ] {
        let error = Delivery::new(body).parse().unwrap_err();
        assert_eq!(error, EnvelopeError::NotJson, "{body}");
    }
}

#[test]
fn n_141_depth_and_number_of_values_of_a_body_are_bounded() {
    // The object around it is one level, too.
    let nested = |levels| json!((0..levels).fold(json!([]), |inner, _| json!([inner])));
    assert_eq!(refusal(&json!({"x": nested(30)})), None);
    assert_eq!(
        refusal(&json!({"x": nested(31)})),
        Some(EnvelopeError::NotJson)
    );
    // The object, the list and the three texts are values, too.
    let many = |values: usize| {
        let form = json!({
            "event_id": "evt_1",
            "event_type": "user.created",
            "timestamp": "2026-04-29T09:59:58.250Z",
            "x": vec![0; values - 5],
        });
        envelope(&form).err()
    };
    assert_eq!(many(50_000), None);
    assert_eq!(many(50_001), Some(EnvelopeError::NotJson));
}

#[test]
fn headers_may_be_missing_but_not_say_something_else() {
    let whole = || Delivery::new(scaikey().to_string());
    let (id, kind) = ("x-scaikey-event-id", "x-scaikey-event-type");
    let same = whole().with(id, "evt_1").with(kind, "user.created");
    assert!(same.parse().is_ok());
    assert!(same.twice(id).parse().is_ok());
    for (header, field, others) in [
        (id, "event_id", ["evt_2", "EVT_1", "evt_1,evt_2", ""]),
        (
            kind,
            "event_type",
            ["user.deleted", "User.created", "user", ""],
        ),
    ] {
        for other in others {
            let error = whole().with(header, other).parse().unwrap_err();
            assert_eq!(error, EnvelopeError::HeaderMismatch(field), "{other}");
        }
    }
    let mut two = whole().with(id, "evt_1");
    two.headers.append(id, "evt_2".parse().unwrap());
    assert_eq!(two.parse(), Err(EnvelopeError::HeaderMismatch("event_id")));
}

#[test]
fn n_094_another_body_under_the_same_id_is_told_apart() {
    let first = envelope(&scaikey()).unwrap();
    let again = envelope(&scaikey()).unwrap();
    assert_eq!(first.digest(), again.digest());
    assert_eq!(first.digest().len(), 43);
    let respaced = Delivery::new(format!("{} ", scaikey())).parse().unwrap();
    let other = envelope(&changed(scaikey(), &json!({"data": {"id": "usr_eve"}}))).unwrap();
    for other in [respaced, other] {
        assert_eq!(other.event_id(), first.event_id());
        assert_ne!(other.digest(), first.digest());
    }
}

#[test]
fn n_095_an_id_with_a_point_is_one_id() {
    let dotted = changed(scaikey(), &json!({"event_id": "evt.1.5"}));
    assert_eq!(envelope(&dotted).unwrap().event_id().as_str(), "evt.1.5");
}

#[test]
fn n_099_an_event_is_of_one_tenant() {
    for data in [
        json!({"tenant_id": "tnt_umbra"}),
        json!({"tenant": {"id": "tnt_umbra"}}),
        json!({"user": {"id": "usr_ada", "tenant_id": "tnt_umbra"}}),
        json!({"user": {"tenant": {"id": "tnt_umbra"}}}),
        json!({"group": {"tenant_id": "tnt_umbra"}}),
        json!({"group": {"tenant": {"id": "tnt_umbra"}}}),
        json!({"tenant_id": "tnt_acme", "tenant": {"id": "tnt_umbra"}}),
        json!({"tenant_id": "TNT_ACME"}),
    ] {
        let error = refusal(&json!({"data": data}));
        assert_eq!(error, Some(EnvelopeError::TenantMismatch), "{data}");
    }
    let of_tenant = json!({"resource": {"type": "Tenant", "id": "tnt_umbra"}});
    assert_eq!(refusal(&of_tenant), Some(EnvelopeError::TenantMismatch));
    // Also when nothing but the data names them.
    let only_data = json!({
        "tenant_id": null,
        "data": {"tenant_id": "tnt_acme", "tenant": {"id": "tnt_umbra"}},
    });
    assert_eq!(refusal(&only_data), Some(EnvelopeError::TenantMismatch));
}

#[test]
fn the_tenant_is_taken_from_wherever_it_is_named() {
    for data in [
        json!({"tenant_id": "tnt_acme"}),
        json!({"tenant": {"id": "tnt_acme"}}),
        json!({"tenant": "acme", "tenant_id": "tnt_acme"}),
        json!({"user": {"tenant_id": "tnt_acme"}}),
        json!({"group": {"tenant": {"id": "tnt_acme"}}}),
    ] {
        let body = changed(scaikey(), &json!({"tenant_id": "absent", "data": data}));
        assert_eq!(
            tenant(&envelope(&body).unwrap()),
            Some("tnt_acme"),
            "{data}"
        );
    }
    let malformed = changed(scaikey(), &json!({"data": {"tenant": {"id": 7}}}));
    assert_eq!(
        envelope(&malformed).err(),
        Some(EnvelopeError::Malformed("tenant_id"))
    );
}

#[test]
fn n_100_an_event_from_the_future_is_refused() {
    for (timestamp, error) in [
        ("2026-04-29T10:05:00Z", None),
        (
            "2026-04-29T10:05:00.001Z",
            Some(EnvelopeError::FromTheFuture),
        ),
        ("2026-04-29T11:00:00+01:00", None),
        ("9999-12-31T23:59:59Z", Some(EnvelopeError::FromTheFuture)),
        ("2001-01-01T00:00:00Z", None),
    ] {
        assert_eq!(
            refusal(&json!({"timestamp": timestamp})),
            error,
            "{timestamp}"
        );
    }
}

#[test]
fn debug_shows_no_data() {
    let body = changed(scaikey(), &json!({"data": {"email": "ada@acme.example"}}));
    let shown = format!("{:?}", envelope(&body).unwrap());
    assert!(
        shown.contains("evt_1") && !shown.contains("ada@"),
        "{shown}"
    );
}
