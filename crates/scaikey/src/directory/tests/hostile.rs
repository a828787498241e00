//! Bodies that were not made by a directory.

use bytes::Bytes;

use super::*;

fn of_bytes(body: impl Into<Bytes>) -> Result<Page<UserRow>, DirectoryError> {
    let answer = Response::builder().header("content-type", JSON);
    parse_page(&answer.body(body.into()).unwrap())
}

#[test]
fn n_141_depth_costs_nothing_where_it_is_not_read_and_is_refused_elsewhere() {
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let arrays = deep("[", "]");
    let objects = format!("{}1{}", r#"{"id":"#.repeat(100_000), "}".repeat(100_000));
    for nested in [&arrays, &objects] {
        for ignored in ["x", "email", "name"] {
            let body = format!(r#"[{{"id":"usr_1","{ignored}":{nested}}}]"#);
            assert_eq!(read(&body).map(|page| page.rows), Ok(vec![user("usr_1")]));
        }
        let body = format!(r#"{{"x":{nested},"data":[{{"id":"usr_1"}}]}}"#);
        assert_eq!(read(&body).map(|page| page.rows), Ok(vec![user("usr_1")]));
        for body in [
            nested.clone(),
            format!("[{nested}]x"),
            format!(r#"{{"data":{nested}}}"#),
            format!(r#"{{"data":{{"items":{nested}}}}}"#),
            format!(r#"{{"data":[],"meta":{{"total":{nested}}}}}"#),
            format!(r#"{{"data":[],"total":{nested}}}"#),
        ] {
            assert!(read::<UserRow>(&body).is_err());
        }
    }
    let as_id = format!(r#"[{{"id":{arrays}}}]"#);
    assert_eq!(read::<UserRow>(&as_id), Err(DirectoryError::RowWithoutId));
    let as_tenant = format!(r#"[{{"id":"usr_1","tenant":{objects}}}]"#);
    assert_eq!(read::<UserRow>(&as_tenant), Err(DirectoryError::RowTenant));
}

#[test]
fn n_141_bytes_and_rows_are_bounded() {
    let mut body = br#"[{"id":"usr_1"}]"#.to_vec();
    body.resize(MAX_PAGE_BYTES, b' ');
    assert!(of_bytes(body.clone()).is_ok());
    body.push(b' ');
    assert_eq!(of_bytes(body), Err(DirectoryError::TooLarge));
    let rows = |count: usize| format!("[{}]", vec![r#"{"id":"u"}"#; count].join(","));
    assert_eq!(
        read::<UserRow>(&rows(MAX_PAGE_ROWS)).unwrap().rows.len(),
        MAX_PAGE_ROWS
    );
    assert_eq!(
        read::<UserRow>(&rows(MAX_PAGE_ROWS + 1)),
        Err(DirectoryError::TooLarge)
    );
}

#[test]
fn n_141_what_says_two_things_says_nothing() {
    for body in [
        r#"[{"id":"a","id":"b"}]"#,
        r#"[{"id":"a","id":"a"}]"#,
        r#"[{"id":"a","\u0069d":"b"}]"#,
        r#"[{"id":"a","tenant_id":"t","tenant_id":"u"}]"#,
        r#"[{"id":"a","tenant":{"id":"t","id":"u"}}]"#,
        r#"[{"id":"a","tenant":{"id":"t"},"tenant":{"id":"t"}}]"#,
        r#"[{"id":"a","status":"DELETED","status":"ACTIVE"}]"#,
        r#"{"data":[{"id":"a"}],"data":[]}"#,
        r#"{"data":[],"items":[]}"#,
        r#"{"data":{"items":[],"items":[]}}"#,
        r#"{"data":{"items":[]},"items":[]}"#,
        r#"{"data":[],"meta":{"total":1,"total":2}}"#,
        r#"{"data":[],"meta":{"total":1},"total":2}"#,
        r#"{"data":{"items":[],"total":1},"meta":{"total":"2"}}"#,
    ] {
        assert_eq!(
            read::<UserRow>(body),
            Err(DirectoryError::Malformed),
            "{body}"
        );
    }
}

#[test]
fn n_141_types_are_not_guessed() {
    for body in [
        // An array is not an object, although a derived reader would take it for one.
        r#"[["usr_1"]]"#,
        r#"["usr_1"]"#,
        "[1]",
        "[true]",
        "[[]]",
        r#"{"data":[],"meta":[1]}"#,
        r#"{"data":[],"meta":"1"}"#,
        r#"{"data":{"0":{"id":"usr_1"}}}"#,
        // Not JSON, or not all of it.
        r#"[{"id":"usr_1"}"#,
        r#"[{"id":"usr_1"},]"#,
        r#"[{"id":"usr_1"}]]"#,
        r#"[{"id":"usr_1"}][]"#,
        r#"{"data":[]}{"data":[]}"#,
        "[{'id':'usr_1'}]",
        r#"[{"id":"\ud800"}]"#,
        "[{\"id\":\"usr_1\",\"x\":\"\n\"}]",
        "\u{feff}[]",
        "[NaN]",
    ] {
        assert_eq!(
            read::<UserRow>(body),
            Err(DirectoryError::Malformed),
            "{body}"
        );
    }
    let not_text = b"[{\"id\":\"usr_1\",\"x\":\"\xff\"}]";
    assert_eq!(of_bytes(&not_text[..]), Err(DirectoryError::Malformed));
}

#[test]
fn one_bad_row_leaves_none_of_its_page() {
    let body = r#"{"data":[{"id":"a"},{"id":"b"},{"name":"c"},{"id":"d"}],"meta":{"total":4}}"#;
    assert_eq!(read::<UserRow>(body), Err(DirectoryError::RowWithoutId));
    let body = r#"[{"id":"a"},null,{"name":"c"}]"#;
    assert_eq!(read::<UserRow>(body), Err(DirectoryError::NullRow));
}
