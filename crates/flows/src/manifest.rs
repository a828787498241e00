//! The YAML manifest that ScaiGrid runs (`contract/scaiflow.md` section 7): recognised, not made.
//!
//! There is no flow compiler here. Content that is the text of a manifest is sent on as it is; of it
//! are read only the flag and the queue that a deployment has to act on (C-22). The rest is ScaiGrid's
//! to understand, but what no two readers need read alike is refused: a member that appears twice, a
//! tag that is not of the core schema, and aliases or merges where something is read. Aliases are
//! never followed.

mod recognise;

use scaigate_problem::{Code, Problem};
use thiserror::Error;

use crate::content::{self, Content};

/// Largest manifest, in bytes.
pub const MAX_BYTES: usize = 524_288;
/// Most levels of mappings and sequences.
pub const MAX_DEPTH: usize = 64;
/// Most nodes.
pub const MAX_NODES: usize = 100_000;
/// Most aliases.
pub const MAX_ALIASES: usize = 64;

/// Why content is not a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// A flow of the canvas, or anything else that is no text.
    #[error(
        "the content is not the text of a YAML manifest, and the flow compiler is not part of scaigate"
    )]
    NotText,
    /// More than [`MAX_BYTES`].
    #[error("the manifest is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// A character that YAML does not allow.
    #[error("the manifest holds a control character")]
    Control,
    /// Not YAML.
    #[error("the text is not YAML: line {line}, column {column}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// Beyond [`MAX_DEPTH`], [`MAX_NODES`] or [`MAX_ALIASES`].
    #[error("the manifest has more {0} than are read")]
    TooMany(&'static str),
    /// More than one document, or none.
    #[error("the text is not one YAML document")]
    NotOneDocument,
    /// Not a mapping with `manifest` or `core`.
    #[error("the YAML is not a manifest: it is no mapping with `manifest` or `core` as a mapping")]
    NotAManifest,
    /// A mapping with a member twice.
    #[error("line {line}: a member appears twice")]
    Duplicate {
        /// From 1.
        line: usize,
    },
    /// A tag of somebody's own: a loader may run code for it.
    #[error("line {line}: a tag that is not of YAML's core schema")]
    Tag {
        /// From 1.
        line: usize,
    },
    /// A member that has to be read is not what it must be.
    #[error("`{path}` is not {expected}")]
    Member {
        /// Which.
        path: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// An alias or a merge where something has to be read.
    #[error("an alias or merge stands where `manifest` or `core` is read")]
    Indirect,
}

/// In which order a queue hands out its messages (C-8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerMode {
    /// In the order they came.
    Fifo,
    /// By priority.
    Priority,
    /// By deadline.
    Deadline,
    /// Each to every consumer.
    Broadcast,
}

impl ConsumerMode {
    /// The name sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Priority => "priority",
            Self::Deadline => "deadline",
            Self::Broadcast => "broadcast",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Fifo, Self::Priority, Self::Deadline, Self::Broadcast]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }
}

/// The queue that a flow needs: `manifest.scaiqueue`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    /// The slug of its scope.
    pub scope: String,
    /// Its slug.
    pub queue: String,
    /// In which order it must hand out.
    pub consumer_mode: Option<ConsumerMode>,
    /// How often a message is tried again.
    pub max_retries: Option<u32>,
}

/// A manifest, and what a deployment reads of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    text: String,
    name: Option<String>,
    publish_as_model: bool,
    queue: Option<QueueConfig>,
}

impl Manifest {
    /// Recognises a manifest.
    ///
    /// # Errors
    /// [`ManifestError`] says why it is none.
    pub fn read(text: String) -> Result<Self, ManifestError> {
        let read = recognise::read(&text)?;
        Ok(Self {
            name: read.name,
            publish_as_model: read.publish_as_model,
            queue: read.queue,
            text,
        })
    }

    /// Recognises the manifest that a flow's content is.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn of_content(content: &Content) -> Result<Self, ManifestError> {
        content
            .text()
            .map_or(Err(ManifestError::NotText), Self::read)
    }

    /// The same for content that was saved.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn of_saved(content: &[u8]) -> Result<Self, ManifestError> {
        content::text(content).map_or(Err(ManifestError::NotText), Self::read)
    }

    /// The text, as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the core is called: `manifest.name` or `core.name`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether the core is to be published as a model, unless the caller says otherwise.
    #[must_use]
    pub const fn publish_as_model(&self) -> bool {
        self.publish_as_model
    }

    /// The queue it needs.
    #[must_use]
    pub const fn queue(&self) -> Option<&QueueConfig> {
        self.queue.as_ref()
    }
}

/// 400 `compile_error` with its messages.
#[must_use]
pub fn compile_error(error: &ManifestError) -> Problem {
    let message = error.to_string();
    Problem::new(Code::CompileError)
        .with_detail_member("message", message.clone())
        .with_detail_member("errors", [message].as_slice())
}

#[cfg(test)]
mod tests;
