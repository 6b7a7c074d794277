//! Synthetic accounts for the tests of this room: a drill like the midnight flag, a plain load run, and hostile ones.
//!
//! Made of whole numbers from one small generator, so that they are the same everywhere. Not here: any assertion.

use crate::judge::account::{
    Account, ActAccount, ActionAccount, Band, BandKind, DrillAccount, ExpectationAccount, Generator, Timeline, Totals,
};
use crate::judge::finding::{Evidence, Finding, FindingKind, Reason, Verdict};
use crate::measure::host::Fingerprint;
use crate::measure::interval::{Health, Interval};
use crate::measure::journal::{Event, Line, RunFacts, Source};
use crate::measure::outcome::Class;
use crate::measure::record::{Done, Exemplar, Head};
use crate::measure::sample::{JourneyId, StepId};
use crate::plan::diagnostic::Place;
use crate::plan::drill::{About, MitigationKind};
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
            let part = |split: &mut crate::measure::interval::Split, us| {
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
    (travel.completed, travel.failed) = (rate / 2 - total.failed() / 2, total.failed() / 2);
    travel.latency.ok = total.response.ok.clone();
    interval.flow.sent = rate;
    interval.flow.done = rate;
    interval.flow.good = total.classes.get(Class::Ok);
    interval.flow.bytes_in = rate * 8_000;
    interval.flow.bytes_out = rate * 320;
    interval.flow.in_flight = 2 + bad * 2 + dice.below(3);
    for worker in 0..2 {
        let cpu_us = 60_000 + dice.below(30_000);
        interval
            .health
            .insert(worker, Health { cpu_us, stall_us: 300 + dice.below(900), waited_us: dice.below(2_000) });
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
    totals.offered = totals.all.arrivals() as f64 / totals.duration_s.max(1.0);
    totals.achieved = totals.flow.sent as f64 / totals.duration_s.max(1.0);
    totals
}

/// A finding about times, µs.
pub fn finding(id: &str, verdict: Verdict, [value, low, high, bound]: [f64; 4]) -> Finding {
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
        },
        source: Some(Place { file: "scenarios/shop.ron".into(), line: 17, column: 9, ..Place::default() }),
    }
}

fn account(command: &str, name: &str, seconds: Vec<Interval>) -> Account {
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
        head: Head { schema: 1, squall: "0.1.0".into(), name: name.into(), start_utc, host, ..Head::default() },
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
    }
}

