//! How a document of ScaiKey is remembered: by the instance, and by all of them in the key-value
//! store.
//!
//! It is fresh for ten minutes. While ScaiKey does not answer, the last good one serves for a day,
//! and ScaiKey is asked again every thirty seconds, not by every request.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use scaigate_kv::document::{self, Document};
use scaigate_kv::key_search::{self, Claim};
use scaigate_problem::{Code, Problem};
use scaigate_types::{Clock, Timestamp};

use crate::failure;
use crate::ports::{Deadline, Ports};

const FRESH: Duration = Duration::from_secs(600);
const SERVED_WHILE_DOWN: Duration = Duration::from_secs(24 * 3600);
/// How often ScaiKey is asked again while it does not answer.
const ASKED_AGAIN: Duration = Duration::from_secs(30);
/// How often those who wait for another's search look for its result.
const POLL: Duration = Duration::from_millis(40);
/// How long they wait: what one call to ScaiKey may take, and a little.
const PATIENCE: Duration = Duration::from_millis(4_500);

/// For what a document is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A sign-in. When there is nothing to serve, ScaiKey is asked every time: it may be back.
    SignIn,
    /// A request with a token, of which there can be any number.
    Bearer,
}

/// A document as last read, and when ScaiKey last did not give it.
#[derive(Debug)]
pub(super) struct Known<T> {
    key: String,
    read: Option<(Timestamp, Rc<T>)>,
    asked_in_vain: Option<Timestamp>,
}

impl<T> Clone for Known<T> {
    fn clone(&self) -> Self {
        Self {
            key: self.key.clone(),
            read: self.read.clone(),
            asked_in_vain: self.asked_in_vain,
        }
    }
}

/// A document, and whether it is what ScaiKey serves now as far as anybody knows.
pub(crate) struct Read<T> {
    /// The document.
    pub value: Rc<T>,
    /// False when ScaiKey was asked for a newer one and did not answer.
    pub is_current: bool,
}

fn is_within(at: Timestamp, now: Timestamp, age: Duration) -> bool {
    // What is from the future is from before the clock was set back: not within.
    at <= now && now.since(at) < age
}

impl<T> Known<T> {
    fn fresh(&self, now: Timestamp) -> Option<Read<T>> {
        let (read_at, value) = self.read.as_ref()?;
        is_within(*read_at, now, FRESH).then(|| Read {
            value: Rc::clone(value),
            is_current: true,
        })
    }

    fn last_good(&self, now: Timestamp) -> Option<Read<T>> {
        let (read_at, value) = self.read.as_ref()?;
        is_within(*read_at, now, SERVED_WHILE_DOWN).then(|| Read {
            value: Rc::clone(value),
            is_current: false,
        })
    }

    /// Whether ScaiKey did not answer a moment ago, and has not answered since.
    fn asked_lately(&self, now: Timestamp) -> bool {
        self.asked_in_vain.is_some_and(|at| {
            let answered_since = |read: &(Timestamp, Rc<T>)| read.0 > at;
            is_within(at, now, ASKED_AGAIN) && !self.read.as_ref().is_some_and(answered_since)
        })
    }

    /// The newer of two, document and question each: an older key set may hold a key that ScaiKey
    /// has withdrawn.
    fn newer(self, other: Self) -> Self {
        let read_at = |known: &Self| known.read.as_ref().map(|(at, _)| *at);
        let asked_in_vain = self.asked_in_vain.max(other.asked_in_vain);
        let newer = if read_at(&other) > read_at(&self) {
            other
        } else {
            self
        };
        Self {
            asked_in_vain,
            ..newer
        }
    }
}

/// One kind of document: where it is remembered and how it is read.
pub(super) struct Source<'a, T, Parse> {
    /// What this instance remembers.
    pub slot: &'a RefCell<Option<Known<T>>>,
    /// Its key in the key-value store.
    pub key: String,
    /// Reads a stored one; `None` when it is not one to trust.
    pub parse: Parse,
}

