//! Whose credential speaks.

use std::time::Duration;

use futures::executor::block_on;
use scaigate_jose::SealContext;
use scaigate_kv::session::{self, NewSession};
use scaigate_problem::Code;
use scaigate_proxy::{Caller, credential as choice};
use scaigate_scaigrid::credential::Source;
use scaigate_signin::{Credential, Ports as _, Principal};
use scaigate_types::{
    AdminRole, Clock as _, OutboundError, PersonId, SessionId, WorkspaceId, WorkspaceRole,
};
use serde_json::json;

use crate::world::{
    DEPLOYMENT_KEY, KEY, TOKEN, Told, World, author, body, changed, code, credential, dev, service,
    tenant, told,
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

/// The ScaiKey token that a sign-in got.
const KEPT: &str = "eyJ.canary-kept-token.sig";

/// Somebody by a session that keeps a token as `owner`'s.
fn by_session(world: &World, sid: &str, owner: &str) -> Principal {
    let expires_at = world.clock.now().plus(Duration::from_secs(3_600));
    let kept = json!({
        "v": 1, "access_token": KEPT, "refresh_token": null, "id_token": null,
        "expires_at": expires_at,
    });
    let context = SealContext {
        purpose: "scaikey_tokens",
        owner,
    };
    let sealer = &world.settings.sealer;
    let sealed = sealer.seal(world.entropy(), &context, kept.to_string().as_bytes());
    let sid = SessionId::parse(sid).unwrap();
    let new = NewSession {
        sid: &sid,
        person_id: &PersonId::parse("per_bob").unwrap(),
        tenant_id: &tenant(),
        expires_at,
        code_hash: sid.as_str(),
        code_challenge: None,
        scaikey_sid: None,
        scaikey_tokens: &sealed,
    };
    block_on(session::insert(&world.db, &new, world.clock.now())).unwrap();
    of_session(sid)
}

/// An author by a session.
fn of_session(sid: SessionId) -> Principal {
    changed(|user| {
        let workspace_id = WorkspaceId::parse("ws_default").unwrap();
        user.workspace = Some((workspace_id, WorkspaceRole::Author));
        user.credential = Credential::Session(sid);
    })
}

#[test]
fn g_7_a_session_speaks_with_the_token_of_its_sign_in_and_ours_never_leaves() {
    let world = World::new();
    let bob = by_session(&world, "ses_bob", "ses_bob");
    assert_eq!(sent(&world, &bob), [KEPT]);
    // Once it is known, the row is not asked again for a while.
    world.db.failing.fail_at(1);
    assert_eq!(sent(&world, &bob), [KEPT]);

    // What was sealed for another session, or by another key, is nobody's: the tenant's key speaks.
    let world = World::new();
    world.set_key(KEY);
    let mallory = by_session(&world, "ses_mallory", "ses_bob");
    assert_eq!(sent(&world, &mallory), [KEY]);
    // A session that is not there any more is told so, and no key stands in for it.
    let stranger = of_session(SessionId::parse("ses_gone").unwrap());
    let result = world.get("/v1/scaigrid/models", &stranger);
    assert_eq!(code(&result), Some(Code::TokenRevoked));
    assert!(world.grid.seen().is_empty());
}

#[test]
fn a_service_speaks_with_its_own_token_and_a_bearer_that_is_none_with_nothing() {
    let world = World::new();
    let principal = service(Some(tenant()), &["scaicore:view"]);
    assert_eq!(sent(&world, &principal), [TOKEN]);
    world.set_key(KEY);
    let mock = changed(|user| user.credential = Credential::Mock);
    let chosen = |principal: &Principal, bearer: Option<&str>| {
        let caller = Caller { principal, bearer };
        let chosen = block_on(choice::choose(&world, &world.settings, caller));
        chosen
            .map(|chosen| chosen.source())
            .map_err(|problem| problem.code())
    };
    assert_eq!(chosen(&principal, Some(TOKEN)), Ok(Source::CallerToken));
    assert_eq!(chosen(&mock, Some("anything")), Ok(Source::TenantKey));
    // What can't be sent as a bearer is not, and is not passed over either.
    for bearer in [Some("two words"), Some(KEY), Some(""), None] {
        let refused = chosen(&principal, bearer);
        assert_eq!(refused, Err(Code::ScaikeyInvalidResponse), "{bearer:?}");
    }
}

#[test]
fn g_7_where_tokens_are_traded_none_leaves_as_it_is() {
    // Our client at ScaiKey is not set up, so there is nothing to trade with.
    let world = World::with(&[("scaigrid_exchange_audience", "scaigrid")]);
    world.set_key(KEY);
    let result = world.get("/v1/scaigrid/models", &author());
    assert!(result.is_err());
    assert!(world.grid.seen().is_empty(), "{:?}", code(&result));
    // Somebody whom ScaiKey does not know has nothing to trade: the tenant's key speaks.
    assert_eq!(sent(&world, &dev(None)), [KEY]);
}

#[test]
fn the_deprecated_deploy_speaks_with_the_deployments_key_or_with_nothing() {
    for (pin, env, key, expected) in [
        ("", "dev", DEPLOYMENT_KEY, Ok(Source::DeploymentKey)),
        ("api_key", "dev", DEPLOYMENT_KEY, Ok(Source::DeploymentKey)),
        (
            "user_jwt",
            "dev",
            DEPLOYMENT_KEY,
            Err((json!("user_jwt"), false)),
        ),
        ("", "dev", "", Err((json!(null), false))),
        // It is there, and one key for every tenant is not used in production.
        ("", "prod", DEPLOYMENT_KEY, Err((json!(null), true))),
    ] {
        let world = World::with(&[
            ("scaiflow_deploy_auth", pin),
            ("env", env),
            ("scaigrid_api_key", key),
        ]);
        // The tenant's key is not looked at.
        world.set_key(KEY);
        let chosen = choice::of_deployment(&world.settings);
        let chosen = chosen.map(|chosen| chosen.source()).map_err(|problem| {
            assert_eq!(problem.code(), Code::MissingCredentials);
            assert!(problem.fix().contains("/v1/flows/{id}/deploy"));
            let details = problem.details();
            let is_ignored = details.contains_key("scaigrid_api_key");
            (details["pinned"].clone(), is_ignored)
        });
        assert_eq!(chosen, expected, "{pin} {env}");
    }
}
