//! Could any alert be as fast as a drill demands? Told before anybody is invited.

use std::time::Duration;

use super::act::Acts;
use super::pace::Paces;
use crate::base::duration::show;
use crate::plan::check::desk::Desk;
use crate::plan::slo::{Rule, Slo};
use crate::spec::drill::{Drill, Expect, TimeMeasure};

/// Compares every target of detection with the earliest alert at the share of bad requests that an act promises. The reading with
/// people counts: the rules stand for production's, whose windows no drill compresses.
pub(super) fn detection(desk: &mut Desk, (slo, acts): (&Slo, &Acts), written: &Drill) {
    let worst = acts.list.iter().filter_map(|(act, _)| act.does.moves_bad).reduce(f64::max);
    let Some(bad) = worst.filter(|bad| *bad > 0.0) else { return };
    let fires = |rule: &Rule| Some((rule.fires_after(slo.objective, bad)?, *rule));
    let earliest = slo.reference.iter().filter_map(fires).min_by(|a, b| a.0.total_cmp(&b.0));
    let list = written.expectations.as_ref().and_then(|list| list.value.as_ref().ok()).map_or(&[][..], Vec::as_slice);
    for one in list.iter().filter_map(|one| one.value.as_ref().ok()) {
        let Ok(Expect::Time { measure, target: written, .. }) = &one.check.value else { continue };
        let Some(target) = Paces::attended(written).filter(|_| matches!(measure.value, Ok(TimeMeasure::Detect))) else {
            continue;
        };
        let share = share(bad);
        let message = match earliest {
            Some((after, _)) if after <= target.as_secs_f64() => continue,
            Some((after, rule)) => format!(
                "target {}, but {} at {share} bad fires after {} at the earliest",
                show(target),
                rule.words(),
                minutes(after)
            ),
            None if slo.reference.is_empty() => continue,
            None => format!("target {}, but no reference alert ever fires at {share} bad", show(target)),
        };
        let help = "give people more time, or add a faster rule to `slo.reference`";
        desk.warn("not-feasible", written.mark, message, help);
    }
}

fn share(bad: f64) -> String {
    let percent = format!("{:.1}", bad * 100.0);
    format!("{} %", percent.trim_end_matches('0').trim_end_matches('.'))
}

/// `4 m 19 s`.
fn minutes(after: f64) -> String {
    let whole = Duration::from_secs_f64(after.clamp(0.0, 1e9)).as_secs();
    match (whole / 60, whole % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} m"),
        (minutes, seconds) => format!("{minutes} m {seconds} s"),
    }
}
