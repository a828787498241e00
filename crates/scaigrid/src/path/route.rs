//! Every address of ScaiGrid's that can be reached through us, and what each needs.

use http::Method;

use super::{PathError, Segment};

/// Reads below `/v1/scaigrid` that go through as they are, each a whole path. A line here opens an
/// address to everybody who may look; see the module's description before adding one.
const GRID_READS: &[&[&str]] = &[&["modules"]];
/// Most segments of a model's slug; documented slugs have two or three.
const MAX_SLUG: usize = 8;

/// One of the four prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mount {
    /// `/v1/scaigrid`
    ScaiGrid,
    /// `/v1/scaiqueue`
    ScaiQueue,
    /// `/v1/scaibunker`
    ScaiBunker,
    /// `/v1/scaicore`
    ScaiCore,
}

impl Mount {
    const ALL: [Self; 4] = [
        Self::ScaiGrid,
        Self::ScaiQueue,
        Self::ScaiBunker,
        Self::ScaiCore,
    ];

    /// The name, the second segment of our addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ScaiGrid => "scaigrid",
            Self::ScaiQueue => "scaiqueue",
            Self::ScaiBunker => "scaibunker",
            Self::ScaiCore => "scaicore",
        }
    }

    /// Where it is mounted at ScaiGrid.
    const fn upstream(self) -> &'static str {
        match self {
            Self::ScaiGrid => "/v1",
            Self::ScaiQueue => "/v1/modules/scaiqueue",
            Self::ScaiBunker => "/v1/modules/scaibunker",
            Self::ScaiCore => "/v1/modules/scaicore",
        }
    }
}

/// What a caller needs here (`contract/scaiflow.md` section 3); ScaiGrid has its own rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// `scaicore:view`
    View,
    /// `scaicore:manage`
    Manage,
}

impl Permission {
    /// The name in a token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "scaicore:view",
            Self::Manage => "scaicore:manage",
        }
    }
}

/// An inference call (`contract/scaiwave-scaicrew-scaigrid.md` 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inference {
    /// `chat`
    Chat,
    /// `generate`
    Generate,
    /// `embed`
    Embed,
    /// `images/generate`
    ImagesGenerate,
}

impl Inference {
    const ALL: [Self; 4] = [
        Self::Chat,
        Self::Generate,
        Self::Embed,
        Self::ImagesGenerate,
    ];

    const fn path(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Generate => "generate",
            Self::Embed => "embed",
            Self::ImagesGenerate => "images/generate",
        }
    }
}

/// What was asked for: decided once, asked by every rule, and printed as the path that is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The models, normalised.
    Models,
    /// The scopes of ScaiQueue, normalised.
    QueueScopes,
    /// The queues of one scope, normalised.
    Queues {
        /// The scope.
        scope_id: Segment,
    },
    /// The bunkers, normalised.
    Bunkers,
    /// One model.
    Model {
        /// Its slug, cut at the slashes.
        slug: Vec<Segment>,
    },
    /// A read that goes through as it is.
    PassThrough {
        /// The prefix.
        mount: Mount,
        /// What is below it; never empty.
        segments: Vec<Segment>,
    },
    /// A call of a model.
    Inference(Inference),
    /// A call of a deployed core.
    CoreInvoke {
        /// The core.
        core_id: Segment,
    },
    /// The answer to a checkpoint that waits for a person.
    CheckpointResolve {
        /// The checkpoint.
        checkpoint_id: Segment,
    },
}

