//! Clients that misbehave on purpose: their shares, and what they do.

use super::desk::Desk;
use crate::base::ratio::Ratio;
use crate::base::size::Size;
use crate::plan::misbehave::{How, Misbehaviour};
use crate::spec::scenario::{How as WrittenHow, Misbehave};
use crate::spec::source::Spanned;

pub(super) fn shares(desk: &mut Desk, written: &Spanned<Vec<Spanned<Misbehave>>>) -> Vec<Misbehaviour> {
    let mut found = Vec::new();
    let mut sum = 0.0;
    for spanned in desk.open(written).map_or(&[][..], Vec::as_slice) {
        let Some(one) = desk.open(spanned) else { continue };
        let share = desk.ratio(&one.share).map(Ratio::get);
        let how = how(desk, &one.how);
        if share == Some(0.0) {
            desk.error("shares", one.share.mark, "nobody misbehaves", "write a share above 0%, or remove this");
        }
        sum += share.unwrap_or(0.0);
        found.extend(share.zip(how).map(|(share, how)| Misbehaviour { share, how }));
    }
    // A hair above is what adding hundredths leaves.
    if sum > 1.0 + 1e-9 {
        let shown = (sum * 1e4).round() / 1e2;
        let message = format!("{shown}% of the users misbehave, of 100%");
        desk.error("shares", written.mark, message, "the shares add up to at most 100%");
    }
    found
}

fn how(desk: &mut Desk, written: &Spanned<WrittenHow>) -> Option<How> {
    match desk.open(written)? {
        WrittenHow::AbortAfter(time) => desk.duration(time).map(How::AbortAfter),
        WrittenHow::AbortAtByte(size) => desk.size(size).map(How::AbortAtByte),
        WrittenHow::SlowRead(pace) => self::pace(desk, pace).map(How::SlowRead),
        WrittenHow::SlowSend(pace) => self::pace(desk, pace).map(How::SlowSend),
        WrittenHow::HalfOpen(time) => desk.duration(time).map(How::HalfOpen),
    }
}

/// `2KiB/s`, in bytes a second, above 0.
fn pace(desk: &mut Desk, written: &Spanned<String>) -> Option<f64> {
    let text = desk.text(written)?;
    let parts = text.split_once('/').and_then(|(size, unit)| Some((size.trim().parse::<Size>().ok()?, unit.trim())));
    let seconds = match parts.map(|(_, unit)| unit) {
        Some("s") => Some(1.0),
        Some("min") => Some(60.0),
        Some("h") => Some(3600.0),
        _ => None,
    };
    let pace = parts.zip(seconds).map(|((size, _), seconds)| size.0 as f64 / seconds).filter(|pace| *pace > 0.0);
    if pace.is_none() {
        let message = format!("`{text}` is not a number of bytes a second above 0");
        desk.error("bad_number", written.mark, message, "write it as `2KiB/s`");
    }
    pace
}
