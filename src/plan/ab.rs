//! A checked scenario that compares two targets in interleaved blocks of slots: what each slot sends, and how many there are.
//!
//! Made by `check::ab`; run by `cli::ab`; judged by `judge::blocks`.

use std::time::Duration;

use super::curve::{Curve, Ramp};
use super::load::{LoadPlan, Origin, Pattern};
use super::threshold::{Comparison, Level};
use crate::base::ratio::Ratio;
use crate::measure::sample::StepId;
use crate::stats::EXACT_MOST;
use crate::stats::holm::blocks_needed;

/// A checked comparison.
#[derive(Clone, Debug)]
pub struct AbPlan {
    /// What the scenario says, its absolute checks among it. Its first origin is the base's.
    pub load: LoadPlan,
    /// What must hold between the arms; at least one.
    pub comparisons: Vec<Comparison>,
    /// How they are brought about.
    pub design: Design,
}

/// How many blocks of which length, and what they promise.
#[derive(Clone, Debug, PartialEq)]
pub struct Design {
    /// Blocks of one stage; each is one slot of each arm.
    pub blocks: usize,
    /// The measured part of a slot: whole seconds.
    pub slot: Duration,
    /// Before it, sent but not measured.
    pub settle: Duration,
    /// 1, or 2: as many blocks again if the first do not decide.
    pub stages: usize,
    /// The chance of a red run between equal arms.
    pub alpha: f64,
    /// Steps that the change cannot touch.
    pub control: Vec<StepId>,
}

impl Default for Design {
    fn default() -> Self {
        let (slot, settle) = (Duration::from_secs(12), Duration::from_secs(3));
        Self { blocks: 10, slot, settle, stages: 1, alpha: 0.01, control: Vec::new() }
    }
}

impl Design {
    /// The error of one stage.
    pub fn alpha_of_stage(&self) -> f64 {
        self.alpha / self.stages.max(1) as f64
    }

    /// Whole seconds of a slot that are measured.
    pub fn slot_s(&self) -> u32 {
        u32::try_from(self.slot.as_secs()).unwrap_or(u32::MAX)
    }

    /// Why no comparison by this design can prove anything, and what would do.
    pub fn mistake(&self, comparisons: &[Comparison]) -> Option<String> {
        if !(self.alpha > 0.0 && self.alpha <= 0.25) {
            return Some(format!("--alpha {} is no error rate to promise: use 1% to 5%", percent(self.alpha)));
        }
        if !(1..=2).contains(&self.stages) {
            return Some(format!("{} stages: use 1 or 2", self.stages));
        }
        if self.slot.is_zero() || self.slot.subsec_nanos() != 0 {
            return Some("--slot is measured in whole seconds: use 1s or more".to_owned());
        }
        let most = EXACT_MOST / self.stages;
        if self.blocks > most {
            return Some(format!("{} blocks are more than the exact test takes: use at most {most}", self.blocks));
        }
        let family = |should: &dyn Fn(Level) -> bool| comparisons.iter().filter(|one| should(one.level)).count();
        let must = family(&|level| matches!(level, Level::Hard | Level::Must));
        let checks = must.max(family(&|level| level == Level::Should)).max(1);
        let needed = blocks_needed(checks, self.stages, self.alpha);
        if self.blocks < needed {
            let among = if checks > 1 { format!(" among {checks} comparisons") } else { String::new() };
            let staged = if self.stages > 1 { format!(" in {} stages", self.stages) } else { String::new() };
            let (n, alpha) = (self.blocks, percent(self.alpha));
            let blocks = if n == 1 { "block" } else { "blocks" };
            return Some(format!("{n} {blocks} can never prove a regression at {alpha}{among}{staged}: use {needed}"));
        }
        None
    }
}

/// `1 %`.
fn percent(share: f64) -> String {
    Ratio::new(share).to_string().replace('%', " %")
}

impl AbPlan {
    /// What one slot against `origin` sends: every workload at its peak, from the first instant of the settling time to the
    /// end of the slot. Both arms of a block get the same arrivals and payloads, as they get the same seed.
    pub fn slot(&self, origin: &Origin) -> LoadPlan {
        let mut plan = self.load.clone();
        let length = self.design.settle + self.design.slot;
        if let Some(base) = plan.origins.first_mut() {
            *base = origin.clone();
        }
        for workload in &mut plan.workloads {
            (workload.start, workload.warmup) = (Duration::ZERO, Duration::ZERO);
            match &mut workload.pattern {
                Pattern::Open { curve, arrivals, .. } => {
                    let peak = curve.peak();
                    *curve = Curve::new([Ramp { from: peak, to: peak, over: length }]);
                    *arrivals = None;
                }
                Pattern::Closed { hold, .. } => *hold = length,
            }
        }
        plan
    }
}
