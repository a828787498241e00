//! How ScaiKey's directory changes.

use scaigate_simulated::Seeded;
use scaikey_emulator::{Directory, WebhookEvent, seed};
use serde_json::Value;

use crate::world::World;

const TENANTS: [&str; 2] = [seed::ACME, seed::UMBRA];
/// Few, so that what was there once is there again.
const GROUPS: [&str; 3] = ["admins", "staff", "new"];
const PEOPLE: [&str; 3] = ["nina", "omar", "pia"];
const NAMES: [&str; 3] = ["Ash", "Birch", "Cedar"];

/// The emulator's directory with four people and two groups in each tenant.
pub fn small_directory() -> Directory {
    let mut directory = seed::directory(&[], &[]);
    let mut kept: Vec<String> = Vec::new();
    for tenant in TENANTS {
        let people = directory.users.iter().filter(|u| u.tenant_id == tenant);
        kept.extend(people.take(4).map(|user| user.id.clone()));
    }
    directory.users.retain(|user| kept.contains(&user.id));
    directory
        .groups
        .retain(|group| group.id.ends_with("_admins") || group.id.ends_with("_staff"));
    for group in &mut directory.groups {
        group.members.retain(|member| kept.contains(member));
    }
    directory
}

/// Leaves of the data what names the user, and what has changed.
fn only_changed(mut event: WebhookEvent, changed: &[&str]) -> WebhookEvent {
    const NAMES_THE_USER: [&str; 4] = ["id", "user_id", "tenant_id", "tenant"];
    if let Value::Object(data) = &mut event.data {
        data.retain(|name, _| {
            NAMES_THE_USER.contains(&name.as_str()) || changed.contains(&name.as_str())
        });
    }
    event
}

fn update_user(world: &World, random: &Seeded, user: &str) -> Option<WebhookEvent> {
    let changes = world.scaikey.emulator.changes();
    let text = *random.pick(&NAMES);
    let (event, changed) = if random.chance(50) {
        let email = format!("{}@{text}.example", random.pick(&PEOPLE));
        let event = changes.update_user(user, |user| user.email = email);
        (event, ["email"].as_slice())
    } else {
        let event = changes.update_user(user, |user| text.clone_into(&mut user.last_name));
        (
            event,
            ["first_name", "last_name", "display_name"].as_slice(),
        )
    };
    event.map(|event| {
        if random.chance(40) {
            only_changed(event, changed)
        } else {
            event
        }
    })
}

/// One change, and the honest event about it; `None` where nothing changed.
pub fn change(world: &World, random: &Seeded) -> Option<WebhookEvent> {
    let changes = world.scaikey.emulator.changes();
    let tenant = *random.pick(&TENANTS);
    let (users, groups) = {
        let directory = world.scaikey.emulator.directory();
        // Nothing happens any more in a tenant that is deleted.
        directory.tenant(tenant).filter(|t| t.status != "DELETED")?;
        let users = directory.users.iter().filter(|u| u.tenant_id == tenant);
        let groups = directory.groups.iter().filter(|g| g.tenant_id == tenant);
        let users = users.map(|user| user.id.clone());
        let groups = groups.map(|group| group.id.clone());
        (users.collect::<Vec<_>>(), groups.collect::<Vec<_>>())
    };
    let user = random.pick(&users);
    let name = *random.pick(&GROUPS);
    if groups.is_empty() {
        return changes.create_group(tenant, name);
    }
    let group = random.pick(&groups);
    match random.below(40) {
        0..2 => {
            let email = format!("{}@new.example", random.pick(&PEOPLE));
            changes.create_user(tenant, &email, "N", "New")
        }
        2..7 => update_user(world, random, user),
        7..9 => changes.suspend_user(user),
        9..11 => changes.activate_user(user),
        11..15 => changes.delete_user(user),
        15..20 => changes.restore_user(user),
        20..22 => changes.create_group(tenant, name),
        22 => {
            let name = (*random.pick(&NAMES)).to_owned();
            changes.update_group(group, |group| group.name = name)
        }
        23 => {
            let kind = (*random.pick(&["SECURITY", "DISTRIBUTION_LIST"])).to_owned();
            changes.update_group(group, |group| group.group_type = kind)
        }
        24 => changes.delete_group(group),
        25..30 => changes.add_member(group, user),
        30..33 => changes.remove_member(group, user),
        33 => changes.suspend_tenant(tenant),
        34 => changes.activate_tenant(tenant),
        35..37 => {
            let name = (*random.pick(&NAMES)).to_owned();
            changes.update_tenant(tenant, |tenant| tenant.name = name)
        }
        37 if random.chance(50) => changes.suspend_partner(seed::PARTNER),
        37 => changes.activate_partner(seed::PARTNER),
        38 if random.chance(50) => changes.assign_group(seed::APPLICATION_ID, group),
        38 => changes.unassign_group(seed::APPLICATION_ID, group),
        _ if random.chance(10) => changes.delete_tenant(tenant),
        _ => changes.create_tenant("third", "Third", seed::PARTNER),
    }
}
