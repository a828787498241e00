//! Why somebody is not where they should be, from what the mirror knows (S-12, S-13, S-26). The codes are
//! those of the route; what to do is said for whoever has the database file.

use scaigate_kv::directory::State;
use scaigate_kv::directory::why::Known;
use scaigate_types::Timestamp;
use serde_json::{Value, json};

/// What is known of an address, as the route shows it. `is_bootstrap` is whether
/// `BOOTSTRAP_SUPER_ADMIN` names it.
pub fn why(email: &str, known: &[Known], state: &State, is_bootstrap: bool) -> Value {
    let mut findings: Vec<Value> = known.iter().flat_map(|user| of(user, state)).collect();
    if known.is_empty() {
        findings.push(of_nobody(state));
    }
    if is_bootstrap {
        findings.extend(of_bootstrap(known));
    }
    json!({ "why": {
        "email": email,
        "findings": findings,
        "last_sync_at": state.synced_at.map(Timestamp::rfc3339),
        "users_method": state.users_method,
    } })
}

/// What stands for nobody of that address.
fn of_nobody(state: &State) -> Value {
    let (code, message, fix) = match (state.synced_at, state.users_method.as_deref()) {
        (None, _) => (
            "not_yet_synced",
            "ScaiKey's directory has never been read, and nobody with this address has signed in.",
            "Run `scaigate sync`.",
        ),
        (Some(_), Some("member_walk")) => (
            "in_no_visible_group",
            "The last sync found users through the groups that the application may see, and nobody with \
             this address is in one.",
            "Put them into such a group in ScaiKey, or give the application admin:read (`scaigate \
             scaikey-register --app-id <app_…>`); then run `scaigate sync`.",
        ),
        (Some(_), _) => (
            "not_assigned",
            "The last sync did not list anybody with this address: ScaiKey has not assigned them to the \
             application, or they came after it.",
            "Assign them, or a group of theirs, to the application in ScaiKey; then run `scaigate sync`.",
        ),
    };
    json!({ "code": code, "message": message, "fix": fix })
}

/// Why `BOOTSTRAP_SUPER_ADMIN` has not taken (S-26); `None` when it has.
fn of_bootstrap(known: &[Known]) -> Option<Value> {
    let can_act =
        |user: &&Known| !user.is_deleted && user.status == "active" && !user.is_tenant_inactive;
    let active: Vec<_> = known.iter().filter(can_act).collect();
    let (code, message, fix) = match active.as_slice() {
        [] => (
            "bootstrap_waits",
            "BOOTSTRAP_SUPER_ADMIN names them, and waits for somebody active with this address.",
            "Let them sign in, or run `scaigate sync` once ScaiKey lists them.",
        ),
        [user] if user.admin_role.as_deref() == Some("super_admin") => return None,
        [_] => (
            "bootstrap_waits",
            "BOOTSTRAP_SUPER_ADMIN names them: they become super admin at the next sync or sign-in.",
            "Run `scaigate sync`, or let them sign in again.",
        ),
        _ => (
            "bootstrap_ambiguous",
            "BOOTSTRAP_SUPER_ADMIN names an address that several people have, so it elects none of them.",
            "Run `scaigate admin grant <email> --role super_admin --tenant <id>` for the right one.",
        ),
    };
    Some(json!({ "code": code, "message": message, "fix": fix }))
}

fn of(user: &Known, state: &State) -> Vec<Value> {
    let mut findings: Vec<(&str, String, &str)> = Vec::new();
    let is_walk = state.users_method.as_deref() == Some("member_walk");
    if user.is_deleted && is_walk && user.groups == 0 {
        findings.push((
            "in_no_visible_group",
            "They are marked as deleted: no group that the application may see has them."
                .to_owned(),
            "Put them into such a group in ScaiKey, or give the application admin:read (`scaigate \
             scaikey-register --app-id <app_…>`); then run `scaigate sync`.",
        ));
    } else if user.is_deleted {
        findings.push((
            "soft_deleted",
            "ScaiKey no longer lists them, so they are marked as deleted; they come back when it does."
                .to_owned(),
            "Assign them to the application again in ScaiKey; then run `scaigate sync`.",
        ));
    } else if !user.is_mirrored {
        findings.push((
            "known_from_sign_in",
            "They have signed in, but no sync has listed them yet.".to_owned(),
            "Run `scaigate sync`; if it does not list them, assign them to the application in ScaiKey.",
        ));
    }
    if user.status != "active" {
        findings.push((
            "suspended",
            format!("ScaiKey says that their status is {}.", user.status),
            "Activate them in ScaiKey.",
        ));
    }
    if user.is_tenant_inactive {
        findings.push((
            "tenant_inactive",
            "Their tenant, or its partner, is suspended or deleted.".to_owned(),
            "Activate it in ScaiKey; then run `scaigate sync`.",
        ));
    }
    let is_super_admin = user.admin_role.as_deref() == Some("super_admin");
    let is_by_hand = user.admin_role_source.as_deref() == Some("manual");
    if user.super_admin_groups > 0 && !is_super_admin && is_by_hand {
        findings.push((
            "manual_role_kept",
            "They are in a group of SCAIFLOW_SUPER_ADMIN_GROUPS, but have another role that was given by \
             hand, and that stays."
                .to_owned(),
            "Run `scaigate admin revoke <email>`, then `scaigate sync`: the groups decide again.",
        ));
    } else if user.super_admin_groups > 0 && !is_super_admin {
        let last = state
            .synced_at
            .map_or_else(|| "never".to_owned(), Timestamp::rfc3339);
        findings.push((
            "groups_read_at_sync",
            format!(
                "They are in a group of SCAIFLOW_SUPER_ADMIN_GROUPS and not super admin: groups are read \
                 at sync; last sync: {last}."
            ),
            "Run `scaigate sync`. If it warns that several groups have that name, list the group's \
             identifier instead.",
        ));
    }
    if findings.is_empty() {
        let role = match (&user.admin_role, &user.admin_role_source) {
            (Some(role), Some(source)) => format!("{role} ({source})"),
            (Some(role), None) => role.clone(),
            (None, _) => "no administrator role".to_owned(),
        };
        findings.push((
            "present",
            format!(
                "They are here and may sign in, with {role}, in {} groups.",
                user.groups
            ),
            "If they are refused, look at the code of the answer: it names the reason.",
        ));
    }
    findings
        .into_iter()
        .map(|(code, message, fix)| {
            json!({
                "code": code, "message": message, "fix": fix,
                "user_id": user.user_id, "tenant_id": user.tenant_id,
            })
        })
        .collect()
}

