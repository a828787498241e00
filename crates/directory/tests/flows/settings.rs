//! The settings of the directory: what they are when unset, and what is said of a wrong one.

use std::time::Duration;

use scaigate_directory::settings::{
    DirectorySettings, directory, syncs_in_background, webhook_secrets,
};
use scaigate_signin::settings::Fault;

/// Settings where one variable is set.
fn one(name: &str, value: &str) -> impl Fn(&str) -> Option<String> + use<> {
    let (name, value) = (name.to_owned(), value.to_owned());
    move |asked: &str| (asked == name).then(|| value.clone())
}

fn read(name: &str, value: &str) -> Result<DirectorySettings, Vec<Fault>> {
    directory(&one(name, value))
}

fn only(faults: &[Fault]) -> (&'static str, &'static str) {
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].fix.ends_with('.'));
    (faults[0].setting, faults[0].problem)
}

#[test]
fn nothing_set_is_our_own_application_synced_each_hour_with_nobody_elected() {
    let settings = directory(&|_: &str| None).unwrap();
    assert_eq!(settings.application_id, "me");
    assert_eq!(settings.sync_interval, Some(Duration::from_secs(3_600)));
    assert!(!settings.elects() && settings.groups_json() == "[]");
    let groups = read("scaiflow_super_admin_groups", "grp_1, \"a\"").unwrap();
    assert!(groups.elects());
    assert_eq!(groups.groups_json(), r#"["\"a\"","grp_1"]"#);
    assert!(read("bootstrap_super_admin", "user:A@acme.example").is_ok_and(|one| one.elects()));
}

#[test]
fn a_sync_by_time_is_a_number_of_minutes_or_off() {
    const SETTING: &str = "scaiflow_sync_interval_minutes";
    for (text, minutes) in [("1", 1), ("60", 60), ("10080", 10_080)] {
        let settings = read(SETTING, text).unwrap();
        let expected = Some(Duration::from_secs(minutes * 60));
        assert_eq!(settings.sync_interval, expected, "{text}");
        assert!(syncs_in_background(&one(SETTING, text)), "{text}");
    }
    assert_eq!(read(SETTING, "0").unwrap().sync_interval, None);
    assert!(!syncs_in_background(&one(SETTING, "0")));
    for wrong in ["10081", "-1", "1.5", "an hour", "18446744073709551616"] {
        let faults = read(SETTING, wrong).unwrap_err();
        assert_eq!(only(&faults), (SETTING, "out of range"), "{wrong}");
        // The component that syncs says what is wrong; nobody stops looking because of it.
        assert!(syncs_in_background(&one(SETTING, wrong)), "{wrong}");
    }
}

#[test]
fn an_application_id_is_no_part_of_a_path() {
    const SETTING: &str = "scaiflow_scaikey_application_id";
    let id = "app_0-Z";
    assert_eq!(read(SETTING, id).unwrap().application_id, id);
    assert!(read(SETTING, &"a".repeat(128)).is_ok());
    for wrong in ["../x", "a/b", "a b", "a?b", "ä", &"a".repeat(129)] {
        let faults = read(SETTING, wrong).unwrap_err();
        assert_eq!(only(&faults), (SETTING, "not an application id"), "{wrong}");
    }
}

#[test]
fn every_wrong_setting_is_told_at_once() {
    let faults = directory(&|name: &str| match name {
        "scaiflow_super_admin_groups" => Some("a\u{1}".to_owned()),
        "scaiflow_scaikey_application_id" => Some("../x".to_owned()),
        "scaiflow_sync_interval_minutes" => Some("soon".to_owned()),
        _ => None,
    });
    let settings: Vec<&str> = faults.unwrap_err().iter().map(|one| one.setting).collect();
    assert_eq!(
        settings,
        [
            "scaiflow_super_admin_groups",
            "scaiflow_scaikey_application_id",
            "scaiflow_sync_interval_minutes",
        ]
    );
}

#[test]
fn a_webhook_secret_is_there_is_missing_or_is_wrong_and_never_shown() {
    const SETTING: &str = "scaiflow_scaikey_webhook_secret";
    const GOOD: &str = "canary-0123456789-abcdef";
    let read = |value: &str| webhook_secrets(&one(SETTING, value));
    assert!(matches!(webhook_secrets(&|_: &str| None), Ok(None)));
    assert!(matches!(read("  "), Ok(None)));
    let (single, both) = (GOOD.to_owned(), format!("{GOOD}, {GOOD}-2"));
    for (value, is_rotating) in [(single, false), (both, true)] {
        let secrets = read(&value).unwrap().unwrap();
        assert_eq!(secrets.is_rotating(), is_rotating);
        assert!(!format!("{secrets:?}").contains("canary"));
    }
    for (value, problem) in [
        (format!("{GOOD},"), "one of its parts is empty"),
        (format!("{GOOD},{GOOD},{GOOD}"), "more than two secrets"),
        (
            "canary-short".to_owned(),
            "a secret shorter than 16 characters",
        ),
        ("canary".repeat(86), "a secret longer than 512 characters"),
        (
            "whpk_canary-0123456789".to_owned(),
            "a key of another kind, not a shared secret",
        ),
    ] {
        let faults = read(&value).unwrap_err();
        assert_eq!(only(&faults), (SETTING, problem));
        assert!(!format!("{faults:?}").contains("canary"));
    }
}
