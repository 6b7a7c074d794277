//! What stands out: at most seven sentences, each by a rule, each with a link to where it is seen.
//!
//! Not here: verdicts (`checks`), what the pictures say (`caption`).

use super::course::{Column, Course};
use super::sentence;
use crate::judge::account::{Account, BandKind};
use crate::judge::finding::Verdict;
use crate::measure::histogram::Bins;
use crate::measure::interval::Cell;
use crate::report::words;

/// Most sentences.
const MOST: usize = 7;
/// Below this share of what was due, sending has fallen behind.
const BEHIND: f64 = 0.9;
/// How many times its usual value p95 must be to have jumped.
const JUMP: u64 = 8;
/// Rows per decade in which modes are looked for.
const ROWS: f64 = 12.0;
/// Fewer answers show no modes.
const FEW: u64 = 200;

/// One sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standout {
    /// What stands out.
    pub text: String,
    /// Id of the place on the page where it is seen.
    pub place: &'static str,
}

/// What stands out in `account`, gravest first.
pub fn of(account: &Account, course: &Course) -> Vec<Standout> {
    let mut found: Vec<Standout> = [
        late(account),
        behind(course),
        unrecovered(account),
        jump(course),
        hidden(account),
        one_kind(account),
        one_step(account),
        one_worker(account),
        modes(account),
    ]
    .into_iter()
    .flatten()
    .collect();
    found.truncate(MOST);
    found
}

fn say(place: &'static str, text: String) -> Standout {
    Standout { text, place }
}

/// The generator was late.
fn late(account: &Account) -> Option<Standout> {
    let own = &account.generator;
    let longest = own.stalls.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    match (own.verdict, longest) {
        (Verdict::Pass, None) => None,
        (_, Some((second, ms, arrivals))) => Some(say(
            "generator",
            format!(
                "The generator stood still for {} in second {second}, with {} due meanwhile.",
                words::time(ms * 1e3),
                words::plural(*arrivals, "arrival")
            ),
        )),
        (_, None) => {
            Some(say("generator", format!("{}.", sentence::upper(&words::text(own.sentence.trim_end_matches('.'))))))
        }
    }
}

/// Achieved leaves offered.
fn behind(course: &Course) -> Option<Standout> {
    let lags = |column: &Column| {
        let due = column.classes.total();
        due >= 10 && (column.flow.sent as f64) < BEHIND * due as f64
    };
    let stretches = course.columns.split(|column| !lags(column));
    let worst = stretches.max_by_key(|stretch| stretch.iter().map(|column| column.seconds).sum::<usize>())?;
    let (first, last) = (worst.first()?, worst.last()?);
    let length = last.to_s() - first.from_s;
    if length < 2.0 {
        return None;
    }
    let sent: u64 = worst.iter().map(|column| column.flow.sent).sum();
    let due: u64 = worst.iter().map(|column| column.classes.total()).sum();
    let rate = words::rate(due as f64 / length);
    let text = format!(
        "What was sent left what was due at {rate}: {} of it, from {} for {}.",
        words::part(sent, due),
        words::instant(first.from_s, course.zero_s),
        words::span(length)
    );
    Some(say("load", text))
}

/// Recovery was never reached.
fn unrecovered(account: &Account) -> Option<Standout> {
    let timeline = &account.drill.as_ref()?.timeline;
    let impact = timeline.impact_s.filter(|_| timeline.recovered_s.is_none())?;
    let seen = words::span(timeline.observed_until_s - impact);
    Some(say("hero", format!("Recovery was never reached: {seen} after users began to feel it, they still did.")))
}

