//! One panel per fault: the run around it, what was normal before, and which steps it hit.
//!
//! Not here: instants of a drill's incident (`judge`), which are only shown, and pixels (`html::acts`).

use std::collections::BTreeMap;

use super::course::{self, Column, Course};
use super::drill::{Mark, MarkKind};
use crate::judge::account::{Account, Band, BandKind};
use crate::measure::interval::{Cell, Interval};
use crate::measure::outcome::Class;
use crate::report::words;
use crate::stats::proportion::wilson;

/// Panels that are drawn.
const DRAWN: usize = 6;
/// Steps in a panel's table.
const STEPS: usize = 20;
/// Seconds before the fault that say what is normal.
const CALM_S: f64 = 60.0;
/// Fewer seconds say nothing about what is normal.
const CALM_LEAST: usize = 6;
/// Columns in a row that make a change.
const IN_A_ROW: usize = 3;
/// Standard errors of a 95 % interval.
const Z: f64 = 1.96;

/// The panels, and how many more faults there were.
#[derive(Debug, Default)]
pub struct Panels {
    /// In order of the faults.
    pub drawn: Vec<FaultPanel>,
    /// Names of the faults without a panel.
    pub more: Vec<String>,
}

/// The run around one fault; 0 is its injection.
#[derive(Debug)]
pub struct FaultPanel {
    /// Its name.
    pub name: String,
    /// The run around it.
    pub course: Course,
    /// Injected, degraded, healed, recovered.
    pub marks: Vec<Mark>,
    /// What was normal before, if there was enough to say.
    pub steady: Option<Steady>,
    /// Steps, as rows: step, bad before and during, p95 before and during, hit or not.
    pub steps: Vec<[String; 6]>,
    /// What the picture says.
    pub caption: String,
}

/// Where 95 % of the seconds before the fault lay: from, to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steady {
    /// Response time p95 of a second, µs.
    pub p95: (f64, f64),
    /// Good answers per second.
    pub good: (f64, f64),
}

/// The panels of the faults of `account`.
pub fn of(account: &Account) -> Panels {
    let faults: Vec<&Band> = account.bands.iter().filter(|band| band.kind == BandKind::Fault).collect();
    Panels {
        drawn: faults.iter().take(DRAWN).map(|band| panel(account, band)).collect(),
        more: faults.iter().skip(DRAWN).map(|band| words::name(&band.name)).collect(),
    }
}

fn panel(account: &Account, fault: &Band) -> FaultPanel {
    let length = fault.to_s - fault.from_s;
    let whole = course_ends(account);
    let from = (fault.from_s - (length / 2.0).clamp(10.0, 60.0)).max(whole.0).floor();
    let to = (fault.to_s + length.clamp(20.0, 120.0)).min(whole.1).ceil();
    let course = course::between(account, (from, to), fault.from_s);
    let calm = calm(account, fault);
    let steady = steady(&calm);
    let marks = marks(account, fault, &course, steady);
    let during = course::part(&account.seconds, fault.from_s, fault.to_s);
    let caption = caption(fault, &marks, steady.is_some());
    let steps = steps(account, &calm, during);
    FaultPanel { name: words::name(&fault.name), course, marks, steady, steps, caption }
}

fn course_ends(account: &Account) -> (f64, f64) {
    let second = |one: Option<&Interval>| one.map_or(0.0, |one| f64::from(one.second));
    (second(account.seconds.first()), second(account.seconds.last()) + 1.0)
}

/// The seconds before the fault in which nothing else was broken and no load was ramping up.
fn calm<'a>(account: &'a Account, fault: &Band) -> Vec<&'a Interval> {
    let unfit = |band: &&Band| band.kind != BandKind::Phase || matches!(band.name.as_str(), "warmup" | "drain");
    let within =
        |at: f64| account.bands.iter().filter(unfit).any(|band| (band.from_s.floor()..band.to_s).contains(&at));
    let before = course::part(&account.seconds, fault.from_s - CALM_S, fault.from_s.floor());
    before.iter().filter(|one| !within(f64::from(one.second))).collect()
}

