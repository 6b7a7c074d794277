//! `Down`: new connections are reset, closed or met with silence; living ones go on or are closed.
//!
//! `Refuse` closes the listener, which is `proxy`'s business; here it resets what slipped through.

use super::{Arming, Toxic};
use crate::fault::parcel::{Close, Outbox, Parcel};
use crate::plan::fault::{Existing, Outage};

#[derive(Debug)]
pub(super) struct Down {
    how: Outage,
    existing: Existing,
    silent: bool,
}

impl Down {
    pub(super) fn new(how: Outage, existing: Existing) -> Self {
        Self { how, existing, silent: false }
    }
}

impl Toxic for Down {
    fn open(&mut self, arming: Arming, out: &mut Outbox) {
        match (arming, self.how, self.existing) {
            (Arming::Injected { .. }, _, Existing::Keep) => {}
            (Arming::Injected { at, .. }, _, Existing::Close) | (Arming::Opened(at), Outage::Close, _) => {
                out.alarm(at, Close::Fin);
            }
            (Arming::Opened(_), Outage::Hang, _) => self.silent = true,
            (Arming::Opened(at), Outage::Refuse | Outage::Reset, _) => out.alarm(at, Close::Rst),
        }
    }

    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        if !self.silent {
            out.send(parcel.due, parcel.signal);
        }
    }
}
