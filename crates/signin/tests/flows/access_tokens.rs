//! ScaiKey's access token as a credential.

use std::rc::Rc;

use std::time::Duration;

use scaigate_jose::token_hash;
use scaigate_kv::keys;
use scaigate_problem::Code;
use scaigate_signin::code_post::{self, CodePost};
use scaigate_signin::{Credential, Ports, Principal, Service, User};
use scaigate_types::{AdminRole, Kv as _, Secret};
use serde_json::{Value, json};

use crate::world::clock::START;
use crate::world::scaikey::Endpoint;
use crate::world::{APP, BASE, CLIENT_ID, Signer, TENANT, World, caller, code, detail, says};

/// Something that happens.
type Event<'e> = &'e dyn Fn(&World);

/// A world in which somebody of the tenant has signed in.
fn known() -> World {
    let world = World::new();
    world.session();
    world
}

fn user(world: &World, ports: &impl Ports, token: &str) -> User {
    match caller(world, ports, token).unwrap() {
        Principal::User(user) => Rc::unwrap_or_clone(user),
        other => unreachable!("{other:?} is no person"),
    }
}

fn service(world: &World, claims: &Value) -> Service {
    let token = world.scaikey.access_token(claims);
    match caller(world, &world.instance(), &token).unwrap() {
        Principal::Service(service) => Rc::unwrap_or_clone(service),
        other => unreachable!("{other:?} is no service"),
    }
}

fn outcome(world: &World, ports: &impl Ports, token: &str) -> Option<Code> {
    code(&caller(world, ports, token))
}

#[test]
fn says_which_person_calls() {
    let world = World::new();
    let person = world.session().person;
    world.sql("UPDATE person SET admin_role = 'tenant_admin'", &[]);
    let token = world.scaikey.access_token(&json!({
        "role": "editor", "roles": ["auditor"], "permissions": ["scaicore:view"], "groups": "grp_1",
    }));
    let found = user(&world, &world.instance(), &token);
    assert_eq!(found.issuer.as_str(), format!("{BASE}/tenants/{TENANT}"));
    assert_eq!(found.subject.as_str(), "usr_ada");
    assert_eq!(found.tenant_id.as_str(), TENANT);
    assert_eq!(found.person_id, Some(person.person_id));
    // The token says nothing of them; the row does.
    assert_eq!(found.email.as_deref(), Some("ada@acme.example"));
    assert_eq!(found.name.as_deref(), Some("Ada"));
    assert_eq!(found.admin_role, Some(AdminRole::TenantAdmin));
    assert_eq!(found.workspace, None);
    assert_eq!(found.scopes, ["openid", "profile", "email"]);
    assert_eq!(found.permissions, ["scaicore:view"]);
    assert_eq!(found.roles, ["editor", "auditor"]);
    assert_eq!(found.groups, ["grp_1"]);
    assert_eq!(found.credential, Credential::AccessToken);
    let end = START.plus(Duration::from_secs(3600));
    assert_eq!(found.expires_at, Some(end));
}

#[test]
fn says_who_calls_that_has_never_been_here() {
    let world = known();
    let claims = json!({"sub": "usr_new", "email": "new@acme.example", "name": "New"});
    let token = world.scaikey.access_token(&claims);
    let found = user(&world, &world.instance(), &token);
    assert_eq!((found.person_id, found.admin_role), (None, None));
    assert_eq!(found.email.as_deref(), Some("new@acme.example"));
    assert_eq!(found.name.as_deref(), Some("New"));
}

