//! `Noop`: passes everything; its only effect is that the bytes take the way of a chain.

use super::Toxic;
use crate::fault::parcel::{Outbox, Parcel};

#[derive(Debug)]
pub(super) struct Noop;

impl Toxic for Noop {
    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        out.send(parcel.due, parcel.signal);
    }
}
