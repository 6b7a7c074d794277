//! Synthetic accounts for the tests of this room: a drill like the midnight flag, a plain load run, and hostile ones.
//!
//! Made of whole numbers from one small generator, so that they are the same everywhere. Not here: any assertion.

mod drill;
mod hostile;
mod pair;
mod sized;

pub(super) use drill::drill;
pub(super) use hostile::{HOSTILE, hostile};
pub(super) use pair::compared;
pub(super) use sized::sized;

use crate::judge::account::{self, Account, Band, BandKind, Generator, Totals};
use crate::judge::finding::{Evidence, Finding, FindingKind, Reason, Verdict};
use crate::measure::host::Fingerprint;
use crate::measure::interval::{Health, Interval, Split};
use crate::measure::journal::RunFacts;
use crate::measure::outcome::Class;
use crate::measure::record::{Done, Exemplar, Head};
use crate::measure::sample::{JourneyId, StepId};
use crate::plan::diagnostic::Place;
use crate::plan::threshold::{Level, Unit};

/// Steps of the synthetic shop: name, share of requests in %, typical time in µs.
const STEPS: [(&str, u64, u64); 4] =
    [("/", 40, 9_000), ("/api/cart", 30, 16_000), ("/api/checkout", 20, 24_000), ("/api/profile", 10, 12_000)];

/// A small generator of numbers, so that the samples are the same on every machine.
struct Dice(u64);

impl Dice {
    /// Uniform in 0..n.
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n.max(1)
    }

    /// A time around `typical`, with a long tail.
    fn time(&mut self, typical: u64) -> u64 {
        let base = typical * (60 + self.below(50) + self.below(50)) / 100;
        match self.below(100) {
            0 => base * 6,
            1..=6 => base * 2,
            _ => base,
        }
    }
}

/// One second: `rate` requests, `bad` % of them bad.
fn second(at: u32, rate: u64, bad: u64, dice: &mut Dice) -> Interval {
    let mut interval = Interval::at(at);
    for (id, (_, share, typical)) in (0_u16..).zip(STEPS) {
        let cell = interval.steps.entry(StepId(id)).or_default();
        for _ in 0..(rate * share).div_ceil(100) {
            let late = 80 + dice.below(240);
            cell.lateness.record(late);
            if dice.below(100) >= bad {
                let took = dice.time(typical) * if bad > 0 { 9 } else { 1 };
                cell.response.ok.record(took + late);
                cell.service.ok.record(took);
                cell.classes.add(if took > 500_000 { Class::Slow } else { Class::Ok }, 1);
                continue;
            }
            let (class, kind, took) = match dice.below(10) {
                0..=4 => (Class::Timeout, "timeout_total", 2_000_000 + dice.below(4_000)),
                5..=6 => (Class::Error, "status_503", 40_000 + dice.below(90_000)),
                _ => (Class::Slow, "", 600_000 + dice.below(1_300_000)),
            };
            cell.classes.add(class, 1);
            let part = |split: &mut Split, us| {
                if kind.is_empty() { split.ok.record(us) } else { split.rest.record(us) }
            };
            part(&mut cell.response, took + late);
            part(&mut cell.service, took);
            if !kind.is_empty() {
                *cell.errors.entry(kind.to_owned()).or_default() += 1;
            }
        }
    }
    let total = interval.total();
    let travel = interval.journeys.entry(JourneyId(0)).or_default();
    (travel.planned, travel.started) = (rate / 2, rate / 2);
    (travel.completed, travel.failed) = ((rate / 2).saturating_sub(total.failed() / 2), total.failed() / 2);
    travel.latency.ok = total.response.ok.clone();
    interval.flow.sent = rate;
    interval.flow.done = rate;
    interval.flow.good = total.classes.get(Class::Ok);
    interval.flow.bytes_in = rate * 8_000;
    interval.flow.bytes_out = rate * 320;
    interval.flow.in_flight = 2 + bad * 2 + dice.below(3);
    for worker in 0..2 {
        let cpu_us = 60_000 + dice.below(30_000);
        interval.health.insert(
            worker,
            Health { cpu_us, stall_us: 300 + dice.below(900), waited_us: dice.below(2_000), ..Health::default() },
        );
    }
    interval
}

fn totals(seconds: &[Interval]) -> Totals {
    let mut totals = Totals { duration_s: seconds.len() as f64, ..Totals::default() };
    for second in seconds {
        for (id, cell) in &second.steps {
            totals.all.merge(cell);
            totals.steps.entry(STEPS[usize::from(id.0) % 4].0.to_owned()).or_default().merge(cell);
        }
        for travel in second.journeys.values() {
            totals.journeys.entry("buy".to_owned()).or_default().merge(travel);
        }
        totals.flow.merge(&second.flow);
    }
    totals.intervals = account::intervals(seconds, |step| STEPS[usize::from(step.0) % 4].0.to_owned());
    totals.offered = totals.all.arrivals() as f64 / totals.duration_s.max(1.0);
    totals.achieved = totals.flow.sent as f64 / totals.duration_s.max(1.0);
    totals
}

