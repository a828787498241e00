//! Whom an access token speaks for, and what it grants.

use scaigate_jose::{AccessTokenError, ClaimError, Party};
use scaigate_types::ClientId;
use serde_json::{Value, json};

use crate::access_token::{
    CLIENT, ISSUER, OTHER, claims, error_of, is_user, malformed, missing, read, service, verify,
};
use crate::changed;

#[test]
fn n057_a_person_must_have_a_subject() {
    assert_eq!(error_of(json!({"sub": null})), missing("sub"));
    for subject in [
        json!(""),
        json!(42),
        json!(["usr_1"]),
        json!("a".repeat(256)),
        json!("a b"),
    ] {
        assert_eq!(
            error_of(json!({"sub": subject})),
            malformed("sub"),
            "{subject}"
        );
    }
}

#[test]
fn n058_a_service_is_never_a_person_and_a_person_never_a_service() {
    // What says that it is a service, each alone; then the subject.
    let services = [
        (service(json!({})), "svc-1", false),
        (service(json!({"client_id": null})), "svc-1", false),
        (service(json!({"token_type": null})), "svc-1", false),
        (
            service(json!({"token_type": null, "platform_token": true})),
            "svc-1",
            true,
        ),
        (
            service(json!({"platform_token": true, "client_id": null})),
            "svc-1",
            true,
        ),
        (service(json!({"platform_token": false})), "svc-1", false),
        (
            claims(json!({"sub": CLIENT, "client_id": null})),
            CLIENT,
            false,
        ),
        // Its own client, though not the audience it is read for.
        (
            claims(json!({"sub": OTHER, "client_id": null})),
            OTHER,
            false,
        ),
        (
            claims(json!({"sub": "client-3", "client_id": null, "aud": [CLIENT, "client-3"]})),
            "client-3",
            false,
        ),
    ];
    for (claims, id, platform) in services {
        let expected = Party::Service {
            client_id: ClientId::parse(id).unwrap(),
            is_platform: platform,
        };
        assert_eq!(verify(&claims).unwrap().party, expected, "{claims}");
    }
    for changes in [
        json!({}),
        json!({"client_id": null}),
        json!({"platform_token": false}),
        json!({"token_type": "Bearer"}),
        json!({"token_type": "Client_Credentials"}),
        json!({"client_id": CLIENT}),
    ] {
        assert!(is_user(&read(changes.clone()).party), "{changes}");
    }
}

#[test]
fn n058_a_services_subject_must_be_the_service() {
    let refused = Some(AccessTokenError::ServiceSubject);
    let cases = [
        (service(json!({"sub": "usr_1"})), refused.clone()),
        (
            service(json!({"sub": "usr_1", "token_type": null, "platform_token": true})),
            refused.clone(),
        ),
        (service(json!({"client_id": "svc-2"})), refused.clone()),
        (claims(json!({"sub": CLIENT})), refused),
        (
            service(json!({"sub": "svc 1", "client_id": null})),
            malformed("sub"),
        ),
        (service(json!({"client_id": 7})), malformed("client_id")),
        (service(json!({"client_id": ""})), malformed("client_id")),
        (
            service(json!({"token_type": ["client_credentials"]})),
            malformed("token_type"),
        ),
        (
            service(json!({"platform_token": "true"})),
            malformed("platform_token"),
        ),
        (
            service(json!({"platform_token": 1})),
            malformed("platform_token"),
        ),
    ];
    for (claims, expected) in cases {
        assert_eq!(verify(&claims).err(), expected, "{claims}");
    }
}

#[test]
fn s31_a_service_without_subject_is_named_as_such() {
    for subject in [Value::Null, json!("")] {
        for changes in [
            json!({"sub": null}),
            json!({"sub": null, "client_id": null}),
            json!({"sub": null, "token_type": null, "platform_token": true}),
        ] {
            let mut claims = service(changes);
            if subject == json!("") {
                claims["sub"] = subject.clone();
            }
            assert_eq!(
                verify(&claims).err(),
                Some(AccessTokenError::ServiceWithoutSubject),
                "{claims}"
            );
        }
    }
    assert_eq!(verify(&service(json!({"sub": 7}))).err(), malformed("sub"));
}