#[test]
fn n_058_says_which_service_calls_and_no_service_is_a_person() {
    let world = known();
    let of_tenant = json!({"sub": "svc_a", "client_id": "svc_a"});
    let found = service(&world, &of_tenant);
    assert_eq!(found.client_id.as_str(), "svc_a");
    assert_eq!(
        (
            found.tenant_id.as_ref().map(|id| id.as_str()),
            found.is_platform
        ),
        (Some(TENANT), false)
    );
    let of_platform = json!({
        "sub": "svc_b", "client_id": "svc_b", "tenant_id": null, "platform_token": true,
    });
    let found = service(&world, &of_platform);
    assert_eq!((found.tenant_id, found.is_platform), (None, true));
    // Whatever makes it a service, it is no person.
    let by_grant = json!({
        "sub": "svc_c", "client_id": "svc_c", "token_type": "client_credentials",
        "email": "ada@acme.example", "name": "Ada",
    });
    let by_audience = json!({"sub": CLIENT_ID, "client_id": null});
    for claims in [of_tenant, of_platform, by_grant, by_audience] {
        let token = world.scaikey.access_token(&claims);
        let principal = caller(&world, &world.instance(), &token).unwrap();
        let refused = principal.into_user();
        assert_eq!(code(&refused), Some(Code::UserRequired), "{claims}");
        assert_eq!(
            detail(&refused, "sw_code"),
            "SW_AUTH_INSUFFICIENT_PERMISSION"
        );
    }
}

#[test]
fn n_058_no_person_is_a_service() {
    let world = known();
    for claims in [
        json!({}),
        json!({"platform_token": false}),
        json!({"token_type": "authorization_code"}),
        json!({"sub": "app_gate2"}),
        json!({"act": {"sub": "svc_a"}}),
    ] {
        let token = world.scaikey.access_token(&claims);
        let principal = caller(&world, &world.instance(), &token).unwrap();
        assert!(matches!(principal, Principal::User(_)), "{claims}");
    }
}

#[test]
fn s_14_each_rejection_says_why() {
    let invalid = Code::TokenInvalid;
    let claim = "a claim is not usable";
    let kind = "the claims are not those of an access token";
    let bound = "bound to a key, and no bearer token";
    let chain = "the chain of actors is not usable";
    let early = "the access token is not valid yet";
    let foreign = "issued by another issuer";
    let service = "the subject of a service's token is not the service";
    let now = START.secs();
    let table: [(Value, &str); 18] = [
        (json!({"iss": "https://evil.example"}), foreign),
        (json!({"iss": format!("{BASE}/")}), foreign),
        (json!({"iss": format!("{BASE}/tenants/tnt_beta")}), foreign),
        (json!({"iss": null}), claim),
        (json!({"sub": null}), claim),
        (json!({"sub": ""}), claim),
        (json!({"aud": null}), claim),
        (json!({"exp": null}), claim),
        (json!({"exp": "1900000000"}), claim),
        (json!({"iat": null}), claim),
        (json!({"iat": now + 3000}), early),
        (json!({"nbf": now + 3000}), early),
        (json!({"nonce": "n"}), kind),
        (json!({"at_hash": "h"}), kind),
        (json!({"scope": null, "client_id": null}), kind),
        (json!({"cnf": {"jkt": "k"}}), bound),
        (json!({"act": {"sub": 5}}), chain),
        (
            json!({"token_type": "client_credentials", "client_id": "svc_a"}),
            service,
        ),
    ];
    for (changes, reason) in table {
        let world = known();
        let token = world.scaikey.access_token(&changes);
        let result = caller(&world, &world.instance(), &token);
        assert_eq!(code(&result), Some(invalid), "{changes}");
        assert!(says(&result, reason), "{changes}: {reason}");
        assert_eq!(
            detail(&result, "sw_code"),
            "SW_AUTH_INVALID_TOKEN",
            "{changes}"
        );
    }
}

#[test]
fn s_14_a_token_of_another_environment_names_both_issuers() {
    let world = known();
    let token = world
        .scaikey
        .access_token(&json!({"iss": "https://staging.example"}));
    let result = caller(&world, &world.instance(), &token);
    assert_eq!(detail(&result, "expected"), BASE);
    assert_eq!(detail(&result, "received"), "https://staging.example");
}

