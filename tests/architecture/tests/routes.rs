//! Every route is described (`crates/openapi`), and everything that is described is a route: held against
//! `spin.toml` and against the tables by which the components tell their routes apart.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test: it stops at the first thing that is not as it should be"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use scaigate_openapi::{Operation, described, operations};
use toml::Table;

/// Not described: what answers what no route is, and the console, whose backend is its own page's and no API.
const NOT_DESCRIBED: [&str; 2] = ["fallback", "console"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Route and component of each trigger.
fn routes() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("spin.toml")).unwrap();
    let manifest: Table = toml::from_str(&text).unwrap();
    manifest["trigger"]["http"]
        .as_array()
        .unwrap()
        .iter()
        .map(|trigger| {
            let text = |name: &str| trigger[name].as_str().unwrap().to_owned();
            (text("route"), text("component"))
        })
        .collect()
}

/// Whether Spin gives a request for `path` to `route`.
fn leads(route: &str, path: &str) -> bool {
    let (mut route, mut path) = (route.split('/'), path.split('/'));
    loop {
        match (route.next(), path.next()) {
            (Some("..."), _) | (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given => {}
            // What is a parameter here is one there.
            (Some(wanted), Some(given)) if wanted.starts_with(':') && given.starts_with('{') => {}
            _ => return false,
        }
    }
}

/// The component that gets an operation's requests, below `prefix`: of the routes that lead there, the
/// longest without a wildcard, else the longest.
fn component(prefix: &str, operation: &Operation, routes: &[(String, String)]) -> Option<String> {
    let path = format!("{prefix}{}", operation.path);
    routes
        .iter()
        .filter(|(route, _)| leads(route, &path))
        .max_by_key(|(route, _)| (!route.ends_with("..."), route.len()))
        .map(|(_, component)| component.clone())
}

#[test]
fn every_operation_is_served_by_the_component_it_names() {
    let routes = routes();
    for operation in operations() {
        let prefixes: &[&str] = if operation.is_page {
            &[""]
        } else {
            &["", "/api"]
        };
        for prefix in prefixes {
            assert_eq!(
                component(prefix, operation, &routes).as_deref(),
                Some(operation.component),
                "{} {prefix}{}",
                operation.method,
                operation.path
            );
        }
    }
}

#[test]
fn every_route_of_the_manifest_is_described() {
    for (route, component) in routes() {
        if NOT_DESCRIBED.contains(&component.as_str()) {
            continue;
        }
        let path = route.strip_prefix("/api").unwrap_or(&route);
        let is_described = operations()
            .iter()
            .any(|operation| operation.component == component && leads(path, operation.path));
        assert!(
            is_described,
            "spin.toml leads {route} to {component}, and crates/openapi has no operation of it"
        );
    }
}

/// The source files of the components, with their component's folder.
fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join("components")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
                sources.push((path, code));
            }
        }
    }
    sources
}

/// The addresses that a component's code names whole: `"/v1/…"`.
#[test]
fn every_address_in_a_component_is_described() {
    let mut seen = 0;
    for (file, text) in sources() {
        // Its list is of what is not built.
        if file.to_string_lossy().contains("/fallback/") {
            continue;
        }
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let code: Vec<&str> = code.collect();
        for piece in code.join("\n").split("\"/v1/").skip(1) {
            let path = format!("/v1/{}", piece.split('"').next().unwrap());
            seen += 1;
            // What several addresses begin with.
            if path.ends_with('/') {
                continue;
            }
            assert!(
                !described(&path).is_empty(),
                "{}: {path} is not described",
                file.display()
            );
        }
    }
    assert!(seen > 10, "this test no longer finds addresses");
}

/// Where a component's table begins that tells routes apart by segments.
const TABLES: &[(&str, &str, &str)] = &[
    ("directory/src/routes.rs", "async fn route(", "/"),
    ("directory/src/routes.rs", "async fn read(", "/v1/admin/"),
    ("deploy/src/routes.rs", "async fn route(", "/"),
    ("flows/src/routes.rs", "async fn route(", "/"),
    ("flows/src/flows.rs", "pub async fn flows(", "/v1/flows/"),
    (
        "flows/src/catalog.rs",
        "pub async fn catalog(",
        "/v1/catalog/",
    ),
];

/// The addresses of a pattern of segments, such as `["v1", "flows", id]`; none for one with `..`, which
/// leads to another table.
fn of_pattern(prefix: &str, pattern: &str) -> Vec<String> {
    if pattern.contains("..") {
        return Vec::new();
    }
    let mut paths = vec![prefix.trim_end_matches('/').to_owned()];
    for segment in pattern.split(',').map(str::trim).filter(|s| !s.is_empty()) {
        let words: Vec<String> = segment
            .split('|')
            .map(|word| match word.trim().strip_prefix('"') {
                Some(literal) => literal.trim_end_matches('"').to_owned(),
                None => "{any}".to_owned(),
            })
            .collect();
        let before = std::mem::take(&mut paths);
        for path in before {
            paths.extend(words.iter().map(|word| format!("{path}/{word}")));
        }
    }
    paths
}

fn is_described(path: &str) -> bool {
    let same = |operation: &&Operation| {
        let mut one = operation.path.split('/');
        let mut other = path.split('/');
        loop {
            match (one.next(), other.next()) {
                (None, None) => return true,
                (Some(a), Some(b)) if a == b || (a.starts_with('{') && b.starts_with('{')) => {}
                _ => return false,
            }
        }
    };
    operations().iter().any(|operation| same(&operation))
}

/// The lines of the function that begins with `start`.
fn function<'a>(text: &'a str, start: &str) -> &'a str {
    let at = text.find(start);
    let rest = at.and_then(|at| text.get(at..)).unwrap_or_default();
    rest.split("\n    }\n").next().unwrap_or_default()
}

#[test]
fn every_row_of_a_components_table_is_described() {
    for (file, start, prefix) in TABLES {
        let text = std::fs::read_to_string(root().join("components").join(file)).unwrap();
        let mut seen = BTreeSet::new();
        for line in function(&text, start).lines().map(str::trim_start) {
            let Some((pattern, _)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']'))
            else {
                continue;
            };
            for path in of_pattern(prefix, pattern) {
                assert!(is_described(&path), "{file}: {path} is not described");
                seen.insert(path);
            }
        }
        let is_all_passed_on = *start == "async fn route(" && file.starts_with("flows");
        assert!(
            seen.len() > 1 || is_all_passed_on || file.starts_with("directory"),
            "{file}: this test no longer finds rows: {seen:?}"
        );
    }
}

/// A component that tells routes apart by segments has its tables above.
#[test]
fn no_table_is_forgotten() {
    for (file, text) in sources() {
        let is_table = text.contains("match segments");
        let is_known = TABLES.iter().any(|(known, _, _)| file.ends_with(known));
        assert!(
            !is_table || is_known,
            "{}: add its table to TABLES",
            file.display()
        );
    }
}
