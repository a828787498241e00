//! Directories of any size.

use crate::directory::{ApplicationScope, ApplicationType, Directory, Group, User};
use crate::seed;

const FIRST: [&str; 40] = [
    "Aleksandra",
    "Benjamin",
    "Charlotte",
    "Dimitrios",
    "Eleonora",
    "Friedrich",
    "Guillaume",
    "Henrietta",
    "Isabella",
    "Johannes",
    "Katharina",
    "Leonardo",
    "Margarethe",
    "Nathaniel",
    "Oluwaseun",
    "Priyanka",
    "Rasmus",
    "Sebastián",
    "Theodora",
    "Valentina",
    "Wilhelmina",
    "Xiaoming",
    "Yevgenia",
    "Zachariah",
    "Ayşe",
    "Bjørn",
    "Chiara",
    "Dorothea",
    "Émile",
    "Fiona",
    "Gwendolyn",
    "Hiroshi",
    "Ingeborg",
    "Jürgen",
    "Kwame",
    "Lucía",
    "Mathilde",
    "Nikolaj",
    "Ottoline",
    "Wojciech",
];
const LAST: [&str; 50] = [
    "Abramović",
    "Bergström",
    "Christodoulou",
    "Delacroix",
    "Eriksson",
    "Fernández",
    "Grünwald",
    "Haverkamp",
    "Ibrahimović",
    "Jankowski",
    "Kowalczyk",
    "Lindenberg",
    "Montgomery",
    "Nieuwenhuis",
    "O'Sullivan",
    "Papadopoulos",
    "Quintero",
    "Rasmussen",
    "Schwarzenberg",
    "Takahashi",
    "Underwood",
    "van der Meulen",
    "Wojciechowski",
    "Xanthopoulos",
    "Yamamoto",
    "Zimmerman",
    "Achterberg",
    "Blankenship",
    "Castellanos",
    "Doukas",
    "Engelbrecht",
    "Featherston",
    "Goldschmidt",
    "Hernández",
    "Ilves",
    "Jørgensen",
    "Kirchhoff",
    "Lehtonen",
    "Magnússon",
    "Nakamura",
    "Oppenheimer",
    "Pellegrini",
    "Rutherford",
    "Sokolov",
    "Thorvaldsen",
    "Uchida",
    "Villanueva",
    "Westergaard",
    "Yıldırım",
    "Zawadzki",
];
const WHAT: [&str; 20] = [
    "Engineering",
    "Customer Success",
    "Finance",
    "Legal",
    "Procurement",
    "Research",
    "Support",
    "Sales",
    "Marketing",
    "Security",
    "Platform",
    "Data",
    "Quality",
    "Facilities",
    "People",
    "Logistics",
    "Compliance",
    "Design",
    "Operations",
    "Press",
];
const WHERE: [&str; 12] = [
    "Amsterdam",
    "Berlin",
    "Coimbra",
    "Dublin",
    "Eindhoven",
    "Florence",
    "Ghent",
    "Helsinki",
    "Innsbruck",
    "Jyväskylä",
    "Kraków",
    "Lyon",
];

/// How many groups, and who is in them, in one tenant.
struct Crowd {
    people: Vec<String>,
    groups: usize,
    memberships: usize,
}

