//! The signals of the generator's health, one row each: limit, what was seen, verdict.
//!
//! Called by `validity::of`. Not here: the windows of single checks.

use super::super::account::Generator;
use super::super::finding::{Evidence, Finding, FindingKind, Reason, Verdict};
use super::super::threshold::Stretch;
use super::super::words::{advice, quantity};
use super::{BUSY, JUMP_US, Model, Run, SHED, STALL_US, STALLED, WAITING, stalled};
use crate::measure::interval::{Cell, Interval, Travel};
use crate::measure::outcome::Class;
use crate::plan::threshold::{Level, Unit};

/// Id of the signal that names stalls.
pub(super) const STALL: &str = "generator.stall";

/// One signal, judged.
pub(super) struct Row {
    id: &'static str,
    subject: &'static str,
    expected: String,
    observed: String,
    verdict: Verdict,
    value: Option<f64>,
    bound: f64,
    unit: Unit,
    n: u64,
}

impl Row {
    pub(super) fn finding(self, window_s: (f64, f64)) -> Finding {
        let reason = if self.verdict == Verdict::Pass { Reason::Within } else { Reason::Generator };
        let next = if self.id == "generator.shed" && self.verdict == Verdict::Warn {
            "the target cannot take this rate: shed arrivals count as failures"
        } else {
            advice(reason)
        };
        Finding {
            id: self.id.to_owned(),
            kind: FindingKind::Validity,
            level: Level::Must,
            verdict: self.verdict,
            reason,
            subject: self.subject.to_owned(),
            expected: self.expected,
            observed: self.observed,
            next: next.to_owned(),
            evidence: Evidence {
                value: self.value.filter(|value| value.is_finite()),
                low: None,
                high: None,
                bound: Some(self.bound),
                unit: self.unit,
                n: self.n,
                n_eff: None,
                deff: None,
                window_s,
                compare: None,
            },
            source: None,
        }
    }
}

pub(super) fn late_row(run: &Run<'_>, generator: &Generator, verdict: Verdict) -> Row {
    let limits = run.limits;
    let p99 = generator.lateness_p99_us.map(|us| us as f64);
    let shown = p99.map_or("nothing was sent".to_owned(), |us| format!("p99 {}", quantity(us, Unit::Us)));
    let (expected, observed) = match limits.model {
        Model::Open => (format!("p99 <= {}", quantity(limits.warn_us, Unit::Us)), shown),
        Model::Closed => ("shown, not judged".to_owned(), format!("{shown}; closed model: stalls reduce load")),
    };
    Row {
        id: "generator.lateness",
        subject: "lateness of the generator",
        expected,
        observed,
        verdict,
        value: p99,
        bound: limits.warn_us,
        unit: Unit::Us,
        n: 0,
    }
}

pub(super) fn stall_row(run: &Run<'_>, generator: &Generator, all: &[&Interval]) -> Row {
    let share = stalled(all);
    let verdict = match share {
        share if share > STALLED => Verdict::Invalid,
        share if share > 0.0 => Verdict::Warn,
        _ => Verdict::Pass,
    };
    Row {
        id: STALL,
        subject: "stalls of the generator",
        expected: format!("no heartbeat later than {}", quantity(STALL_US as f64, Unit::Us)),
        observed: stalls_in_words(&generator.stalls, run.seconds.first().map_or(0, |one| one.second)),
        verdict,
        value: Some(share),
        bound: STALLED,
        unit: Unit::Ratio,
        n: all.len() as u64,
    }
}

/// `stood still 1 s at t = 4 s; 1000 arrivals affected`; `zero` is the second the run began.
fn stalls_in_words(stalls: &[(u32, f64, u64)], zero: u32) -> String {
    let affected: u64 = stalls.iter().map(|(_, _, affected)| affected).sum();
    let Some((second, longest, _)) = stalls.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return "none".to_owned();
    };
    let at = format!("{} at t = {} s", quantity(longest * 1e3, Unit::Us), second.saturating_sub(zero));
    match stalls.len() {
        1 => format!("stood still {at}; {affected} arrivals affected"),
        n => format!("stood still {n} times, longest {at}; {affected} arrivals affected"),
    }
}

