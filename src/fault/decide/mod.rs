//! Whether a fault touches a unit, and how long it holds it: one answer per connection, message or user.
//!
//! Pure but for its counters: a draw is a function of seed, fault and the unit's key, so no draw consumes another's number,
//! and neighbours change nothing. Asked in this order: gates of the pattern, share (slot 0), counts of the pattern, time
//! (slot 1), caps. Not here: what is done to the unit (`toxic`, `rule`).
//!
//! # How a rule uses it
//!
//! The proxy hands the rule of each connection the [`Decider`] of its fault. For every message that matches the rule's
//! `only`, and for no other, the rule fills a [`Unit`] and asks once:
//!
//! ```text
//! let unit = Unit { message: Some(ordinal), trace, fingerprint: Some((hash, nth)), ..self.unit };
//! match decider.judge(&unit, now, Some(&time)) {         // `time`: None when the act holds nothing
//!     Decision::Hit(hit) => {                            // touched: hold for `hit.hold`, then
//!         let more = hit.draw(2);                        // further draws of this unit, slots 2..
//!         hit.realised(held)                             // or drop it: frees its place among the active
//!     }
//!     Decision::Share | Decision::Pattern | Decision::Capped => pass the message untouched
//! }
//! decider.unparsed(), decider.unsafe_to_touch()          // matched, but passed for these reasons
//! ```
//! Judging counts: `considered`, the untouched by reason, touched, distinct connections and users, active and peak, drawn
//! and realised holds, and the ledger's entry. Keep the [`Hit`] as long as the unit is held: a client that goes away drops
//! it, and its place is free at once.

mod unit;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::caps::{Asking, Place, Places};
use super::ledger::{Entry, Ledger, Outcome};
use super::pattern::{self, Borders};
use super::stats::{FaultStats, Tally};
use crate::base::clock::Tick;
use crate::base::seed::{Seed, unit as fraction};
use crate::measure::histogram::Bins;
use crate::plan::fault::{Fault, Of, Pattern, Per, Scale, Time};

use unit::{Occurrences, Scope};
pub use unit::{Trace, Unit};

/// What was decided.
#[derive(Debug)]
pub enum Decision {
    /// The unit is touched.
    Hit(Hit),
    /// Its draw against the share was lost.
    Share,
    /// The pattern leaves it out.
    Pattern,
    /// A cap refuses it.
    Capped,
}

impl Decision {
    /// The hit, if it is one.
    pub fn hit(self) -> Option<Hit> {
        match self {
            Self::Hit(hit) => Some(hit),
            Self::Share | Self::Pattern | Self::Capped => None,
        }
    }
}

/// A unit that is touched. As long as it is kept it takes its place among the active.
#[derive(Debug)]
pub struct Hit {
    /// How long the unit is held: drawn, multiplied by the ramp, cut by the cap on single holds.
    pub hold: Duration,
    /// What the ramp multiplies times and probabilities by, at the moment of the decision.
    pub severity: f64,
    decider: Arc<Decider>,
    scope: Scope,
    /// Frees its place when it is dropped.
    _place: Place,
}

impl Hit {
    /// Uniform in [0, 1), for what a rule draws beside its time. Slots 0 and 1 are taken.
    pub fn draw(&self, slot: u64) -> f64 {
        self.decider.draw(self.scope, slot)
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.decider.tally
    }

    /// The unit went on after `held`: longer than drawn when others stood before it, shorter when its fault healed.
    pub fn realised(self, held: Duration) {
        self.decider.tally.realised(held);
    }
}

impl Drop for Hit {
    fn drop(&mut self) {
        self.decider.tally.leave();
    }
}

/// The decisions of one fault in force, for all its connections on all workers.
#[derive(Debug)]
pub struct Decider {
    seed: Seed,
    fault: Fault,
    /// Hash of the fault's name.
    number: u64,
    injected: Tick,
    counts: Arc<pattern::Counts>,
    places: Arc<Places>,
    occurrences: Arc<Mutex<Occurrences>>,
    pub(super) tally: Arc<Tally>,
    ledger: Arc<Ledger>,
}

impl Decider {
    /// The decisions of `fault`, injected at `injected`.
    pub(super) fn new(seed: Seed, fault: Fault, injected: Tick, ledger: Arc<Ledger>) -> Self {
        Self {
            seed,
            number: seed.key(&fault.name, &[]),
            fault,
            injected,
            counts: Arc::default(),
            places: Arc::default(),
            occurrences: Arc::default(),
            tally: Arc::default(),
            ledger,
        }
    }

