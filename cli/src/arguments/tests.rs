#![expect(
    clippy::panic,
    reason = "a test that meets the unexpected should stop there"
)]

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use super::*;

/// Parses a line as a shell would hand it over, without what is redirected.
fn parse(line: &str) -> Result<Arguments, clap::Error> {
    let line = line.split(['<', '>']).next().unwrap_or_default();
    // A test has no standard input to read a secret from.
    let words = line
        .split_whitespace()
        .map(|word| if word == "-" { "token" } else { word });
    Arguments::try_parse_from(words)
}

#[test]
fn the_command_line_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn every_example_of_the_help_and_of_the_documentation_is_understood() {
    let documentation = include_str!("../../../docs/cli.md");
    let mut count = 0;
    for text in examples::EVERY.into_iter().chain([documentation]) {
        for line in text.lines().map(str::trim) {
            if line.starts_with("scaigate ") {
                count += 1;
                if let Err(error) = parse(line) {
                    panic!("{line}: {error}");
                }
            }
        }
    }
    assert!(count > 30, "{count}");
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (line, kind) in [
        (
            "scaigate",
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
        ),
        (
            "scaigate admin grant a@b.c",
            ErrorKind::MissingRequiredArgument,
        ),
        (
            "scaigate admin grant a@b.c --role owner",
            ErrorKind::InvalidValue,
        ),
        (
            "scaigate admin grant nobody --role super_admin",
            ErrorKind::ValueValidation,
        ),
        (
            "scaigate admin users --database x --url http://h",
            ErrorKind::ArgumentConflict,
        ),
        (
            "scaigate admin users --database x --token t",
            ErrorKind::ArgumentConflict,
        ),
        (
            "scaigate admin users --key-value x",
            ErrorKind::MissingRequiredArgument,
        ),
        (
            "scaigate admin users --per-page 501",
            ErrorKind::ValueValidation,
        ),
        ("scaigate admin users --page 0", ErrorKind::ValueValidation),
        (
            "scaigate sync --status --force",
            ErrorKind::ArgumentConflict,
        ),
        ("scaigate sync --database x", ErrorKind::UnknownArgument),
        (
            "scaigate scaikey-register --scope tenant",
            ErrorKind::MissingRequiredArgument,
        ),
        (
            "scaigate scaikey-register --status --cancel",
            ErrorKind::ArgumentConflict,
        ),
        (
            "scaigate scaikey-register --app-id a/b",
            ErrorKind::ValueValidation,
        ),
        (
            "scaigate webhooks test --data []",
            ErrorKind::ValueValidation,
        ),
    ] {
        match parse(line) {
            Ok(_) => panic!("{line} is taken"),
            Err(error) => assert_eq!(error.kind(), kind, "{line}"),
        }
    }
}

/// What a failure tells its reader to run is a command.
#[test]
fn commands_of_fixes_exist() {
    let mut seen = 0;
    for code in scaigate_problem::Code::ALL {
        let quoted = code.fix().split('`').skip(1).step_by(2);
        for words in quoted.filter_map(|words| words.strip_prefix("scaigate ")) {
            seen += 1;
            let mut command = Arguments::command();
            for word in words.split_whitespace() {
                let Some(next) = command.find_subcommand(word) else {
                    panic!("{}: no command `scaigate {words}`", code.as_str());
                };
                command = next.clone();
            }
        }
    }
    assert!(seen > 0, "no fix names a command any more");
}
