//! `ResetPeer`: a true reset of both peers, `after` the arming. Until then data passes or is swallowed.
//!
//! A connection opened under it gets up to `grace` to send its first byte, so that its write succeeds and its read sees
//! the reset: fires at max(opened + after, min(first byte, opened + grace)). Not here: making the kernel send it (`pump`).

use std::time::Duration;

use super::{Arming, Kind, Queue, Toxic};
use crate::base::clock::Tick;
use crate::fault::parcel::{Close, Outbox, Parcel, Signal};
use crate::plan::fault::Data;

#[derive(Debug)]
pub(super) struct ResetPeer {
    after: Duration,
    data: Data,
    grace: Duration,
    armed: Option<Arming>,
    /// Earliest instant of the reset, while the client's first byte is awaited.
    waiting: Option<Tick>,
}

impl ResetPeer {
    pub(super) fn new(after: Duration, data: Data, grace: Duration) -> Self {
        Self { after, data, grace, armed: None, waiting: None }
    }

    fn arm(&mut self, out: &mut Outbox) {
        let Some(arming) = self.armed else { return };
        let patience = if self.waiting.is_some() { self.after.max(self.grace) } else { self.after };
        self.waiting = self.waiting.map(|_| arming.at() + self.after);
        out.alarm(arming.at() + patience, Close::Rst);
    }
}

impl Toxic for ResetPeer {
    fn open(&mut self, arming: Arming, out: &mut Outbox) {
        self.waiting = matches!(arming, Arming::Opened(_)).then(|| arming.at());
        self.armed = Some(arming);
        self.arm(out);
    }

    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        if let Some(earliest) = self.waiting.take() {
            out.alarm(earliest.max(parcel.due), Close::Rst);
        }
        if self.data == Data::Pass || parcel.signal == Signal::Rst {
            out.send(parcel.due, parcel.signal);
        }
    }

    fn retune(&mut self, to: &Kind, _: &mut Queue, out: &mut Outbox) {
        let Kind::ResetPeer { after, data, grace } = to else { return };
        (self.after, self.data, self.grace) = (*after, *data, *grace);
        self.arm(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the reset fires, in milliseconds: toxic armed at 100, first byte at `byte`.
    fn fires(after: u64, grace: u64, injected: Option<()>, byte: Option<u64>) -> u64 {
        let mut toxic = ResetPeer::new(Duration::from_millis(after), Data::Pass, Duration::from_millis(grace));
        let mut out = Outbox::default();
        let at = Tick::from_millis(100);
        toxic.open(if injected.is_some() { Arming::Injected { at, opened: at } } else { Arming::Opened(at) }, &mut out);
        if let Some(byte) = byte {
            let data = Signal::Data(vec![1].into());
            toxic.pass(Parcel { due: Tick::from_millis(byte), signal: data }, &mut out);
        }
        out.alarms.iter().map(|ring| ring.at.millis()).min().unwrap()
    }

    #[test]
    fn a_new_connection_may_send_its_first_byte_within_the_grace() {
        for (after, grace, injected, byte, want) in [
            (0, 50, None, None, 150),
            (0, 50, None, Some(103), 103),
            (0, 0, None, None, 100),
            (20, 50, None, Some(103), 120),
            (80, 50, None, None, 180),
            (80, 50, None, Some(103), 180),
            (0, 50, Some(()), None, 100),
            (30, 50, Some(()), Some(103), 130),
        ] {
            assert_eq!(fires(after, grace, injected, byte), want, "after {after} grace {grace} byte {byte:?}");
        }
    }
}
