//! Which units a pattern lets through: gates that open and close with time, and counts within groups. Pure but for its counts.
//!
//! Gates are functions of the time since the injection, so a link can ask when the next one moves. Counts are exact under
//! any number of threads. Not here: shares and draws (`decide`), caps (`caps`).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::decide::Unit;
use crate::base::seed::{Seed, unit as fraction};
use crate::plan::fault::{Of, Pattern};

/// Groups that are told apart; members of later ones are not touched.
const GROUPS: usize = 1 << 20;
/// Slots of the draws that move the borders of bursts.
const BURST: u64 = 64;

/// The draws that a pattern needs of its fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Borders<'a> {
    pub(super) seed: Seed,
    pub(super) fault: &'a str,
}

/// Members seen of each group.
#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<HashMap<(u64, u64), u64>>);

impl Counts {
    /// The ordinal of the next member of `group` under the leaf `leaf`; `None`: no room to tell more groups apart.
    fn next(&self, leaf: u64, group: u64) -> Option<u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= GROUPS && !counts.contains_key(&(leaf, group)) {
            return None;
        }
        let count = counts.entry((leaf, group)).or_default();
        *count += 1;
        Some(*count - 1)
    }
}

/// True when every gate of `pattern` stands open `elapsed` after the injection.
pub(super) fn open(pattern: &Pattern, elapsed: Duration, borders: Borders<'_>) -> bool {
    match pattern {
        Pattern::Always | Pattern::First { .. } | Pattern::Every { .. } => true,
        Pattern::Windows(windows) => windows.iter().any(|(from, to)| (*from..*to).contains(&elapsed)),
        Pattern::Burst { on, off, jitter } => {
            let cycle = cycle_of(elapsed, *on + *off);
            // A late border of the cycle before, or an early one of the next, may reach into this one.
            (cycle.saturating_sub(1)..=cycle + 1).any(|cycle| {
                let [from, to] = burst(cycle, (*on, *off, *jitter), borders);
                (from..to).contains(&elapsed)
            })
        }
        Pattern::All(all) => all.iter().all(|one| open(one, elapsed, borders)),
    }
}

/// When, after `elapsed`, a gate of `pattern` moves next; `None`: never again.
pub(super) fn moves(pattern: &Pattern, elapsed: Duration, borders: Borders<'_>) -> Option<Duration> {
    match pattern {
        Pattern::Always | Pattern::First { .. } | Pattern::Every { .. } => None,
        Pattern::Windows(windows) => {
            windows.iter().flat_map(|(from, to)| [*from, *to]).filter(|border| *border > elapsed).min()
        }
        Pattern::Burst { on, off, jitter } => {
            let cycle = cycle_of(elapsed, *on + *off);
            let near = cycle.saturating_sub(1)..=cycle + 1;
            let all = near.flat_map(|cycle| burst(cycle, (*on, *off, *jitter), borders));
            all.filter(|border| *border > elapsed).min()
        }
        Pattern::All(all) => all.iter().filter_map(|one| moves(one, elapsed, borders)).min(),
    }
}

/// Counts `unit` in its groups; true when `pattern` lets it through.
pub(super) fn count(pattern: &Pattern, unit: &Unit, counts: &Counts) -> bool {
    tally(pattern, 1, unit, counts)
}

fn tally(pattern: &Pattern, leaf: u64, unit: &Unit, counts: &Counts) -> bool {
    let ordinal = |of: Of| unit.group(of).and_then(|group| counts.next(leaf, group));
    match pattern {
        Pattern::Always | Pattern::Windows(_) | Pattern::Burst { .. } => true,
        Pattern::First { n, of } => ordinal(*of).is_some_and(|ordinal| ordinal < *n),
        Pattern::Every { n, offset, of } => {
            ordinal(*of).is_some_and(|ordinal| ordinal.checked_rem(*n) == Some(*offset))
        }
        // A leaf's number is its path, so that an update of the others leaves its counts alone.
        Pattern::All(all) => {
            (0_u64..).zip(&**all).all(|(index, one)| tally(one, leaf.wrapping_mul(31) + index + 1, unit, counts))
        }
    }
}

/// True when which units pass depends on who came first.
pub(super) fn is_by_arrival(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::First { of, .. } | Pattern::Every { of, .. } => matches!(of, Of::Fault | Of::Fingerprint | Of::Key),
        Pattern::All(all) => all.iter().any(is_by_arrival),
        Pattern::Always | Pattern::Windows(_) | Pattern::Burst { .. } => false,
    }
}

