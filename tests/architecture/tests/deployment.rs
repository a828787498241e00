//! What `docs/deploy.md`, `docs/operate.md` and `deploy/` say is true of `spin.toml` and of the code.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test: it stops at the first thing that isn't as expected"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of the application's settings.
fn variables() -> BTreeSet<String> {
    let manifest: toml::Table = read("spin.toml").parse().expect("a manifest");
    let variables = manifest["variables"].as_table().expect("variables");
    variables.keys().cloned().collect()
}

#[test]
fn the_spin_app_binds_every_setting_to_a_secret() {
    let app = read("deploy/spinapp.yaml");
    let (_, bound) = app.split_once("  variables:\n").expect("variables");
    let mut names = BTreeSet::new();
    for line in bound.lines() {
        let name = line.trim_start_matches("    - { name: ");
        let (name, _) = name.split_once(',').expect("a name");
        let expected = format!(
            "    - {{ name: {name}, valueFrom: {{ secretKeyRef: {{ name: scaigate, key: {name}, optional: true }} }} }}"
        );
        assert_eq!(line, expected);
        assert!(names.insert(name.to_owned()), "{name} twice");
    }
    assert_eq!(names, variables());
}

#[test]
fn the_probes_are_routes() {
    let manifest = read("spin.toml");
    let app = read("deploy/spinapp.yaml");
    let probes: Vec<&str> = app
        .lines()
        .filter_map(|line| line.trim().strip_prefix("httpGet: { path: "))
        .map(|rest| rest.trim_end_matches(" }"))
        .collect();
    assert_eq!(probes.len(), 2);
    for path in probes {
        assert!(manifest.contains(&format!("route = \"{path}\"")), "{path}");
    }
}

#[test]
fn stores_of_a_cluster_have_the_labels_that_components_open() {
    let config: toml::Table = read("deploy/runtime-config.toml").parse().expect("TOML");
    let manifest: toml::Table = read("spin.toml").parse().expect("a manifest");
    let app = read("deploy/spinapp.yaml");
    for (key, granted, kind) in [
        ("key_value_store", "key_value_stores", "redis"),
        ("sqlite_database", "sqlite_databases", "libsql"),
    ] {
        let stores = config[key].as_table().expect("stores");
        let mut labels = BTreeSet::new();
        for component in manifest["component"].as_table().expect("components") {
            let of_it = component.1.get(granted).and_then(|list| list.as_array());
            labels.extend(
                of_it
                    .into_iter()
                    .flatten()
                    .filter_map(|label| label.as_str()),
            );
        }
        let configured: BTreeSet<&str> = stores.keys().map(String::as_str).collect();
        assert_eq!(configured, labels, "{key}");
        for (label, store) in stores {
            assert_eq!(store["type"].as_str(), Some(kind));
            let in_app = format!("      - name: {label}\n        type: {kind}\n");
            assert!(app.contains(&in_app), "{label}: {kind}");
        }
    }
}

#[test]
fn settings_and_codes_that_the_pages_name_exist() {
    let manifest = read("spin.toml").to_lowercase();
    let codes = read("crates/problem/src/code.rs");
    for page in ["docs/deploy.md", "docs/operate.md"] {
        let text = read(page);
        for part in text.split("SPIN_VARIABLE_").skip(1) {
            let name: String = part
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            let name = name.to_lowercase();
            assert!(variables().contains(&name), "{page}: {name}");
        }
        for part in text.split("--variable ").skip(1) {
            let name = part.split('=').next().expect("a name");
            assert!(manifest.contains(&format!("\n{name} = ")), "{page}: {name}");
        }
        for part in text.split("\"code\":\"").skip(1) {
            let code = part.split('"').next().expect("a code");
            assert!(codes.contains(&format!("\"{code}\"")), "{page}: {code}");
        }
        for part in text.split("\"fault\":\"").skip(1) {
            let fault = part.split('"').next().expect("a fault");
            assert!(
                codes.contains(&format!("=> \"{fault}\"")),
                "{page}: {fault}"
            );
        }
    }
}

/// The commands of the page, run on databases of this test: each is `sqlite3 <file> "<statement>"`.
#[test]
fn the_backup_of_a_busy_database_holds_what_was_committed() {
    let folder = std::env::temp_dir().join(format!("scaigate-backup-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    for directory in [".spin", "backup"] {
        std::fs::create_dir_all(folder.join(directory)).expect("a directory");
    }
    let page = read("docs/deploy.md");
    let commands: Vec<(&str, &str)> = page
        .lines()
        .filter_map(|line| line.strip_prefix("sqlite3 "))
        .map(|line| line.split_once(' ').expect("a statement"))
        .collect();
    assert_eq!(commands.len(), 2);
    for (file, statement) in commands {
        let live = Connection::open(folder.join(file)).expect("a database");
        let journal: String = live
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .expect("a journal");
        assert_eq!(journal, "wal");
        live.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1); BEGIN IMMEDIATE; INSERT INTO t VALUES (2)")
            .expect("rows");
        let statement = statement.trim_matches('"');
        let backup = folder
            .join(Path::new("backup"))
            .join(Path::new(file).file_name().expect("a name"));
        let here = statement.replace("backup/", &format!("{}/backup/", folder.display()));
        Connection::open(folder.join(file))
            .expect("a database")
            .execute_batch(&here)
            .expect("a backup");
        live.execute_batch("COMMIT").expect("the rest");
        let count: i64 = Connection::open(backup)
            .expect("the backup")
            .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            .expect("rows");
        assert_eq!(count, 1, "{file}");
    }
    std::fs::remove_dir_all(folder).expect("the end");
}
