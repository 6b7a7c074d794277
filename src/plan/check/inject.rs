//! Toxics as written become toxics as run: units, ranges and shapes of their parameters.
//!
//! Called by the checks of drills and of proxy files. Not here: which proxy, which share (`drill::fault`, `proxy`).

use std::time::Duration;

use super::desk::Desk;
use super::envelope::{Allows, Severity};
use crate::base::QuantityError;
use crate::base::duration::show;
use crate::base::ratio::Ratio;
use crate::base::size::Size;
use crate::measure::histogram::Bins;
use crate::plan::fault::{
    Corruption, Data, Draw, Ending, Existing, Moment, Origin, Outage, Per, Side, Silence, Time, Toxic,
};
use crate::spec::inject as spec;
use crate::spec::source::{Mark, Spanned};

const LONGEST: Duration = Duration::from_secs(86_400);
const GRACE: Duration = Duration::from_millis(50);
const RTO: Duration = Duration::from_millis(200);
const FASTEST: u64 = 1_000_000_000_000;
const PIECE: std::ops::RangeInclusive<u64> = 1..=2_147_483_647;

/// The toxic of `written`.
pub(super) fn toxic(desk: &mut Desk, written: &spec::Inject) -> Option<Toxic> {
    match written {
        spec::Inject::Latency(one) => latency(desk, one),
        spec::Inject::Bandwidth(one) => bandwidth(desk, &one.rate),
        spec::Inject::Slicer(one) => slicer(desk, one),
        spec::Inject::SlowClose(one) => Some(Toxic::SlowClose { delay: duration(desk, &one.delay)? }),
        spec::Inject::Timeout(one) => Some(Toxic::Timeout { after: duration(desk, &one.after)? }),
        spec::Inject::Blackhole(one) => {
            let how = match desk.open_if(one.how.as_ref()) {
                Some(spec::Silence::Swallow) => Silence::Swallow,
                Some(spec::Silence::Stall) | None => Silence::Stall,
            };
            Some(Toxic::Blackhole { how })
        }
        spec::Inject::ResetPeer(one) => {
            let (after, grace) = (duration(desk, &one.after), duration_or(desk, one.grace.as_ref(), GRACE));
            let data = match desk.open_if(one.data.as_ref()) {
                Some(spec::Data::Pass) => Data::Pass,
                Some(spec::Data::Swallow) | None => Data::Swallow,
            };
            Some(Toxic::ResetPeer { after: after?, data, grace: grace? })
        }
        spec::Inject::LimitData(one) => {
            let (bytes, close) = (desk.size(&one.bytes), ending(desk, one.close.as_ref()));
            Some(Toxic::LimitData { bytes: bytes?, close })
        }
        spec::Inject::Corrupt(one) => corrupt(desk, one),
        spec::Inject::Down(one) => Some(down(desk, one)),
        spec::Inject::MaxLifetime(one) => {
            let (after, close) = (time(desk, &one.after), ending(desk, one.close.as_ref()));
            let from = match desk.open_if(one.from.as_ref()) {
                Some(spec::Origin::Injected) => Origin::Injected,
                Some(spec::Origin::Opened) | None => Origin::Opened,
            };
            let at = match desk.open_if(one.at.as_ref()) {
                Some(spec::Moment::Idle) => Moment::Idle,
                Some(spec::Moment::Now) | None => Moment::Now,
            };
            Some(Toxic::MaxLifetime { after: after?, from, close, at })
        }
        spec::Inject::Loss(one) => loss(desk, one),
        spec::Inject::Noop => Some(Toxic::Noop),
    }
}

/// The side of a fault.
pub(super) fn side(desk: &mut Desk, written: Option<&Spanned<spec::Side>>) -> Side {
    match desk.open_if(written) {
        Some(spec::Side::Upstream) => Side::Upstream,
        Some(spec::Side::Downstream) | None => Side::Downstream,
        Some(spec::Side::Both) => Side::Both,
    }
}

/// What the envelope of a fault may say of `toxic`.
pub(super) fn allows(toxic: Option<&Toxic>) -> Allows {
    // Of a kind that could not be read nobody knows.
    let severity = if toxic.is_none_or(Toxic::has_severity) { Severity::Yes } else { Severity::No };
    Allows { per: Per::Connection, severity }
}

/// The share of a fault; a closed listener leaves nobody out.
pub(super) fn share(desk: &mut Desk, written: Option<&Spanned<String>>, toxic: Option<&Toxic>) -> Option<Ratio> {
    let Some(spanned) = written else { return Some(Ratio::ONE) };
    let share = desk.ratio(spanned)?;
    if share.get() < 1.0 && matches!(toxic, Some(Toxic::Down { how: Outage::Refuse, .. })) {
        let message = "a closed listener refuses everyone";
        desk.error("out-of-range", spanned.mark, message, "use Down(how: Reset) for a share of the connections");
    }
    Some(share)
}

