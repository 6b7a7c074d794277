//! `Latency`: every parcel is late by a drawn time, give or take `jitter`. Parcels overlap: throughput is not limited.
//!
//! Not here: keeping the order when a later parcel draws a shorter delay (`chain`).

use std::time::Duration;

use super::{Kind, Queue, Toxic};
use crate::fault::draws::Draws;
use crate::fault::parcel::{Outbox, Parcel, Way};
use crate::plan::fault::{Draw, Time};

#[derive(Debug)]
pub(super) struct Latency {
    time: Time,
    jitter: Duration,
    draw: Draw,
    way: Way,
    draws: Draws,
    /// Ordinal of the next parcel: part of its key.
    parcel: u64,
}

impl Latency {
    pub(super) fn new((time, jitter, draw): (Time, Duration, Draw), way: Way, draws: Draws) -> Self {
        Self { time, jitter, draw, way, draws, parcel: 0 }
    }

    /// The time, and beside it a jitter uniform in [-jitter, jitter); at least 0.
    fn draw(&mut self) -> Duration {
        let parcel = self.parcel;
        self.parcel += u64::from(self.draw == Draw::Parcel);
        if let (Time::Fixed(time), true) = (&self.time, self.jitter.is_zero()) {
            return *time;
        }
        let u = self.draws.time(self.way, parcel);
        (self.time.at(u) + (self.jitter * 2).mul_f64(u)).saturating_sub(self.jitter)
    }
}

impl Toxic for Latency {
    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        let hold = self.draw();
        out.send(parcel.due + self.draws.hold(hold, parcel.due), parcel.signal);
    }

    fn retune(&mut self, to: &Kind, queue: &mut Queue, _: &mut Outbox) {
        let Kind::Latency { time, jitter, draw } = to else { return };
        (self.time, self.jitter, self.draw) = (time.clone(), *jitter, *draw);
        if let Some(longest) = self.time.longest() {
            queue.at_most(longest.saturating_add(*jitter));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Tick;
    use crate::base::seed::Seed;
    use crate::fault::parcel::{Piece, Signal};

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn delays(time: u64, jitter: u64, n: u64) -> Vec<Duration> {
        let draws = Draws::new(Seed(1), "slow".into(), 7, 3);
        let mut toxic = Latency::new((Time::Fixed(ms(time)), ms(jitter), Draw::Parcel), Way::Down, draws);
        let mut out = Outbox::default();
        for at in 0..n {
            toxic.pass(Parcel { due: Tick::from_millis(at), signal: Signal::Fin }, &mut out);
        }
        assert!(out.sent.iter().all(|(_, piece)| *piece == Piece::Pass(Signal::Fin)) && out.alarms.is_empty());
        (0..n).zip(out.sent).map(|(at, (due, _))| due - Tick::from_millis(at)).collect()
    }

    #[test]
    fn without_jitter_every_parcel_is_late_by_the_same_time() {
        assert!(delays(200, 0, 50).iter().all(|late| *late == Duration::from_millis(200)));
    }

    #[test]
    fn jitter_is_uniform_around_the_time_and_repeats_under_one_seed() {
        let late = delays(100, 50, 10_000);
        assert!(late.iter().all(|d| (50..150).contains(&u64::try_from(d.as_millis()).unwrap())));
        // Mean 100 ms, standard error of 10 000 draws 0.29 ms.
        let mean = late.iter().map(Duration::as_secs_f64).sum::<f64>() / 10_000.0;
        assert!((mean - 0.1).abs() < 0.001, "{mean}");
        assert_eq!(late, delays(100, 50, 10_000));
    }
}
