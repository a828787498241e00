//! What an instance remembers: its settings, and for a moment what it found.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use scaigate_health::{Judged, Report, SETTINGS, judge};
use scaigate_limits::RateLimits;
use scaigate_problem::Problem;
use scaigate_runtime::Site;
use scaigate_runtime::spin::{Callers, Once, VariableValues};
use scaigate_signin::settings::Fault;
use scaigate_types::Timestamp;

/// How long the answer to "can it serve" is repeated: anybody may ask as often as they like.
const READY_REPEATED: Duration = Duration::from_secs(1);
/// How long a report is repeated.
const REPORT_REPEATED: Duration = Duration::from_secs(10);

/// The settings of this component.
pub struct Remembered {
    /// What all settings came to.
    pub judged: Judged,
    /// By what callers are known, or why nobody can be.
    pub callers: Result<Callers, Problem>,
    /// How often callers may, or what is wrong with that.
    pub limits: Result<RateLimits, Vec<Fault>>,
    ready: RefCell<Option<(Timestamp, Result<(), Problem>)>>,
    report: RefCell<Option<Report>>,
}

thread_local! {
    static REMEMBERED: Once<Remembered> = const { Once::new() };
}

/// The settings, read once per instance.
pub async fn get() -> Result<Rc<Remembered>, Problem> {
    Once::get(&REMEMBERED, read).await
}

async fn read() -> Result<Remembered, Problem> {
    let values = VariableValues::read(&SETTINGS).await?;
    let variables = |name: &str| values.get(name);
    Ok(Remembered {
        judged: judge(&variables),
        callers: Callers::parse(&values),
        limits: RateLimits::parse(&variables),
        ready: RefCell::default(),
        report: RefCell::default(),
    })
}

/// Whether what was found at `at` may be repeated. What is from the future is from before the clock was
/// set back.
fn is_fresh(at: Timestamp, now: Timestamp, repeated: Duration) -> bool {
    at <= now && now.since(at) < repeated
}

impl Remembered {
    /// Which origins may call.
    pub fn site(&self) -> Site {
        self.callers
            .as_ref()
            .map_or_else(|_| Site::default(), |callers| callers.site.clone())
    }

    /// Whether it could serve a moment ago.
    pub fn ready(&self, now: Timestamp) -> Option<Result<(), Problem>> {
        let ready = self.ready.borrow();
        let (at, outcome) = ready.as_ref()?;
        is_fresh(*at, now, READY_REPEATED).then(|| outcome.clone())
    }

    /// Remembers whether it could.
    pub fn keep_ready(&self, now: Timestamp, outcome: &Result<(), Problem>) {
        self.ready.replace(Some((now, outcome.clone())));
    }

    /// What was found a moment ago. Nothing of whoever asked then is in it.
    pub fn report(&self, now: Timestamp) -> Option<Report> {
        let report = self.report.borrow();
        let report = report.as_ref()?;
        is_fresh(report.checked_at, now, REPORT_REPEATED).then(|| report.clone())
    }

    /// Remembers what was found.
    pub fn keep_report(&self, report: &Report) {
        self.report.replace(Some(report.clone()));
    }
}
