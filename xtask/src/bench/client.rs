//! As much of HTTP/1.1 as a measurement needs: one connection, kept open, one
//! request at a time. It speaks to our own servers on this machine only.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// The most an answer's body may hold, in bytes.
const BODY_LIMIT: u64 = 1 << 20;
/// The longest line of an answer's head, in bytes.
const LINE_LIMIT: u64 = 64 << 10;
/// The most header lines.
const HEADER_LIMIT: usize = 100;
/// How long a read or write may take: a machine that is busy with other things is not what is measured.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// A connection that is opened when needed and kept while the server lets it.
pub struct Connection {
    address: SocketAddr,
    limit: Duration,
    stream: Option<BufReader<TcpStream>>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: Vec<u8>,
}

impl Connection {
    /// A connection to the address, not opened yet.
    pub fn new(address: SocketAddr) -> Self {
        Self::patient(address, TIME_LIMIT)
    }

    /// The same with a limit of its own to how long a read or write may take.
    pub fn patient(address: SocketAddr, limit: Duration) -> Self {
        Self {
            address,
            limit,
            stream: None,
        }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// The connection fails, takes too long, or the answer isn't HTTP/1.1 within
    /// the limits. The next request then opens a new connection.
    pub fn request(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.open()?,
        };
        let mut text = format!("{method} {target} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            write!(text, "{name}: {value}\r\n")?;
        }
        if method != "GET" {
            write!(text, "content-length: {}\r\n", body.len())?;
        }
        write!(text, "\r\n{body}")?;
        stream.get_mut().write_all(text.as_bytes())?;
        let answer = read_answer(&mut stream)?;
        let closes = answer
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if !closes {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    fn open(&self) -> Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect_timeout(&self.address, TIME_LIMIT)
            .with_context(|| format!("can't connect to {}", self.address))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.limit))?;
        stream.set_write_timeout(Some(self.limit))?;
        Ok(BufReader::new(stream))
    }
}

impl Answer {
    /// `name=value` of the first cookie that is set and whose name begins so.
    pub fn cookie(&self, prefix: &str) -> Option<String> {
        self.headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
            .filter_map(|(_, value)| value.split(';').next())
            .find(|cookie| cookie.starts_with(prefix))
            .map(str::to_owned)
    }

    /// The first header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }
}

fn read_answer(stream: &mut BufReader<TcpStream>) -> Result<Answer> {
    let line = read_line(stream)?;
    let status = line
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .and_then(|code| code.parse().ok())
        .context("the answer doesn't begin as HTTP/1.1")?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            break;
        }
        if headers.len() == HEADER_LIMIT {
            bail!("too many headers");
        }
        let (name, value) = line.split_once(':').context("a header without a colon")?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut answer = Answer {
        status,
        headers,
        body: Vec::new(),
    };
    if answer.header("transfer-encoding") == Some("chunked") {
        answer.body = read_chunks(stream)?;
    } else if let Some(length) = answer.header("content-length") {
        let length = length.parse().context("content-length isn't a number")?;
        read_exactly(stream, length, &mut answer.body)?;
    } else if !matches!(status, 204 | 304) {
        bail!("an answer of unknown length");
    }
    Ok(answer)
}

fn read_chunks(stream: &mut BufReader<TcpStream>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(stream)?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let length = u64::from_str_radix(digits, 16).context("a chunk without a length")?;
        if length == 0 {
            // Trailers, up to an empty line.
            while !read_line(stream)?.is_empty() {}
            return Ok(body);
        }
        read_exactly(stream, length, &mut body)?;
        if !read_line(stream)?.is_empty() {
            bail!("a chunk longer than announced");
        }
    }
}

fn read_exactly(stream: &mut BufReader<TcpStream>, length: u64, body: &mut Vec<u8>) -> Result<()> {
    let before = body.len() as u64;
    if length > BODY_LIMIT.saturating_sub(before) {
        bail!("a body above {BODY_LIMIT} bytes");
    }
    stream.take(length).read_to_end(body)?;
    if body.len() as u64 - before < length {
        bail!("the connection ended within a body");
    }
    Ok(())
}

fn read_line(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = Vec::new();
    stream.take(LINE_LIMIT).read_until(b'\n', &mut line)?;
    let text = line
        .strip_suffix(b"\r\n")
        .context("the connection ended within a head")?;
    String::from_utf8(text.to_vec()).context("a head that isn't UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    /// What the client makes of a server's bytes.
    fn read(bytes: &'static str) -> Result<Answer> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let server = thread::spawn(move || -> Result<()> {
            let (mut stream, _) = listener.accept()?;
            let mut reader = BufReader::new(stream.try_clone()?);
            while !read_line(&mut reader)?.is_empty() {}
            stream.write_all(bytes.as_bytes())?;
            Ok(())
        });
        let answer = Connection::new(address).request("GET", "/", &[], "");
        server.join().map_err(|_| anyhow::anyhow!("the server"))??;
        answer
    }

    #[test]
    fn reads_bodies_of_either_framing() -> Result<()> {
        for (bytes, status, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
            ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
                200,
                "ok0123456789",
            ),
        ] {
            let answer = read(bytes)?;
            assert_eq!(
                (answer.status, answer.body.as_slice()),
                (status, body.as_bytes())
            );
        }
        Ok(())
    }

    #[test]
    fn refuses_what_it_cannot_delimit() {
        for bytes in [
            "",
            "HTTP/1.0 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\nok",
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
        ] {
            assert!(read(bytes).is_err(), "{bytes}");
        }
    }
}
