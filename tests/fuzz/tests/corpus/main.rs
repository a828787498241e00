//! Every target takes every input of its corpus, and some hundred that are made of it, natively and
//! inside WebAssembly. `cargo fuzz` looks for more (`docs/fuzzing.md`).

mod native;
mod wasm;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use scaigate_fuzz::{TARGETS, Target};

/// The manifest of the runner, which runs natively only.
const MANIFEST: (&str, Target) = ("manifest", |input| {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    if scaigate_host::check_manifest(text).is_ok() {
        let table: toml::Table = text.parse().expect("what was taken is TOML");
        assert!(table.contains_key("trigger"));
    }
});

/// The inputs of a target by their names.
fn corpus(target: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let entries = fs::read_dir(folder.join(target)).expect("the corpus of the target");
    let inputs: BTreeMap<_, _> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (name.into_owned(), fs::read(&path).expect("an input"))
        })
        .collect();
    assert!(inputs.len() >= 5, "{target}: {} inputs", inputs.len());
    inputs
}

#[test]
fn every_folder_of_the_corpus_is_a_targets_and_every_target_has_a_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let names = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(root.join(folder)).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let mut names: Vec<_> = paths
            .map(|path| {
                path.file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    };
    let mut targets: Vec<_> = TARGETS
        .iter()
        .chain(&[MANIFEST])
        .map(|(name, _)| *name)
        .collect();
    targets.sort_unstable();
    assert_eq!(names("corpus"), targets);
    assert_eq!(names("fuzz_targets"), targets);
}
