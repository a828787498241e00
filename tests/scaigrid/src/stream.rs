//! The event stream of a chat, event by event.

use std::collections::VecDeque;

use bytes::Bytes;
use serde_json::json;

use crate::behaviour::StreamScript;
use crate::deviation::StreamLie;
use crate::lies::MARKUP;
use crate::source::pattern;
use crate::world::World;

/// The content of chunk `n`: so many bytes of the pattern that [`crate::pattern`] gives.
pub(crate) fn content(n: u64, length: usize) -> String {
    let length = length.min(1 << 20);
    let from = n.saturating_mul(length as u64);
    (from..from.saturating_add(length as u64))
        .map(|offset| char::from(pattern(offset)))
        .collect()
}

/// A stream under way. What is still to come is not in memory.
pub(crate) struct Events {
    script: StreamScript,
    lies: Vec<StreamLie>,
    /// The credential of the request, for the lies that tell it.
    credential: String,
    /// The API key, to notice that it was revoked.
    key: Option<String>,
    next: u64,
    stage: Stage,
    /// Pieces of the events that are due, and whether each counts as content for the pace.
    ready: VecDeque<(Bytes, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Chunks,
    /// A line that has begun and never ends.
    EndlessLine,
    Done,
    Over,
}

impl Events {
    pub(crate) fn new(
        script: StreamScript,
        lies: Vec<StreamLie>,
        credential: String,
        key: Option<String>,
    ) -> Self {
        let mut this = Self {
            script,
            lies,
            credential,
            key,
            next: 0,
            stage: Stage::Chunks,
            ready: VecDeque::new(),
        };
        if this.tells(StreamLie::BomValid) {
            this.ready
                .push_back((Bytes::from_static(b"\xef\xbb\xbf"), false));
        }
        this
    }

    /// Whether the connection stays open after the end.
    pub(crate) fn never_ends(&self) -> bool {
        self.tells(StreamLie::DoneNeverEnds)
    }

    fn tells(&self, lie: StreamLie) -> bool {
        self.lies.contains(&lie)
    }

    /// The next piece, and whether the pace counts it.
    pub(crate) fn next(&mut self) -> Option<(Bytes, bool)> {
        while self.ready.is_empty() {
            match self.stage {
                Stage::Chunks => self.chunk(),
                Stage::EndlessLine => self.push(Bytes::from_static(&[b'x'; 16_384]), true),
                Stage::Done => self.done(),
                Stage::Over => return None,
            }
        }
        self.ready.pop_front()
    }

    /// In place of a piece whose caller's key has died: the error, and the end.
    pub(crate) fn still_allowed(&mut self, world: &World, piece: Bytes) -> Bytes {
        let is_dead = |key: &String| !world.grid().is_live(key, world.now());
        if self.stage == Stage::Over || !self.key.as_ref().is_some_and(is_dead) {
            return piece;
        }
        self.ready.clear();
        let error = json!({"code": "AUTH_TOKEN_INVALID", "message": "Invalid or expired token"});
        let error = self.event(Some("error"), error.to_string().as_bytes());
        self.stage = Stage::Done;
        self.lies.clear();
        error.into()
    }

    fn chunk(&mut self) {
        let n = self.next;
        if let Some(failure) = self.script.failure.clone()
            && n >= failure.after
        {
            let data = json!({"code": failure.code, "message": failure.message});
            let error = self.event(Some("error"), data.to_string().as_bytes());
            self.push(error.into(), true);
            self.stage = Stage::Done;
            return;
        }
        if n >= self.script.chunks {
            self.stage = Stage::Done;
            return;
        }
        self.next += 1;
        if self.script.comments {
            self.comment("ping");
        }
        if n == 0 && self.tells(StreamLie::KeyInComment) {
            self.comment(&self.credential.clone());
        }
        if n == 1 && self.tells(StreamLie::EndlessLine) {
            self.push(Bytes::from_static(b"data: {\"choices\":\""), true);
            self.stage = Stage::EndlessLine;
            return;
        }
        if n == 1 && self.tells(StreamLie::ErrorWithKey) {
            let message = format!("backend refused key {}", self.credential);
            let data = json!({"code": "BACKEND_ERROR", "message": message});
            let error = self.event(Some("error"), data.to_string().as_bytes());
            self.push(error.into(), true);
            self.stage = Stage::Done;
            return;
        }
        let text = self.text(n);
        let data = json!({"choices": [{"index": 0, "delta": {"content": text}}]}).to_string();
        let mut data = data.into_bytes();
        if n == 0 && self.tells(StreamLie::GarbageData) {
            data = b"{\"choices\": [}".to_vec();
        }
        if n == 0 && self.tells(StreamLie::InvalidUtf8) {
            data.splice(2..2, [0xff, 0xfe]);
        }
        let event = self.event(None, &data);
        self.split(n, event);
    }

