//! Where the bytes of an answer's body come from, one piece after the other.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;

use crate::source::{Pace, Running, Source};
use crate::stream::Events;
use crate::world::World;

/// A body in pieces. Nothing of it is made before it is asked for.
pub(crate) enum Pieces {
    Whole(Option<Bytes>),
    /// A few bytes at a time, each time after a pause of real milliseconds.
    Drip {
        rest: Bytes,
        size: usize,
        ms: u64,
    },
    /// Never ends.
    Endless,
    Source {
        running: Running,
        timing: Timing,
    },
    Events {
        events: Box<Events>,
        timing: Timing,
    },
}

/// When pieces are due.
pub(crate) struct Timing {
    pace: Pace,
    /// When the first piece was asked for.
    began: Option<i64>,
    count: u64,
}

impl Timing {
    pub(crate) fn new(pace: Pace) -> Self {
        Self {
            pace,
            began: None,
            count: 0,
        }
    }

    async fn due(&mut self, world: &World) {
        let Pace::Clock { every_ms } = self.pace else {
            return;
        };
        let began = *self.began.get_or_insert_with(|| world.now_millis());
        let after = i64::try_from(every_ms.saturating_mul(self.count)).unwrap_or(i64::MAX);
        self.count += 1;
        let due = began.saturating_add(after);
        // A closure can't say when the clock will move, so it is asked again and again.
        while world.now_millis() < due {
            sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Pieces {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self::Whole(Some(bytes))
    }

    pub(crate) fn source(source: &Source) -> Self {
        Self::Source {
            running: Running::new(source),
            timing: Timing::new(source.pace),
        }
    }

    /// The body when it is known as a whole.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Whole(bytes) => bytes.as_ref(),
            _ => None,
        }
    }

    /// Cuts a whole body into pieces of `size` bytes with a pause before each.
    pub(crate) fn drip(&mut self, size: usize, ms: u64) {
        if let Some(rest) = self.bytes().cloned() {
            *self = Self::Drip { rest, size, ms };
        }
    }

    /// The next piece, when it is due; `None` at the end.
    pub(crate) async fn next(&mut self, world: &World) -> Option<Bytes> {
        match self {
            Self::Whole(bytes) => bytes.take().filter(|bytes| !bytes.is_empty()),
            Self::Drip { rest, size, ms } => {
                if rest.is_empty() {
                    return None;
                }
                sleep(Duration::from_millis(*ms)).await;
                Some(rest.split_to((*size).clamp(1, rest.len())))
            }
            Self::Endless => Some(Bytes::from_static(&[b' '; 16_384])),
            Self::Source { running, timing } => {
                let piece = running.next()?;
                timing.due(world).await;
                Some(piece)
            }
            Self::Events { events, timing } => {
                let Some((piece, is_content)) = events.next() else {
                    if events.never_ends() {
                        return std::future::pending().await;
                    }
                    return None;
                };
                if is_content {
                    timing.due(world).await;
                }
                Some(piece)
            }
        }
    }

    /// Told before a piece leaves: a stream whose credential died meanwhile says so instead (`contract` 3.2: revocation
    /// hits calls in flight).
    pub(crate) fn still_allowed(&mut self, world: &World, piece: Bytes) -> Bytes {
        match self {
            Self::Events { events, .. } => events.still_allowed(world, piece),
            _ => piece,
        }
    }
}
