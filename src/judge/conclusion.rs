//! A run in one word, and the exit code that stands for it. The first that applies: unclean, signalled, could not run,
//! invalid, aborted, failed, inconclusive, passed; in a drill an unsteady baseline or an act without proof comes before failed.
//!
//! Called by `cli` and `report`. Not here: mistakes in files (they end before anything is sent).

use super::account::{Account, HEALING};
use super::finding::{FindingKind, Verdict, worst};
use crate::plan::threshold::Level;

/// How a run came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Everything holds; warnings allowed.
    Passed,
    /// A check or an expectation does not hold.
    Failed,
    /// A mistake in a file or on the command line; never of a run.
    Usage,
    /// The environment, or our bug.
    CouldNotRun,
    /// Too little evidence.
    Inconclusive,
    /// The generator cannot be believed.
    Invalid,
    /// Ended by a stop condition, or by a person through the drill.
    Aborted,
    /// A fault could not be healed.
    Unclean,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Conclusion {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::CouldNotRun => 3,
            Self::Inconclusive => 4,
            Self::Invalid => 5,
            Self::Aborted => 6,
            Self::Unclean => 7,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

/// How the run came out.
pub fn of(account: &Account) -> Conclusion {
    let begins = |word: &str| account.ended.starts_with(word);
    let verdict = worst(&account.findings);
    if account.findings.iter().any(|one| one.id.starts_with(HEALING) && one.verdict == Verdict::Fail) {
        return Conclusion::Unclean;
    }
    match () {
        () if begins("interrupted") => Conclusion::Interrupted,
        () if begins("terminated") => Conclusion::Terminated,
        () if begins("could not run") || begins("failed") => Conclusion::CouldNotRun,
        () if begins("invalid") || verdict == Verdict::Invalid => Conclusion::Invalid,
        () if begins("aborted") => Conclusion::Aborted,
        () if begins("unsteady") || begins("inconclusive") || lacks_ground(account) => Conclusion::Inconclusive,
        () if verdict == Verdict::Fail => Conclusion::Failed,
        () if verdict == Verdict::Inconclusive => Conclusion::Inconclusive,
        () => Conclusion::Passed,
    }
}

/// True when a drill shows nothing whatever its expectations say: no steady baseline, or an act without proof.
fn lacks_ground(account: &Account) -> bool {
    account.drill.is_some()
        && account.findings.iter().any(|one| {
            one.verdict == Verdict::Inconclusive
                && one.level != Level::Info
                && matches!(one.kind, FindingKind::Injection | FindingKind::Recovery)
        })
}
