//! The percentile spectrum: response and service time at every quantile the run can speak about, with intervals.
//!
//! An unanswered arrival ranks above every answer, as in the tables. A line ends where less than one independent arrival
//! lies beyond (`n_eff · (1 - q) < 1`), or where the unanswered begin. Not here: pixels (`html::spectrum`).

use super::course;
use crate::judge::account::Account;
use crate::measure::histogram::{Bins, rank_of};
use crate::measure::interval::{Cell, Split};
use crate::measure::outcome::Class;
use crate::report::words;
use crate::stats::quantile::{Batch, ClusterEstimate, batches};

/// Stops per decade of `1 / (1 - q)`.
const PER_DECADE: f64 = 12.0;
/// Last stop: nine nines.
const DECADES: f64 = 9.0;

/// Both clocks.
#[derive(Debug)]
pub struct Spectrum {
    /// What users felt.
    pub response: Curve,
    /// What the server took.
    pub service: Curve,
}

/// One clock.
#[derive(Debug)]
pub struct Curve {
    /// From the least quantile on.
    pub stops: Vec<Stop>,
    /// Why it ends.
    pub end: End,
}

/// A quantile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stop {
    /// `log10(1 / (1 - q))`.
    pub x: f64,
    /// Its value, µs.
    pub value: u64,
    /// The 95 % interval, µs; the upper end `None`: unbounded. `None` with fewer than six batches.
    pub interval: Option<(u64, Option<u64>)>,
}

/// Why a curve ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Too few independent arrivals lie beyond.
    Evidence,
    /// The rest was never answered.
    Unanswered,
}

/// The spectrum of the run; `None` when nothing was answered.
pub fn of(account: &Account) -> Option<Spectrum> {
    let seconds = &account.seconds;
    let numbers: Vec<u64> = seconds.iter().map(|one| u64::from(one.second)).collect();
    let cells: Vec<Cell> = batches(&numbers).into_iter().map(|range| course::sum(&seconds[range])).collect();
    let response = curve(&cells, |cell| (&cell.response, cell.failed() + cell.classes.get(Class::Shed)));
    let service = curve(&cells, |cell| (&cell.service, cell.service.rest.n()));
    (!response.stops.is_empty()).then_some(Spectrum { response, service })
}

fn curve(cells: &[Cell], of: impl Fn(&Cell) -> (&Split, u64)) -> Curve {
    let (mut answers, mut unanswered) = (Bins::default(), 0);
    for cell in cells {
        let (split, lost) = of(cell);
        answers.merge(&split.ok);
        unanswered += lost;
    }
    let n = answers.n() + unanswered;
    let mut stops = Vec::new();
    let mut at = 0.0;
    while at <= PER_DECADE * DECADES {
        let x = at / PER_DECADE;
        let q = 1.0 - 10_f64.powf(-x);
        at += 1.0;
        let Some(value) = answers.value_at_rank(rank_of(q, n)) else { return Curve { stops, end: End::Unanswered } };
        let batch = |cell: &Cell| {
            let (split, lost) = of(cell);
            Batch { arrivals: split.ok.n() + lost, counted: split.ok.at_or_below(value) }
        };
        let batches: Vec<Batch> = cells.iter().map(batch).collect();
        let cluster = ClusterEstimate::of(q, &batches, 0.05);
        let worth = cluster.map_or(n as f64, |cluster| cluster.n_eff);
        if worth * (1.0 - q) < 1.0 {
            break;
        }
        let interval = cluster.and_then(|cluster| {
            let ranks = cluster.ranks(q, unanswered);
            let low = answers.value_at_rank(rank_of(ranks.lower, n)).or(answers.max())?;
            Some((low, ranks.upper.and_then(|upper| answers.value_at_rank(rank_of(upper, n)))))
        });
        stops.push(Stop { x, value, interval });
    }
    Curve { stops, end: End::Evidence }
}

impl Curve {
    /// The stop at or just below quantile `q`.
    pub fn at(&self, q: f64) -> Option<&Stop> {
        let x = -(1.0 - q).log10() + 1e-9;
        self.stops.iter().rfind(|stop| stop.x <= x).filter(|stop| x - stop.x < 1.0 / PER_DECADE)
    }

    /// The last quantile, as people say it.
    pub fn last(&self) -> String {
        self.stops.last().map_or_else(|| words::share(0.0), |stop| words::share(1.0 - 10_f64.powf(-stop.x)))
    }
}

/// What the picture says.
pub fn caption(spectrum: &Spectrum) -> String {
    let end = match spectrum.response.end {
        End::Evidence => format!("no data beyond {}", spectrum.response.last()),
        End::Unanswered => format!("beyond {} requests were never answered", spectrum.response.last()),
    };
    let stops = [0.5, 0.99].map(|q| spectrum.response.at(q).map(|stop| words::time(stop.value as f64)));
    match stops {
        [Some(half), Some(tail)] => {
            format!("The slowest 1\u{a0}% took more than {tail}, where the typical request took {half}; {end}.")
        }
        [Some(half), None] => format!("The typical request took {half}; {end}."),
        _ => format!("There are few answers: {end}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_line_ends_where_evidence_or_answers_end() {
        let load = of(&sample::load()).unwrap();
        assert_eq!(load.response.end, End::Evidence);
        let last = load.response.stops.last().unwrap();
        assert!(last.x > 2.0 && last.x < 4.1, "{last:?}");
        assert!(load.response.stops.windows(2).all(|two| two[0].value <= two[1].value));
        let held = load.response.stops.iter().all(|stop| {
            stop.interval.is_some_and(|(low, high)| low <= stop.value && high.is_none_or(|high| high >= stop.value))
        });
        assert!(held, "every value lies inside its interval");
        let drill = of(&sample::drill()).unwrap();
        assert_eq!(drill.response.end, End::Unanswered);
        assert!(of(&sample::nothing()).is_none());
    }

    #[test]
    fn few_batches_give_values_without_intervals() {
        let mut account = sample::load();
        account.seconds.truncate(4);
        let short = of(&account).unwrap();
        assert!(short.response.stops.iter().all(|stop| stop.interval.is_none()));
    }
}
