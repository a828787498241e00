//! Nothing that arrives makes the readers panic, and nothing unsigned passes.

use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use scaigate_directory::webhook::{EVENT_TYPES, Event, parse, verify};
use serde_json::{Value, json};

use crate::{Delivery, SECRET, now, secrets};

fn configuration() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Values in which the ids and rows that are looked for appear, in the right places and wrong ones.
fn data() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "(usr|grp|tnt|prt)_[ab]",
        "[a-z]{1,3}@[a-z]{1,3}",
        "\\PC{0,12}"
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let name = prop_oneof![
        Just("id"),
        Just("user_id"),
        Just("group_id"),
        Just("tenant_id"),
        Just("partner_id"),
        Just("user"),
        Just("group"),
        Just("tenant"),
        Just("partner"),
        Just("email"),
        Just("status"),
        Just("name"),
        Just("first_name"),
    ];
    leaf.prop_recursive(3, 24, 5, move |inner| {
        proptest::collection::hash_map(name.clone(), inner, 0..5).prop_map(|members| {
            let members = members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value));
            Value::Object(members.collect())
        })
    })
}

proptest! {
    #![proptest_config(configuration())]

    #[test]
    fn no_signed_bytes_make_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let delivery = Delivery::new(body);
        let verified = delivery.verify().unwrap();
        prop_assert_eq!(verified.body(), &delivery.body);
        prop_assert!(parse(&verified).is_err());
    }

    #[test]
    fn no_data_makes_the_reader_panic_or_lose_the_tenant(
        event_type in prop::sample::select(EVENT_TYPES.to_vec()),
        resource in data(),
        tenant_id in prop_oneof![Just(Value::Null), Just(json!("tnt_a"))],
        data in data(),
    ) {
        let body = json!({
            "event_id": "evt_1", "event_type": event_type, "timestamp": "2026-04-29T10:00:00Z",
            "resource": resource, "tenant_id": tenant_id, "data": data,
        });
        if let Ok(envelope) = Delivery::new(body.to_string()).parse() {
            let named = envelope.tenant_id().map(|tenant| tenant.as_str());
            prop_assert!(tenant_id.is_null() || named == tenant_id.as_str());
            match Event::of(&envelope) {
                Ok(event) => prop_assert!(event.is_handled()),
                Err(error) => prop_assert!(!error.field().is_empty()),
            }
        }
    }

    #[test]
    fn no_headers_make_the_check_panic_or_pass(
        signature in proptest::collection::vec(
            prop_oneof![
                Just("t=1777456800".to_owned()),
                Just("v1=".to_owned()),
                "v1=[0-9a-fA-F]{60,66}",
                "(t|v1|v1a)?=?[ -~]{0,8}",
            ],
            0..12,
        ),
        timestamp in prop_oneof![Just("1777456800".to_owned()), "[ -~]{0,14}"],
    ) {
        let mut headers = HeaderMap::new();
        headers.insert("x-scaikey-signature", HeaderValue::from_str(&signature.join(",")).unwrap());
        headers.insert("x-scaikey-timestamp", HeaderValue::from_str(&timestamp).unwrap());
        let verified = verify(&headers, b"[]", &secrets(SECRET), now());
        prop_assert!(verified.is_err());
    }

    #[test]
    fn what_is_signed_passes_and_not_with_a_byte_changed(
        body in proptest::collection::vec(any::<u8>(), 1..100),
        at in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        let mut delivery = Delivery::new(body);
        prop_assert!(delivery.verify().is_ok());
        let at = at.index(delivery.body.len());
        delivery.body[at] ^= change;
        prop_assert!(delivery.verify().is_err());
    }
}
