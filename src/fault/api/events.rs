//! `GET /squall/v1/events`: what happens to faults, as JSON lines, until the reader goes away.
//!
//! Hits are batched over 100 ms. A reader that is too slow loses lines and is told how many; nobody waits for it. Not here: the
//! counters (`stats`).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body_util::BodyExt;
use http_body_util::StreamBody;
use http_body_util::combinators::BoxBody;
use hyper::Response;
use hyper::body::Frame;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::own::millis;
use crate::base::timer::Timer;
use crate::fault::{FaultStats, Proxies};
use crate::plan::fault::Fault;

/// The body of an answer.
pub(super) type Body = BoxBody<Bytes, Infallible>;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(100);
/// Lines that may wait for their reader.
const WAITING: usize = 64;

/// What was known of a fault at the last look.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    stats: FaultStats,
    left: Option<Duration>,
}

/// Lines on their way to one reader.
#[derive(Debug)]
struct Lines {
    to: Sender<String>,
    lost: u64,
}

/// The answer: a stream that ends when its reader does.
pub(super) fn answer(proxies: Proxies) -> Response<Body> {
    let (to, from) = channel(WAITING);
    tokio::spawn(tell(proxies, Lines { to, lost: 0 }));
    let lines = stream::unfold(from, |mut from: Receiver<String>| async {
        let line = from.recv().await?;
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(line))), from))
    });
    let mut response = Response::new(StreamBody::new(lines).boxed());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/jsonl"));
    response
}

async fn tell(proxies: Proxies, mut lines: Lines) {
    let clock = proxies.clock();
    let Ok(mut timer) = Timer::new(&clock) else { return };
    let mut known: BTreeMap<String, Seen> = BTreeMap::new();
    while !lines.to.is_closed() {
        let now = look(&proxies);
        for line in changes(&known, &now) {
            lines.push(&line);
        }
        known = now;
        timer.until(clock.now() + EVERY).await;
    }
}

fn look(proxies: &Proxies) -> BTreeMap<String, Seen> {
    let seen = |(fault, left): (Fault, _)| {
        let stats = proxies.stats(&fault.name).unwrap_or_default();
        (fault.name, Seen { stats, left })
    };
    proxies.active().into_iter().map(seen).collect()
}

/// What lies between two looks.
fn changes(before: &BTreeMap<String, Seen>, now: &BTreeMap<String, Seen>) -> Vec<Value> {
    let mut lines = Vec::new();
    for (name, seen) in now {
        let expires = seen.left.map(millis);
        let old = match before.get(name) {
            None => {
                lines.push(json!({ "event": "injected", "fault": name, "expires_in_ms": expires }));
                Seen::default()
            }
            Some(old) => {
                if seen.left > old.left {
                    lines.push(json!({ "event": "lease", "fault": name, "expires_in_ms": expires }));
                }
                *old
            }
        };
        let more = |pick: fn(&FaultStats) -> u64| pick(&seen.stats).saturating_sub(pick(&old.stats));
        let (touched, considered) = (more(|stats| stats.touched), more(|stats| stats.considered));
        if touched > 0 || considered > 0 {
            lines.push(json!({ "event": "hits", "fault": name, "considered": considered, "touched": touched }));
        }
    }
    for name in before.keys().filter(|name| !now.contains_key(*name)) {
        lines.push(json!({ "event": "healed", "fault": name }));
    }
    lines
}

impl Lines {
    /// Hands a line on, behind the number of those that were lost.
    fn push(&mut self, line: &Value) {
        if self.lost > 0 {
            let lost = json!({ "event": "lost", "lines": self.lost });
            if self.to.try_send(format!("{lost}\n")).is_err() {
                self.lost += 1;
                return;
            }
            self.lost = 0;
        }
        if self.to.try_send(format!("{line}\n")).is_err() {
            self.lost += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(touched: u64, left: u64) -> Seen {
        let stats = FaultStats { considered: touched, touched, ..FaultStats::default() };
        Seen { stats, left: Some(Duration::from_secs(left)) }
    }

    #[test]
    fn between_two_looks_lie_injections_hits_leases_and_healings() {
        let look = |all: &[(&str, Seen)]| all.iter().map(|(name, seen)| ((*name).to_owned(), *seen)).collect();
        let lines =
            changes(&look(&[("a", seen(2, 9)), ("gone", seen(0, 1))]), &look(&[("a", seen(5, 15)), ("b", seen(0, 5))]));
        let told: Vec<String> = lines.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                r#"{"event":"lease","expires_in_ms":15000,"fault":"a"}"#,
                r#"{"considered":3,"event":"hits","fault":"a","touched":3}"#,
                r#"{"event":"injected","expires_in_ms":5000,"fault":"b"}"#,
                r#"{"event":"healed","fault":"gone"}"#,
            ]
        );
    }

    #[test]
    fn a_slow_reader_loses_lines_and_is_told_how_many() {
        let (to, mut from) = channel(2);
        let mut lines = Lines { to, lost: 0 };
        for n in 0..5 {
            lines.push(&json!(n));
        }
        let read = |from: &mut Receiver<String>| [from.try_recv().unwrap(), from.try_recv().unwrap()];
        assert_eq!(read(&mut from), ["0\n", "1\n"]);
        lines.push(&json!(5));
        assert_eq!(read(&mut from), ["{\"event\":\"lost\",\"lines\":3}\n", "5\n"]);
    }
}