fn latency(desk: &mut Desk, written: &spec::Latency) -> Option<Toxic> {
    let time = time(desk, &written.time);
    let jitter = duration_or(desk, written.jitter.as_ref(), Duration::ZERO);
    let draw = match desk.open_if(written.draw.as_ref()) {
        Some(spec::Draw::Connection) => Draw::Connection,
        Some(spec::Draw::Parcel) | None => Draw::Parcel,
    };
    let (time, jitter) = (time?, jitter?);
    match (&time, &written.jitter) {
        (Time::Fixed(fixed), Some(spanned)) if jitter > *fixed => {
            let message = format!("a jitter of {} around {} would lie before its arrival", show(jitter), show(*fixed));
            desk.error("out-of-range", spanned.mark, message, "make it at most the time itself");
        }
        (Time::Fixed(_), _) | (_, None) => {}
        (_, Some(spanned)) => {
            let message = "a time that is drawn has no jitter beside it";
            desk.error("out-of-range", spanned.mark, message, "leave it out, or write time: Fixed(..)");
        }
    }
    Some(Toxic::Latency { time, jitter, draw })
}

fn bandwidth(desk: &mut Desk, written: &Spanned<String>) -> Option<Toxic> {
    let rate = desk.quantity(written, "units", |text| {
        let Some(size) = text.strip_suffix("/s") else {
            let problem = format!("`{text}` is no rate");
            return Err(QuantityError::new("missing_unit", problem, "write bytes per second, such as \"64KiB/s\""));
        };
        size.parse::<Size>().map(|size| size.0)
    })?;
    if rate == 0 {
        desk.error("out-of-range", written.mark, "nothing would pass", "use Blackhole(how: Stall)");
    } else if rate > FASTEST {
        desk.error("out-of-range", written.mark, "more than any wire carries", "write at most 1000GB/s");
    }
    Some(Toxic::Bandwidth { rate })
}

fn slicer(desk: &mut Desk, written: &spec::Slicer) -> Option<Toxic> {
    let size = desk.size(&written.size);
    let variation = written.variation.as_ref().map_or(Some(0), |variation| desk.size(variation));
    let pause = duration_or(desk, written.pause.as_ref(), Duration::ZERO);
    let (size, variation, pause) = (size?, variation?, pause?);
    if !PIECE.contains(&size) {
        desk.error("out-of-range", written.size.mark, "no piece has this size", "write 1B to 2147483647B");
    }
    if let Some(spanned) = written.variation.as_ref().filter(|_| variation > size) {
        desk.error("out-of-range", spanned.mark, "pieces would have less than no bytes", "write at most the size");
    }
    Some(Toxic::Slicer { size, variation, pause })
}

fn corrupt(desk: &mut Desk, written: &spec::Corrupt) -> Option<Toxic> {
    let one_in = desk.size(&written.one_in);
    let skip = written.skip.as_ref().map_or(Some(0), |skip| desk.size(skip));
    let how = match desk.open_if(written.how.as_ref()) {
        Some(spec::Corruption::Replace) => Some(Corruption::Replace),
        Some(spec::Corruption::Insert(n)) => some_bytes(desk, n).map(Corruption::Insert),
        Some(spec::Corruption::Remove(n)) => some_bytes(desk, n).map(Corruption::Remove),
        Some(spec::Corruption::Flip) | None => Some(Corruption::Flip),
    };
    let one_in = one_in?;
    if one_in == 0 {
        desk.error("out-of-range", written.one_in.mark, "one in no bytes", "write at least 1B");
    }
    Some(Toxic::Corrupt { one_in, how: how?, skip: skip? })
}

fn some_bytes(desk: &mut Desk, written: &Spanned<u64>) -> Option<u32> {
    let n = *desk.open(written)?;
    let some = u32::try_from(n).ok().filter(|n| (1..=65_536).contains(n));
    if some.is_none() {
        desk.error("out-of-range", written.mark, format!("{n} bytes at a place"), "write 1 to 65536");
    }
    some
}

fn down(desk: &mut Desk, written: &spec::Down) -> Toxic {
    let how = match desk.open_if(written.how.as_ref()) {
        Some(spec::Outage::Reset) => Outage::Reset,
        Some(spec::Outage::Close) => Outage::Close,
        Some(spec::Outage::Hang) => Outage::Hang,
        Some(spec::Outage::Refuse) | None => Outage::Refuse,
    };
    let existing = match desk.open_if(written.existing.as_ref()) {
        Some(spec::Existing::Close) => Existing::Close,
        Some(spec::Existing::Keep) | None => Existing::Keep,
    };
    Toxic::Down { how, existing }
}