/// Response times jumped while nothing was broken on purpose.
fn jump(course: &Course) -> Option<Standout> {
    let mut usual: Vec<u64> = course.columns.iter().filter_map(|column| column.quantiles[1]).collect();
    usual.sort_unstable();
    let usual = *usual.get(usual.len() / 2)?;
    let meant = |column: &Column| {
        let faults = course.bands.iter().filter(|band| band.kind != BandKind::Phase);
        faults.into_iter().any(|band| band.from_s < column.to_s() && column.from_s < band.to_s)
    };
    let high = |column: &Column| column.quantiles[1].is_some_and(|us| us > JUMP * usual && us > 10_000);
    let stretches = course.columns.split(|column| !high(column) || meant(column));
    let most = |stretch: &[Column]| stretch.iter().filter_map(|column| column.quantiles[1]).max();
    let worst = stretches.max_by_key(|stretch| most(stretch))?;
    let [usual, peak] = [usual, most(worst)?].map(|us| words::time(us as f64));
    let (first, last) = (worst.first()?, worst.last()?);
    let (at, length) = (words::instant(first.from_s, course.zero_s), words::span(last.to_s() - first.from_s));
    Some(say("times", format!("Response times jumped at {at} for {length}: p95 was {peak}, where {usual} was usual.")))
}

/// What a clock that starts at sending would have hidden.
fn hidden(account: &Account) -> Option<Standout> {
    let all = &account.totals.all;
    let [felt, took] = [&all.response, &all.service].map(|split| split.both().value_at(0.99));
    let (felt, took) = (felt?, took?);
    if felt < 2 * took || felt - took < 10_000 {
        return None;
    }
    let [felt, took] = [felt, took].map(|us| words::time(us as f64));
    Some(say(
        "gap",
        format!("Users felt a p99 of {felt} where the server took {took}: the rest was waiting to be sent."),
    ))
}

/// One kind is most of the errors.
fn one_kind(account: &Account) -> Option<Standout> {
    let counts = &account.totals.all.errors;
    let all: u64 = counts.values().sum();
    let (kind, n) = counts.iter().max_by_key(|(_, n)| **n)?;
    if all < 10 || *n as f64 <= 0.8 * all as f64 {
        return None;
    }
    let kind = words::name(kind);
    Some(say("errors", format!("“{kind}” is {} of all {}.", words::part(*n, all), words::plural(all, "error"))))
}

/// One step has far more than its share of what went bad.
fn one_step(account: &Account) -> Option<Standout> {
    let (bad, all) = (account.totals.all.classes.bad(), account.totals.all.arrivals());
    let (name, cell) = account.totals.steps.iter().max_by_key(|(_, cell)| cell.classes.bad())?;
    let [of_bad, of_all] =
        [(cell.classes.bad(), bad), (cell.arrivals(), all)].map(|(n, of)| n as f64 / of.max(1) as f64);
    if bad < 20 || of_bad < 0.5 || of_bad < 2.0 * of_all {
        return None;
    }
    let [of_bad, of_all] = [of_bad, of_all].map(words::share);
    Some(say("steps", format!("{} is {of_all} of the requests and {of_bad} of the bad ones.", words::name(name))))
}

/// One thread of the generator works far more than the others.
fn one_worker(account: &Account) -> Option<Standout> {
    let mut spent = std::collections::BTreeMap::<u16, u64>::new();
    for (worker, health) in account.seconds.iter().flat_map(|second| &second.health) {
        *spent.entry(*worker).or_default() += health.cpu_us;
    }
    let mut by_time: Vec<(u64, u16)> = spent.into_iter().map(|(worker, us)| (us, worker)).collect();
    by_time.sort_unstable();
    let ((most, worker), (middle, _)) = (*by_time.last()?, by_time[by_time.len() / 2]);
    if by_time.len() < 3 || most < 1_000_000 || most < 2 * middle {
        return None;
    }
    let [most, middle] = [most, middle].map(|us| words::time(us as f64));
    Some(say(
        "generator",
        format!("Thread {worker} of the generator is unlike the rest: {most} of processor time against {middle}."),
    ))
}

/// Steps whose answers come in two sorts; the most used one is named.
fn modes(account: &Account) -> Option<Standout> {
    let mut steps: Vec<(&String, &Cell)> = account.totals.steps.iter().collect();
    steps.sort_by(|a, b| b.1.arrivals().cmp(&a.1.arrivals()).then(a.0.cmp(b.0)));
    let found: Vec<(&String, (f64, f64))> =
        steps.into_iter().filter_map(|(name, cell)| Some((name, two_modes(&cell.response.ok)?))).collect();
    let (name, (quick, slow)) = found.first()?;
    let [quick, slow] = [*quick, *slow].map(words::time);
    let also = match found.len() as u64 {
        1 => String::new(),
        n => format!(" The same holds for {}.", words::plural(n - 1, "other step")),
    };
    Some(say(
        "steps",
        format!("{} is answered in two sorts: around {quick} and around {slow}.{also}", words::name(name)),
    ))
}

