//! What the command ends with. Documented in `--help`: scripts rely on the numbers.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// It went wrong.
    Failed,
    /// The command needs other arguments or settings.
    Usage,
    /// What was asked about is not there.
    NotFound,
    /// Somebody may not, or the server will not.
    Refused,
    /// No answer came.
    Unreachable,
    /// It works, and something needs attention.
    Warned,
}

impl Exit {
    /// The number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Refused => 4,
            Self::Unreachable => 5,
            Self::Warned => 6,
        }
    }

    /// What an answer with this status, which is no success, means.
    pub const fn of_status(status: u16) -> Self {
        match status {
            404 => Self::NotFound,
            400..=499 => Self::Refused,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_how_the_command_ends() {
        for (status, exit) in [
            (301, 1),
            (400, 4),
            (401, 4),
            (403, 4),
            (404, 3),
            (409, 4),
            (429, 4),
            (500, 1),
            (502, 1),
            (503, 1),
        ] {
            assert_eq!(Exit::of_status(status).number(), exit, "{status}");
        }
    }
}