/// `depth` actors, the outermost called `a1`.
fn chain(depth: usize) -> Value {
    (1..=depth).rev().fold(Value::Null, |inner, n| {
        let actor = json!({"sub": format!("a{n}")});
        if inner.is_null() {
            actor
        } else {
            changed(actor, &json!({"act": inner}))
        }
    })
}

#[test]
fn n128_the_chain_of_actors_is_kept_in_order() {
    for (depth, expected) in [
        (1, &["a1"][..]),
        (2, &["a1", "a2"]),
        (4, &["a1", "a2", "a3", "a4"]),
    ] {
        let token = read(json!({"act": chain(depth)}));
        assert_eq!(token.actors, expected);
        // Exchanged for a person, it stays the person's.
        assert!(is_user(&token.party));
    }
}

#[test]
fn n128_a_chain_that_is_too_deep_or_forged_is_refused() {
    for act in [
        chain(5),
        chain(7),
        json!({}),
        json!([]),
        json!("svc-1"),
        json!([{"sub": "a1"}]),
        json!({"sub": ""}),
        json!({"sub": 7}),
        json!({"sub": "a 1"}),
        json!({"sub": "a".repeat(256)}),
        json!({"sub": "a1", "act": "a2"}),
        json!({"sub": "a1", "act": {}}),
        json!({"sub": "a1", "act": {"iss": ISSUER}}),
        json!({"act": {"sub": "a2"}}),
    ] {
        let error = error_of(json!({"act": act}));
        assert_eq!(error, Some(AccessTokenError::ActorChain), "{act}");
    }
}

#[test]
fn scopes_are_a_text_with_spaces_or_a_list() {
    let cases = [
        (json!("a b:read  c"), vec!["a", "b:read", "c"]),
        (json!(" a a "), vec!["a"]),
        (json!(["a", "b", "a"]), vec!["a", "b"]),
        (json!(["a b", "c", 7, null, ""]), vec!["c"]),
        (json!("a\tb c\u{0}d ä \"e\" f\\ g"), vec!["g"]),
        (json!(format!("{} a", "s".repeat(257))), vec!["a"]),
        (json!(""), vec![]),
        (json!([]), vec![]),
    ];
    for (scope, expected) in cases {
        assert_eq!(read(json!({"scope": scope})).scopes, expected, "{scope}");
    }
    assert!(read(json!({"scope": null})).scopes.is_empty());
    for scope in [json!(7), json!(true), json!({"a": true})] {
        assert_eq!(error_of(json!({"scope": scope})), malformed("scope"));
    }
}

#[test]
fn n141_more_than_512_entries_refuse_the_token() {
    let entries = |count: usize| (0..count).map(|n| format!("{n}")).collect::<Vec<_>>();
    for name in ["scope", "permissions", "roles", "groups"] {
        assert_eq!(error_of(json!({name: entries(512)})), None);
        let error = error_of(json!({name: entries(513)}));
        assert_eq!(error, Some(ClaimError::TooMany(name).into()));
    }
    let error = error_of(json!({"scope": entries(513).join(" ")}));
    assert_eq!(error, Some(ClaimError::TooMany("scope").into()));
}

#[test]
fn what_describes_the_bearer_is_read() {
    let token = read(json!({
        "permissions": "p1", "role": "tenant_admin", "roles": ["member", "tenant_admin"],
        "groups": ["g1", 7, "g1"], "email": "ada@example.com", "name": "A\u{202e}da",
    }));
    assert_eq!(token.permissions, ["p1"]);
    assert_eq!(token.roles, ["tenant_admin", "member"]);
    assert_eq!(token.groups, ["g1"]);
    assert_eq!(token.email.as_deref(), Some("ada@example.com"));
    assert_eq!(token.name.as_deref(), Some("Ada"));
    assert_eq!(read(json!({"email": "ada"})).email, None);
    for sid in [json!(""), json!("s".repeat(257)), json!(7)] {
        assert_eq!(error_of(json!({"sid": sid})), malformed("sid"));
    }
}

#[test]
fn n055_debug_shows_nothing_personal() {
    let token = read(json!({
        "email": "ada@example.com", "name": "Ada", "sid": "s-1", "groups": ["g-1"],
        "act": {"sub": "act-1"},
    }));
    let shown = format!("{token:?}");
    for text in ["ada", "Ada", "usr_1", "s-1", "g-1", "act-1"] {
        assert!(!shown.contains(text), "{shown}");
    }
}
