//! The directory at the start: two tenants, forty people, six groups, five applications. Or a [`large()`] one.

mod large;

pub use large::large;

use crate::directory::{
    AdminRole, Application, ApplicationScope, ApplicationType, Directory, Group, Partner, Tenant,
    User,
};

/// Id of the GLOBAL confidential WEB application, the main one.
pub const APPLICATION_ID: &str = "app_scaigate0001";

/// Client id of the GLOBAL confidential WEB application.
pub const CLIENT_ID: &str = "scaigate-dev-client";
/// Its secret.
pub const CLIENT_SECRET: &str = "scaigate-dev-secret";
/// Client id of the public SPA.
pub const SPA_CLIENT_ID: &str = "scaigate-dev-spa";
/// Client id of the GLOBAL SERVICE application with `admin:read`.
pub const SERVICE_CLIENT_ID: &str = "scaigate-dev-service";
/// Its secret.
pub const SERVICE_CLIENT_SECRET: &str = "scaigate-service-secret";
/// Client id of the TENANT WEB application of acme: narrow scopes, tenant endpoints.
pub const TENANT_CLIENT_ID: &str = "scaigate-acme-client";
/// Its secret.
pub const TENANT_CLIENT_SECRET: &str = "scaigate-acme-secret";
/// Client id of the upstream that tokens may be exchanged for.
pub const UPSTREAM_CLIENT_ID: &str = "scaigrid-dev";
/// Its secret.
pub const UPSTREAM_CLIENT_SECRET: &str = "scaigrid-dev-secret";

/// Id of the first tenant (slug `acme`).
pub const ACME: &str = "tnt_acme0001";
/// Id of the second tenant (slug `umbra`).
pub const UMBRA: &str = "tnt_umbra0001";
/// Id of the partner both belong to.
pub const PARTNER: &str = "prt_scai0001";
/// Every seeded person's password.
pub const PASSWORD: &str = "password";

const ACME_PEOPLE: [(&str, &str); 24] = [
    ("Alice", "Ahrens"),
    ("Bob", "Bakker"),
    ("Carol", "Costa"),
    ("Dave", "Duarte"),
    ("Erin", "Eklund"),
    ("Frank", "Fischer"),
    ("Grace", "Gruber"),
    ("Heidi", "Hoffmann"),
    ("Ivan", "Iliev"),
    ("Judy", "Jansen"),
    ("Karl", "Keller"),
    ("Laura", "Lindqvist"),
    ("Mallory", "Meyer"),
    ("Niaj", "Nasser"),
    ("Olivia", "Okafor"),
    ("Peggy", "Petrov"),
    ("Quentin", "Quist"),
    ("Rosa", "Rossi"),
    ("Sanne", "Smit"),
    ("Trent", "Tanaka"),
    ("Ursula", "Ueda"),
    ("Victor", "Vega"),
    ("Walter", "Weiss"),
    ("Zoë", "Zimmermann"),
];
const UMBRA_PEOPLE: [(&str, &str); 16] = [
    ("Sybil", "Stone"),
    ("Amir", "Azizi"),
    ("Bea", "Brandt"),
    ("Chidi", "Chukwu"),
    ("Dana", "Dvorak"),
    ("Emil", "Engel"),
    ("Fatima", "Farouk"),
    ("Gus", "Garcia"),
    ("Hana", "Horak"),
    ("Igor", "Ivanov"),
    ("Jin", "Jung"),
    ("Kira", "Kovacs"),
    ("Liam", "Lynch"),
    ("Mona", "Moreau"),
    ("Nils", "Nygaard"),
    ("Otto", "Olsen"),
];

/// The seeded directory. The WEB client and the SPA get `redirect_uris` and `post_logout_redirect_uris`.
pub fn directory(redirect_uris: &[String], post_logout_redirect_uris: &[String]) -> Directory {
    let mut directory = Directory {
        partners: vec![partner()],
        tenants: (0..2).map(tenant).collect(),
        ..Directory::default()
    };
    for (n, home) in directory.tenants.iter().enumerate() {
        let domain = format!("{}.example", home.slug);
        directory.users.extend(
            people(n)
                .iter()
                .map(|(first, last)| person(&home.id, &home.slug, &domain, first, last)),
        );
    }
    give_roles(&mut directory);
    seed_groups(&mut directory);
    add_applications(&mut directory, redirect_uris, post_logout_redirect_uris);
    directory
}

fn partner() -> Partner {
    Partner {
        id: PARTNER.to_owned(),
        slug: "scai".to_owned(),
        name: "Scai".to_owned(),
        status: "ACTIVE".to_owned(),
    }
}

fn tenant(n: usize) -> Tenant {
    let (id, slug, name) = match n {
        0 => (ACME.to_owned(), "acme".to_owned(), "Acme".to_owned()),
        1 => (UMBRA.to_owned(), "umbra".to_owned(), "Umbra".to_owned()),
        _ => (
            format!("tnt_large{:04}", n + 1),
            format!("large{}", n + 1),
            format!("Large {}", n + 1),
        ),
    };
    Tenant {
        id,
        slug,
        name,
        partner_id: PARTNER.to_owned(),
        status: "ACTIVE".to_owned(),
    }
}

/// The people of a tenant that have a name of their own.
fn people(tenant: usize) -> &'static [(&'static str, &'static str)] {
    match tenant {
        0 => &ACME_PEOPLE,
        1 => &UMBRA_PEOPLE,
        _ => &[],
    }
}