fn loss(desk: &mut Desk, written: &spec::Loss) -> Option<Toxic> {
    let rate = desk.ratio(&written.rate);
    let correlation = written.correlation.as_ref().map_or(Some(Ratio::new(0.0)), |one| desk.ratio(one));
    let (rtt, rto) = (duration(desk, &written.rtt), duration_or(desk, written.rto.as_ref(), RTO));
    Some(Toxic::Loss { rate: rate?, correlation: correlation?, rtt: rtt?, rto: rto? })
}

fn ending(desk: &mut Desk, written: Option<&Spanned<spec::Ending>>) -> Ending {
    match desk.open_if(written) {
        Some(spec::Ending::Rst) => Ending::Rst,
        Some(spec::Ending::Fin) | None => Ending::Fin,
    }
}

fn time(desk: &mut Desk, spanned: &Spanned<spec::Time>) -> Option<Time> {
    let at = spanned.mark;
    Some(match desk.open(spanned)? {
        spec::Time::Fixed(time) => Time::Fixed(duration(desk, time)?),
        spec::Time::Uniform(from, to) => {
            let (from, to) = (duration(desk, from), duration(desk, to));
            let (from, to) = (from?, to?);
            if from >= to {
                falls(desk, at, "write the shorter time first");
            }
            Time::Uniform { from, to }
        }
        spec::Time::Exponential { mean } => Time::Exponential { mean: duration(desk, mean)? },
        spec::Time::LogNormal { median, p95 } => {
            let (median, p95) = (duration(desk, median), duration(desk, p95));
            let (median, p95) = (median?, p95?);
            let help = "the median is above zero, and the p95 above the median";
            if median.is_zero() || median >= p95 {
                falls(desk, at, help);
            }
            Time::LogNormal { median, p95 }
        }
        spec::Time::Normal { mean, sd } => {
            let (mean, sd) = (duration(desk, mean), duration(desk, sd));
            Time::Normal { mean: mean?, sd: sd? }
        }
        spec::Time::Pareto { min, alpha } => {
            let (min, shape) = (duration(desk, min), desk.open(alpha).copied());
            let (min, shape) = (min?, shape?);
            if !(shape.is_finite() && shape > 0.0) {
                desk.error("out-of-range", alpha.mark, format!("{shape} is no shape"), "write an alpha above 0");
            }
            Time::Pareto { min, alpha: shape }
        }
        spec::Time::Quantiles(points) => quantiles(desk, at, points)?,
        spec::Time::Recorded { file } => recorded(desk, file)?,
    })
}

fn quantiles(desk: &mut Desk, at: Mark, points: &[(Spanned<String>, Spanned<String>)]) -> Option<Time> {
    let read: Vec<Option<(f64, Duration)>> = points
        .iter()
        .map(|(share, time)| {
            let (share, time) = (desk.ratio(share), duration(desk, time));
            Some((share?.get(), time?))
        })
        .collect();
    let read = read.into_iter().collect::<Option<Vec<_>>>()?;
    let rising = read.windows(2).all(|pair| matches!(pair, [a, b] if a.0 < b.0 && a.1 <= b.1));
    if !rising || read.is_empty() {
        falls(desk, at, "write quantiles in rising order, such as [(\"50%\", \"20ms\"), (\"99%\", \"400ms\")]");
    }
    Some(Time::Quantiles(read.into()))
}

/// The holds of a standard interval log, in microseconds, all its lines together.
fn recorded(desk: &mut Desk, file: &Spanned<String>) -> Option<Time> {
    let text = desk.beside(file)?;
    match Bins::from_interval_log(&text) {
        Some(bins) if !bins.is_empty() => {
            let (mut below, all) = (0, bins.n() as f64);
            let mut points = Vec::new();
            for (_, high, count) in bins.buckets() {
                below += count;
                points.push((below as f64 / all, Duration::from_micros(high)));
            }
            Some(Time::Quantiles(points.into()))
        }
        Some(_) | None => {
            let help = "name an HdrHistogram interval log in microseconds, such as the latency.hlog of a run";
            desk.error("out-of-range", file.mark, "this file holds no recorded times", help);
            None
        }
    }
}

fn falls(desk: &mut Desk, at: Mark, help: &str) {
    desk.error("out-of-range", at, "this distribution does not rise", help);
}

/// A time of at most a day.
pub(super) fn duration(desk: &mut Desk, written: &Spanned<String>) -> Option<Duration> {
    let time = desk.duration(written)?;
    if time > LONGEST {
        desk.error("out-of-range", written.mark, format!("{} is longer than a day", show(time)), "write at most 24h");
    }
    Some(time)
}

/// [`duration`], with what stands when nothing is written.
pub(super) fn duration_or(desk: &mut Desk, written: Option<&Spanned<String>>, default: Duration) -> Option<Duration> {
    written.map_or(Some(default), |time| duration(desk, time))
}
