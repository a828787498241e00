//! What an ID token says about the person.

use scaigate_jose::{ClaimError, IdToken, IdTokenError};
use serde_json::{Value, json};

use crate::id_token::verify;

fn read(changes: Value) -> IdToken {
    verify(changes).unwrap()
}

#[test]
fn name_is_the_first_usable_of_its_sources() {
    let cases = [
        (json!({}), None),
        (
            json!({"name": "Ada Lovelace", "display_name": "Ada"}),
            Some("Ada Lovelace"),
        ),
        (json!({"name": "", "display_name": "Ada"}), Some("Ada")),
        (json!({"name": 7, "display_name": "Ada"}), Some("Ada")),
        (
            json!({"name": "n".repeat(257), "display_name": "Ada"}),
            Some("Ada"),
        ),
        (
            json!({"first_name": "Ada", "last_name": "Lovelace"}),
            Some("Ada Lovelace"),
        ),
        (
            json!({"given_name": "Ada", "family_name": "Lovelace"}),
            Some("Ada Lovelace"),
        ),
        (json!({"last_name": "Lovelace"}), Some("Lovelace")),
        (json!({"preferred_username": "ada"}), Some("ada")),
        (
            json!({"name": "A\u{0}d\r\na\u{1b}[31m\u{7f}\u{85}"}),
            Some("Ada[31m"),
        ),
        (json!({"name": "\u{202e}adA\u{2066}"}), Some("adA")),
        (json!({"name": " \t "}), None),
        (
            json!({"name": "Ada \u{1f980} \u{5d0}"}),
            Some("Ada \u{1f980} \u{5d0}"),
        ),
        (json!({"name": "é".repeat(128)}), Some(&*"é".repeat(128))),
        (json!({"name": "é".repeat(129)}), None),
    ];
    for (changes, expected) in cases {
        assert_eq!(read(changes.clone()).name.as_deref(), expected, "{changes}");
    }
}

#[test]
fn n040_email_is_one_plain_address_or_nothing() {
    let longest = format!("{}@{}", "a".repeat(64), "b".repeat(255));
    for email in [
        "ada@example.com",
        "Ada@Example.COM",
        "ädä@exämple.com",
        &longest,
    ] {
        assert_eq!(read(json!({"email": email})).email.as_deref(), Some(email));
    }
    for email in [
        json!(""),
        json!("ada"),
        json!("@example.com"),
        json!("ada@"),
        json!("ada@evil.example@example.com"),
        json!("ada @example.com"),
        json!("ada@example.com\r\nBcc: x"),
        json!("ada\u{0}@example.com"),
        json!("ada@\u{202e}moc.elpmaxe"),
        json!(format!("a{longest}")),
        json!(["ada@example.com"]),
        json!(7),
    ] {
        assert_eq!(read(json!({"email": email})).email, None, "{email}");
    }
}

#[test]
fn email_is_verified_only_when_it_says_so() {
    let cases = [
        (json!(true), Some(true)),
        (json!(false), Some(false)),
        (json!("true"), Some(true)),
        (json!("false"), Some(false)),
        (json!("yes"), None),
        (json!(1), None),
        (Value::Null, None),
    ];
    for (value, expected) in cases {
        assert_eq!(
            read(json!({"email_verified": value})).email_verified,
            expected,
            "{value}"
        );
    }
}

#[test]
fn roles_are_the_union_of_role_and_roles() {
    let cases = [
        (json!({}), vec![]),
        (json!({"role": "tenant_admin"}), vec!["tenant_admin"]),
        (json!({"roles": ["a", "b", "a"]}), vec!["a", "b"]),
        (json!({"role": "a", "roles": ["b", "a"]}), vec!["a", "b"]),
        (json!({"role": ["a"], "roles": "b"}), vec!["a", "b"]),
        (
            json!({"roles": ["a", 7, null, {"name": "b"}, "", "r".repeat(257)]}),
            vec!["a"],
        ),
        (json!({"roles": {"a": true}}), vec![]),
    ];
    for (changes, expected) in cases {
        assert_eq!(read(changes.clone()).roles, expected, "{changes}");
    }
}

#[test]
fn n141_more_than_512_groups_refuse_the_token() {
    let groups = |count: usize| (0..count).map(|n| format!("{n}")).collect::<Vec<_>>();
    assert_eq!(read(json!({"groups": groups(512)})).groups.len(), 512);
    let error = verify(json!({"groups": groups(513)})).err();
    assert_eq!(
        error,
        Some(IdTokenError::Claim(ClaimError::TooMany("groups")))
    );
}

#[test]
fn session_claims_of_scaikey_are_read() {
    let token = read(json!({
        "sid": "s-1", "auth_time": 1_799_999_000, "session_expiry": 1_800_040_000,
        "groups": ["grp_1", "Admins"],
    }));
    assert_eq!(token.sid.as_deref(), Some("s-1"));
    assert_eq!(token.auth_time.unwrap().secs(), 1_799_999_000);
    assert_eq!(token.session_expiry.unwrap().secs(), 1_800_040_000);
    assert_eq!(token.groups, ["grp_1", "Admins"]);
    for sid in [json!(""), json!("s".repeat(257)), json!(7)] {
        let error = verify(json!({"sid": sid})).err();
        assert_eq!(
            error,
            Some(IdTokenError::Claim(ClaimError::Malformed("sid")))
        );
    }
}
