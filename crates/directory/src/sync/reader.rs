//! ScaiKey's directory as one run reads it: one page at a time, patient with what passes by, and in a
//! bounded time.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use scaigate_kv::directory::sync_run::{self, Progress};
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::directory::{
    self as scaikey_directory, DirectoryError, DirectoryRow, List, MAX_PAGE_BYTES, Page,
};
use scaigate_signin::service_token::fresh_service_token;
use scaigate_signin::settings::Scaikey;
use scaigate_signin::{Ports, failure};
use scaigate_types::{Clock, Issuer, Limits, Outbound, OutboundError, Secret, Timestamp};

use super::Run;

/// One page's time.
const CALL: Duration = Duration::from_secs(10);
/// The whole run's.
const TOTAL: Duration = Duration::from_secs(15 * 60);
/// Times that a page is asked for before it is given up.
const ATTEMPTS: u32 = 3;
/// The longest wait that ScaiKey is granted between two attempts: it tells more only to be left alone.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// How often a run says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// A token is renewed so long before it ends.
const RENEW: Duration = Duration::from_secs(60);
/// ScaiKey's clock is believed so far from ours.
const MAX_SKEW: Duration = Duration::from_secs(300);
/// How far it may be from ours while it dates no answer.
const UNKNOWN_SKEW: Duration = Duration::from_secs(60);

/// Rows asked for in one page. ScaiKey may send fewer.
const PER_PAGE: u32 = 1000;
/// The least that is asked for.
const LEAST_PER_PAGE: u32 = 20;

/// Why a page of the list of that name could not be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The token lacks a scope.
    ScopeMissing(&'static str),
    /// ScaiKey does not let us, whatever our scopes.
    Forbidden(&'static str),
    /// There is no such list.
    NotFound(&'static str),
    /// Pages must be smaller: ScaiKey says so, or one was too large.
    PageSize(&'static str),
    /// Anything else: the run is over.
    Problem(Problem),
}

impl From<Problem> for ReadError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        let with = |code, list: &'static str, reason: &'static str| {
            Self::new(code).with("list", list).with("reason", reason)
        };
        match error {
            ReadError::ScopeMissing(list) => {
                with(Code::SyncForbidden, list, "our token lacks a scope")
            }
            ReadError::Forbidden(list) => {
                with(Code::SyncForbidden, list, "our application may not read it")
            }
            ReadError::NotFound(list @ "effective_users") => with(
                Code::SyncIncomplete,
                list,
                "ScaiKey knows no such list; set SCAIFLOW_SCAIKEY_APPLICATION_ID to the application's id",
            ),
            ReadError::NotFound(list) => {
                with(Code::SyncIncomplete, list, "ScaiKey knows no such list")
            }
            ReadError::PageSize(list) => with(
                Code::SyncIncomplete,
                list,
                "ScaiKey refuses every page size, or its smallest page is too large",
            ),
            ReadError::Problem(problem) => problem,
        }
    }
}

/// A service's token, and when it ends.
struct Token {
    value: Secret<String>,
    ends_at: Timestamp,
}

/// One run's reader.
pub(super) struct Reader<'a, P: Ports> {
    pub(super) ports: &'a P,
    scaikey: &'a Scaikey,
    run: Run,
    token: RefCell<Token>,
    scope: Option<String>,
    per_page: Cell<u32>,
    other_slash: Cell<[bool; 4]>,
    first_answer: Cell<Option<Timestamp>>,
    last_answer: Cell<Option<Timestamp>>,
    skew: Cell<Option<Duration>>,
    /// How far the run is, for whoever looks.
    pub(super) progress: Cell<Progress>,
    phase: Cell<&'static str>,
    said_at: Cell<Timestamp>,
}

impl<'a, P: Ports> Reader<'a, P> {
    /// Gets a token; nothing of the directory is read yet.
    pub(super) async fn start(
        ports: &'a P,
        scaikey: &'a Scaikey,
        run: Run,
    ) -> Result<Self, Problem> {
        // A new one: a scope that was granted since the last needs it (`contract/scaikey.md` 1.7).
        let tokens = fresh_service_token(ports, scaikey, None).await?;
        let now = ports.clock().now();
        Ok(Self {
            ports,
            scaikey,
            run,
            token: RefCell::new(Token {
                value: tokens.access_token,
                ends_at: now.plus(tokens.expires_in),
            }),
            scope: tokens.scope,
            per_page: Cell::new(PER_PAGE),
            other_slash: Cell::default(),
            first_answer: Cell::default(),
            last_answer: Cell::default(),
            skew: Cell::default(),
            progress: Cell::default(),
            phase: Cell::new("tenants"),
            said_at: Cell::new(now),
        })
    }

