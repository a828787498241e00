//! Reads a `spin.toml` (manifest version 2) and refuses by name what this
//! runner does not do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use toml::Table;

use crate::variable_name::check_name;

/// The only store and database label there is without a runtime configuration.
pub(crate) const DEFAULT_LABEL: &str = "default";

/// The largest manifest read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Manifest {
    pub name: String,
    pub version: String,
    pub variables: BTreeMap<String, Variable>,
    pub triggers: Vec<HttpTrigger>,
    pub components: BTreeMap<String, Component>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variable {
    #[serde(default, rename = "description")]
    _description: Option<String>,
    #[serde(default)]
    pub required: bool,
    #[serde(default)]
    pub default: Option<String>,
    #[serde(default, rename = "secret")]
    _secret: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HttpTrigger {
    pub component: String,
    /// `None` when private: reached only from other components.
    pub route: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Component {
    pub source: PathBuf,
    pub variables: BTreeMap<String, String>,
    pub environment: BTreeMap<String, String>,
    pub allowed_outbound_hosts: Vec<String>,
    pub key_value_stores: Vec<String>,
    pub sqlite_databases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    spin_manifest_version: u32,
    application: RawApplication,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
    #[serde(default)]
    trigger: BTreeMap<String, Vec<Table>>,
    #[serde(default)]
    component: BTreeMap<String, Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawApplication {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default, rename = "description")]
    _description: String,
    #[serde(default, rename = "authors")]
    _authors: Vec<String>,
    // For Spin's build and its plug-ins, not for a runner.
    #[serde(default, rename = "targets")]
    _targets: Option<toml::Value>,
    #[serde(default, rename = "tool")]
    _tool: Option<toml::Value>,
}

#[derive(Deserialize)]
struct RawHttpTrigger {
    component: String,
    route: RawRoute,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawRoute {
    Pattern(String),
    Private(RawPrivate),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrivate {
    private: bool,
}

#[derive(Deserialize)]
struct RawComponent {
    source: String,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    key_value_stores: Vec<String>,
    #[serde(default)]
    sqlite_databases: Vec<String>,
}

const TRIGGER_KEYS: &[&str] = &["component", "executor", "id", "route"];

const COMPONENT_KEYS: &[&str] = &[
    "allowed_outbound_hosts",
    "build",
    "description",
    "environment",
    "key_value_stores",
    "source",
    "sqlite_databases",
    "targets",
    "tool",
    "variables",
];

impl Manifest {
    /// Reads the manifest at `path`; sources are resolved against its folder.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let described = || format!("manifest {}", path.display());
        let length = std::fs::metadata(path).with_context(described)?.len();
        ensure!(
            length <= MAX_MANIFEST_BYTES,
            "manifest {} is larger than {MAX_MANIFEST_BYTES} bytes",
            path.display()
        );
        let text = std::fs::read_to_string(path).with_context(described)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, folder).with_context(described)
    }

    /// Reads the text of a manifest whose sources lie in `folder`.
    pub(crate) fn parse(text: &str, folder: &Path) -> anyhow::Result<Self> {
        let version = toml::from_str::<Table>(text)?.remove("spin_manifest_version");
        ensure!(
            version == Some(toml::Value::Integer(2)),
            "unsupported spin_manifest_version: only 2 is supported"
        );
        let raw: RawManifest = toml::from_str(text)?;
        debug_assert_eq!(raw.spin_manifest_version, 2);
        for (name, variable) in &raw.variables {
            check_name(name)?;
            ensure!(
                variable.required != variable.default.is_some(),
                "variable {name:?} must have either `required = true` or a `default`"
            );
        }
        let components = raw
            .component
            .into_iter()
            .map(|(id, table)| {
                let component =
                    component(table, folder).with_context(|| format!("component {id:?}"))?;
                Ok((id, component))
            })
            .collect::<anyhow::Result<BTreeMap<_, _>>>()?;
        let mut triggers = Vec::new();
        for (kind, tables) in raw.trigger {
            ensure!(
                kind == "http",
                "unsupported trigger type {kind:?}: only `http` is supported"
            );
            for table in tables {
                let trigger = http_trigger(table)?;
                ensure!(
                    components.contains_key(&trigger.component),
                    "a trigger names the component {:?}, which is not defined",
                    trigger.component
                );
                triggers.push(trigger);
            }
        }
        ensure!(!triggers.is_empty(), "the manifest has no `trigger.http`");
        Ok(Self {
            name: raw.application.name,
            version: raw.application.version,
            variables: raw.variables,
            triggers,
            components,
        })
    }
}

fn refuse_other_keys(table: &Table, known: &[&str]) -> anyhow::Result<()> {
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => bail!(
            "unsupported key `{key}`; supported are {}",
            known.join(", ")
        ),
        None => Ok(()),
    }
}

