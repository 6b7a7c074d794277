//! Accounts of any length, number of steps and number of faults: for the sizes of pages.
//!
//! Not here: any assertion.

use super::{Dice, finding, made, phase, second};
use crate::judge::account::{Account, Band, BandKind};
use crate::judge::finding::Verdict;
use crate::measure::interval::{Cell, Interval};
use crate::measure::sample::StepId;

/// Steps with a request in one second; fewer in long runs, which would not fit into the memory of a small machine.
fn at_once(length: u32) -> u16 {
    if length > 3_600 { 4 } else { 20 }
}

/// A run of `length` seconds with `steps` steps and `faults` faults, of which some overlap.
pub(in crate::report) fn sized(length: u32, steps: u16, faults: u32) -> Account {
    let mut dice = Dice(17);
    let hour: Vec<Interval> =
        (0..length.min(3_600)).map(|at| spread(at, steps, at_once(length).min(steps), &mut dice)).collect();
    let mut account = made("run", "sized", hour.clone());
    let name = |n: u16| format!("/api/v2/{n}/{}", "x".repeat(usize::from(n % 90)));
    account.head.steps = (0..steps).map(name).collect();
    let mut cells = vec![Cell::default(); usize::from(steps)];
    for (step, cell) in hour.iter().flat_map(|second| &second.steps) {
        cells[usize::from(step.0)].merge(cell);
    }
    account.totals.steps = account.head.steps.iter().cloned().zip(cells).collect();
    for at in 3_600..length {
        let one = &hour[at as usize % 3_600];
        account.seconds.push(Interval { second: at, ..one.clone() });
    }
    let whole = f64::from(length);
    account.totals.duration_s = whole;
    account.bands = vec![phase("warmup", 0.0, whole / 10.0), phase("steady", whole / 10.0, whole)];
    for n in 0..faults {
        let from_s = whole * (0.2 + 0.7 * f64::from(n) / f64::from(faults));
        let to_s = (from_s + whole / 15.0).min(whole);
        account.bands.push(Band { name: format!("fault {n} of the run"), kind: BandKind::Fault, from_s, to_s });
    }
    let one = |n: u32| {
        let verdict = if n.is_multiple_of(3) { Verdict::Fail } else { Verdict::Pass };
        finding(&format!("p95{{step={n}}} < 30ms"), verdict, [48e3, 46e3, 51e3, 30e3])
    };
    account.findings = (0..40).map(one).collect();
    account
}

/// A second of the synthetic shop with its cells given to other steps, every second to the next ones.
fn spread(at: u32, steps: u16, used: u16, dice: &mut Dice) -> Interval {
    let bad = if at % 700 < 40 { 30 } else { 0 };
    let mut interval = second(at, u64::from(used) * 2, bad, dice);
    let cells: Vec<Cell> = std::mem::take(&mut interval.steps).into_values().collect();
    let first = u16::try_from(at * 7 % u32::from(steps)).unwrap_or_default();
    for n in 0..used {
        interval.steps.insert(StepId((first + n) % steps), cells[usize::from(n) % cells.len()].clone());
    }
    interval
}
