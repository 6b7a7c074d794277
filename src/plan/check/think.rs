//! Pauses and think times.

use std::time::Duration;

use super::desk::Desk;
use crate::base::duration::{Period, show};
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

/// Times as equally spaced quantiles, in rising order.
fn quantiles(desk: &mut Desk, mut times: Vec<Duration>, at: Mark) -> Option<Think> {
    if times.is_empty() {
        desk.error("empty_data", at, "there is no time to draw from", "write at least one time");
        return None;
    }
    times.sort();
    Some(Think::Empirical(times.into()))
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
        Written::Empirical(times) => {
            let times: Vec<_> = times.iter().map(|time| desk.duration(time)).collect();
            quantiles(desk, times.into_iter().collect::<Option<_>>()?, at)?
        }
        Written::File(file) => {
            let text = desk.beside(file)?;
            let mut times = Vec::new();
            for (n, line) in text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty()) {
                match line.parse::<Period>() {
                    Ok(time) => times.push(time.0),
                    // A first line without a time is the column's name.
                    Err(_) if n == 0 => {}
                    Err(wrong) => {
                        let message = format!("line {}: {}", n + 1, wrong.problem);
                        desk.error("bad_number", file.mark, message, "one time in each line, such as `1.5s`");
                        return None;
                    }
                }
            }
            quantiles(desk, times, at)?
        }
    })
}
