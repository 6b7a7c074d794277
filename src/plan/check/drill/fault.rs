//! Faults on the connections of a proxy.

use std::time::Duration;

use super::pace::Paces;
use crate::base::duration::show;
use crate::base::ratio::Ratio;
use crate::plan::check::desk::Desk;
use crate::plan::drill::System;
use crate::plan::fault::{Data, Draw, Fault, Side, Time as Spread, Toxic};
use crate::spec::act::{Fault as Written, Inject, Latency, Side as WrittenSide, Time};
use crate::spec::source::Spanned;

/// Proxies that the embedded staging system brings.
const SHOP_PROXIES: [&str; 1] = ["db"];
const LONGEST: Duration = Duration::from_secs(86_400);
const GRACE: Duration = Duration::from_millis(50);

pub(super) fn fault(
    desk: &mut Desk,
    paces: Paces,
    (act, system): (&str, Option<&System>),
    written: &Written,
) -> Option<Fault> {
    let proxies: &[&str] = match system {
        Some(System::Shop { .. }) => &SHOP_PROXIES,
        _ => &[],
    };
    let on = desk.text(&written.on);
    // Of a system that could not be read nobody knows the proxies.
    if let Some(bad) = on.filter(|on| system.is_some() && !proxies.contains(on)) {
        desk.unknown("proxy", bad, written.on.mark, proxies);
    }
    let inject = desk.open(&written.inject).and_then(|inject| toxic(desk, inject));
    let side = match desk.open_if(written.side.as_ref()) {
        Some(WrittenSide::Upstream) => Side::Upstream,
        Some(WrittenSide::Downstream) | None => Side::Downstream,
        Some(WrittenSide::Both) => Side::Both,
    };
    let share = written.share.as_ref().map_or(Some(Ratio::ONE), |share| desk.ratio(share));
    let lasts = match &written.lasts {
        None => None,
        Some(lasts) => Some(paces.read_at_least(desk, lasts, Duration::from_millis(1), "a fault")?),
    };
    Some(Fault { name: act.to_owned(), on: on?.to_owned(), inject: inject?, side, share: share?, lasts })
}

fn toxic(desk: &mut Desk, written: &Inject) -> Option<Toxic> {
    match written {
        Inject::Latency(latency) => self::latency(desk, latency),
        Inject::Timeout(timeout) => Some(Toxic::Timeout { after: duration(desk, &timeout.after)? }),
        Inject::ResetPeer(reset) => {
            let after = duration(desk, &reset.after);
            let grace = reset.grace.as_ref().map_or(Some(GRACE), |grace| duration(desk, grace));
            Some(Toxic::ResetPeer { after: after?, data: Data::Pass, grace: grace? })
        }
    }
}

fn latency(desk: &mut Desk, written: &Latency) -> Option<Toxic> {
    let time = desk.open(&written.time).and_then(|Time::Fixed(time)| duration(desk, time));
    let jitter = written.jitter.as_ref().map_or(Some(Duration::ZERO), |jitter| duration(desk, jitter));
    let (time, jitter) = (time?, jitter?);
    if let Some(spanned) = written.jitter.as_ref().filter(|_| jitter > time) {
        let message = format!("a jitter of {} around {} would lie before its arrival", show(jitter), show(time));
        desk.error("out-of-range", spanned.mark, message, "make it at most the time itself");
    }
    Some(Toxic::Latency { time: Spread::Fixed(time), jitter, draw: Draw::Parcel })
}

fn duration(desk: &mut Desk, written: &Spanned<String>) -> Option<Duration> {
    let time = desk.duration(written)?;
    if time > LONGEST {
        desk.error("out-of-range", written.mark, format!("{} is longer than a day", show(time)), "write at most 24h");
    }
    Some(time)
}
