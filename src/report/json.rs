//! `result.json`, schema 1: what machines read, so keys are only ever added. Absent numbers are null; NaN cannot be written.
//!
//! Names stand here whole and unchanged. Not here: rounding (only formats for people round).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::view::{self, checks, tables::answered_at};
use super::{arrivals, knee};
use crate::judge::account::{Account, BandKind, Clocks, Confidence, DrillAccount, Ranges};
use crate::judge::finding::{Compare, Finding};
use crate::measure::histogram::Bins;
use crate::measure::interval::{Cell, Split, Travel};
use crate::measure::outcome::Class;
use crate::plan::threshold::Unit;
use crate::stats::shift::Shift;

const QUANTILES: [(&str, f64); 5] = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)];

/// The result of the run in `account`, which ended with `exit_code`.
pub fn result(account: &Account, exit_code: u8) -> Value {
    let facts = &account.facts;
    let totals = &account.totals;
    let all = &totals.all;
    let mut result = json!({
        "squall": facts.squall,
        "schema": 1,
        "name": facts.name,
        "seed": facts.seed,
        "plan_hash": facts.plan_hash,
        "verdict": view::verdict(account, exit_code).word(),
        "exit_code": exit_code,
        "duration_s": number(totals.duration_s),
        "totals": {
            "planned": arrivals::planned(account),
            "sent": totals.flow.sent,
            "done": totals.flow.done,
            "failed": all.failed(),
            "shed": all.classes.get(Class::Shed),
            "not_started": totals.not_started,
            "staged": all.staged,
            "bytes_in": totals.flow.bytes_in,
            "bytes_out": totals.flow.bytes_out,
        },
        "rate": { "offered": number(totals.offered), "achieved": number(totals.achieved) },
        "latency_us": times(all, &totals.intervals.all),
        "classes": Class::ALL.iter().map(|class| (class.name().to_owned(), all.classes.get(*class).into())).collect::<Map<_, _>>(),
        "steps": steps(account),
        "journeys": journeys(&totals.journeys),
        "errors": all.errors,
        "arrivals": arrivals::json(account),
        "exemplars": account.exemplars,
        "generator": generator(account),
        "findings": account.findings.iter().map(finding).collect::<Vec<_>>(),
        "faults": faults(account),
    });
    if let (false, Some(object)) = (totals.asides.is_empty(), result.as_object_mut()) {
        object.insert("asides".to_owned(), asides(account));
    }
    if let (Some(drill), Some(object)) = (&account.drill, result.as_object_mut()) {
        object.insert("drill".to_owned(), of_drill(drill));
    }
    if let (Some(course), Some(object)) = (&account.search, result.as_object_mut()) {
        object.insert("find".to_owned(), knee::json(course));
    }
    result
}

/// A finite number, or null.
fn number(value: f64) -> Value {
    if value.is_finite() { json!((value * 1e9).round() / 1e9) } else { Value::Null }
}

fn maybe(value: Option<f64>) -> Value {
    value.map_or(Value::Null, number)
}

fn steps(account: &Account) -> Value {
    let totals = &account.totals;
    let none = Clocks::default();
    let one =
        |(name, cell): (&String, &Cell)| (name.clone(), times(cell, totals.intervals.steps.get(name).unwrap_or(&none)));
    totals.steps.iter().map(one).collect::<Map<_, _>>().into()
}

/// Series that show the requests of `steps` otherwise; adding them to those counts requests twice.
fn asides(account: &Account) -> Value {
    let none = Clocks::default();
    account.totals.asides.iter().map(|(name, cell)| (name.clone(), times(cell, &none))).collect::<Map<_, _>>().into()
}

fn times(cell: &Cell, intervals: &Clocks) -> Value {
    let arrivals = cell.arrivals();
    json!({
        "response": trusted(of_split(&cell.response, arrivals), &intervals.response),
        "service": trusted(of_split(&cell.service, arrivals), &intervals.service),
        "lateness": trusted(of_bins(&cell.lateness), &intervals.lateness),
    })
}

/// With the effective number and the intervals: `[low, null]` has no upper end, `null` no interval.
fn trusted(mut times: Value, confidence: &Confidence) -> Value {
    if let Some(object) = times.as_object_mut() {
        let ends =
            |one: &Option<(f64, Option<f64>)>| one.map_or(Value::Null, |(low, high)| json!([number(low), maybe(high)]));
        let ci95: Map<String, Value> =
            ["p50", "p95", "p99"].into_iter().map(str::to_owned).zip(confidence.ci95.iter().map(ends)).collect();
        object.insert("n_eff".to_owned(), maybe(confidence.n_eff));
        object.insert("ci95".to_owned(), ci95.into());
    }
    times
}

