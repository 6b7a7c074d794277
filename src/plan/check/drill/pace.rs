//! Paces: durations with two readings, `"5m | 60s"` = with people | unattended.

use std::time::Duration;

use super::{Attendance, DrillOptions};
use crate::base::duration::show;
use crate::plan::check::desk::{Desk, period};
use crate::spec::drill::Run;
use crate::spec::source::{Mark, Spanned};

/// The factor for single readings, unless the file says otherwise.
const FACTOR: f64 = 0.1;

/// Which reading counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paces {
    /// Single readings are multiplied by this; 1 with people.
    factor: f64,
    second: Second,
}

/// What becomes of a second reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Second {
    Counts,
    Ignored,
}

impl Paces {
    pub(super) fn new(desk: &mut Desk, run: Option<&Run>, options: &DrillOptions) -> Self {
        let written = run.and_then(|run| run.time_factor.as_ref());
        let factor = written.and_then(|spanned| {
            let factor = *desk.open(spanned)?;
            let is_good = factor > 0.0 && factor <= 1.0;
            if !is_good {
                let message = format!("a time factor of {factor}");
                desk.error("out-of-range", spanned.mark, message, "write a number above 0, at most 1");
            }
            is_good.then_some(factor)
        });
        let flag = options.time_factor.filter(|flag| {
            let is_good = *flag > 0.0 && *flag <= 1.0;
            if !is_good {
                let message = format!("a --time-factor of {flag}");
                desk.error("out-of-range", Mark::default(), message, "give a number above 0, at most 1");
            }
            is_good
        });
        match (options.attended, flag) {
            (Attendance::Attended, _) => Self { factor: 1.0, second: Second::Ignored },
            (Attendance::Unattended, Some(factor)) => Self { factor, second: Second::Ignored },
            (Attendance::Unattended, None) => Self { factor: factor.unwrap_or(FACTOR), second: Second::Counts },
        }
    }

    /// A pace.
    pub(super) fn read(self, desk: &mut Desk, written: &Spanned<String>) -> Option<Duration> {
        let (first, second) = readings(desk, written)?;
        match second {
            Some(second) if self.second == Second::Counts => Some(second),
            _ => Some(first.mul_f64(self.factor)),
        }
    }

    /// What a single reading is multiplied by.
    pub(super) fn factor(self) -> f64 {
        self.factor
    }

    /// The reading with people, whichever counts; `None` when it is no pace, which is reported where it counts.
    pub(super) fn attended(written: &Spanned<String>) -> Option<Duration> {
        let text = written.value.as_ref().ok()?;
        period(text.split('|').next()?.trim()).ok()
    }

    /// A plain duration, never scaled, that may have two readings all the same.
    pub(super) fn read_plain(self, desk: &mut Desk, written: &Spanned<String>) -> Option<Duration> {
        match readings(desk, written)? {
            (first, Some(_)) if self.second == Second::Ignored => Some(first.mul_f64(self.factor)),
            (_, Some(second)) => Some(second),
            (first, None) => Some(first),
        }
    }

    /// A pace that must last at least `least` in the reading that counts.
    pub(super) fn read_at_least(
        self,
        desk: &mut Desk,
        written: &Spanned<String>,
        least: Duration,
        what: &str,
    ) -> Option<Duration> {
        let pace = self.read(desk, written)?;
        if pace < least {
            let message = format!("{what} of {} is too short", show(pace));
            let help =
                format!("it lasts at least {} in the reading that counts: write both, as \"5m | 60s\"", show(least));
            desk.error("out-of-range", written.mark, message, help);
        }
        Some(pace)
    }
}

/// One or two durations.
fn readings(desk: &mut Desk, written: &Spanned<String>) -> Option<(Duration, Option<Duration>)> {
    if written.value.as_ref().is_ok_and(|text| !text.contains('|')) || written.value.is_err() {
        return desk.quantity(written, "not-a-pace", period).map(|period| (period, None));
    }
    let text = desk.text(written)?;
    let parts: Vec<&str> = text.split('|').map(str::trim).collect();
    let help = "write one duration, or two as \"5m | 60s\": with people | unattended";
    let &[first, second] = parts.as_slice() else {
        let message = format!("`{text}` has {} readings", parts.len());
        desk.error("not-a-pace", written.mark, message, help);
        return None;
    };
    match (period(first), period(second)) {
        (Ok(first), Ok(second)) => Some((first, Some(second))),
        (Err(wrong), _) | (_, Err(wrong)) => {
            desk.error("not-a-pace", written.mark, format!("`{text}` is not a pace: {}", wrong.problem), help);
            None
        }
    }
}
