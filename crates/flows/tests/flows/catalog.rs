//! Publishing, browsing, installing, showing, deleting.

use futures::executor::block_on;
use scaigate_flows::Writer;
use scaigate_flows::catalog::{self, Publish, Shown, Source};
use scaigate_kv::catalog::Version;
use scaigate_problem::{Code, Problem};
use scaigate_types::{GroupId, PackageId};
use serde_json::{Value, json};

use crate::world::{MANIFEST, World, code, content, detail, parsed};

fn package() -> PackageId {
    PackageId::parse("expense").unwrap()
}

fn publishes(
    world: &World,
    writer: &Writer,
    json: &str,
    shown: Option<&Shown>,
) -> Result<Value, Problem> {
    let content = content(json);
    let publish = Publish {
        package_id: &package(),
        name: "Expense",
        description: Some("d"),
        version: Version {
            major: 0,
            minor: 1,
            patch: 0,
        },
        readme: Some("# Use it"),
        shown,
        source: Source::Content(&content),
    };
    block_on(catalog::publish(world, writer, publish)).map(|row| parsed(&row))
}

#[test]
fn a_package_is_published_browsed_installed_and_deleted() {
    let world = World::new();
    let (alice, bob) = (world.writer("usr_alice"), world.writer("usr_bob"));
    let row = publishes(&world, &alice, MANIFEST, None).unwrap();
    assert_eq!(
        row,
        json!({
            "package_id": "expense", "name": "Expense", "description": "d", "version": "0.1.0",
            "author_id": "usr_alice", "author_email": "usr_alice@example.test",
            "tenant_id": "tnt_acme", "visibility": "tenant", "visibility_group_ids": [],
            "created_at": "2027-01-15T08:00:00Z", "updated_at": "2027-01-15T08:00:00Z",
        })
    );
    let list = parsed(&block_on(catalog::browse(&world, bob.reader())).unwrap());
    assert_eq!(list, json!([row]));
    // Each copy has an identifier of its own, and is not saved.
    let install = || block_on(catalog::install(&world, bob.reader(), None, &package())).unwrap();
    let (first, second) = (install(), install());
    assert!(
        first.ends_with(&format!(",\"content\":{MANIFEST}}}")),
        "{first}"
    );
    assert_ne!(parsed(&first)["id"], parsed(&second)["id"]);
    assert_eq!(world.number("SELECT count(*) FROM flow"), 0);
    assert_eq!(
        publishes(&world, &alice, MANIFEST, None).unwrap()["version"],
        "0.1.1"
    );
    let refused = publishes(&world, &bob, MANIFEST, None);
    assert_eq!(code(&refused), Some(Code::PackageAccessDenied));
    let refused = block_on(catalog::delete(&world, &bob, None, &package()));
    assert_eq!(code(&refused), Some(Code::PackageAccessDenied));
    block_on(catalog::delete(&world, &alice, None, &package())).unwrap();
    let gone = block_on(catalog::install(&world, bob.reader(), None, &package()));
    assert_eq!(code(&gone), Some(Code::PackageNotFound));
}

#[test]
fn what_does_not_compile_is_not_stored() {
    let world = World::new();
    let alice = world.writer("usr_alice");
    for json in [r#"{"nodes":[]}"#, "\"name: x\"", "\"manifest: {\"", "1"] {
        let refused = publishes(&world, &alice, json, None);
        assert_eq!(code(&refused), Some(Code::CompileError), "{json}");
        assert!(detail(&refused)["errors"][0].is_string(), "{json}");
    }
    assert_eq!(world.number("SELECT count(*) FROM catalog_package"), 0);
    assert_eq!(world.number("SELECT count(*) FROM catalog_version"), 0);
}

#[test]
fn publishing_a_flow_needs_the_right_to_deploy_it() {
    let world = World::new();
    let alice = world.writer("usr_alice");
    let flow_id = world.saves(&alice, MANIFEST);
    for level in ["edit", "deploy"] {
        world.mirrors(&format!("usr_{level}"), "tnt_acme");
        world.grants(&alice, &flow_id, &format!("usr_{level}"), level);
    }
    for (subject, expected) in [
        ("usr_none", Some(Code::FlowNotFound)),
        ("usr_edit", Some(Code::FlowAccessDenied)),
        ("usr_deploy", None),
    ] {
        let publish = Publish {
            package_id: &package(),
            name: "Expense",
            description: None,
            version: Version {
                major: 1,
                minor: 0,
                patch: 0,
            },
            readme: None,
            shown: None,
            source: Source::Flow(&flow_id),
        };
        let outcome = block_on(catalog::publish(&world, &world.writer(subject), publish));
        assert_eq!(code(&outcome), expected, "{subject}");
    }
}

#[test]
fn a_package_is_shown_to_groups_and_to_all_again() {
    let world = World::new();
    let (alice, bob) = (world.writer("usr_alice"), world.writer("usr_bob"));
    let carol = world.writer("usr_carol");
    world.group("grp_1", "tnt_acme", "usr_carol");
    world.group("grp_2", "tnt_other", "usr_bob");
    let groups = |id| Shown::Groups(vec![GroupId::parse(id).unwrap()]);
    let foreign = publishes(&world, &alice, MANIFEST, Some(&groups("grp_2")));
    assert_eq!(code(&foreign), Some(Code::GroupNotFound));
    assert_eq!(world.number("SELECT count(*) FROM catalog_version"), 0);
    publishes(&world, &alice, MANIFEST, Some(&groups("grp_1"))).unwrap();
    let sees =
        |writer: &Writer| block_on(catalog::browse(&world, writer.reader())).unwrap() != "[]";
    assert!(sees(&alice) && sees(&carol) && !sees(&bob));
    let hidden = block_on(catalog::install(&world, bob.reader(), None, &package()));
    assert_eq!(code(&hidden), Some(Code::PackageNotFound));
    let refused = block_on(catalog::show(
        &world,
        &carol,
        None,
        &package(),
        &Shown::Tenant,
    ));
    assert_eq!(code(&refused), Some(Code::PackageAccessDenied));
    let row = block_on(catalog::show(
        &world,
        &alice,
        None,
        &package(),
        &Shown::Tenant,
    ))
    .unwrap();
    assert_eq!(parsed(&row)["visibility_group_ids"], json!([]));
    assert!(sees(&bob));
    // A new version keeps to whom the package is shown.
    block_on(catalog::show(
        &world,
        &alice,
        None,
        &package(),
        &groups("grp_1"),
    ))
    .unwrap();
    publishes(&world, &alice, MANIFEST, None).unwrap();
    assert!(sees(&carol) && !sees(&bob));
}
