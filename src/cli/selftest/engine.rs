//! Cases of the self-test that are about time and counts of a healthy engine.

use std::time::Duration;

use super::lab::{Lab, Seen};
use super::line::{Line, Noise};
use crate::cli::exit::Failure;
use crate::judge::finding::Verdict;
use crate::load::truth::target::Reply;
use crate::measure::outcome::Class;
use crate::report::view::generator_word;

/// Lateness that is always good enough, and how much more than a bare timer's is, µs.
const LATE_US: (f64, f64) = (60.0, 40.0);
const STALL: Duration = Duration::from_secs(1);

/// Every count of a run in which everything was sent and answered.
fn counts(seen: &Seen, all: u64) -> Vec<Line> {
    let flow = &seen.account.totals.flow;
    vec![
        Line::exact("planned", &all, &seen.planned()),
        Line::exact("sent", &all, &flow.sent),
        Line::exact("done and good", &all, &flow.good),
        Line::exact("asked, by the target", &all, &seen.asked),
    ]
}

pub(super) fn clean(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let seen = lab.get(&lab.thousand(""), |_| Reply::ok("hello"))?;
    let mut lines = counts(&seen, lab.all());
    let bare = lab.bare.value_at(0.5).unwrap_or(0) as f64;
    let late = seen.account.generator.lateness_p50_us.map_or(f64::INFINITY, |us| us as f64);
    lines.push(Line::at_most("lateness p50", LATE_US.0.max(bare + LATE_US.1), late, "us", seen.noise));
    lines.push(Line::word("generator", "valid", generator_word(seen.account.generator.verdict), seen.noise));
    Ok(lines)
}

/// Nobody is answered for a second: whoever is due meanwhile waits for its end, so the slowest 1/length of all lie evenly in it.
pub(super) fn server_stalls(lab: &Lab) -> Result<Vec<Line>, Failure> {
    // Half of all must be untouched for the median.
    let seconds = lab.seconds.max(4);
    let from = Duration::from_millis(u64::from(seconds) * 400);
    let stall = move |at: Duration| (from + STALL).saturating_sub(at).min(STALL);
    let seen = lab.get(&Lab::arrivals(1_000, seconds, ""), move |asked| {
        let waits = asked.at >= from && asked.at < from + STALL;
        Reply::ok("hello").after(if waits { stall(asked.at) } else { Duration::ZERO })
    })?;
    let truth = |q: f64| (1.0 - (1.0 - q) * f64::from(seconds)) * 1e3;
    let mut lines = counts(&seen, u64::from(seconds) * 1_000);
    for (name, q) in [("response p95", 0.95), ("response p99", 0.99)] {
        lines.push(Line::near(name, truth(q), seen.response_ms(q), (10.0, "ms"), seen.noise));
    }
    lines.push(Line::near(
        "p50, against service",
        seen.service_ms(0.5),
        seen.response_ms(0.5),
        (0.2, "ms"),
        seen.noise,
    ));
    Ok(lines)
}

pub(super) fn slow_body(lab: &Lab) -> Result<Vec<Line>, Failure> {
    // A fifth of the rate: a hundred shared connections serve 400 a second of these.
    let load = Lab::arrivals(200, lab.seconds, "");
    let seen = lab.get(&load, |_| Reply {
        wait: Duration::from_millis(50),
        first: b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe".to_vec(),
        rest: Some((Duration::from_millis(200), b"llo".to_vec())),
        ..Reply::default()
    })?;
    let mut lines = counts(&seen, lab.all() / 5);
    lines.push(Line::near("service p50", 250.0, seen.service_ms(0.5), (1.0, "ms"), seen.noise));
    let mut firsts: Vec<u64> = seen.examples("").iter().filter_map(|one| one.first_byte_us).collect();
    firsts.sort_unstable();
    let middle = firsts.get(firsts.len() / 2).map_or(f64::INFINITY, |us| *us as f64 / 1e3);
    lines.push(Line::near("first byte p50, of examples", 50.0, middle, (1.0, "ms"), seen.noise));
    Ok(lines)
}

