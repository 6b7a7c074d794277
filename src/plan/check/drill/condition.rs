//! Conditions: signals with levels in their units, what has happened, and the rules that end a drill.

use std::time::Duration;

use super::act::{Acts, known, stated};
use super::pace::Paces;
use super::system::said;
use crate::base::ratio::Ratio;
use crate::plan::check::desk::Desk;
use crate::plan::condition::{Abort, AbortVerdict, Condition, Limits, Signal};
use crate::spec::condition::{
    Abort as WrittenAbort, AbortVerdict as WrittenVerdict, Condition as Written, Signal as WrittenSignal,
};
use crate::spec::drill::{Drill, Run};
use crate::spec::source::Spanned;

/// The level of a signal in its unit: shares 0 to 1, seconds, per second; signals that nothing measures here are refused.
pub(super) fn level(desk: &mut Desk, signal: &Spanned<WrittenSignal>, value: &Spanned<String>) -> Option<f64> {
    let live = live(desk, signal)?;
    match live {
        Signal::Bad | Signal::Errors | Signal::Throttled => desk.ratio(value).map(Ratio::get),
        Signal::LatencyP95 | Signal::LatenessP99 | Signal::BadTime => {
            desk.duration(value).map(|time| time.as_secs_f64())
        }
        Signal::Goodput => desk.rate(value),
    }
}

fn live(desk: &mut Desk, signal: &Spanned<WrittenSignal>) -> Option<Signal> {
    Some(match desk.open(signal)? {
        WrittenSignal::Bad => Signal::Bad,
        WrittenSignal::Errors => Signal::Errors,
        WrittenSignal::Throttled => Signal::Throttled,
        WrittenSignal::LatencyP95 => Signal::LatencyP95,
        WrittenSignal::LatenessP99 => Signal::LatenessP99,
        WrittenSignal::BadMinutes => Signal::BadTime,
        WrittenSignal::Goodput => Signal::Goodput,
        unmeasured => {
            let message = format!("nothing in the scenario measures `{unmeasured:?}`");
            desk.error("unmeasured-signal", signal.mark, message, "name a signal such as Bad, Errors or LatencyP95");
            return None;
        }
    })
}

/// A condition. Names of acts are looked up by [`known_acts`], once all acts are known.
pub(super) fn condition(desk: &mut Desk, paces: Paces, written: &Spanned<Written>) -> Option<Condition> {
    Some(match desk.open(written)? {
        Written::Over(signal, value) => {
            let level = level(desk, signal, value)?;
            Condition::Over(live(desk, signal)?, level)
        }
        Written::Under(signal, value) => {
            let level = level(desk, signal, value)?;
            Condition::Under(live(desk, signal)?, level)
        }
        Written::Marked(mark) => Condition::Marked(stated(*desk.open(mark)?).to_owned()),
        Written::Unmarked(mark) => Condition::Unmarked(stated(*desk.open(mark)?).to_owned()),
        Written::Fired(name) => Condition::Fired(desk.text(name)?.to_owned()),
        Written::Healed(name) => Condition::Healed(desk.text(name)?.to_owned()),
        Written::All(list) => Condition::All(all(desk, paces, list)?),
        Written::Any(list) => Condition::Any(all(desk, paces, list)?),
        Written::Not(one) => Condition::Not(Box::new(condition(desk, paces, one)?)),
    })
}

fn all(desk: &mut Desk, paces: Paces, written: &Spanned<Vec<Spanned<Written>>>) -> Option<Vec<Condition>> {
    let list = desk.open(written)?;
    if list.is_empty() {
        desk.error("missing-field", written.mark, "this joins no conditions", "name at least one");
    }
    let read: Vec<Option<Condition>> = list.iter().map(|one| condition(desk, paces, one)).collect();
    read.into_iter().collect()
}

/// Reports acts that a condition names and nobody knows.
pub(super) fn known_acts(desk: &mut Desk, acts: &Acts, written: &Spanned<Written>) {
    match &written.value {
        Ok(Written::Fired(name) | Written::Healed(name)) if !acts.has_gaps => known(desk, "act", name, &acts.names()),
        Ok(Written::All(list) | Written::Any(list)) => {
            for one in list.value.iter().flatten() {
                known_acts(desk, acts, one);
            }
        }
        Ok(Written::Not(one)) => known_acts(desk, acts, one),
        _ => {}
    }
}

/// What ends the drill before its time.
pub(super) fn limits(desk: &mut Desk, paces: Paces, acts: &Acts, (drill, run): (&Drill, Option<&Run>)) -> Limits {
    let bad_budget = run.and_then(|run| {
        let spanned = run.bad_budget.as_ref()?;
        let budget = *desk.open(spanned)?;
        if budget == 0 {
            let message = "a budget of 0 bad requests ends every drill at its first one";
            desk.error("out-of-range", spanned.mark, message, "write at least 1, or leave it out");
        }
        Some(budget)
    });
    let list = desk.open_if(drill.abort.as_ref()).map_or(&[][..], Vec::as_slice);
    let aborts = list.iter().filter_map(|one| abort(desk, paces, acts, one)).collect();
    Limits { bad_budget, aborts }
}

fn abort(desk: &mut Desk, paces: Paces, acts: &Acts, written: &Spanned<WrittenAbort>) -> Option<Abort> {
    let written = desk.open(written)?;
    let when = condition(desk, paces, &written.when);
    known_acts(desk, acts, &written.when);
    let hold = written.hold.as_ref().map_or(Some(Duration::ZERO), |hold| paces.read_plain(desk, hold));
    let because = said(desk, &written.because);
    let verdict = match desk.open_if(written.verdict.as_ref()) {
        Some(WrittenVerdict::Invalid) => AbortVerdict::Invalid,
        Some(WrittenVerdict::Aborted) | None => AbortVerdict::Aborted,
    };
    Some(Abort { when: when?, hold: hold?, because, verdict })
}
