//! A manifest, looked at without starting it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;

use crate::allowed_hosts::AllowedHosts;
use crate::manifest::Manifest;
use crate::routes::Router;
use crate::variables::{ComponentVariables, Values};

/// Checks what a start would refuse of the text of a `spin.toml`, but for its files: keys, routes,
/// variables (each required one as if it were given) and allowed hosts.
///
/// # Errors
/// What is wrong, and where.
pub fn check_manifest(text: &str) -> anyhow::Result<()> {
    let manifest = Manifest::parse(text, Path::new(""))?;
    Router::new(&manifest.triggers)?;
    let required = manifest.variables.iter().filter(|(_, own)| own.required);
    let given: BTreeMap<String, String> = required
        .map(|(name, _)| (name.clone(), "given".to_owned()))
        .collect();
    let values = Values::resolve(&manifest.variables, &given)?;
    let components: Vec<String> = manifest.components.keys().cloned().collect();
    for (id, component) in &manifest.components {
        let described = || format!("component {id:?}");
        let entries = &component.allowed_outbound_hosts;
        AllowedHosts::check_literals(entries).with_context(described)?;
        AllowedHosts::resolve(entries, &values, &components).with_context(described)?;
        ComponentVariables::new(id, component, &values).with_context(described)?;
    }
    Ok(())
}
