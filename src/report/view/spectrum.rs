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
const PER_DECADE: f64 = 24.0;
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

/// Quantiles that people ask for; the picture has more in between.
pub const ASKED: [f64; 8] = [0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999];

fn x_of(q: f64) -> f64 {
    -(1.0 - q).log10()
}

/// All quantiles, rising.
fn grid() -> Vec<f64> {
    let mut grid = ASKED.to_vec();
    let mut at = 0.0;
    while at <= PER_DECADE * DECADES {
        let q = 1.0 - 10_f64.powf(-at / PER_DECADE);
        if ASKED.iter().all(|asked| (x_of(*asked) - at / PER_DECADE).abs() > 0.01) {
            grid.push(q);
        }
        at += 1.0;
    }
    grid.sort_by(f64::total_cmp);
    grid
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
    for q in grid() {
        let x = x_of(q);
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
    /// The stop at quantile `q`, one of [`ASKED`].
    pub fn at(&self, q: f64) -> Option<&Stop> {
        self.stops.iter().find(|stop| (stop.x - x_of(q)).abs() < 1e-9)
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
