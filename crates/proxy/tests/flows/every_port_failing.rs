//! Every port fails at every step: the answer is a documented failure, or the one there would have been
//! anyway, and never somebody else's credential.

use scaigate_problem::Code;
use scaigate_types::{OutboundError, WorkspaceRole};

use crate::world::{
    KEY, SEALED_BEFORE, SEALS, TOKEN, Told, World, changed, code, credential, told,
};

const DENIED: &str = r#"{"error":{"code":"AUTHZ_PERMISSION_DENIED"}}"#;

/// A deployment that has to look at the role, the key and its seal.
fn world() -> World {
    let mut world = World::with(&[
        ("credentials_key", SEALED_BEFORE),
        ("scaigrid_allowed_posts", "inference"),
    ]);
    world.set_key(KEY);
    let both = format!("{SEALS},{SEALED_BEFORE}");
    let settings = crate::world::variables(&[]);
    let changed = |name: &str| match name {
        "credentials_key" => Some(both.clone()),
        "scaigrid_allowed_posts" => Some("inference".to_owned()),
        other => settings(other),
    };
    world.settings = scaigate_proxy::settings::settings(&changed).unwrap();
    world
}

#[test]
fn n_144_the_database_fails_at_every_step() {
    let person = changed(|user| {
        user.person_id = Some(scaigate_types::PersonId::parse("per_1").unwrap());
    });
    for target in ["/v1/scaigrid/models", "/v1/scaigrid/modules"] {
        let mut call = 0;
        loop {
            call += 1;
            let world = world();
            world.grid.will([told(403, DENIED)]);
            world.db.failing.fail_at(call);
            let result = world.get(target, &person);
            let calls = world.db.failing.heal();
            let sent: Vec<String> = world.grid.seen().iter().map(credential).collect();
            assert!(sent.iter().all(|text| text == TOKEN || text == KEY));
            if calls < call {
                // Nothing failed: the denied token, then the key where that is allowed.
                assert_eq!(result.is_ok(), target.ends_with("models"));
                break;
            }
            match code(&result) {
                Some(Code::StoreUnavailable) => {}
                // Sealing anew can wait.
                None => assert_eq!(sent, [TOKEN, KEY]),
                other => panic!("call {call}: {other:?}"),
            }
        }
        assert!(call > 1, "{target} reads the database");
    }
}

#[test]
fn n_144_scaigrid_fails_at_every_step() {
    let author = crate::world::user(Some(WorkspaceRole::Author), None);
    let errors = [
        OutboundError::Refused,
        OutboundError::Timeout,
        OutboundError::Interrupted,
        OutboundError::TooLarge,
        OutboundError::Denied,
    ];
    for error in errors {
        for step in 0..3 {
            let world = world();
            let page = r#"{"data":[{"slug":"a"}],"next_cursor":"c"}"#;
            let before = [told(403, DENIED), told(200, page)];
            world.grid.will(before.into_iter().take(step));
            world.grid.will([Told::Fail(error), Told::Fail(error)]);
            let result = world.get("/v1/scaigrid/models", &author);
            let expected = match error {
                OutboundError::Refused | OutboundError::Denied => Code::ScaigridUnreachable,
                OutboundError::Timeout => Code::ScaigridTimeout,
                OutboundError::Interrupted | OutboundError::TooLarge => {
                    Code::ScaigridInvalidResponse
                }
            };
            assert_eq!(code(&result), Some(expected), "{error:?} at {step}");
        }
    }
}