    /// The same with other parameters: counts, places and draws stay.
    pub(super) fn updated(&self, fault: Fault) -> Self {
        Self {
            seed: self.seed,
            number: self.number,
            fault,
            injected: self.injected,
            counts: Arc::clone(&self.counts),
            places: Arc::clone(&self.places),
            occurrences: Arc::clone(&self.occurrences),
            tally: Arc::clone(&self.tally),
            ledger: Arc::clone(&self.ledger),
        }
    }

    /// The fault that is decided about.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }

    /// When it was injected.
    pub fn injected(&self) -> Tick {
        self.injected
    }

    /// Decides about `unit` at `at`, and counts it. `time` is drawn when the unit is to be held.
    pub fn judge(self: &Arc<Self>, unit: &Unit, at: Tick, time: Option<&Time>) -> Decision {
        self.tally.consider();
        let occurrence = unit.trace.map_or(0, |trace| self.occurrence(trace));
        let scope = self.scope(unit, occurrence);
        let severity = self.severity(at);
        let outcome = self.choose(unit, scope, at);
        let drawn = time.filter(|_| outcome == Outcome::Hit).map(|time| time.at(self.draw(scope, 1)).mul_f64(severity));
        let hold = drawn.map_or(Duration::ZERO, |drawn| drawn.min(self.fault.envelope.caps.delay));
        let place = (outcome == Outcome::Hit).then(|| self.place(unit, at, hold)).flatten();
        let outcome = if outcome == Outcome::Hit && place.is_none() { Outcome::Capped } else { outcome };
        let entry = Entry {
            fault: self.number,
            key: self.seed.key("decision", scope.numbers()),
            occurrence,
            outcome,
            drawn: hold,
            by_arrival: self.is_by_arrival(outcome),
            clamped: drawn.is_some_and(|drawn| drawn > hold),
        };
        self.ledger.note(&self.fault.name, &entry);
        self.tally.decided(outcome);
        if outcome == Outcome::Hit {
            self.tell(unit, &entry, time.is_some().then_some(hold));
        }
        match (outcome, place) {
            (Outcome::Hit, Some(place)) => {
                Decision::Hit(Hit { hold, severity, decider: Arc::clone(self), scope, _place: place })
            }
            (Outcome::Share, _) => Decision::Share,
            (Outcome::Pattern, _) => Decision::Pattern,
            (Outcome::Capped | Outcome::Hit, _) => Decision::Capped,
        }
    }

    /// A message that matches could not be understood, and passes.
    pub fn unparsed(&self) {
        self.tally.unparsed();
    }

    /// A message that matches passes because touching it would make its client believe an untruth.
    pub fn unsafe_to_touch(&self) {
        self.tally.unsafe_to_touch();
    }

    /// Of every draw.
    pub(super) fn seed(&self) -> Seed {
        self.seed
    }

    /// True while the gates stand open and the draw of `unit`, decided about before, is below the share of that moment.
    pub(super) fn wins(&self, unit: &Unit, at: Tick) -> bool {
        self.is_open(at) && self.draw(self.scope(unit, 0), 0) < self.share(at)
    }

    /// When, after `at`, [`Decider::wins`] may say something else.
    pub(super) fn turns(&self, unit: &Unit, at: Tick) -> Option<Tick> {
        let envelope = &self.fault.envelope;
        let elapsed = at.since(self.injected);
        let gate = pattern::moves(&envelope.pattern, elapsed, self.borders());
        let ramp = envelope.ramp.as_ref().filter(|ramp| ramp.of == Scale::Share && self.fault.share.get() > 0.0);
        let threshold = self.draw(self.scope(unit, 0), 0) / self.fault.share.get();
        let crossing = ramp.and_then(|ramp| ramp.crosses(threshold, elapsed));
        gate.into_iter().chain(crossing).min().map(|after| self.injected + after)
    }

    /// What the ramp multiplies times and probabilities by at `at`; 1 without one.
    pub fn severity(&self, at: Tick) -> f64 {
        self.ramp(Scale::Severity, at)
    }

    /// True while the gates of the pattern stand open.
    pub(super) fn is_open(&self, at: Tick) -> bool {
        pattern::open(&self.fault.envelope.pattern, at.since(self.injected), self.borders())
    }

