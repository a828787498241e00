//! `spin.toml` is the security boundary: what it grants each component must be
//! what the checked-in table `grants.toml` says. Widening a grant is then a
//! visible change in two places, and one of them is named after what it is.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test: both files are ours"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::{Table, Value};

/// Kind of grant → what is granted. A kind without an entry grants nothing.
type Grants = BTreeMap<&'static str, BTreeSet<String>>;

/// The kinds of grants, as rows of `grants.toml` name them.
const KINDS: [&str; 5] = [
    "routes",
    "key_value_stores",
    "sqlite_databases",
    "allowed_outbound_hosts",
    "variables",
];

/// Keys of a component that grant nothing.
const HARMLESS: [&str; 3] = ["source", "build", "description"];

#[test]
fn each_component_is_granted_what_the_table_says() {
    let manifest = read("spin.toml");
    let mut granted = granted(&manifest);
    for (component, expected) in expected() {
        let actual = granted.remove(&component).unwrap_or_default();
        for kind in KINDS {
            let empty = BTreeSet::new();
            let actual = actual.get(kind).unwrap_or(&empty);
            let expected = expected.get(kind).unwrap_or(&empty);
            assert_eq!(
                actual, expected,
                "{component}: `{kind}` in spin.toml (left) differs from tests/architecture/grants.toml (right)"
            );
        }
    }
    assert!(
        granted.is_empty(),
        "components without a row in grants.toml: {:?}",
        granted.keys()
    );
}

#[test]
fn no_component_uses_a_key_the_table_cannot_show() {
    let manifest = read("spin.toml");
    for (id, component) in entries(&manifest, "component") {
        for key in component.as_table().unwrap().keys() {
            let key = key.as_str();
            assert!(
                HARMLESS.contains(&key) || (KINDS.contains(&key) && key != "routes"),
                "[component.{id}] has `{key}`; teach this test what it grants"
            );
        }
    }
}

#[test]
fn no_outbound_host_is_a_wildcard() {
    let manifest = read("spin.toml");
    for (component, grants) in granted(&manifest) {
        for host in grants.get("allowed_outbound_hosts").into_iter().flatten() {
            assert!(!host.contains('*'), "{component} may reach {host}");
        }
    }
}

#[test]
fn each_route_is_served_at_both_documented_bases() {
    let manifest = read("spin.toml");
    for (component, grants) in granted(&manifest) {
        let Some(routes) = grants.get("routes") else {
            continue;
        };
        for route in routes.iter().filter_map(|route| route.strip_prefix("/v1/")) {
            let outside = format!("/api/v1/{route}");
            assert!(routes.contains(&outside), "{component} lacks {outside}");
        }
    }
}

#[test]
fn every_credential_is_declared_secret() {
    let manifest = read("spin.toml");
    for (name, variable) in entries(&manifest, "variables") {
        let credential = ["_secret", "_key", "_token"]
            .iter()
            .any(|end| name.ends_with(end));
        let secret = variable
            .get("secret")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        assert_eq!(
            secret, credential,
            "[variables] {name}: `secret` must be {credential}"
        );
        let default = variable
            .get("default")
            .and_then(Value::as_str)
            .unwrap_or("");
        assert!(
            !credential || default.is_empty(),
            "[variables] {name} ships with a value"
        );
    }
}

#[test]
fn every_variable_reaches_a_component() {
    let manifest = read("spin.toml");
    let values: Vec<String> = entries(&manifest, "component")
        .map(|(_, component)| component.to_string())
        .collect();
    for (name, _) in entries(&manifest, "variables") {
        // Templates may be spaced or not.
        let used = values
            .iter()
            .any(|text| text.replace(' ', "").contains(&format!("{{{{{name}}}}}")));
        assert!(
            used,
            "[variables] {name} is declared and used by no component"
        );
    }
}

/// What `spin.toml` grants, by component id.
fn granted(manifest: &Table) -> BTreeMap<String, Grants> {
    let mut granted: BTreeMap<String, Grants> = BTreeMap::new();
    for (id, component) in entries(manifest, "component") {
        let grants = granted.entry(id.clone()).or_default();
        for kind in KINDS {
            grants.insert(kind, names(component.get(kind)));
        }
    }
    let triggers = manifest
        .get("trigger")
        .and_then(|trigger| trigger.get("http"));
    for trigger in triggers.and_then(Value::as_array).unwrap() {
        let id = trigger.get("component").and_then(Value::as_str).unwrap();
        let route = match trigger.get("route").unwrap() {
            Value::String(route) => route.clone(),
            other => other.to_string(),
        };
        let grants = granted.entry(id.to_owned()).or_default();
        assert!(
            grants.entry("routes").or_default().insert(route),
            "{id}: a route twice"
        );
    }
    granted
}

/// What the table says, by component id.
fn expected() -> BTreeMap<String, Grants> {
    let table = read("tests/architecture/grants.toml");
    let mut expected = BTreeMap::new();
    for (id, row) in &table {
        for key in row.as_table().unwrap().keys() {
            assert!(
                KINDS.contains(&key.as_str()),
                "grants.toml: [{id}] has unknown `{key}`"
            );
        }
        let grants = KINDS
            .into_iter()
            .map(|kind| (kind, names(row.get(kind))))
            .collect();
        expected.insert(id.clone(), grants);
    }
    expected
}

/// The strings of an array; of a table, as `name = "template"`, unless the
/// template is just the application's variable of the same name.
fn names(value: Option<&Value>) -> BTreeSet<String> {
    match value {
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().unwrap().to_owned())
            .collect(),
        Some(Value::Table(table)) => table
            .iter()
            .map(|(name, template)| {
                let template = template.as_str().unwrap();
                if template.replace(' ', "") == format!("{{{{{name}}}}}") {
                    name.clone()
                } else {
                    format!("{name} = {template:?}")
                }
            })
            .collect(),
        _ => BTreeSet::new(),
    }
}

fn entries<'a>(manifest: &'a Table, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    manifest
        .get(key)
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
}

fn read(path: &str) -> Table {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.parse()
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}
