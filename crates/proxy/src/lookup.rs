//! The four documented lists: read whole, made into the documented form.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use scaigate_problem::{Code, Problem};
use scaigate_scaigrid::error::{self, InvalidAnswer};
use scaigate_scaigrid::headers::{ResponseHeaders, Verdict, judge};
use scaigate_scaigrid::lookup::{self, Page, ShapeError};
use scaigate_scaigrid::path::Route;
use scaigate_scaigrid::{Admitted, Chosen, UpstreamError};
use scaigate_signin::Ports;
use scaigate_types::{Clock, Limits, Outbound, OutboundError, Timestamp};
use serde::Serialize;

use crate::credential::{self, Caller};
use crate::failure;
use crate::settings::Settings;

/// All pages of a list together.
const TOTAL: Duration = Duration::from_secs(25);
/// One page.
const PER_CALL: Duration = Duration::from_secs(10);
/// Most pages of a list: the most rows there may be, at the documented size of a page.
const MAX_PAGES: usize = 200;

/// A list in the documented form.
#[derive(Debug)]
pub struct Listed {
    /// The body, JSON.
    pub body: String,
    /// The headers of ScaiGrid's (last) answer that go on.
    pub headers: ResponseHeaders,
}

/// One lookup under way.
pub(crate) struct Lookup<'a, P> {
    pub ports: &'a P,
    pub settings: &'a Settings,
    pub caller: Caller<'a>,
    pub chosen: Chosen,
    pub request_id: &'a str,
}

impl<P: Ports> Lookup<'_, P> {
    /// Reads the list: the page that was asked for, or all of them.
    pub async fn run(self, admitted: &Admitted) -> Result<Listed, Problem> {
        match admitted.path().route() {
            Route::Models => self.list(admitted, lookup::models).await,
            Route::QueueScopes => self.list(admitted, lookup::scopes).await,
            Route::Queues { scope_id } => {
                self.list(admitted, |body| lookup::queues(body, scope_id))
                    .await
            }
            Route::Bunkers => self.list(admitted, lookup::bunkers).await,
            Route::Model { .. }
            | Route::PassThrough { .. }
            | Route::Inference(_)
            | Route::CoreInvoke { .. }
            | Route::CheckpointResolve { .. } => Err(Problem::new(Code::Internal)),
        }
    }

    async fn list<T: Serialize>(
        mut self,
        admitted: &Admitted,
        read: impl Fn(&[u8]) -> Result<Page<T>, ShapeError>,
    ) -> Result<Listed, Problem> {
        let until = self.ports.clock().now().plus(TOTAL);
        let is_piece = admitted.path().query().asks_for_a_page();
        let invalid = |error: ShapeError| failure::invalid(error.into());
        let (body, mut headers) = self.page(admitted, until).await?;
        let mut list = read(&body).map_err(invalid)?;
        let mut pages = 1;
        while let Some(cursor) = list.next.clone().filter(|_| !is_piece) {
            if pages == MAX_PAGES {
                return Err(invalid(ShapeError::TooManyRows));
            }
            pages += 1;
            let (body, next_headers) = self.page(&admitted.following(&cursor), until).await?;
            headers = next_headers;
            list.append(read(&body).map_err(invalid)?)
                .map_err(invalid)?;
        }
        let body = serde_json::to_string(&list.into_listing())
            .map_err(|_| Problem::new(Code::Internal))?;
        // What was hidden behind escapes is plain now (N-120).
        if self.chosen.credential().occurs_in(body.as_bytes()) {
            return Err(failure::invalid(InvalidAnswer::Reflected));
        }
        Ok(Listed { body, headers })
    }

    /// One page, with the tenant's key where ScaiGrid denies the caller's own token.
    async fn page(
        &mut self,
        admitted: &Admitted,
        until: Timestamp,
    ) -> Result<(Bytes, ResponseHeaders), Problem> {
        let route = admitted.path().route();
        loop {
            let credential = self.chosen.credential();
            let answer = self.send(admitted, until).await?;
            match judge(route, credential, answer.status(), answer.headers()) {
                Verdict::Deliver(headers) => {
                    let body = answer.into_body();
                    if credential.occurs_in(&body) {
                        return Err(failure::invalid(InvalidAnswer::Reflected));
                    }
                    return Ok((body, headers));
                }
                Verdict::Refuse(error) => return Err(failure::invalid(error.into())),
                Verdict::Explain => {
                    let error = explain(&answer);
                    let next = credential::after(
                        self.ports,
                        self.settings,
                        self.caller,
                        &self.chosen,
                        &error,
                        route,
                    );
                    match next.await? {
                        Some(next) => self.chosen = next,
                        None => return Err(failure::refused(&error, self.chosen.source())),
                    }
                }
            }
        }
    }

    async fn send(
        &self,
        admitted: &Admitted,
        until: Timestamp,
    ) -> Result<Response<Bytes>, Problem> {
        let mut again = true;
        loop {
            let left = until.since(self.ports.clock().now());
            if left.is_zero() {
                return Err(failure::outbound(OutboundError::Timeout));
            }
            let limits = Limits {
                timeout: left.min(PER_CALL),
                max_body: lookup::MAX_BODY.max(error::MAX_BODY),
            };
            let request = admitted
                .request(
                    &self.settings.grid.base_url,
                    self.chosen.credential(),
                    self.request_id,
                    Bytes::new(),
                )
                .map_err(|_| Problem::new(Code::Internal))?;
            match self
                .ports
                .outbound()
                .send(request.into_http(), limits)
                .await
            {
                Ok(answer) => return Ok(answer),
                Err(error) if again && may_repeat(error) => again = false,
                Err(error) => return Err(failure::outbound(error)),
            }
        }
    }
}

/// Whether a read is worth a second try: the connection failed. Who is slow is not asked twice.
pub(crate) const fn may_repeat(error: OutboundError) -> bool {
    match error {
        OutboundError::Refused | OutboundError::Interrupted => true,
        OutboundError::Timeout | OutboundError::TooLarge | OutboundError::Denied => false,
    }
}

fn explain(answer: &Response<Bytes>) -> UpstreamError {
    let body = answer.body();
    let status: StatusCode = answer.status();
    UpstreamError::read(
        status,
        answer.headers(),
        body.get(..error::MAX_BODY).unwrap_or(body),
    )
}
