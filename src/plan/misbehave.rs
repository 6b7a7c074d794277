//! Clients that misbehave on purpose: which share of a journey's users, and how.
//!
//! Made by `check`, drawn and done by `load`. What they do is staged: it is in no ratio and in no percentile.

use std::time::Duration;

/// A share of a journey's users, and what is wrong with them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Misbehaviour {
    /// How many of them, in (0, 1].
    pub share: f64,
    /// What they do.
    pub how: How,
}

/// What a bad client does. It has a connection of its own for each request, so that no other user is hurt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum How {
    /// Resets the connection so long after it began to send, whatever came.
    AbortAfter(Duration),
    /// Resets the connection once it has read so many bytes of the answer.
    AbortAtByte(u64),
    /// Reads so many bytes a second, through a small window.
    SlowRead(f64),
    /// Writes so many bytes a second.
    SlowSend(f64),
    /// Sends its request and is gone: for so long it neither reads nor closes.
    HalfOpen(Duration),
}

/// What is wrong with the user whose draw is `u` in [0, 1); `None`: nothing.
pub fn of(all: &[Misbehaviour], u: f64) -> Option<How> {
    let mut below = 0.0;
    all.iter().find_map(|one| {
        below += one.share;
        (u < below).then_some(one.how)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_lie_side_by_side_and_the_rest_behaves() {
        let abort = How::AbortAtByte(7);
        let all = [Misbehaviour { share: 0.25, how: abort }, Misbehaviour { share: 0.5, how: How::SlowRead(1.0) }];
        let found = [0.0, 0.249, 0.25, 0.749, 0.75, 0.999].map(|u| of(&all, u));
        assert_eq!(found, [Some(abort), Some(abort), Some(How::SlowRead(1.0)), Some(How::SlowRead(1.0)), None, None]);
        assert_eq!(of(&[], 0.0), None);
    }
}
