//! What xtask needs to know of `spin.toml`: components and variables.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use toml::{Table, Value};

/// The part of the application manifest that builds and settings depend on.
#[derive(Debug)]
pub struct Manifest {
    /// The components, by id in alphabetical order.
    pub components: Vec<Component>,
    /// The application's variables, by name in alphabetical order.
    pub variables: Vec<Variable>,
}

/// A component: its id and the wasm file it is served from.
#[derive(Debug, PartialEq, Eq)]
pub struct Component {
    /// The id in `[component.<id>]`.
    pub id: String,
    /// `source`, relative to the manifest.
    pub source: String,
}

/// An application variable.
#[derive(Debug, PartialEq, Eq)]
pub struct Variable {
    /// The lower-case name.
    pub name: String,
    /// Whether serving needs a value from outside.
    pub required: bool,
    /// Whether it holds a credential.
    pub secret: bool,
}

impl Manifest {
    /// Reads `spin.toml` in the folder.
    ///
    /// # Errors
    /// The file is missing, isn't TOML, or a component has no local `source`.
    pub fn load(root: &Path) -> Result<Self> {
        let path = root.join("spin.toml");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("can't read {}", path.display()))?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let manifest: Table = text.parse()?;
        let mut components = Vec::new();
        for (id, component) in table(&manifest, "component") {
            let Some(source) = component.get("source").and_then(Value::as_str) else {
                bail!("[component.{id}] has no `source` in this checkout");
            };
            components.push(Component {
                id: id.clone(),
                source: source.to_owned(),
            });
        }
        let flag = |variable: &Value, key: &str| {
            variable.get(key).and_then(Value::as_bool).unwrap_or(false)
        };
        let variables = table(&manifest, "variables")
            .map(|(name, variable)| Variable {
                name: name.clone(),
                required: flag(variable, "required"),
                secret: flag(variable, "secret"),
            })
            .collect();
        Ok(Self {
            components,
            variables,
        })
    }

    /// Whether the application declares the variable.
    pub fn declares(&self, name: &str) -> bool {
        self.variables.iter().any(|variable| variable.name == name)
    }
}

fn table<'a>(manifest: &'a Table, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    manifest
        .get(key)
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sources_and_variables() -> Result<()> {
        let manifest = Manifest::parse(
            r#"
            [variables]
            key = { required = true, secret = true }
            mode = { default = "a" }
            [component.one]
            source = "target/wasm32-wasip2/release/one.wasm"
            "#,
        )?;
        let source = "target/wasm32-wasip2/release/one.wasm".to_owned();
        assert_eq!(
            manifest.components,
            [Component {
                id: "one".to_owned(),
                source
            }]
        );
        assert_eq!(
            manifest.variables,
            [
                Variable {
                    name: "key".to_owned(),
                    required: true,
                    secret: true
                },
                Variable {
                    name: "mode".to_owned(),
                    required: false,
                    secret: false
                },
            ]
        );
        Ok(())
    }

    #[test]
    fn refuses_a_component_from_elsewhere() {
        let text = "[component.one]\nsource = { url = \"https://example.com/a.wasm\" }";
        assert!(Manifest::parse(text).is_err());
    }
}
