//! What is shown of tokens and keys where somebody prints them: no secret, and nobody.

use scaigate_jose::{RefreshSigner, Sealer, SessionSigner, UnverifiedJwt};
use serde_json::json;

use crate::signer::Signer;
use crate::{access_token, id_token, logout_token, ring_of};

#[test]
fn n_055_of_a_token_its_issuer_and_its_client_are_shown() {
    let person = json!({ "email": "ada@example.com", "name": "Ada", "tenant_id": "tnt_1" });
    let text = Signer::Ed25519.token(&access_token::claims(person.clone()));
    let token = UnverifiedJwt::parse(&text).unwrap();
    assert_eq!(
        format!("{token:?}"),
        "UnverifiedJwt { algorithm: EdDsa, .. }"
    );
    let issuer = r#"issuer: Issuer("https://scaikey.example"), "#;
    let tenant = r#"tenant_id: Some(TenantId("tnt_1")), "#;
    let access = access_token::read(person.clone());
    let expected = format!(
        "AccessToken {{ {issuer}party: User {{ .. }}, {tenant}client_id: Some(ClientId(\"app-1\")), .. }}"
    );
    assert_eq!(format!("{access:?}"), expected);
    let service = access_token::verify(&access_token::service(json!({}))).unwrap();
    let expected = "Service { client_id: ClientId(\"svc-1\"), is_platform: false }";
    assert_eq!(format!("{:?}", service.party), expected);
    let id = id_token::verify(person).unwrap();
    assert_eq!(
        format!("{id:?}"),
        format!("IdToken {{ {issuer}{tenant}.. }}")
    );
    let claims = logout_token::claims(json!({ "tenant_id": "tnt_1" }));
    let logout = logout_token::verify(&Signer::Ed25519.token(&claims)).unwrap();
    assert_eq!(
        format!("{logout:?}"),
        format!("LogoutToken {{ {issuer}{tenant}.. }}")
    );
}

#[test]
fn of_keys_their_number_is_shown() {
    let ring = ring_of(&[1, 2]);
    assert_eq!(format!("{ring:?}"), "KeyRing { secrets: 2 }");
    assert_eq!(
        format!("{:?}", SessionSigner::new(&ring)),
        "SessionSigner { keys: 2 }"
    );
    assert_eq!(
        format!("{:?}", RefreshSigner::new(&ring)),
        "RefreshSigner { keys: 2 }"
    );
    assert_eq!(format!("{:?}", Sealer::new(&ring)), "Sealer { keys: 2 }");
}