/// Percentiles among all arrivals: null where the rank falls among the unanswered. `max` is the longest of all, given up or not.
fn of_split(split: &Split, arrivals: u64) -> Value {
    let mut object: Map<String, Value> =
        QUANTILES.iter().map(|(name, q)| ((*name).to_owned(), answered_at(split, arrivals, *q).into())).collect();
    object.insert("max".to_owned(), split.ok.max().max(split.rest.max()).into());
    object.insert("n".to_owned(), arrivals.into());
    Value::Object(object)
}

fn of_bins(bins: &Bins) -> Value {
    let mut object: Map<String, Value> =
        QUANTILES.iter().map(|(name, q)| ((*name).to_owned(), bins.value_at(*q).into())).collect();
    object.insert("max".to_owned(), bins.max().into());
    object.insert("n".to_owned(), bins.n().into());
    Value::Object(object)
}

fn journeys(journeys: &BTreeMap<String, Travel>) -> Value {
    let one = |travel: &Travel| {
        json!({
            "planned": travel.planned,
            "started": travel.started,
            "completed": travel.completed,
            "failed": travel.failed,
            "shed": travel.shed,
            "unfinished": travel.unfinished,
            "staged": travel.staged,
            "overran": travel.overran,
            "latency_us": of_split(&travel.latency, travel.planned),
        })
    };
    journeys.iter().map(|(name, travel)| (name.clone(), one(travel))).collect::<Map<_, _>>().into()
}

fn generator(account: &Account) -> Value {
    let own = &account.generator;
    json!({
        "cpu_us_per_request": number(own.cpu_us_per_request),
        "cpu_peak": number(own.cpu_peak),
        "max_rss_kib": own.max_rss_kib,
        "lateness_p50_us": own.lateness_p50_us,
        "lateness_p99_us": own.lateness_p99_us,
        "stalled_seconds": own.stalls.len(),
        "stalls": own.stalls.iter().map(stall).collect::<Vec<_>>(),
        "verdict": view::generator_word(own.verdict),
        "sentence": own.sentence,
    })
}

fn stall(&(second, longest_ms, affected): &(u32, f64, u64)) -> Value {
    json!({ "second": second, "longest_ms": number(longest_ms), "affected": affected })
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Us => "us",
        Unit::S => "s",
        Unit::Ratio => "ratio",
        Unit::PerS => "per_s",
        Unit::Count => "count",
    }
}

/// What a comparison rests on.
fn compared(compare: &Compare) -> Value {
    let shift = |one: &Shift| json!({ "q": number(one.q), "ratio": number(one.ratio), "low": maybe(one.low), "high": maybe(one.high) });
    json!({
        "mode": "interleaved",
        "w": number(compare.w),
        "w_max": number(compare.w_max),
        "p": number(compare.p),
        "alpha": number(compare.alpha),
        "m": compare.m,
        "stage": compare.stage.0,
        "stages": compare.stage.1,
        "sd": maybe(compare.sd),
        "mde": maybe(compare.mde),
        "effects": compare.blocks.iter().map(|(change, _)| number(*change)).collect::<Vec<_>>(),
        "base_first": compare.blocks.iter().map(|(_, first)| *first).collect::<Vec<_>>(),
        "shift": compare.shift.iter().map(shift).collect::<Vec<_>>(),
    })
}

fn finding(finding: &Finding) -> Value {
    let mut value = plain(finding);
    let compare = finding.evidence.compare.as_ref();
    if let (Some(compare), Some(evidence)) = (compare, value.get_mut("evidence").and_then(Value::as_object_mut)) {
        evidence.insert("compare".to_owned(), compared(compare));
        // Two one-sided bounds at the error of the gate.
        evidence.insert("conf".to_owned(), maybe(finding.evidence.low.map(|_| 1.0 - 2.0 * compare.alpha)));
    }
    value
}

