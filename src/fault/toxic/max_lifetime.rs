//! `MaxLifetime`: the connection is cut after a time, drawn once, even while data flows.

use super::{Arming, Kind, Queue, Toxic};
use crate::fault::draws::Draws;
use crate::fault::parcel::{Outbox, Parcel, Way};
use crate::plan::fault::{Ending, Origin, Time};

#[derive(Debug)]
pub(super) struct MaxLifetime {
    after: Time,
    from: Origin,
    close: Ending,
    draws: Draws,
    armed: Option<Arming>,
}

impl MaxLifetime {
    pub(super) fn new(after: Time, from: Origin, close: Ending, draws: Draws) -> Self {
        Self { after, from, close, draws, armed: None }
    }

    fn arm(&self, out: &mut Outbox) {
        let Some(arming) = self.armed else { return };
        let since = match self.from {
            Origin::Opened => arming.opened(),
            Origin::Injected => arming.at(),
        };
        // Connections that are over age at the injection end then, not before.
        let at = (since + self.after.at(self.draws.time(Way::Up, 0))).max(arming.at());
        out.alarm(at, self.close.into());
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
        let Kind::MaxLifetime { after, from, close } = to else { return };
        (self.after, self.from, self.close) = (after.clone(), *from, *close);
        self.arm(out);
    }
}
