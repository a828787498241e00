//! The checked-in error reference is the generated one.

#[test]
fn docs_errors_md_is_the_list() -> std::io::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
    let written = std::fs::read_to_string(path)?;
    assert!(
        written == scaigate_problem::markdown(),
        "docs/errors.md is stale: cargo run -p scaigate-problem --example errors > docs/errors.md"
    );
    Ok(())
}