#[test]
fn s_04_a_token_for_somebody_else_names_both_audiences() {
    for (aud, received) in [
        (json!("other"), json!(["other"])),
        (json!(["other", "more"]), json!(["other", "more"])),
        (json!(""), json!([])),
    ] {
        let world = known();
        let token = world
            .scaikey
            .access_token(&json!({"aud": aud, "client_id": "other"}));
        let result = caller(&world, &world.instance(), &token);
        assert_eq!(code(&result), Some(Code::AudienceMismatch));
        assert_eq!(detail(&result, "expected"), json!([CLIENT_ID]));
        assert_eq!(detail(&result, "received"), received);
        assert_eq!(detail(&result, "sw_code"), "SW_AUTH_INVALID_TOKEN");
        let body = result.err().unwrap().body("/", "req_1");
        assert_eq!(body["detail"], "invalid token: Audience doesn't match");
    }
}

#[test]
fn s_31_a_services_token_without_subject_has_a_code_of_its_own() {
    let world = known();
    for claims in [
        json!({"sub": null, "token_type": "client_credentials"}),
        json!({"sub": "", "token_type": "client_credentials"}),
        json!({"sub": null, "platform_token": true}),
    ] {
        let token = world.scaikey.access_token(&claims);
        let result = caller(&world, &world.instance(), &token);
        assert_eq!(
            code(&result),
            Some(Code::ServiceTokenWithoutSubject),
            "{claims}"
        );
        assert_eq!(detail(&result, "sw_code"), "SW_AUTH_INVALID_TOKEN");
    }
}

#[test]
fn n_065_n_066_n_067_n_076_what_is_not_signed_as_an_access_token_is_rejected() {
    let world = known();
    let claims = world.scaikey.access_token_claims();
    let signed = |header: Value| Signer(1).sign(&header, &claims);
    let kid = Signer(1).kid();
    let unsigned = "the signature could not be verified";
    let algorithm = "the algorithm is not accepted";
    let forged = Signer(2).sign(&json!({"alg": "EdDSA", "kid": kid}), &claims);
    let table = [
        (forged, unsigned),
        (signed(json!({"alg": "none", "kid": kid})), algorithm),
        (signed(json!({"alg": "HS256", "kid": kid})), algorithm),
        (signed(json!({"kid": kid})), algorithm),
        (signed(json!({"alg": "RS256", "kid": kid})), unsigned),
        (
            signed(json!({"alg": "EdDSA", "kid": kid, "typ": "logout+jwt"})),
            "not an access token",
        ),
        (
            signed(json!({"alg": "EdDSA", "kid": kid, "crit": ["exp"], "exp": 1})),
            "the header asks for an extension that is not supported",
        ),
        ("x".repeat(9000), "the token is longer than 8192 bytes"),
    ];
    for (token, reason) in table {
        let result = caller(&world, &world.instance(), &token);
        assert_eq!(code(&result), Some(Code::TokenInvalid), "{reason}");
        assert!(says(&result, reason), "{reason}");
    }
    for typ in ["at+jwt", "application/at+jwt", "JWT"] {
        let token = signed(json!({"alg": "EdDSA", "kid": kid, "typ": typ}));
        assert_eq!(outcome(&world, &world.instance(), &token), None, "{typ}");
    }
}

#[test]
fn n_076_an_id_token_is_no_access_token() {
    let world = World::new();
    let text = Secret::new(world.scaikey.issue_code(APP, None, None));
    let post = CodePost {
        code: &text,
        code_verifier: None,
        redirect_uri: APP,
    };
    let tokens = world
        .run(code_post::exchange(&world, &world.settings, &post))
        .unwrap();
    let id_token = tokens.id_token.unwrap();
    let result = caller(&world, &world.instance(), id_token.expose());
    assert_eq!(code(&result), Some(Code::TokenInvalid));
    assert_eq!(
        outcome(&world, &world.instance(), tokens.access_token.expose()),
        None
    );
}

#[test]
fn a_token_of_a_tenant_that_nobody_has_come_from_is_not_found() {
    let world = known();
    for claims in [
        json!({"tenant_id": "tnt_other"}),
        json!({"tenant_id": "tnt_other", "sub": "svc_a", "client_id": "svc_a"}),
        json!({"tenant_id": null, "iss": format!("{BASE}/tenants/tnt_other")}),
    ] {
        let token = world.scaikey.access_token(&claims);
        let result = caller(&world, &world.instance(), &token);
        assert_eq!(code(&result), Some(Code::TenantNotFound), "{claims}");
        assert_eq!(detail(&result, "tenant_id"), "tnt_other");
        assert_eq!(detail(&result, "sw_code"), "SW_TENANT_NOT_FOUND");
        assert_eq!(result.err().unwrap().code().status(), 404);
    }
    let token = world.scaikey.access_token(&json!({"tenant_id": null}));
    assert_eq!(
        outcome(&world, &world.instance(), &token),
        Some(Code::TenantClaimMissing)
    );
}

