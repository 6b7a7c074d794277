//! Which seconds a check is about: the run's bands as stretches of whole seconds, and the pieces of them a scope selects.
//!
//! Called by `threshold`, `validity`, `account`. Not here: what is read from the seconds (`estimate`).

use std::time::Duration;

use super::account::{Band, BandKind};
use crate::base::name::is_meant;
use crate::measure::interval::{Cell, Interval};
use crate::measure::sample::{Aside, StepId};
use crate::plan::threshold::{Aspect, EVERY_PHASE, Scope};

/// The phase in which nothing is done to the target.
pub const STEADY: &str = "steady";

/// Whole seconds of the run's clock under a name checks can use: `from` is in it, `to` is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// `steady`, `warmup`, `fault:ship` and so on.
    pub name: String,
    /// First second.
    pub from: u32,
    /// The second after the last one.
    pub to: u32,
}

/// The bands as stretches: borders of phases are rounded, a fault keeps its first and its last second.
pub fn stretches(bands: &[Band]) -> Vec<Stretch> {
    let stretch = |band: &Band| match band.kind {
        BandKind::Phase => {
            Some(Stretch { name: band.name.clone(), from: whole(band.from_s.round()), to: whole(band.to_s.round()) })
        }
        BandKind::Fault => Some(Stretch {
            name: format!("fault:{}", band.name),
            from: whole(band.from_s.floor()),
            to: whole(band.to_s.ceil()),
        }),
        BandKind::Impact => None,
    };
    bands.iter().filter_map(stretch).collect()
}

fn is_shaken(name: &str) -> bool {
    name.starts_with("fault:") || name.starts_with("recovery:")
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "float casts saturate, which is wanted")]
fn whole(seconds: f64) -> u32 {
    seconds as u32
}

/// The seconds of `scope` as pieces without gaps, in order; `after` drops the first part of them.
/// A scope without phases means all of the run but `warmup` and `drain`.
pub fn pieces<'a>(
    seconds: &'a [Interval],
    stretches: &[Stretch],
    scope: &Scope,
    after: Duration,
) -> Vec<Vec<&'a Interval>> {
    let within = |second: u32, names: &dyn Fn(&str) -> bool| {
        stretches.iter().any(|one| names(&one.name) && (one.from..one.to).contains(&second))
    };
    let named = |phase: &str, second: u32| match phase {
        EVERY_PHASE => true,
        // What a fault or its aftermath touched is not steady, whatever the plan calls it.
        STEADY => within(second, &|name| name == STEADY) && !within(second, &is_shaken),
        phase => within(second, &|name| name == phase),
    };
    let wanted = |second: u32| {
        if scope.but.iter().any(|phase| named(phase, second)) {
            false
        } else if scope.phases.is_empty() {
            !within(second, &|name| matches!(name, "warmup" | "drain"))
        } else {
            scope.phases.iter().any(|phase| named(phase, second))
        }
    };
    let dropped = usize::try_from(after.as_secs()).unwrap_or(usize::MAX);
    let chosen: Vec<&Interval> = seconds.iter().filter(|one| wanted(one.second)).skip(dropped).collect();
    chosen.chunk_by(|a, b| a.second + 1 == b.second).map(<[&Interval]>::to_vec).collect()
}

/// The cells that `scope` is about in `seconds`.
pub fn cells<'a>(seconds: &'a [&'a Interval], scope: &'a Scope) -> impl Iterator<Item = &'a Cell> + 'a {
    let is_meant = |step: &StepId| scope.steps.is_empty() || scope.steps.contains(step);
    let plain = scope.aspect == Aspect::Requests;
    seconds.iter().flat_map(move |one| {
        let steps = one.steps.iter().filter(move |(step, _)| plain && is_meant(step)).map(|(_, cell)| cell);
        let aside = move |aside: &Aside| match (aside, &scope.aspect) {
            (Aside::Group(name), Aspect::Group(group)) => name == group,
            (Aside::Attempts(step), Aspect::Attempts) => is_meant(step),
            (Aside::Label(step, label), Aspect::Label(glob)) => is_meant(step) && has_label(label, glob),
            _ => false,
        };
        steps.chain(one.asides.iter().filter(move |(one, _)| aside(one)).map(|(_, cell)| cell))
    })
}

