//! ScaiKey's emulator, asked without a connection, and calls of it that go wrong.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use scaigate_simulated::{ManualClock, Plan};
use scaigate_types::{Clock as _, Limits, Outbound, OutboundError};
use scaikey_emulator::{Emulator, Options, seed};
use tokio::runtime::Runtime;

use super::BASE;

/// How a call of ScaiKey goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboundFault {
    /// No answer.
    Error(OutboundError),
    /// Something else answers in its place: status, content type, body.
    Instead(u16, &'static str, &'static str),
}

/// Something that happens at ScaiKey before it answers a path.
pub type Before = Box<dyn Fn(&Emulator, &str)>;

/// ScaiKey.
pub struct Scaikey {
    /// The emulator itself, without what may go wrong.
    pub emulator: Emulator,
    /// Which call goes wrong.
    pub plan: Plan<OutboundFault>,
    /// What happens at ScaiKey before it answers a path.
    pub before: RefCell<Option<Before>>,
    ahead: Arc<AtomicI64>,
    // The emulator listens as long as it lives, although nobody connects.
    _runtime: Runtime,
}

impl Scaikey {
    /// A ScaiKey at [`BASE`] with the emulator's own directory.
    pub fn new(clock: &ManualClock) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        let clock = clock.clone();
        let ahead = Arc::<AtomicI64>::default();
        let skew = Arc::clone(&ahead);
        let options = Options {
            clock: Arc::new(move || clock.now().sql() + skew.load(Ordering::Relaxed)),
            public_url: Some(BASE.to_owned()),
            directory: Some(seed::directory(&[], &[])),
            ..Options::default()
        };
        Self {
            emulator: runtime.block_on(Emulator::start(options)).unwrap(),
            plan: Plan::default(),
            before: RefCell::default(),
            ahead,
            _runtime: runtime,
        }
    }

    /// Sets its clock ahead of ours by so many milliseconds, or behind it.
    pub fn skew(&self, ahead: i64) {
        self.ahead.store(ahead, Ordering::Relaxed);
    }
}

impl Outbound for Scaikey {
    async fn send(
        &self,
        request: Request<Bytes>,
        limits: Limits,
    ) -> Result<Response<Bytes>, OutboundError> {
        assert!(request.uri().to_string().starts_with(BASE), "{request:?}");
        match self.plan.next(request.uri().path()) {
            None => {}
            Some(OutboundFault::Error(error)) => return Err(error),
            Some(OutboundFault::Instead(status, content_type, body)) => {
                let mut response = Response::new(Bytes::from_static(body.as_bytes()));
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                let content_type = HeaderValue::from_static(content_type);
                response
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, content_type);
                return Ok(response);
            }
        }
        if let Some(before) = &*self.before.borrow() {
            before(&self.emulator, request.uri().path());
        }
        let answer = self.emulator.answer(request).await.unwrap();
        assert!(answer.body().len() <= limits.max_body);
        Ok(answer)
    }
}