#[test]
fn a_suspended_person_is_rejected_and_others_are_not() {
    let world = known();
    world.sql("UPDATE person SET status = 'suspended'", &[]);
    let token = world.scaikey.access_token(&json!({}));
    let result = caller(&world, &world.instance(), &token);
    assert_eq!(code(&result), Some(Code::PersonSuspended));
    assert_eq!(result.err().unwrap().code().status(), 403);
    let other = world.scaikey.access_token(&json!({"sub": "usr_bob"}));
    assert_eq!(outcome(&world, &world.instance(), &other), None);
}

/// Revokes Ada's tokens of the tenant's people, as a logout token of the tenant does.
fn revoke(world: &World, tenant_id: &str) {
    let token = world.scaikey.logout_token(&json!({
        "iss": format!("{BASE}/tenants/{tenant_id}"),
    }));
    let provider = &world.settings.scaikey.provider;
    let flow = scaigate_signin::backchannel_logout::backchannel_logout(world, provider, &token);
    assert!(world.run(flow).is_ok());
}

#[test]
fn a_revoked_subjects_tokens_are_rejected_that_were_issued_until_then() {
    let world = known();
    let issued = |seconds: u64| {
        let iat = START.secs() - 10 + seconds;
        world.scaikey.access_token(&json!({"iat": iat}))
    };
    let tokens: Vec<String> = [0, 9, 10, 11, 30].map(issued).into();
    let other = world.scaikey.access_token(&json!({"sub": "usr_bob"}));
    revoke(&world, TENANT);
    world.clock.advance(Duration::from_secs(30));
    let revoked = Some(Code::TokenRevoked);
    for (token, expected) in tokens.iter().zip([revoked, revoked, revoked, None, None]) {
        assert_eq!(outcome(&world, &world.instance(), token), expected);
    }
    assert_eq!(outcome(&world, &world.instance(), &other), None);
}

#[test]
fn a_verified_token_costs_nothing_for_two_seconds_and_then_one_look_at_each_store() {
    let world = known();
    let own = world.instance();
    // The documents, which an instance remembers as long, are older than what it verified.
    let another = world.scaikey.access_token(&json!({"jti": "another"}));
    assert_eq!(outcome(&world, &own, &another), None);
    world.clock.advance(Duration::from_secs(300));
    let token = world.scaikey.access_token(&json!({}));
    assert_eq!(outcome(&world, &own, &token), None);
    let fetched = world.scaikey.count(Endpoint::Keys);
    // The instance goes on without the key: it does not check again.
    world.scaikey.published.replace(vec![Signer(2)]);
    world.forget_documents();
    world.kv.plan.heal();
    world.db.plan.heal();
    for (millis, calls) in [(0, 0), (1999, 0), (1, 1), (1999, 0), (1, 1), (500_000, 1)] {
        world.clock.advance(Duration::from_millis(millis));
        assert_eq!(outcome(&world, &own, &token), None);
        assert_eq!(world.kv.plan.heal().len(), calls, "{millis}");
        assert_eq!(world.db.plan.heal().len(), calls, "{millis}");
    }
    assert_eq!(world.scaikey.count(Endpoint::Keys), fetched);
    // Not for ever: a key withdrawn at ScaiKey stops counting after ten minutes.
    world.clock.advance(Duration::from_secs(100));
    assert_eq!(outcome(&world, &own, &token), Some(Code::TokenInvalid));
}

