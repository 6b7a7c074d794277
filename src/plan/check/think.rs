//! Pauses and think times.

use std::time::Duration;

use super::desk::Desk;
use crate::base::duration::show;
use crate::plan::program::Think;
use crate::spec::source::{Mark, Spanned};
use crate::spec::step::Think as Written;

/// Draws without a written `at_most` are cut here: an hour is longer than any drill.
const LONGEST: Duration = Duration::from_secs(3600);

pub(super) fn think(desk: &mut Desk, written: Option<&Spanned<Written>>) -> Think {
    let Some(spanned) = written else { return Think::Off };
    let Some(kind) = desk.open(spanned) else { return Think::Off };
    read(desk, kind, spanned.mark).unwrap_or_default()
}

fn read(desk: &mut Desk, kind: &Written, at: Mark) -> Option<Think> {
    Some(match kind {
        Written::Off => Think::Off,
        Written::Fixed(time) => Think::Fixed(desk.duration(time)?),
        Written::Uniform(low, high) => {
            let (low, high) = (desk.duration(low), desk.duration(high));
            let (low, high) = (low?, high?);
            if low > high {
                let message = format!("{} is above {}", show(low), show(high));
                desk.error("shares", at, message, "write the shorter time first");
            }
            Think::Uniform(low, high)
        }
        Written::Exponential { mean, at_most } => {
            let mean = desk.duration(mean);
            let at_most = desk.duration_or(at_most.as_ref(), LONGEST);
            Think::Exponential { mean: mean?, at_most }
        }
        Written::LogNormal { median, p95, at_most } => {
            let (median, p95) = (desk.duration(median), desk.duration(p95));
            let at_most = desk.duration_or(at_most.as_ref(), LONGEST);
            let (median, p95) = (median?, p95?);
            if median.is_zero() || p95 <= median {
                let message = format!("a p95 of {} is not above the median of {}", show(p95), show(median));
                desk.error("shares", at, message, "the median is above zero, and the p95 above the median");
            }
            Think::LogNormal { median, p95, at_most }
        }
    })
}