fn http_trigger(mut table: Table) -> anyhow::Result<HttpTrigger> {
    let described = || "trigger.http";
    refuse_other_keys(&table, TRIGGER_KEYS).with_context(described)?;
    if let Some(executor) = table.remove("executor") {
        let kind = executor.get("type").and_then(toml::Value::as_str);
        ensure!(
            matches!(kind, Some("http" | "spin")),
            "trigger.http: unsupported executor {:?}: only `http` is supported",
            kind.unwrap_or_default()
        );
    }
    ensure!(
        table.get("component").is_none_or(toml::Value::is_str),
        "trigger.http: unsupported inline `component`: name a component"
    );
    let raw: RawHttpTrigger = table.try_into().with_context(described)?;
    let route = match raw.route {
        RawRoute::Pattern(pattern) => Some(pattern),
        RawRoute::Private(RawPrivate { private: true }) => None,
        RawRoute::Private(RawPrivate { private: false }) => bail!(
            "trigger.http: route must be a pattern or `{{ private = true }}`, \
             but {:?} has `{{ private = false }}`",
            raw.component
        ),
    };
    Ok(HttpTrigger {
        component: raw.component,
        route,
    })
}

fn component(table: Table, folder: &Path) -> anyhow::Result<Component> {
    refuse_other_keys(&table, COMPONENT_KEYS)?;
    ensure!(
        table.get("source").is_none_or(toml::Value::is_str),
        "unsupported `source`: only a path of a local file is supported"
    );
    let raw: RawComponent = table.try_into()?;
    for name in raw.variables.keys() {
        check_name(name)?;
    }
    for (what, labels) in [
        ("key_value_stores", &raw.key_value_stores),
        ("sqlite_databases", &raw.sqlite_databases),
    ] {
        if let Some(label) = labels.iter().find(|label| *label != DEFAULT_LABEL) {
            bail!("{what}: unknown label {label:?}: only \"default\" is offered");
        }
    }
    Ok(Component {
        source: folder.join(raw.source),
        variables: raw.variables,
        environment: raw.environment,
        allowed_outbound_hosts: raw.allowed_outbound_hosts,
        key_value_stores: raw.key_value_stores,
        sqlite_databases: raw.sqlite_databases,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"
spin_manifest_version = 2
[application]
name = "app"
version = "1.0.0"
[variables]
url = { default = "http://a.test" }
key = { required = true, secret = true }
[[trigger.http]]
route = "/web/..."
component = "web"
[[trigger.http]]
route = { private = true }
component = "inner"
[component.web]
source = "web.wasm"
key_value_stores = ["default"]
allowed_outbound_hosts = ["{{ url }}"]
[component.web.variables]
url = "{{ url }}"
[component.web.build]
command = "cargo build"
[component.inner]
source = "inner.wasm"
"#;

    #[test]
    fn reads_triggers_components_and_resolves_sources() -> anyhow::Result<()> {
        let manifest = Manifest::parse(PLAIN, Path::new("/app"))?;
        assert_eq!(manifest.name, "app");
        assert_eq!(manifest.triggers.len(), 2);
        assert!(
            manifest
                .triggers
                .iter()
                .any(|trigger| trigger.route.is_none())
        );
        let web = manifest.components.get("web").context("web")?;
        assert_eq!(web.source, Path::new("/app/web.wasm"));
        Ok(())
    }

    #[test]
    fn refuses_by_name_what_it_does_not_do() {
        let cases = [
            (
                "spin_manifest_version = 2",
                "spin_manifest_version = 1",
                "spin_manifest_version",
            ),
            (
                "route = \"/web/...\"",
                "route = \"/web\"\nstatic_response = {}",
                "static_response",
            ),
            (
                "route = \"/web/...\"",
                "route = \"/web\"\nexecutor = { type = \"wagi\" }",
                "wagi",
            ),
            (
                "route = \"/web/...\"",
                "route = \"/web\"\ncomponents = {}",
                "components",
            ),
            (
                "{ private = true }",
                "{ private = false }",
                "private = false",
            ),
            (
                "source = \"web.wasm\"",
                "source = { url = \"u\", digest = \"d\" }",
                "source",
            ),
            (
                "source = \"web.wasm\"",
                "source = \"w\"\nfiles = [\"a\"]",
                "files",
            ),
            (
                "source = \"web.wasm\"",
                "source = \"w\"\nai_models = [\"a\"]",
                "ai_models",
            ),
            (
                "source = \"web.wasm\"",
                "source = \"w\"\ndependencies = {}",
                "dependencies",
            ),
            (
                "source = \"web.wasm\"",
                "source = \"w\"\nsqlite_databases = [\"x\"]",
                "\"x\"",
            ),
            ("[\"default\"]", "[\"cache\"]", "\"cache\""),
            (
                "[variables]",
                "[[trigger.cron]]\ncomponent = \"web\"\n[variables]",
                "cron",
            ),
            (
                "component = \"inner\"",
                "component = \"missing\"",
                "missing",
            ),
            ("key = {", "Key = {", "Key"),
            ("required = true, ", "", "key"),
            (
                "version = \"1.0.0\"",
                "trigger = { http = { base = \"/x\" } }",
                "trigger",
            ),
        ];
        for (from, to, named) in cases {
            let text = PLAIN.replacen(from, to, 1);
            assert_ne!(text, PLAIN, "{from}");
            let message = match Manifest::parse(&text, Path::new("")) {
                Ok(_) => String::new(),
                Err(error) => format!("{error:#}"),
            };
            assert!(message.contains(named), "{to}: {message:?}");
        }
    }
}