    fn text(&self, n: u64) -> String {
        let mut text = content(n, self.script.chunk_bytes);
        let key = &self.credential;
        if n == 0 && (self.tells(StreamLie::KeyInContent) || self.tells(StreamLie::KeyAcrossPieces))
        {
            text.push_str(key);
        }
        if self.tells(StreamLie::KeyAcrossEvents) {
            let half = key.len() / 2;
            let (head, tail) = key.split_at_checked(half).unwrap_or((key, ""));
            match n {
                0 => text.push_str(head),
                1 => text.insert_str(0, tail),
                _ => {}
            }
        }
        if self.tells(StreamLie::Markup) {
            text.push_str(MARKUP);
        }
        if n == 0 && self.tells(StreamLie::HugeEvent) {
            text.push_str(&"x".repeat(1 << 20));
        }
        text
    }

    /// An event in the stream's spelling.
    fn event(&self, name: Option<&str>, data: &[u8]) -> Vec<u8> {
        let end = self.script.newline.text();
        let mut out = Vec::with_capacity(data.len() + 64);
        if let Some(name) = name {
            out.extend_from_slice(format!("event: {name}{end}").as_bytes());
        }
        if self.tells(StreamLie::IdAndRetryValid) {
            out.extend_from_slice(format!("id: {}{end}retry: 0{end}", self.next).as_bytes());
        }
        // A line break between the tokens of JSON changes nothing.
        let lines = if self.tells(StreamLie::TwoDataLinesValid) && data.first() == Some(&b'{') {
            vec![&data[..1], &data[1..]]
        } else {
            vec![data]
        };
        for line in lines {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(line);
            out.extend_from_slice(end.as_bytes());
        }
        out.extend_from_slice(end.as_bytes());
        out
    }

    fn comment(&mut self, text: &str) {
        let end = self.script.newline.text();
        self.push(format!(": {text}{end}{end}").into(), false);
    }

    fn push(&mut self, piece: Bytes, is_content: bool) {
        self.ready.push_back((piece, is_content));
    }

    /// Queues a chunk's event, in one piece or as the lies cut it.
    fn split(&mut self, n: u64, event: Vec<u8>) {
        let event = Bytes::from(event);
        if self.tells(StreamLie::SingleBytesValid) {
            for at in 0..event.len() {
                self.push(event.slice(at..=at), at == 0);
            }
            return;
        }
        let key = self.credential.as_bytes();
        let cut = event
            .windows(key.len().max(1))
            .position(|window| window == key)
            .filter(|_| n == 0 && self.tells(StreamLie::KeyAcrossPieces))
            .map(|at| at + key.len() / 2);
        match cut {
            Some(at) => {
                self.push(event.slice(..at), true);
                self.push(event.slice(at..), false);
            }
            None => self.push(event, true),
        }
    }

    fn done(&mut self) {
        self.stage = Stage::Over;
        let done = Bytes::from(self.event(None, b"[DONE]"));
        if self.tells(StreamLie::NoDone) {
            return;
        }
        self.push(done.clone(), false);
        if self.tells(StreamLie::DoneTwice) {
            self.push(done, false);
        }
        if self.tells(StreamLie::DataAfterDone) {
            let data = json!({"choices": [{"index": 0, "delta": {"content": "late"}}]});
            let late = self.event(None, data.to_string().as_bytes());
            self.push(late.into(), false);
        }
    }
}