pub(super) fn ramp(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let peak = u64::from(lab.seconds) * 100;
    let load =
        format!("Open(name: \"ramp\", rate: [Ramp(from: \"0/s\", to: \"{peak}/s\", over: \"{}s\")])", lab.seconds);
    let seen = lab.get(&load, |_| Reply::ok("hello"))?;
    let per_second = |travel: Vec<u64>| travel.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
    let planned = seen.account.seconds.iter().map(|one| one.travel().planned).filter(|n| *n > 0).collect();
    let truth: Vec<u64> = (0..u64::from(lab.seconds)).map(|second| 50 + 100 * second).collect();
    let mut lines = counts(&seen, truth.iter().sum());
    lines.push(Line::exact("in each second", &per_second(truth), &per_second(planned)));
    Ok(lines)
}

pub(super) fn mix(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let journey = |name: &str| format!("\"{name}\": (steps: [Http(name: \"{name}\", url: \"/{name}\")])");
    let journeys = ["a", "b", "c"].map(journey).join(", ");
    let load = lab.thousand(", mix: {\"a\": 6, \"b\": 3, \"c\": 1}");
    let seen = lab.run(&load, &journeys, &[], |_| Reply::ok("hello"))?;
    let mut lines = counts(&seen, lab.all());
    for (name, share) in [("a", 6), ("b", 3), ("c", 1)] {
        let completed = seen.account.totals.journeys.get(name).map_or(0, |travel| travel.completed);
        lines.push(Line::exact(&format!("journey {name}"), &(lab.all() * share / 10), &completed));
    }
    Ok(lines)
}

/// Little's law: what is under way on average is the rate times the time it takes.
pub(super) fn little(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let seen = lab.get(&lab.thousand(""), |_| Reply::ok("hello").after(Duration::from_millis(20)))?;
    let served_us = seen.account.totals.all.service.both().extent().sum as f64;
    let mean = served_us / 1e6 / f64::from(lab.seconds);
    let mut lines = counts(&seen, lab.all());
    lines.push(Line::near("in flight, mean", 20.0, mean, (0.4, ""), seen.noise));
    Ok(lines)
}

/// 50 users that wait 10 ms and think 90 ms: 500 a second.
pub(super) fn closed(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let load =
        format!("Closed(name: \"users\", users: [Hold(users: 50, for: \"{}s\")], think: Fixed(\"90ms\"))", lab.seconds);
    let seen = lab.get(&load, |_| Reply::ok("hello").after(Duration::from_millis(10)))?;
    let done = seen.account.totals.flow.good;
    let rate = done as f64 / f64::from(lab.seconds);
    Ok(vec![
        Line::exact("asked, by the target", &done, &seen.asked),
        Line::near("rate", 500.0, rate, (5.0, "/s"), seen.noise),
    ])
}

/// A hundred at once, a second each: a hundred a second, the others are shed.
pub(super) fn shed(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let load = lab.thousand(", max_in_flight: 100");
    let seen = lab.get(&load, |_| Reply::ok("hello").after(Duration::from_secs(1)))?;
    let (sent, all) = (seen.account.totals.flow.sent, lab.all() as f64);
    let shed = seen.account.totals.all.classes.get(Class::Shed);
    let valid = if seen.account.generator.verdict == Verdict::Invalid { "invalid" } else { "believed" };
    // The shed row warns by design, so the run's own verdict is no sign of noise here.
    let late = seen.finding("generator.lateness") != "pass" || seen.finding("generator.waiting") != "pass";
    let noise = if late || lab.is_loud() { Noise::Loud } else { Noise::Quiet };
    Ok(vec![
        Line::exact("planned", &lab.all(), &(sent + shed)),
        Line::exact("asked, by the target", &sent, &seen.asked),
        Line::near("sent", all / 10.0, sent as f64, (all / 500.0, ""), noise),
        Line::word("generator", "believed", valid, noise),
        Line::word("target-limited", "warn", seen.finding("generator.shed"), noise),
    ])
}
