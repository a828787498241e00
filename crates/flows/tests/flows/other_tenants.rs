//! N-088: nothing of one tenant is there for another.

use futures::executor::block_on;
use scaigate_flows::catalog::{self, Shown, Source};
use scaigate_flows::deploy::{self, Wanted};
use scaigate_flows::{acl, flow};
use scaigate_kv::catalog::Version;
use scaigate_kv::flow::Page;
use scaigate_problem::Code;
use scaigate_types::{AdminRole, PackageId};

use crate::grid::Script;
use crate::world::{MANIFEST, World, code, content, user};

#[test]
fn every_door_says_not_found() {
    let world = World::new();
    let alice = world.writer("usr_alice");
    let flow_id = world.saves(&alice, MANIFEST);
    let package_id = PackageId::parse("expense").unwrap();
    let publish = |flow_id| catalog::Publish {
        package_id: &package_id,
        name: "Expense",
        description: None,
        version: Version {
            major: 1,
            minor: 0,
            patch: 0,
        },
        readme: None,
        shown: None,
        source: Source::Flow(flow_id),
    };
    block_on(catalog::publish(&world, &alice, publish(&flow_id))).unwrap();
    world.mirrors("usr_alice", "tnt_other");
    // A namesake, an administrator of theirs, and both ways to ask for our tenant.
    for admin_role in [None, Some(AdminRole::TenantAdmin)] {
        let eve = world.writer_of(user("usr_alice", "tnt_other", admin_role));
        let reader = eve.reader();
        let page = Page {
            search: None,
            limit: 10,
        };
        assert_eq!(
            block_on(flow::list(&world, reader, page)).unwrap().rows,
            "[]"
        );
        assert_eq!(block_on(catalog::browse(&world, reader)).unwrap(), "[]");
        let next = content("{}");
        let update = flow::Update {
            content: Some(&next),
            ..flow::Update::default()
        };
        let wanted = acl::Wanted {
            principal_type: "user",
            principal_id: "usr_alice",
            level: "view",
        };
        let grid = Script::default();
        let none = Wanted::default();
        let flows = [
            code(&block_on(flow::get(&world, reader, &flow_id))),
            code(&block_on(flow::update(&world, &eve, &flow_id, update))),
            code(&block_on(flow::delete(&world, &eve, &flow_id))),
            code(&block_on(flow::versions(&world, reader, &flow_id, 10))),
            code(&block_on(flow::version(&world, reader, &flow_id, "1.0.0"))),
            code(&block_on(acl::list(&world, reader, &flow_id))),
            code(&block_on(acl::grant(&world, &eve, &flow_id, wanted))),
            code(&block_on(acl::revoke(&world, &eve, &flow_id, "acl_1"))),
            code(&block_on(deploy::deploy(
                &world, &grid, &eve, &flow_id, &none,
            ))),
            code(&block_on(deploy::deployments(&world, reader, &flow_id, 10))),
            code(&block_on(catalog::publish(&world, &eve, publish(&flow_id)))),
        ];
        assert_eq!(flows, [Some(Code::FlowNotFound); 11]);
        assert!(grid.targets().is_empty());
        let acme = alice.reader().user().tenant_id.clone();
        for tenant_id in [None, Some(&acme)] {
            let packages = [
                code(&block_on(catalog::install(
                    &world,
                    reader,
                    tenant_id,
                    &package_id,
                ))),
                code(&block_on(catalog::show(
                    &world,
                    &eve,
                    tenant_id,
                    &package_id,
                    &Shown::Tenant,
                ))),
                code(&block_on(catalog::delete(
                    &world,
                    &eve,
                    tenant_id,
                    &package_id,
                ))),
            ];
            assert_eq!(packages, [Some(Code::PackageNotFound); 3], "{tenant_id:?}");
        }
    }
    assert!(block_on(flow::get(&world, alice.reader(), &flow_id)).is_ok());
    assert_eq!(world.number("SELECT count(*) FROM catalog_package"), 1);
}

#[test]
fn a_super_admin_sees_all_and_takes_nothing_away_to_another_tenant() {
    let world = World::new();
    let alice = world.writer("usr_alice");
    let flow_id = world.saves(&alice, MANIFEST);
    let admin = world.writer_of(user("usr_root", "tnt_other", Some(AdminRole::SuperAdmin)));
    assert!(block_on(flow::get(&world, admin.reader(), &flow_id)).is_ok());
    // Whose credential would deploy it? That of a tenant it does not belong to.
    let grid = Script::default();
    let none = Wanted::default();
    let refused = block_on(deploy::deploy(&world, &grid, &admin, &flow_id, &none));
    assert_eq!(code(&refused), Some(Code::FlowAccessDenied));
    assert!(grid.targets().is_empty());
}
