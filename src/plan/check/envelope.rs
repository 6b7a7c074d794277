//! The envelope of a fault as written becomes one that can be run: units, patterns, ramps and caps with their ranges.
//!
//! Called by the checks of drills, of proxy files and of scenarios. Not here: what is injected (`inject`).

use std::sync::Arc;
use std::time::Duration;

use super::desk::Desk;
use super::inject::{duration, duration_or};
use crate::base::duration::show;
use crate::base::rate::Rate;
use crate::base::ratio::Ratio;
use crate::plan::fault::{Caps, Envelope, Keep, Of, Pattern, Per, Ramp, Scale};
use crate::spec::envelope as spec;
use crate::spec::source::{Mark, Spanned};

/// The fields of an envelope, wherever they stand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts<'a> {
    pub(super) per: Option<&'a Spanned<spec::Per>>,
    pub(super) pattern: Option<&'a Spanned<spec::Pattern>>,
    pub(super) ramp: Option<&'a Spanned<spec::Ramp>>,
    pub(super) caps: Option<&'a Spanned<spec::Caps>>,
}

/// What the injected kind allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allows {
    /// What one decision is made for unless the file says otherwise: connections for toxics, messages for rules.
    pub(super) per: Per,
    /// It has a time or a probability that a ramp could multiply.
    pub(super) severity: Severity,
}

/// Whether there is something to multiply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    Yes,
    No,
}

/// The envelope of `parts`, of a fault that lasts at most `lasts`.
pub(super) fn envelope(
    desk: &mut Desk,
    parts: Parts<'_>,
    allows: Allows,
    lasts: Option<Duration>,
) -> Option<Box<Envelope>> {
    let per = per(desk, parts.per, allows.per);
    let pattern = parts.pattern.map_or(Some(Pattern::Always), |written| pattern(desk, written, lasts));
    let ramp = match parts.ramp {
        None => Some(None),
        Some(written) => ramp(desk, written, allows.severity).map(Some),
    };
    let caps = parts.caps.map_or(Some(Caps::default()), |written| caps(desk, written));
    Some(Box::new(Envelope { per, pattern: pattern?, ramp: ramp?, caps: caps? }))
}

/// Which decisions are taken down.
pub(super) fn keep(desk: &mut Desk, written: Option<&Spanned<spec::Keep>>, default: Keep) -> Keep {
    match desk.open_if(written) {
        None => default,
        Some(spec::Keep::Hits) => Keep::Hits,
        Some(spec::Keep::Full) => Keep::Full,
        Some(spec::Keep::Off) => Keep::Off,
    }
}

fn per(desk: &mut Desk, written: Option<&Spanned<spec::Per>>, default: Per) -> Per {
    let Some(spanned) = written else { return default };
    match desk.open(spanned) {
        None => default,
        Some(spec::Per::Connection) => Per::Connection,
        Some(spec::Per::User) => Per::User,
        Some(spec::Per::Request | spec::Per::Query | spec::Per::Command) => {
            if default == Per::Connection {
                let help = "write per: Connection or per: User, or inject a rule";
                desk.error("out-of-range", spanned.mark, "a toxic knows connections, and no messages", help);
            }
            Per::Message
        }
    }
}

fn pattern(desk: &mut Desk, spanned: &Spanned<spec::Pattern>, lasts: Option<Duration>) -> Option<Pattern> {
    match desk.open(spanned)? {
        spec::Pattern::Always => Some(Pattern::Always),
        spec::Pattern::First { n, of: group } => {
            Some(Pattern::First { n: some(desk, n)?, of: of(desk, group.as_ref()) })
        }
        spec::Pattern::Every { n, offset, of: group } => {
            let of = of(desk, group.as_ref());
            let at = offset.as_ref().map_or(Some(0), |offset| desk.open(offset).copied());
            let (n, at) = (some(desk, n)?, at?);
            if let Some(spanned) = offset.as_ref().filter(|_| at >= n) {
                let message = format!("one in {n} has no number {at}");
                desk.error("out-of-range", spanned.mark, message, format!("write 0 to {}", n - 1));
            }
            Some(Pattern::Every { n, offset: at, of })
        }
        spec::Pattern::Windows(windows) => windows_of(desk, (spanned.mark, windows), lasts),
        spec::Pattern::Burst { on, off, jitter } => burst(desk, (on, off), jitter.as_ref()),
        spec::Pattern::All(all) => {
            let all: Vec<Option<Pattern>> = all.iter().map(|one| pattern(desk, one, lasts)).collect();
            all.into_iter().collect::<Option<Vec<_>>>().map(|all| Pattern::All(all.into()))
        }
    }
}

type Pair = (Spanned<String>, Spanned<String>);

