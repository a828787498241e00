//! Prints the error reference: `cargo run -p scaigate-problem --example errors > docs/errors.md`.
#![expect(clippy::print_stdout, reason = "printing is its job")]

fn main() {
    print!("{}", scaigate_problem::markdown());
}
