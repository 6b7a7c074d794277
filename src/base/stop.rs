//! The one word that ends a run: who asked, and why. The first request wins; everyone who waits is woken.
//!
//! Not here: what stopping means for a room (no new arrivals, healing, reports).

use tokio::sync::watch;

/// Why a run ends before its plan does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The plan is done, or its owner no longer needs it.
    Finished,
    /// SIGINT: a person at the terminal.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// A stop condition or a person through the drill; the text says which.
    Aborted(String),
    /// The generator's own measurement can no longer be believed.
    Invalid(String),
}

/// A handle to the stop word; clones share it.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<Option<StopReason>>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Stop {
    /// A run that nobody has stopped.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the end. True when this was the first request.
    pub fn request(&self, reason: StopReason) -> bool {
        self.0.send_if_modified(|held| {
            let first = held.is_none();
            if first {
                *held = Some(reason);
            }
            first
        })
    }

    /// The reason, once somebody asked.
    pub fn reason(&self) -> Option<StopReason> {
        self.0.borrow().clone()
    }

    /// True once somebody asked.
    pub fn is_requested(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Returns when somebody asks, at once when somebody already has. Cancel-safe.
    pub async fn requested(&self) -> StopReason {
        let mut seen = self.0.subscribe();
        loop {
            if let Some(reason) = seen.borrow_and_update().clone() {
                return reason;
            }
            // `self` holds a sender, so the channel cannot close while we wait.
            if seen.changed().await.is_err() {
                return StopReason::Finished;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_wins() {
        let stop = Stop::new();
        assert!(!stop.is_requested());
        assert!(stop.request(StopReason::Interrupted));
        assert!(!stop.request(StopReason::Terminated));
        assert_eq!(stop.reason(), Some(StopReason::Interrupted));
    }
}
