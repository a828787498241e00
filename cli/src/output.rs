//! What is printed, and where: results on standard output, the rest on standard error. Nothing gets
//! by [`secrets::redact`].

use std::io::{self, ErrorKind, IsTerminal as _, Write};

use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{secrets, terminal};

/// What came of a command.
#[derive(Debug)]
pub struct Report {
    /// For people; whole lines.
    pub human: String,
    /// For programs.
    pub json: Value,
    /// How the command ends.
    pub exit: Exit,
}

impl Report {
    /// It is done.
    pub fn done(human: impl Into<String>, json: Value) -> Self {
        Self {
            human: human.into(),
            json,
            exit: Exit::Done,
        }
    }

    /// It is done, and all has been printed ([`line()`]).
    pub const fn silent() -> Self {
        Self {
            human: String::new(),
            json: Value::Null,
            exit: Exit::Done,
        }
    }

    /// Ends with `exit` instead.
    pub const fn ending(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

/// Prints the outcome of a command.
pub fn outcome(outcome: Result<Report, Failure>, json: bool) -> Exit {
    let (text, exit) = match outcome {
        Ok(report) if json && !report.json.is_null() => (with_end(&report.json), report.exit),
        Ok(report) => (report.human, report.exit),
        Err(failure) if json => (with_end(&failure.json()), failure.exit),
        Err(failure) => {
            note(failure.human().trim_end());
            return failure.exit;
        }
    };
    match write(&mut io::stdout().lock(), &text) {
        Ok(()) => exit,
        // Whoever read it has seen enough and left.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit,
        Err(_) => Exit::Failed,
    }
}

/// Prints a line of a result that is too long to be held.
///
/// # Errors
/// Nobody takes it.
pub fn line(json: &Value) -> Result<(), Failure> {
    write(&mut io::stdout().lock(), &with_end(json)).map_err(|_| {
        Failure::new(Exit::Failed, "not_written", "The result can't be written.")
            .with_fix("See to it that standard output takes it.")
    })
}

fn with_end(json: &Value) -> String {
    format!("{}\n", terminal::json(json))
}

/// A line on standard error.
pub fn note(line: &str) {
    // Nobody is left to be told that it can't be told.
    let _ = write(&mut io::stderr().lock(), &format!("{line}\n"));
}

fn write(to: &mut impl Write, text: &str) -> io::Result<()> {
    to.write_all(secrets::redact(text).as_bytes())?;
    to.flush()
}

/// Whether somebody looks at standard error while the command runs.
pub fn is_watched() -> bool {
    io::stderr().is_terminal()
}
