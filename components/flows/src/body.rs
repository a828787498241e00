//! The bodies, as documented. Members that are not are ignored, as ScaiFlow does.

use scaigate_flows::Content;
use scaigate_problem::Problem;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The member `content`, which must be there.
pub fn content(raw: Option<Box<RawValue>>) -> Result<Content, Problem> {
    let raw = raw.ok_or_else(|| Problem::invalid_field("content", "missing"))?;
    Content::new(raw)
}

/// A member that must be there.
pub fn required<'a>(field: &str, text: Option<&'a str>) -> Result<&'a str, Problem> {
    text.ok_or_else(|| Problem::invalid_field(field, "missing"))
}

/// Tells `null` from a member that is not there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// `POST /v1/flows`.
#[derive(Deserialize)]
pub struct Save {
    pub name: Option<String>,
    pub description: Option<String>,
    pub content: Option<Box<RawValue>>,
}

/// `PUT /v1/flows/{id}`.
#[derive(Deserialize)]
pub struct Change {
    pub name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub description: Option<Option<String>>,
    pub content: Option<Box<RawValue>>,
}

/// `POST /v1/flows/compile` and `/v1/flows/validate`.
#[derive(Deserialize)]
pub struct Preview {
    pub content: Option<Box<RawValue>>,
    pub format: Option<String>,
}

/// `POST /v1/flows/{id}/acls`.
#[derive(Deserialize)]
pub struct Grant {
    pub principal_type: Option<String>,
    pub principal_id: Option<String>,
    pub level: Option<String>,
}

/// `POST /v1/catalog/publish`.
#[derive(Deserialize)]
pub struct Publish {
    pub package_id: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub version: Option<String>,
    pub readme: Option<String>,
    pub flow_id: Option<String>,
    pub content: Option<Box<RawValue>>,
    pub visibility: Option<String>,
    #[serde(default)]
    pub visibility_group_ids: Vec<String>,
}

/// `PATCH /v1/catalog/{id}`.
#[derive(Deserialize)]
pub struct Visibility {
    pub visibility: Option<String>,
    #[serde(default)]
    pub visibility_group_ids: Vec<String>,
}