/// A directory with exactly this many people, groups and direct memberships, spread over `tenants` tenants (at least
/// one), the same at every call. The first two tenants and their first people are those of [`seed::directory`], so sign-in
/// works as there; the applications are the same too, with every group assigned to the main one, so that everybody who is
/// in a group has access to it. With at least as many memberships as people everybody is in a group; sizes of groups are
/// uneven. There are fewer memberships than asked for when the people and groups do not have room for them.
pub fn large(users: usize, groups: usize, memberships: usize, tenants: usize) -> Directory {
    let tenants = tenants.max(1);
    let mut directory = Directory {
        partners: vec![seed::partner()],
        tenants: (0..tenants).map(seed::tenant).collect(),
        ..Directory::default()
    };
    directory.users = (0..users)
        .map(|n| person(&directory, n % tenants, n / tenants, n))
        .collect();
    seed::give_roles(&mut directory);
    for (t, tenant) in directory.tenants.iter().enumerate() {
        let share = |all: usize| all / tenants + usize::from(t < all % tenants);
        let crowd = Crowd {
            people: directory
                .users
                .iter()
                .skip(t)
                .step_by(tenants)
                .map(|u| u.id.clone())
                .collect(),
            groups: share(groups),
            memberships: share(memberships),
        };
        for (g, members) in crowd.assemble().into_iter().enumerate() {
            let number = g * tenants + t;
            let place = WHERE[number / WHAT.len() % WHERE.len()];
            directory.groups.push(Group {
                id: format!("grp_{}", opaque(number, 2)),
                tenant_id: tenant.id.clone(),
                name: format!("{} {place} {}", WHAT[number % WHAT.len()], number + 1),
                group_type: if number % 10 == 9 {
                    "DISTRIBUTION_LIST".to_owned()
                } else {
                    "SECURITY".to_owned()
                },
                parent_id: None,
                members,
            });
        }
    }
    seed::add_applications(&mut directory, &[], &[]);
    assign_everything(&mut directory);
    directory
}

/// The main application and the SPA get every group, the tenant's own application the groups of its tenant.
fn assign_everything(directory: &mut Directory) {
    for application in &mut directory.applications {
        application.assigned_users.clear();
        let wanted = |group: &&Group| match (application.kind, application.scope) {
            (ApplicationType::Service, _) => false,
            (_, ApplicationScope::Tenant) => {
                application.tenant_id.as_ref() == Some(&group.tenant_id)
            }
            _ => true,
        };
        let groups = directory.groups.iter().filter(wanted);
        application.assigned_groups = groups.map(|g| g.id.clone()).collect();
    }
}

