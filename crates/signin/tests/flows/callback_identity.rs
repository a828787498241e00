//! Finishing a sign-in: who it is that comes back, and what they become here.

use scaigate_problem::Code;
use scaigate_signin::begin::BeginRequest;
use scaigate_signin::callback::{CallbackFailure, Completed};
use serde_json::{Value, json};

use crate::world::{BASE, Signer, World, redeem_request, session_of};

fn code_of(outcome: &Result<Completed, CallbackFailure>) -> Option<Code> {
    outcome.as_ref().err().map(|failure| failure.problem.code())
}

#[test]
fn an_id_token_that_does_not_prove_this_login_signs_nobody_in() {
    let now = crate::world::clock::START.secs();
    let invalid = Some(Code::IdTokenInvalid);
    let table = [
        (
            "N-056 issuer",
            json!({"iss": "https://evil.example"}),
            invalid,
        ),
        ("N-057 no subject", json!({"sub": null}), invalid),
        ("N-058 a service", json!({"sub": "app_gate"}), invalid),
        (
            "S-04 N-059 audience",
            json!({"aud": "other"}),
            Some(Code::AudienceMismatch),
        ),
        (
            "N-060 more audiences",
            json!({"aud": ["app_gate", "other"]}),
            Some(Code::AudienceMismatch),
        ),
        ("N-060 a list of one", json!({"aud": ["app_gate"]}), None),
        ("N-061 expired", json!({"exp": now - 61}), invalid),
        (
            "N-145 expired within the skew",
            json!({"exp": now - 60}),
            None,
        ),
        ("N-062 no iat", json!({"iat": null}), invalid),
        ("N-062 from the future", json!({"iat": now + 61}), invalid),
        ("N-064 no nonce", json!({"nonce": null}), invalid),
        ("N-064 another nonce", json!({"nonce": "made-up"}), invalid),
        (
            "N-078 another access token",
            json!({"at_hash": "made-up"}),
            invalid,
        ),
        (
            "another tenant's issuer",
            json!({"iss": format!("{BASE}/tenants/tnt_evil")}),
            invalid,
        ),
        (
            "the tenant's own issuer",
            json!({"iss": format!("{BASE}/tenants/tnt_acme")}),
            None,
        ),
    ];
    for (name, claims, expected) in table {
        let world = World::new();
        let returning = world.returning(&BeginRequest::default());
        world.scaikey.id_claims.replace(claims);
        let outcome = world.complete(&returning);
        assert_eq!(code_of(&outcome), expected, "{name}");
        if let (Some(Code::AudienceMismatch), Err(failure)) = (expected, &outcome) {
            let told = failure.problem.details();
            assert_eq!(told["expected"], "app_gate", "{name}");
        }
        let sessions = world.number("SELECT count(*) FROM session");
        let people = world.number("SELECT count(*) FROM person");
        let expected = i64::from(expected.is_none());
        assert_eq!((sessions, people), (expected, expected), "{name}");
    }
}

#[test]
fn n_067_a_forged_signature_signs_nobody_in() {
    let world = World::new();
    let returning = world.returning(&BeginRequest::default());
    world.scaikey.signer.set(Signer(2));
    assert_eq!(
        code_of(&world.complete(&returning)),
        Some(Code::IdTokenInvalid)
    );
    world.scaikey.names_keys.set(false);
    let returning = world.returning(&BeginRequest::default());
    assert_eq!(
        code_of(&world.complete(&returning)),
        Some(Code::IdTokenInvalid)
    );
}

#[test]
fn a_tenant_comes_from_the_id_token_or_the_access_token_or_the_issuer() {
    let none = json!({"tenant_id": null});
    let issuer = json!({"tenant_id": "tnt_own", "iss": format!("{BASE}/tenants/tnt_own")});
    let table = [
        (json!({}), json!({}), Ok("tnt_acme")),
        (
            none.clone(),
            json!({"tenant_id": "tnt_access"}),
            Ok("tnt_access"),
        ),
        (
            none.clone(),
            json!({"tenant_id": "tnt_access", "sub": "usr_other"}),
            Err(Code::TenantClaimMissing),
        ),
        (issuer, none.clone(), Ok("tnt_own")),
        (none.clone(), none, Err(Code::TenantClaimMissing)),
    ];
    for (id_claims, access_claims, expected) in table {
        let world = World::new();
        let returning = world.returning(&BeginRequest::default());
        world.scaikey.id_claims.replace(id_claims.clone());
        world.scaikey.access_claims.replace(access_claims);
        let outcome = world.complete(&returning);
        match expected {
            Err(code) => assert_eq!(code_of(&outcome), Some(code), "{id_claims}"),
            Ok(tenant) => {
                let session = session_of(
                    world.redeem(&redeem_request(outcome.unwrap().session_code.expose())),
                );
                assert_eq!(session.person.tenant_id.as_str(), tenant);
            }
        }
    }
}

