//! Every call of the database fails once: it is told, and nothing is half-done.

use std::future::Future;
use std::pin::Pin;

use futures::executor::block_on;
use scaigate_flows::catalog::{self, Publish, Shown, Source};
use scaigate_flows::deploy::{self, Wanted};
use scaigate_flows::{Writer, acl, caller, flow};
use scaigate_kv::catalog::Version;
use scaigate_kv::flow::Page;
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Principal, User};
use scaigate_types::{FlowId, GroupId, PackageId};

use crate::grid::{Script, core};
use crate::world::{MANIFEST, World, content, user};

/// Calls of the database that record a deployment's end: a transaction with one statement.
pub const RECORD: u64 = 3;

/// A world with a flow, a right and a package, and what to do in it.
struct Scene {
    world: World,
    alice: Writer,
    flow_id: FlowId,
    package_id: PackageId,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let alice = world.writer("usr_alice");
        let flow_id = world.saves(&alice, MANIFEST);
        world.mirrors("usr_bob", "tnt_acme");
        world.mirrors("usr_carol", "tnt_acme");
        world.group("grp_1", "tnt_acme", "usr_bob");
        world.grants(&alice, &flow_id, "usr_bob", "view");
        let scene = Self {
            package_id: PackageId::parse("expense").unwrap(),
            world,
            alice,
            flow_id,
        };
        block_on(scene.publish()).unwrap();
        scene
    }

    async fn publish(&self) -> Result<(), Problem> {
        let shown = Shown::Groups(vec![GroupId::parse("grp_1").unwrap()]);
        let publish = Publish {
            package_id: &self.package_id,
            name: "Expense",
            description: None,
            version: Version {
                major: 1,
                minor: 0,
                patch: 0,
            },
            readme: None,
            shown: Some(&shown),
            source: Source::Flow(&self.flow_id),
        };
        catalog::publish(&self.world, &self.alice, publish)
            .await
            .map(drop)
    }

    /// Everything that is kept, as one text.
    fn kept(&self) -> String {
        let tables = [
            "flow",
            "flow_version",
            "flow_acl",
            "catalog_package",
            "catalog_group",
            "catalog_version",
        ];
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            self.world.number(&sql)
        };
        let counts: Vec<i64> = tables.into_iter().map(count).collect();
        let patch = self.world.number("SELECT sum(patch) FROM flow");
        let live = self
            .world
            .number("SELECT count(*) FROM flow WHERE deleted_at IS NULL");
        let of_package = self.world.number("SELECT sum(patch) FROM catalog_package");
        let open = self
            .world
            .number("SELECT count(*) FROM catalog_package WHERE visibility = 'tenant'");
        format!("{counts:?} {patch} {live} {of_package} {open}")
    }
}

type Act = for<'s> fn(&'s Scene) -> Pin<Box<dyn Future<Output = Result<(), Problem>> + 's>>;

