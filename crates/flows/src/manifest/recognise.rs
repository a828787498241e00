//! Reading YAML event by event: no tree, no alias followed, every number bounded.

use std::collections::HashSet;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::{
    ConsumerMode, MAX_ALIASES, MAX_BYTES, MAX_DEPTH, MAX_NODES, ManifestError, QueueConfig,
};
use crate::text;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub name: Option<String>,
    pub publish_as_model: bool,
    pub queue: Option<QueueConfig>,
}

/// What can be read of a manifest. Mappings come before what is in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Root,
    Manifest,
    Core,
    FlowMeta,
    Scaiqueue,
    Name,
    ManifestPublish,
    CorePublish,
    Scope,
    Queue,
    ConsumerMode,
    MaxRetries,
    Elsewhere,
}

impl Place {
    /// Where the member `name` of a mapping at this place is.
    fn member(self, name: &str) -> Self {
        match (self, name) {
            (Self::Root, "manifest") => Self::Manifest,
            (Self::Root, "core") => Self::Core,
            (Self::Manifest | Self::Core, "name") => Self::Name,
            (Self::Manifest, "publish_as_model") => Self::ManifestPublish,
            (Self::Manifest, "scaiqueue") => Self::Scaiqueue,
            (Self::Core, "scaiflow_meta") => Self::FlowMeta,
            (Self::FlowMeta, "publish_as_model") => Self::CorePublish,
            (Self::Scaiqueue, "scope") => Self::Scope,
            (Self::Scaiqueue, "queue") => Self::Queue,
            (Self::Scaiqueue, "consumer_mode") => Self::ConsumerMode,
            (Self::Scaiqueue, "max_retries") => Self::MaxRetries,
            _ => Self::Elsewhere,
        }
    }

    const fn is_mapping(self) -> bool {
        matches!(
            self,
            Self::Root | Self::Manifest | Self::Core | Self::FlowMeta | Self::Scaiqueue
        )
    }

    /// What must be there.
    const fn wrong(self) -> ManifestError {
        let (path, expected) = match self {
            Self::Root | Self::Manifest | Self::Core | Self::Elsewhere => {
                return ManifestError::NotAManifest;
            }
            Self::FlowMeta => ("core.scaiflow_meta", "a mapping"),
            Self::Scaiqueue => ("manifest.scaiqueue", "a mapping with scope and queue"),
            Self::Name => ("manifest.name", "one line of at most 200 characters, once"),
            Self::ManifestPublish => ("manifest.publish_as_model", "true or false"),
            Self::CorePublish => ("core.scaiflow_meta.publish_as_model", "true or false"),
            Self::Scope => ("manifest.scaiqueue.scope", "a slug"),
            Self::Queue => ("manifest.scaiqueue.queue", "a slug"),
            Self::ConsumerMode => (
                "manifest.scaiqueue.consumer_mode",
                "fifo, priority, deadline or broadcast",
            ),
            Self::MaxRetries => (
                "manifest.scaiqueue.max_retries",
                "a whole number up to 1000",
            ),
        };
        ManifestError::Member { path, expected }
    }
}

/// An open mapping or sequence.
enum Open {
    Mapping {
        place: Place,
        names: HashSet<String>,
        /// Where the value goes whose name was read; `None` while a name is awaited.
        value: Option<Place>,
    },
    Sequence,
}

/// A scalar as it stands in the text.
struct Scalar<'a> {
    text: &'a str,
    is_plain: bool,
}

#[derive(Default)]
struct Reader {
    open: Vec<Open>,
    nodes: usize,
    aliases: usize,
    documents: usize,
    has_body: bool,
    name: Option<String>,
    publish: [Option<bool>; 2],
    scope: Option<String>,
    queue: Option<String>,
    has_queue: bool,
    consumer_mode: Option<ConsumerMode>,
    max_retries: Option<u32>,
}

