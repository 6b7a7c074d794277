//! `LimitData`: exactly so many bytes pass, then the connection is cut; hitting the limit exactly cuts at once.
//!
//! The count survives an update of the limit.

use super::{Kind, Queue, Toxic};
use crate::fault::parcel::{Outbox, Parcel, Signal};
use crate::plan::fault::Ending;

#[derive(Debug)]
pub(super) struct LimitData {
    bytes: u64,
    close: Ending,
    passed: u64,
}

impl LimitData {
    pub(super) fn new(bytes: u64, close: Ending) -> Self {
        Self { bytes, close, passed: 0 }
    }
}

impl Toxic for LimitData {
    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        let Signal::Data(data) = parcel.signal else {
            out.send(parcel.due, parcel.signal);
            return;
        };
        let room = self.bytes.saturating_sub(self.passed);
        let passes = usize::try_from(room).map_or(data.len(), |room| room.min(data.len()));
        self.passed += passes as u64;
        out.send(parcel.due, Signal::Data(data.slice(..passes)));
        if self.passed >= self.bytes {
            out.cut(parcel.due, self.close.into());
        }
    }

    fn retune(&mut self, to: &Kind, _: &mut Queue, _: &mut Outbox) {
        let Kind::LimitData { bytes, close } = to else { return };
        (self.bytes, self.close) = (*bytes, *close);
    }
}
