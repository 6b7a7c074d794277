//! The coin, the slots as the journal names them, and the blocks that whole slots make.

use super::super::threshold::Stretch;
use crate::base::seed::Seed;
use crate::measure::interval::Interval;

/// One of the two targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arm {
    /// What is compared with.
    Base,
    /// What is in question.
    Candidate,
}

impl Arm {
    /// Its name in phases and for switches.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Candidate => "candidate",
        }
    }
}

/// The phase of what a slot sends before it is measured.
pub const SETTLE: &str = "warmup";
/// The phase between two slots.
pub const DRAIN: &str = "drain";

/// The coin of `block` (from 1): true when the base goes first. Fair, and drawn from `ab/coin` of the seed alone.
pub fn coin(seed: Seed, block: u64) -> bool {
    seed.keyed("ab/coin", &[block]).bits() >> 63 == 0
}

/// The arms of `block` in their order.
pub fn order(seed: Seed, block: u64) -> [Arm; 2] {
    if coin(seed, block) { [Arm::Base, Arm::Candidate] } else { [Arm::Candidate, Arm::Base] }
}

/// The name of a slot's phase: `base:3`.
pub fn phase(arm: Arm, block: u64) -> String {
    format!("{}:{block}", arm.name())
}

/// A block that was measured whole.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// True when the base went first.
    pub base_first: bool,
    /// The measured seconds of the base.
    pub base: Vec<&'a Interval>,
    /// The measured seconds of the candidate.
    pub candidate: Vec<&'a Interval>,
}

/// The blocks of which both slots lasted their whole `length` seconds, by number. Slots cut off by the end are left out.
pub fn blocks<'a>(stretches: &[Stretch], seconds: &'a [Interval], length: u32) -> Vec<Block<'a>> {
    let slot = |arm: Arm, block: u64| {
        let name = phase(arm, block);
        stretches.iter().find(|one| one.name == name && one.to - one.from == length)
    };
    let within = |one: &Stretch| {
        let inside = |second: &&Interval| (one.from..one.to).contains(&second.second);
        seconds.iter().filter(inside).collect::<Vec<_>>()
    };
    let last = stretches.iter().filter_map(|one| one.name.split_once(':')?.1.parse::<u64>().ok()).max().unwrap_or(0);
    let block = |number: u64| {
        let (base, candidate) = (slot(Arm::Base, number)?, slot(Arm::Candidate, number)?);
        let block =
            Block { number, base_first: base.from < candidate.from, base: within(base), candidate: within(candidate) };
        Some(block)
    };
    // A name of a journal is a number nobody checked: it must not make us count to it.
    (1..=last.min(stretches.len() as u64)).filter_map(block).collect()
}