pub(super) fn busy_row(generator: &Generator, lateness: Verdict, model: Model) -> Row {
    let verdict = match (generator.cpu_peak > BUSY.0, lateness) {
        (false, _) => Verdict::Pass,
        (true, Verdict::Pass) => Verdict::Warn,
        (true, _) => Verdict::Invalid,
    };
    let bound = if verdict != Verdict::Pass && model == Model::Closed {
        "; generator-bound: the users were held up here, so their rate is a lower bound"
    } else {
        ""
    };
    Row {
        id: "generator.cpu",
        subject: "processor of the generator",
        expected: format!("at most {} of a core for {} s", quantity(BUSY.0, Unit::Ratio), BUSY.1),
        observed: format!(
            "the busiest {} s took {} of a core{bound}",
            BUSY.1,
            quantity(generator.cpu_peak, Unit::Ratio)
        ),
        verdict,
        value: Some(generator.cpu_peak),
        bound: BUSY.0,
        unit: Unit::Ratio,
        n: 0,
    }
}

pub(super) fn waiting_row(all: &[&Interval]) -> Row {
    let longest = |one: &&Interval| one.health.values().map(|worker| worker.waited_us).max().unwrap_or(0);
    let over = all.iter().filter(|one| longest(one) as f64 > WAITING * 1e6).count();
    let worst = all.iter().map(longest).max().unwrap_or(0) as f64 / 1e6;
    Row {
        id: "generator.waiting",
        subject: "waiting for a processor",
        expected: format!("at most {} of a second", quantity(WAITING, Unit::Ratio)),
        observed: format!("more in {over} of {} s, {} at worst", all.len(), quantity(worst, Unit::Ratio)),
        verdict: if over > 0 { Verdict::Warn } else { Verdict::Pass },
        value: Some(worst),
        bound: WAITING,
        unit: Unit::Ratio,
        n: all.len() as u64,
    }
}

fn shed_because(all: &[&Interval], shed: u64) -> String {
    let over = |cell: &Cell| cell.errors.get("over_ceiling").copied().unwrap_or(0);
    match all.iter().flat_map(|one| one.steps.values()).map(over).sum::<u64>() {
        0 => "too many were under way".to_owned(),
        over if over == shed => "the ceiling of the target was reached".to_owned(),
        over => format!("too many were under way, and {over} times the ceiling of the target was reached"),
    }
}

pub(super) fn shed_row(all: &[&Interval], lateness: Verdict) -> Row {
    let (mut n, mut shed) = (0, 0);
    for cell in all.iter().flat_map(|one| one.steps.values()) {
        n += cell.arrivals();
        shed += cell.classes.get(Class::Shed);
    }
    let share = shed as f64 / n.max(1) as f64;
    let verdict = match (share > SHED, lateness) {
        (false, _) => Verdict::Pass,
        (true, Verdict::Pass) => Verdict::Warn,
        (true, _) => Verdict::Invalid,
    };
    Row {
        id: "generator.shed",
        subject: "shed arrivals",
        expected: format!("at most {}", quantity(SHED, Unit::Ratio)),
        observed: format!("{shed} of {n} arrivals were not sent: {}", shed_because(all, shed)),
        verdict,
        value: Some(share),
        bound: SHED,
        unit: Unit::Ratio,
        n,
    }
}

/// The measured part of a run: its steady phase, or the slots of two arms.
fn is_steady(phase: &str) -> bool {
    phase == "steady" || phase.starts_with("base:") || phase.starts_with("candidate:")
}

