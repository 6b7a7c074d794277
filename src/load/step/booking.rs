//! Writes a request makes, noted in the books of the run: acknowledged, refused, or unknown because no answer came.
//!
//! Not here: the files (`measure::ledger`), reading them back (`load::audit`).

use super::Ask;
use super::extract::{Reading, Source};
use super::http::Tried;
use crate::base::digest::sha256;
use crate::load::LoadError;
use crate::load::core::Worker;
use crate::load::user::User;
use crate::measure::ledger::{Entry, Fate};
use crate::measure::outcome::{Kind, Outcome};
use crate::plan::audit;
use crate::plan::template::Template;

/// A write that an answer acknowledges, compiled.
#[derive(Debug)]
pub struct Booking {
    book: u16,
    id: Source,
    seq: Option<Source>,
    content: Template,
}

impl Booking {
    /// Compiles `booking`.
    pub fn new(booking: &audit::Booking) -> Result<Self, LoadError> {
        let seq = booking.seq.as_ref().map(Source::new).transpose()?;
        Ok(Self { book: booking.book, id: Source::new(&booking.id)?, seq, content: booking.content.clone() })
    }
}

/// The hash of what each booking of `ask` writes, as its user is now; none without bookings.
pub(super) fn hashes(ask: &Ask, user: &User) -> Vec<String> {
    let hash = |booking: &Booking| {
        let mut text = String::new();
        booking.content.render(|variable| user.value(variable), &mut text);
        sha256(text.as_bytes())
    };
    ask.truth.bookings.iter().map(hash).collect()
}

/// Notes what became of the writes with these hashes; `was_tried` before.
pub(super) fn note(worker: &Worker, ask: &Ask, hashes: Vec<String>, (tried, tries): (&Tried, u32)) {
    let at_us = tried.trip.done.micros();
    for (booking, hash) in ask.truth.bookings.iter().zip(hashes) {
        let reading = tried.trip.result.as_ref().ok().map(Reading::new);
        let take = |source: &Source| reading.as_ref().and_then(|reading| source.first(reading));
        let entry = match fate(tried.outcome, tries) {
            Fate::Acknowledged => {
                let id = take(&booking.id);
                // What cannot be found again cannot be audited.
                let fate = if id.is_some() { Fate::Acknowledged } else { Fate::Unknown };
                Entry { id, seq: booking.seq.as_ref().and_then(take), hash, at_us, fate }
            }
            fate => Entry { id: None, seq: None, hash, at_us, fate },
        };
        worker.log.borrow_mut().booked.push((booking.book, entry));
    }
}

fn fate(outcome: Outcome, tries: u32) -> Fate {
    match outcome {
        Outcome::Answered | Outcome::Refused(Kind::Leak | Kind::Stale) => Fate::Acknowledged,
        // An earlier try may have written what this one was refused for.
        Outcome::Refused(Kind::Status(_)) if tries == 0 => Fate::Refused,
        _ => Fate::Unknown,
    }
}
