//! What the gateway counts: one row per second of arrival, and totals by status for the alert.
//!
//! Pure. A second is closed when all that arrived in it has ended, or three seconds after it; what is still running
//! then is counted as over 500 ms. Called by the gateway (every request) and the caretaker (closing).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::clock::Tick;
use crate::staging::alerts::Count;

/// Above this an answer is slow.
const SLOW: Duration = Duration::from_millis(500);
/// How long a second waits for its requests, in seconds after its end.
const PATIENCE_S: u64 = 3;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::staging) enum Ending {
    /// Answered with this status.
    Status(u16),
    /// The client went away before there was an answer.
    Abandoned,
}

/// One second of arrivals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::staging) struct Row {
    pub(in crate::staging) n: u64,
    pub(in crate::staging) ended: u64,
    pub(in crate::staging) status_5xx: u64,
    pub(in crate::staging) over_500ms: u64,
    pub(in crate::staging) abandoned: u64,
    /// Abandoned, slow, or not answered with 2xx or 3xx.
    pub(in crate::staging) not_good: u64,
}

#[derive(Debug, Default)]
pub(in crate::staging) struct Seconds {
    open: BTreeMap<u32, Row>,
    total: Count,
}

impl Seconds {
    pub(in crate::staging) fn arrived(&mut self, at: Tick) {
        self.open.entry(at.second()).or_default().n += 1;
    }

    /// A request of `arrived` ended at `now`.
    pub(in crate::staging) fn ended(&mut self, arrived: Tick, now: Tick, ending: Ending) {
        if let Ending::Status(status) = ending {
            self.total.answers += 1;
            self.total.status_5xx += u64::from(status >= 500);
        }
        // A second that is closed has counted this one as slow already.
        let Some(row) = self.open.get_mut(&arrived.second()) else { return };
        let slow = now.since(arrived) > SLOW;
        let bad = match ending {
            Ending::Abandoned => true,
            Ending::Status(status) => !(200..400).contains(&status),
        };
        row.ended += 1;
        row.over_500ms += u64::from(slow);
        row.abandoned += u64::from(ending == Ending::Abandoned);
        row.status_5xx += u64::from(matches!(ending, Ending::Status(500..)));
        row.not_good += u64::from(slow || bad);
    }

    /// The seconds that are over at `now`, in order.
    pub(in crate::staging) fn close(&mut self, now: Tick) -> Vec<(u32, Row)> {
        let over = |second: u32, row: &Row| {
            let end = u64::from(second) + 1;
            let wait = if row.ended < row.n { PATIENCE_S } else { 0 };
            now >= Tick::from_secs(end + wait)
        };
        let mut closed = Vec::new();
        // In order: a second that is not over holds back those after it.
        while let Some(first) = self.open.first_entry().filter(|first| over(*first.key(), first.get())) {
            let (second, mut row) = first.remove_entry();
            let running = row.n - row.ended;
            row.over_500ms += running;
            row.not_good += running;
            closed.push((second, row));
        }
        closed
    }

    /// Answers since the start.
    pub(in crate::staging) fn total(&self) -> Count {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_belongs_to_the_second_it_arrived_in() {
        let mut seconds = Seconds::default();
        let arrived = Tick::from_millis(1_900);
        for ending in [Ending::Status(200), Ending::Status(503), Ending::Abandoned, Ending::Status(404)] {
            seconds.arrived(arrived);
            seconds.ended(arrived, Tick::from_millis(2_100), ending);
        }
        seconds.arrived(arrived);
        seconds.ended(arrived, Tick::from_millis(2_401), Ending::Status(200));
        assert!(seconds.close(Tick::from_millis(1_999)).is_empty());
        let row = Row { n: 5, ended: 5, status_5xx: 1, over_500ms: 1, abandoned: 1, not_good: 4 };
        assert_eq!(seconds.close(Tick::from_secs(2)), [(1, row)]);
        assert_eq!(seconds.total(), Count { answers: 4, status_5xx: 1 });
    }

    #[test]
    fn a_second_waits_three_seconds_for_its_requests_and_holds_back_the_next() {
        let mut seconds = Seconds::default();
        seconds.arrived(Tick::ZERO);
        seconds.arrived(Tick::from_secs(1));
        seconds.ended(Tick::from_secs(1), Tick::from_millis(1_010), Ending::Status(200));
        assert!(seconds.close(Tick::from_millis(3_999)).is_empty());
        let closed = seconds.close(Tick::from_secs(4));
        assert_eq!(closed.iter().map(|(second, _)| *second).collect::<Vec<_>>(), [0, 1]);
        assert_eq!((closed[0].1.over_500ms, closed[0].1.not_good), (1, 1));
        seconds.ended(Tick::ZERO, Tick::from_secs(5), Ending::Status(200));
        assert!(seconds.close(Tick::from_secs(9)).is_empty(), "a closed second is not opened again");
    }
}
