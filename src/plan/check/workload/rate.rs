//! The rate of an open workload: every written piece becomes straight ramps with the exact area.

use std::f64::consts::PI;
use std::time::Duration;

use super::Desk;
use crate::base::duration::show;
use crate::plan::curve::{Curve, Ramp};
use crate::spec::scenario::Piece;
use crate::spec::source::{Mark, Spanned};
use crate::stats::portable::sin;

/// Straight segments in one period of a sine.
const SEGMENTS: f64 = 64.0;
/// Pieces of a curve at most.
const PIECES_MOST: usize = 1_000_000;

pub(super) fn curve(desk: &mut Desk, written: &Spanned<Vec<Spanned<Piece>>>) -> Option<Curve> {
    let list = desk.open(written)?;
    let mut ramps: Vec<Ramp> = Vec::new();
    let mut is_whole = true;
    for spanned in list {
        let before = ramps.last().map_or(0.0, |ramp| ramp.to);
        match desk.open(spanned).and_then(|kind| piece(desk, kind, before, spanned.mark)) {
            Some(more) => ramps.extend(more),
            None => is_whole = false,
        }
    }
    if ramps.len() > PIECES_MOST {
        let message = format!("a curve of {} pieces", ramps.len());
        desk.error("bad_number", written.mark, message, format!("at most {PIECES_MOST}: make it coarser"));
        return None;
    }
    is_whole.then(|| Curve::new(ramps))
}

