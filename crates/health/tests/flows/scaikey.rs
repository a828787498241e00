//! What ScaiKey's discovery, clock, keys and sign-in page are found to be.

use scaigate_health::{Finding, Severity};
use scaigate_types::OutboundError;
use serde_json::json;

use crate::world::{SCAIKEY, Says, World, codes, judged, of_check};

const CALLBACK: &str = "https://gate.example/v1/auth/callback";
const PLATFORM: &str = "/api/v1/platform/.well-known/openid-configuration";

/// ScaiKey's discovery, dated so.
fn discovery(date: &str) -> Says {
    let body = json!({
        "issuer": SCAIKEY,
        "authorization_endpoint": format!("{SCAIKEY}/authorize"),
        "token_endpoint": format!("{SCAIKEY}/token"),
        "jwks_uri": format!("{SCAIKEY}/jwks"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
    });
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("date", date.to_owned()),
    ];
    Says::With(200, headers, body.to_string())
}

/// The sign-in page's answer.
fn page(status: u16, location: Option<&str>, body: &str) -> Says {
    let location = location.map(|to| ("location", to.to_owned()));
    Says::With(status, location.into_iter().collect(), body.to_owned())
}

fn sign_in(says: Says) -> Vec<Finding> {
    let world = World::new();
    world.says(&format!("{SCAIKEY}/authorize"), says);
    let report = world.run(&judged(&[]));
    let found = of_check(&report, "scaikey_sign_in");
    found.into_iter().cloned().collect()
}

#[test]
fn a_clock_that_is_off_is_told_by_how_far() {
    let hm = |time: &str| format!("Fri, 15 Jan 2027 {time} GMT");
    for (date, seconds, severity) in [
        (hm("08:00:00"), 0, None),
        (hm("08:00:05"), 5, None),
        (hm("08:00:06"), 6, Some(Severity::Warning)),
        (hm("07:59:00"), -60, Some(Severity::Error)),
        (hm("07:59:01"), -59, Some(Severity::Warning)),
        (hm("08:02:00"), 120, Some(Severity::Error)),
    ] {
        let world = World::new();
        world.says(&format!("{SCAIKEY}/"), discovery(&date));
        let report = world.run(&judged(&[]));
        let checks = &report.checks;
        let check = checks.iter().find(|one| one.name == "scaikey_discovery");
        assert_eq!(
            check.unwrap().facts["clock_skew_seconds"],
            seconds,
            "{date}"
        );
        let found = of_check(&report, "scaikey_discovery");
        let told = found.iter().find(|one| one.code == "clock_skew");
        assert_eq!(told.map(|one| one.severity), severity, "{date}");
        if let Some(told) = told {
            assert_eq!(told.evidence["seconds_ahead"], seconds);
        }
    }
    // An answer that has no date says nothing about a clock.
    let world = World::new();
    world.says(&format!("{SCAIKEY}/"), discovery(""));
    let report = world.run(&judged(&[]));
    let checks = &report.checks;
    let check = checks.iter().find(|one| one.name == "scaikey_discovery");
    assert_eq!(check.unwrap().facts.get("clock_skew_seconds"), None);
}

#[test]
fn discovery_is_looked_for_at_both_places_and_nothing_else_without_it() {
    let gone = || Says::json(404, &json!({ "detail": "Not Found" }));
    let one = World::new();
    one.says(&format!("{SCAIKEY}{PLATFORM}"), gone());
    assert_eq!(
        codes(&one.run(&judged(&[]))),
        ["never_synced", "no_super_admin"]
    );
    let none = World::new();
    none.says(&format!("{SCAIKEY}/"), gone());
    let report = none.run(&judged(&[]));
    let found = of_check(&report, "scaikey_discovery");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, Severity::Error);
    let names = report.checks.iter().map(|check| check.name);
    let of_scaikey: Vec<_> = names.filter(|name| name.starts_with("scaikey")).collect();
    assert_eq!(of_scaikey, ["scaikey_discovery"]);
    let asked = none.network.asked.borrow();
    let to_scaikey = asked
        .iter()
        .filter(|one| one.uri().host() == Some("scaikey.example"));
    assert_eq!(to_scaikey.count(), 2);
}

#[test]
fn a_password_grant_that_scaikey_does_not_announce_is_told_where_it_is_wanted() {
    let wanted = [("password_grant_enabled", "true")];
    let is_told = |world: &World, changes: &[(&str, &str)]| {
        codes(&world.run(&judged(changes))).contains(&"password_grant_unsupported")
    };
    let announces = World::new();
    assert!(is_told(&announces, &wanted));
    assert!(!is_told(&announces, &[]));
    // One that announces nothing may have it.
    let silent = World::new();
    silent.says(
        &format!("{SCAIKEY}/"),
        discovery("Fri, 15 Jan 2027 08:00:00 GMT"),
    );
    assert!(!is_told(&silent, &wanted));
}

#[test]
fn s_32_a_sign_in_page_that_sends_nobody_back_is_told_why() {
    let back = format!("{CALLBACK}?error=login_required&state=health");
    let elsewhere = "https://scaikey.example/login";
    for (says, code) in [
        (page(302, Some(&back), ""), None),
        (page(303, Some(elsewhere), ""), None),
        (page(200, None, "<html>Sign in"), None),
        (
            page(400, None, "Invalid Redirect URI"),
            Some("redirect_uri_mismatch"),
        ),
        (page(401, None, "unknown CLIENT"), Some("client_unknown")),
        (page(400, None, "something else"), None),
        (page(503, None, ""), Some("scaikey_unavailable")),
        (Says::Fails(OutboundError::Timeout), Some("scaikey_timeout")),
        // On a host that only browsers reach nobody was asked.
        (Says::Fails(OutboundError::Denied), None),
    ] {
        let found = sign_in(says);
        let told: Vec<_> = found.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(told, code.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn s_32_the_address_to_register_is_told_to_the_byte() {
    let found = sign_in(page(400, None, "redirect_uri is not registered"));
    assert_eq!(found[0].evidence["redirect_uri"], CALLBACK);
    assert!(found[0].fix.contains(&format!("exactly {CALLBACK} ")));
}
