//! How an answer goes over the wire, honest or broken.

use std::fmt::Write;
use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::pieces::Pieces;
use crate::endpoint::Endpoint;
use crate::exchange::{Call, Reply};
use crate::fault::Fault;
use crate::recorded::Outcome;
use crate::world::World;
use scaigate_emulation::Gate;
use scaigate_emulation::http_date;

/// What happens to the connection after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Keep,
    Close,
    Reset,
    /// It stays open and nothing more is sent.
    Hang,
}

/// What goes out before the body.
enum Opening {
    Head(Vec<u8>),
    /// These bytes and nothing else.
    Only(Vec<u8>),
    /// A head that never ends.
    Endless,
}

/// An answer, ready to be written.
pub(crate) struct Plan {
    opening: Opening,
    body: Pieces,
    chunks: Option<Chunks>,
    /// Stop after this many bytes of the body.
    cut: Option<u64>,
    ending: Ending,
    is_broken: bool,
}

/// How chunks are written.
struct Chunks {
    extension: &'static str,
    /// A size that is no number.
    is_bad: bool,
    trailers: String,
}

/// The body's length on the wire.
enum Length {
    /// `Content-Length` fields with these values.
    Said(Vec<String>),
    Chunked(Vec<String>),
    /// The end of the connection ends the body.
    Close,
    /// No body at all.
    None,
}

impl Plan {
    pub(crate) fn new(world: &World, call: &Call, mut reply: Reply, fault: Option<&Fault>) -> Self {
        let known = reply.body.bytes().map(|bytes| bytes.len() as u64);
        let is_bodiless = call.method == "HEAD"
            || (100..200).contains(&reply.status)
            || matches!(reply.status, 204 | 304);
        let mut plan = Self {
            opening: Opening::Only(Vec::new()),
            body: Pieces::whole(Bytes::new()),
            chunks: None,
            cut: None,
            ending: if call.keeps_connection {
                Ending::Keep
            } else {
                Ending::Close
            },
            is_broken: false,
        };
        let mut length = match known.or(reply.declared_length) {
            _ if is_bodiless => Length::None,
            Some(known) => Length::Said(vec![known.to_string()]),
            None if call.is_http10 => Length::Close,
            None => Length::Chunked(Vec::new()),
        };
        let mut before = String::new();
        let mut version = "HTTP/1.1";
        let mut chunks = Chunks {
            extension: "",
            is_bad: false,
            trailers: String::new(),
        };
        let size = known.unwrap_or(0);
        if let Some(fault) = fault {
            plan.apply(fault, size, &mut length);
            match fault {
                Fault::BadChunk => chunks.is_bad = true,
                Fault::ChunkExtensionsValid => chunks.extension = ";name=value;other=\"a;b\"",
                Fault::TrailersValid => {
                    chunks.trailers = trailers(call);
                    reply.add("trailer", "x-checksum");
                }
                Fault::CloseDelimitedValid => version = "HTTP/1.0",
                Fault::EarlyHintsValid => before.push_str(EARLY_HINTS),
                Fault::ContinueValid => before.push_str(CONTINUE),
                Fault::ManyInterim => before.push_str(&EARLY_HINTS.repeat(2_000)),
                Fault::SlowBody { ms } => reply.body.drip(1, *ms),
                Fault::InPieces { size } => reply.body.drip(*size, 0),
                Fault::EndlessBody => reply.body = Pieces::Endless,
                _ => {}
            }
        }
        match &length {
            Length::Chunked(_) => plan.chunks = Some(chunks),
            Length::Close => plan.ending = Ending::Close,
            Length::None => reply.body = Pieces::whole(Bytes::new()),
            Length::Said(_) => {}
        }
        let mut head = before.into_bytes();
        head.extend(head_bytes(world, version, &reply, &length, plan.ending));
        plan.opening = opening(fault, head);
        plan.body = reply.body;
        plan
    }

    /// What a fault changes about length and ending.
    fn apply(&mut self, fault: &Fault, size: u64, length: &mut Length) {
        let said = |text: String| Length::Said(vec![text]);
        let mut broken = |ending: Ending, cut: Option<u64>| {
            self.ending = ending;
            self.cut = cut;
            self.is_broken = true;
        };
        match fault {
            Fault::HangingBody => broken(Ending::Hang, Some(0)),
            Fault::HalfHead | Fault::EndlessHead => broken(Ending::Hang, None),
            Fault::ResetAfterHead => broken(Ending::Reset, Some(0)),
            Fault::ResetInBody { after } => broken(Ending::Reset, Some(*after)),
            Fault::CloseInBody { after } => {
                broken(Ending::Close, Some(*after));
                *length = Length::Chunked(Vec::new());
            }
            Fault::Truncated => {
                broken(Ending::Close, None);
                *length = said((size + 64).to_string());
            }
            Fault::LengthHuge => {
                broken(Ending::Close, None);
                *length = said(u64::MAX.to_string());
            }
            Fault::LengthOverflow => {
                broken(Ending::Close, None);
                *length = said("18446744073709551616".to_owned());
            }
            Fault::LengthTooSmall => {
                broken(Ending::Close, None);
                *length = said((size / 2).to_string());
            }
            Fault::LengthNegative => {
                broken(Ending::Close, None);
                *length = said("-1".to_owned());
            }
            Fault::LengthGarbage => {
                broken(Ending::Close, None);
                *length = said("12abc".to_owned());
            }
            Fault::LengthTwice => {
                broken(Ending::Close, None);
                *length = Length::Said(vec![size.to_string(), (size / 2).to_string()]);
            }
            Fault::LengthAndChunked => {
                broken(Ending::Close, None);
                *length = Length::Chunked(vec![(size / 2).to_string()]);
            }
            Fault::BadChunk => {
                broken(Ending::Close, None);
                *length = Length::Chunked(Vec::new());
            }
            Fault::SwitchingProtocols | Fault::NotHttp => broken(Ending::Close, None),
            Fault::AnswerEarly => broken(Ending::Close, None),
            Fault::EndlessBody | Fault::ChunkExtensionsValid | Fault::TrailersValid => {
                *length = Length::Chunked(Vec::new());
            }
            Fault::CloseDelimitedValid => *length = Length::Close,
            _ => {}
        }
    }

