//! What holds for every page.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

const NAME: &str = "[A-Za-z0-9äßé日😀.'\"\\\\-]{1,12}";

prop_compose! {
    fn honest_user()(
        id in "usr_[a-z0-9]{1,20}",
        tenant in prop::option::of("tnt_[a-z0-9]{1,20}"),
        email in prop::option::of("[a-z0-9.+ä]{1,20}@[a-z0-9.-]{1,20}"),
        first in NAME,
        last in NAME,
        status in prop::option::of("ACTIVE|SUSPENDED|DELETED|[A-Z_]{1,20}"),
    ) -> (UserRow, [String; 2]) {
        let row = UserRow {
            user_id: Subject::parse(&id).unwrap(),
            tenant_id: tenant.map(|id| TenantId::parse(&id).unwrap()),
            email,
            display_name: Some(format!("{first} {last}")),
            status: status.map(|status| Status::parse(&status)),
        };
        (row, [first, last])
    }
}

/// A person in one of the three spellings.
fn written((row, [first, last]): &(UserRow, [String; 2]), shape: u8) -> Value {
    let mut object = json!({"email": row.email, "status": row.status, "extra": [{"id": "x"}]});
    let id = if shape == 2 { "user_id" } else { "id" };
    object[id] = json!(row.user_id);
    if shape == 2 {
        object["display_name"] = json!(row.display_name);
    } else {
        object["first_name"] = json!(first);
        object["last_name"] = json!(last);
    }
    if shape == 1 {
        object["tenant"] = json!({"id": row.tenant_id, "name": "x"});
    } else {
        object["tenant_id"] = json!(row.tenant_id);
    }
    object
}

proptest! {
    #[test]
    fn an_honest_page_is_read_as_it_was_written(
        users in prop::collection::vec(honest_user(), 0..20),
        shape in 0_u8..3,
        envelope in 0_u8..4,
        total in any::<u64>(),
    ) {
        let written: Vec<_> = users.iter().map(|user| written(user, shape)).collect();
        let (body, total) = match envelope {
            0 => (json!({"data": written, "meta": {"page": 1, "total": total}}), Some(total)),
            1 => (json!({"items": written, "total": total.to_string()}), Some(total)),
            2 => (json!({"data": {"items": written}, "pagination": {"total": total}}), Some(total)),
            _ => (json!(written), None),
        };
        let rows: Vec<_> = users.into_iter().map(|(row, _)| row).collect();
        prop_assert_eq!(read(&body.to_string()), Ok(Page { rows: rows.clone(), total }));
        // What is staged reads back as the same rows.
        prop_assert_eq!(read(&json!(rows).to_string()).map(|page| page.rows), Ok(rows));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let answer = Response::builder().header("content-type", JSON).body(Bytes::from(body)).unwrap();
        let _ = parse_page::<UserRow>(&answer);
        let _ = parse_page::<TenantRow>(&answer);
        let _ = parse_page::<GroupRow>(&answer);
    }

    #[test]
    fn no_shape_of_page_makes_the_reader_panic_or_exceeds_the_bounds(
        status in prop_oneof![4 => Just(200_u16), 1 => 100_u16..1000],
        body in r#"(\{|\[)?("(data|items|meta|error)":|"total":-?[0-9"]{1,21}|\{"(id|user_id|tenant_id)":("?[!-~]{0,4}"?|.{0,3})|"(tenant|status|name|email)":(\{"id":)?"?.{0,4}"?|[\]\[{},]|null){0,12}[\]}]{0,3}"#,
    ) {
        let answer = answer(status, JSON, &body);
        if let Ok(page) = parse_page::<UserRow>(&answer) {
            prop_assert_eq!(status, 200);
            for row in page.rows {
                prop_assert!(row.email.is_none_or(|email| email.len() <= 320));
                prop_assert!(row.display_name.is_none_or(|name| name.chars().count() <= 256));
            }
        }
        let _ = parse_page::<TenantRow>(&answer);
        let _ = parse_page::<GroupRow>(&answer);
    }

    #[test]
    fn a_damaged_page_is_refused_or_keeps_its_ids_usable(
        users in prop::collection::vec(honest_user(), 1..4),
        place in any::<prop::sample::Index>(),
        byte in 0x20_u8..0x7f,
    ) {
        let rows: Vec<_> = users.iter().map(|user| written(user, 0)).collect();
        let mut body = json!({"data": rows, "meta": {"total": 3}}).to_string().into_bytes();
        let place = place.index(body.len());
        body[place] = byte;
        let answer = Response::builder().header("content-type", JSON).body(Bytes::from(body)).unwrap();
        if let Ok(page) = parse_page::<UserRow>(&answer) {
            prop_assert_eq!(page.rows.len(), rows.len());
            for row in page.rows {
                prop_assert!(Subject::parse(row.user_id.as_str()).is_ok());
            }
        }
    }
}