/// A finding about times, µs.
pub(super) fn finding(id: &str, verdict: Verdict, [value, low, high, bound]: [f64; 4]) -> Finding {
    let words = |us: f64| format!("{:.0} ms", us / 1e3);
    Finding {
        id: id.to_owned(),
        kind: FindingKind::Threshold,
        level: Level::Must,
        verdict,
        reason: if verdict == Verdict::Pass { Reason::Within } else { Reason::Beyond },
        subject: "the 95th percentile of the response time of /api/checkout".to_owned(),
        expected: format!("< {}", words(bound)),
        observed: format!("{:.0} [{:.0}, {:.0}] ms", value / 1e3, low / 1e3, high / 1e3),
        next: format!("set the bound to {} or make /api/checkout faster", words(high)),
        evidence: Evidence {
            value: Some(value),
            low: Some(low),
            high: Some(high),
            bound: Some(bound),
            unit: Unit::Us,
            n: 7_198,
            n_eff: Some(5_596.0),
            deff: Some(1.286),
            window_s: (0.0, 120.0),
            compare: None,
        },
        source: Some(Place { file: "scenarios/shop.ron".into(), line: 17, column: 9, ..Place::default() }),
    }
}

fn made(command: &str, name: &str, seconds: Vec<Interval>) -> Account {
    let start_utc = "2026-11-20T22:40:00.000000Z".to_owned();
    let host = Fingerprint { cpu: "Example CPU".into(), cores: 2, memory_mib: 7_936, kernel: "6.8.0".into() };
    let totals = totals(&seconds);
    let exemplar = |n: u64| Exemplar {
        step: "/api/checkout".into(),
        due_us: 70_000_000 + n * 310_000,
        response_us: 2_004_000 - n * 1_000,
        service_us: 2_003_700 - n * 1_000,
        kind: if n.is_multiple_of(3) { String::new() } else { "timeout_total".into() },
        status: if n.is_multiple_of(3) { 200 } else { 0 },
        ..Exemplar::default()
    };
    Account {
        facts: RunFacts {
            command: command.into(),
            name: name.into(),
            seed: 7_391,
            plan_hash: "4c1d2e09a7b35f6688d0c2e4f19ab37c4c1d2e09a7b35f6688d0c2e4f19ab37c".into(),
            squall: "0.1.0".into(),
            files: vec![(format!("scenarios/{name}.ron"), String::new())],
            settings: vec![("time-factor".into(), "0.1".into())],
            target: "http://127.0.0.1:8080 (embedded shop)".into(),
            repeat: format!("squall {command} scenarios/{name}.ron --seed 7391"),
        },
        head: Head {
            schema: 1,
            squall: "0.1.0".into(),
            name: name.into(),
            start_utc,
            host,
            steps: STEPS.map(|step| step.0.to_owned()).to_vec(),
            ..Head::default()
        },
        done: Some(Done {
            planned: totals.journeys.values().map(|travel| travel.planned).sum(),
            reason: "finished".into(),
            ..Done::default()
        }),
        ended: String::new(),
        bands: Vec::new(),
        generator: Generator {
            verdict: Verdict::Pass,
            lateness_p50_us: Some(190),
            lateness_p99_us: totals.all.lateness.value_at(0.99),
            cpu_peak: 0.09,
            cpu_us_per_request: 41.5,
            max_rss_kib: 48_200,
            stalls: Vec::new(),
            sentence: "The generator kept its appointments".into(),
        },
        totals,
        seconds,
        findings: Vec::new(),
        exemplars: (0..24).map(exemplar).collect(),
        drill: None,
        search: None,
    }
}

/// A load run: 120 s at 100/s, healthy but for a slow check.
pub(super) fn load() -> Account {
    let mut dice = Dice(5);
    let seconds =
        (0..120).map(|at| second(at, if at < 20 { 5 * u64::from(at) + 5 } else { 100 }, 0, &mut dice)).collect();
    let mut account = made("run", "shop", seconds);
    account.bands = vec![phase("warmup", 0.0, 20.0), phase("steady", 20.0, 120.0)];
    account.findings = vec![
        finding("p95{step=/api/checkout} < 30ms", Verdict::Fail, [48_200.0, 46_100.0, 51_000.0, 30_000.0]),
        finding("p95{step=/api/cart} < 50ms", Verdict::Pass, [31_000.0, 29_400.0, 33_000.0, 50_000.0]),
        Finding {
            level: Level::Should,
            verdict: Verdict::Warn,
            ..finding("p99 < 100ms", Verdict::Warn, [98_000.0, 91_000.0, 112_000.0, 100_000.0])
        },
    ];
    account
}

/// A run without any answer or arrival.
pub(super) fn nothing() -> Account {
    made("run", "nothing", Vec::new())
}

/// A run of `hours` equal hours with few requests in each second: for sizes.
pub(super) fn long(hours: u32) -> Account {
    let mut dice = Dice(11);
    let hour: Vec<Interval> =
        (0..3_600).map(|at| second(at, 4, if at % 700 < 40 { 30 } else { 0 }, &mut dice)).collect();
    let mut account = made("run", "long", hour.clone());
    for at in 1..hours {
        account.seconds.extend(hour.iter().map(|one| Interval { second: one.second + at * 3_600, ..one.clone() }));
    }
    account.totals.duration_s *= f64::from(hours);
    account.bands = vec![phase("steady", 0.0, account.totals.duration_s)];
    account
}

fn phase(name: &str, from_s: f64, to_s: f64) -> Band {
    Band { name: name.into(), kind: BandKind::Phase, from_s, to_s }
}