    /// Cuts a hold to the caps on single holds and on their sum.
    pub(super) fn bound(&self, drawn: Duration) -> Duration {
        let caps = &self.fault.envelope.caps;
        if drawn > caps.delay {
            self.tally.clamped();
        }
        self.places.charge(caps, drawn.min(caps.delay))
    }

    /// What the fault did so far.
    pub(super) fn stats(&self) -> FaultStats {
        self.tally.read([self.places.connections(), self.places.users()])
    }

    /// The histograms of drawn and of realised holds, in microseconds.
    pub(super) fn holds(&self) -> [Bins; 2] {
        self.tally.holds()
    }

    /// A message that is hit is touched; a connection is once something happens on it.
    fn tell(&self, unit: &Unit, entry: &Entry, hold: Option<Duration>) {
        if unit.message.is_some() {
            self.tally.touched();
        }
        if let Some(hold) = hold {
            self.tally.drawn(hold);
        }
        if entry.clamped {
            self.tally.clamped();
        }
    }

    fn choose(&self, unit: &Unit, scope: Scope, at: Tick) -> Outcome {
        if !self.is_open(at) {
            Outcome::Pattern
        } else if self.draw(scope, 0) >= self.share(at) {
            Outcome::Share
        } else if !pattern::count(&self.fault.envelope.pattern, unit, &self.counts) {
            Outcome::Pattern
        } else {
            Outcome::Hit
        }
    }

    fn place(&self, unit: &Unit, at: Tick, hold: Duration) -> Option<Place> {
        let asking = Asking { connection: unit.connection_number(), user: unit.user(), at, hold };
        self.places.reserve(&self.fault.envelope.caps, &asking)
    }

    fn draw(&self, scope: Scope, slot: u64) -> f64 {
        fraction(self.seed.decide(&self.fault.name, scope.numbers(), slot))
    }

    fn share(&self, at: Tick) -> f64 {
        self.fault.share.get() * self.ramp(Scale::Share, at)
    }

    fn ramp(&self, of: Scale, at: Tick) -> f64 {
        let ramp = self.fault.envelope.ramp.as_ref().filter(|ramp| ramp.of == of);
        ramp.map_or(1.0, |ramp| ramp.at(at.since(self.injected)))
    }

    fn borders(&self) -> Borders<'_> {
        Borders { seed: self.seed, fault: &self.fault.name }
    }

    fn occurrence(&self, trace: Trace) -> u32 {
        self.occurrences.lock().unwrap_or_else(PoisonError::into_inner).next(trace)
    }

    /// The first key that exists, for what the decision is made.
    fn scope(&self, unit: &Unit, occurrence: u32) -> Scope {
        let [first, second] = unit.connection_key();
        let by_shape = counts_shapes(&self.fault.envelope.pattern);
        match (self.fault.envelope.per, unit.user()) {
            (Per::User, Some(user)) => Scope::new([user]),
            (Per::User | Per::Connection, _) => Scope::new([first, second]),
            (Per::Message, _) => match (unit.trace, unit.fingerprint, unit.message) {
                (Some(trace), ..) => Scope::new([trace.user, trace.request, u64::from(occurrence)]),
                (None, Some((shape, nth)), _) if by_shape => Scope::new([first, second, shape, nth]),
                (None, _, Some(message)) => Scope::new([first, second, message]),
                (None, _, None) => Scope::new([first, second]),
            },
        }
    }

    /// Which unit it is that was touched, or refused, is not promised to repeat.
    fn is_by_arrival(&self, outcome: Outcome) -> bool {
        let caps = &self.fault.envelope.caps;
        let counted = pattern::is_by_arrival(&self.fault.envelope.pattern);
        let placed = caps.active.is_some()
            || caps.rate.is_some()
            || caps.time.is_some()
            || [caps.total, caps.connections, caps.users].iter().any(Option::is_some);
        match outcome {
            Outcome::Share => false,
            Outcome::Pattern => counted,
            Outcome::Hit | Outcome::Capped => counted || placed,
        }
    }
}

fn counts_shapes(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::First { of, .. } | Pattern::Every { of, .. } => *of == Of::Fingerprint,
        Pattern::All(all) => all.iter().any(counts_shapes),
        Pattern::Always | Pattern::Windows(_) | Pattern::Burst { .. } => false,
    }
}

#[cfg(test)]
mod tests;