#[test]
fn a_remembered_token_still_expires() {
    let world = known();
    let end = START.secs() + 100;
    let token = world.scaikey.access_token(&json!({"exp": end}));
    let own = world.instance();
    for (seconds, expected) in [
        (0, None),
        (155, None),
        (5, None),
        (1, Some(Code::TokenExpired)),
    ] {
        world.clock.advance(Duration::from_secs(seconds));
        let result = caller(&world, &own, &token);
        assert_eq!(code(&result), expected, "{seconds}");
        if expected.is_some() {
            assert_eq!(detail(&result, "sw_code"), "SW_AUTH_EXPIRED_TOKEN");
        }
        // One that remembers nothing agrees.
        assert_eq!(
            outcome(&world, &world.instance(), &token),
            expected,
            "{seconds}"
        );
    }
}

#[test]
fn a_revocation_and_a_suspension_are_believed_within_two_seconds() {
    let suspend = |world: &World| world.sql("UPDATE person SET status = 'suspended'", &[]);
    let revoke = |world: &World| revoke(world, TENANT);
    let events: [(Event<'_>, Code); 2] = [
        (&suspend, Code::PersonSuspended),
        (&revoke, Code::TokenRevoked),
    ];
    for (happens, expected) in events {
        let world = known();
        let token = world.scaikey.access_token(&json!({}));
        let own = world.instance();
        assert_eq!(outcome(&world, &own, &token), None);
        happens(&world);
        assert_eq!(outcome(&world, &world.instance(), &token), Some(expected));
        world.clock.advance(Duration::from_millis(1999));
        assert_eq!(outcome(&world, &own, &token), None);
        world.clock.advance(Duration::from_millis(1));
        assert_eq!(outcome(&world, &own, &token), Some(expected));
    }
}

#[test]
fn n_080_n_088_two_tenants_with_one_key_and_one_sub_have_two_people() {
    let world = known();
    world
        .scaikey
        .id_claims
        .replace(json!({"tenant_id": "tnt_beta"}));
    world.session();
    let of = |tenant_id: &str| {
        let issuer = format!("{BASE}/tenants/{tenant_id}");
        world
            .scaikey
            .access_token(&json!({"iss": issuer, "tenant_id": tenant_id}))
    };
    let (acme, beta) = (of(TENANT), of("tnt_beta"));
    let own = world.instance();
    let (first, second) = (user(&world, &own, &acme), user(&world, &own, &beta));
    assert_ne!(first.issuer, second.issuer);
    assert_ne!(first.person_id, second.person_id);
    assert!(first.person_id.is_some() && second.person_id.is_some());
    revoke(&world, TENANT);
    assert_eq!(
        outcome(&world, &world.instance(), &acme),
        Some(Code::TokenRevoked)
    );
    assert_eq!(outcome(&world, &world.instance(), &beta), None);
}

#[test]
fn both_issuers_of_a_tenant_speak_of_one_person() {
    let world = World::new();
    let person = world.session().person;
    let issuer = format!("{BASE}/tenants/{TENANT}");
    let tokens = [
        json!({}),
        json!({"iss": issuer}),
        json!({"iss": issuer, "tenant_id": null}),
    ]
    .map(|claims| world.scaikey.access_token(&claims));
    for token in &tokens {
        let found = user(&world, &world.instance(), token);
        assert_eq!(found.person_id.as_ref(), Some(&person.person_id));
    }
    revoke(&world, TENANT);
    for token in &tokens {
        let rejected = outcome(&world, &world.instance(), token);
        assert_eq!(rejected, Some(Code::TokenRevoked));
    }
}

#[test]
fn an_unreadable_revocation_revokes_everything() {
    let world = known();
    let issuer = format!("{BASE}/tenants/{TENANT}");
    let digest = token_hash("subject", &format!("{issuer} usr_ada"));
    let key = keys::subject_revocation(&digest);
    world.run(world.kv.inner.set(&key, b"soon")).unwrap();
    world.clock.advance(Duration::from_secs(3600));
    let outcome_of = |claims: &Value| {
        let token = world.scaikey.access_token(claims);
        outcome(&world, &world.instance(), &token)
    };
    assert_eq!(outcome_of(&json!({})), Some(Code::TokenRevoked));
    assert_eq!(outcome_of(&json!({"sub": "usr_bob"})), None);
}