/// Reads the text of a manifest.
pub(super) fn read(text: &str) -> Result<Read, ManifestError> {
    if text.len() > MAX_BYTES {
        return Err(ManifestError::TooLarge);
    }
    // NUL is the parser's own sign for the end: what comes after it would go unread.
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err(ManifestError::Control);
    }
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| ManifestError::Syntax {
            line: error.marker().line(),
            column: error.marker().col() + 1,
        })?;
        reader.take(&event, span.start.line())?;
    }
    reader.finish()
}

impl Reader {
    fn take(&mut self, event: &Event<'_>, line: usize) -> Result<(), ManifestError> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(ManifestError::NotOneDocument);
                }
                Ok(())
            }
            Event::Alias(_) => {
                self.aliases += 1;
                if self.aliases > MAX_ALIASES {
                    return Err(ManifestError::TooMany("aliases"));
                }
                self.alias()
            }
            Event::Scalar(text, style, _, tag) => {
                check_tag(tag.as_deref(), line)?;
                self.scalar(
                    &Scalar {
                        text,
                        is_plain: *style == ScalarStyle::Plain && tag.is_none(),
                    },
                    line,
                )
            }
            Event::SequenceStart(_, tag) => {
                check_tag(tag.as_deref(), line)?;
                let place = self.value_place()?;
                if place != Some(Place::Elsewhere) && place.is_some() {
                    return Err(place.map_or(ManifestError::NotAManifest, Place::wrong));
                }
                self.push(Open::Sequence)
            }
            Event::MappingStart(_, tag) => {
                check_tag(tag.as_deref(), line)?;
                let place = self.value_place()?.unwrap_or(Place::Elsewhere);
                if place != Place::Elsewhere && !place.is_mapping() {
                    return Err(place.wrong());
                }
                self.has_body |= matches!(place, Place::Manifest | Place::Core);
                self.has_queue |= place == Place::Scaiqueue;
                self.push(Open::Mapping {
                    place,
                    names: HashSet::new(),
                    value: None,
                })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.open.pop();
                Ok(())
            }
        }
    }

    fn count(&mut self) -> Result<(), ManifestError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(ManifestError::TooMany("nodes"));
        }
        Ok(())
    }

    fn push(&mut self, open: Open) -> Result<(), ManifestError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(ManifestError::TooMany("levels"));
        }
        self.open.push(open);
        Ok(())
    }

    /// Where the mapping or sequence goes that begins; `None` where it is the name of a member, which
    /// is nowhere read.
    fn value_place(&mut self) -> Result<Option<Place>, ManifestError> {
        self.count()?;
        match self.open.last_mut() {
            None => Ok(Some(Place::Root)),
            Some(Open::Sequence) => Ok(Some(Place::Elsewhere)),
            Some(Open::Mapping { place, value, .. }) => match value.take() {
                Some(place) => Ok(Some(place)),
                None if *place == Place::Elsewhere => {
                    *value = Some(Place::Elsewhere);
                    Ok(None)
                }
                None => Err(ManifestError::NotAManifest),
            },
        }
    }

    fn alias(&mut self) -> Result<(), ManifestError> {
        self.count()?;
        match self.open.last_mut() {
            None => Err(ManifestError::NotAManifest),
            Some(Open::Sequence) => Ok(()),
            Some(Open::Mapping { place, value, .. }) => match value.take() {
                Some(Place::Elsewhere) => Ok(()),
                None if *place == Place::Elsewhere => {
                    *value = Some(Place::Elsewhere);
                    Ok(())
                }
                Some(_) | None => Err(ManifestError::Indirect),
            },
        }
    }

    fn scalar(&mut self, scalar: &Scalar<'_>, line: usize) -> Result<(), ManifestError> {
        self.count()?;
        let place = match self.open.last_mut() {
            None => return Err(ManifestError::NotAManifest),
            Some(Open::Sequence) => return Ok(()),
            Some(Open::Mapping {
                place,
                names,
                value,
            }) => match value.take() {
                Some(place) => place,
                None => {
                    if scalar.text == "<<" && *place != Place::Elsewhere {
                        return Err(ManifestError::Indirect);
                    }
                    if !names.insert(scalar.text.to_owned()) {
                        return Err(ManifestError::Duplicate { line });
                    }
                    *value = Some(place.member(scalar.text));
                    return Ok(());
                }
            },
        };
        self.value(place, scalar)
    }

    fn value(&mut self, place: Place, scalar: &Scalar<'_>) -> Result<(), ManifestError> {
        let wrong = || place.wrong();
        let [of_manifest, of_core] = &mut self.publish;
        match place {
            Place::Elsewhere => {}
            // Nothing said: as if it were not there.
            Place::FlowMeta | Place::Scaiqueue if is_null(scalar) => {}
            Place::Root | Place::Manifest | Place::Core | Place::FlowMeta | Place::Scaiqueue => {
                return Err(wrong());
            }
            Place::Name => {
                let name = text::name(scalar.text).map_err(|_| wrong())?;
                // `manifest` and `core` may both say one, but not two.
                if self.name.as_deref().is_some_and(|known| known != name) {
                    return Err(wrong());
                }
                self.name = Some(name.to_owned());
            }
            Place::ManifestPublish => *of_manifest = Some(flag(scalar).ok_or_else(wrong)?),
            Place::CorePublish => *of_core = Some(flag(scalar).ok_or_else(wrong)?),
            Place::Scope => self.scope = Some(slug(scalar.text).ok_or_else(wrong)?),
            Place::Queue => self.queue = Some(slug(scalar.text).ok_or_else(wrong)?),
            Place::ConsumerMode => {
                let mode = ConsumerMode::parse(scalar.text).ok_or_else(wrong)?;
                self.consumer_mode = Some(mode);
            }
            Place::MaxRetries => {
                let number = scalar.text.parse().ok().filter(|number| *number <= 1000);
                self.max_retries = Some(number.ok_or_else(wrong)?);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Read, ManifestError> {
        if self.documents != 1 {
            return Err(ManifestError::NotOneDocument);
        }
        if !self.has_body {
            return Err(ManifestError::NotAManifest);
        }
        let queue = match (self.has_queue, self.scope, self.queue) {
            (false, _, _) => None,
            (true, Some(scope), Some(queue)) => Some(QueueConfig {
                scope,
                queue,
                consumer_mode: self.consumer_mode,
                max_retries: self.max_retries,
            }),
            (true, _, _) => return Err(Place::Scaiqueue.wrong()),
        };
        // Both spellings are documented (C-22). Where they differ nobody knows what is meant.
        let publish_as_model = match self.publish {
            [Some(a), Some(b)] if a != b => return Err(Place::CorePublish.wrong()),
            [a, b] => a.or(b).unwrap_or(false),
        };
        Ok(Read {
            name: self.name,
            publish_as_model,
            queue,
        })
    }
}

/// Only the core schema's tags: what else a tag makes of a value is its reader's affair.
fn check_tag(tag: Option<&Tag>, line: usize) -> Result<(), ManifestError> {
    const CORE: [&str; 7] = ["map", "seq", "str", "int", "float", "bool", "null"];
    let is_known = |tag: &Tag| tag.is_yaml_core_schema() && CORE.contains(&tag.suffix.as_str());
    if tag.is_none_or(is_known) {
        Ok(())
    } else {
        Err(ManifestError::Tag { line })
    }
}

fn is_null(scalar: &Scalar<'_>) -> bool {
    scalar.is_plain && matches!(scalar.text, "" | "~" | "null" | "Null" | "NULL")
}

/// A boolean of the core schema: `yes` and `on` are texts there, and booleans elsewhere.
fn flag(scalar: &Scalar<'_>) -> Option<bool> {
    match scalar.text {
        "true" | "True" | "TRUE" if scalar.is_plain => Some(true),
        "false" | "False" | "FALSE" if scalar.is_plain => Some(false),
        _ => None,
    }
}

fn slug(text: &str) -> Option<String> {
    let is_slug = (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_slug.then(|| text.to_owned())
}