fn plain(finding: &Finding) -> Value {
    let evidence = &finding.evidence;
    let source =
        finding.source.as_ref().map(|place| json!({ "file": place.file, "line": place.line, "column": place.column }));
    json!({
        "id": finding.id,
        "kind": finding.kind.word(),
        "level": checks::level(finding.level),
        "verdict": finding.verdict.word(),
        "reason": finding.reason.word(),
        "subject": finding.subject,
        "expected": finding.expected,
        "observed": finding.observed,
        "next": finding.next,
        "evidence": {
            "value": maybe(evidence.value),
            "unit": unit(evidence.unit),
            "low": maybe(evidence.low),
            "high": maybe(evidence.high),
            "conf": evidence.low.map(|_| 0.95),
            "bound": maybe(evidence.bound),
            "n": evidence.n,
            "n_eff": maybe(evidence.n_eff),
            "deff": maybe(evidence.deff),
            "resolution": 0.001,
            "window": { "from_s": number(evidence.window_s.0), "to_s": number(evidence.window_s.1) },
            "source": source,
        },
    })
}

fn faults(account: &Account) -> Value {
    if let Some(drill) = &account.drill {
        return drill
            .acts
            .iter()
            .map(|act| {
                json!({
                    "name": act.name,
                    "what": act.what,
                    "injected_s": maybe(act.injected_s),
                    "healed_s": maybe(act.healed_s),
                    "verified": act.verified,
                    "proved": act.proved,
                    "proof": act.proof,
                })
            })
            .collect();
    }
    let faults = account.bands.iter().filter(|band| band.kind == BandKind::Fault);
    faults
        .map(|band| json!({ "name": band.name, "injected_s": number(band.from_s), "healed_s": number(band.to_s) }))
        .collect()
}

fn of_drill(drill: &DrillAccount) -> Value {
    let timeline = &drill.timeline;
    let actions = drill.actions.iter().map(|action| {
        json!({
            "name": action.name,
            "actor": action.actor,
            "at_s": number(action.at_s),
            "verified_s": maybe(action.verified_s),
            "effect": action.effect.efficacy.word(),
            "bad_before": maybe(action.effect.before),
            "bad_after": maybe(action.effect.after),
        })
    });
    let expectations = drill.expectations.iter().map(|one| {
        json!({
            "name": one.name,
            "finding": one.finding,
            "measured": maybe(one.measured),
            "unit": unit(one.unit),
            "target": number(one.target),
            "limit": number(one.limit),
            "weight": number(one.weight),
            "gate": one.gate,
        })
    });
    json!({
        "title": drill.about.title,
        "t0_s": number(drill.t0_s),
        "end_s": number(drill.end_s),
        "timeline": {
            "baseline_upper": number(timeline.baseline_upper),
            "impact_s": maybe(timeline.impact_s),
            "plateau": number(timeline.plateau),
            "peak": number(timeline.peak),
            "mitigated_s": maybe(timeline.mitigated_s),
            "recovered_s": maybe(timeline.recovered_s),
            "detected_s": maybe(timeline.detected_s),
            "detected_by": timeline.detected_by,
            "acknowledged_s": maybe(timeline.acknowledged_s),
            "command_s": maybe(timeline.command_s),
            "claims": timeline.claims.iter().map(|(mark, at)| json!({ "mark": mark, "at_s": number(*at) })).collect::<Vec<_>>(),
            "false_alarms": timeline.false_alarms,
            "observed_until_s": number(timeline.observed_until_s),
            "ranges": ranges(&timeline.ranges),
        },
        "actions": actions.collect::<Vec<_>>(),
        "expectations": expectations.collect::<Vec<_>>(),
        "score": maybe(drill.score),
        "parts": drill.parts.iter().map(|(part, points)| (part.word().to_owned(), number(*points))).collect::<Map<_, _>>(),
        "coverage": number(drill.coverage),
        "reference": drill.reference.as_ref().map(|alert| json!({
            "rule": alert.rule, "at_s": number(alert.at_s), "in_production_s": maybe(alert.in_production_s),
        })),
        "budget_spent": number(drill.budget_spent),
        "bad_requests": drill.bad_requests,
        "bad_minutes": number(drill.bad_minutes),
    })
}

fn range(range: Option<(f64, f64)>) -> Value {
    range.map_or(Value::Null, |(low, high)| json!([number(low), number(high)]))
}

fn ranges(ranges: &Ranges) -> Value {
    json!({
        "impact_s": range(ranges.impact),
        "mitigated_s": range(ranges.mitigated),
        "recovered_s": range(ranges.recovered),
    })
}
