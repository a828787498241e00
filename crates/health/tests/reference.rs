//! The checked-in reference of findings is the generated one.

#[test]
fn docs_findings_md_is_the_list() -> std::io::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/findings.md");
    let written = std::fs::read_to_string(path)?;
    assert!(
        written == scaigate_health::markdown(),
        "docs/findings.md is stale: cargo run -p scaigate-health --example findings > docs/findings.md"
    );
    Ok(())
}
