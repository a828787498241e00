#![expect(
    clippy::panic,
    reason = "a test that meets the unexpected should stop there"
)]

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use scaigate_architecture::prose;

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

/// What stands in texts where a reader puts something in.
const EXAMPLES: [(&str, &str); 5] = [
    ("<email>", "a@b.c"),
    ("{email}", "a@b.c"),
    ("<tenant id>", "tnt_1"),
    ("<id>", "tnt_1"),
    ("<app_…>", "app_1"),
];

/// A command that a text tells its reader to run is one of these, with arguments that it takes. What it
/// leaves out is for the reader to add.
#[test]
fn commands_of_fixes_exist() {
    let names = Arguments::command();
    let is_command = |rest: &str| {
        let mut names = names.get_subcommands().map(clap::Command::get_name);
        names.any(|name| rest.starts_with(name))
    };
    let mut count = 0;
    for text in prose::texts().unwrap_or_default() {
        for (before, rest) in around(&text.words, "scaigate ") {
            if !is_command(rest) && !before.ends_with('`') {
                continue;
            }
            let rest = rest.split(['`', ',', ';', '\n']).next().unwrap_or_default();
            let rest = rest
                .split(". ")
                .next()
                .unwrap_or_default()
                .trim_end_matches('.');
            let line = EXAMPLES
                .iter()
                .fold(format!("scaigate {rest}"), |line, (name, example)| {
                    line.replace(name, example)
                });
            count += 1;
            match parse(&line).map_err(|error| error.kind()) {
                Ok(_)
                | Err(
                    ErrorKind::MissingRequiredArgument
                    | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
                ) => {}
                Err(kind) => panic!("{kind}: {line} of {text:?}"),
            }
        }
    }
    assert!(count > 60, "{count}");
}

/// What stands before and after each place where `words` has `part`.
fn around<'a>(words: &'a str, part: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let places = words.match_indices(part);
    places.map(move |(at, _)| (&words[..at], &words[at + part.len()..]))
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