    /// Whether the token may list groups, as far as ScaiKey has said.
    pub(super) fn may_list_groups(&self) -> bool {
        self.scope.as_deref().is_none_or(|scope| {
            scope
                .split(' ')
                .any(|one| matches!(one, "groups:read" | "admin:read" | "admin:write"))
        })
    }

    /// The issuer that the issuers of the tenants' people are made of.
    pub(super) fn issuer(&self) -> Result<Issuer, Problem> {
        Issuer::parse(self.scaikey.provider.base.as_str())
            .map_err(|_| Problem::new(Code::ConfigurationInvalid))
    }

    /// When ScaiKey read what it first answered, by its own clock, at the earliest: what an older event
    /// says is in what was read.
    pub(super) fn read_at(&self) -> Timestamp {
        let by_ours = || self.run.started_at.minus(UNKNOWN_SKEW);
        self.first_answer.get().unwrap_or_else(by_ours)
    }

    /// When ScaiKey gave its last answer, at the latest.
    pub(super) fn read_until(&self) -> Timestamp {
        let by_ours = || self.ports.clock().now().plus(UNKNOWN_SKEW);
        // A date is of the second that has begun.
        self.last_answer
            .get()
            .unwrap_or_else(by_ours)
            .plus(Duration::from_secs(1))
    }

    /// How far ScaiKey's clock is from ours, if it is so far that it was not believed.
    pub(super) fn skew(&self) -> Option<Duration> {
        self.skew.get()
    }

    /// Rows to ask for.
    pub(super) fn per_page(&self) -> u32 {
        self.per_page.get()
    }

    /// Asks for smaller pages from now on; `false` when they are as small as they get.
    pub(super) fn smaller_pages(&self, refused: u32) -> bool {
        let smaller = (refused / 2).max(LEAST_PER_PAGE);
        if smaller >= refused {
            return false;
        }
        self.per_page.set(self.per_page.get().min(smaller));
        true
    }

    /// Says what is being read.
    pub(super) async fn enter(&self, phase: &'static str) -> Result<(), Problem> {
        self.phase.set(phase);
        self.say().await
    }

    async fn say(&self) -> Result<(), Problem> {
        let now = self.ports.clock().now();
        self.said_at.set(now);
        let is_ours = sync_run::progress(
            self.ports.db(),
            self.run.sync_id,
            self.phase.get(),
            self.progress.get(),
            now,
        )
        .await
        .map_err(failure::database)?;
        if is_ours {
            Ok(())
        } else {
            Err(Problem::new(Code::SyncSuperseded))
        }
    }

    async fn heartbeat(&self) -> Result<(), Problem> {
        let now = self.ports.clock().now();
        if now.since(self.run.started_at) > TOTAL {
            return Err(Problem::new(Code::ScaikeyTimeout).with(
                "reason",
                "the directory was not read within fifteen minutes",
            ));
        }
        if now.since(self.said_at.get()) < HEARTBEAT {
            return Ok(());
        }
        self.say().await
    }

    async fn token(&self) -> Result<Secret<String>, Problem> {
        let now = self.ports.clock().now();
        {
            let held = self.token.borrow();
            if held.ends_at > now.plus(RENEW) {
                return Ok(held.value.clone());
            }
        }
        let tokens = fresh_service_token(self.ports, self.scaikey, None).await?;
        *self.token.borrow_mut() = Token {
            value: tokens.access_token.clone(),
            ends_at: now.plus(tokens.expires_in.max(RENEW.saturating_mul(2))),
        };
        Ok(tokens.access_token)
    }

    /// One page of a list.
    pub(super) async fn page<T: DirectoryRow>(
        &self,
        list: List<'_>,
        page: u32,
        per_page: u32,
    ) -> Result<Page<T>, ReadError> {
        let mut attempt = 1;
        loop {
            self.heartbeat().await?;
            let answer = self.ask(list, page, per_page).await?;
            let (wait, problem) = match answer {
                Ok(response) => match scaikey_directory::parse_page(&response) {
                    Ok(page) => return Ok(page),
                    Err(error) => Self::refused(error, list)?,
                },
                Err(OutboundError::TooLarge) => return Err(ReadError::PageSize(list.name())),
                Err(error) => (Duration::from_millis(500), failure::outbound(error)),
            };
            if attempt == ATTEMPTS || wait > MAX_WAIT {
                return Err(problem.with("list", list.name()).into());
            }
            self.pause(wait.saturating_mul(attempt).min(MAX_WAIT))
                .await?;
            attempt += 1;
        }
    }