impl<T, Parse: Fn(&str) -> Option<T>> Source<'_, T, Parse> {
    /// The document, from memory, the store or ScaiKey.
    ///
    /// # Errors
    /// Why ScaiKey did not give one, when there is none to serve meanwhile; what it did give, when
    /// that can't be right.
    pub async fn read(
        &self,
        ports: &impl Ports,
        asker: Asker,
        deadline: Deadline,
        fetch: impl AsyncFnOnce() -> Result<(T, String), Problem>,
    ) -> Result<Read<T>, Problem> {
        let now = ports.clock().now();
        let remembered = self.remembered();
        if let Some(read) = remembered.fresh(now) {
            return Ok(read);
        }
        let known = remembered.newer(self.stored(ports).await);
        if let Some(read) = known.fresh(now) {
            self.slot.replace(Some(known));
            return Ok(read);
        }
        if known.asked_lately(now) {
            match (known.last_good(now), asker) {
                (Some(read), _) => return Ok(read),
                (None, Asker::Bearer) => return Err(asked_in_vain()),
                (None, Asker::SignIn) => {}
            }
        }
        match asker {
            Asker::SignIn => self.ask(ports, known, fetch).await,
            Asker::Bearer => self.ask_for_all(ports, deadline, known, fetch).await,
        }
    }

    /// Asks ScaiKey for all who need the document now: one request of all instances does, every
    /// thirty seconds. The others are served the last good one, or wait for it (N-072).
    async fn ask_for_all(
        &self,
        ports: &impl Ports,
        deadline: Deadline,
        known: Known<T>,
        fetch: impl AsyncFnOnce() -> Result<(T, String), Problem>,
    ) -> Result<Read<T>, Problem> {
        let now = ports.clock().now();
        // Not the claim of a search, which may have to follow at once (N-071).
        let claim = format!("read {}", self.key);
        match key_search::claim(ports.db(), &claim, now).await {
            Ok(Claim::Ours) => self.ask(ports, known, fetch).await,
            Ok(Claim::Anothers { at }) => match known.last_good(now) {
                Some(read) => Ok(read),
                None => self.found_by_another(ports, deadline, at, known).await,
            },
            Err(error) => known.last_good(now).ok_or_else(|| failure::database(error)),
        }
    }

    /// A document that `contains` what is looked for, read anew if none does: by one request of all
    /// instances every thirty seconds, for which the others wait. That the document was read just
    /// now is no reason not to: ScaiKey may have replaced it since (N-071).
    ///
    /// # Errors
    /// The database does not answer: without it nothing bounds how often ScaiKey is asked (N-072).
    pub async fn search(
        &self,
        ports: &impl Ports,
        asker: Asker,
        deadline: Deadline,
        contains: impl Fn(&T) -> bool,
        fetch: impl AsyncFnOnce() -> Result<(T, String), Problem>,
    ) -> Result<Read<T>, Problem> {
        let now = ports.clock().now();
        let known = self.remembered().newer(self.stored(ports).await);
        if let Some(read) = known.fresh(now)
            && contains(&read.value)
        {
            self.slot.replace(Some(known));
            return Ok(read);
        }
        if asker == Asker::Bearer && known.asked_lately(now) {
            return known.last_good(now).ok_or_else(asked_in_vain);
        }
        match key_search::claim(ports.db(), &self.key, now)
            .await
            .map_err(failure::database)?
        {
            Claim::Ours => self.ask(ports, known, fetch).await,
            Claim::Anothers { at } => self.found_by_another(ports, deadline, at, known).await,
        }
    }

    async fn found_by_another(
        &self,
        ports: &impl Ports,
        deadline: Deadline,
        at: Timestamp,
        mut known: Known<T>,
    ) -> Result<Read<T>, Problem> {
        // The search may have ended before this request began: then nobody waits.
        let until = deadline.within(ports.clock(), PATIENCE);
        loop {
            // First: to learn whose search it is may have taken longer than the search.
            known = known.newer(self.stored(ports).await);
            let now = ports.clock().now();
            if let Some((read_at, value)) = &known.read
                && *read_at >= at
            {
                let value = Rc::clone(value);
                self.slot.replace(Some(known));
                return Ok(Read {
                    value,
                    is_current: true,
                });
            }
            let over = known.asked_in_vain.is_some_and(|asked| asked >= at)
                || now.since(at) >= PATIENCE
                || until.left(ports.clock()).is_zero();
            if over {
                return known.last_good(now).ok_or_else(asked_in_vain);
            }
            ports.clock().sleep(POLL).await;
        }
    }

    fn remembered(&self) -> Known<T> {
        self.slot
            .borrow()
            .as_ref()
            .filter(|known| known.key == self.key)
            .cloned()
            .unwrap_or_else(|| self.nothing())
    }

    fn nothing(&self) -> Known<T> {
        Known {
            key: self.key.clone(),
            read: None,
            asked_in_vain: None,
        }
    }

    /// What all instances know. A store that is down costs a call to ScaiKey, no more.
    async fn stored(&self, ports: &impl Ports) -> Known<T> {
        let document = document::load(ports.kv(), &self.key).await.unwrap_or(None);
        match document {
            None => self.nothing(),
            Some(document) => Known {
                key: self.key.clone(),
                read: (self.parse)(&document.body)
                    .map(|value| (document.fetched_at, Rc::new(value))),
                asked_in_vain: document.asked_in_vain,
            },
        }
    }

    async fn ask(
        &self,
        ports: &impl Ports,
        known: Known<T>,
        fetch: impl AsyncFnOnce() -> Result<(T, String), Problem>,
    ) -> Result<Read<T>, Problem> {
        match fetch().await {
            Ok((value, body)) => {
                let now = ports.clock().now();
                let value = Rc::new(value);
                let document = Document::new(now, body);
                let save = || document::save(ports.kv(), &self.key, &document);
                // Once more if need be: the others wait for it and do not ask themselves.
                if save().await.is_err() {
                    let _ = save().await;
                }
                self.slot.replace(Some(Known {
                    read: Some((now, Rc::clone(&value))),
                    ..self.nothing()
                }));
                Ok(Read {
                    value,
                    is_current: true,
                })
            }
            Err(problem) if is_outage(&problem) => {
                let now = ports.clock().now();
                let _ = document::note_asked_in_vain(ports.kv(), &self.key, now).await;
                let good = known.last_good(now);
                self.slot.replace(Some(Known {
                    asked_in_vain: Some(now),
                    ..known
                }));
                good.ok_or(problem)
            }
            Err(problem) => Err(problem),
        }
    }
}

/// ScaiKey has lately not answered, there is nothing to serve meanwhile, and it is not asked again
/// by every request.
fn asked_in_vain() -> Problem {
    Problem::new(Code::JwksUnavailable)
        .with("reason", "ScaiKey did not answer a moment ago")
        .with_retry_after(ASKED_AGAIN)
}

/// Whether ScaiKey is down, as against answering something that can't be right.
fn is_outage(problem: &Problem) -> bool {
    matches!(
        problem.code(),
        Code::ScaikeyUnreachable
            | Code::ScaikeyTimeout
            | Code::ScaikeyUnavailable
            | Code::ScaikeyRateLimited
            | Code::ScaikeyInvalidResponse
            | Code::JwksUnavailable
    )
}
