//! What each failure of a deployment is to the caller (`contract/scaiflow.md` 6.1): named after the step
//! that failed, and with what it would be called anywhere else as its cause.

use scaigate_problem::{Code, Problem};

use super::answer;
use super::grid::{GridAnswer, GridFailure};

/// ScaiGrid says no: in its words, with its status and, where it limits us, how long to wait (S-22).
pub(super) fn refused(step: Code, answer: &GridAnswer) -> Problem {
    let problem = match &answer.refusal {
        Some(cause) => of(step, cause.clone()),
        None => Problem::new(step),
    };
    problem
        .with_detail_member("message", answer::message(answer, step.message()))
        .with_detail_member("status", answer.status.as_u16())
}

/// ScaiGrid says yes, and not what it must say.
pub(super) fn unusable(step: Code, answer: &GridAnswer, reason: &str) -> Problem {
    of(step, Problem::new(Code::ScaigridInvalidResponse))
        .with_detail_member("message", reason)
        .with_detail_member("status", answer.status.as_u16())
}

/// There is no answer. What failed before ScaiGrid was asked keeps its name.
pub(super) fn unanswered(step: Code, failure: GridFailure) -> Problem {
    match failure {
        GridFailure::MissingCredentials(problem) => {
            problem.recoded(Code::MissingScaigridCredentials)
        }
        GridFailure::NoAnswer(cause) => {
            let message = cause.code().message();
            of(step, cause).with_detail_member("message", message)
        }
        GridFailure::Failed(problem) => problem,
    }
}

fn of(step: Code, cause: Problem) -> Problem {
    let code = cause.code();
    let problem = cause.recoded(step).with("cause", code.as_str());
    match code {
        // What ScaiGrid finds wrong is cured in the manifest.
        Code::ScaigridRejected | Code::ScaigridConflict => problem,
        other => problem.with_fix(other.fix()),
    }
}
