//! What clients do about failures: when users give up, what is tried again.

use std::time::Duration;

use super::desk::{Desk, suggest};
use super::think::think;
use crate::base::ratio::Ratio;
use crate::plan::good::StatusSet;
use crate::plan::retry::{Backoff, Failures, Jitter, Patience, Retry};
use crate::spec::scenario::{
    Backoff as WrittenBackoff, Jitter as WrittenJitter, Patience as WrittenPatience, Retry as WrittenRetry, Then,
};
use crate::spec::source::{Mark, Spanned};

/// Further tries of one request at most.
const TIMES_MOST: u64 = 100;
/// The longest pause, unless the author says otherwise.
const LONGEST: Duration = Duration::from_secs(3600);

pub(super) fn patience(desk: &mut Desk, written: &Spanned<WrittenPatience>) -> Option<Patience> {
    let patience = desk.open(written)?;
    let leaves_after = think(desk, Some(&patience.leaves_after));
    let reloads = match desk.open_if(patience.then.as_ref()) {
        Some(Then::Reload(times)) => tries(desk, times),
        Some(Then::Leave) | None => 0,
    };
    Some(Patience { leaves_after, reloads })
}

fn tries(desk: &mut Desk, written: &Spanned<u64>) -> u32 {
    let times = desk.open(written).copied().unwrap_or(1);
    if !(1..=TIMES_MOST).contains(&times) {
        desk.error("bad_number", written.mark, format!("{times} further tries"), format!("write 1 to {TIMES_MOST}"));
    }
    u32::try_from(times).unwrap_or(1)
}

pub(super) fn retry(desk: &mut Desk, written: &Spanned<WrittenRetry>) -> Option<Retry> {
    let retry = desk.open(written)?;
    let on = failures(desk, &retry.on);
    let times = tries(desk, &retry.times);
    let backoff = retry.backoff.as_ref().and_then(|backoff| self::backoff(desk, backoff)).unwrap_or_default();
    let jitter = match desk.open_if(retry.jitter.as_ref()) {
        Some(WrittenJitter::Off) => Jitter::Off,
        Some(WrittenJitter::Equal) => Jitter::Equal,
        Some(WrittenJitter::Full) | None => Jitter::Full,
    };
    let retry_after = desk.open_if(retry.retry_after.as_ref()).copied().unwrap_or(true);
    let budget = retry.budget.as_ref().and_then(|budget| desk.ratio(budget)).map(Ratio::get);
    Some(Retry { on: on?, times, backoff, jitter, budget, retry_after })
}

/// `connect, reset, 503`.
fn failures(desk: &mut Desk, written: &Spanned<String>) -> Option<Failures> {
    let text = desk.text(written)?;
    let mut found = Failures::default();
    let mut statuses: Vec<&str> = Vec::new();
    for part in text.split(',').map(str::trim) {
        match Failures::WORDS.iter().find(|word| **word == part) {
            Some(word) => found.words.push(word),
            None if StatusSet::parse(part).is_some() => statuses.push(part),
            None => {
                let message = format!("`{part}` is neither a kind of failure nor a status");
                desk.error("bad_number", written.mark, message, suggest(part, &Failures::WORDS));
                return None;
            }
        }
    }
    found.status = StatusSet::parse(&statuses.join(", "));
    Some(found)
}

fn backoff(desk: &mut Desk, written: &Spanned<WrittenBackoff>) -> Option<Backoff> {
    Some(match desk.open(written)? {
        WrittenBackoff::Off => Backoff::Off,
        WrittenBackoff::Fixed(pause) => Backoff::Fixed(desk.duration(pause)?),
        WrittenBackoff::Exponential { base, factor, at_most } => {
            let base = desk.duration(base);
            let factor = factor.as_ref().map_or(Some(2.0), |factor| self::factor(desk, factor, written.mark));
            let at_most = desk.duration_or(at_most.as_ref(), LONGEST);
            Backoff::Exponential { base: base?, factor: factor?, at_most }
        }
    })
}

fn factor(desk: &mut Desk, written: &Spanned<f64>, at: Mark) -> Option<f64> {
    let factor = *desk.open(written)?;
    if !(factor.is_finite() && (1.0..=100.0).contains(&factor)) {
        desk.error("bad_number", at, format!("a factor of {factor}"), "write 1.0 to 100.0");
        return None;
    }
    Some(factor)
}
