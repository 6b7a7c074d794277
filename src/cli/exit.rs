//! The exit codes of every command: one enum, one table. CI depends on them.

use std::fmt;
use std::process::ExitCode;

/// How the process ends.
pub(super) use crate::judge::conclusion::Conclusion as Exit;

/// Printed by `--help`.
pub(super) const TABLE: &str = "\
Exit codes:
  0    passed (warnings allowed)
  1    failed: a check, an expectation, a regression
  2    usage, or a mistake in a file
  3    could not run: the environment, or our bug
  4    inconclusive: too little evidence
  5    invalid: the generator was late or lost count; nothing may be concluded
  6    aborted by a stop condition, or by a person through the drill
  7    unclean: a fault could not be healed; `squall recover` says what
  130  interrupted (SIGINT), after healing and writing what there was
  143  terminated (SIGTERM), likewise";

impl Exit {
    /// The number.
    pub(super) fn code(self) -> u8 {
        self.exit_code()
    }

    /// Which of two stands for both: the first that applies, in the order of the house.
    pub(super) fn graver(self, other: Self) -> Self {
        const ORDER: [Exit; 10] = [
            Exit::Usage,
            Exit::Unclean,
            Exit::Interrupted,
            Exit::Terminated,
            Exit::CouldNotRun,
            Exit::Invalid,
            Exit::Aborted,
            Exit::Failed,
            Exit::Inconclusive,
            Exit::Passed,
        ];
        ORDER.into_iter().find(|one| *one == self || *one == other).unwrap_or(self)
    }

    /// True when a person ended it: nothing more is begun.
    pub(super) fn is_signal(self) -> bool {
        matches!(self, Self::Interrupted | Self::Terminated)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command could not do its work: the code, what happened, and the remedy.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn usage(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, message: message.to_string() }
    }

    pub(super) fn could_not(message: impl fmt::Display) -> Self {
        Self { exit: Exit::CouldNotRun, message: message.to_string() }
    }
}

/// `could not {doing}: {error}`, exit 3.
pub(super) fn could_not<E: fmt::Display>(doing: &str) -> impl FnOnce(E) -> Failure + '_ {
    move |error| Failure::could_not(format!("could not {doing}: {error}"))
}