#[cfg(test)]
#[expect(
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]
mod tests {
    use super::*;

    fn state(synced: bool, method: &str) -> State {
        let at = Timestamp::from_secs(1_800_000_000);
        State {
            users_at: at,
            read_until: at,
            users_method: synced.then(|| method.to_owned()),
            synced_at: synced.then_some(at),
        }
    }

    fn known() -> Known {
        Known {
            user_id: "usr_1".to_owned(),
            tenant_id: "tnt_1".to_owned(),
            status: "active".to_owned(),
            is_deleted: false,
            is_mirrored: true,
            is_tenant_inactive: false,
            admin_role: None,
            admin_role_source: None,
            groups: 2,
            super_admin_groups: 0,
        }
    }

    fn codes(known: &[Known], state: &State) -> Vec<String> {
        let answer = why("a@b.c", known, state, false);
        let findings = answer["why"]["findings"].as_array().cloned();
        let code = |finding: &Value| finding["code"].as_str().map(str::to_owned);
        findings.iter().flatten().filter_map(code).collect()
    }

    #[test]
    fn s_12_the_causes_of_being_absent_are_told_apart() {
        let synced = state(true, "effective_users");
        for (state, code) in [
            (&state(false, ""), "not_yet_synced"),
            (&state(true, "member_walk"), "in_no_visible_group"),
            (&synced, "not_assigned"),
        ] {
            assert_eq!(codes(&[], state), [code]);
        }
        for (user, expected) in [
            (known(), vec!["present"]),
            (
                Known {
                    is_deleted: true,
                    ..known()
                },
                vec!["soft_deleted"],
            ),
            (
                Known {
                    status: "suspended".to_owned(),
                    ..known()
                },
                vec!["suspended"],
            ),
            (
                Known {
                    is_mirrored: false,
                    is_tenant_inactive: true,
                    ..known()
                },
                vec!["known_from_sign_in", "tenant_inactive"],
            ),
        ] {
            assert_eq!(codes(&[user], &synced), expected);
        }
        let gone = Known {
            is_deleted: true,
            groups: 0,
            ..known()
        };
        let walked = state(true, "member_walk");
        assert_eq!(codes(&[gone], &walked), ["in_no_visible_group"]);
    }

    #[test]
    fn s_13_a_group_that_was_not_applied_is_told_with_the_time_of_the_last_sync() {
        let user = Known {
            super_admin_groups: 1,
            ..known()
        };
        let answer = why(
            "a@b.c",
            std::slice::from_ref(&user),
            &state(true, "effective_users"),
            false,
        );
        let message = answer["why"]["findings"][0]["message"].as_str();
        assert!(message.is_some_and(|text| text.contains("last sync: 2027-01-15T08:00:00Z")));
        let other = Known {
            admin_role: Some("tenant_admin".to_owned()),
            admin_role_source: Some("manual".to_owned()),
            ..user.clone()
        };
        assert_eq!(
            codes(&[other], &state(true, "effective_users")),
            ["manual_role_kept"]
        );
        let admin = Known {
            admin_role: Some("super_admin".to_owned()),
            ..user
        };
        assert_eq!(
            codes(&[admin], &state(true, "effective_users")),
            ["present"]
        );
    }

    #[test]
    fn s_26_a_bootstrap_that_has_not_taken_says_what_it_waits_for() {
        let admin = Known {
            admin_role: Some("super_admin".to_owned()),
            ..known()
        };
        let suspended = Known {
            status: "suspended".to_owned(),
            ..known()
        };
        for (known, expected) in [
            (vec![], Some("bootstrap_waits")),
            (vec![suspended], Some("bootstrap_waits")),
            (vec![known()], Some("bootstrap_waits")),
            (vec![known(), known()], Some("bootstrap_ambiguous")),
            (vec![admin], None),
        ] {
            let answer = why("a@b.c", &known, &state(false, ""), true);
            let findings = answer["why"]["findings"].as_array();
            let code = findings
                .into_iter()
                .flatten()
                .filter_map(|finding| finding["code"].as_str())
                .find(|code| code.starts_with("bootstrap"));
            assert_eq!(code, expected, "{known:?}");
        }
    }
}
