//! Cases of the self-test in which the target fails on purpose: each failure is counted once, by its kind, and nothing is retried.

use std::time::Duration;

use super::lab::Lab;
use super::line::Line;
use crate::cli::exit::Failure;
use crate::load::truth::target::{Reply, Then};
use crate::measure::record::Exemplar;

/// A check needs six batches of seconds for an interval.
const LEAST_S: u32 = 6;

pub(super) fn drops_get(lab: &Lab) -> Result<Vec<Line>, Failure> {
    drops(lab, "")
}

pub(super) fn drops_post(lab: &Lab) -> Result<Vec<Line>, Failure> {
    drops(lab, ", method: \"POST\", body: Text(\"x\")")
}

/// Every tenth request is answered by a closed connection.
fn drops(lab: &Lab, more: &str) -> Result<Vec<Line>, Failure> {
    let journey = format!("\"j\": (steps: [Http(name: \"ask\", url: \"/\"{more})])");
    let seen = lab.run(&lab.thousand(""), &journey, &[], |asked| match asked.number % 10 {
        9 => Reply::bytes("", Then::Close),
        _ => Reply::ok("hello"),
    })?;
    let (all, flow) = (lab.all(), &seen.account.totals.flow);
    Ok(vec![
        Line::exact("planned", &all, &seen.planned()),
        Line::exact("sent", &all, &flow.sent),
        Line::exact("asked, by the target", &all, &seen.asked),
        Line::exact("eof_before_status", &(all / 10), &seen.errors("eof_before_status")),
        Line::exact("good", &(all - all / 10), &flow.good),
    ])
}

/// 2 % fail at once, the others take a millisecond: that is no good p99, whatever the clock says.
pub(super) fn fast_failures(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let load = Lab::arrivals(1_000, lab.seconds.max(LEAST_S), "");
    let journey = "\"j\": (steps: [Http(name: \"get\", url: \"/\")])";
    let checks = ["p95 < 2s", "p99 < 2s", "p99{outcome=ok} < 2s"];
    let seen = lab.run(&load, journey, &checks, |asked| match asked.number % 50 {
        49 => Reply::bytes("", Then::Close),
        _ => Reply::ok("hello").after(Duration::from_millis(1)),
    })?;
    let ok = &seen.account.totals.all.response.ok;
    let p99 = ok.value_at(0.99).map_or(f64::INFINITY, |us| us as f64 / 1e3);
    Ok(vec![
        Line::word("p95 < 2s", "pass", seen.finding("p95 < 2s"), seen.noise),
        Line::word("p99 < 2s", "fail", seen.finding("p99 < 2s"), seen.noise),
        Line::word("p99{outcome=ok} < 2s", "pass", seen.finding("p99{outcome=ok} < 2s"), seen.noise),
        Line::near("p99 of the answered", 1.0, p99, (0.5, "ms"), seen.noise),
    ])
}

/// Answers that break off, each at its byte.
pub(super) fn broken_answers(lab: &Lab) -> Result<Vec<Line>, Failure> {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n";
    let cut = format!("{head}{}", "x".repeat(57));
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n";
    let load = "Open(name: \"arrivals\", rate: [Hold(rate: \"100/s\", for: \"1s\")])";
    let mut lines = Vec::new();
    for (what, bytes, then, (kind, phase)) in [
        ("cut in the body", cut.as_str(), Then::Close, ("eof_mid_body", "read")),
        ("cut in the head", "HTTP/1.1 200 OK\r\ncon", Then::Close, ("eof_mid_body", "read")),
        ("reset", "", Then::Reset, ("reset_waiting", "await")),
        ("half-closed", "", Then::HalfClose, ("eof_before_status", "await")),
        ("bad chunk", chunked, Then::Keep, ("protocol", "read")),
    ] {
        let reply = Reply::bytes(bytes, then);
        let seen = lab.get(load, move |_| reply.clone())?;
        lines.push(Line::exact(&format!("{what}: {kind}"), &100, &seen.errors(kind)));
        lines.push(Line::exact(&format!("{what}: asked"), &100, &seen.asked));
        let places = |one: &&Exemplar| one.byte == Some(bytes.len() as u64) && one.phase == phase;
        let examples = seen.examples(kind);
        let right = examples.iter().filter(|one| places(one)).count();
        lines.push(Line::exact(&format!("{what}: {phase}, byte {}", bytes.len()), &examples.len().max(1), &right));
        if then == Then::Close {
            let bytes = 100 * bytes.len() as u64;
            lines.push(Line::exact(&format!("{what}: bytes"), &bytes, &seen.account.totals.flow.bytes_in));
        }
    }
    Ok(lines)
}