fn windows_of(desk: &mut Desk, (at, written): (Mark, &[Pair]), lasts: Option<Duration>) -> Option<Pattern> {
    if written.is_empty() {
        desk.error("out-of-range", at, "no window: the fault would never act", "write one, such as (\"0s\", \"15s\")");
    }
    let mut windows = Vec::new();
    for (from, to) in written {
        let (start, end) = (duration(desk, from), duration(desk, to));
        let (Some(start), Some(end)) = (start, end) else { continue };
        if start >= end {
            desk.error("out-of-range", to.mark, "the window ends before it begins", "write the earlier time first");
        }
        if let Some(lasts) = lasts.filter(|lasts| end > *lasts) {
            let message = format!("the window ends behind the fault, which lasts {}", show(lasts));
            desk.error("out-of-range", to.mark, message, "windows count from the injection and are never scaled");
        }
        windows.push((start, end));
    }
    (windows.len() == written.len()).then(|| Pattern::Windows(windows.into()))
}

fn burst(
    desk: &mut Desk,
    (on, off): (&Spanned<String>, &Spanned<String>),
    jitter: Option<&Spanned<String>>,
) -> Option<Pattern> {
    let (long, pause) = (duration(desk, on), duration(desk, off));
    let shaken = duration_or(desk, jitter, Duration::ZERO);
    let (long, pause, shaken) = (long?, pause?, shaken?);
    for (time, spanned) in [(long, on), (pause, off)] {
        if time.is_zero() {
            desk.error("out-of-range", spanned.mark, "a burst needs both its times", "write at least 1ms");
        }
    }
    if let Some(spanned) = jitter.filter(|_| shaken > long.min(pause) / 2) {
        let message = format!("borders that move by {} could pass each other", show(shaken));
        let help = format!("write at most half of the shorter time, {}", show(long.min(pause) / 2));
        desk.error("out-of-range", spanned.mark, message, help);
    }
    Some(Pattern::Burst { on: long, off: pause, jitter: shaken })
}

fn of(desk: &mut Desk, written: Option<&Spanned<spec::Of>>) -> Of {
    match desk.open_if(written) {
        Some(spec::Of::Connection) => Of::Connection,
        Some(spec::Of::User) => Of::User,
        Some(spec::Of::Fingerprint) => Of::Fingerprint,
        Some(spec::Of::Key) => Of::Key,
        Some(spec::Of::Fault) | None => Of::Fault,
    }
}

fn ramp(desk: &mut Desk, spanned: &Spanned<spec::Ramp>, severity: Severity) -> Option<Ramp> {
    let written = desk.open(spanned)?;
    let of = match desk.open(&written.of) {
        Some(spec::Scale::Severity) => {
            if severity == Severity::No {
                let message = "this kind has no time and no probability that could grow";
                desk.error("out-of-range", written.of.mark, message, "use of: Share");
            }
            Scale::Severity
        }
        Some(spec::Scale::Share) | None => Scale::Share,
    };
    let mut read = Vec::new();
    for point in desk.open(&written.points)? {
        let Some((at, value)) = desk.open(point) else { continue };
        let (at, value) = (duration(desk, at), desk.ratio(value));
        read.push(at.zip(value.map(Ratio::get)));
    }
    let points: Arc<[_]> = read.into_iter().collect::<Option<Vec<_>>>()?.into();
    if points.is_empty() || !points.is_sorted_by(|a, b| a.0 < b.0) {
        let help = "write points in rising order, such as [(\"0s\", \"0%\"), (\"15s\", \"100%\")]";
        desk.error("out-of-range", written.points.mark, "the times of this ramp do not rise", help);
    }
    Some(Ramp { of, points })
}

fn caps(desk: &mut Desk, spanned: &Spanned<spec::Caps>) -> Option<Caps> {
    let written = desk.open(spanned)?;
    let active = optional(desk, written.active.as_ref(), some);
    let total = optional(desk, written.total.as_ref(), some);
    let connections = optional(desk, written.connections.as_ref(), some);
    let users = optional(desk, written.users.as_ref(), some);
    let rate = optional(desk, written.rate.as_ref(), |desk, spanned| {
        let rate = desk.rate(spanned)?;
        if rate <= 0.0 {
            desk.error("out-of-range", spanned.mark, "at this rate nothing is ever touched", "write more than 0/s");
        }
        Some(Rate::per_second(rate))
    });
    let delay = duration_or(desk, written.delay.as_ref(), Caps::default().delay);
    let time = optional(desk, written.time.as_ref(), duration);
    let delay = delay.unwrap_or_default();
    Some(Caps { active, total, rate, connections, users, delay, time })
}

/// A value that need not be there; a wrong one was reported, and stops the run.
fn optional<T, U>(
    desk: &mut Desk,
    written: Option<&Spanned<T>>,
    read: impl Fn(&mut Desk, &Spanned<T>) -> Option<U>,
) -> Option<U> {
    written.and_then(|spanned| read(desk, spanned))
}

/// At least one.
fn some(desk: &mut Desk, spanned: &Spanned<u64>) -> Option<u64> {
    let n = *desk.open(spanned)?;
    if n == 0 {
        desk.error("out-of-range", spanned.mark, "0 would touch nothing", "write at least 1");
    }
    Some(n)
}
