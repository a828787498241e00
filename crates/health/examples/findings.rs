//! Prints the reference of findings: `cargo run -p scaigate-health --example findings > docs/findings.md`.
#![expect(clippy::print_stdout, reason = "printing is its job")]

fn main() {
    print!("{}", scaigate_health::markdown());
}