fn piece(desk: &mut Desk, piece: &Piece, before: f64, at: Mark) -> Option<Vec<Ramp>> {
    let level = |rate: f64, over: Duration| Ramp { from: rate, to: rate, over };
    match piece {
        Piece::Hold { rate, r#for } => {
            let (rate, over) = (desk.rate(rate), desk.duration(r#for));
            Some(vec![level(rate?, over?)])
        }
        Piece::Ramp { from, to, over } => {
            let from = from.as_ref().map_or(Some(before), |from| desk.rate(from));
            let (to, over) = (desk.rate(to), desk.duration(over));
            Some(vec![Ramp { from: from?, to: to?, over: over? }])
        }
        Piece::Step { from, by, every, times } => {
            let (from, by, every) = (desk.rate(from), desk.rate(by), desk.duration(every));
            let count = desk.open(times).copied();
            let (from, by, every) = (from?, by?, every?);
            let count = u32::try_from(count?).ok().filter(|count| (1..=100_000).contains(count));
            if count.is_none() {
                desk.error("bad_number", times.mark, "this many levels", "write 1 to 100000");
            }
            Some((0..count?).map(|n| level(from + by * f64::from(n), every)).collect())
        }
        Piece::Spike { base, peak, rise, r#for, fall } => {
            let (base, peak) = (desk.rate(base), desk.rate(peak));
            let (rise, top, fall) = (desk.duration(rise), desk.duration(r#for), desk.duration(fall));
            let (base, peak) = (base?, peak?);
            if base > peak {
                desk.error("shares", at, format!("a base of {base}/s is above the peak of {peak}/s"), "swap them");
            }
            Some(vec![
                Ramp { from: base, to: peak, over: rise? },
                level(peak, top?),
                Ramp { from: peak, to: base, over: fall? },
            ])
        }
        Piece::Sine { mean, swing, period, r#for, phase } => {
            let (mean, swing, period) = (desk.rate(mean), desk.rate(swing), desk.duration(period));
            let (length, phase) =
                (desk.duration(r#for), phase.as_ref().map_or(Some(Duration::ZERO), |d| desk.duration(d)));
            let (mean, swing, period) = (mean?, swing?, period?);
            wave(desk, (mean, swing), (period, length?, phase?), at)
        }
        Piece::Curve(points) => self::points(desk, points, at),
        Piece::Table { file, scale, speed } => {
            let scale = desk.open_if(scale.as_ref()).copied().unwrap_or(1.0);
            let speed = desk.open_if(speed.as_ref()).copied().unwrap_or(1.0);
            if !(scale.is_finite() && scale > 0.0 && speed.is_finite() && speed > 0.0) {
                desk.error("bad_number", at, "`scale` and `speed` are above 0", "1.0 leaves the table as it is");
                return None;
            }
            let text = desk.beside(file)?;
            table(desk, &text, (scale, speed), file.mark)
        }
    }
}

/// 64 straight segments a period, each with the exact area of the sine over it.
fn wave(
    desk: &mut Desk,
    (mean, swing): (f64, f64),
    (period, length, phase): (Duration, Duration, Duration),
    at: Mark,
) -> Option<Vec<Ramp>> {
    if swing > mean {
        desk.error(
            "shares",
            at,
            format!("a swing of {swing}/s is above the mean of {mean}/s"),
            "the rate would fall below 0",
        );
        return None;
    }
    let segment = period.div_f64(SEGMENTS);
    let count = if segment.is_zero() { f64::INFINITY } else { length.as_secs_f64() / segment.as_secs_f64() };
    if count > PIECES_MOST as f64 {
        desk.error(
            "bad_number",
            at,
            format!("a period of {} in {}", show(period), show(length)),
            "make the period longer",
        );
        return None;
    }
    let angle = |time: Duration| 2.0 * PI * (time.as_secs_f64() + phase.as_secs_f64()) / period.as_secs_f64();
    let mut ramps = Vec::new();
    let mut start = Duration::ZERO;
    while start < length {
        let over = segment.min(length.saturating_sub(start));
        let (a, b) = (angle(start), angle(start + over));
        let (from, to) = (mean + swing * sin(a), mean + swing * sin(b));
        // cos a - cos b = 2 sin((a + b) / 2) sin((b - a) / 2): no cancellation.
        let exact = mean * (b - a) + swing * 2.0 * sin(f64::midpoint(a, b)) * sin((b - a) / 2.0);
        let straight = f64::midpoint(from, to) * (b - a);
        let by = if straight > 0.0 { exact / straight } else { 1.0 };
        ramps.push(Ramp { from: (from * by).max(0.0), to: (to * by).max(0.0), over });
        start += over;
    }
    Some(ramps)
}

/// Linear between points; the first rate holds before the first of them.
fn points(desk: &mut Desk, written: &[Spanned<(Spanned<String>, Spanned<String>)>], at: Mark) -> Option<Vec<Ramp>> {
    let mut points: Vec<(Duration, f64)> = Vec::new();
    let mut is_whole = true;
    for spanned in written {
        let Some((time, rate)) = desk.open(spanned) else {
            is_whole = false;
            continue;
        };
        let (when, rate) = (desk.duration(time), desk.rate(rate));
        if let (Some(when), Some((last, _))) = (when, points.last())
            && when < *last
        {
            let message = format!("{} comes after {}", show(when), show(*last));
            desk.error("shares", time.mark, message, "points stand in the order of time");
            is_whole = false;
        }
        match when.zip(rate) {
            Some(point) => points.push(point),
            None => is_whole = false,
        }
    }
    if is_whole && points.len() < 2 {
        desk.error("zero_rate", at, "a curve needs two points", "add `(\"0s\", \"0/s\"), (\"1m\", \"10/s\")`");
        return None;
    }
    is_whole.then(|| through(&points))
}

fn through(points: &[(Duration, f64)]) -> Vec<Ramp> {
    let lead = points.first().map(|(at, rate)| Ramp { from: *rate, to: *rate, over: *at });
    let between = points.windows(2).map(|pair| match pair {
        [(start, from), (end, to)] => Ramp { from: *from, to: *to, over: end.saturating_sub(*start) },
        _ => Ramp { from: 0.0, to: 0.0, over: Duration::ZERO },
    });
    lead.into_iter().chain(between).collect()
}

/// A CSV of second (or timestamp) and rate; each rate holds until the next row, the last one as long as the one before.
fn table(desk: &mut Desk, text: &str, (scale, speed): (f64, f64), at: Mark) -> Option<Vec<Ramp>> {
    let mut rows: Vec<(f64, f64)> = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let mut cells = line.split(',').map(|cell| cell.trim().trim_matches('"'));
        let row = cells.next().and_then(second).zip(cells.next().and_then(|cell| cell.parse::<f64>().ok()));
        let Some((second, rate)) = row.filter(|(_, rate)| rate.is_finite() && *rate >= 0.0) else {
            // A first row without numbers names the columns.
            if n == 0 {
                continue;
            }
            let help = "a row is `second,rate`: seconds or a time such as `2026-11-20 10:00`, then arrivals per second";
            desk.error("ragged_row", at, format!("row {}: `{line}` is no second and rate", n + 1), help);
            return None;
        };
        if rows.last().is_some_and(|(before, _)| *before >= second) {
            desk.error(
                "ragged_row",
                at,
                format!("row {}: its time is not after the one before", n + 1),
                "sort the rows",
            );
            return None;
        }
        rows.push((second, rate));
    }
    let (Some(last), true) = (rows.last().copied(), rows.len() >= 2) else {
        desk.error("empty_data", at, "the table has fewer than two rows", "write `second,rate` in each");
        return None;
    };
    let step = last.0 - rows.get(rows.len() - 2).map_or(last.0, |(second, _)| *second);
    let ends = rows.iter().skip(1).map(|(second, _)| *second).chain([last.0 + step]);
    Some(
        rows.iter()
            .zip(ends)
            .map(|((start, rate), end)| {
                let over = Duration::try_from_secs_f64((end - start) / speed).unwrap_or_default();
                Ramp { from: rate * scale, to: rate * scale, over }
            })
            .collect(),
    )
}

/// Seconds, or a civil time as seconds since 1970.
fn second(cell: &str) -> Option<f64> {
    if let Ok(second) = cell.parse::<f64>() {
        return second.is_finite().then_some(second);
    }
    let time: jiff::civil::DateTime = cell.trim_end_matches('Z').parse().ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second() as f64)
}