fn steady(calm: &[&Interval]) -> Option<Steady> {
    let cells: Vec<Cell> = calm.iter().map(|one| one.total()).collect();
    let p95: Vec<f64> =
        cells.iter().filter_map(|cell| cell.response.both().value_at(0.95)).map(|us| us as f64).collect();
    let good: Vec<f64> = cells.iter().map(|cell| cell.classes.get(Class::Ok) as f64).collect();
    Some(Steady { p95: middle(p95)?, good: middle(good)? })
}

/// From the 2.5th to the 97.5th percentile; of few values all.
fn middle(mut values: Vec<f64>) -> Option<(f64, f64)> {
    values.sort_by(f64::total_cmp);
    let spare = values.len() / 40;
    let (low, high) = (values.get(spare)?, values.get(values.len().checked_sub(spare + 1)?)?);
    (values.len() >= CALM_LEAST).then_some((*low, *high))
}

fn outside(column: &Column, steady: Steady) -> bool {
    let slow = column.quantiles[1].is_some_and(|us| us as f64 > steady.p95.1 * 1.1);
    slow || column.per_second(column.classes.get(Class::Ok)) < steady.good.0 * 0.9
}

/// The start of the first run of columns from `from_s` on that are all `wanted`.
fn first_run(course: &Course, from_s: f64, wanted: impl Fn(&Column) -> bool) -> Option<f64> {
    let later: Vec<&Column> = course.columns.iter().filter(|column| column.to_s() > from_s).collect();
    later.windows(IN_A_ROW).find(|run| run.iter().all(|column| wanted(column))).map(|run| run[0].from_s.max(from_s))
}

fn marks(account: &Account, fault: &Band, course: &Course, steady: Option<Steady>) -> Vec<Mark> {
    // A drill's instants are measured once, for all documents.
    let (degraded, recovered) = if let Some(drill) = &account.drill {
        (drill.timeline.impact_s, drill.timeline.recovered_s)
    } else {
        let degraded = steady.and_then(|steady| first_run(course, fault.from_s, |column| outside(column, steady)));
        let back = |from| steady.and_then(|steady| first_run(course, from, |column| !outside(column, steady)));
        let degraded = degraded.filter(|at| *at < fault.to_s);
        (degraded, degraded.and_then(|_| back(fault.to_s)))
    };
    let healed = (fault.to_s < course.to_s - 0.5).then_some(fault.to_s);
    let all = [
        (Some(fault.from_s), MarkKind::Act, "injected"),
        (degraded, MarkKind::Measured, "degraded"),
        (healed, MarkKind::Note, "healed"),
        (recovered, MarkKind::Measured, "recovered"),
    ];
    let mut marks: Vec<Mark> = all
        .into_iter()
        .filter_map(|(at, kind, label)| Some((at?, kind, label)))
        .filter(|(at, ..)| (course.from_s..course.to_s).contains(at))
        .map(|(at_s, kind, label)| Mark { at_s, kind, label: label.to_owned(), source: "measured", seq: None })
        .collect();
    marks.sort_by(|a, b| a.at_s.total_cmp(&b.at_s).then(a.kind.cmp(&b.kind)));
    marks
}

fn caption(fault: &Band, marks: &[Mark], known: bool) -> String {
    let at = |label: &str| marks.iter().find(|mark| mark.label == label).map(|mark| mark.at_s);
    let name = words::name(&fault.name);
    if !known {
        return format!("“{name}”: too few seconds before it to say what was normal.");
    }
    let Some(degraded) = at("degraded") else {
        return format!(
            "“{name}” was in force for {}, and nothing left its normal range.",
            words::span(fault.to_s - fault.from_s)
        );
    };
    // Instants are dated to whole seconds of due times: nearer than one says no more than this.
    let felt = match degraded - fault.from_s {
        after if after < 1.0 => format!("“{name}” was felt at once"),
        after => format!("“{name}” was felt {} after it was injected", words::span(after)),
    };
    match (at("healed"), at("recovered")) {
        (Some(healed), Some(recovered)) if recovered >= healed => {
            format!("{felt}, and for {} after it was healed.", words::span(recovered - healed))
        }
        (_, Some(recovered)) => {
            format!("{felt}; all was normal again {} after injection.", words::span(recovered - fault.from_s))
        }
        (_, None) => format!("{felt}; it was not normal again while this picture lasts."),
    }
}