const ACTS: &[(&str, Act)] = &[
    ("create", |scene| {
        Box::pin(async {
            let body = content("{}");
            let new = flow::New {
                name: "n",
                description: None,
                content: &body,
            };
            flow::create(&scene.world, &scene.alice, new)
                .await
                .map(drop)
        })
    }),
    ("list", |scene| {
        Box::pin(async {
            let page = Page {
                search: None,
                limit: 10,
            };
            flow::list(&scene.world, scene.alice.reader(), page)
                .await
                .map(drop)
        })
    }),
    ("get", |scene| {
        Box::pin(async {
            flow::get(&scene.world, scene.alice.reader(), &scene.flow_id)
                .await
                .map(drop)
        })
    }),
    ("update", |scene| {
        Box::pin(async {
            let body = content("{}");
            let update = flow::Update {
                name: Some("n"),
                description: None,
                content: Some(&body),
            };
            flow::update(&scene.world, &scene.alice, &scene.flow_id, update)
                .await
                .map(drop)
        })
    }),
    ("delete", |scene| {
        Box::pin(async { flow::delete(&scene.world, &scene.alice, &scene.flow_id).await })
    }),
    ("version", |scene| {
        Box::pin(async {
            let reader = scene.alice.reader();
            flow::version(&scene.world, reader, &scene.flow_id, "1.0.0")
                .await
                .map(drop)
        })
    }),
    ("grant", |scene| {
        Box::pin(async {
            let wanted = acl::Wanted {
                principal_type: "user",
                principal_id: "usr_carol",
                level: "edit",
            };
            acl::grant(&scene.world, &scene.alice, &scene.flow_id, wanted)
                .await
                .map(drop)
        })
    }),
    ("acls", |scene| {
        Box::pin(async {
            acl::list(&scene.world, scene.alice.reader(), &scene.flow_id)
                .await
                .map(drop)
        })
    }),
    ("publish", |scene| Box::pin(scene.publish())),
    ("browse", |scene| {
        Box::pin(async {
            catalog::browse(&scene.world, scene.alice.reader())
                .await
                .map(drop)
        })
    }),
    ("install", |scene| {
        Box::pin(async {
            let reader = scene.alice.reader();
            catalog::install(&scene.world, reader, None, &scene.package_id)
                .await
                .map(drop)
        })
    }),
    ("show", |scene| {
        Box::pin(async {
            let package_id = &scene.package_id;
            catalog::show(&scene.world, &scene.alice, None, package_id, &Shown::Tenant)
                .await
                .map(drop)
        })
    }),
    ("remove", |scene| {
        Box::pin(async {
            catalog::delete(&scene.world, &scene.alice, None, &scene.package_id).await
        })
    }),
    ("caller", |scene| {
        Box::pin(async {
            let bob = User {
                scopes: Vec::new(),
                ..user("usr_bob", "tnt_acme", None)
            };
            let outcome = caller::reader(&scene.world, Principal::User(bob.into())).await;
            match outcome {
                // Bob has no role: what is of interest is what a failing store makes of it.
                Err(problem) if problem.code() == Code::InsufficientScope => Ok(()),
                outcome => outcome.map(drop),
            }
        })
    }),
];

#[test]
fn every_failing_call_is_told_and_undoes_what_was_begun() {
    for (name, act) in ACTS {
        let calls = {
            let scene = Scene::new();
            scene.world.db.failing.heal();
            block_on(act(&scene)).unwrap_or_else(|problem| panic!("{name}: {problem:?}"));
            scene.world.db.failing.heal()
        };
        assert!(calls > 0, "{name}");
        for call in 1..=calls {
            let scene = Scene::new();
            let before = scene.kept();
            scene.world.db.failing.fail_at(call);
            let outcome = block_on(act(&scene));
            scene.world.db.failing.heal();
            let code = outcome.err().map(|problem| problem.code());
            assert_eq!(
                code,
                Some(Code::StoreUnavailable),
                "{name}, call {call} of {calls}"
            );
            assert_eq!(scene.kept(), before, "{name}, call {call} of {calls}");
            block_on(act(&scene)).unwrap_or_else(|problem| panic!("{name}: {problem:?}"));
        }
    }
}

#[test]
fn a_deployment_whose_record_fails_still_names_the_core() {
    let calls = {
        let scene = Scene::new();
        scene.world.db.failing.heal();
        let grid = Script::of(vec![core()]);
        let none = Wanted::default();
        block_on(deploy::deploy(
            &scene.world,
            &grid,
            &scene.alice,
            &scene.flow_id,
            &none,
        ))
        .unwrap();
        scene.world.db.failing.heal()
    };
    for call in 1..=calls {
        let scene = Scene::new();
        let grid = Script::of(vec![core()]);
        scene.world.db.failing.fail_at(call);
        let none = Wanted::default();
        let outcome = block_on(deploy::deploy(
            &scene.world,
            &grid,
            &scene.alice,
            &scene.flow_id,
            &none,
        ));
        scene.world.db.failing.heal();
        let problem = outcome.unwrap_err();
        assert_eq!(problem.code(), Code::StoreUnavailable, "call {call}");
        let details = &problem.body("/", "req_1")["error"]["details"];
        let was_asked = !grid.targets().is_empty();
        assert_eq!(
            details["core_id"] == "core_1",
            was_asked,
            "call {call}: {details}"
        );
        assert_eq!(
            was_asked,
            call > calls - RECORD,
            "only the record comes after ScaiGrid"
        );
    }
}