/// The `n`th person of all, the `own`th of a tenant.
fn person(directory: &Directory, tenant: usize, own: usize, n: usize) -> User {
    let home = &directory.tenants[tenant];
    let domain = format!("{}.example", home.slug);
    if let Some((first, last)) = seed::people(tenant).get(own) {
        return seed::person(&home.id, &home.slug, &domain, first, last);
    }
    let mixed = mix(n, 1);
    let pick = |list: &[&'static str], by: u64| list[(mixed / by) as usize % list.len()];
    let (first, last) = (pick(&FIRST, 1), pick(&LAST, 1_000));
    let plain = |name: &str| {
        let kept = name.chars().filter(char::is_ascii_alphanumeric);
        kept.collect::<String>().to_ascii_lowercase()
    };
    let email = format!("{}.{}.{}@{domain}", plain(first), plain(last), n + 1);
    User {
        id: format!("usr_{}", opaque(n, 1)),
        ..User::new(&home.id, &home.slug, &email, first, last)
    }
}

impl Crowd {
    /// The members of each group. Everybody gets into one group first; the rest of the memberships makes the groups
    /// uneven: the `r`th is asked for a share like 1/r.
    fn assemble(&self) -> Vec<Vec<String>> {
        let (people, groups) = (self.people.len(), self.groups);
        if people == 0 || groups == 0 {
            return vec![Vec::new(); groups];
        }
        let first = self.memberships.min(people);
        let mut rest = self.memberships.min(people * groups) - first;
        let mut members: Vec<Vec<usize>> = (0..groups)
            .map(|g| (g..first).step_by(groups).collect())
            .collect();
        let weights: usize = (1..=groups).map(|r| WEIGHT / r).sum();
        let all = rest;
        for (g, list) in members.iter_mut().enumerate() {
            let share = all * (WEIGHT / (g + 1)) / weights;
            rest -= self.widen(g, list, share);
        }
        for (g, list) in members.iter_mut().enumerate() {
            rest -= self.widen(g, list, rest);
        }
        let id = |n: usize| self.people[n].clone();
        members
            .into_iter()
            .map(|list| list.into_iter().map(id).collect())
            .collect()
    }

    /// Adds up to `wanted` people who are not in the group yet; how many there were.
    fn widen(&self, group: usize, list: &mut Vec<usize>, wanted: usize) -> usize {
        let people = self.people.len();
        let own = (group..people).step_by(self.groups).len();
        let already = list.len() - own.min(list.len());
        // Steps of this size come by everybody once.
        let step = (mix(group, 3) as usize % people..)
            .find(|step| gcd(*step, people) == 1)
            .unwrap_or(1);
        let start = mix(group, 4) as usize % people;
        let walk = (0..people).map(|n| (start + n * step) % people);
        let before = list.len();
        let others = walk.filter(|person| person % self.groups != group);
        list.extend(others.skip(already).take(wanted));
        list.len() - before
    }
}

/// Fine enough for the smallest share.
const WEIGHT: usize = 1 << 32;

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The `n`th of a series of numbers without a pattern and without repetition (the finaliser of SplitMix64).
fn mix(n: usize, series: u64) -> u64 {
    let mut z = (n as u64)
        .wrapping_add(series << 40)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What an id looks like: thirteen letters and digits.
fn opaque(n: usize, series: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut rest = mix(n, series);
    let mut text = String::with_capacity(13);
    for _ in 0..13 {
        text.push(char::from(DIGITS[(rest % 36) as usize]));
        rest /= 36;
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::large;
    use crate::seed;

    #[test]
    fn has_the_size_asked_for() {
        for (users, groups, memberships, tenants, there) in [
            (1_000, 40, 4_000, 4, 4_000),
            (1_003, 41, 4_001, 3, 4_001),
            (500, 10, 300, 1, 300),
            // Everybody in everything, and no more.
            (12, 5, 60, 1, 60),
            (12, 5, 1_000, 1, 60),
            (7, 2, 20, 3, 5),
            (0, 3, 10, 2, 0),
            (3, 0, 10, 0, 0),
        ] {
            let directory = large(users, groups, memberships, tenants);
            let case = format!("{users} {groups} {memberships} {tenants}");
            assert_eq!(directory.users.len(), users, "{case}");
            assert_eq!(directory.groups.len(), groups, "{case}");
            assert_eq!(directory.tenants.len(), tenants.max(1), "{case}");
            let mut pairs = HashSet::new();
            for group in &directory.groups {
                for member in &group.members {
                    assert!(pairs.insert((&group.id, member)), "{case}: twice");
                    let user = directory.user(member).unwrap();
                    assert_eq!(user.tenant_id, group.tenant_id, "{case}");
                }
            }
            assert_eq!(pairs.len(), there, "{case}");
            let ids: HashSet<_> = directory.users.iter().map(|u| &u.id).collect();
            let addresses: HashSet<_> = directory.users.iter().map(|u| &u.email).collect();
            assert_eq!((ids.len(), addresses.len()), (users, users), "{case}");
        }
    }

    #[test]
    fn everybody_in_a_group_has_access_and_the_same_people_each_time() {
        let directory = large(600, 30, 1_500, 3);
        let main = directory.client(seed::CLIENT_ID).unwrap();
        let of = |tenant: &str| directory.effective_users(tenant, main).len();
        let all: usize = directory.tenants.iter().map(|t| of(&t.id)).sum();
        assert_eq!(all, 600);
        assert!(directory.user_by_email("alice@acme.example").is_some());
        assert!(directory.user_by_email("sybil@umbra.example").is_some());
        let sizes: Vec<usize> = directory.groups.iter().map(|g| g.members.len()).collect();
        assert!(sizes.iter().max() > sizes.iter().min());
        let again = large(600, 30, 1_500, 3);
        assert_eq!(again.users, directory.users);
        assert_eq!(again.groups, directory.groups);
    }
}
