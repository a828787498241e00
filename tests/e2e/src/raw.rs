//! A client that sends bytes as they are, where an ordinary one would clean the request up.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{Answer, World, seen};

/// Longest wait for anything of an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
pub struct Raw {
    stream: TcpStream,
    received: Vec<u8>,
}

impl World {
    /// A connection to the components.
    pub async fn raw(&self) -> Raw {
        let address = self.url.strip_prefix("http://").expect("plain HTTP");
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("an option");
        Raw {
            stream,
            received: Vec::new(),
        }
    }

    /// Sends `head` (its lines end where it has a newline) and gives the answer, whose text must hold
    /// no secret.
    pub async fn raw_request(&self, head: &str) -> Answer {
        let mut raw = self.raw().await;
        raw.send_text(head).await;
        let answer = raw.answer().await;
        self.canaries
            .check("the answer to a raw request", &answer.text());
        for value in answer.headers.values() {
            let value = String::from_utf8_lossy(value.as_bytes());
            self.canaries.check("a header", &value);
        }
        answer
    }
}

impl Raw {
    /// Sends bytes.
    pub async fn send(&mut self, bytes: &[u8]) {
        // The other side may answer, and close, before it has read everything.
        let _ = self.stream.write_all(bytes).await;
    }

    /// Sends lines, each ended as HTTP wants it.
    pub async fn send_text(&mut self, text: &str) {
        self.send(text.replace('\n', "\r\n").as_bytes()).await;
    }

    /// Reads what comes next; nothing at the end of the connection.
    pub async fn some(&mut self) -> Vec<u8> {
        if !self.received.is_empty() {
            return std::mem::take(&mut self.received);
        }
        let mut buffer = vec![0; 65_536];
        let read = timeout(PATIENCE, self.stream.read(&mut buffer)).await;
        let read = read.expect("something comes").unwrap_or_default();
        buffer.truncate(read);
        buffer
    }

    /// Reads the head of an answer.
    pub async fn head(&mut self) -> (StatusCode, HeaderMap) {
        let head = self.try_head().await;
        head.expect("the connection ended without an answer")
    }

    /// Reads the head of an answer; nothing when the connection ends without one.
    pub async fn try_head(&mut self) -> Option<(StatusCode, HeaderMap)> {
        let end = loop {
            if let Some(at) = self.received.windows(4).position(|w| w == b"\r\n\r\n") {
                break at;
            }
            let mut buffer = vec![0; 65_536];
            let read = timeout(PATIENCE, self.stream.read(&mut buffer)).await;
            let read = read.expect("an answer comes").unwrap_or_default();
            if read == 0 {
                return None;
            }
            self.received.extend_from_slice(&buffer[..read]);
        };
        let head: Vec<u8> = self.received.drain(..end + 4).collect();
        let text = String::from_utf8_lossy(&head).into_owned();
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let status = status.and_then(|code| code.parse().ok());
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).expect("a name"),
                HeaderValue::from_str(value.trim()).expect("a value"),
            );
        }
        Some((status.expect("a status"), headers))
    }

    /// Reads an answer with a length.
    pub async fn answer(&mut self) -> Answer {
        let (status, headers) = self.head().await;
        let length = headers
            .get("content-length")
            .and_then(|value| value.to_str().ok()?.parse::<usize>().ok())
            .unwrap_or_default();
        let mut body = Vec::new();
        while body.len() < length {
            let more = self.some().await;
            assert!(!more.is_empty(), "the answer was cut off");
            body.extend(more);
        }
        let answer = Answer {
            status,
            headers,
            body: body.into(),
        };
        seen::note(&answer);
        answer
    }
}
