//! Whose credential speaks.

use scaigate_problem::Code;
use scaigate_types::{AdminRole, OutboundError};

use crate::world::{
    DEPLOYMENT_KEY, KEY, TOKEN, Told, World, author, body, code, credential, dev, service, tenant,
    told,
};

const DENIED: &str = r#"{"error":{"code":"AUTHZ_PERMISSION_DENIED"}}"#;

/// The credentials that ScaiGrid saw when `world` read the models.
fn sent(world: &World, principal: &scaigate_signin::Principal) -> Vec<String> {
    let _ = world.get("/v1/scaigrid/models", principal);
    world.grid.seen().iter().map(credential).collect()
}

#[test]
fn the_documented_order_and_the_setting_that_pins_it() {
    let table: &[(&str, &str, bool, bool, Option<&str>)] = &[
        // pin, env, has a token, has a key, what is sent
        ("", "prod", true, true, Some(TOKEN)),
        ("", "prod", false, true, Some(KEY)),
        ("", "prod", false, false, None),
        ("", "dev", false, false, Some(DEPLOYMENT_KEY)),
        ("", "dev", false, true, Some(KEY)),
        ("user_jwt", "dev", true, true, Some(TOKEN)),
        ("user_jwt", "dev", false, true, None),
        ("api_key", "dev", true, true, Some(KEY)),
        ("api_key", "dev", true, false, Some(DEPLOYMENT_KEY)),
        ("api_key", "prod", true, false, None),
    ];
    for (pin, env, has_token, has_key, expected) in table {
        let world = World::with(&[
            ("scaiflow_deploy_auth", pin),
            ("env", env),
            ("scaigrid_api_key", DEPLOYMENT_KEY),
        ]);
        if *has_key {
            world.set_key(KEY);
        }
        let principal = if *has_token { author() } else { dev(None) };
        let sent = sent(&world, &principal);
        let expected: Vec<String> = expected.iter().map(|&text| text.to_owned()).collect();
        assert_eq!(sent, expected, "{pin} {env} {has_token} {has_key}");
    }
}

#[test]
fn s_06_without_any_the_fix_says_what_this_caller_can_do() {
    for (pin, admin_role, may, names) in [
        ("", None, false, "which you may not"),
        ("", Some(AdminRole::TenantAdmin), true, "which you may,"),
        (
            "api_key",
            Some(AdminRole::SuperAdmin),
            true,
            "which you may.",
        ),
        ("api_key", None, false, "which you may not"),
        ("user_jwt", None, false, "POST /v1/auth/login"),
    ] {
        let world = World::with(&[
            ("scaiflow_deploy_auth", pin),
            ("scaigrid_api_key", DEPLOYMENT_KEY),
        ]);
        let result = world.get("/v1/scaigrid/models", &dev(admin_role));
        assert_eq!(code(&result), Some(Code::MissingCredentials));
        let body = body(&result);
        assert_eq!(body["status"], 412);
        let fix = body["error"]["fix"].as_str().unwrap();
        assert!(fix.contains(names), "{pin}: {fix}");
        assert!(fix.contains("POST /v1/tenants/me/scaigrid_credentials"));
        assert_eq!(body["detail"]["fix"], fix);
        let details = &body["error"]["details"];
        assert_eq!(details["caller_may_set"], may);
        assert_eq!(details["scaigrid_api_key"], "not used: env is not dev");
    }
}

#[test]
fn a_denial_of_the_callers_token_leads_to_the_tenants_key_for_lookups_alone() {
    let world = World::new();
    world.set_key(KEY);
    world.grid.will([told(403, DENIED)]);
    assert_eq!(sent(&world, &author()), [TOKEN, KEY]);
    // The key is denied, too: that is the answer.
    world.grid.will([told(403, DENIED), told(403, DENIED)]);
    let result = world.get("/v1/scaigrid/models", &author());
    assert_eq!(code(&result), Some(Code::ScaigridForbidden));
    assert_eq!(body(&result)["error"]["details"]["source"], "tenant_key");
    world.grid.seen();
    for target in ["/v1/scaigrid/modules", "/v1/scaibunker/bunkers/bnk_1"] {
        world.grid.will([told(403, DENIED)]);
        let result = world.get(target, &author());
        assert_eq!(code(&result), Some(Code::ScaigridForbidden), "{target}");
        let sent: Vec<String> = world.grid.seen().iter().map(credential).collect();
        assert_eq!(sent, [TOKEN], "{target}");
    }
}

#[test]
fn nothing_leads_there_but_a_denial() {
    for (told_first, expected) in [
        (told(401, "{}"), Code::ScaigridTokenRefused),
        (
            told(403, r#"{"error":{"code":"MODULE_NOT_ENABLED"}}"#),
            Code::ScaigridModuleNotEnabled,
        ),
        (told(500, "{}"), Code::ScaigridUnavailable),
        (Told::Fail(OutboundError::Timeout), Code::ScaigridTimeout),
    ] {
        let world = World::new();
        world.set_key(KEY);
        world.grid.will([told_first]);
        let result = world.get("/v1/scaigrid/models", &author());
        assert_eq!(code(&result), Some(expected));
        assert_eq!(world.grid.seen().len(), 1, "{expected:?}");
    }
    let pinned = World::with(&[("scaiflow_deploy_auth", "user_jwt")]);
    pinned.set_key(KEY);
    pinned.grid.will([told(403, DENIED)]);
    assert_eq!(sent(&pinned, &author()), [TOKEN]);
}

#[test]
fn n_120_a_service_of_the_platform_has_no_tenants_key() {
    let world = World::with(&[("scaiflow_deploy_auth", "api_key")]);
    world.set_key(KEY);
    let view = &["scaicore:view"];
    assert_eq!(sent(&world, &service(Some(tenant()), view)), [KEY]);
    let stranger = scaigate_types::TenantId::parse("tnt_umbra").unwrap();
    for tenant_id in [None, Some(stranger)] {
        let result = world.get("/v1/scaigrid/models", &service(tenant_id, view));
        assert_eq!(code(&result), Some(Code::MissingCredentials));
    }
    assert!(world.grid.seen().is_empty());
}

#[test]
fn callers_with_a_token_need_no_credentials_key() {
    let world = World::with(&[("credentials_key", "")]);
    assert_eq!(sent(&world, &author()), [TOKEN]);
}
