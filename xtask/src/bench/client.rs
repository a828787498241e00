//! As much of HTTP/1.1 as a measurement needs: one connection, kept open, one
//! request at a time. It speaks to our own servers on this machine only.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// The most an answer's body may hold, in bytes.
const BODY_LIMIT: u64 = 1 << 20;
/// The longest head of an answer, and line of a chunk, in bytes.
const HEAD_LIMIT: u64 = 64 << 10;
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
    /// Its lines: few are asked for, and to take all apart would be part of what is measured.
    head: String,
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
        self.headers("set-cookie")
            .filter_map(|value| value.split(';').next())
            .find(|cookie| cookie.starts_with(prefix))
            .map(str::to_owned)
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.head.lines().filter_map(move |line| {
            let (other, value) = line.split_once(':')?;
            other.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

fn read_answer(stream: &mut BufReader<TcpStream>) -> Result<Answer> {
    let head = read_head(stream)?;
    let status = head
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .and_then(|code| code.parse().ok())
        .context("the answer doesn't begin as HTTP/1.1")?;
    let mut answer = Answer {
        status,
        head,
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

/// Everything up to the empty line.
fn read_head(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut stream = stream.take(HEAD_LIMIT);
    let mut head = Vec::with_capacity(512);
    loop {
        let before = head.len();
        stream.read_until(b'\n', &mut head)?;
        match head.get(before..) {
            Some(b"\r\n") => break,
            Some(line) if line.ends_with(b"\r\n") => {}
            _ => {
                bail!("the connection ended within a head, or it has more than {HEAD_LIMIT} bytes")
            }
        }
    }
    String::from_utf8(head).context("a head that isn't UTF-8")
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
    body.reserve(usize::try_from(length)?);
    stream.take(length).read_to_end(body)?;
    if body.len() as u64 - before < length {
        bail!("the connection ended within a body");
    }
    Ok(())
}

fn read_line(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = Vec::new();
    stream.take(HEAD_LIMIT).read_until(b'\n', &mut line)?;
    let text = line
        .strip_suffix(b"\r\n")
        .context("the connection ended within a line")?;
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
                "HTTP/1.1 200 OK\r\nx: y\r\nCONTENT-LENGTH:  2 \r\n\r\nok",
                200,
                "ok",
            ),
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
            "HTTP/1.1 200 OK\r\ncontent-length: 2\n\r\nok",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
        ] {
            assert!(read(bytes).is_err(), "{bytes}");
        }
    }
}