/// Where the two modes of `bins` lie, µs: each with a tenth of the answers, at least three times apart, with a valley of
/// less than half the lower one between them.
fn two_modes(bins: &Bins) -> Option<(f64, f64)> {
    let n = bins.n();
    let low = bins.buckets().next()?.0.max(1) as f64;
    let row = |us: u64| ((us.max(1) as f64 / low).log10() * ROWS).max(0.0);
    let mut rows: Vec<u64> = Vec::new();
    for (from, to, count) in bins.buckets() {
        let at = place(row(u64::midpoint(from, to)));
        rows.resize(rows.len().max(at + 1), 0);
        rows[at] += count;
    }
    let first = peak(&rows, |_| true)?;
    let apart = |at: usize| at.abs_diff(first) >= place(ROWS / 2.0);
    let deep = |at: usize| {
        let between = &rows[first.min(at)..=first.max(at)];
        between.iter().min().is_some_and(|valley| *valley * 2 < rows[at])
    };
    let second = peak(&rows, |at| apart(at) && deep(at))?;
    let (a, b) = (first.min(second), first.max(second));
    let valley = (a..=b).min_by_key(|at| rows[*at])?;
    let below: u64 = rows[..=valley].iter().sum();
    let share = below.min(n - below) as f64 / n as f64;
    let time = |at: usize| low * 10_f64.powf((at as f64 + 0.5) / ROWS);
    (n >= FEW && share >= 0.1).then(|| (time(a), time(b)))
}

fn peak(rows: &[u64], wanted: impl Fn(usize) -> bool) -> Option<usize> {
    (0..rows.len()).filter(|at| wanted(*at)).max_by_key(|at| rows[*at])
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rows of a few decades, never negative")]
fn place(row: f64) -> usize {
    row as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::report::view::course;

    fn told(account: &Account) -> Vec<Standout> {
        of(account, &course::of(account))
    }

    fn places(account: &Account) -> Vec<&'static str> {
        told(account).iter().map(|one| one.place).collect()
    }

    #[test]
    fn a_calm_run_has_nothing_that_stands_out() {
        assert_eq!(told(&sample::load()), []);
        assert_eq!(told(&sample::nothing()), []);
    }

    #[test]
    fn each_rule_fires_on_its_own_trouble() {
        let mut account = sample::load();
        account.generator.stalls = vec![(4, 1_003.0, 98)];
        for second in &mut account.seconds[50..60] {
            second.flow.sent /= 2;
        }
        assert_eq!(places(&account), ["generator", "load"]);
        assert!(
            words::plain(&told(&account)[1].text).contains("50 % of it, from T+50.0 s for 10 s"),
            "{:?}",
            told(&account)
        );
        let mut frozen = sample::load();
        for cell in frozen.seconds[70].steps.values_mut() {
            (0..100).for_each(|_| cell.response.ok.record(900_000));
        }
        assert!(
            told(&frozen)[0].text.starts_with("Response times jumped at T+70.0\u{a0}s for 1\u{a0}s"),
            "{:?}",
            told(&frozen)
        );
        let mut drill = sample::drill();
        drill.drill.as_mut().unwrap().timeline.recovered_s = None;
        assert!(places(&drill).contains(&"hero"));
        drill.totals.all.errors = [("timeout_total".to_owned(), 90), ("status_503".to_owned(), 10)].into();
        assert!(places(&drill).contains(&"errors"));
    }

    #[test]
    fn two_modes_are_seen_and_one_is_not() {
        let mut bins = Bins::default();
        for n in 0..400 {
            bins.record(9_000 + n * 5);
        }
        assert_eq!(two_modes(&bins), None);
        for n in 0..100 {
            bins.record(200_000 + n * 300);
        }
        let (quick, slow) = two_modes(&bins).unwrap();
        assert!((8_000.0..12_000.0).contains(&quick) && (180_000.0..260_000.0).contains(&slow), "{quick} {slow}");
    }
}
