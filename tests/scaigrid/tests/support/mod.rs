//! A client small enough to read: one on a library for what is honest, one on bytes for what is not.
#![expect(dead_code, reason = "each test file uses its own part")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use scaigrid_emulator::{Behaviour, Emulator, Endpoint, Gate, Options, Recorder, Switches};

use scaikey_emulator::plain_http;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

// TEST KEYS, of `scaigrid_emulator::seed`.
pub const ACME_KEY: &str = scaigrid_emulator::seed::ACME_KEY;
pub const UMBRA_KEY: &str = scaigrid_emulator::seed::UMBRA_KEY;
pub const START: i64 = 1_750_000_000;
pub const MODELS: &str = "/v1/models";
pub const SCOPES: &str = "/v1/modules/scaiqueue/scopes";
pub const BUNKERS: &str = "/v1/modules/scaibunker/bunkers";
pub const CORES: &str = "/v1/modules/scaicore/cores";
pub const EVENTS: &str = "/v1/modules/scaicore/events";
pub const CHECKPOINTS: &str = "/v1/modules/scaicore/checkpoints";
pub const CHAT: &str = "/v1/inference/chat";

/// An emulator with a clock that stands still until told otherwise.
pub struct Bench {
    pub emulator: Emulator,
    now: Arc<AtomicI64>,
}

impl Bench {
    /// Without rate limits: the clock stands still, so no minute would ever pass.
    pub async fn start() -> Self {
        Self::with(|b| b.rate_limits = None).await
    }

    pub async fn with(edit: impl FnOnce(&mut Behaviour)) -> Self {
        Self::with_options(edit, |_| {}).await
    }

    pub async fn with_options(
        edit: impl FnOnce(&mut Behaviour),
        options: impl FnOnce(&mut Options),
    ) -> Self {
        let now = Arc::new(AtomicI64::new(START * 1_000));
        let mut behaviour = Behaviour::default();
        edit(&mut behaviour);
        let clock = now.clone();
        let mut given = Options {
            clock: Arc::new(move || clock.load(Ordering::SeqCst)),
            control: true,
            behaviour,
            ..Options::default()
        };
        options(&mut given);
        let emulator = Emulator::start(given).await.unwrap();
        Self { emulator, now }
    }

    pub fn recorder(&self) -> &Recorder {
        self.emulator.recorder()
    }

    pub fn switches(&self) -> &Switches {
        self.emulator.switches()
    }

    pub fn advance(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        key: &str,
        body: Option<(&str, &str)>,
    ) -> Response<Bytes> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.emulator.base_url()));
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let (content_type, body) = body.unwrap_or_default();
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        let request = request.body(Bytes::copy_from_slice(body.as_bytes()));
        plain_http::send(request.unwrap()).await.unwrap()
    }

    pub async fn get(&self, path: &str, key: &str) -> Response<Bytes> {
        self.send("GET", path, key, None).await
    }

    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Response<Bytes> {
        let body = body.to_string();
        self.send("POST", path, key, Some(("application/json", &body)))
            .await
    }

    pub async fn open(&self) -> Wire {
        Wire::open(&self.emulator).await
    }

    /// The bytes of the answer to a plain GET with acme's key.
    pub async fn raw_get(&self, path: &str) -> Vec<u8> {
        let mut wire = self.open().await;
        wire.get(path).await;
        wire.rest().await
    }
}

/// A connection on which nothing is hidden.
pub struct Wire {
    pub stream: TcpStream,
}

impl Wire {
    pub async fn open(emulator: &Emulator) -> Self {
        let stream = TcpStream::connect(emulator.address()).await.unwrap();
        Self { stream }
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// A GET with acme's key that closes the connection afterwards.
    pub async fn get(&mut self, path: &str) {
        self.write(format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ACME_KEY}\r\nConnection: close\r\n\r\n"
        ))
        .await;
    }

    /// A streamed chat with acme's key; `seen` says what more the JSON holds.
    pub async fn chat(&mut self, close: bool) {
        let body = r#"{"model":"openai/gpt-4o","messages":[{"role":"user","content":"hi"}],"stream":true}"#;
        let connection = if close { "close" } else { "keep-alive" };
        self.write(format!(
            "POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ACME_KEY}\r\nContent-Type: application/json\r\n\
             Connection: {connection}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
    }

    /// Everything until the end of the connection, in order or not.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut buffer = [0_u8; 65_536];
        while let Ok(n @ 1..) = self.stream.read(&mut buffer).await {
            bytes.extend_from_slice(&buffer[..n]);
        }
        bytes
    }

    /// Reads until `end` has been seen.
    pub async fn until(&mut self, end: &str) -> String {
        let mut bytes = Vec::new();
        let mut byte = [0_u8; 1];
        while !bytes.ends_with(end.as_bytes()) {
            let n = self.stream.read(&mut byte).await.unwrap();
            assert_eq!(n, 1, "ended after {}", String::from_utf8_lossy(&bytes));
            bytes.push(byte[0]);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads exactly so many bytes.
    pub async fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).await.unwrap();
        bytes
    }
}

pub fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or_default()
}

/// Status, and `error.code` where there is one.
pub fn verdict(response: &Response<Bytes>) -> (u16, String) {
    let code = json(response)["error"]["code"].as_str().map(str::to_owned);
    (response.status().as_u16(), code.unwrap_or_default())
}

pub fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    let value = response.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

/// One member of every row.
pub fn column(rows: &Value, name: &str) -> Vec<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[name].as_str().unwrap().to_owned())
        .collect()
}

/// Splits an answer into its head and the rest.
pub fn head_and_body(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&bytes[..end + 4]).into_owned();
    (head, &bytes[end + 4..])
}

/// Puts chunks together again.
pub fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let end = bytes.windows(2).position(|w| w == b"\r\n").unwrap();
        let line = std::str::from_utf8(&bytes[..end]).unwrap();
        let size = usize::from_str_radix(line.split(';').next().unwrap(), 16).unwrap();
        if size == 0 {
            return out;
        }
        out.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 4 + size..];
    }
}

/// The gate before each piece of a streamed chat.
pub const CHAT_PIECES: (Endpoint, Gate) = (Endpoint::Chat, Gate::Piece);
