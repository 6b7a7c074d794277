//! `Latency`: every parcel is late by `time`, give or take `jitter`. Parcels overlap: throughput is not limited.
//!
//! Not here: keeping the order when a later parcel draws a shorter delay (`chain`).

use std::time::Duration;

use super::Toxic;
use crate::fault::decide::Draws;
use crate::fault::parcel::{Outbox, Parcel, Way};

#[derive(Debug)]
pub(super) struct Latency {
    time: Duration,
    jitter: Duration,
    way: Way,
    draws: Draws,
    /// Ordinal of the next parcel: part of its key.
    parcel: u64,
}

impl Latency {
    pub(super) fn new(time: Duration, jitter: Duration, way: Way, draws: Draws) -> Self {
        Self { time, jitter, way, draws, parcel: 0 }
    }

    /// Uniform in [time - jitter, time + jitter), at least 0.
    fn draw(&mut self) -> Duration {
        let parcel = self.parcel;
        self.parcel += 1;
        if self.jitter.is_zero() {
            return self.time;
        }
        let spread = (self.jitter * 2).mul_f64(self.draws.time(self.way, parcel));
        (self.time + spread).saturating_sub(self.jitter)
    }
}

impl Toxic for Latency {
    fn pass(&mut self, parcel: Parcel, out: &mut Outbox) {
        out.send(parcel.due + self.draw(), parcel.signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Tick;
    use crate::base::seed::Seed;
    use crate::fault::parcel::{Piece, Signal};

    fn delays(time: u64, jitter: u64, n: u64) -> Vec<Duration> {
        let draws = Draws::new(Seed(1), "slow".into(), 7, 3);
        let mut toxic = Latency::new(Duration::from_millis(time), Duration::from_millis(jitter), Way::Down, draws);
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
