//! The events about changes tell all of them: who follows them in order has what the lists have.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use scaikey_emulator::{Changes, UserShape, WebhookEvent, seed};
use serde_json::Value;
use support::{Bench, text};

/// What lists and events know of a directory.
#[derive(Debug, Default, PartialEq)]
struct Mirror {
    tenants: BTreeMap<String, String>,
    /// Address, first name, status.
    people: BTreeMap<String, [String; 3]>,
    groups: BTreeMap<String, String>,
    members: BTreeSet<(String, String)>,
    assigned_groups: BTreeSet<String>,
    assigned_users: BTreeSet<String>,
}

fn person(row: &Value) -> [String; 3] {
    ["email", "first_name", "status"].map(|name| text(&row[name]))
}

impl Mirror {
    async fn read(bench: &Bench, token: &str) -> Self {
        let mut mirror = Self::default();
        for row in bench.rows("/api/v1/admin/tenants/", token).await {
            mirror
                .tenants
                .insert(text(&row["id"]), text(&row["status"]));
        }
        for row in bench
            .rows("/api/v1/admin/users/?per_page=1000", token)
            .await
        {
            mirror.people.insert(text(&row["id"]), person(&row));
        }
        for row in bench
            .rows("/api/v1/admin/groups/?per_page=1000", token)
            .await
        {
            let id = text(&row["id"]);
            let path = format!("/api/v1/admin/groups/{id}/members?per_page=1000");
            for member in bench.rows(&path, token).await {
                mirror
                    .members
                    .insert((id.clone(), text(&member["user_id"])));
            }
            mirror.groups.insert(id, text(&row["name"]));
        }
        for tenant in mirror.tenants.keys() {
            let path = format!("/api/v1/tenants/{tenant}/applications/{APP}/assignees");
            let told = support::json(&bench.get_as(&path, token).await)["data"].clone();
            let ids = |list: &Value| -> Vec<String> {
                let rows = list.as_array().unwrap();
                rows.iter().map(|row| text(&row["id"])).collect()
            };
            mirror.assigned_groups.extend(ids(&told["groups"]));
            mirror.assigned_users.extend(ids(&told["users"]));
        }
        mirror
    }

    fn follow(&mut self, event: &WebhookEvent) {
        let data = &event.data;
        let id = || text(&data["id"]);
        let pair = || (text(&data["group_id"]), text(&data["user_id"]));
        match event.event_type.as_str() {
            "user.deleted" => {
                self.people.remove(&id());
                self.members.retain(|(_, user)| *user != id());
                self.assigned_users.remove(&id());
            }
            "user.created" | "user.updated" | "user.suspended" | "user.activated" => {
                self.people.insert(id(), person(data));
            }
            "group.deleted" => {
                self.groups.remove(&id());
                self.members.retain(|(group, _)| *group != id());
                self.assigned_groups.remove(&id());
            }
            "group.created" | "group.updated" => {
                self.groups.insert(id(), text(&data["name"]));
            }
            "group.member_added" => drop(self.members.insert(pair())),
            "group.member_removed" => drop(self.members.remove(&pair())),
            "application.group_assigned" => {
                self.assigned_groups.insert(text(&data["group_id"]));
            }
            "application.group_unassigned" => {
                self.assigned_groups.remove(&text(&data["group_id"]));
            }
            "application.user_assigned" => {
                self.assigned_users.insert(text(&data["user_id"]));
            }
            "application.user_unassigned" => {
                self.assigned_users.remove(&text(&data["user_id"]));
            }
            "tenant.created" | "tenant.updated" => {
                self.tenants.insert(id(), text(&data["status"]));
            }
            other => panic!("{other} is not expected here"),
        }
    }
}

const APP: &str = seed::APPLICATION_ID;

/// Numbers without a pattern, the same at every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn pick(&mut self, list: &[String]) -> String {
        list[self.below(list.len())].clone()
    }
}

/// One change somewhere, or none.
fn change(
    c: &Changes<'_>,
    dice: &mut Dice,
    people: &[String],
    groups: &[String],
) -> Option<WebhookEvent> {
    let (user, group) = (dice.pick(people), dice.pick(groups));
    let number = dice.below(1_000);
    let tenant = [seed::ACME, seed::UMBRA][number % 2];
    match dice.below(16) {
        0 => c.create_user(tenant, &format!("n{number}@new.example"), "N", "New"),
        1 => c.update_user(&user, |u| u.first_name = format!("Name {number}")),
        2 => c.suspend_user(&user),
        3 => c.activate_user(&user),
        4 => c.delete_user(&user),
        5 => c.restore_user(&user),
        6 => c.create_group(tenant, &format!("team {}", number % 60)),
        7 => c.update_group(&group, |g| g.name = format!("Group {number}")),
        8 if groups.len() > 4 => c.delete_group(&group),
        9 => c.remove_member(&group, &user),
        10 => c.assign_group(APP, &group),
        11 => c.unassign_group(APP, &group),
        12 => c.assign_user(APP, &user),
        13 if number.is_multiple_of(2) => c.suspend_tenant(tenant),
        13 => c.activate_tenant(tenant),
        14 => c.unassign_user(APP, &user),
        _ => c.add_member(&group, &user),
    }
}

#[tokio::test]
async fn following_the_events_is_as_good_as_reading_the_lists() {
    let bench = Bench::with(|b| b.webhook_data = UserShape::Flat).await;
    let token = bench.service_token().await;
    let mut mirror = Mirror::read(&bench, &token).await;
    let changes = bench.emulator.changes();
    let mut dice = Dice(20_250_615);
    let (mut seen, mut last) = (BTreeSet::new(), i64::MIN);
    for _ in 0..20 {
        for _ in 0..150 {
            let (people, groups): (Vec<String>, Vec<String>) = {
                let directory = bench.emulator.directory();
                let people = directory.users.iter().map(|u| u.id.clone());
                let groups = directory.groups.iter().map(|g| g.id.clone());
                (people.collect(), groups.collect())
            };
            if let Some(event) = change(&changes, &mut dice, &people, &groups) {
                assert!(event.at_ms.unwrap() > last);
                last = event.at_ms.unwrap();
                mirror.follow(&event);
                seen.insert(event.event_type);
            }
        }
        assert_eq!(Mirror::read(&bench, &token).await, mirror);
    }
    assert_eq!(seen.len(), 15, "every kind of change occurred: {seen:?}");
}
