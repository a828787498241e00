//! What is too much, or no list at all.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

#[test]
fn a_page_says_where_the_next_one_begins() {
    let table = [
        (
            json!({ "data": [], "has_more": true, "next_cursor": "c1" }),
            Ok(Some("c1")),
        ),
        (json!({ "data": [], "next_cursor": "c1" }), Ok(Some("c1"))),
        (
            json!({ "data": { "items": [], "has_more": true, "next_cursor": "c1" } }),
            Ok(Some("c1")),
        ),
        (
            json!({ "data": { "items": [] }, "next_cursor": "c1" }),
            Ok(Some("c1")),
        ),
        (
            json!({ "data": [], "has_more": false, "next_cursor": "c1" }),
            Ok(None),
        ),
        (json!({ "data": [], "next_cursor": null }), Ok(None)),
        (json!({ "data": [], "next_cursor": "" }), Ok(None)),
        (json!({ "data": [] }), Ok(None)),
        (
            json!({ "data": [], "next_cursor": 7 }),
            Err(ShapeError::Cursor),
        ),
        (
            json!({ "data": [], "next_cursor": "a b" }),
            Err(ShapeError::Cursor),
        ),
        (
            json!({ "data": [], "next_cursor": "x".repeat(1025) }),
            Err(ShapeError::Cursor),
        ),
    ];
    for (answer, expected) in table {
        let page = models(answer.to_string().as_bytes());
        let next = page.map(|page| page.next.map(|next| next.as_str().to_owned()));
        assert_eq!(
            next,
            expected.map(|next| next.map(str::to_owned)),
            "{answer}"
        );
    }
    let answer = json!({ "data": [{ "slug": "a" }], "next_cursor": "c1" });
    assert_eq!(read("models", &answer).unwrap()["next_cursor"], "c1");
}

#[test]
fn pages_add_up_to_a_bounded_list_that_never_leads_back() {
    let page = |rows: usize, next: Option<&str>| Page {
        rows: vec![(); rows],
        next: next.map(|next| Cursor::parse(next).unwrap()),
    };
    let mut list = page(6000, Some("a"));
    list.append(page(4000, Some("b"))).unwrap();
    assert_eq!(
        (list.rows.len(), list.next.as_ref().unwrap().as_str()),
        (10_000, "b")
    );
    assert_eq!(list.append(page(1, None)), Err(ShapeError::TooManyRows));
    assert_eq!(list.append(page(0, Some("b"))), Err(ShapeError::Cursor));
    list.append(page(0, None)).unwrap();
    assert_eq!(list, page(10_000, None));
}

