//! Faults on the connections of a proxy.

use std::time::Duration;

use super::pace::Paces;
use crate::plan::check::desk::Desk;
use crate::plan::check::envelope::Parts;
use crate::plan::check::{envelope, inject};
use crate::plan::drill::System;
use crate::plan::fault::Fault;
use crate::spec::act::Fault as Written;

/// Proxies that the embedded staging system brings.
const SHOP_PROXIES: [&str; 1] = ["db"];

pub(super) fn fault(
    desk: &mut Desk,
    paces: Paces,
    (act, system): (&str, Option<&System>),
    written: &Written,
) -> Option<Fault> {
    let proxies: Vec<&str> = match system {
        Some(System::Shop { .. }) => SHOP_PROXIES.to_vec(),
        Some(System::Remote { proxies, .. }) => proxies.iter().map(|one| one.name.as_str()).collect(),
        None => Vec::new(),
    };
    let on = desk.text(&written.on);
    // Of a system that could not be read nobody knows the proxies.
    if let Some(bad) = on.filter(|on| system.is_some() && !proxies.contains(on)) {
        desk.unknown("proxy", bad, written.on.mark, &proxies);
    }
    let lasts = match &written.lasts {
        None => None,
        Some(lasts) => Some(paces.read_at_least(desk, lasts, Duration::from_millis(1), "a fault")?),
    };
    body(desk, act, written, lasts)
}

/// A fault that stands alone, with times that no pace scales.
pub(in crate::plan::check) fn alone(desk: &mut Desk, name: &str) -> Option<Fault> {
    let written = desk.source.read::<Written>();
    let written = desk.open(&written)?;
    let lasts = match &written.lasts {
        None => None,
        Some(lasts) => Some(inject::duration(desk, lasts)?),
    };
    body(desk, name, written, lasts)
}

fn body(desk: &mut Desk, name: &str, written: &Written, lasts: Option<Duration>) -> Option<Fault> {
    let on = desk.text(&written.on);
    let inject = desk.open(&written.inject).and_then(|one| inject::toxic(desk, one));
    let side = inject::side(desk, written.side.as_ref());
    let share = inject::share(desk, written.share.as_ref(), inject.as_ref());
    let parts = Parts {
        per: written.per.as_ref(),
        pattern: written.pattern.as_ref(),
        ramp: written.ramp.as_ref(),
        caps: written.caps.as_ref(),
    };
    let envelope = envelope::envelope(desk, parts, inject::allows(inject.as_ref()), lasts);
    Some(Fault {
        name: name.to_owned(),
        on: on?.to_owned(),
        inject: inject?.into(),
        side,
        share: share?,
        lasts,
        envelope: envelope?,
    })
}
