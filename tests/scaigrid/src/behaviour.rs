//! What an honest ScaiGrid may do one way or another, because its pages say both, or nothing.

use serde::{Deserialize, Serialize};

use crate::grid::Role;
use crate::limits::RateLimits;
use crate::source::Pace;

/// The form of `GET /v1/models` (`contract/scaiwave-scaicrew-scaigrid.md` contradiction 14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelsForm {
    /// `{"status": "ok", "data": {"items": [..]}}` (G-models, G-quick).
    #[default]
    Items,
    /// `{"data": [..]}` (F-look).
    Data,
    /// `{"object": "list", "data": [{"id": ..}]}` (F-look, cut; G-oai).
    OpenAi,
}

/// Which page's names the rows of a module carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spelling {
    /// The module's own page: bunkers `image`, `lifecycle_mode`, `running`; queues `ordering` and `consumer_mode:
    /// competing` (contradictions 19, 20).
    #[default]
    Own,
    /// ScaiFlow's page on the lookups: bunkers `image_ref`, `lifecycle`, `ready`; queues `consumer_mode: fifo`.
    Lookup,
}

/// The envelope of errors (contradiction 15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorEnvelope {
    /// `{"status": "error", "error": {..}, "meta": {"request_id": ..}}`.
    #[default]
    Full,
    /// `{"error": {..}}`, as module pages call it.
    Bare,
}

/// Whose bunkers a list shows (contradiction 21).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BunkerReach {
    /// The tenant's (B-api).
    #[default]
    Tenant,
    /// The caller's own (B-perm).
    Caller,
}

/// What publishing a core again does (contradiction 24).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishAgain {
    /// The same answer (F-pub).
    #[default]
    Same,
    /// 400 `VALIDATION_ERROR` (G-corepub).
    Refused,
}

/// How paths are read before they are routed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathReading {
    /// Split at `/`, then decoded: `%2F` is part of a slug, `..` a name like any other.
    #[default]
    Strict,
    /// Decoded as a whole; `\` is `/`; `;parameters` are dropped; `..` and `//` are resolved. What a path trick
    /// needs to get anywhere (N-114).
    Normalising,
}

/// How lines of an event stream end. All three are valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Newline {
    /// `\n`.
    #[default]
    Lf,
    /// `\r\n`.
    CrLf,
    /// `\r`.
    Cr,
}

impl Newline {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
            Self::Cr => "\r",
        }
    }
}

/// A failure in the middle of a stream (3.5): `event: error`, then `[DONE]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamFailure {
    /// After this many chunks.
    pub after: u64,
    /// `code` of the event's data.
    pub code: String,
    /// `message` of the event's data.
    pub message: String,
}

/// What a streamed chat sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StreamScript {
    /// How many chunks. Default 5.
    pub chunks: u64,
    /// Bytes of content in each, at most 1 MiB. Default 24.
    pub chunk_bytes: usize,
    /// When chunks are due. Default at once; [`crate::Gate::Piece`] holds each of them.
    pub pace: Pace,
    /// A failure in the middle.
    pub failure: Option<StreamFailure>,
    /// A comment line (`: ping`) before each chunk, as a keep-alive. Default off.
    pub comments: bool,
    /// How lines end.
    pub newline: Newline,
}

impl Default for StreamScript {
    fn default() -> Self {
        Self {
            chunks: 5,
            chunk_bytes: 24,
            pace: Pace::AtOnce,
            failure: None,
            comments: false,
            newline: Newline::Lf,
        }
    }
}

/// What an honest ScaiGrid may do one way or another. In JSON a missing field keeps its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// The form of the models list.
    pub models_form: ModelsForm,
    /// Names in rows of queues and bunkers.
    pub spelling: Spelling,
    /// The envelope of errors.
    pub error_envelope: ErrorEnvelope,
    /// Whose bunkers a list shows.
    pub bunker_reach: BunkerReach,
    /// What publishing again does.
    pub publish_again: PublishAgain,
    /// Two cores of a tenant may not have one name. Default off; no page says.
    pub core_names_unique: bool,
    /// Lists of queues show the five system queues (Q-quick; 4 [?]). Default off.
    pub system_queues: bool,
    /// The role of people that ScaiGrid has not heard of. Default `tenant_user`; `None`: no permission.
    pub unknown_person: Option<Role>,
    /// Limits that are enforced; `None`: none, and no headers. Default the documented ones.
    pub rate_limits: Option<RateLimits>,
    /// How paths are read.
    pub path_reading: PathReading,
    /// What a streamed chat sends.
    pub stream: StreamScript,
    /// Rows of a page when no `limit` is asked. Default 50 (documented for events).
    pub default_limit: usize,
    /// Largest `limit`; more is cut to it. Default 500 (documented for events).
    pub max_limit: usize,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            models_form: ModelsForm::default(),
            spelling: Spelling::default(),
            error_envelope: ErrorEnvelope::default(),
            bunker_reach: BunkerReach::default(),
            publish_again: PublishAgain::default(),
            core_names_unique: false,
            system_queues: false,
            unknown_person: Some(Role::TenantUser),
            rate_limits: Some(RateLimits::default()),
            path_reading: PathReading::default(),
            stream: StreamScript::default(),
            default_limit: 50,
            max_limit: 500,
        }
    }
}
