//! What tests that failed have said, once more at the end of a log: among thousands of lines nobody
//! finds it.

use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::process;

/// The most lines of one test that are repeated, and of all.
const MAX_LINES: (usize, usize) = (30, 300);

/// Runs `cargo test`, shows what it prints, and repeats what failed tests said. On a terminal they are
/// where one looks: there it runs as it is.
///
/// # Errors
/// It can't be started, or ends with anything but success.
pub fn run(command: &mut Command) -> Result<()> {
    if io::stdout().is_terminal() {
        return process::run(command);
    }
    let mut failures = Failures::default();
    let outcome = process::run_reading(command.stdout(Stdio::piped()), |output| {
        show(output, &mut failures)
    });
    if outcome.is_err() && !failures.lines.is_empty() {
        println!("\nwhat failed, once more:\n");
        println!("{}", failures.lines.join("\n"));
    }
    outcome
}

fn show(output: impl Read, failures: &mut Failures) -> Result<()> {
    let mut output = BufReader::new(output);
    let mut shown = io::stdout();
    let mut line = Vec::new();
    while output
        .read_until(b'\n', &mut line)
        .context("reading the tests' output")?
        > 0
    {
        shown.write_all(&line)?;
        shown.flush()?;
        failures.read(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    Ok(())
}

/// Collects them, without their backtraces.
#[derive(Default)]
struct Failures {
    lines: Vec<String>,
    /// How many more lines of the present test are kept.
    left: usize,
}

impl Failures {
    fn read(&mut self, line: &str) {
        let (of_one, of_all) = MAX_LINES;
        if line.starts_with("---- ") && line.ends_with(" stdout ----") {
            self.left = of_one;
        } else if line == "failures:" || line == "stack backtrace:" {
            self.left = 0;
        }
        if self.left > 0 && self.lines.len() < of_all {
            self.left -= 1;
            self.lines.push(line.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_failed_tests_said_and_nothing_else() {
        let mut failures = Failures::default();
        let output = "test a ... ok\ntest b ... FAILED\n\nfailures:\n\n---- b stdout ----\n\
            thread 'b' panicked at b.rs:1:1:\nnot so\nstack backtrace:\n   0: rust\n\n\
            failures:\n    b\n\ntest result: FAILED";
        output.lines().for_each(|line| failures.read(line));
        let expected = [
            "---- b stdout ----",
            "thread 'b' panicked at b.rs:1:1:",
            "not so",
        ];
        assert_eq!(failures.lines, expected);
    }

    #[test]
    fn one_test_does_not_crowd_the_others_out() {
        let mut failures = Failures::default();
        for test in ["a", "b"] {
            failures.read(&format!("---- {test} stdout ----"));
            (0..1_000).for_each(|_| failures.read("said"));
        }
        let (of_one, _) = MAX_LINES;
        assert_eq!(failures.lines.len(), 2 * of_one);
        let second = failures.lines.get(of_one).map(String::as_str);
        assert_eq!(second, Some("---- b stdout ----"));
    }
}