impl Route {
    /// The route of a path of ours.
    pub(super) fn of(path: &[Segment]) -> Result<Self, PathError> {
        let [version, mount, below @ ..] = path else {
            return Err(PathError::Unknown);
        };
        let mount = Mount::ALL
            .into_iter()
            .find(|known| version.as_str() == "v1" && known.as_str() == mount.as_str())
            .ok_or(PathError::Unknown)?;
        let names: Vec<&str> = below.iter().map(Segment::as_str).collect();
        let route = match (mount, names.as_slice(), below) {
            (_, [], _) => return Err(PathError::Unknown),
            (Mount::ScaiGrid, ["models"], _) => Self::Models,
            (Mount::ScaiGrid, ["models", ..], [_, slug @ ..]) if slug.len() <= MAX_SLUG => {
                Self::Model {
                    slug: slug.to_vec(),
                }
            }
            (Mount::ScaiGrid, ["inference", ..], [_, call @ ..]) => {
                Self::Inference(inference(call)?)
            }
            (Mount::ScaiGrid, names, _) if !GRID_READS.contains(&names) => {
                return Err(PathError::NotOpen);
            }
            (Mount::ScaiQueue, ["scopes"], _) => Self::QueueScopes,
            (Mount::ScaiQueue, ["scopes", _, "queues"], [_, scope_id, _]) => Self::Queues {
                scope_id: scope_id.clone(),
            },
            (Mount::ScaiBunker, ["bunkers"], _) => Self::Bunkers,
            (Mount::ScaiCore, ["cores", _, "invoke"], [_, core_id, _]) => Self::CoreInvoke {
                core_id: core_id.clone(),
            },
            (Mount::ScaiCore, ["checkpoints", _, "resolve"], [_, checkpoint_id, _]) => {
                Self::CheckpointResolve {
                    checkpoint_id: checkpoint_id.clone(),
                }
            }
            (mount, _, segments) => Self::PassThrough {
                mount,
                segments: segments.to_vec(),
            },
        };
        Ok(route)
    }

    /// The path at ScaiGrid.
    pub(super) fn upstream(&self) -> String {
        let (mount, below) = match self {
            Self::Models => (Mount::ScaiGrid, "models".to_owned()),
            // The one place where a slash is encoded: between segments, none of which can hold one.
            Self::Model { slug } => (Mount::ScaiGrid, format!("models/{}", join(slug, "%2F"))),
            Self::Inference(call) => (Mount::ScaiGrid, format!("inference/{}", call.path())),
            Self::QueueScopes => (Mount::ScaiQueue, "scopes".to_owned()),
            Self::Queues { scope_id } => (Mount::ScaiQueue, format!("scopes/{scope_id}/queues")),
            Self::Bunkers => (Mount::ScaiBunker, "bunkers".to_owned()),
            Self::CoreInvoke { core_id } => (Mount::ScaiCore, format!("cores/{core_id}/invoke")),
            Self::CheckpointResolve { checkpoint_id } => (
                Mount::ScaiCore,
                format!("checkpoints/{checkpoint_id}/resolve"),
            ),
            Self::PassThrough { mount, segments } => (*mount, join(segments, "/")),
        };
        format!("{}/{below}", mount.upstream())
    }

    /// Its one method.
    #[must_use]
    pub const fn method(&self) -> &'static Method {
        if self.is_read() {
            &Method::GET
        } else {
            &Method::POST
        }
    }

    /// Whether it only reads, and so may be repeated when the connection failed.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        match self {
            Self::Models
            | Self::QueueScopes
            | Self::Queues { .. }
            | Self::Bunkers
            | Self::Model { .. }
            | Self::PassThrough { .. } => true,
            Self::Inference(_) | Self::CoreInvoke { .. } | Self::CheckpointResolve { .. } => false,
        }
    }

    /// Whether it is one of the four documented lookups, whose answers are normalised.
    #[must_use]
    pub const fn is_lookup(&self) -> bool {
        match self {
            Self::Models | Self::QueueScopes | Self::Queues { .. } | Self::Bunkers => true,
            Self::Model { .. }
            | Self::PassThrough { .. }
            | Self::Inference(_)
            | Self::CoreInvoke { .. }
            | Self::CheckpointResolve { .. } => false,
        }
    }

    /// Whether the tenant's key may be used after ScaiGrid's 403 on the caller's own token. Only for
    /// the lookups: their answers are reduced to what ScaiFlow documents for every member of a
    /// tenant. Elsewhere it would lend the caller whatever the owner of the key may do.
    #[must_use]
    pub const fn falls_back_to_key(&self) -> bool {
        self.is_lookup()
    }

    /// What a caller needs here. What changes something or spends the tenant's budget needs more
    /// than looking.
    #[must_use]
    pub const fn permission(&self) -> Permission {
        if self.is_read() {
            Permission::View
        } else {
            Permission::Manage
        }
    }
}

fn inference(call: &[Segment]) -> Result<Inference, PathError> {
    let path = join(call, "/");
    Inference::ALL
        .into_iter()
        .find(|known| known.path() == path)
        .ok_or(PathError::NotOpen)
}

fn join(segments: &[Segment], between: &str) -> String {
    let texts: Vec<&str> = segments.iter().map(Segment::as_str).collect();
    texts.join(between)
}
