//! The settings.

use scaigate_problem::Code;
use scaigate_proxy::settings::{grid, settings};

use crate::world::{body, code, variables};

#[test]
fn n_146_every_fault_is_named_at_once() {
    let changes = [
        ("scaigrid_base_url", "http://grid.example/path"),
        ("scaiflow_deploy_auth", "USER_JWT"),
        ("env", "dev"),
        ("scaigrid_api_key", "sk-wrong"),
        ("scaigrid_exchange_audience", "two words"),
        ("scaigrid_allowed_posts", "inference,everything"),
    ];
    let faults = grid(&variables(&changes)).unwrap_err();
    let mut names: Vec<&str> = faults.iter().map(|fault| fault.setting).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "scaiflow_deploy_auth",
            "scaigrid_allowed_posts",
            "scaigrid_api_key",
            "scaigrid_base_url",
            "scaigrid_exchange_audience",
        ]
    );
}

#[test]
fn without_scaigrid_the_answer_says_so() {
    let result = settings(&variables(&[("scaigrid_base_url", "")])).map(drop);
    assert_eq!(code(&result), Some(Code::ScaigridNotConfigured));
    let fault = &body(&result)["error"]["details"]["faults"][0];
    assert_eq!(fault["setting"], "scaigrid_base_url");
    let result = settings(&variables(&[("scaigrid_base_url", "ftp://x")])).map(drop);
    assert_eq!(code(&result), Some(Code::ConfigurationInvalid));
}

#[test]
fn base_urls_are_origins_over_https_or_for_development() {
    for (url, env, good) in [
        ("https://grid.example", "prod", true),
        ("https://grid.example/", "prod", true),
        ("https://grid.example/v1", "prod", false),
        ("http://grid.example", "prod", false),
        ("http://grid.example", "dev", true),
        ("http://127.0.0.1:8080", "prod", true),
        ("https://user@grid.example", "prod", false),
        ("", "prod", false),
    ] {
        let changes = [("scaigrid_base_url", url), ("env", env)];
        assert_eq!(grid(&variables(&changes)).is_ok(), good, "{url} {env}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let key = "sgk_canary0deployment0key0000000000000001";
    let changes = [("scaigrid_api_key", key), ("env", "dev")];
    let shown = format!("{:?}", grid(&variables(&changes)).unwrap());
    assert!(!shown.contains(key), "{shown}");
}
