//! The calls of a deployment to ScaiGrid: all there are, and the door they go through.
#![expect(
    async_fn_in_trait,
    reason = "the flows run on one thread inside a component; no caller needs `Send` futures"
)]

use bytes::Bytes;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use scaigate_problem::Problem;
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

    /// Path and query at ScaiGrid.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Self::ListScopes { cursor } => page("/v1/modules/scaiqueue/scopes".to_owned(), *cursor),
            Self::CreateScope { .. } => "/v1/modules/scaiqueue/scopes".to_owned(),
            Self::ListQueues { scope_id, cursor } => page(queues(scope_id), *cursor),
            Self::CreateQueue { scope_id, .. } => queues(scope_id),
            Self::CreateCore { .. } => "/v1/modules/scaicore/cores".to_owned(),
            Self::PublishCore { core_id, .. } => {
                format!("/v1/modules/scaicore/cores/{}/publish", core_id.as_str())
            }
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

fn queues(scope_id: &GridId) -> String {
    format!("/v1/modules/scaiqueue/scopes/{}/queues", scope_id.as_str())
}

fn page(path: String, cursor: Option<&Cursor>) -> String {
    match cursor {
        None => path,
        Some(cursor) => {
            let cursor = utf8_percent_encode(cursor.as_str(), NON_ALPHANUMERIC);
            format!("{path}?cursor={cursor}")
        }
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

/// What ScaiGrid answered, whatever the status. Bounded, and without the credential that was sent: the
/// sender sees to both.
pub type GridAnswer = http::Response<Bytes>;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq)]
pub enum GridFailure {
    /// There is no credential to ask with.
    MissingCredentials {
        /// For whom there is none, in our own words.
        message: Option<String>,
    },
    /// ScaiGrid gave no answer that can be used, or something here failed.
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
            assert_eq!(call.target(), "/v1/modules/scaiqueue/scopes/sc_1/queues");
            assert_eq!(call.method(), Method::POST);
            let body: Value = serde_json::from_slice(&call.body()).unwrap();
            assert_eq!(body, expected);
        }
    }
}
