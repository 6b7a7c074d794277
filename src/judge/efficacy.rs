//! Did a mitigation work? The share of bad requests before it against the share well after it was verified.
//!
//! Before and after, not cause and effect: whatever else happened inside the windows makes the answer `confounded`, never a guess.
//! Called by `account`. Not here: what a mitigation was worth by its author's word (`plan::drill::MitigationKind`).

use std::ops::Range;

use super::impact::Second;
use crate::plan::drill::MitigationKind;
use crate::stats::proportion::{Limits, wilson};

/// Least number of requests in a window.
const LEAST: u64 = 50;
/// Standard errors of a 95 % interval.
const Z: f64 = 1.96;

/// What an action did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Efficacy {
    /// Fewer bad requests; the intervals do not touch.
    Helped,
    /// More of them; the intervals do not touch.
    Hurt,
    /// Neither.
    NoEffect,
    /// Something else happened inside the windows.
    Confounded,
    /// Too little was seen of one of the windows.
    #[default]
    Unclear,
}

impl Efficacy {
    /// The word in documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Helped => "helped",
            Self::Hurt => "hurt",
            Self::NoEffect => "no effect",
            Self::Confounded => "confounded",
            Self::Unclear => "not seen for long enough",
        }
    }

    /// Whether that is what its author says it does; `None` when nobody can tell.
    pub fn fits(self, kind: MitigationKind) -> Option<bool> {
        use MitigationKind::{Correct, CorrectSlow, Harmful, NoEffect, Partial};
        match (self, kind) {
            (Self::Confounded | Self::Unclear, _) => None,
            (Self::Helped, Correct | CorrectSlow | Partial) | (Self::Hurt, Harmful) | (Self::NoEffect, NoEffect) => {
                Some(true)
            }
            _ => Some(false),
        }
    }
}

/// Lengths of the windows, seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Windows {
    before: f64,
    gap: f64,
    after: f64,
}

impl Windows {
    /// 30 s before, and 30 s to 90 s past the verification, so much shorter in a compressed drill; a window has at least 10 s, the gap 3 s.
    pub fn compressed(factor: f64) -> Self {
        Self { before: (30.0 * factor).max(10.0), gap: (30.0 * factor).max(3.0), after: (60.0 * factor).max(10.0) }
    }
}

/// What is judged: the series, the time of its first second, and the end of what counts, seconds.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// Bad and total requests per second.
    pub series: &'a [Second],
    /// When its first second begins.
    pub first_s: f64,
    /// Behind this the drill heals by itself.
    pub end_s: f64,
    /// When something else was done to the system.
    pub others: &'a [f64],
    /// Lengths of the windows.
    pub windows: Windows,
}

/// An action: begun and, if ever, verified at, seconds.
pub type Action = (f64, Option<f64>);

/// A judgement: the share of bad requests before and after, where seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Judged {
    /// What it did.
    pub efficacy: Efficacy,
    /// Share of bad requests before.
    pub before: Option<f64>,
    /// Share of bad requests after.
    pub after: Option<f64>,
}

/// Judges each of `actions`.
pub fn of(actions: &[Action], course: Course<'_>) -> Vec<Judged> {
    (0..actions.len()).map(|n| one(n, actions, course)).collect()
}

fn one(n: usize, actions: &[Action], course: Course<'_>) -> Judged {
    let (at, verified) = actions[n];
    let settled = verified.unwrap_or(at) + course.windows.gap;
    let (from, to) = (at - course.windows.before, settled + course.windows.after);
    let before = share(course, from..at);
    let after = if to <= course.end_s { share(course, settled..to) } else { None };
    let inside = |other: f64| (from..to).contains(&other);
    let beside = actions.iter().enumerate().any(|(m, other)| m != n && inside(other.0));
    let efficacy = if beside || course.others.iter().any(|other| inside(*other)) {
        Efficacy::Confounded
    } else {
        match (before, after) {
            (Some((_, before)), Some((_, after))) if after.high < before.low => Efficacy::Helped,
            (Some((_, before)), Some((_, after))) if after.low > before.high => Efficacy::Hurt,
            (Some(_), Some(_)) => Efficacy::NoEffect,
            _ => Efficacy::Unclear,
        }
    };
    Judged { efficacy, before: before.map(|seen| seen.0), after: after.map(|seen| seen.0) }
}

/// The share of bad requests in the whole seconds of `span`, with its interval.
fn share(course: Course<'_>, span: Range<f64>) -> Option<(f64, Limits)> {
    let begins = |n: usize| course.first_s + n as f64;
    let whole =
        course.series.iter().enumerate().filter(|(n, _)| begins(*n) >= span.start && begins(*n) + 1.0 <= span.end);
    let (bad, total) = whole.fold((0, 0), |sum, (_, one)| (sum.0 + one.bad, sum.1 + one.total));
    let ratio = bad as f64 / total.max(1) as f64;
    (total >= LEAST).then(|| (ratio, wilson(ratio, total as f64, Z)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(actions: &[Action], bad_after: u64, others: &[f64]) -> Vec<Efficacy> {
        let second = |n: u64| Second { total: 100, bad: if n < 100 { 50 } else { bad_after }, fit: true };
        let series: Vec<Second> = (0..200).map(second).collect();
        let windows = Windows::compressed(0.1);
        let course = Course { series: &series, first_s: 0.0, end_s: 200.0, others, windows };
        of(actions, course).into_iter().map(|one| one.efficacy).collect()
    }

    #[test]
    fn an_action_helps_hurts_or_does_nothing() {
        let action = [(99.5, Some(101.0))];
        assert_eq!(judged(&action, 0, &[]), [Efficacy::Helped]);
        assert_eq!(judged(&action, 90, &[]), [Efficacy::Hurt]);
        assert_eq!(judged(&action, 51, &[]), [Efficacy::NoEffect]);
    }

    #[test]
    fn what_else_happened_or_was_not_seen_is_never_guessed() {
        assert_eq!(judged(&[(99.5, Some(101.0)), (104.5, None)], 0, &[]), [Efficacy::Confounded; 2]);
        assert_eq!(judged(&[(99.5, None)], 0, &[108.0]), [Efficacy::Confounded], "an act in the window after");
        assert_eq!(judged(&[(99.5, None)], 0, &[88.0, 140.0]), [Efficacy::Helped], "outside of both windows");
        assert_eq!(judged(&[(192.0, None)], 0, &[]), [Efficacy::Unclear]);
        assert_eq!(judged(&[(3.0, None)], 0, &[]), [Efficacy::NoEffect], "two seconds before are two hundred requests");
    }

    #[test]
    fn a_verdict_is_held_against_the_author() {
        assert_eq!(Efficacy::Helped.fits(MitigationKind::Correct), Some(true));
        assert_eq!(Efficacy::NoEffect.fits(MitigationKind::Correct), Some(false));
        assert_eq!(Efficacy::Hurt.fits(MitigationKind::Harmful), Some(true));
        assert_eq!(Efficacy::Confounded.fits(MitigationKind::Correct), None);
    }
}
