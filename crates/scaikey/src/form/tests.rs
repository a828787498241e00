use proptest::prelude::*;

use super::*;

fn pairs(body: &str) -> Result<Vec<(String, String)>, FormError> {
    let form = parse(body.as_bytes(), 8)?;
    Ok(form
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

#[test]
fn well_formed_bodies_are_read() {
    let table: [(&str, &[(&str, &str)]); 9] = [
        ("", &[]),
        ("&&", &[]),
        ("a=1&b=2", &[("a", "1"), ("b", "2")]),
        ("a=1&&b=2&", &[("a", "1"), ("b", "2")]),
        ("a", &[("a", "")]),
        ("a=", &[("a", "")]),
        ("a=b=c", &[("a", "b=c")]),
        ("a+b=%2B+%26%3D%c3%A9", &[("a b", "+ &=é")]),
        ("a=raw é and space", &[("a", "raw é and space")]),
    ];
    for (body, expected) in table {
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(pairs(body), Ok(expected), "{body:?}");
    }
}

#[test]
fn ambiguous_or_broken_bodies_are_refused() {
    let table: [(&[u8], FormError); 13] = [
        (b"a=1&a=1", FormError::Duplicate),
        (b"a=1&%61=2", FormError::Duplicate),
        (b"a&a=1", FormError::Duplicate),
        (b"=1", FormError::Encoding),
        (b"a=%", FormError::Encoding),
        (b"a=%4", FormError::Encoding),
        (b"a=%zz", FormError::Encoding),
        (b"a=%+1", FormError::Encoding),
        (b"a=%00", FormError::Encoding),
        (b"a=\0", FormError::Encoding),
        (b"a=1\r\n", FormError::Encoding),
        (b"a=%ff", FormError::Encoding),
        (b"a=%c0%af", FormError::Encoding),
    ];
    for (body, expected) in table {
        assert_eq!(
            parse(body, 8).unwrap_err(),
            expected,
            "{}",
            body.escape_ascii()
        );
    }
}

#[test]
fn n_141_size_and_count_are_bounded() {
    assert_eq!(parse(b"a=1&b=2&c=3", 3).unwrap().len(), 3);
    assert_eq!(
        parse(b"a=1&b=2&c=3", 2).unwrap_err(),
        FormError::TooManyFields
    );
    assert_eq!(parse(b"a=1", 0).unwrap_err(), FormError::TooManyFields);
    let largest = format!("a={}", "x".repeat(MAX_BYTES - 2));
    assert!(parse(largest.as_bytes(), 1).is_ok());
    assert_eq!(
        parse(format!("{largest}x").as_bytes(), 1).unwrap_err(),
        FormError::TooLarge
    );
}

#[test]
fn empty_values_count_as_missing_where_asked() {
    let form = parse(b"a=&b=1", 8).unwrap();
    assert_eq!((form.get("a"), form.filled("a")), (Some(""), None));
    assert_eq!((form.get("b"), form.filled("b")), (Some("1"), Some("1")));
    assert_eq!((form.get("c"), form.filled("c")), (None, None));
    assert!(form.secret("a").is_none());
    assert_eq!(form.secret("b").unwrap().expose(), "1");
    assert!(!form.is_empty() && Form::default().is_empty());
}

#[test]
fn n_055_debug_shows_neither_names_nor_values() {
    let form = parse(b"password=canary&canary2=x", 8).unwrap();
    assert!(!format!("{form:?}").contains("canary"));
}

proptest! {
    #[test]
    fn what_is_written_is_read(fields in prop::collection::btree_map("[^\0]{1,8}", "[^\0]{0,16}", 0..8)) {
        let fields: Vec<_> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let form = parse(encode(&fields).as_bytes(), 8).unwrap();
        prop_assert_eq!(form.iter().collect::<Vec<_>>(), fields);
    }

    #[test]
    fn no_bytes_make_the_reader_panic_or_yield_doubles(
        body in prop::collection::vec(prop_oneof![Just(b'&'), Just(b'='), Just(b'%'), Just(b'a'), any::<u8>()], 0..64)
    ) {
        if let Ok(form) = parse(&body, 8) {
            for (name, value) in form.iter() {
                prop_assert_eq!(form.get(name), Some(value));
            }
        }
    }
}
