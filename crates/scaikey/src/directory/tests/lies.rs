//! Each departure of the emulator's directory: read as what it says, or refused. What takes more than
//! one page to see (a page that repeats, a row that is lost) is the walker's to see, by the ids and
//! the total that are read here.

use super::*;

/// The ids of a page and its total.
type Seen<'a> = (&'a [&'a str], Option<u64>);

fn rows(ids: &[&str]) -> Vec<Value> {
    ids.iter().map(|id| json!({"id": id})).collect()
}

fn told(rows: &[Value], total: &Value) -> String {
    let meta = json!({"page": 2, "per_page": 2, "total": total, "total_pages": 9});
    json!({"data": rows, "meta": meta}).to_string()
}

#[test]
fn every_lie_is_read_as_it_stands_or_refused() {
    let seven = ["a", "b", "c", "d", "e", "f", "g"];
    let mut with_null = rows(&["a"]);
    with_null.push(Value::Null);
    let nameless = vec![json!({"email": "ada@acme.example", "tenant_id": "tnt_acme"})];
    let table: [(&str, String, Result<Seen<'_>, DirectoryError>); 10] = [
        ("Empty", told(&[], &json!(0)), Ok((&[], Some(0)))),
        (
            "Shrunk",
            told(&rows(&["a"]), &json!(1)),
            Ok((&["a"], Some(1))),
        ),
        ("LaterPagesEmpty", told(&[], &json!(9)), Ok((&[], Some(9)))),
        (
            "EndlessPages",
            told(&rows(&["h", "i"]), &json!(400)),
            Ok((&["h", "i"], Some(400))),
        ),
        (
            "RowTwice",
            told(&rows(&["b", "c"]), &json!(4)),
            Ok((&["b", "c"], Some(4))),
        ),
        (
            "NoMetaValid",
            json!({"data": rows(&["a"])}).to_string(),
            Ok((&["a"], None)),
        ),
        (
            "MetaTotalString",
            told(&rows(&["a"]), &json!("1")),
            Ok((&["a"], Some(1))),
        ),
        (
            "PageSizeIgnored",
            told(&rows(&seven), &json!(9)),
            Ok((&seven, Some(9))),
        ),
        (
            "RowsWithoutId",
            told(&nameless, &json!(1)),
            Err(DirectoryError::RowWithoutId),
        ),
        (
            "NullRow",
            told(&with_null, &json!(1)),
            Err(DirectoryError::NullRow),
        ),
    ];
    for (lie, body, expected) in table {
        let page = read::<UserRow>(&body);
        let seen = page.map(|page| {
            let ids: Vec<_> = page
                .rows
                .into_iter()
                .map(|row| String::from(row.user_id))
                .collect();
            (ids, page.total)
        });
        let expected =
            expected.map(|(ids, total)| (ids.iter().map(ToString::to_string).collect(), total));
        assert_eq!(seen, expected, "{lie}");
    }
}

#[test]
fn a_row_of_a_foreign_tenant_says_so() {
    let body = json!([{"id": "usr_1", "tenant_id": "tnt_acme"}, {"id": "usr_2", "tenant": {"id": "tnt_other"}}]);
    let page = read::<UserRow>(&body.to_string()).unwrap();
    let tenants: Vec<_> = page.rows.iter().map(|row| row.tenant_id.clone()).collect();
    assert_eq!(
        tenants,
        [acme(), Some(TenantId::parse("tnt_other").unwrap())]
    );
}

#[test]
fn a_later_page_that_fails_and_a_refusal_are_no_empty_pages() {
    let failed = answer(500, JSON, r#"{"detail":"Internal Server Error"}"#);
    assert_eq!(
        parse_page::<UserRow>(&failed),
        Err(DirectoryError::Status(500))
    );
    let body = r#"{"detail":"Platform token requires admin:read or admin:write scope"}"#;
    let forbidden = answer(403, JSON, body);
    assert_eq!(
        parse_page::<UserRow>(&forbidden),
        Err(DirectoryError::ScopeMissing)
    );
}

#[test]
fn groups_without_a_scope_look_like_no_groups() {
    let page = read::<GroupRow>(&told(&[], &json!(0)));
    assert_eq!(
        page,
        Ok(Page {
            rows: Vec::new(),
            total: Some(0)
        })
    );
}
