//! What each chart shows, as a finding in plain words: the caption under it, and its text for those who cannot see it.
//!
//! Not here: the sentence under the verdict (`sentence`).

use super::course::{Column, Course};
use crate::judge::account::{Account, DrillAccount};
use crate::report::words;

/// Of the hero chart of a drill.
pub fn hero(account: &Account, drill: &DrillAccount) -> String {
    let timeline = &drill.timeline;
    let at = |seconds: f64| words::instant(seconds, drill.t0_s);
    let Some(impact) = timeline.impact_s else {
        let all = &account.totals.all;
        return format!(
            "No impact was measured: {} of all requests were bad.",
            words::part(all.classes.bad(), all.arrivals())
        );
    };
    let normal = words::share(timeline.baseline_upper);
    let rose = format!(
        "The share of bad requests left its normal range (up to {normal}) at {}, held around {} and peaked at {}.",
        at(impact),
        words::share(timeline.plateau),
        words::share(timeline.peak)
    );
    match timeline.recovered_s {
        Some(recovered) => format!("{rose} It was back at {} and stayed there.", at(recovered)),
        None => format!("{rose} It had not come back when the observation ended at {}.", at(timeline.observed_until_s)),
    }
}

/// Of the load.
pub fn load(account: &Account, course: &Course) -> String {
    let totals = &account.totals;
    if totals.all.arrivals() == 0 {
        return "No request was due.".to_owned();
    }
    let most = course.columns.iter().map(|column| column.flow.in_flight).max().unwrap_or(0);
    let achieved = if totals.offered > 0.0 { totals.achieved / totals.offered } else { 0.0 };
    let kept = if achieved >= 0.99 {
        let sent = if achieved >= 0.999_5 { "all".to_owned() } else { words::share(achieved) };
        format!("Load kept its plan: {} were due, {sent} of them were sent.", words::rate(totals.offered))
    } else {
        format!(
            "Load fell behind its plan: {} were due, only {} of them were sent.",
            words::rate(totals.offered),
            words::share(achieved)
        )
    };
    format!("{kept} At most {} were under way at once.", words::plural(most, "journey"))
}

/// Of the response times.
pub fn times(account: &Account) -> String {
    let both = account.totals.all.response.both();
    let (Some(p50), Some(p95), Some(max)) = (both.value_at(0.5), both.value_at(0.95), both.max()) else {
        return "No request was finished, so there are no response times.".to_owned();
    };
    format!(
        "Half of the requests took less than {}, 95\u{a0}% less than {}; the slowest took {}.",
        words::time(p50 as f64),
        words::time(p95 as f64),
        words::time(max as f64)
    )
}

/// Of the two clocks: what a tool that counts from sending would not have seen.
pub fn gap(account: &Account) -> String {
    let all = &account.totals.all;
    let (Some(felt), Some(took)) = (all.response.both().value_at(0.99), all.service.both().value_at(0.99)) else {
        return "No request was finished, so there is nothing between the clocks.".to_owned();
    };
    let waited = words::span(all.lateness.extent().sum as f64 / 1e6);
    if felt.saturating_sub(took) * 20 < felt {
        let felt = words::time(felt as f64);
        return format!(
            "Both clocks agree: the p99 was {felt}, counted from when requests were due or from when they were sent."
        );
    }
    let [felt, took, between] = [felt, took, felt.saturating_sub(took)].map(|us| words::time(us as f64));
    format!(
        "The p99 users felt was {felt}; counted from sending it was {took}. That clock would have hidden {between} of it, \
         and {waited} of waiting over all requests."
    )
}

/// Of the errors.
pub fn errors(account: &Account, course: &Course) -> String {
    let counts = &account.totals.all.errors;
    let all: u64 = counts.values().sum();
    match course.kinds.first().and_then(|kind| Some((kind, counts.get(kind)?))) {
        None => "No request failed.".to_owned(),
        Some((kind, n)) => format!(
            "{} failed; {} of the failures were “{}”.",
            words::plural(all, "request"),
            words::part(*n, all),
            words::name(kind)
        ),
    }
}

/// Of the generator.
pub fn generator(account: &Account) -> String {
    let own = &account.generator;
    let late = words::time_or_dash(own.lateness_p99_us);
    let stalls = match own.stalls.len() as u64 {
        0 => "it never stalled".to_owned(),
        n => format!("it stalled in {}", words::plural(n, "second")),
    };
    let kept = format!(
        "99\u{a0}% of requests left within {late} of their time, the busiest thread used {} of a core, {stalls}.",
        words::share(own.cpu_peak)
    );
    match own.sentence.as_str() {
        "" => kept,
        said => format!("{} {kept}", super::sentence::upper(&words::text(&format!("{}.", said.trim_end_matches('.'))))),
    }
}

/// Of the response bars.
pub fn bars(drill: &DrillAccount) -> String {
    let all = &drill.expectations;
    let met = all.iter().filter(|one| one.measured.is_some_and(|measured| measured <= one.target)).count();
    let inside = all.iter().filter(|one| one.measured.is_some_and(|measured| measured < one.limit)).count();
    format!("{met} of {} expectations met their target, {inside} stayed inside their limit.", all.len())
}

/// One line for a row beside a chart: when.
pub fn when(column: &Column, course: &Course) -> String {
    words::instant(column.from_s, course.zero_s)
}
