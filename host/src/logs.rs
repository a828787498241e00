//! Where the output of components goes: their standard streams, and what the
//! runner itself has to say about them (traps, refused hosts).

use std::collections::VecDeque;
use std::fmt;
use std::io::Write as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// The most lines kept; older ones are dropped.
const MAX_LINES: usize = 100_000;
/// The longest line kept, in bytes; the rest becomes the next line.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// Which stream a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStream {
    /// The component's standard output.
    Stdout,
    /// The component's standard error; a panic message arrives here.
    Stderr,
    /// The runner: a trap, a failed start, a refused outbound host.
    Host,
}

impl fmt::Display for LogStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Host => "host",
        })
    }
}

/// One line of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The component's id in the manifest.
    pub component: String,
    /// The stream it was written to.
    pub stream: LogStream,
    /// The text without its line end.
    pub line: String,
}

/// Collects lines. Clones share one collection.
#[derive(Clone, Default)]
pub struct LogSink {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    mode: Mode,
    lines: Mutex<VecDeque<LogLine>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Keep,
    Echo,
    Discard,
}

impl LogSink {
    /// Keeps the last 100,000 lines.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps nothing; writes each line to standard error as `[component] line`.
    #[must_use]
    pub fn echo() -> Self {
        Self::of(Mode::Echo)
    }

    /// Keeps nothing and writes nothing.
    #[must_use]
    pub fn discard() -> Self {
        Self::of(Mode::Discard)
    }

    fn of(mode: Mode) -> Self {
        Self {
            shared: Arc::new(Shared {
                mode,
                lines: Mutex::default(),
            }),
        }
    }

    fn locked(&self) -> MutexGuard<'_, VecDeque<LogLine>> {
        self.shared
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The lines so far, oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<LogLine> {
        self.locked().iter().cloned().collect()
    }

    /// The lines so far; forgets them.
    #[must_use]
    pub fn take(&self) -> Vec<LogLine> {
        self.locked().drain(..).collect()
    }

    /// Whether any line contains `text`.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        self.locked().iter().any(|line| line.line.contains(text))
    }

    pub(crate) fn push(&self, component: &str, stream: LogStream, line: &str) {
        match self.shared.mode {
            Mode::Keep => {}
            Mode::Echo => {
                // Nowhere to report that standard error is gone.
                let _ = writeln!(std::io::stderr().lock(), "[{component}] {line}");
                return;
            }
            Mode::Discard => return,
        }
        let mut lines = self.locked();
        if lines.len() >= MAX_LINES {
            lines.pop_front();
        }
        lines.push_back(LogLine {
            component: component.to_owned(),
            stream,
            line: line.to_owned(),
        });
    }

    pub(crate) fn stream(&self, component: &str, stream: LogStream) -> LineStream {
        LineStream {
            target: Arc::new(Target {
                sink: self.clone(),
                component: component.to_owned(),
                stream,
                partial: Mutex::default(),
            }),
        }
    }
}

impl fmt::Debug for LogSink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LogSink").finish_non_exhaustive()
    }
}

/// A standard stream of one instance, cut into lines.
pub(crate) struct LineStream {
    target: Arc<Target>,
}

struct Target {
    sink: LogSink,
    component: String,
    stream: LogStream,
    partial: Mutex<Vec<u8>>,
}

impl Target {
    fn write(&self, bytes: &[u8]) {
        let mut partial = self.partial.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in bytes {
            if *byte == b'\n' || partial.len() >= MAX_LINE_BYTES {
                self.sink.push(
                    &self.component,
                    self.stream,
                    &String::from_utf8_lossy(&partial),
                );
                partial.clear();
            }
            if *byte != b'\n' {
                partial.push(*byte);
            }
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let partial = std::mem::take(
            self.partial
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner),
        );
        if !partial.is_empty() {
            self.sink.push(
                &self.component,
                self.stream,
                &String::from_utf8_lossy(&partial),
            );
        }
    }
}

impl IsTerminal for LineStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(LineWriter(self.target.clone()))
    }

    // Written at once, not by a task: a line is in the sink before the answer.
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(LineWriter(self.target.clone()))
    }
}

struct LineWriter(Arc<Target>);

impl OutputStream for LineWriter {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_LINE_BYTES)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LineWriter {
    async fn ready(&mut self) {}
}

impl AsyncWrite for LineWriter {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.0.write(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_becomes_lines_and_the_rest_arrives_when_the_instance_ends() {
        let sink = LogSink::new();
        let stream = sink.stream("web", LogStream::Stderr);
        let mut writer = stream.p2_stream();
        assert!(writer.write(Bytes::from_static(b"one\ntwo\nthr")).is_ok());
        assert!(writer.write(Bytes::from_static(b"ee")).is_ok());
        assert_eq!(sink.lines().len(), 2);
        drop(writer);
        drop(stream);
        let text: Vec<String> = sink.take().into_iter().map(|line| line.line).collect();
        assert_eq!(text, ["one", "two", "three"]);
        assert!(sink.lines().is_empty());
    }
}
