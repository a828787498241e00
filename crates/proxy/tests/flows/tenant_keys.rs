//! A tenant's key at rest.

use futures::executor::block_on;
use scaigate_jose::{KeyRing, Sealer};
use scaigate_kv::tenant_credential;
use scaigate_problem::Code;
use scaigate_proxy::tenant_keys::{administrator, find, member, remove, status};
use scaigate_signin::Principal;
use scaigate_types::{AdminRole, Query, TenantId};

use crate::world::{KEY, SEALED_BEFORE, SEALS, World, author, code, dev, service, tenant, user};

fn sealer(setting: &str) -> Sealer {
    Sealer::new(&KeyRing::parse(setting).unwrap())
}

fn sealed(world: &World) -> Vec<u8> {
    let row = block_on(tenant_credential::find(&world.db, &tenant())).unwrap();
    row.unwrap().sealed
}

#[test]
fn who_may_see_and_who_may_change() {
    let admin = || user(None, Some(AdminRole::TenantAdmin));
    let table: Vec<(Principal, Option<Code>, Option<Code>)> = vec![
        (author(), None, Some(Code::AdminRoleRequired)),
        (admin(), None, None),
        (user(None, Some(AdminRole::SuperAdmin)), None, None),
        (dev(Some(AdminRole::TenantAdmin)), None, None),
        (service(Some(tenant()), &[]), None, Some(Code::UserRequired)),
        (
            service(None, &["admin:write"]),
            Some(Code::TenantClaimMissing),
            Some(Code::UserRequired),
        ),
    ];
    for (principal, seeing, changing) in table {
        assert_eq!(code(&member(&principal)), seeing, "{principal:?}");
        assert_eq!(
            code(&administrator(principal.clone())),
            changing,
            "{principal:?}"
        );
    }
}

#[test]
fn an_older_secret_opens_and_the_first_seals_anew() {
    let world = World::with(&[("credentials_key", SEALED_BEFORE)]);
    world.set_key(KEY);
    let before = sealed(&world);
    let both = sealer(&format!("{SEALS},{SEALED_BEFORE}"));
    let key = block_on(find(&world, Ok(&both), &tenant()))
        .unwrap()
        .unwrap();
    assert_eq!(key.key.expose(), KEY);
    let after = sealed(&world);
    assert_ne!(before, after);
    // Nothing is written again, and the older secret is not needed any more.
    let new = sealer(SEALS);
    for _ in 0..2 {
        assert!(
            block_on(find(&world, Ok(&new), &tenant()))
                .unwrap()
                .is_some()
        );
        assert_eq!(sealed(&world), after);
    }
    let old = sealer(SEALED_BEFORE);
    let result = block_on(find(&world, Ok(&old), &tenant()));
    assert_eq!(code(&result), Some(Code::ConfigurationInvalid));
}

#[test]
fn n_120_a_row_opens_for_its_tenant_only() {
    let world = World::new();
    world.set_key(KEY);
    let stored = sealed(&world);
    assert!(
        !stored
            .windows(8)
            .any(|window| KEY.as_bytes().windows(8).any(|key| key == window))
    );
    let move_it = "UPDATE tenant_credential SET tenant_id = 'tnt_umbra'";
    block_on(world.db.query(move_it, &[])).unwrap();
    let keys = sealer(SEALS);
    assert!(
        block_on(find(&world, Ok(&keys), &tenant()))
            .unwrap()
            .is_none()
    );
    let other = TenantId::parse("tnt_umbra").unwrap();
    let result = block_on(find(&world, Ok(&keys), &other));
    assert_eq!(code(&result), Some(Code::StoreUnavailable));
    for at in 0..stored.len() {
        let mut altered = stored.clone();
        altered[at] ^= 1;
        let alter = "UPDATE tenant_credential SET sealed = ?1";
        block_on(world.db.query(alter, &[altered.into()])).unwrap();
        assert!(block_on(find(&world, Ok(&keys), &other)).is_err(), "{at}");
    }
}

#[test]
fn without_a_secret_the_status_is_known_where_there_is_no_key() {
    let world = World::new();
    let base_url = &world.settings.grid.base_url;
    let own = member(&author()).unwrap();
    let none = Err(&[][..]);
    let shown = block_on(status(&world, none, base_url, &own)).unwrap();
    assert!(!shown.configured);
    world.set_key(KEY);
    let result = block_on(status(&world, none, base_url, &own));
    assert_eq!(code(&result), Some(Code::ConfigurationInvalid));
    // And one that can't be opened can be removed.
    let admin = administrator(user(None, Some(AdminRole::TenantAdmin))).unwrap();
    block_on(remove(&world, &admin)).unwrap();
    assert!(
        !block_on(status(&world, none, base_url, &own))
            .unwrap()
            .configured
    );
}
