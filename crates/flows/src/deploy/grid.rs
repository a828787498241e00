//! The calls of a deployment to ScaiGrid: all there are, and the door they go through.
#![expect(
    async_fn_in_trait,
    reason = "the flows run on one thread inside a component; no caller needs `Send` futures"
)]

use bytes::Bytes;
use http::Method;
use scaigate_problem::Problem;
use scaigate_proxy::call::Answered;
use scaigate_scaigrid::lookup::Cursor;
use scaigate_scaigrid::path::Segment;
use scaigate_types::GroupId;
use serde_json::{Map, Value, json};

use crate::manifest::{ConsumerMode, QueueConfig};

/// An identifier of ScaiGrid's that may stand in an address: 1 to 128 letters, digits, `-`, `_` and
/// `.`, not only dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridId(Segment);

impl GridId {
    /// Reads one out of an answer.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_short = text.len() <= 128 && text.bytes().all(is_allowed);
        let segment = Segment::parse(text).ok().filter(|_| is_short)?;
        Some(Self(segment))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(super) const fn segment(&self) -> &Segment {
        &self.0
    }
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub enum GridCall<'a> {
    /// The scopes of ScaiQueue.
    ListScopes {
        /// Where the page begins.
        cursor: Option<&'a Cursor>,
    },
    /// A new scope.
    CreateScope {
        /// Its slug.
        slug: &'a str,
    },
    /// The queues of a scope.
    ListQueues {
        /// The scope.
        scope_id: &'a GridId,
        /// Where the page begins.
        cursor: Option<&'a Cursor>,
    },
    /// A new queue.
    CreateQueue {
        /// The scope.
        scope_id: &'a GridId,
        /// What it is to be.
        config: &'a QueueConfig,
    },
    /// A new core.
    CreateCore {
        /// Its name.
        name: &'a str,
        /// The manifest.
        source: &'a str,
    },
    /// A core becomes a model.
    PublishCore {
        /// The core.
        core_id: &'a GridId,
        /// The groups that may use it; none: as ScaiGrid decides.
        group_ids: &'a [GroupId],
    },
}

impl GridCall<'_> {
    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        match self {
            Self::ListScopes { .. } | Self::ListQueues { .. } => Method::GET,
            Self::CreateScope { .. }
            | Self::CreateQueue { .. }
            | Self::CreateCore { .. }
            | Self::PublishCore { .. } => Method::POST,
        }
    }

    /// The segments of its path at ScaiGrid.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        const SCOPES: [&str; 4] = ["v1", "modules", "scaiqueue", "scopes"];
        const CORES: [&str; 4] = ["v1", "modules", "scaicore", "cores"];
        match self {
            Self::ListScopes { .. } | Self::CreateScope { .. } => SCOPES.to_vec(),
            Self::ListQueues { scope_id, .. } | Self::CreateQueue { scope_id, .. } => {
                [SCOPES.as_slice(), &[scope_id.as_str(), "queues"]].concat()
            }
            Self::CreateCore { .. } => CORES.to_vec(),
            Self::PublishCore { core_id, .. } => {
                [CORES.as_slice(), &[core_id.as_str(), "publish"]].concat()
            }
        }
    }

    /// Where the page of a list begins.
    #[must_use]
    pub const fn cursor(&self) -> Option<&Cursor> {
        match self {
            Self::ListScopes { cursor } | Self::ListQueues { cursor, .. } => *cursor,
            Self::CreateScope { .. }
            | Self::CreateQueue { .. }
            | Self::CreateCore { .. }
            | Self::PublishCore { .. } => None,
        }
    }

    /// The body, JSON; empty for none.
    #[must_use]
    pub fn body(&self) -> Bytes {
        let body = match self {
            Self::ListScopes { .. } | Self::ListQueues { .. } => return Bytes::new(),
            Self::CreateScope { slug } => json!({ "slug": slug, "display_name": slug }),
            Self::CreateQueue { config, .. } => queue(config),
            Self::CreateCore { name, source } => json!({ "name": name, "source": source }),
            Self::PublishCore { group_ids, .. } => {
                let ids: Vec<&str> = group_ids.iter().map(GroupId::as_str).collect();
                json!({ "group_ids": ids })
            }
        };
        Bytes::from(body.to_string())
    }
}

/// A queue as ScaiQueue's own documentation has it (C-8): order and audience are two members there.
fn queue(config: &QueueConfig) -> Value {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set("slug", config.queue.as_str().into());
    set("display_name", config.queue.as_str().into());
    match config.consumer_mode {
        None => {}
        Some(mode @ ConsumerMode::Broadcast) => {
            set("consumer_mode", mode.as_str().into());
        }
        Some(mode) => {
            set("ordering", mode.as_str().into());
            set("consumer_mode", "competing".into());
        }
    }
    if let Some(max_retries) = config.max_retries {
        set("max_retries", max_retries.into());
    }
    Value::Object(body)
}

/// What ScaiGrid answered, whatever the status.
pub type GridAnswer = Answered;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq)]
pub enum GridFailure {
    /// There is no credential to ask with: why, and what to do.
    MissingCredentials(Problem),
    /// ScaiGrid gave no answer that can be used.
    NoAnswer(Problem),
    /// It was not asked: something here or at ScaiKey failed.
    Failed(Problem),
}

/// Asks ScaiGrid with the caller's credential, in the documented order.
pub trait Grid {
    /// One call, within the sender's bounds of time and size.
    async fn call(&self, call: GridCall<'_>) -> Result<GridAnswer, GridFailure>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_one_segment_of_an_address() {
        for good in ["sc_1", "core_AbC-9", "a.b", &"x".repeat(128)] {
            assert!(GridId::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "a?b",
            "a%2f",
            "a b",
            "é",
            "a\n",
            &"x".repeat(129),
        ] {
            assert!(GridId::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn queues_are_made_in_the_words_of_scaiqueue() {
        let config = |consumer_mode| QueueConfig {
            scope: "support".to_owned(),
            queue: "review".to_owned(),
            consumer_mode,
            max_retries: None,
        };
        let scope_id = GridId::parse("sc_1").unwrap();
        for (mode, expected) in [
            (None, json!({"slug": "review", "display_name": "review"})),
            (
                Some(ConsumerMode::Priority),
                json!({"slug": "review", "display_name": "review", "ordering": "priority",
                       "consumer_mode": "competing"}),
            ),
            (
                Some(ConsumerMode::Broadcast),
                json!({"slug": "review", "display_name": "review", "consumer_mode": "broadcast"}),
            ),
        ] {
            let config = config(mode);
            let call = GridCall::CreateQueue {
                scope_id: &scope_id,
                config: &config,
            };
            assert_eq!(
                call.segments().join("/"),
                "v1/modules/scaiqueue/scopes/sc_1/queues"
            );
            assert_eq!(call.method(), Method::POST);
            let body: Value = serde_json::from_slice(&call.body()).unwrap();
            assert_eq!(body, expected);
        }
    }
}