    /// Waits, and says meanwhile that the run is alive.
    async fn pause(&self, wait: Duration) -> Result<(), Problem> {
        let mut left = wait;
        while left > Duration::ZERO {
            let step = left.min(HEARTBEAT);
            self.ports.clock().sleep(step).await;
            left = left.saturating_sub(step);
            self.heartbeat().await?;
        }
        Ok(())
    }

    /// What may pass, with the wait before it is tried again and what it is if it does not.
    fn refused(error: DirectoryError, list: List<'_>) -> Result<(Duration, Problem), ReadError> {
        let incomplete = || {
            Problem::new(Code::SyncIncomplete)
                .with("list", list.name())
                .with("reason", error.to_string())
        };
        match error {
            DirectoryError::ScopeMissing => Err(ReadError::ScopeMissing(list.name())),
            DirectoryError::Forbidden => Err(ReadError::Forbidden(list.name())),
            DirectoryError::NotFound => Err(ReadError::NotFound(list.name())),
            DirectoryError::PageSize | DirectoryError::TooLarge => {
                Err(ReadError::PageSize(list.name()))
            }
            DirectoryError::RateLimited { retry_after } => {
                let wait = retry_after.unwrap_or(Duration::from_secs(2));
                let problem = Problem::new(Code::ScaikeyRateLimited).with_retry_after(wait);
                Ok((wait, problem))
            }
            DirectoryError::Status(status) if status >= 500 => {
                let problem = Problem::new(Code::ScaikeyUnavailable).with("status", status);
                Ok((Duration::from_millis(500), problem))
            }
            DirectoryError::Unauthorized
            | DirectoryError::Redirected
            | DirectoryError::Status(_)
            | DirectoryError::ContentType
            | DirectoryError::Malformed
            | DirectoryError::NullRow
            | DirectoryError::RowWithoutId
            | DirectoryError::RowTenant
            | DirectoryError::RowPartner => Err(incomplete().into()),
        }
    }

    /// Sends one request; a second one when ScaiKey wants the path with another final slash.
    async fn ask(
        &self,
        list: List<'_>,
        page: u32,
        per_page: u32,
    ) -> Result<Result<Response<Bytes>, OutboundError>, Problem> {
        let kind = match list {
            List::Tenants => 0,
            List::EffectiveUsers { .. } => 1,
            List::Groups => 2,
            List::GroupMembers { .. } => 3,
        };
        let token = self.token().await?;
        let mut request =
            scaikey_directory::request(&self.scaikey.provider.base, &token, list, page, per_page);
        let mut other_slash = self.other_slash.get();
        let flag = other_slash.get(kind).copied().unwrap_or_default();
        if flag {
            request = scaikey_directory::with_other_slash(request);
        }
        let asked = request.uri().clone();
        let answer = self.send(request.clone()).await;
        let is_other = answer
            .as_ref()
            .is_ok_and(|answer| scaikey_directory::is_slash_redirect(&asked, answer));
        if !is_other {
            return Ok(answer);
        }
        if let Some(slot) = other_slash.get_mut(kind) {
            *slot = !flag;
        }
        self.other_slash.set(other_slash);
        Ok(self
            .send(scaikey_directory::with_other_slash(request))
            .await)
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, OutboundError> {
        let limits = Limits {
            timeout: CALL,
            max_body: MAX_PAGE_BYTES,
        };
        let asked_at = self.ports.clock().now();
        let answer = self.ports.outbound().send(request, limits).await?;
        if let Some(date) = scaigate_scaikey::date(answer.headers()) {
            let now = self.ports.clock().now();
            let skew = now.since(date).max(date.since(now));
            if skew > MAX_SKEW {
                self.skew.set(Some(skew));
            } else {
                // It was read before it was dated, and not before we asked.
                let read_at = date.minus(now.since(asked_at));
                let first = self.first_answer.get();
                self.first_answer
                    .set(Some(first.map_or(read_at, |known| known.min(read_at))));
                let last = self.last_answer.get();
                self.last_answer
                    .set(Some(last.map_or(date, |known| known.max(date))));
            }
        }
        Ok(answer)
    }
}
