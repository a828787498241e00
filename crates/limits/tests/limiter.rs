//! Instances and the database they share, in memory: nobody gets more than the limit, and who stays
//! below it gets all.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use std::cell::Cell;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::executor::block_on;
use futures::future::join_all;
use proptest::prelude::*;
use scaigate_kv::memory::MemoryDatabase;
use scaigate_kv::schema::migrate;
use scaigate_limits::{Category, Limiter, Payer, RateLimit, RateLimits};
use scaigate_problem::{Code, Problem};
use scaigate_signin::principal::{Credential, Principal, Service, User};
use scaigate_types::{
    ClientId, Clock, Issuer, Query, Row, StoreError, Subject, TenantId, Timestamp,
    Value as SqlValue,
};
use serde_json::Value;

const BEGINNING: u64 = 1_800_000_000_000;

/// A clock that a test moves.
struct TestClock(Cell<u64>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(BEGINNING + self.0.get())
    }

    async fn sleep(&self, _: Duration) {}
}

/// Instances, their database and the time.
struct World {
    db: MemoryDatabase,
    clock: TestClock,
    instances: Vec<Limiter>,
    limits: RateLimits,
}

impl World {
    fn new(instances: usize, setting: &str) -> Self {
        let db = MemoryDatabase::new().unwrap();
        block_on(migrate(&db)).unwrap();
        db.failing.heal();
        let setting = Some(setting.to_owned());
        Self {
            db,
            clock: TestClock(Cell::new(0)),
            instances: (0..instances).map(|_| Limiter::default()).collect(),
            limits: RateLimits::parse(&|_: &str| setting.clone()).unwrap(),
        }
    }

    fn pass(&self, millis: u64) {
        self.clock.0.set(self.clock.0.get() + millis);
    }

    fn ask<'a>(
        &self,
        instance: usize,
        category: Category,
        who: impl Into<Payer<'a>>,
    ) -> Result<Option<RateLimit>, Problem> {
        let limiter = &self.instances[instance];
        block_on(limiter.admit(&self.db, &self.clock, &self.limits, category, who))
    }

    /// Whether somebody may; anything but a refusal for the limit ends the test.
    fn admits(&self, instance: usize, who: &Principal) -> bool {
        match self.ask(instance, Category::Admin, who) {
            Ok(_) => true,
            Err(problem) => {
                assert_eq!(problem.code(), Code::RateLimited);
                false
            }
        }
    }
}

fn user(subject: &str, tenant: &str) -> Principal {
    Principal::User(Rc::new(User {
        issuer: Issuer::parse("https://scaikey.test").unwrap(),
        subject: Subject::parse(subject).unwrap(),
        tenant_id: TenantId::parse(tenant).unwrap(),
        person_id: None,
        email: None,
        name: None,
        admin_role: None,
        personal_workspace_id: None,
        workspace: None,
        scopes: Vec::new(),
        permissions: Vec::new(),
        roles: Vec::new(),
        groups: Vec::new(),
        credential: Credential::AccessToken,
        expires_at: None,
    }))
}

fn service(client: &str, tenant: Option<&str>) -> Principal {
    Principal::Service(Rc::new(Service {
        issuer: Issuer::parse("https://scaikey.test").unwrap(),
        client_id: ClientId::parse(client).unwrap(),
        tenant_id: tenant.map(|id| TenantId::parse(id).unwrap()),
        is_platform: false,
        scopes: Vec::new(),
        permissions: Vec::new(),
        roles: Vec::new(),
        expires_at: Timestamp::MAX,
    }))
}

fn alice() -> Principal {
    user("alice", "tnt_1")
}

