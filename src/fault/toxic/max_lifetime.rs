//! `MaxLifetime`: the connection is cut after a time, drawn once, even while data flows.

use super::{Arming, Kind, Queue, Toxic};
use crate::fault::draws::Draws;
use crate::fault::parcel::{Outbox, Parcel, Way};
use crate::plan::fault::{Ending, Moment, Origin, Time};

#[derive(Debug)]
pub(super) struct MaxLifetime {
    after: Time,
    from: Origin,
    close: Ending,
    at: Moment,
    draws: Draws,
    armed: Option<Arming>,
}

impl MaxLifetime {
    pub(super) fn new((after, from): (Time, Origin), (close, at): (Ending, Moment), draws: Draws) -> Self {
        Self { after, from, close, at, draws, armed: None }
    }

    fn arm(&self, out: &mut Outbox) {
        let Some(arming) = self.armed else { return };
        let since = match self.from {
            Origin::Opened => arming.opened(),
            Origin::Injected => arming.at(),
        };
        // Connections that are over age at the injection end then, not before.
        let at = (since + self.after.at(self.draws.time(Way::Up, 0))).max(arming.at());
        match self.at {
            Moment::Now => out.alarm(at, self.close.into()),
            Moment::Idle => out.alarm_when_idle(at, self.close.into()),
        }
    }
}

impl Toxic for MaxLifetime {
    fn open(&mut self, arming: Arming, out: &mut Outbox) {
        self.armed = Some(arming);
        self.arm(out);
    }

    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        out.send(parcel.due, parcel.signal);
    }

    fn retune(&mut self, to: &Kind, _: &mut Queue, out: &mut Outbox) {
        let Kind::MaxLifetime { after, from, close, at } = to else { return };
        (self.after, self.from, self.close, self.at) = (after.clone(), *from, *close, *at);
        self.arm(out);
    }
}
