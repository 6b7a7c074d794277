//! The rate of an open workload over time, and the inverse of its area: at which instant has the curve admitted `a` arrivals?
//!
//! Positions lie on the integrated rate; intervals of time are never added up. Not here: which arrivals are ours (`load::arrivals`).

use std::time::Duration;

use crate::base::clock::Tick;

/// A straight piece of a curve; rates in arrivals per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    /// Rate at its beginning.
    pub from: f64,
    /// Rate at its end.
    pub to: f64,
    /// Its length.
    pub over: Duration,
}

impl Ramp {
    fn area(&self) -> f64 {
        f64::midpoint(self.from, self.to) * self.over.as_secs_f64()
    }

    /// Seconds after which the area `a` is reached: `t = 2a / (f + √(f² + 2sa))`, radicand clamped at 0.
    ///
    /// The form has no cancellation where the slope is near zero, so a constant rate is no special case.
    fn invert(&self, a: f64) -> f64 {
        let slope = (self.to - self.from) / self.over.as_secs_f64();
        let root = (self.from * self.from + 2.0 * slope * a).max(0.0).sqrt();
        if self.from + root <= 0.0 { 0.0 } else { (2.0 * a / (self.from + root)).min(self.over.as_secs_f64()) }
    }
}

/// A piecewise linear rate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Pieces with the second and the area at their beginning.
    pieces: Vec<(Ramp, f64, f64)>,
    length: f64,
    area: f64,
}

impl Curve {
    /// The curve of `ramps`, one after the other; pieces of no length are dropped.
    pub fn new(ramps: impl IntoIterator<Item = Ramp>) -> Self {
        let mut curve = Self::default();
        for ramp in ramps.into_iter().filter(|ramp| !ramp.over.is_zero()) {
            curve.pieces.push((ramp, curve.length, curve.area));
            curve.length += ramp.over.as_secs_f64();
            curve.area += ramp.area();
        }
        curve
    }

    /// The area under the curve: expected arrivals.
    pub fn area(&self) -> f64 {
        self.area
    }

    /// How many arrivals it admits: the area, rounded.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an area is at least 0, and casts saturate"
    )]
    pub fn arrivals(&self) -> u64 {
        self.area.round() as u64
    }

    /// Its length.
    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.length)
    }

    /// The pieces, in order.
    pub fn ramps(&self) -> impl Iterator<Item = Ramp> + '_ {
        self.pieces.iter().map(|(ramp, ..)| *ramp)
    }

    /// Highest rate, arrivals per second.
    pub fn peak(&self) -> f64 {
        self.ramps().map(|ramp| ramp.from.max(ramp.to)).fold(0.0, f64::max)
    }

    /// The rate `at` seconds from its beginning; 0 outside.
    pub fn rate_at(&self, at: f64) -> f64 {
        let piece = self.pieces.partition_point(|(_, start, _)| *start <= at);
        let Some((ramp, start, _)) = piece.checked_sub(1).and_then(|n| self.pieces.get(n)) else { return 0.0 };
        let share = (at - start) / ramp.over.as_secs_f64();
        if share > 1.0 { 0.0 } else { ramp.from + (ramp.to - ramp.from) * share }
    }

    /// The instant at which the area `a` is reached, from the curve's beginning.
    pub fn time_of(&self, a: f64) -> Tick {
        let piece = self.pieces.partition_point(|(_, _, before)| *before <= a);
        let Some((ramp, start, before)) = piece.checked_sub(1).and_then(|n| self.pieces.get(n)) else {
            return Tick::ZERO;
        };
        Tick::from_secs_f64(start + ramp.invert(a - before))
    }

    /// The curve with its last piece made longer (at its final rate) until the whole lasts `length`.
    #[must_use]
    pub fn held_for(&self, length: Duration) -> Self {
        let missing = length.saturating_sub(self.length());
        let last = self.pieces.last().map_or(0.0, |(ramp, ..)| ramp.to);
        Self::new(self.ramps().chain([Ramp { from: last, to: last, over: missing }]))
    }

    /// The curve with every rate multiplied by `by`.
    #[must_use]
    pub fn scaled(&self, by: f64) -> Self {
        Self::new(self.ramps().map(|ramp| Ramp { from: ramp.from * by, to: ramp.to * by, ..ramp }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_constant_rate_is_no_special_case() {
        let curve = Curve::new([Ramp { from: 4.0, to: 4.0, over: secs(2) }]);
        assert_eq!(curve.arrivals(), 8);
        assert_eq!(curve.time_of(0.5), Tick::from_millis(125));
        assert_eq!(curve.time_of(7.5), Tick::from_millis(1875));
    }

    #[test]
    fn a_ramp_from_zero_reaches_half_its_area_late() {
        let curve = Curve::new([
            Ramp { from: 0.0, to: 1000.0, over: secs(10) },
            Ramp { from: 1000.0, to: 0.0, over: secs(10) },
        ]);
        assert_eq!(curve.arrivals(), 10_000);
        for (area, second) in [(50.0, 1.0), (200.0, 2.0), (5_000.0, 10.0), (9_950.0, 19.0)] {
            assert!((curve.time_of(area).secs_f64() - second).abs() < 1e-6, "{area}");
        }
        assert!((curve.rate_at(5.0) - 500.0).abs() < 1e-9);
        assert!((curve.peak() - 1000.0).abs() < 1e-9);
    }

    #[test]
    fn the_last_rate_can_be_held() {
        let curve = Curve::new([Ramp { from: 0.0, to: 100.0, over: secs(10) }]).held_for(secs(60));
        assert_eq!(curve.length(), secs(60));
        assert_eq!(curve.arrivals(), 5_500);
        assert_eq!(curve.scaled(0.5).arrivals(), 2_750);
    }
}
