//! The endpoints of the emulator, as tests name them.

use serde::{Deserialize, Serialize};

/// One endpoint of the emulator. Reading and making are told apart, so that a test can count or break one of them.
/// In JSON the name is snake_case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `GET /v1/models`.
    Models,
    /// `GET /v1/models/{slug}`, `/` in the slug as `%2F`.
    Model,
    /// `GET /oai/v1/models`.
    OpenAiModels,
    /// `GET /v1/modules`.
    Modules,
    /// `GET /v1/modules/scaiqueue/scopes`.
    Scopes,
    /// `POST /v1/modules/scaiqueue/scopes`.
    CreateScope,
    /// `GET /v1/modules/scaiqueue/scopes/{id}`.
    Scope,
    /// `GET /v1/modules/scaiqueue/scopes/{id}/queues`.
    Queues,
    /// `POST /v1/modules/scaiqueue/scopes/{id}/queues`.
    CreateQueue,
    /// `GET /v1/modules/scaiqueue/scopes/{id}/queues/{id}`.
    Queue,
    /// `GET /v1/modules/scaibunker/bunkers`.
    Bunkers,
    /// `GET /v1/modules/scaibunker/bunkers/{id}`.
    Bunker,
    /// `GET /v1/modules/scaicore/cores`.
    Cores,
    /// `POST /v1/modules/scaicore/cores`.
    CreateCore,
    /// `GET /v1/modules/scaicore/cores/{id}`.
    Core,
    /// `POST /v1/modules/scaicore/cores/{id}/publish`.
    PublishCore,
    /// `POST /v1/modules/scaicore/cores/{id}/invoke`.
    InvokeCore,
    /// `GET /v1/modules/scaicore/events`.
    Events,
    /// `GET /v1/modules/scaicore/checkpoints`.
    Checkpoints,
    /// `POST /v1/modules/scaicore/checkpoints/{id}/resolve`.
    ResolveCheckpoint,
    /// `POST /v1/inference/chat`, plain and streamed.
    Chat,
    /// `GET /v1/api-keys` and `DELETE /v1/api-keys/{id}`: what a path that escapes its prefix would reach.
    ApiKeys,
    /// `GET /health`, `GET /health/ready`.
    Health,
    /// `/_emulator/…`: the test-only control endpoints.
    Control,
    /// Anything else: unknown paths (404), methods (405), and requests that are no HTTP (400).
    Unknown,
}

impl Endpoint {
    /// Every endpoint that stands for something ScaiGrid serves to callers with a credential.
    pub const GUARDED: [Self; 22] = [
        Self::Models,
        Self::Model,
        Self::OpenAiModels,
        Self::Modules,
        Self::Scopes,
        Self::CreateScope,
        Self::Scope,
        Self::Queues,
        Self::CreateQueue,
        Self::Queue,
        Self::Bunkers,
        Self::Bunker,
        Self::Cores,
        Self::CreateCore,
        Self::Core,
        Self::PublishCore,
        Self::InvokeCore,
        Self::Events,
        Self::Checkpoints,
        Self::ResolveCheckpoint,
        Self::Chat,
        Self::ApiKeys,
    ];
}
