//! Validating and compiling without saving (`contract/scaiflow.md` 2.7), as far as there is something
//! to do: content that is a manifest already is its own compilation.

use serde_json::{Value, json};

use crate::caller::Reader;
use crate::content::Content;
use crate::manifest::Manifest;

/// What a flow can be compiled to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The manifest.
    Yaml,
    /// `MessagePack` for the runtime.
    Ir,
    /// The deprecated text.
    Scai,
}

impl Format {
    /// The name sent and received.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Ir => "ir",
            Self::Scai => "scai",
        }
    }

    /// Reads a received name; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Yaml, Self::Ir, Self::Scai]
            .into_iter()
            .find(|format| format.as_str() == text)
    }
}

/// The answer of `compile`: errors stay inside it.
#[must_use]
pub fn compile(_: &Reader, content: &Content, format: Format) -> Value {
    let outcome = match (Manifest::of_content(content), format) {
        (Ok(manifest), Format::Yaml) => Ok(manifest),
        (Ok(_), Format::Ir | Format::Scai) => Err(
            "the flow compiler is not part of scaigate: a manifest is given as yaml only"
                .to_owned(),
        ),
        (Err(error), _) => Err(error.to_string()),
    };
    match outcome {
        Ok(manifest) => {
            json!({ "format": format.as_str(), "body": manifest.text(), "errors": [] })
        }
        Err(error) => json!({ "format": format.as_str(), "body": null, "errors": [error] }),
    }
}

/// The answer of `validate`.
#[must_use]
pub fn validate(_: &Reader, content: &Content) -> Value {
    let diagnostics: Vec<Value> = Manifest::of_content(content)
        .err()
        .into_iter()
        .map(|error| {
            json!({
                "severity": "error", "message": error.to_string(), "path": null, "node_id": null,
                "edge_id": null,
            })
        })
        .collect();
    json!({ "valid": diagnostics.is_empty(), "diagnostics": diagnostics })
}