/// Sent in the steady seconds without a fault against due in them. What was shed was not to be sent, and what could not be
/// made into a request is the scenario's fault.
pub(super) fn pace_row(run: &Run<'_>) -> Option<Row> {
    let calm = |second: u32| {
        let inside = |one: &Stretch| (one.from..one.to).contains(&second);
        !run.stretches.iter().any(|one| one.name.starts_with("fault:") && inside(one))
            && run.stretches.iter().any(|one| is_steady(&one.name) && inside(one))
    };
    let (mut due, mut sent) = (0, 0);
    for second in run.seconds.iter().filter(|one| calm(one.second)) {
        let unsendable = |cell: &Cell| cell.errors.get("variable").copied().unwrap_or(0);
        due += second.steps.values().map(|cell| cell.lateness.n() + cell.staged - unsendable(cell)).sum::<u64>();
        sent += second.flow.sent;
    }
    if due == 0 || run.limits.model == Model::Closed {
        return None;
    }
    let share = sent as f64 / due as f64;
    let verdict = match share {
        share if share < 0.98 => Verdict::Invalid,
        share if share < 0.99 => Verdict::Warn,
        _ => Verdict::Pass,
    };
    Some(Row {
        id: "generator.achieved",
        subject: "requests sent in time",
        expected: "at least 99 % of those due in the steady phase left in it".to_owned(),
        observed: format!("{} of {due}", quantity(share.min(1.0), Unit::Ratio)),
        verdict,
        value: Some(share),
        bound: 0.99,
        unit: Unit::Ratio,
        n: due,
    })
}

/// Every planned arrival is begun, shed or known not to have started; every begun one has an end.
pub(super) fn sum_row(run: &Run<'_>) -> Option<Row> {
    let done = run.done?;
    let travel = travel(run.seconds);
    let known = travel.started + travel.shed + done.not_started;
    let ended = travel.completed + travel.failed + travel.unfinished + travel.staged;
    let planned = if run.limits.model == Model::Open { done.planned } else { known };
    let lost = planned.abs_diff(known).max(travel.started.abs_diff(ended)).max(u64::from(done.lost_frames));
    Some(Row {
        id: "generator.sum",
        subject: "accounting of arrivals",
        expected: "planned = begun + shed + not started, every begun one ends, no frame is lost".to_owned(),
        observed: format!(
            "{planned} planned; {} begun, {} shed, {} not started; {ended} ended; {} frames lost",
            travel.started, travel.shed, done.not_started, done.lost_frames
        ),
        verdict: if lost > 0 { Verdict::Invalid } else { Verdict::Pass },
        value: Some(lost as f64),
        bound: 0.0,
        unit: Unit::Count,
        n: planned,
    })
}

pub(super) fn exhausted_row(seconds: &[Interval]) -> Row {
    let ours = |(kind, n): (&String, &u64)| if matches!(kind.as_str(), "local_port" | "local_fd") { *n } else { 0 };
    let n: u64 = seconds.iter().flat_map(|one| one.steps.values()).flat_map(|cell| &cell.errors).map(ours).sum();
    Row {
        id: "generator.exhausted",
        subject: "ports and file descriptors",
        expected: "never exhausted".to_owned(),
        observed: format!("{n} requests found none left"),
        verdict: if n > 0 { Verdict::Invalid } else { Verdict::Pass },
        value: Some(n as f64),
        bound: 0.0,
        unit: Unit::Count,
        n,
    }
}

/// Labels of time are off after a jump; what was measured is not, for it is monotonic.
pub(super) fn clock_row(all: &[&Interval]) -> Row {
    let worst = all.iter().flat_map(|one| one.health.values()).map(|worker| worker.jump_us).max().unwrap_or(0);
    Row {
        id: "generator.clock",
        subject: "wall clock against monotonic",
        expected: format!("no jump of more than {}", quantity(JUMP_US as f64, Unit::Us)),
        observed: format!("{} at most", quantity(worst as f64, Unit::Us)),
        verdict: if worst > JUMP_US { Verdict::Warn } else { Verdict::Pass },
        value: Some(worst as f64),
        bound: JUMP_US as f64,
        unit: Unit::Us,
        n: all.len() as u64,
    }
}

fn travel<'a>(seconds: impl IntoIterator<Item = &'a Interval>) -> Travel {
    let mut all = Travel::default();
    seconds.into_iter().flat_map(|one| one.journeys.values()).for_each(|one| all.merge(one));
    all
}