#[test]
fn s_22_a_refusal_says_which_limit_what_is_left_and_when_it_is_there_again() {
    let world = World::new(1, "admin=3");
    for remaining in [2, 1, 0] {
        let allowed = world.ask(0, Category::Admin, &alice()).unwrap().unwrap();
        assert_eq!((allowed.limit, allowed.remaining), (3, remaining));
        let fills = u64::from(3 - remaining) * 20;
        assert_eq!(allowed.reset, BEGINNING / 1000 + fills);
    }
    world.pass(500);
    let refused = world.ask(0, Category::Admin, &alice()).unwrap_err();
    let response = refused.response("/v1/admin/users", "req_1");
    assert_eq!(response.status(), 429);
    for (name, value) in [
        // 19.5 seconds, rounded up: whoever waits that long gets one.
        ("retry-after", "20"),
        ("x-ratelimit-limit", "3"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1800000060"),
    ] {
        assert_eq!(response.headers()[name], value, "{name}");
    }
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    let details = &body["error"]["details"];
    for (name, value) in [
        ("category", Value::from("admin")),
        ("limit", 3.into()),
        ("remaining", 0.into()),
        ("reset_at", "2027-01-15T08:01:00Z".into()),
        ("retry_after_seconds", 20.into()),
        ("sw_code", "SW_RATE_LIMIT_EXCEEDED".into()),
    ] {
        assert_eq!(details[name], value, "{name}");
    }
    world.pass(19_499);
    assert!(!world.admits(0, &alice()));
    world.pass(1);
    assert!(world.admits(0, &alice()));
    assert!(!world.admits(0, &alice()));
}

#[test]
fn everybody_has_a_limit_of_their_own_in_each_category_and_tenant() {
    let world = World::new(1, "admin=1,deploy=1");
    assert!(world.admits(0, &alice()));
    assert!(!world.admits(0, &alice()));
    assert!(world.ask(0, Category::Deploy, &alice()).is_ok());
    for other in [
        user("bob", "tnt_1"),
        user("alice", "tnt_2"),
        service("alice", Some("tnt_1")),
        service("alice", Some("tnt_2")),
        service("alice", None),
    ] {
        assert!(world.admits(0, &other), "{other:?}");
        assert!(!world.admits(0, &other), "{other:?}");
    }
}

#[test]
fn a_limit_that_is_off_asks_nobody() {
    for setting in ["off", "admin=off"] {
        let world = World::new(1, setting);
        for _ in 0..10_000 {
            assert_eq!(world.ask(0, Category::Admin, &alice()), Ok(None));
        }
        assert_eq!(world.db.failing.heal(), 0);
    }
}

#[test]
fn guesses_at_the_deprecated_deploy_are_limited_whatever_the_setting_takes_away() {
    for (setting, limit) in [("off", 30), ("deploy=off", 30), ("deploy=3", 3)] {
        let world = World::new(1, setting);
        let outcome = || world.ask(0, Category::Deploy, Payer::DevDeploy);
        for number in 0..limit {
            assert!(outcome().is_ok(), "{setting}, {number}");
        }
        let code = outcome().err().map(|problem| problem.code());
        assert_eq!(code, Some(Code::RateLimited), "{setting}");
        // Nobody else pays for it.
        assert!(world.ask(0, Category::Deploy, &alice()).is_ok());
    }
}

#[test]
fn far_from_the_limit_and_beyond_it_the_database_is_hardly_asked() {
    let world = World::new(1, "admin=600");
    for _ in 0..100 {
        assert!(world.admits(0, &alice()));
        world.pass(100);
    }
    let far = world.db.failing.heal();
    assert!(far <= 10, "{far} statements for 100 requests");
    // As fast as it goes, until there is none left.
    while world.admits(0, &alice()) {}
    world.db.failing.heal();
    for _ in 0..100 {
        assert!(!world.admits(0, &alice()));
    }
    assert_eq!(world.db.failing.heal(), 0);
}

#[test]
fn a_database_that_is_down_allows_what_was_leased_and_nothing_else() {
    let world = World::new(1, "admin=600");
    // 1, 2, 4 and 8 tokens; the first of 8 is spent.
    for _ in 0..8 {
        assert!(world.admits(0, &alice()));
    }
    let mut leased = 0;
    loop {
        world.db.failing.fail_at(1);
        match world.ask(0, Category::Admin, &alice()) {
            Ok(_) => leased += 1,
            Err(problem) => {
                assert_eq!(problem.code(), Code::StoreUnavailable);
                break;
            }
        }
    }
    assert_eq!(leased, 7);
    // Nor is a lease spent after its time.
    world.db.failing.heal();
    assert!(world.admits(0, &alice()));
    world.db.failing.fail_at(1);
    assert!(world.admits(0, &alice()));
    world.pass(10_000);
    let problem = world.ask(0, Category::Admin, &alice()).unwrap_err();
    assert_eq!(problem.code(), Code::StoreUnavailable);
}

#[test]
fn n_145_a_clock_set_back_gives_nothing_away_and_stops_nobody() {
    let world = World::new(2, "admin=60");
    world.pass(86_400_000);
    while world.admits(0, &alice()) {}
    world.clock.0.set(0);
    assert!(!world.admits(0, &alice()));
    assert!(!world.admits(1, &alice()));
    world.pass(1_000);
    assert!(world.admits(1, &alice()));
    assert!(!world.admits(0, &alice()));
}

#[test]
fn what_one_instance_holds_the_others_do_not_give() {
    let world = World::new(2, "admin=600");
    // Slices of 1, 2, 4, 8, 16 and 32, of which one is spent.
    for _ in 0..32 {
        assert!(world.admits(0, &alice()));
    }
    // Long enough for the bucket to fill up, and for the slice still to be good.
    world.pass(9_900);
    let mut at_once = 0;
    for instance in [1, 0] {
        while world.admits(instance, &alice()) {
            at_once += 1;
        }
    }
    // What was leased in these ten seconds and is spent counts as well: 57 instead of 31.
    assert_eq!(at_once, 574);
}

/// A database that lets everybody else go on before each statement.
struct Slow<'a>(&'a MemoryDatabase);