#[test]
fn n_022_a_login_makes_a_session_of_its_own() {
    let world = World::new();
    let first = world.returning(&BeginRequest::default());
    let same_browser = BeginRequest {
        browser: Some(&first.browser),
        ..BeginRequest::default()
    };
    let second = world.returning(&same_browser);
    let codes = [&first, &second].map(|returning| world.complete(returning).unwrap());
    let sids = codes.map(|completed| {
        let answer = session_of(world.redeem(&redeem_request(completed.session_code.expose())));
        scaigate_jose::RefreshToken::verify(
            &world.settings.sessions.refresh,
            answer.refresh_token.expose(),
        )
        .unwrap()
        .sid
    });
    assert_ne!(sids[0], sids[1]);
    // What the browser held before is worth nothing after.
    assert!(!sids.iter().any(|sid| first.browser.contains(sid.as_str())));
}

#[test]
fn n_039_the_same_address_is_not_the_same_person() {
    let world = World::new();
    let ids = ["usr_ada", "usr_eve"].map(|subject| {
        world.scaikey.id_claims.replace(json!({"sub": subject}));
        world.session().person.person_id
    });
    assert_ne!(ids[0], ids[1]);
    // Nor is the same subject of another tenant, however the issuer is written.
    let iss = format!("{BASE}/tenants/tnt_other");
    for claims in [
        json!({"tenant_id": "tnt_other"}),
        json!({"tenant_id": "tnt_other", "iss": iss}),
    ] {
        world.scaikey.id_claims.replace(claims);
        assert!(!ids.contains(&world.session().person.person_id));
    }
    // But one tenant's issuer is the platform's for that tenant (contract/scaikey.md 8.7).
    let iss = format!("{BASE}/tenants/tnt_acme");
    world
        .scaikey
        .id_claims
        .replace(json!({"sub": "usr_ada", "iss": iss}));
    assert_eq!(world.session().person.person_id, ids[0]);
}

#[test]
fn n_040_only_the_verified_address_itself_becomes_super_admin() {
    let named = "user:Ada.King@acme.example";
    let table = [
        (json!({"email": "ada.king@acme.example"}), true),
        (json!({"email": "ADA.KING@ACME.EXAMPLE"}), true),
        (
            json!({"email": "ada.king@acme.example", "email_verified": null}),
            true,
        ),
        (
            json!({"email": "ada.king@acme.example", "email_verified": false}),
            false,
        ),
        (
            json!({"email": "ada.king@acme.example", "email_verified": "false"}),
            false,
        ),
        (
            json!({"email": "ada.king@acme.example@evil.example"}),
            false,
        ),
        (
            json!({"email": "eve@evil.example,ada.king@acme.example"}),
            false,
        ),
        (
            json!({"email": "ada.king@acme.example.evil.example"}),
            false,
        ),
        (json!({"email": null}), false),
        // U+212A, KELVIN SIGN, is a `k` in lower case.
        (json!({"email": "ada.\u{212a}ing@acme.example"}), false),
    ];
    for (claims, expected) in table {
        let world = World::with(&[("bootstrap_super_admin", named)]);
        world.scaikey.id_claims.replace(claims.clone());
        let role = world.session().person.admin_role;
        assert_eq!(role.is_some(), expected, "{claims}");
    }
}

#[test]
fn the_first_of_a_tenant_is_its_admin_and_later_ones_view() {
    let world = World::new();
    let role = |claims: Value, access: Value| {
        world.scaikey.id_claims.replace(claims);
        world.scaikey.access_claims.replace(access);
        world.session().workspace.role.as_str()
    };
    assert_eq!(role(json!({}), json!({})), "admin");
    assert_eq!(
        role(json!({"sub": "usr_bob"}), json!({"sub": "usr_bob"})),
        "viewer"
    );
    assert_eq!(
        role(
            json!({"sub": "usr_cy", "roles": ["tenant_admin"]}),
            json!({})
        ),
        "admin"
    );
    assert_eq!(
        role(
            json!({"sub": "usr_di"}),
            json!({"sub": "usr_di", "role": "tenant_admin"})
        ),
        "admin"
    );
    // The role of somebody else's access token says nothing.
    assert_eq!(
        role(
            json!({"sub": "usr_ed"}),
            json!({"sub": "usr_di", "role": "tenant_admin"})
        ),
        "viewer"
    );
    assert_eq!(
        role(json!({"sub": "usr_fay", "tenant_id": "tnt_b"}), json!({})),
        "admin"
    );
}

#[test]
fn a_suspended_person_is_told_so_in_the_app() {
    let world = World::new();
    world.session();
    world.sql("UPDATE person SET status = 'suspended'", &[]);
    let failure = world
        .complete(&world.returning(&BeginRequest::default()))
        .err()
        .unwrap();
    assert_eq!(failure.problem.code(), Code::PersonSuspended);
    assert!(failure.return_to.is_some());
    assert_eq!(world.number("SELECT count(*) FROM session"), 1);
}
