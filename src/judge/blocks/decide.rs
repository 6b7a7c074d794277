//! What all blocks prove about the comparisons of one family: exact tests, Holm's steps, one or two stages.
//!
//! Pure numbers: told the effects, tells what may be said. Not here: words (`words`), guards (`guard`).

use super::super::finding::{Reason, Verdict};
use super::effect::{Effects, NEVER};
use crate::plan::ab::Design;
use crate::stats::holm::{blocks_needed, detectable, deviation, holm};
use crate::stats::rank::{SignedRank, Walsh, signed_rank};

/// Error of the upper bound that lets a comparison pass.
const PASS_ERROR: f64 = 0.05;
/// More void blocks than this share decide nothing.
const VOID_MOST: f64 = 0.1;

/// Comparisons that share one promise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family<'a> {
    pub(super) effects: &'a [&'a Effects],
    pub(super) design: &'a Design,
}

/// One comparison, decided.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decision {
    pub(super) verdict: Verdict,
    pub(super) reason: Reason,
    /// The test on all blocks.
    pub(super) test: SignedRank,
    /// Comparisons in the family.
    pub(super) m: usize,
    /// At which stage it was decided.
    pub(super) stage: usize,
    /// Centre of the change without margin, and its one-sided bounds at the gate's error.
    pub(super) centre: Option<f64>,
    pub(super) bounds: Option<(f64, f64)>,
    /// Upper 95 % bound of what lies beyond the margin.
    pub(super) upper: Option<f64>,
    /// Deviation of the change, and the smallest change beyond the margin that would show.
    pub(super) sd: Option<f64>,
    pub(super) detectable: Option<f64>,
}

/// Decides every comparison of a family.
pub(super) fn family(family: &Family<'_>) -> Vec<Decision> {
    let red = red(family);
    let decided = |(effects, red): (&&Effects, Option<usize>)| one(effects, family, red);
    family.effects.iter().zip(red).map(decided).collect()
}

/// The stage at which each comparison of a family is proven, where it is.
pub(super) fn red(family: &Family<'_>) -> Vec<Option<usize>> {
    let stage = stage(family);
    let early = if stage == 2 { rejected(family, family.design.blocks) } else { vec![false; family.effects.len()] };
    let late = if is_complete(family) { rejected(family, usize::MAX) } else { vec![false; family.effects.len()] };
    early.into_iter().zip(late).map(|(early, late)| if early { Some(1) } else { late.then_some(stage) }).collect()
}

/// How many blocks were measured, void ones counted.
fn planned(family: &Family<'_>) -> usize {
    family.effects.iter().map(|one| one.all.len()).max().unwrap_or(0)
}

/// The last stage that was begun.
fn stage(family: &Family<'_>) -> usize {
    if family.design.stages > 1 && planned(family) > family.design.blocks { 2 } else { 1 }
}

/// Whether the last stage that was begun has all its blocks: only then is it looked at.
fn is_complete(family: &Family<'_>) -> bool {
    planned(family) >= family.design.blocks * stage(family)
}

/// Which comparisons the first `blocks` blocks reject at one stage's error.
fn rejected(family: &Family<'_>, blocks: usize) -> Vec<bool> {
    let p: Vec<f64> = family.effects.iter().map(|effects| signed_rank(&effects.beyond(blocks)).p).collect();
    holm(&p, family.design.alpha_of_stage())
}

fn one(effects: &Effects, group: &Family<'_>, red: Option<usize>) -> Decision {
    let (design, m) = (group.design, group.effects.len());
    let (changes, beyond) = (effects.changes(), effects.beyond(usize::MAX));
    let upper = Walsh::of(&beyond).bounds(PASS_ERROR).map(|(_, high)| high);
    let walsh = Walsh::of(&changes);
    let sd = deviation(&changes).filter(|sd| *sd < NEVER / 10.0);
    let (n, planned) = (changes.len(), effects.all.len());
    let needed = blocks_needed(m, design.stages, design.alpha);
    let (verdict, reason) = match () {
        () if n == 0 || (planned - n) as f64 > VOID_MOST * planned as f64 => (Verdict::Inconclusive, Reason::NoData),
        () if red.is_some() && beyond.iter().any(|one| *one >= NEVER / 2.0) => (Verdict::Fail, Reason::Unanswered),
        () if red.is_some() => (Verdict::Fail, Reason::Beyond),
        () if !is_complete(group) => (Verdict::Inconclusive, Reason::Truncated),
        () if upper.is_some_and(|upper| upper < 0.0) => (Verdict::Pass, Reason::Within),
        () if n < needed => (Verdict::Inconclusive, Reason::Unresolvable),
        () => (Verdict::Inconclusive, Reason::LowPower),
    };
    Decision {
        verdict,
        reason,
        test: signed_rank(&beyond),
        m,
        stage: red.unwrap_or_else(|| stage(group)),
        centre: walsh.centre(),
        bounds: walsh.bounds(design.alpha),
        upper,
        sd,
        // The strictest step is the one that the first red of the family has to pass; too few blocks show nothing at all.
        detectable: sd
            .filter(|_| n >= needed)
            .and_then(|sd| detectable(sd, n, design.alpha_of_stage() / m.max(1) as f64)),
    }
}