#[test]
fn n_141_what_is_no_list_within_the_bounds_is_refused() {
    let row = |row, member| ShapeError::Row { row, member };
    let many = vec![json!({}); MAX_ROWS + 1];
    let long = "x".repeat(257);
    let table = [
        ("models", json!([]), ShapeError::Json),
        ("models", json!({}), ShapeError::NoRows),
        ("models", json!({ "data": null }), ShapeError::NoRows),
        ("models", json!({ "data": "x" }), ShapeError::NoRows),
        ("models", json!({ "data": {} }), ShapeError::NoRows),
        (
            "models",
            json!({ "data": { "items": {} } }),
            ShapeError::NoRows,
        ),
        (
            "models",
            json!({ "status": "error", "error": { "code": "X" } }),
            ShapeError::NoRows,
        ),
        ("models", json!({ "data": many }), ShapeError::TooManyRows),
        ("models", json!({ "data": ["x"] }), row(0, "object")),
        (
            "models",
            json!({ "data": [{ "slug": "a" }, {}] }),
            row(1, "slug"),
        ),
        (
            "models",
            json!({ "data": [{ "slug": "" }] }),
            row(0, "slug"),
        ),
        ("models", json!({ "data": [{ "slug": 1 }] }), row(0, "slug")),
        (
            "models",
            json!({ "data": [{ "slug": "a b" }] }),
            row(0, "slug"),
        ),
        (
            "models",
            json!({ "data": [{ "slug": "a\nb" }] }),
            row(0, "slug"),
        ),
        (
            "models",
            json!({ "data": [{ "slug": long }] }),
            row(0, "slug"),
        ),
        ("scopes", json!({ "data": [{ "slug": "a" }] }), row(0, "id")),
        ("scopes", json!({ "data": [{ "id": "a" }] }), row(0, "slug")),
        (
            "queues",
            json!({ "data": [{ "id": "a", "slug": "b", "scope_id": 7 }] }),
            row(0, "scope_id"),
        ),
        (
            "bunkers",
            json!({ "data": [{ "status": "ready" }] }),
            row(0, "bunker_id"),
        ),
    ];
    for (reader, answer, expected) in table {
        let shown: String = answer.to_string().chars().take(80).collect();
        assert_eq!(
            read(reader, &answer).unwrap_err(),
            expected,
            "{reader} {shown}"
        );
    }
    for bad in [
        "",
        "<html>",
        "{\"data\":[",
        "{\"data\":[],\"data\":[]}",
        "{\"data\":[]}x",
    ] {
        assert_eq!(
            models(bad.as_bytes()).unwrap_err(),
            ShapeError::Json,
            "{bad}"
        );
    }
    let deep = format!(r#"{{"data":[],"x":{}{}}}"#, "[".repeat(17), "]".repeat(17));
    assert_eq!(models(deep.as_bytes()).unwrap_err(), ShapeError::Json);
    let of_bytes = |bytes: usize| format!(r#"{{"data":[],"x":"{}"}}"#, "x".repeat(bytes - 18));
    let largest = of_bytes(4 * 1024 * 1024);
    assert!(models(largest.as_bytes()).is_ok());
    let large = of_bytes(4 * 1024 * 1024 + 1);
    assert_eq!(models(large.as_bytes()).unwrap_err(), ShapeError::Json);
    // Small on the wire, large in memory.
    let values = format!(r#"{{"data":[],"x":[{}0]}}"#, "0,".repeat(30 * MAX_ROWS));
    assert_eq!(models(values.as_bytes()).unwrap_err(), ShapeError::Json);
    let most = vec![json!({ "slug": "a" }); MAX_ROWS];
    let read = read("models", &json!({ "data": most })).unwrap();
    assert_eq!(read["data"].as_array().unwrap().len(), MAX_ROWS);
}

#[test]
fn numbers_that_are_none_are_not_known_and_text_is_cut() {
    for bad in [
        json!(-1),
        json!(1.5),
        json!("5"),
        json!(u64::MAX),
        json!([]),
        json!(true),
    ] {
        let answer =
            json!({ "data": [{ "slug": "a", "context_window": bad, "max_output_tokens": bad }] });
        let read = read("models", &answer).unwrap();
        let expected = json!({
            "slug": "a", "display_name": "a", "modality": null, "context_window": null,
        });
        assert_eq!(read["data"][0], expected, "{bad}");
    }
    // What JavaScript counts exactly.
    let most = (1_u64 << 53) - 1;
    for (tokens, expected) in [(most, json!(most)), (most + 1, Value::Null)] {
        let answer = json!({ "data": [{ "slug": "a", "context_window": tokens }] });
        let read = read("models", &answer).unwrap();
        assert_eq!(read["data"][0]["context_window"], expected);
    }
    let answer = json!({ "data": [{ "slug": "a", "display_name": "é\u{0}".repeat(300) }] });
    let read = read("models", &answer).unwrap();
    let name = read["data"][0]["display_name"].as_str().unwrap();
    assert_eq!(name.chars().count(), 256);
    assert!(!name.contains('\0') && name.ends_with('…'));
}

/// Any JSON of a few levels, with members that mean something here.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
        proptest::sample::select(vec!["running", "fifo", "persistent", "sgk_x"])
            .prop_map(Into::into),
    ];
    let name = proptest::sample::select(vec![
        "data",
        "items",
        "slug",
        "id",
        "bunker_id",
        "status",
        "consumer_mode",
        "ordering",
        "token",
        "next_cursor",
        "has_more",
        "lifecycle",
        "x",
    ]);
    leaf.prop_recursive(5, 48, 6, move |inner| {
        let member = (name.clone().prop_map(str::to_owned), inner.clone());
        prop_oneof![
            proptest::collection::vec(inner, 0..5).prop_map(Into::into),
            proptest::collection::vec(member, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_answered_is_refused_or_has_the_documented_members(
        rows in proptest::collection::vec(any_json(), 0..4),
        other in any_json(),
    ) {
        for answer in [json!({ "data": rows }), json!({ "data": { "items": rows } }), other] {
            for (reader, members) in [
                ("models", 4),
                ("scopes", 4),
                ("queues", 6),
                ("bunkers", 4),
            ] {
                let Ok(read) = read(reader, &answer) else { continue };
                for row in read["data"].as_array().unwrap() {
                    let row = row.as_object().unwrap();
                    prop_assert!(row.len() >= members, "{reader} {row:?}");
                    prop_assert!(!row.contains_key("token"), "{row:?}");
                }
            }
        }
    }
}
