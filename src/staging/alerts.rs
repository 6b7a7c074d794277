//! The shop's own alert: 5xx at or above a share over ten seconds, on the gateway's counters.
//!
//! Pure. It counts status codes only, by design: slow or wrong answers with status 200 do not page anybody. One page
//! per episode; it is resolved after ten seconds below. Called by the caretaker once a second; `pager` sends.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::pager::Receiver;
use crate::base::clock::Tick;

/// Over which time the share is taken, and how long it must stay below before the page is resolved.
pub(super) const WINDOW: Duration = Duration::from_secs(10);
/// Fewer answers than this in the window decide nothing.
const FEWEST: u64 = 20;

/// What the gateway had counted at an instant, since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) answers: u64,
    pub(super) status_5xx: u64,
}

/// The rule as it is set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    pub(super) enabled: bool,
    /// Share of 5xx, 0 to 1.
    pub(super) threshold: f64,
    /// Who receives the pages.
    pub(super) to: Option<Receiver>,
}

impl Default for Rule {
    fn default() -> Self {
        Self { enabled: true, threshold: 0.05, to: None }
    }
}

/// What is to be sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Page {
    Trigger { episode: u64, share: f64, counted: Count },
    Resolve { episode: u64 },
}

#[derive(Debug, Default)]
pub(super) struct Alert {
    pub(super) rule: Rule,
    seen: VecDeque<(Tick, Count)>,
    episode: u64,
    /// While a page is open: when the share was last above, or the page was sent.
    open: Option<Tick>,
}

impl Alert {
    /// True while a page is open.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Takes the counters of `now`; says what to send.
    pub(super) fn step(&mut self, now: Tick, count: Count) -> Option<Page> {
        if self.seen.is_empty() {
            // The counters began at zero.
            self.seen.push_back((now, Count::default()));
        }
        self.seen.push_back((now, count));
        while self.seen.get(1).is_some_and(|(at, _)| now.since(*at) >= WINDOW) {
            self.seen.pop_front();
        }
        let first = self.seen.front().map(|(_, count)| *count).unwrap_or_default();
        let counted = Count { answers: count.answers - first.answers, status_5xx: count.status_5xx - first.status_5xx };
        let share = counted.status_5xx as f64 / counted.answers.max(1) as f64;
        let above = self.rule.enabled && counted.answers >= FEWEST && share >= self.rule.threshold;
        match (&mut self.open, above) {
            (None, true) => {
                self.episode += 1;
                self.open = Some(now);
                Some(Page::Trigger { episode: self.episode, share, counted })
            }
            (Some(above), true) => {
                *above = now;
                None
            }
            (Some(above), false) => {
                if now.since(*above) < WINDOW {
                    return None;
                }
                self.open = None;
                Some(Page::Resolve { episode: self.episode })
            }
            (None, false) => None,
        }
    }
}

impl Page {
    /// The page as a PagerDuty Events v2 event of the shop called `id`.
    pub(super) fn event(&self, id: &str) -> Value {
        let (action, episode) = match self {
            Self::Trigger { episode, .. } => ("trigger", episode),
            Self::Resolve { episode } => ("resolve", episode),
        };
        let mut event = json!({
            "routing_key": "squall-staging",
            "event_action": action,
            "dedup_key": format!("{id}/http-5xx/{episode}"),
        });
        if let Self::Trigger { share, counted, .. } = self {
            event["payload"] = json!({
                "summary": format!("{id}: {:.0} % of answers were 5xx over 10 s", share * 100.0),
                "source": id,
                "severity": "critical",
                "component": "gateway",
                "class": "http-5xx",
                "custom_details": {"answers": counted.answers, "status_5xx": counted.status_5xx, "window_s": WINDOW.as_secs()},
            });
        }
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps a new alert once a second; `bad(s)` of 100 answers of second `s` are 5xx.
    fn pages(seconds: u64, bad: impl Fn(u64) -> u64) -> Vec<(u64, &'static str)> {
        let (mut alert, mut count, mut sent) = (Alert::default(), Count::default(), Vec::new());
        for second in 0..seconds {
            count.answers += 100;
            count.status_5xx += bad(second);
            match alert.step(Tick::from_secs(second), count) {
                Some(Page::Trigger { .. }) => sent.push((second, "trigger")),
                Some(Page::Resolve { .. }) => sent.push((second, "resolve")),
                None => {}
            }
        }
        sent
    }

    #[test]
    fn one_page_per_episode_and_a_resolve_after_ten_quiet_seconds() {
        // Bad from 20 to 40: 60 of 1000 answers at once; below 5 % when the last bad second has left the window.
        assert_eq!(pages(100, |s| if (20..40).contains(&s) { 60 } else { 0 }), [(20, "trigger"), (58, "resolve")]);
        assert_eq!(pages(100, |_| 4), [], "4 % is below the threshold");
    }

    #[test]
    fn a_short_lull_neither_resolves_nor_pages_again() {
        let lull = |s: u64| if (20..26).contains(&s) || s >= 42 { 80 } else { 0 };
        assert_eq!(pages(80, lull), [(20, "trigger")]);
    }

    #[test]
    fn too_few_answers_decide_nothing_and_a_rule_can_be_switched_off() {
        let mut alert = Alert::default();
        assert_eq!(alert.step(Tick::from_secs(1), Count { answers: 19, status_5xx: 19 }), None);
        alert.rule.enabled = false;
        assert_eq!(alert.step(Tick::from_secs(2), Count { answers: 500, status_5xx: 500 }), None);
    }

    #[test]
    fn a_page_is_an_events_v2_event() {
        let counted = Count { answers: 1000, status_5xx: 600 };
        let event = Page::Trigger { episode: 2, share: 0.6, counted }.event("shop-1");
        assert_eq!((&event["event_action"], &event["dedup_key"]), (&json!("trigger"), &json!("shop-1/http-5xx/2")));
        assert_eq!(event["payload"]["summary"], "shop-1: 60 % of answers were 5xx over 10 s");
        assert_eq!(event["payload"]["severity"], "critical");
        let event = Page::Resolve { episode: 2 }.event("shop-1");
        assert_eq!((&event["event_action"], event.get("payload")), (&json!("resolve"), None));
    }
}
