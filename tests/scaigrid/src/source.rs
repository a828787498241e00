//! Bodies of any length in constant memory.

use serde::{Deserialize, Serialize};

/// When the next piece of a stream is due. Gates ([`crate::Gate::Piece`]) hold pieces back whatever the pace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// As soon as the reader took the one before.
    #[default]
    AtOnce,
    /// Piece `n` (from 0) is due `n` times this many milliseconds after the first, by the emulator's clock.
    Clock {
        /// Milliseconds between pieces.
        every_ms: u64,
    },
}

/// A generated body: [`pattern`] from its beginning, `bytes` long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Source {
    /// Length of the body. Default 10 MiB.
    pub bytes: u64,
    /// Length of one piece, at most 1 MiB. Default 64 KiB.
    pub piece: usize,
    /// When pieces are due. Default at once.
    pub pace: Pace,
    /// `Content-Length` instead of chunks. Default off.
    pub declare_length: bool,
    /// `Content-Type`. Default `application/octet-stream`.
    pub content_type: String,
}

impl Default for Source {
    fn default() -> Self {
        Self {
            bytes: 10 << 20,
            piece: 64 << 10,
            pace: Pace::AtOnce,
            declare_length: false,
            content_type: "application/octet-stream".to_owned(),
        }
    }
}

/// The byte at `offset` of every generated body. Its period is a prime, so a lost or doubled piece shows.
pub fn pattern(offset: u64) -> u8 {
    const PERIOD: &[u8; 61] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXY";
    PERIOD[usize::try_from(offset % 61).unwrap_or(0)]
}

/// How far a generated body has come.
pub(crate) struct Running {
    left: u64,
    offset: u64,
    piece: usize,
}

impl Running {
    pub(crate) fn new(source: &Source) -> Self {
        Self {
            left: source.bytes,
            offset: 0,
            piece: source.piece.clamp(1, 1 << 20),
        }
    }
}

impl Iterator for Running {
    type Item = bytes::Bytes;

    fn next(&mut self) -> Option<bytes::Bytes> {
        let length = usize::try_from(self.left).map_or(self.piece, |left| left.min(self.piece));
        if length == 0 {
            return None;
        }
        let from = self.offset;
        self.left -= length as u64;
        self.offset += length as u64;
        Some((from..self.offset).map(pattern).collect::<Vec<u8>>().into())
    }
}