impl Query for Slow<'_> {
    async fn query(&self, sql: &str, parameters: &[SqlValue]) -> Result<Vec<Row>, StoreError> {
        futures::pending!();
        self.0.query(sql, parameters).await
    }
}

#[test]
fn requests_at_once_of_one_instance_bring_one_slice() {
    let world = World::new(2, "admin=600");
    let (db, who) = (Slow(&world.db), alice());
    let admit = || {
        let World {
            instances,
            clock,
            limits,
            ..
        } = &world;
        instances[0].admit(&db, clock, limits, Category::Admin, &who)
    };
    for _ in 0..31 {
        assert!(world.admits(0, &who));
    }
    let mut all = Box::pin(join_all((0..16).map(|_| admit())));
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Pending = all.as_mut().poll(&mut context) else {
        panic!("all of them wait");
    };
    let Poll::Ready(outcomes) = all.as_mut().poll(&mut context) else {
        panic!("none waits twice");
    };
    assert!(outcomes.iter().all(Result::is_ok));
    // One took 32, fifteen took one: 31 are left of the slice.
    let seen = world.ask(1, Category::Admin, &who).unwrap().unwrap();
    assert_eq!(seen.remaining, 600 - 31 - 32 - 15 - 1);
    // One who goes away leaves the next slice to others.
    for _ in 0..31 {
        world.admits(0, &who);
    }
    let mut gone = Box::pin(admit());
    assert!(gone.as_mut().poll(&mut context).is_pending());
    drop(gone);
    world.admits(0, &who);
    let before = world.db.failing.heal();
    assert!(before > 0);
    assert!(world.admits(0, &who));
    assert_eq!(world.db.failing.heal(), 0);
}

#[test]
fn whoever_asks_too_often_still_gets_nearly_all_of_the_limit() {
    for instances in [1, 4, 16] {
        let world = World::new(instances, "admin=600");
        let mut admitted = 0;
        for request in 0..6_000_usize {
            admitted += u32::from(world.admits(request % instances, &alice()));
            world.pass(10);
        }
        assert!(admitted > 1_150, "{admitted} of 1200 over {instances}");
        assert!(admitted <= 1_200, "{admitted} of 1200 over {instances}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// From any request to any later one: no more than the limit at once and the limit a minute.
    #[test]
    fn no_stretch_of_time_holds_more_than_the_limit(
        limit in 1_u32..200,
        steps in prop::collection::vec(
            (0_usize..4, prop::sample::select(vec![0_u64, 0, 0, 0, 1, 10, 100, 500, 2_000, 9_000, 11_000, 70_000])),
            1..600,
        ),
    ) {
        let world = World::new(4, &format!("admin={limit}"));
        let mut times = Vec::new();
        for (instance, pause) in steps {
            // A few at once, as pages do.
            for _ in 0..3 {
                if world.admits(instance, &alice()) {
                    times.push(world.clock.0.get());
                }
            }
            world.pass(pause);
        }
        for (first, from) in times.iter().enumerate() {
            for (last, to) in times.iter().enumerate().skip(first) {
                let number = (last - first + 1) as u64 * 60_000;
                let allowed = u64::from(limit) * (60_000 + to - from);
                prop_assert!(number <= allowed, "{} from {from} to {to}", number / 60_000);
            }
        }
    }

    #[test]
    fn whoever_stays_at_half_of_the_limit_is_never_refused(
        limit in 2_u32..1_000,
        instances in prop::collection::vec(0_usize..8, 300),
    ) {
        let world = World::new(8, &format!("admin={limit}"));
        for instance in instances {
            prop_assert!(world.admits(instance, &alice()));
            world.pass(120_000_u64.div_ceil(limit.into()));
        }
    }
}