/// A load run: 120 s at 100/s, healthy but for a slow check.
pub fn load() -> Account {
    let mut dice = Dice(5);
    let seconds =
        (0..120).map(|at| second(at, if at < 20 { 5 * u64::from(at) + 5 } else { 100 }, 0, &mut dice)).collect();
    let mut account = account("run", "shop", seconds);
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
pub fn nothing() -> Account {
    account("run", "nothing", Vec::new())
}

/// A run of `hours` equal hours with few requests in each second: for sizes.
pub fn long(hours: u32) -> Account {
    let mut dice = Dice(11);
    let hour: Vec<Interval> =
        (0..3_600).map(|at| second(at, 4, if at % 700 < 40 { 30 } else { 0 }, &mut dice)).collect();
    let mut account = account("run", "long", hour.clone());
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

fn line(seq: u64, at: f64, source: Source, event: Event) -> Line {
    let actor = if source == Source::Robot { "IC".to_owned() } else { String::new() };
    Line { seq, at_us: Duration(at).micros(), utc: String::new(), source, actor, event, prev: String::new() }
}

/// Seconds as a journal counts them.
struct Duration(f64);

impl Duration {
    fn micros(&self) -> u64 {
        crate::base::clock::Tick::from_secs_f64(self.0).micros()
    }
}

fn page(action: &str) -> Event {
    let (action, summary) = (action.to_owned(), "checkout: 41 % bad".to_owned());
    Event::Page { action, summary, origin: "shop alert".into(), dedup_key: "bad-ratio".into() }
}

fn said(mark: &str) -> Event {
    Event::Mark { mark: mark.into(), text: String::new() }
}

/// A drill like the midnight flag: a clean minute, 45 s of harm, a page after 12 s, the flag killed, recovery.
pub fn drill() -> Account {
    let mut dice = Dice(3);
    let bad = |at: u32| match at {
        62 => 22,
        63..=100 => 61,
        101..=103 => 34,
        104 => 9,
        _ => 0,
    };
    let seconds = (0..150).map(|at| second(at, 100, bad(at), &mut dice)).collect();
    let mut account = account("drill", "midnight_flag", seconds);
    account.bands = vec![
        phase("baseline", 0.0, 60.0),
        phase("exercise", 60.0, 112.0),
        phase("watching", 112.0, 132.0),
        phase("cleanup", 132.0, 150.0),
        Band { name: "ship".into(), kind: BandKind::Fault, from_s: 60.4, to_s: 96.1 },
        Band { name: "impact".into(), kind: BandKind::Impact, from_s: 62.0, to_s: 105.0 },
    ];
    account.findings = drill_findings();
    let kill = "kill_flag".to_owned();
    let proof = "$.flags.smart_cart.serving is true".to_owned();
    let marks = vec![
        line(6, 60.4, Source::Controller, Event::Injected { id: "ship".into(), proof: proof.clone(), proved: true }),
        line(9, 74.1, Source::Alert, page("trigger")),
        line(10, 77.1, Source::Robot, page("acknowledge")),
        line(11, 78.1, Source::Robot, said("command")),
        line(15, 95.1, Source::Robot, Event::Action { name: kill.clone() }),
        line(16, 100.3, Source::Measured, Event::Effect { name: kill.clone(), verified: true, text: "false".into() }),
        line(18, 108.0, Source::Alert, page("resolve")),
        line(19, 112.0, Source::Robot, said("resolved")),
        line(24, 132.8, Source::Controller, Event::Verified { id: "ship".into() }),
    ];
    account.drill = Some(DrillAccount {
        about: About {
            title: "The night we almost took the product offline".into(),
            briefing: "23:40. You are on call.".into(),
            hypothesis: "Killing one flag brings the shop below 1 % bad within 20 minutes, without a deploy.".into(),
            objectives: vec!["detect by symptom".into()],
            difficulty: 2,
        },
        t0_s: 60.0,
        end_s: 132.0,
        timeline: Timeline {
            baseline_upper: 0.004,
            impact_s: Some(62.0),
            plateau: 0.612,
            peak: 0.67,
            mitigated_s: Some(101.0),
            recovered_s: Some(105.0),
            detected_s: Some(74.1),
            detected_by: "shop alert".into(),
            acknowledged_s: Some(77.1),
            command_s: Some(78.1),
            claims: vec![("resolved".into(), 112.0)],
            false_alarms: 0,
            observed_until_s: 150.0,
        },
        acts: vec![ActAccount {
            name: "ship".into(),
            what: "PUT /admin/flags/smart_cart".into(),
            injected_s: Some(60.4),
            healed_s: Some(96.1),
            verified: true,
            proof,
            proved: true,
        }],
        actions: vec![ActionAccount {
            name: kill,
            label: "Kill feature flag smart_cart".into(),
            kind: MitigationKind::Correct,
            actor: "IC".into(),
            at_s: 95.1,
            verified_s: Some(100.3),
        }],
        marks,
        expectations: expectations(),
        score: Some(97.0),
        coverage: 0.86,
        budget_spent: 0.021,
        bad_requests: 2_451,
        bad_minutes: 0.41,
    });
    account
}

/// Name, measured, target, limit, weight.
const TARGETS: [(&str, Option<f64>, f64, f64, f64); 6] = [
    ("detect", Some(12.1), 20.0, 30.0, 20.0),
    ("ack", Some(3.0), 5.0, 15.0, 10.0),
    ("command", Some(16.1), 10.0, 30.0, 5.0),
    ("mitigate", Some(39.0), 60.0, 90.0, 20.0),
    ("recover", Some(43.0), 120.0, 150.0, 20.0),
    ("no_harm", Some(0.0), 0.0, 1.0, 5.0),
];

fn expectations() -> Vec<ExpectationAccount> {
    TARGETS
        .iter()
        .map(|(name, measured, target, limit, weight)| ExpectationAccount {
            name: (*name).into(),
            finding: (*name).into(),
            measured: *measured,
            target: *target,
            limit: *limit,
            unit: if *name == "no_harm" { Unit::Count } else { Unit::S },
            weight: *weight,
            gate: *name == "no_harm",
        })
        .collect()
}

fn drill_findings() -> Vec<Finding> {
    let one = |(name, measured, target, limit, _): &(&str, Option<f64>, f64, f64, f64)| {
        let verdict = if measured.is_some_and(|seen| seen <= *target) { Verdict::Pass } else { Verdict::Warn };
        let count = *name == "no_harm";
        let unit = if count { Unit::Count } else { Unit::S };
        let show = |value: f64| super::words::value(value, unit);
        let evidence = Evidence {
            value: *measured,
            low: None,
            high: None,
            bound: Some(*limit),
            unit,
            n: 0,
            n_eff: None,
            deff: None,
            window_s: (60.0, 132.0),
        };
        let plain = finding(name, verdict, [0.0; 4]);
        Finding {
            kind: FindingKind::Expectation,
            reason: if verdict == Verdict::Pass { Reason::Within } else { Reason::Marginal },
            subject: if count { "harmful actions".into() } else { format!("time to {name}") },
            expected: format!("{}, at most {}", show(*target), show(*limit)),
            observed: measured.map_or_else(|| "never".into(), show),
            next: String::new(),
            evidence,
            source: Some(Place { file: "scenarios/midnight_flag.ron".into(), line: 40, ..Place::default() }),
            ..plain
        }
    };
    TARGETS.iter().map(one).collect()
}

/// What somebody could call a step to break a report.
pub const HOSTILE: &str = "</script><img onerror=alert(1) src=x> ]]> | `x` ::error:: \u{7}\u{1b}[31m \u{202e} \"'&";

/// The drill with hostile text wherever text comes from outside.
pub fn hostile() -> Account {
    let mut account = drill();
    let long = "n".repeat(10_000);
    account.facts.name = HOSTILE.into();
    account.facts.repeat = format!("squall drill '{HOSTILE}'");
    account.ended = HOSTILE.into();
    account.totals.steps = std::mem::take(&mut account.totals.steps)
        .into_iter()
        .enumerate()
        .map(|(n, (_, cell))| (if n == 0 { long.clone() } else { format!("{HOSTILE}{n}") }, cell))
        .collect();
    for cell in account.seconds.iter_mut().flat_map(|second| second.steps.values_mut()).chain([&mut account.totals.all])
    {
        cell.errors =
            std::mem::take(&mut cell.errors).into_iter().map(|(kind, n)| (format!("{HOSTILE}{kind}"), n)).collect();
    }
    for finding in &mut account.findings {
        finding.id = format!("{HOSTILE}{}", finding.id);
        finding.subject = HOSTILE.into();
        finding.observed = HOSTILE.into();
        finding.next = HOSTILE.into();
        finding.verdict = Verdict::Fail;
    }
    account.exemplars.iter_mut().for_each(|one| one.step = HOSTILE.into());
    account.bands.iter_mut().for_each(|band| band.name = HOSTILE.into());
    if let Some(drill) = &mut account.drill {
        drill.about.title = HOSTILE.into();
        drill.about.hypothesis = HOSTILE.into();
        drill.acts[0].name = HOSTILE.into();
        drill.acts[0].proof = HOSTILE.into();
        drill.actions[0].label = HOSTILE.into();
        drill.timeline.detected_by = HOSTILE.into();
        drill.marks.push(line(30, 120.0, Source::Player, Event::Mark { mark: HOSTILE.into(), text: HOSTILE.into() }));
        drill.expectations.iter_mut().for_each(|one| one.name = HOSTILE.into());
    }
    account
}
