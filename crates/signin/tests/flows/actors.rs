//! Who did it, as the audit log says it.

use scaigate_signin::Principal;
use serde_json::json;

use crate::world::{TENANT, World, caller, caller_with};

/// The name and the tenant in the audit log.
fn shown(principal: &Principal) -> (String, Option<String>) {
    let actor = principal.actor();
    let tenant_id = actor.tenant_id.map(|id| id.as_str().to_owned());
    (actor.name, tenant_id)
}

#[test]
fn a_person_is_named_by_their_row_and_one_without_by_the_subject() {
    let world = World::new();
    let session = world.session();
    let acme = Some(TENANT.to_owned());
    let person = format!("person:{}", session.person.person_id.as_str());
    let of = |token: &str| shown(&caller(&world, &world.instance(), token).unwrap());
    assert_eq!(
        of(session.access_token.expose()),
        (person.clone(), acme.clone())
    );
    // By whatever they are known, they are the same.
    let token = world.scaikey.access_token(&json!({}));
    assert_eq!(of(&token), (person, acme.clone()));
    let token = world.scaikey.access_token(&json!({ "sub": "usr_new" }));
    assert_eq!(of(&token), ("subject:usr_new".to_owned(), acme));
}

#[test]
fn a_service_is_named_by_its_client_and_one_of_the_platform_has_no_tenant() {
    let world = World::new();
    world.session();
    for (tenant_id, is_platform) in [(json!(TENANT), false), (json!(null), true)] {
        let token = world.scaikey.access_token(&json!({
            "sub": "svc_a", "client_id": "svc_a", "tenant_id": tenant_id,
            "platform_token": is_platform,
        }));
        let service = caller(&world, &world.instance(), &token).unwrap();
        let expected = (!is_platform).then(|| TENANT.to_owned());
        assert_eq!(shown(&service), ("service:svc_a".to_owned(), expected));
    }
}

#[test]
fn a_test_user_is_named_as_nobody_whom_scaikey_knows() {
    let local = ("public_url", "http://127.0.0.1:3000");
    let world = World::with(&[local, ("env", "dev"), ("scaiwave_auth_mode", "mock")]);
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", "Bearer anything".parse().unwrap());
    let principal = caller_with(&world, &world.instance(), &headers).unwrap();
    assert!(matches!(principal, Principal::Dev(_)));
    let (name, _) = shown(&principal);
    assert!(name.starts_with("subject:"), "{name}");
}
