//! What a client learns before anybody has signed in.

use scaigate_problem::{Code, Problem};
use scaigate_signin::Deadline;
use scaigate_signin::config_document::document;
use scaigate_signin::scaikey;
use scaigate_signin::settings;
use scaigate_types::OutboundError;
use serde_json::{Value, json};

use crate::world::scaikey::Endpoint;
use crate::world::{BASE, World, variables};

fn served(world: &World, changes: &[(&str, &str)]) -> Value {
    let variables = variables(changes);
    let (scaikey, deployment) = (
        settings::scaikey(&variables),
        settings::deployment(&variables),
    );
    let metadata = match &scaikey {
        Ok(scaikey) => {
            let deadline = Deadline::start(&*world.clock);
            world.run(scaikey::metadata(
                &world.instance(),
                &scaikey.provider,
                deadline,
            ))
        }
        Err(faults) => Err(settings::problem(faults)),
    };
    document(
        scaikey
            .as_ref()
            .map(|scaikey| &scaikey.provider)
            .map_err(Vec::as_slice),
        deployment.as_ref().map_err(Vec::as_slice),
        metadata.as_deref(),
    )
}

#[test]
fn shows_both_documented_shapes() {
    let body = served(&World::new(), &[]);
    let flow = json!({
        "auth_mode": "scaikey",
        "scaikey_base_url": BASE,
        "client_id": "app_gate",
        "audience": "app_gate",
        "redirect_uri": "https://gate.example/v1/auth/callback",
    });
    for (name, value) in flow.as_object().unwrap() {
        assert_eq!(&body[name], value, "{name}");
        assert_eq!(&body["data"][name], value, "data.{name}");
    }
    assert_eq!(body["data"]["issuer"], BASE);
    assert_eq!(
        body["data"]["scopes_supported"],
        json!(["openid", "profile", "email"])
    );
    for name in ["authorization_endpoint", "token_endpoint"] {
        assert!(
            body["data"][name]
                .as_str()
                .is_some_and(|url| url.starts_with(BASE)),
            "{name}"
        );
    }
    assert!(body.get("discovery").is_none() && body.get("reason").is_none());
}

#[test]
fn s_05_without_the_three_settings_it_says_which_are_missing() {
    let body = served(
        &World::new(),
        &[
            ("scaikey_base_url", ""),
            ("scaiflow_scaikey_client_secret", ""),
        ],
    );
    assert_eq!(body["auth_mode"], "dev_token");
    assert_eq!(body["client_id"], Value::Null);
    assert_eq!(body["reason"]["code"], "oidc_not_configured");
    let faults = body["reason"]["faults"].as_array().unwrap();
    let named: Vec<&Value> = faults.iter().map(|fault| &fault["setting"]).collect();
    assert_eq!(
        named,
        ["SCAIKEY_BASE_URL", "SCAIFLOW_SCAIKEY_CLIENT_SECRET"]
    );
    assert!(body["data"].get("reason").is_none());
    assert!(body.get("discovery").is_none());
}

#[test]
fn while_discovery_can_not_be_read_it_says_why() {
    for (error, expected) in [
        (OutboundError::Refused, Code::ScaikeyUnreachable),
        (OutboundError::Timeout, Code::ScaikeyTimeout),
    ] {
        let world = World::new();
        world.scaikey.always(Endpoint::Discovery, Err(error));
        let body = served(&world, &[]);
        assert_eq!(body["auth_mode"], "scaikey");
        assert_eq!(body["discovery"]["code"], expected.as_str());
        assert_eq!(body["discovery"]["fix"], expected.fix());
        assert_eq!(body["data"]["token_endpoint"], Value::Null);
    }
}

#[test]
fn what_is_known_is_shown_without_our_own_address() {
    let body = served(&World::new(), &[("public_url", "")]);
    assert_eq!(
        (&body["auth_mode"], &body["redirect_uri"]),
        (&"scaikey".into(), &Value::Null)
    );
}

#[test]
fn n_055_the_secret_is_in_no_form_of_it() {
    let world = World::new();
    let healthy = served(&world, &[]).to_string();
    let variables = variables(&[]);
    let scaikey = settings::scaikey(&variables).unwrap();
    let problem = Problem::new(Code::ScaikeyTimeout);
    let broken = document(Ok(&scaikey.provider), Err(&[]), Err(&problem)).to_string();
    assert!(!healthy.contains("canary") && !broken.contains("canary"));
}
