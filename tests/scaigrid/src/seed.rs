//! What is in ScaiGrid at the start. Tenants and people carry the ids that the ScaiKey emulator seeds.

use serde_json::json;

use crate::grid::{
    ApiKey, Bunker, Checkpoint, Core, Event, Grid, Model, Queue, Role, Scope, Tenant,
};

/// Id of the first tenant (slug `acme`).
pub const ACME: &str = "tnt_acme0001";
/// Id of the second tenant (slug `umbra`).
pub const UMBRA: &str = "tnt_umbra0001";
/// Id of the partner both belong to.
pub const PARTNER: &str = "prt_scai0001";

// TEST KEYS. They protect nothing and are public on purpose.
/// Key of acme's administrator: everything of the tenant.
pub const ACME_KEY: &str = "sgk_test0acme0admin0000000000000000000001";
/// Key of a viewer of acme: lists of models, queues and cores, no bunkers, no chat.
pub const ACME_VIEWER_KEY: &str = "sgk_test0acme0viewer000000000000000000002";
/// Key of a user of acme: models and chat, no modules.
pub const ACME_USER_KEY: &str = "sgk_test0acme0user00000000000000000000003";
/// Key of acme's administrator, narrowed to `models:list`.
pub const ACME_NARROW_KEY: &str = "sgk_test0acme0narrow000000000000000000004";
/// A revoked key of acme's administrator.
pub const ACME_REVOKED_KEY: &str = "sgk_test0acme0revoked00000000000000000005";
/// A key of acme's administrator that expired in 2020.
pub const ACME_EXPIRED_KEY: &str = "sgk_test0acme0expired00000000000000000006";
/// Key of umbra's administrator.
pub const UMBRA_KEY: &str = "sgk_test0umbra0admin000000000000000000007";

/// The core of acme that has events and checkpoints.
pub const ACME_CORE: &str = "core_acme_support";
/// A scope of acme (slug `support`) with two queues.
pub const ACME_SCOPE: &str = "sc_acme_support";
/// A scope of umbra (slug `support` too).
pub const UMBRA_SCOPE: &str = "sc_umbra_support";
/// How many events acme has.
pub const ACME_EVENTS: usize = 130;
/// How many bunkers acme has.
pub const ACME_BUNKERS: usize = 60;

/// When what is seeded was made: 2025-01-01T00:00:00Z.
const MADE: i64 = 1_735_689_600;

/// The seeded ScaiGrid.
pub fn grid() -> Grid {
    let mut grid = Grid::default();
    for (id, slug) in [(ACME, "acme"), (UMBRA, "umbra")] {
        grid.tenants.push(Tenant {
            id: id.to_owned(),
            slug: slug.to_owned(),
            partner_id: PARTNER.to_owned(),
            modules: ["scaiqueue", "scaibunker", "scaicore"]
                .map(str::to_owned)
                .to_vec(),
        });
    }
    for (sub, role) in [
        ("usr_alice_acme", Role::TenantAdmin),
        ("usr_bob_acme", Role::TenantViewer),
        ("usr_carol_acme", Role::TenantUser),
        ("usr_olivia_acme", Role::SuperAdmin),
        ("usr_peggy_acme", Role::PartnerAdmin),
        ("usr_sybil_umbra", Role::TenantAdmin),
        ("usr_amir_umbra", Role::TenantViewer),
        ("scaigate-dev-service", Role::TenantViewer),
    ] {
        grid.people.insert(sub.to_owned(), role);
    }
    grid.keys = keys();
    grid.models = models();
    queues(&mut grid);
    bunkers(&mut grid);
    cores(&mut grid);
    grid
}

fn keys() -> Vec<ApiKey> {
    let key = |number: u32, key: &str, tenant: &str, user: &str, role: Role| ApiKey {
        id: format!("key_{number:04}"),
        key: key.to_owned(),
        name: format!("key {number}"),
        tenant_id: tenant.to_owned(),
        user_id: user.to_owned(),
        permissions: role.permissions(),
        scopes: None,
        expires_at: None,
        is_revoked: false,
    };
    let admin = |number, text| key(number, text, ACME, "usr_alice_acme", Role::TenantAdmin);
    vec![
        admin(1, ACME_KEY),
        key(2, ACME_VIEWER_KEY, ACME, "usr_bob_acme", Role::TenantViewer),
        key(3, ACME_USER_KEY, ACME, "usr_carol_acme", Role::TenantUser),
        ApiKey {
            scopes: Some(vec!["models:list".to_owned()]),
            ..admin(4, ACME_NARROW_KEY)
        },
        ApiKey {
            is_revoked: true,
            ..admin(5, ACME_REVOKED_KEY)
        },
        ApiKey {
            expires_at: Some(1_600_000_000),
            ..admin(6, ACME_EXPIRED_KEY)
        },
        key(7, UMBRA_KEY, UMBRA, "usr_sybil_umbra", Role::TenantAdmin),
    ]
}