fn cycle_of(elapsed: Duration, length: Duration) -> u64 {
    let cycle = elapsed.as_nanos().checked_div(length.as_nanos()).unwrap_or(0);
    u64::try_from(cycle).unwrap_or(u64::MAX - 2)
}

/// Beginning and end of burst number `cycle`, each moved by its own draw; the first begins with the injection.
fn burst(cycle: u64, (on, off, jitter): (Duration, Duration, Duration), borders: Borders<'_>) -> [Duration; 2] {
    let nanos = (on + off).as_nanos().saturating_mul(u128::from(cycle));
    let start = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
    let moved = |at: Duration, which: u64| {
        let u = fraction(borders.seed.decide(borders.fault, &[cycle, which], BURST));
        at.saturating_add((jitter * 2).mul_f64(u)).saturating_sub(jitter)
    };
    [if cycle == 0 { start } else { moved(start, 0) }, moved(start.saturating_add(on), 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const BORDERS: Borders<'_> = Borders { seed: Seed(1), fault: "slow" };

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn windows_open_and_close_and_say_when() {
        let windows = Pattern::Windows([(ms(0), ms(15)), (ms(20), ms(40))].into());
        let is_open = |at| open(&windows, ms(at), BORDERS);
        assert_eq!([0, 14, 15, 19, 20, 39, 40].map(is_open), [true, true, false, false, true, true, false]);
        let next = |at| moves(&windows, ms(at), BORDERS);
        assert_eq!([0, 15, 20, 40].map(next), [Some(ms(15)), Some(ms(20)), Some(ms(40)), None]);
    }

    #[test]
    fn bursts_repeat_and_their_borders_move_by_the_jitter_at_most() {
        let plain = Pattern::Burst { on: ms(10), off: ms(30), jitter: ms(0) };
        let opened = (0..400).filter(|at| open(&plain, ms(*at), BORDERS)).count();
        assert_eq!(opened, 100);
        let shaken = Pattern::Burst { on: ms(10), off: ms(30), jitter: ms(4) };
        let mut at = Duration::ZERO;
        let mut borders = Vec::new();
        while borders.len() < 200 {
            at = moves(&shaken, at, BORDERS).unwrap();
            borders.push(at);
        }
        for (index, border) in (1_u32..).zip(&borders) {
            let nominal = ms(40) * (index / 2) + ms(10) * (index % 2);
            assert!(border.abs_diff(nominal) <= ms(4), "{index}: {border:?}");
            let inside = open(&shaken, *border, BORDERS);
            assert_eq!(inside, index % 2 == 0, "border {index} at {border:?}");
        }
        assert!(borders.iter().enumerate().any(|(i, b)| i % 2 == 0 && b.as_millis() % 40 != 10), "nothing moved");
    }

    #[test]
    fn the_first_of_each_user_are_taken_and_users_do_not_share_a_count() {
        let counts = Counts::default();
        let pattern = Pattern::First { n: 2, of: Of::User };
        let of = |user| Unit { user: Some((user, 0)), ..Unit::default() };
        let taken: Vec<bool> = [1, 2, 1, 1, 2, 2].map(|user| count(&pattern, &of(user), &counts)).into();
        assert_eq!(taken, [true, true, true, false, true, false]);
        assert!(!count(&pattern, &Unit::default(), &counts), "nobody knows whose this is");
    }

    #[test]
    fn every_third_is_taken_from_its_offset_on() {
        let counts = Counts::default();
        let pattern = Pattern::Every { n: 3, offset: 2, of: Of::Fault };
        let taken: Vec<bool> = (0..7).map(|_| count(&pattern, &Unit::default(), &counts)).collect();
        assert_eq!(taken, [false, false, true, false, false, true, false]);
    }

    #[test]
    fn all_of_several_count_only_what_the_earlier_let_through() {
        let counts = Counts::default();
        let both = [Pattern::Every { n: 2, offset: 0, of: Of::Fault }, Pattern::First { n: 2, of: Of::Fault }];
        let pattern = Pattern::All(both.into());
        let taken: Vec<bool> = (0..7).map(|_| count(&pattern, &Unit::default(), &counts)).collect();
        assert_eq!(taken, [true, false, true, false, false, false, false]);
    }
}
