//! The accept loop, and what every request goes through: record, gates, fault, handler, lies.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::endpoint::Endpoint;
use crate::exchange::{Call, Failure, Reply};
use crate::fault::Fault;
use crate::lies;
use crate::recorded::{Credential, Outcome, Recorded};
use crate::routes::{self, Found};
use crate::wire::head::Head;
use crate::wire::inbox::Inbox;
use crate::wire::plan::{Ending, Plan};
use crate::world::World;
use scaigate_emulation::Gate;

/// Accepts until `stop` changes; then every connection is dropped.
pub(crate) async fn serve(
    listener: TcpListener,
    world: Arc<World>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            accepted = listener.accept() => if let Ok((stream, peer)) = accepted {
                connections.spawn(connection(world.clone(), stream, peer.ip()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Counts a connection while it is open.
struct Counted<'a> {
    world: &'a World,
    number: u64,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.world.recorder.close_connection();
    }
}

async fn connection(world: Arc<World>, mut stream: TcpStream, peer: IpAddr) {
    let counted = Counted {
        world: &world,
        number: world.recorder.open_connection(),
    };
    // A failure here costs a few milliseconds and nothing else.
    let _ = stream.set_nodelay(true);
    let ending = {
        let (reader, mut writer) = stream.split();
        let mut inbox = Inbox::new(reader);
        let ending = converse(&world, counted.number, peer, &mut inbox, &mut writer).await;
        if ending == Ending::Close {
            // The last bytes must not be overtaken by a reset, which a close with unread input would send.
            let _ = writer.shutdown().await;
            let _ = timeout(Duration::from_secs(1), inbox.gone()).await;
        }
        ending
    };
    if ending == Ending::Reset {
        // Without linger the close sends RST instead of FIN.
        let _ = stream.set_zero_linger();
    }
    drop(stream);
}

/// Request after request, until one of them ends the connection.
async fn converse(
    world: &World,
    connection: u64,
    peer: IpAddr,
    inbox: &mut Inbox<impl AsyncRead + Unpin>,
    writer: &mut (impl AsyncWrite + Unpin),
) -> Ending {
    loop {
        let Ok(Some(raw)) = inbox.head().await else {
            return Ending::Close;
        };
        let head = Head::parse(&raw);
        let found = head.as_ref().map_or_else(Found::nothing, |head| {
            let reading = world.switches.behaviour().path_reading;
            routes::find(world.control, reading, &head.method, &head.target)
        });
        let index = world.next_index();
        if found.endpoint != Endpoint::Control {
            let recorded = recorded(world, connection, index, found.endpoint, raw, head.as_ref());
            world.recorder.record(recorded);
        }
        let exchange = Exchange {
            world,
            found,
            index,
            peer,
        };
        let (ending, outcome) = match head {
            Some(head) => exchange.run(head, inbox, writer).await,
            None => exchange.refuse(writer).await,
        };
        world.recorder.update(index, |r| {
            r.outcome = outcome;
            r.ended_at = Some(world.now_millis());
        });
        if ending != Ending::Keep {
            return ending;
        }
    }
}

fn recorded(
    world: &World,
    connection: u64,
    index: usize,
    endpoint: Endpoint,
    raw: Bytes,
    head: Option<&Head>,
) -> Recorded {
    let credential = head.and_then(|head| {
        let field = head.all("authorization").next()?;
        Some(Credential::parse(&field.text()))
    });
    Recorded {
        index,
        connection,
        endpoint,
        method: head.map(|h| h.method.clone()).unwrap_or_default(),
        target: head.map(|h| h.target.clone()).unwrap_or_default(),
        fields: head.map(|h| h.fields.clone()).unwrap_or_default(),
        head: raw,
        body: Bytes::new(),
        body_length: 0,
        is_body_complete: false,
        trailers: Vec::new(),
        credential,
        tenant_id: None,
        at: world.now_millis(),
        status: None,
        sent: 0,
        outcome: Outcome::Open,
        ended_at: None,
    }
}

struct Exchange<'a> {
    world: &'a World,
    found: Found,
    index: usize,
    peer: IpAddr,
}

const CLIENT_LEFT: (Ending, Outcome) = (Ending::Close, Outcome::ClientLeft);

impl Exchange<'_> {
    async fn run(
        &self,
        head: Head,
        inbox: &mut Inbox<impl AsyncRead + Unpin>,
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> (Ending, Outcome) {
        let Some(framing) = head.framing() else {
            return self.refuse(writer).await;
        };
        let endpoint = self.found.endpoint;
        let recorder = &self.world.recorder;
        let mut body = Bytes::new();
        if !self.world.switches.is_next_fault_early(endpoint) {
            tokio::select! {
                biased;
                () = recorder.pass(endpoint, Gate::Upload) => {}
                () = inbox.gone() => return CLIENT_LEFT,
            }
            if head.expects_continue()
                && !inbox.has_bytes()
                && writer
                    .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                    .await
                    .is_err()
            {
                return CLIENT_LEFT;
            }
            let seen = |length| recorder.update(self.index, |r| r.body_length = length);
            let Ok(received) = inbox.body(framing, seen).await else {
                return CLIENT_LEFT;
            };
            body = received.kept.freeze();
            recorder.update(self.index, |r| {
                r.body = body.clone();
                r.body_length = received.length;
                r.is_body_complete = true;
                r.trailers = received.trailers;
            });
        }
        let call = Call {
            params: self.found.params.clone(),
            query: self.found.query.clone(),
            keeps_connection: head.keeps_connection(),
            is_http10: head.is_http10,
            method: head.method,
            fields: head.fields,
            body,
            peer: self.peer,
        };
        tokio::select! {
            biased;
            done = self.answer(&call, writer) => done,
            () = inbox.gone() => CLIENT_LEFT,
        }
    }

    /// From the request, read in full, to the end of its answer.
    async fn answer(
        &self,
        call: &Call,
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> (Ending, Outcome) {
        let endpoint = self.found.endpoint;
        let recorder = &self.world.recorder;
        recorder.pass(endpoint, Gate::Before).await;
        let fault = self.world.switches.draw_fault(endpoint);
        match &fault {
            Some(Fault::Hang) => return std::future::pending().await,
            Some(Fault::Reset) => return (Ending::Reset, Outcome::Broken),
            Some(Fault::Close) => return (Ending::Close, Outcome::Broken),
            Some(Fault::SlowHeaders { ms }) => sleep(Duration::from_millis(*ms)).await,
            _ => {}
        }
        let reply = match fault.as_ref().and_then(|fault| self.instead(fault, call)) {
            Some(reply) => reply,
            None => self.world.serve(&self.found, call, self.index).await,
        };
        let reply = lies::tell(self.world, endpoint, call, reply);
        recorder.pass(endpoint, Gate::After).await;
        match &fault {
            Some(Fault::AnswerLost) => return (Ending::Reset, Outcome::Broken),
            Some(Fault::AnswerNever) => return std::future::pending().await,
            _ => {}
        }
        recorder.update(self.index, |r| r.status = Some(reply.status));
        let plan = Plan::new(self.world, call, reply, fault.as_ref());
        let written = plan.write(self.world, endpoint, self.index, writer).await;
        written.unwrap_or(CLIENT_LEFT)
    }

    /// Faults that replace the answer.
    fn instead(&self, fault: &Fault, call: &Call) -> Option<Reply> {
        let filled = |text: &str| text.replace("{key}", &call.credential());
        match fault {
            Fault::Status { code, retry_after } => {
                let mut failure = Failure::new(*code, code_of(*code), "a fault of the emulator");
                failure.retry_after = retry_after.map(u64::from);
                if *code == 429 {
                    failure.fields = self.world.exhausted(failure.retry_after.unwrap_or(60));
                }
                Some(self.world.failed(&failure))
            }
            Fault::Error {
                code,
                error,
                message,
            } => Some(
                self.world
                    .failed(&Failure::new(*code, error, &filled(message))),
            ),
            Fault::Answer {
                code,
                content_type,
                body,
            } => Some(Reply::text(*code, content_type, filled(body))),
            Fault::Redirect { code, to } => Some(Reply::empty(*code).with("location", filled(to))),
            Fault::Source(source) => Some(Reply::source(source)),
            Fault::EndlessBody => Some(Reply::text(200, "application/json", Bytes::new())),
            _ => None,
        }
    }

    /// 400 for what is no HTTP or has two readings, and the end of the connection.
    async fn refuse(&self, writer: &mut (impl AsyncWrite + Unpin)) -> (Ending, Outcome) {
        self.world
            .recorder
            .update(self.index, |r| r.status = Some(400));
        let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        match writer.write_all(answer).await {
            Ok(()) => (Ending::Close, Outcome::Complete),
            Err(_) => CLIENT_LEFT,
        }
    }
}

/// The documented code that goes with a status best (3.6); 500 has none there.
fn code_of(status: u16) -> &'static str {
    match status {
        401 => "AUTH_TOKEN_INVALID",
        403 => "AUTHZ_PERMISSION_DENIED",
        404 => "MODEL_NOT_FOUND",
        409 => "SLUG_CONFLICT",
        422 => "VALIDATION_ERROR",
        429 => "RATE_LIMITED",
        502 => "BACKEND_ERROR",
        503 => "MODEL_UNAVAILABLE",
        504 => "BACKEND_TIMEOUT",
        _ => "INTERNAL_ERROR",
    }
}