fn models() -> Vec<Model> {
    let model = |slug: &str, name: &str, modality: &str, window, output| Model {
        slug: slug.to_owned(),
        display_name: name.to_owned(),
        modality: modality.to_owned(),
        context_window: window,
        max_output_tokens: output,
        status: "active".to_owned(),
        tenant_id: None,
        streams: true,
    };
    vec![
        model("openai/gpt-4o", "GPT-4o", "chat", 128_000, Some(16_384)),
        // G-quick leaves `max_output_tokens` out on one entry.
        model(
            "scailabs/poolnoodle-mini",
            "Poolnoodle Mini",
            "chat",
            32_768,
            None,
        ),
        model("scailabs/embed-1", "Embed 1", "embedding", 8_192, None),
        model("scailabs/paint-1", "Paint 1", "image", 4_096, None),
        Model {
            status: "deprecated".to_owned(),
            ..model(
                "scailabs/poolnoodle-0",
                "Poolnoodle 0",
                "chat",
                4_096,
                Some(1_024),
            )
        },
        Model {
            tenant_id: Some(ACME.to_owned()),
            ..model(
                "tenant/acme/house",
                "Acme's own",
                "chat",
                64_000,
                Some(8_192),
            )
        },
        Model {
            tenant_id: Some(UMBRA.to_owned()),
            ..model(
                "tenant/umbra/lab",
                "Umbra's own",
                "chat",
                64_000,
                Some(8_192),
            )
        },
    ]
}

fn queues(grid: &mut Grid) {
    for (id, tenant, slug, name, description) in [
        (
            ACME_SCOPE,
            ACME,
            "support",
            "Support",
            Some("Tickets of customers"),
        ),
        ("sc_acme_billing", ACME, "billing", "Billing", None),
        (
            UMBRA_SCOPE,
            UMBRA,
            "support",
            "Umbra support",
            Some("Private"),
        ),
    ] {
        grid.scopes.push(Scope {
            id: id.to_owned(),
            tenant_id: tenant.to_owned(),
            slug: slug.to_owned(),
            display_name: name.to_owned(),
            description: description.map(str::to_owned),
        });
    }
    for (id, scope, slug, name, ordering, retries) in [
        ("q_acme_review", ACME_SCOPE, "review", "Review", "fifo", 5),
        (
            "q_acme_urgent",
            ACME_SCOPE,
            "urgent",
            "Urgent",
            "priority",
            1,
        ),
        (
            "q_acme_dunning",
            "sc_acme_billing",
            "dunning",
            "Dunning",
            "deadline",
            3,
        ),
        (
            "q_umbra_review",
            UMBRA_SCOPE,
            "review",
            "Umbra review",
            "broadcast",
            5,
        ),
    ] {
        grid.queues.push(Queue {
            id: id.to_owned(),
            scope_id: scope.to_owned(),
            slug: slug.to_owned(),
            display_name: name.to_owned(),
            ordering: ordering.to_owned(),
            max_retries: retries,
        });
    }
}

fn bunkers(grid: &mut Grid) {
    const LIFECYCLES: [&str; 3] = ["ephemeral", "session", "persistent"];
    const STATUSES: [&str; 4] = ["running", "running", "provisioning", "paused"];
    let mut add = |tenant: &str, slug: &str, owners: [&str; 2], count: usize| {
        grid.bunkers.extend((0..count).map(|n| Bunker {
            id: format!("bnk_{slug}_{n:03}"),
            tenant_id: tenant.to_owned(),
            owner_id: owners[n % 2].to_owned(),
            image: "python-3.12".to_owned(),
            lifecycle: LIFECYCLES[n % 3].to_owned(),
            status: STATUSES[n % 4].to_owned(),
        }));
    };
    add(
        ACME,
        "acme",
        ["usr_alice_acme", "usr_bob_acme"],
        ACME_BUNKERS,
    );
    add(UMBRA, "umbra", ["usr_sybil_umbra", "usr_amir_umbra"], 3);
}

fn cores(grid: &mut Grid) {
    for (id, tenant, name) in [
        (ACME_CORE, ACME, "support"),
        ("core_umbra_lab", UMBRA, "lab"),
    ] {
        grid.cores.push(Core {
            id: id.to_owned(),
            tenant_id: tenant.to_owned(),
            name: name.to_owned(),
            source: format!("name: {name}\n"),
            published_slug: None,
        });
    }
    // The closed set of built-in types (contract/scaiflow.md 2.6).
    const KINDS: [&str; 6] = [
        "scaicore.runtime.invocation.started",
        "scaicore.runtime.block.entered",
        "scaicore.runtime.block.exited",
        "scaicore.runtime.block.failed",
        "scaicore.runtime.invocation.failed",
        "scaicore.runtime.invocation.completed",
    ];
    let mut add = |tenant: &str, core: &str, count: usize| {
        grid.events
            .extend((0..count).zip(MADE..).map(|(n, at)| Event {
                tenant_id: tenant.to_owned(),
                kind: KINDS[n % KINDS.len()].to_owned(),
                core_id: core.to_owned(),
                at,
                payload: match n % KINDS.len() {
                    2 => json!({"block": "b1", "result_binding_value": {"n": n}}),
                    3 => json!({"block": "b1", "result_binding_truncated": true}),
                    _ => json!({"invocation_id": format!("inv_{n:04}")}),
                },
            }));
    };
    add(ACME, ACME_CORE, ACME_EVENTS);
    add(UMBRA, "core_umbra_lab", 4);
    for (n, status) in [
        "pending",
        "pending",
        "resolved",
        "expired",
        "cancelled",
        "failed",
    ]
    .into_iter()
    .enumerate()
    {
        grid.checkpoints.push(Checkpoint {
            id: format!("chk_acme_{n:02}"),
            tenant_id: ACME.to_owned(),
            core_id: ACME_CORE.to_owned(),
            status: status.to_owned(),
            checkpoint_type: "hitl_review".to_owned(),
            at: MADE,
            resolution: None,
        });
    }
    grid.checkpoints.push(Checkpoint {
        id: "chk_umbra_00".to_owned(),
        tenant_id: UMBRA.to_owned(),
        core_id: "core_umbra_lab".to_owned(),
        status: "pending".to_owned(),
        checkpoint_type: "hitl_review".to_owned(),
        at: MADE,
        resolution: None,
    });
}
