//! Pages as ScaiKey may write them, honest and not.

use http::Response;
use scaigate_types::{GroupId, PartnerId, Subject, TenantId};
use serde_json::{Value, json};

use super::*;
use crate::fixtures::answer;

mod hostile;
mod lies;
mod properties;

const JSON: &str = "application/json";

fn read<T: DirectoryRow>(body: &str) -> Result<Page<T>, DirectoryError> {
    parse_page(&answer(200, JSON, body))
}

fn one<T: DirectoryRow>(row: &Value) -> Result<T, DirectoryError> {
    let mut page = read(&json!([row]).to_string())?;
    assert_eq!(page.rows.len(), 1);
    Ok(page.rows.remove(0))
}

fn user(id: &str) -> UserRow {
    UserRow {
        user_id: Subject::parse(id).unwrap(),
        tenant_id: None,
        email: None,
        display_name: None,
        status: None,
    }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn acme() -> Option<TenantId> {
    Some(TenantId::parse("tnt_acme").unwrap())
}

#[test]
fn every_envelope_is_read() {
    let row = json!({"id": "usr_1"});
    let table = [
        (
            json!({"data": [row], "meta": {"page": 1, "per_page": 20, "total": 7, "total_pages": 1}}),
            Some(7),
        ),
        (json!({"meta": {"total": 7}, "data": [row]}), Some(7)),
        (json!({"data": [row]}), None),
        (json!({"data": [row], "meta": null}), None),
        (json!({"data": [row], "meta": {}}), None),
        (json!({"data": [row], "pagination": {"total": 7}}), Some(7)),
        (
            json!({"items": [row], "total": 7, "page": 1, "per_page": 20}),
            Some(7),
        ),
        (
            json!({"items": [row], "total": 7, "meta": {"total": "7"}}),
            Some(7),
        ),
        (json!({"data": {"items": [row]}}), None),
        (json!({"data": {"items": [row], "total": 7}}), Some(7)),
        (
            json!({"data": {"items": [row]}, "meta": {"total": 7}}),
            Some(7),
        ),
        (
            json!({"data": {"pagination": {"total": 7}, "items": [row]}}),
            Some(7),
        ),
        (json!({"success": true, "error": null, "data": [row]}), None),
        (json!([row]), None),
    ];
    for (body, total) in table {
        let rows = vec![user("usr_1")];
        let page = read(&body.to_string());
        assert_eq!(page, Ok(Page { rows, total }), "{body}");
    }
}

#[test]
fn an_empty_list_is_a_page_and_a_missing_one_is_not() {
    for body in [
        r#"{"data":[],"meta":{"total":0}}"#,
        r#"{"items":[]}"#,
        r#"{"data":{"items":[]}}"#,
        " [ ] \n",
    ] {
        let page = read::<UserRow>(body).unwrap();
        assert!(page.rows.is_empty(), "{body}");
    }
    for body in [
        r#"{"data":null}"#,
        r#"{"items":null}"#,
        r#"{"data":{}}"#,
        r#"{"data":{"items":null}}"#,
        r#"{"data":{"data":[]}}"#,
        r#"{"meta":{"total":0}}"#,
        r#"{"users":[]}"#,
        r#"{"data":"[]"}"#,
        r#"{"data":0}"#,
        r#"{"items":{"items":[]}}"#,
        r#"{"detail":"Not Found"}"#,
        r#"{"data":[],"error":{"code":"timeout"}}"#,
        r#"{"error":"timeout","data":[]}"#,
        "{}",
        "null",
        "0",
        "\"[]\"",
        "",
    ] {
        assert_eq!(
            read::<UserRow>(body),
            Err(DirectoryError::Malformed),
            "{body}"
        );
    }
}

#[test]
fn a_total_is_a_number_or_digits() {
    let table = [
        ("0", Ok(Some(0))),
        ("18446744073709551615", Ok(Some(u64::MAX))),
        ("\"120\"", Ok(Some(120))),
        ("\"18446744073709551615\"", Ok(Some(u64::MAX))),
        ("null", Ok(None)),
        ("18446744073709551616", Err(DirectoryError::Malformed)),
        ("\"18446744073709551616\"", Err(DirectoryError::Malformed)),
        ("-1", Err(DirectoryError::Malformed)),
        ("1.5", Err(DirectoryError::Malformed)),
        ("1e2", Err(DirectoryError::Malformed)),
        ("\"+1\"", Err(DirectoryError::Malformed)),
        ("\" 1\"", Err(DirectoryError::Malformed)),
        ("\"\"", Err(DirectoryError::Malformed)),
        ("\"many\"", Err(DirectoryError::Malformed)),
        ("[1]", Err(DirectoryError::Malformed)),
        ("true", Err(DirectoryError::Malformed)),
    ];
    for (total, expected) in table {
        for body in [
            format!(r#"{{"data":[],"meta":{{"total":{total}}}}}"#),
            format!(r#"{{"items":[],"total":{total}}}"#),
        ] {
            let read = read::<UserRow>(&body).map(|page| page.total);
            assert_eq!(read, expected, "{body}");
        }
    }
}

#[test]
fn every_spelling_of_a_person_is_read() {
    let ada = UserRow {
        user_id: Subject::parse("usr_1").unwrap(),
        tenant_id: acme(),
        email: text("ada@acme.example"),
        display_name: text("Ada Lovelace"),
        status: Some(Status::Active),
    };
    let table = [
        // Flat, with the fields that are of no interest.
        json!({"id": "usr_1", "tenant_id": "tnt_acme", "email": "ada@acme.example", "email_verified": true,
            "first_name": "Ada", "last_name": "Lovelace", "status": "ACTIVE", "role": null, "custom_attributes": {"a": [1]}}),
        json!({"id": "usr_1", "tenant": {"id": "tnt_acme", "name": "Acme", "slug": "acme"},
            "email": "ada@acme.example", "first_name": "Ada", "last_name": "Lovelace", "status": "active"}),
        json!({"user_id": "usr_1", "tenant_id": "tnt_acme", "tenant": {"id": "tnt_acme"}, "email": "ada@acme.example",
            "display_name": "Ada Lovelace", "name": "Other", "first_name": "Other", "status": "Active"}),
        json!({"user_id": "usr_1", "tenant_id": "tnt_acme", "tenant": "Acme", "email": "ada@acme.example",
            "display_name": null, "name": "Ada Lovelace", "status": "ACTIVE"}),
        // A member's row.
        json!({"user_id": "usr_1", "id": "gm_77", "tenant_id": "tnt_acme", "email": "ada@acme.example",
            "display_name": "", "name": "Ada Lovelace", "status": "ACTIVE", "membership_type": "DIRECT", "added_at": "2025-01-01T00:00:00Z"}),
    ];
    for row in table {
        assert_eq!(one(&row), Ok(ada.clone()), "{row}");
    }
    let bare = json!({"user_id": null, "id": "usr_1", "tenant_id": null, "tenant": {"name": "x"}, "status": null});
    assert_eq!(one(&bare), Ok(user("usr_1")));
}

#[test]
fn tenants_and_groups_are_read() {
    let acme_row = TenantRow {
        tenant_id: acme().unwrap(),
        name: text("Acme"),
        slug: text("acme"),
        partner_id: Some(PartnerId::parse("prt_1").unwrap()),
        status: Some(Status::Suspended),
    };
    for row in [
        json!({"id": "tnt_acme", "name": "Acme", "slug": "acme", "partner_id": "prt_1", "status": "SUSPENDED"}),
        json!({"tenant_id": "tnt_acme", "name": "Acme", "slug": "acme", "partner": {"id": "prt_1"}, "status": "suspended"}),
    ] {
        assert_eq!(one(&row), Ok(acme_row.clone()), "{row}");
    }
    let staff = GroupRow {
        group_id: GroupId::parse("grp_1").unwrap(),
        tenant_id: acme(),
        name: text("Staff"),
        group_type: text("SECURITY"),
    };
    for row in [
        json!({"id": "grp_1", "tenant_id": "tnt_acme", "name": "Staff", "group_type": "SECURITY", "parent_id": null, "member_count": 3}),
        json!({"group_id": "grp_1", "tenant": {"id": "tnt_acme"}, "name": "Staff", "group_type": "SECURITY"}),
    ] {
        assert_eq!(one(&row), Ok(staff.clone()), "{row}");
    }
}

#[test]
fn rows_are_staged_as_flat_objects() {
    let user = json!({"user_id": "usr_1", "tenant_id": "tnt_acme", "email": null, "display_name": "Ada", "status": "PENDING"});
    let tenant = json!({"tenant_id": "tnt_acme", "name": "Acme", "slug": "acme", "partner_id": "prt_1", "status": "ACTIVE"});
    let group =
        json!({"group_id": "grp_1", "tenant_id": "tnt_acme", "name": "Staff", "group_type": null});
    // What is staged is also what is read, so one text shows both.
    assert_eq!(json!(one::<UserRow>(&user).unwrap()), user);
    assert_eq!(json!(one::<TenantRow>(&tenant).unwrap()), tenant);
    assert_eq!(json!(one::<GroupRow>(&group).unwrap()), group);
}

#[test]
fn what_is_only_shown_fails_no_page() {
    let absurd = [
        json!(7),
        json!(true),
        json!(["a@b"]),
        json!({"first_name": "Ada"}),
        json!("\u{0}"),
        json!(" "),
    ];
    for value in absurd {
        let row = json!({"id": "usr_1", "email": value, "display_name": value, "name": value, "first_name": value, "last_name": value});
        assert_eq!(one(&row), Ok(user("usr_1")), "{value}");
        let row = json!({"id": "grp_1", "name": value, "group_type": value});
        let group: GroupRow = one(&row).unwrap();
        assert_eq!((group.name, group.group_type), (None, None), "{value}");
        let row = json!({"id": "tnt_acme", "name": value, "slug": value});
        let tenant: TenantRow = one(&row).unwrap();
        assert_eq!((tenant.name, tenant.slug), (None, None), "{value}");
    }
    let long = json!({"id": "usr_1", "email": format!("{}@b", "a".repeat(320)), "display_name": "x".repeat(1000)});
    let row: UserRow = one(&long).unwrap();
    assert_eq!(
        (row.email, row.display_name),
        (None, text(&"x".repeat(256)))
    );
}

#[test]
fn a_status_of_another_type_is_not_active() {
    for value in [
        json!(true),
        json!(1),
        json!({}),
        json!([]),
        json!(""),
        json!("ON"),
    ] {
        let row: UserRow = one(&json!({"id": "usr_1", "status": value})).unwrap();
        assert!(matches!(row.status, Some(Status::Other(_))), "{value}");
    }
}

#[test]
fn a_row_needs_an_id_that_can_be_used() {
    let long = "u".repeat(256);
    let bad = [
        json!(null),
        json!(""),
        json!(7),
        json!(true),
        json!({}),
        json!([]),
        json!("a b"),
        json!("ä"),
        json!("a\u{0}"),
        json!(long),
    ];
    for id in bad {
        let without = Some(DirectoryError::RowWithoutId);
        assert_eq!(one::<UserRow>(&json!({"id": id})).err(), without, "{id}");
        assert_eq!(
            one::<UserRow>(&json!({"user_id": id})).err(),
            without,
            "{id}"
        );
        assert_eq!(one::<TenantRow>(&json!({"id": id})).err(), without, "{id}");
        assert_eq!(one::<GroupRow>(&json!({"id": id})).err(), without, "{id}");
        if !id.is_null() {
            let both = json!({"user_id": id, "id": "usr_1"});
            assert_eq!(one::<UserRow>(&both).err(), without, "{id}");
        }
    }
    for dots in [".", ".."] {
        let without = Some(DirectoryError::RowWithoutId);
        assert_eq!(
            one::<TenantRow>(&json!({"id": dots})).err(),
            without,
            "{dots}"
        );
        assert_eq!(
            one::<GroupRow>(&json!({"id": dots})).err(),
            without,
            "{dots}"
        );
    }
}

#[test]
fn n_103_a_row_of_an_unclear_tenant_or_partner_is_refused() {
    let unclear = [
        json!({"tenant_id": ""}),
        json!({"tenant_id": 7}),
        json!({"tenant_id": ["tnt_acme"]}),
        json!({"tenant_id": "tnt acme"}),
        json!({"tenant": {"id": 7}}),
        json!({"tenant": {"id": ""}}),
        json!({"tenant_id": "tnt_acme", "tenant": {"id": "tnt_other"}}),
        json!({"tenant_id": "tnt_acme", "tenant": {"id": 7}}),
    ];
    for mut row in unclear {
        row["id"] = json!("x_1");
        let error = Some(DirectoryError::RowTenant);
        assert_eq!(one::<UserRow>(&row).err(), error, "{row}");
        assert_eq!(one::<GroupRow>(&row).err(), error, "{row}");
    }
    for row in [
        json!({"id": "tnt_acme", "partner_id": 7}),
        json!({"id": "tnt_acme", "partner_id": "prt_1", "partner": {"id": "prt_2"}}),
    ] {
        let error = Some(DirectoryError::RowPartner);
        assert_eq!(one::<TenantRow>(&row).err(), error, "{row}");
    }
}

#[test]
fn a_failure_is_told_before_the_body_is_read() {
    let scope = r#"{"detail":"Platform token requires admin:read or admin:write scope"}"#;
    let table = [
        (403, JSON, scope, DirectoryError::ScopeMissing),
        (401, JSON, "[]", DirectoryError::Unauthorized),
        (500, JSON, "[]", DirectoryError::Status(500)),
        (203, JSON, "[]", DirectoryError::Status(203)),
        (200, "text/html", "[]", DirectoryError::ContentType),
    ];
    for (status, content_type, body, expected) in table {
        let answer: Response<_> = answer(status, content_type, body);
        assert_eq!(parse_page::<UserRow>(&answer), Err(expected), "{status}");
    }
}