fn person(tenant_id: &str, slug: &str, domain: &str, first: &str, last: &str) -> User {
    let local = first.to_lowercase().replace('ë', "e");
    User::new(tenant_id, slug, &format!("{local}@{domain}"), first, last)
}

/// The roles of those among the named people who are there.
fn give_roles(directory: &mut Directory) {
    for (id, role) in [
        ("usr_alice_acme", AdminRole::TenantAdmin),
        ("usr_sybil_umbra", AdminRole::TenantAdmin),
        ("usr_peggy_acme", AdminRole::PartnerAdmin),
        ("usr_olivia_acme", AdminRole::SuperAdmin),
    ] {
        if let Some(user) = directory.user_mut(id) {
            user.role = Some(role);
        }
    }
    if let Some(user) = directory.user_mut("usr_mallory_acme") {
        user.email_verified = false;
    }
}

fn seed_groups(directory: &mut Directory) {
    let ids = |tenant: &str, from: usize, to: usize| -> Vec<String> {
        let people = directory.users.iter().filter(|u| u.tenant_id == tenant);
        people
            .skip(from)
            .take(to - from)
            .map(|u| u.id.clone())
            .collect()
    };
    let groups = [
        (
            "grp_acme_admins",
            ACME,
            "platform-admins",
            None,
            ids(ACME, 0, 2),
        ),
        // Everybody but the last two, half of them through the nested group.
        ("grp_acme_staff", ACME, "staff", None, ids(ACME, 0, 12)),
        (
            "grp_acme_engineers",
            ACME,
            "engineers",
            Some("grp_acme_staff"),
            ids(ACME, 10, 22),
        ),
        (
            "grp_umbra_admins",
            UMBRA,
            "umbra-admins",
            None,
            ids(UMBRA, 0, 1),
        ),
        ("grp_umbra_staff", UMBRA, "staff", None, ids(UMBRA, 0, 14)),
        (
            "grp_umbra_research",
            UMBRA,
            "research",
            None,
            ids(UMBRA, 8, 16),
        ),
    ];
    directory
        .groups
        .extend(groups.map(|(id, tenant, name, parent, members)| Group {
            id: id.to_owned(),
            tenant_id: tenant.to_owned(),
            name: name.to_owned(),
            group_type: "SECURITY".to_owned(),
            parent_id: parent.map(str::to_owned),
            members,
        }));
}

fn words(list: &str) -> Vec<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

fn add_applications(directory: &mut Directory, redirect_uris: &[String], post_logout: &[String]) {
    let blank = Application {
        id: String::new(),
        client_id: String::new(),
        client_secret: None,
        name: String::new(),
        kind: ApplicationType::Web,
        scope: ApplicationScope::Global,
        tenant_id: None,
        partner_id: None,
        redirect_uris: redirect_uris.to_vec(),
        post_logout_redirect_uris: post_logout.to_vec(),
        allowed_scopes: Vec::new(),
        token_lifetime: 3_600,
        exchange_audiences: Vec::new(),
        assigned_users: Vec::new(),
        assigned_groups: Vec::new(),
    };
    directory.applications = vec![
        Application {
            id: APPLICATION_ID.to_owned(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: Some(CLIENT_SECRET.to_owned()),
            name: "scaigate".to_owned(),
            allowed_scopes: words(
                "openid profile email groups offline_access users:read groups:read admin:read \
                 scaicore:view scaicore:manage",
            ),
            exchange_audiences: words("scaigrid-dev scaivault-dev"),
            // Zoë has no access at all; Walter has it directly; two of umbra only through "staff".
            assigned_users: words("usr_walter_acme"),
            assigned_groups: words("grp_acme_admins grp_acme_staff grp_umbra_staff"),
            ..blank.clone()
        },
        Application {
            id: "app_scaigatespa01".to_owned(),
            client_id: SPA_CLIENT_ID.to_owned(),
            name: "scaigate in the browser".to_owned(),
            kind: ApplicationType::Spa,
            allowed_scopes: words("openid profile email groups offline_access"),
            assigned_groups: words("grp_acme_staff grp_umbra_staff"),
            ..blank.clone()
        },
        Application {
            id: "app_scaigatesvc01".to_owned(),
            client_id: SERVICE_CLIENT_ID.to_owned(),
            client_secret: Some(SERVICE_CLIENT_SECRET.to_owned()),
            name: "scaigate sync".to_owned(),
            kind: ApplicationType::Service,
            redirect_uris: Vec::new(),
            allowed_scopes: words("admin:read groups:read users:read"),
            ..blank.clone()
        },
        Application {
            id: "app_scaigateacme1".to_owned(),
            client_id: TENANT_CLIENT_ID.to_owned(),
            client_secret: Some(TENANT_CLIENT_SECRET.to_owned()),
            name: "scaigate of acme".to_owned(),
            scope: ApplicationScope::Tenant,
            tenant_id: Some(ACME.to_owned()),
            allowed_scopes: words(
                "openid profile email groups offline_access users:read groups:read",
            ),
            assigned_groups: words("grp_acme_staff"),
            ..blank.clone()
        },
        Application {
            id: "app_scaigriddev01".to_owned(),
            client_id: UPSTREAM_CLIENT_ID.to_owned(),
            client_secret: Some(UPSTREAM_CLIENT_SECRET.to_owned()),
            name: "ScaiGrid".to_owned(),
            kind: ApplicationType::Service,
            redirect_uris: Vec::new(),
            allowed_scopes: words("scaicore:view scaicore:manage"),
            ..blank
        },
    ];
}
