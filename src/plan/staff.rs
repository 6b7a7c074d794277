//! Which users of a closed workload are there when: a piecewise linear number of users, read for one user at a time.
//!
//! User k is there while the number is at least k + ½. Pure. Not here: what they do (`load::closed`).

use std::time::Duration;

/// A piece of a number of users.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// Users at its beginning.
    pub from: f64,
    /// Users at its end.
    pub to: f64,
    /// Its length.
    pub over: Duration,
}

/// A number of users over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Staff(Vec<Shift>);

impl Staff {
    /// `shifts`, one after the other.
    pub fn new(shifts: impl IntoIterator<Item = Shift>) -> Self {
        Self(shifts.into_iter().filter(|shift| !shift.over.is_zero()).collect())
    }

    /// Always `users`, for `over`.
    pub fn constant(users: u32, over: Duration) -> Self {
        Self::new([Shift { from: f64::from(users), to: f64::from(users), over }])
    }

    /// Its length.
    pub fn length(&self) -> Duration {
        self.0.iter().map(|shift| shift.over).sum()
    }

    /// The most users there are at once.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
    pub fn most(&self) -> u32 {
        self.0.iter().map(|shift| shift.from.max(shift.to)).fold(0.0, f64::max).round() as u32
    }

    /// The last number held until the whole lasts `length`.
    #[must_use]
    pub fn held_for(&self, length: Duration) -> Self {
        let last = self.0.last().map_or(0.0, |shift| shift.to);
        let over = length.saturating_sub(self.length());
        Self::new(self.0.iter().copied().chain([Shift { from: last, to: last, over }]))
    }

    /// When user number `user` is there: stretches from the beginning, in order, none touching the next.
    pub fn spans(&self, user: u64) -> Vec<(Duration, Duration)> {
        let line = user as f64 + 0.5;
        let mut spans: Vec<(Duration, Duration)> = Vec::new();
        let mut start = Duration::ZERO;
        for shift in &self.0 {
            let end = start + shift.over;
            let crossing =
                || start + shift.over.mul_f64(((line - shift.from) / (shift.to - shift.from)).clamp(0.0, 1.0));
            let span = match (shift.from >= line, shift.to >= line) {
                (true, true) => Some((start, end)),
                (false, true) => Some((crossing(), end)),
                (true, false) => Some((start, crossing())),
                (false, false) => None,
            };
            match (spans.last_mut(), span) {
                (Some((_, until)), Some((from, to))) if *until >= from => *until = to,
                (_, span) => spans.extend(span),
            }
            start = end;
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn users_join_and_leave_along_the_ramps() {
        let staff = Staff::new([
            Shift { from: 0.0, to: 10.0, over: secs(10) },
            Shift { from: 10.0, to: 10.0, over: secs(5) },
            Shift { from: 10.0, to: 0.0, over: secs(10) },
            Shift { from: 4.0, to: 4.0, over: secs(5) },
        ]);
        assert_eq!((staff.most(), staff.length()), (10, secs(30)));
        let half = Duration::from_millis(500);
        assert_eq!(staff.spans(9), [(secs(9) + half, secs(15) + half)]);
        assert_eq!(staff.spans(0), [(half, secs(24) + half), (secs(25), secs(30))]);
        assert_eq!(staff.spans(10), []);
        // At every whole second as many are there as the ramp says.
        for (second, want) in [(3, 3), (12, 10), (20, 5), (27, 4)] {
            let there = (0..20).filter(|user| {
                staff
                    .spans(*user)
                    .iter()
                    .any(|(from, to)| (*from..*to).contains(&(secs(second) + Duration::from_millis(1))))
            });
            assert_eq!(there.count(), want, "second {second}");
        }
    }
}