/// The steps hit and not hit, hit first.
fn steps(account: &Account, calm: &[&Interval], during: &[Interval]) -> Vec<[String; 6]> {
    let before = by_step(calm.iter().copied());
    let during = by_step(during.iter());
    let none = Cell::default();
    let mut rows: Vec<(bool, u64, [String; 6])> = during
        .iter()
        .map(|(step, cell)| {
            let name = account
                .head
                .steps
                .get(usize::from(*step))
                .map_or_else(|| format!("step {step}"), |name| words::name(name));
            let old = before.get(step).unwrap_or(&none);
            let hit = hit(old, cell);
            let bad = |cell: &Cell| words::part(cell.classes.bad(), cell.arrivals());
            let p95 = |cell: &Cell| words::time_or_dash(cell.response.both().value_at(0.95));
            let word = if hit { "hit" } else { "not hit" };
            (hit, cell.classes.bad(), [name, bad(old), bad(cell), p95(old), p95(cell), word.to_owned()])
        })
        .collect();
    rows.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.cmp(&a.1)).then(a.2[0].cmp(&b.2[0])));
    rows.into_iter().take(STEPS).map(|(_, _, row)| row).collect()
}

fn by_step<'a>(seconds: impl Iterator<Item = &'a Interval>) -> BTreeMap<u16, Cell> {
    let mut cells: BTreeMap<u16, Cell> = BTreeMap::new();
    for (step, cell) in seconds.flat_map(|second| &second.steps) {
        cells.entry(step.0).or_default().merge(cell);
    }
    cells
}

/// Whether a step went clearly bad (the intervals of its bad share do not touch) or slow (p95 doubled).
fn hit(before: &Cell, during: &Cell) -> bool {
    let limits = |cell: &Cell| {
        let n = cell.arrivals() as f64;
        wilson(cell.classes.bad() as f64 / n.max(1.0), n, Z)
    };
    let p95 = |cell: &Cell| cell.response.both().value_at(0.95);
    let slow = p95(during).zip(p95(before)).is_some_and(|(new, old)| new > 2 * old);
    before.arrivals() > 0 && (limits(during).low > limits(before).high || slow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_fault_of_a_load_run_is_dated_from_its_own_seconds() {
        let mut account = sample::drill();
        account.drill = None;
        let panels = of(&account);
        let [panel] = panels.drawn.as_slice() else { panic!("{panels:?}") };
        let at = |label: &str| panel.marks.iter().find(|mark| mark.label == label).map(|mark| mark.at_s);
        assert_eq!(at("degraded"), Some(62.0));
        assert_eq!(at("healed"), Some(96.1));
        assert_eq!(at("recovered"), Some(105.0));
        assert_eq!(
            words::plain(&panel.caption),
            "“ship” was felt 1.6 s after it was injected, and for 8.9 s after it was healed."
        );
        assert!(panel.steps.iter().all(|row| row[5] == "hit"), "{:?}", panel.steps);
    }

    #[test]
    fn a_fault_that_nobody_felt_says_so_and_more_than_six_are_named() {
        let mut account = sample::load();
        let fault = |n: u32| Band {
            name: format!("f{n}"),
            kind: BandKind::Fault,
            from_s: 60.0 + f64::from(n),
            to_s: 70.0 + f64::from(n),
        };
        account.bands.push(fault(0));
        let panels = of(&account);
        assert!(panels.drawn[0].caption.ends_with("nothing left its normal range."), "{}", panels.drawn[0].caption);
        assert!(panels.drawn[0].steps.iter().all(|row| row[5] == "not hit"));
        account.bands.extend((1..9).map(fault));
        assert_eq!(of(&account).more, ["f6", "f7", "f8"]);
    }
}
