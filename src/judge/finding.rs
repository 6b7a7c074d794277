//! The one currency of judgement: a finding, its verdict and its evidence.
//!
//! Not here: how a verdict is reached (`threshold`, `validity`, `score`), how it looks (`report`).

use crate::plan::diagnostic::Place;
use crate::plan::threshold::{Level, Unit};
use crate::stats::shift::Shift;

/// The five verdicts, from best to worst: the worst finding is the run's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Holds.
    #[default]
    Pass,
    /// Holds, but look at it.
    Warn,
    /// Too little evidence.
    Inconclusive,
    /// Does not hold.
    Fail,
    /// The generator cannot be believed.
    Invalid,
}

impl Verdict {
    /// The word in files and on screens.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Invalid => "invalid",
        }
    }
}

/// What sort of judgement a finding is. One JUnit suite per kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// A check of the scenario.
    Threshold,
    /// A line against another run of the same plan.
    Comparison,
    /// The generator's own health.
    Validity,
    /// A target of a drill.
    Expectation,
    /// Proof that an act touched something.
    Injection,
    /// Steadiness of the baseline, and recovery.
    Recovery,
}

impl FindingKind {
    /// The word in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::Comparison => "comparison",
            Self::Validity => "validity",
            Self::Expectation => "expectation",
            Self::Injection => "injection",
            Self::Recovery => "recovery",
        }
    }
}

/// Why the verdict is what it is. A closed set; every reason has one fixed sentence of advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Inside the bound.
    Within,
    /// Beyond the bound.
    Beyond,
    /// The bound lies inside the interval.
    Marginal,
    /// More arrivals went unanswered than the percentile allows.
    Unanswered,
    /// Nothing was measured.
    NoData,
    /// Too few samples to tell.
    FewSamples,
    /// The interval has no upper end.
    Unbounded,
    /// The generator made the verdict.
    Generator,
    /// No proof that the act touched anything.
    NotInjected,
    /// The record was cut off.
    Truncated,
    /// The run was too short for the window.
    NotEvaluated,
    /// It never happened before the end.
    Censored,
    /// The blocks neither prove a change beyond the margin nor that there is none.
    LowPower,
    /// So few blocks can prove nothing, whatever they show.
    Unresolvable,
    /// What one slot leaves behind reaches the next.
    CarryOver,
    /// A step moved that the change cannot touch.
    ControlMoved,
    /// The arms were under unlike load, or failed unlike.
    ArmsUnlike,
    /// The ledger does not let this comparison fail a run.
    Uncalibrated,
    /// What was compared was not measured alike.
    Fingerprint,
}

impl Reason {
    /// The word in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::Beyond => "beyond",
            Self::Marginal => "marginal",
            Self::Unanswered => "unanswered",
            Self::NoData => "no_data",
            Self::FewSamples => "few_samples",
            Self::Unbounded => "unbounded",
            Self::Generator => "generator",
            Self::NotInjected => "not_injected",
            Self::Truncated => "truncated",
            Self::NotEvaluated => "not_evaluated",
            Self::Censored => "censored",
            Self::LowPower => "low_power",
            Self::Unresolvable => "unresolvable",
            Self::CarryOver => "carry_over",
            Self::ControlMoved => "control_moved",
            Self::ArmsUnlike => "arms_unlike",
            Self::Uncalibrated => "uncalibrated",
            Self::Fingerprint => "fingerprint",
        }
    }
}

/// The numbers behind a finding; absent numbers are `None`, never NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Estimate, in `unit`.
    pub value: Option<f64>,
    /// Lower end of the 95 % interval.
    pub low: Option<f64>,
    /// Upper end; `None` when unbounded or without interval.
    pub high: Option<f64>,
    /// What it is compared with.
    pub bound: Option<f64>,
    /// Unit of the four.
    pub unit: Unit,
    /// Arrivals in scope.
    pub n: u64,
    /// Effective number of independent arrivals.
    pub n_eff: Option<f64>,
    /// Design effect.
    pub deff: Option<f64>,
    /// Seconds of the run it is about: from, to.
    pub window_s: (f64, f64),
    /// For a comparison; its value is then a ratio less 1 (or a difference of shares), the ends are one-sided bounds at
    /// the error of the gate, and n counts blocks.
    pub compare: Option<Box<Compare>>,
}

impl Evidence {
    /// No number at all.
    pub fn nothing() -> Self {
        Self {
            value: None,
            low: None,
            high: None,
            bound: None,
            unit: Unit::Count,
            n: 0,
            n_eff: None,
            deff: None,
            window_s: (0.0, 0.0),
            compare: None,
        }
    }
}

/// What a comparison of two arms rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Compare {
    /// What was compared, in words: `p95 /checkout`.
    pub what: String,
    /// How far beyond the baseline is allowed, in words: `+5 %`.
    pub margin: String,
    /// Sum of the ranks of the blocks beyond the margin; halves where ranks are tied.
    pub w: f64,
    /// The largest such sum.
    pub w_max: f64,
    /// Chance of such a sum or a larger one between equal arms.
    pub p: f64,
    /// Chance of any false red of the whole gate.
    pub alpha: f64,
    /// Comparisons that share it.
    pub m: usize,
    /// At which stage it was decided, and of how many.
    pub stage: (usize, usize),
    /// Deviation between blocks: of logarithms, or of shares.
    pub sd: Option<f64>,
    /// The smallest change beyond the margin that shows four times in five: a ratio less 1, or a difference of shares.
    pub mde: Option<f64>,
    /// Each block's change (difference of logarithms, or of shares), and whether the base went first.
    pub blocks: Vec<(f64, bool)>,
    /// How the quantiles moved, for times.
    pub shift: Vec<Shift>,
}

/// One judgement.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Stable and unique in a run, free of measured values.
    pub id: String,
    /// What sort.
    pub kind: FindingKind,
    /// How much it counts.
    pub level: Level,
    /// The judgement.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// What it is about, in words.
    pub subject: String,
    /// What was demanded, in words.
    pub expected: String,
    /// What was seen, in words, numbers rounded.
    pub observed: String,
    /// What to do next.
    pub next: String,
    /// The numbers.
    pub evidence: Evidence,
    /// Where the demand is written; `None` for built-in ones.
    pub source: Option<Place>,
}

impl Finding {
    /// A must-finding without numbers: id, subject, expected, observed, next.
    pub fn plain(kind: FindingKind, texts: [&str; 5], (verdict, reason): (Verdict, Reason)) -> Self {
        let [id, subject, expected, observed, next] = texts.map(str::to_owned);
        Self {
            id,
            kind,
            level: Level::Must,
            verdict,
            reason,
            subject,
            expected,
            observed,
            next,
            evidence: Evidence::nothing(),
            source: None,
        }
    }
}

/// The verdict of a run: the worst of its findings; `info` never counts, and `should` at most warns.
pub fn worst<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Verdict {
    findings
        .into_iter()
        .map(|finding| match finding.level {
            Level::Info => Verdict::Pass,
            Level::Should if finding.verdict == Verdict::Fail => Verdict::Warn,
            _ => finding.verdict,
        })
        .max()
        .unwrap_or_default()
}