/// True when the label, as `name=value`, or its value alone is meant.
fn has_label(label: &str, glob: &str) -> bool {
    is_meant(label, glob) || label.split_once('=').is_some_and(|(_, value)| is_meant(value, glob))
}

/// From the beginning of the first of `seconds` to the end of the last, on the run's clock; 0 to 0 without any.
pub fn span(seconds: &[&Interval]) -> (f64, f64) {
    match (seconds.first(), seconds.last()) {
        (Some(first), Some(last)) => (f64::from(first.second), f64::from(last.second + 1)),
        _ => (0.0, 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band(name: &str, kind: BandKind, from_s: f64, to_s: f64) -> Band {
        Band { name: name.into(), kind, from_s, to_s }
    }

    fn chosen(phases: &[&str], after: u64) -> Vec<Vec<u32>> {
        let bands = [
            band("warmup", BandKind::Phase, 0.0, 2.02),
            band("steady", BandKind::Phase, 2.02, 8.4),
            band("drain", BandKind::Phase, 8.4, 10.0),
            band("slow", BandKind::Fault, 4.9, 6.1),
            band("impact", BandKind::Impact, 5.0, 6.0),
        ];
        let seconds: Vec<Interval> = (0..10).map(Interval::at).collect();
        let scope = Scope { phases: phases.iter().map(|&one| one.to_owned()).collect(), ..Scope::default() };
        pieces(&seconds, &stretches(&bands), &scope, Duration::from_secs(after))
            .iter()
            .map(|piece| piece.iter().map(|one| one.second).collect())
            .collect()
    }

    #[test]
    fn borders_round_and_a_fault_keeps_its_first_and_last_second() {
        assert_eq!(chosen(&[], 0), [[2, 3, 4, 5, 6, 7]]);
        assert_eq!(chosen(&["steady"], 0), [vec![2, 3], vec![7]], "what a fault touched is not steady");
        assert_eq!(chosen(&["fault:slow"], 0), [[4, 5, 6]]);
        assert_eq!(chosen(&["warmup", "fault:slow", "drain"], 0), [vec![0, 1], vec![4, 5, 6], vec![8, 9]]);
        assert_eq!(chosen(&["steady"], 2), [[7]]);
        assert_eq!(chosen(&["*"], 0), [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
        assert!(chosen(&["impact"], 0).is_empty() && chosen(&["fault:fast"], 0).is_empty());
    }

    #[test]
    fn a_scope_sees_requests_once_unless_it_asks_for_another_aspect() {
        let cell = |n: u64| {
            let mut cell = Cell::default();
            (0..n).for_each(|_| cell.response.ok.record(1));
            cell
        };
        let mut second = Interval::at(0);
        second.steps = [(StepId(0), cell(1)), (StepId(1), cell(2))].into();
        second.asides = [
            (Aside::Group("front".to_owned()), cell(4)),
            (Aside::Attempts(StepId(1)), cell(8)),
            (Aside::Label(StepId(0), "x-zone=north".to_owned()), cell(16)),
            (Aside::Label(StepId(1), "x-zone=south".to_owned()), cell(32)),
        ]
        .into();
        let label = |glob: &str| Aspect::Label(glob.to_owned());
        for (steps, aspect, n) in [
            (vec![], Aspect::Requests, 3),
            (vec![StepId(1)], Aspect::Requests, 2),
            (vec![], Aspect::Group("front".to_owned()), 4),
            (vec![], Aspect::Group("back".to_owned()), 0),
            (vec![StepId(1)], Aspect::Attempts, 8),
            (vec![StepId(0)], Aspect::Attempts, 0),
            (vec![], label("north"), 16),
            (vec![], label("*th"), 48),
            (vec![StepId(1)], label("x-zone=*"), 32),
        ] {
            let scope = Scope { steps, aspect, ..Scope::default() };
            let seen: u64 = cells(&[&second], &scope).map(Cell::answered).sum();
            assert_eq!(seen, n, "{scope:?}");
        }
    }
}
