//! Lists that end early, lose a row between two pages, or do not say how long they are: when a list is
//! whole, when it is read again, and when it is given up.

use std::cell::RefCell;
use std::time::Duration;

use scaikey_emulator::{DirectoryLie, User, seed};
use serde_json::{Value, json};

use crate::sync_reading::{incomplete, is_whole, lies, world};
use crate::world::World;
use crate::world::scaikey::OutboundFault;

const BOB: &str = "usr_bob_acme";
const STAFF: &str = "grp_acme_staff";
const USERS: &str = "/effective-users";
const MEMBERS: &str = "/members";

/// Lets no page have more rows.
fn pages_of(world: &World, most: usize) {
    let switches = world.scaikey.emulator.switches();
    switches.change(|behaviour| behaviour.max_per_page = most);
}

/// A world that has been mirrored a while ago, by pages of at most so many rows.
fn mirrored(most: usize) -> World {
    let world = world();
    pages_of(&world, most);
    world.sync(false).unwrap();
    world.clock.advance(Duration::from_secs(10));
    world.scaikey.plan.heal();
    world
}

#[test]
fn what_slips_between_two_pages_is_found_by_pages_of_another_size() {
    // Pages of four rows might each be a list's last, but not all of them.
    for (most, is_told_how_many) in [(10, true), (10, false), (4, true), (4, false)] {
        let world = world();
        pages_of(&world, most);
        lies(&world, DirectoryLie::RowLost);
        if !is_told_how_many {
            lies(&world, DirectoryLie::NoMetaValid);
        }
        world.sync(false).unwrap();
        is_whole(&world);
    }
}

#[test]
fn a_full_page_that_none_comes_after_is_no_whole_list() {
    let by_total = "ScaiKey promises more rows than its pages have";
    let by_size = "a page of it was full, and none came after it";
    for (most, is_told_how_many, reason) in [
        (10, true, by_total),
        (4, true, by_total),
        (10, false, by_size),
        (5, false, by_size),
    ] {
        let world = world();
        pages_of(&world, most);
        lies(&world, DirectoryLie::LaterPagesEmpty);
        if !is_told_how_many {
            lies(&world, DirectoryLie::NoMetaValid);
        }
        incomplete(&world, "effective_users", reason);
    }
}

/// Which of these requests asks for the second page of the list at `path`, from 1.
fn second_page(paths: &[String], path: &str) -> usize {
    let mut found = (1..).zip(paths).filter(|(_, one)| *one == path);
    found.nth(1).unwrap().0
}

/// A list of the directory, and the identifiers of its rows.
fn long_lists() -> [(String, Vec<String>); 2] {
    let world = world();
    let mut directory = world.scaikey.emulator.directory();
    let members = directory.group_mut(STAFF).unwrap().members.clone();
    let of_acme = |user: &User| (user.tenant_id == seed::ACME).then(|| user.id.clone());
    let users = directory.users.iter().filter_map(of_acme).collect();
    [
        (
            format!("/api/v1/tenants/{}/applications/me{USERS}", seed::ACME),
            users,
        ),
        (format!("/api/v1/admin/groups/{STAFF}{MEMBERS}"), members),
    ]
}

/// Two pages. Somebody of the first goes before the second is read: it begins one row later, and as many
/// rows have come as are promised then.
fn slipped(ids: &[String]) -> OutboundFault {
    let row = |id: &String| json!({ "id": id, "tenant_id": seed::ACME });
    let rows: Vec<Value> = ids[ids.len() / 2 + 1..].iter().map(row).collect();
    let body = json!({ "data": rows, "meta": { "total": ids.len() - 1 } });
    OutboundFault::Instead(200, "application/json", body.to_string().leak())
}

#[test]
fn nobody_is_given_up_for_a_row_that_slipped_while_somebody_went() {
    for (path, ids) in long_lists() {
        let honest = mirrored(ids.len() / 2);
        honest.sync(false).unwrap();
        let asked = honest.scaikey.plan.heal();
        let world = mirrored(ids.len() / 2);
        let before = world.mirror();
        let page = second_page(&asked, &path);
        world.scaikey.plan.fail_at(page, slipped(&ids));
        world.sync(false).unwrap();
        assert_eq!(world.mirror().differences(&before), [""; 0], "{path}");
        assert!(world.scaikey.plan.heal().len() > asked.len(), "{path}");
    }
}

#[test]
fn nobody_is_missed_for_a_row_that_slipped_while_somebody_went() {
    // Nobody is mirrored yet whom anybody could miss.
    for (path, ids) in long_lists() {
        let honest = world();
        pages_of(&honest, ids.len() / 2);
        honest.sync(false).unwrap();
        let asked = honest.scaikey.plan.heal();
        let world = world();
        pages_of(&world, ids.len() / 2);
        let page = second_page(&asked, &path);
        world.scaikey.plan.fail_at(page, slipped(&ids));
        world.sync(false).unwrap();
        let (mirror, truth) = (world.mirror(), world.truth());
        assert!(mirror.users.keys().eq(truth.users.keys()), "{path}");
        assert_eq!(mirror.members, truth.members, "{path}");
        assert!(world.scaikey.plan.heal().len() > asked.len(), "{path}");
    }
}

#[test]
fn a_list_that_gets_shorter_at_each_reading_is_taken_at_the_third() {
    let world = world();
    pages_of(&world, 10);
    // Before each page of the users one of those goes who come first.
    let [(list, users), _] = long_lists();
    let left = RefCell::new(users.into_iter());
    *world.scaikey.before.borrow_mut() = Some(Box::new(move |scaikey, path| {
        if path == list {
            let gone = left.borrow_mut().next().unwrap();
            scaikey.changes().delete_user(&gone);
        }
    }));
    world.sync(false).unwrap();
    let (mirror, truth) = (world.mirror(), world.truth());
    let is_mirrored = |user| mirror.users.contains_key(user);
    assert!(truth.users.keys().all(is_mirrored), "{:?}", mirror.users);
}

#[test]
fn a_list_is_read_again_only_where_somebody_could_have_been_missed() {
    // Rows of a page, whether Bob has gone; how often users and members are asked for.
    for (most, is_gone, users, members) in [
        (1_000, false, 2, 6),
        (1_000, true, 2, 6),
        (10, false, 5, 9),
        // The users of Bob's tenant and the members of one of his groups come in pages.
        (10, true, 5 + 3, 9 + 2),
    ] {
        let world = mirrored(most);
        if is_gone {
            let gone = world.scaikey.emulator.changes().delete_user(BOB);
            assert!(gone.is_some());
        }
        world.sync(false).unwrap();
        is_whole(&world);
        let asked = world.scaikey.plan.heal();
        let count = |end: &str| asked.iter().filter(|path| path.ends_with(end)).count();
        let counts = (count(USERS), count(MEMBERS));
        assert_eq!(counts, (users, members), "{most} {is_gone}: {asked:?}");
    }
}
