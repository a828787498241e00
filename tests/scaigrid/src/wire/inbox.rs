//! Reading from a connection: heads, bodies, and whether the client is still there.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::head::{Field, Framing};

/// Largest head of a request.
const MAX_HEAD: usize = 256 << 10;
/// How much of a body is kept; what is longer is read and counted.
const MAX_KEPT: usize = 1 << 20;
/// How much is read ahead of a client that sends while its answer is under way.
const MAX_AHEAD: usize = 1 << 20;
/// Longest line of a chunked body.
const MAX_LINE: usize = 8 << 10;

/// A request's body as it was read.
#[derive(Default)]
pub(crate) struct Received {
    /// Its first mebibyte.
    pub(crate) kept: BytesMut,
    /// Its whole length.
    pub(crate) length: u64,
    pub(crate) trailers: Vec<Field>,
}

/// The reading half of a connection.
pub(crate) struct Inbox<R> {
    reader: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Inbox<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: BytesMut::new(),
        }
    }

    /// The next head, with its empty line; `None` when the client is done.
    pub(crate) async fn head(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            // RFC 9112 section 2.2: empty lines before a request are ignored.
            while self.buffer.starts_with(b"\r\n") {
                let _ = self.buffer.split_to(2);
            }
            if let Some(end) = end_of_head(&self.buffer) {
                return Ok(Some(self.buffer.split_to(end).freeze()));
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(io::Error::other("head too large"));
            }
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Reads a body to its end and calls `seen` with its length so far after each read.
    pub(crate) async fn body(
        &mut self,
        framing: Framing,
        mut seen: impl FnMut(u64),
    ) -> io::Result<Received> {
        let mut received = Received::default();
        match framing {
            Framing::Length(length) => self.copy(length, &mut received, &mut seen).await?,
            Framing::Chunked => loop {
                let line = self.line().await?;
                let size = line.split(|b| *b == b';').next().unwrap_or_default();
                let size = std::str::from_utf8(size.trim_ascii())
                    .ok()
                    .and_then(|text| u64::from_str_radix(text, 16).ok())
                    .ok_or_else(|| io::Error::other("bad chunk size"))?;
                if size == 0 {
                    break;
                }
                self.copy(size, &mut received, &mut seen).await?;
                if !self.line().await?.is_empty() {
                    return Err(io::Error::other("chunk too long"));
                }
            },
        }
        if framing == Framing::Chunked {
            loop {
                let line = self.line().await?;
                let Some(colon) = line.iter().position(|b| *b == b':') else {
                    break;
                };
                if received.trailers.len() < 256 {
                    received.trailers.push(Field {
                        name: line.slice(..colon),
                        value: line.slice_ref(line[colon + 1..].trim_ascii()),
                    });
                }
            }
        }
        Ok(received)
    }

    async fn copy(
        &mut self,
        mut left: u64,
        received: &mut Received,
        seen: &mut impl FnMut(u64),
    ) -> io::Result<()> {
        while left > 0 {
            if self.buffer.is_empty() {
                self.fill().await?;
            }
            let length =
                usize::try_from(left).map_or(self.buffer.len(), |left| left.min(self.buffer.len()));
            let piece = self.buffer.split_to(length);
            let room = MAX_KEPT.saturating_sub(received.kept.len());
            received
                .kept
                .extend_from_slice(&piece[..piece.len().min(room)]);
            received.length += length as u64;
            left -= length as u64;
            seen(received.length);
        }
        Ok(())
    }

    async fn line(&mut self) -> io::Result<Bytes> {
        loop {
            if let Some(end) = self.buffer.iter().position(|b| *b == b'\n') {
                let line = self.buffer.split_to(end + 1).freeze();
                let text = line.strip_suffix(b"\n").unwrap_or(&line);
                return Ok(line.slice_ref(text.strip_suffix(b"\r").unwrap_or(text)));
            }
            if self.buffer.len() > MAX_LINE {
                return Err(io::Error::other("line too long"));
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        match self.reader.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Returns when the client has closed its side or reset the connection. What it sends meanwhile is kept for the
    /// next request, up to a bound.
    pub(crate) async fn gone(&mut self) {
        loop {
            if self.buffer.len() > MAX_AHEAD {
                return std::future::pending().await;
            }
            match self.reader.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }

    /// Whether bytes of a body are here already.
    pub(crate) fn has_bytes(&self) -> bool {
        !self.buffer.is_empty()
    }
}

fn end_of_head(buffer: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = buffer[from..].iter().position(|b| *b == b'\n') {
        from += at + 1;
        match &buffer[from..] {
            [b'\n', ..] => return Some(from + 1),
            [b'\r', b'\n', ..] => return Some(from + 2),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Framing, Inbox};

    #[tokio::test]
    async fn reads_requests_one_after_the_other() {
        let bytes = b"\r\nPOST / HTTP/1.1\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\nGET / HTTP/1.1\r\n\r\nxyz";
        let mut inbox = Inbox::new(&bytes[..]);
        assert!(inbox.head().await.unwrap().unwrap().starts_with(b"POST"));
        let mut lengths = Vec::new();
        let body = inbox
            .body(Framing::Chunked, |n| lengths.push(n))
            .await
            .unwrap();
        assert_eq!(
            (&body.kept[..], body.length, lengths),
            (&b"abcde"[..], 5, vec![3, 5])
        );
        assert!(body.trailers[0].is("t") && body.trailers[0].text() == "1");
        assert!(inbox.head().await.unwrap().unwrap().starts_with(b"GET"));
        let body = inbox.body(Framing::Length(3), |_| {}).await.unwrap();
        assert_eq!(&body.kept[..], b"xyz");
        assert!(inbox.head().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn keeps_a_mebibyte_and_counts_the_rest() {
        let bytes = vec![b'x'; 3 << 20];
        let mut inbox = Inbox::new(&bytes[..]);
        let body = inbox.body(Framing::Length(3 << 20), |_| {}).await.unwrap();
        assert_eq!((body.kept.len(), body.length), (1 << 20, 3 << 20));
    }

    #[tokio::test]
    async fn refuses_bodies_that_break_off_or_lie() {
        for bytes in [&b"zz\r\n"[..], b"3\r\nabcd\r\n", b"3\r\nab", b""] {
            assert!(
                Inbox::new(bytes)
                    .body(Framing::Chunked, |_| {})
                    .await
                    .is_err()
            );
        }
        assert!(
            Inbox::new(&b"ab"[..])
                .body(Framing::Length(3), |_| {})
                .await
                .is_err()
        );
    }
}
