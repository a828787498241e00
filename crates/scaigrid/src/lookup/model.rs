//! `GET /v1/scaigrid/models`.

use serde::Serialize;

use super::{Page, ShapeError, envelope};

/// Most tokens that a number may say: what JavaScript still counts exactly.
const MAX_TOKENS: u64 = (1 << 53) - 1;

/// A model as ScaiFlow documents it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Model {
    /// What it is called by, such as `openai/gpt-4o`.
    pub slug: String,
    /// What people call it; the slug where ScaiGrid gives no name.
    pub display_name: String,
    /// `chat`, `embedding`, `image` or `audio`; `null` in OpenAI's form, which doesn't say.
    pub modality: Option<String>,
    /// Tokens it reads.
    pub context_window: Option<u64>,
    /// Tokens it writes; left out where it is not known, as documented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u64>,
}

/// Reads the models: `data.items[]` or `data[]` with `slug`, or OpenAI's `data[]` with `id` (C-7).
///
/// # Errors
/// [`ShapeError`] says what is wrong.
pub fn models(body: &[u8]) -> Result<Page<Model>, ShapeError> {
    envelope::page(body, |mut row| {
        let slug = row.name(&["slug", "id"])?;
        let display_name = row.text(&["display_name"], 256);
        let display_name = display_name.filter(|name| !name.is_empty());
        Ok(Some(Model {
            display_name: display_name.unwrap_or_else(|| slug.clone()),
            slug,
            modality: row.text(&["modality"], 64),
            context_window: row.number(&["context_window"], MAX_TOKENS),
            max_output_tokens: row.number(&["max_output_tokens"], MAX_TOKENS),
        }))
    })
}
