//! What an instance remembers: its settings, and which sessions it lately saw not to be revoked.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use scaigate_jose::SessionSigner;
use scaigate_problem::Problem;
use scaigate_runtime::Site;
use scaigate_runtime::spin::VariableValues;
use scaigate_signin::authenticate::{REVOCATION_CACHED, RevocationCache};
use scaigate_signin::settings::{self, Deployment};
use scaigate_types::{SessionId, Timestamp};

const VARIABLES: &[&str] = &[
    "public_url",
    "app_url",
    "env",
    "dangerous_allow_dev_auth",
    "session_secret",
];

/// Sessions remembered at once; beyond that the memory is emptied.
const MAX_SESSIONS: usize = 4096;

/// The settings of this component.
pub struct Remembered {
    /// Verifies session tokens.
    pub signer: SessionSigner,
    /// Where we are.
    pub deployment: Deployment,
    /// Which origins may call.
    pub site: Site,
}

thread_local! {
    static SETTINGS: RefCell<Option<Rc<Remembered>>> = const { RefCell::new(None) };
    static SEEN: RefCell<HashMap<SessionId, Timestamp>> = RefCell::default();
}

/// The settings, read once per instance.
pub async fn get() -> Result<Rc<Remembered>, Problem> {
    if let Some(remembered) = SETTINGS.with_borrow(Clone::clone) {
        return Ok(remembered);
    }
    let values = VariableValues::read(VARIABLES).await?;
    let variables = |name: &str| values.get(name);
    let remembered = match (
        settings::deployment(&variables),
        settings::sessions(&variables),
    ) {
        (Ok(deployment), Ok(sessions)) => {
            let own = deployment.public_url.origin().clone();
            let site = Site::new(deployment.apps.iter().cloned().chain([own]));
            Rc::new(Remembered {
                signer: sessions.signer,
                deployment,
                site,
            })
        }
        (deployment, sessions) => {
            let faults: Vec<_> = [deployment.err(), sessions.err()]
                .into_iter()
                .flatten()
                .flatten()
                .collect();
            return Err(settings::problem(&faults));
        }
    };
    SETTINGS.set(Some(Rc::clone(&remembered)));
    Ok(remembered)
}

/// The sessions that this instance lately saw not to be revoked.
pub struct Revocations;

impl RevocationCache for Revocations {
    fn is_fresh(&self, sid: &SessionId, now: Timestamp) -> bool {
        SEEN.with_borrow(|seen| {
            seen.get(sid)
                .is_some_and(|at| *at <= now && now.since(*at) < REVOCATION_CACHED)
        })
    }

    fn note(&self, sid: &SessionId, now: Timestamp) {
        SEEN.with_borrow_mut(|seen| {
            if seen.len() >= MAX_SESSIONS {
                seen.clear();
            }
            seen.insert(sid.clone(), now);
        });
    }
}