    /// Writes it all; gates and the record follow every piece.
    pub(crate) async fn write(
        mut self,
        world: &World,
        endpoint: Endpoint,
        index: usize,
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<(Ending, Outcome)> {
        let recorder = &world.recorder;
        match &self.opening {
            Opening::Head(bytes) => writer.write_all(bytes).await?,
            Opening::Only(bytes) => {
                writer.write_all(bytes).await?;
                return self.end().await;
            }
            Opening::Endless => {
                writer.write_all(b"HTTP/1.1 200 OK\r\n").await?;
                loop {
                    writer.write_all(FILLER).await?;
                }
            }
        }
        recorder.pass(endpoint, Gate::Body).await;
        let mut left = self.cut;
        while left != Some(0)
            && let Some(piece) = self.body.next(world).await
        {
            recorder.pass(endpoint, Gate::Piece).await;
            let mut piece = self.body.still_allowed(world, piece);
            if let Some(left) = &mut left {
                let most = usize::try_from(*left).unwrap_or(usize::MAX);
                piece.truncate(most);
                *left -= piece.len() as u64;
            }
            match &self.chunks {
                Some(chunks) => writer.write_all(&chunks.frame(&piece)).await?,
                None => writer.write_all(&piece).await?,
            }
            recorder.sent(index, piece.len());
        }
        if let (Some(chunks), None) = (&self.chunks, self.cut) {
            writer
                .write_all(format!("0\r\n{}\r\n", chunks.trailers).as_bytes())
                .await?;
        }
        self.end().await
    }

    async fn end(self) -> io::Result<(Ending, Outcome)> {
        if self.ending == Ending::Hang {
            return std::future::pending().await;
        }
        let outcome = if self.is_broken {
            Outcome::Broken
        } else {
            Outcome::Complete
        };
        Ok((self.ending, outcome))
    }
}

impl Chunks {
    fn frame(&self, piece: &[u8]) -> BytesMut {
        let mut out = BytesMut::with_capacity(piece.len() + 64);
        if self.is_bad {
            out.extend_from_slice(b"zz\r\n");
        } else {
            out.extend_from_slice(format!("{:x}{}\r\n", piece.len(), self.extension).as_bytes());
        }
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
        out
    }
}

const FILLER: &[u8] = b"x-filler: 0123456789012345678901234567890123456789\r\n";
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
const EARLY_HINTS: &str =
    "HTTP/1.1 103 Early Hints\r\nlink: </early.css>; rel=preload\r\nset-cookie: early=1\r\n\r\n";

fn trailers(call: &Call) -> String {
    format!(
        "x-checksum: 1\r\nset-cookie: trailer=1\r\nx-authorization: {}\r\n",
        call.header("authorization").unwrap_or_default()
    )
}

fn opening(fault: Option<&Fault>, head: Vec<u8>) -> Opening {
    match fault {
        Some(Fault::HalfHead) => Opening::Only(b"HTTP/1.1 200 OK\r\ncontent-ty".to_vec()),
        Some(Fault::EndlessHead) => Opening::Endless,
        Some(Fault::NotHttp) => Opening::Only(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()),
        Some(Fault::SwitchingProtocols) => Opening::Only(
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n\x81\x05hello"
                .to_vec(),
        ),
        _ => Opening::Head(head),
    }
}

fn head_bytes(
    world: &World,
    version: &str,
    reply: &Reply,
    length: &Length,
    ending: Ending,
) -> Vec<u8> {
    let reason = http::StatusCode::from_u16(reply.status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Unknown");
    let mut own = String::new();
    // Clients measure their clock skew by this header, so it follows the emulator's clock.
    let _ = write!(own, "date: {}\r\n", http_date(world.now()));
    match length {
        Length::Said(values) => {
            for value in values {
                let _ = write!(own, "content-length: {value}\r\n");
            }
        }
        Length::Chunked(lengths) => {
            for value in lengths {
                let _ = write!(own, "content-length: {value}\r\n");
            }
            own.push_str("transfer-encoding: chunked\r\n");
        }
        Length::Close | Length::None => {}
    }
    if ending == Ending::Close {
        own.push_str("connection: close\r\n");
    }
    let mut out = format!("{version} {} {reason}\r\n", reply.status).into_bytes();
    for (name, value) in &reply.fields {
        out.extend_from_slice(name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(own.as_bytes());
    out.extend_from_slice(b"\r\n");
    out
}
