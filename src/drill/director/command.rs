//! The director's language: the phases, what it hears, what it commands, how a drill ends.
//!
//! Not here: any decision. Called by the director, the stage and the receivers of pages.

use crate::base::stop::StopReason;

/// An act of the plan, by its place in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActId(pub usize);

/// A mitigation of the plan, by its place in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MitigationId(pub usize);

/// Where a drill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The system is being started and asked whether it may be shaken.
    Armed,
    /// Load without acts.
    Baseline,
    /// Acts and people.
    Exercise,
    /// Somebody said it is over, or time is up; the traffic must agree.
    Watching,
    /// It ends early.
    Aborting,
    /// Every act is reverted and read back.
    Cleanup,
    /// Nothing is left to do.
    Done,
}

impl Phase {
    /// The name in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Armed => "armed",
            Self::Baseline => "steady",
            Self::Exercise => "exercise",
            Self::Watching => "watching",
            Self::Aborting => "aborting",
            Self::Cleanup => "cleanup",
            Self::Done => "done",
        }
    }

    /// True while traffic flows.
    pub fn has_load(self) -> bool {
        matches!(self, Self::Baseline | Self::Exercise | Self::Watching)
    }

    /// True while it can still be ended early.
    pub fn may_end(self) -> bool {
        matches!(self, Self::Armed | Self::Baseline | Self::Exercise | Self::Watching)
    }

    /// True while people may act.
    pub fn is_exercised(self) -> bool {
        matches!(self, Self::Exercise | Self::Watching)
    }
}

/// An alert as it came in (PagerDuty Events v2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// `trigger`, `acknowledge` or `resolve`.
    pub action: String,
    /// The alert's own words; empty unless it triggers.
    pub summary: String,
    /// Which system it names; empty unless it triggers.
    pub origin: String,
    /// Its deduplication key, at most 255 characters.
    pub dedup_key: String,
}

/// What the director is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The system is up, agrees to be shaken, and every probe answers.
    Ready,
    /// An alert came in.
    Page(Page),
    /// Somebody stated something.
    Marked(String),
    /// The act is in force.
    Applied(ActId),
    /// The act was refused, or nobody knows whether it is in force.
    NotApplied(ActId),
    /// The proof was sought: seen in time, or not.
    Proved(ActId, bool),
    /// The system says that somebody has undone the act.
    Undone(ActId),
    /// The lease of the act ended although nobody undid it.
    LeaseLost(ActId, String),
    /// The undo was carried out.
    Healed(ActId),
    /// The healed state was read back.
    Verified(ActId),
    /// The undo, or reading it back, failed.
    HealFailed(ActId, String),
    /// The mitigation's request was accepted.
    Performed(MitigationId),
    /// The drill is to end early.
    Stop(Ending),
    /// Verification is not to be waited for any more.
    Hurry,
    /// The keeper of the run is gone, and with it what it kept in force.
    KeeperLost(String),
}

/// Who does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// The robot, in the named role; empty for none.
    Robot(String),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A phase begins.
    Enter(Phase),
    /// Traffic begins.
    StartLoad,
    /// Traffic ends.
    StopLoad,
    /// Put the act in force, under a lease.
    Apply(ActId),
    /// Seek the proof that the act touched something.
    Prove(ActId),
    /// Renew the act's lease.
    Renew(ActId),
    /// Undo the act.
    Revert(ActId),
    /// Nobody waits any longer until the act is undone and read back; why.
    GiveUp(ActId, String),
    /// The act was undone by us: read it back.
    ReadBack(ActId),
    /// The act was undone by somebody: see when it is no longer in force.
    Confirm(ActId),
    /// Carry out a mitigation.
    Perform(MitigationId, Author),
    /// See whether it took.
    Verify(MitigationId),
    /// Write down a statement.
    Mark {
        /// Who states it.
        author: Author,
        /// What is stated.
        mark: String,
        /// Free text.
        text: String,
    },
    /// Everything is undone: users are back where the baseline left them, or are not; in words.
    Back(Result<String, String>),
    /// The drill is over.
    Finish(Ended),
}

/// Why a drill ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It ran its course.
    Finished,
    /// The baseline was not steady; nothing was done to the system.
    Unsteady(String),
    /// It lost what its evidence stands on.
    Inconclusive(String),
    /// A person or a stop condition ended it.
    Aborted(String),
    /// The generator cannot be believed.
    Invalid(String),
    /// The drill itself could not go on.
    Failed(String),
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Ending {
    /// The words of the journal: `finished`, or why it was stopped.
    pub fn words(&self) -> String {
        match self {
            Self::Finished => "finished".to_owned(),
            Self::Unsteady(why) => format!("unsteady: {why}"),
            Self::Inconclusive(why) => format!("inconclusive: {why}"),
            Self::Aborted(why) => format!("aborted: {why}"),
            Self::Invalid(why) => format!("invalid: {why}"),
            Self::Failed(why) => format!("failed: {why}"),
            Self::Interrupted => "interrupted".to_owned(),
            Self::Terminated => "terminated".to_owned(),
        }
    }
}

impl From<StopReason> for Ending {
    fn from(reason: StopReason) -> Self {
        match reason {
            StopReason::Finished => Self::Aborted("its owner no longer needs it".to_owned()),
            StopReason::Interrupted => Self::Interrupted,
            StopReason::Terminated => Self::Terminated,
            StopReason::Aborted(why) => Self::Aborted(why),
            StopReason::Invalid(why) => Self::Invalid(why),
        }
    }
}

/// How a drill ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Why.
    pub ending: Ending,
    /// Acts that could not be healed or read back, and why.
    pub unclean: Vec<(String, String)>,
    /// Acts without proof that they touched anything.
    pub unproved: Vec<String>,
}

impl Ended {
    /// The exit code as far as the drill itself can tell; expectations are judged later.
    pub fn exit_code(&self) -> u8 {
        if !self.unclean.is_empty() {
            return 7;
        }
        match self.ending {
            Ending::Interrupted => 130,
            Ending::Terminated => 143,
            Ending::Failed(_) => 3,
            Ending::Invalid(_) => 5,
            Ending::Aborted(_) => 6,
            Ending::Unsteady(_) | Ending::Inconclusive(_) => 4,
            Ending::Finished if !self.unproved.is_empty() => 4,
            Ending::Finished => 0,
        }
    }
}
