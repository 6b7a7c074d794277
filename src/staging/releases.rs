//! Releases of the shop, and how a backend gets from one to the next.
//!
//! ```text
//! deploy ─► a after one step ─► b after two        a step is 20 s, or what the shop was started with
//! ```
//! A release may serve only a share of a backend's requests (a canary); the rest stays with the release before. Pure: the
//! time is an argument. Called by the switchboard (deployments, time) and the backends (which release serves a request).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::clock::Tick;

/// Every release there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Release {
    /// Knows no smart cart.
    R40,
    /// Good.
    #[default]
    R41,
    /// "Normalises" cache keys: see `weakness`.
    R42,
    /// Slow for a twentieth of its requests: see `weakness`.
    R43,
}

impl Release {
    /// Its name in headers, states and bodies.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::R40 => "r40",
            Self::R41 => "r41",
            Self::R42 => "r42",
            Self::R43 => "r43",
        }
    }
}

/// A release and the share of requests it serves; the others are served by the release before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rollout {
    pub(super) release: Release,
    /// 1 to 100.
    pub(super) share_pct: u8,
    /// What serves the rest.
    pub(super) before: Release,
}

impl Default for Rollout {
    fn default() -> Self {
        Self::whole(Release::default())
    }
}

impl Rollout {
    /// One release for everybody.
    pub(super) fn whole(release: Release) -> Self {
        Self { release, share_pct: 100, before: release }
    }

    /// The release of a request whose draw is `draw`.
    pub(super) fn of(self, draw: u64) -> Release {
        if draw % 100 < u64::from(self.share_pct) { self.release } else { self.before }
    }

    /// What is left when this roll-out is taken back.
    pub(super) fn rest(self) -> Release {
        if self.share_pct == 100 { self.release } else { self.before }
    }
}

/// What serves on each backend, and what is still to come.
#[derive(Debug)]
pub(super) struct Rolling<const N: usize> {
    step: Duration,
    serving: [Rollout; N],
    /// The roll-out on its way, the next backend to get it, and when.
    coming: Option<(Rollout, usize, Tick)>,
}

impl<const N: usize> Rolling<N> {
    /// Every backend on the good release; a deployment takes `step` per backend.
    pub(super) fn new(step: Duration) -> Self {
        Self { step, serving: [Rollout::default(); N], coming: None }
    }

    /// What serves on backend `n`.
    pub(super) fn serving(&self, n: usize) -> Rollout {
        self.serving.get(n).copied().unwrap_or_default()
    }

    /// What serves when all backends agree and nothing is on its way.
    pub(super) fn settled(&self) -> Option<Rollout> {
        let first = *self.serving.first()?;
        (self.coming.is_none() && self.serving.iter().all(|serving| *serving == first)).then_some(first)
    }

    /// Begins to roll `wanted` out; what was on its way is given up where it stands.
    pub(super) fn begin(&mut self, wanted: Rollout, now: Tick) {
        self.coming = Some((wanted, 0, now + self.step));
    }

    /// Every backend at once: what the end of a lease does.
    pub(super) fn all_at_once(&mut self, wanted: Rollout) {
        self.serving = [wanted; N];
        self.coming = None;
    }

    /// Lets time pass; gives the backends that changed.
    pub(super) fn tick(&mut self, now: Tick) -> Vec<(usize, Rollout)> {
        let mut changed = Vec::new();
        while let Some((wanted, backend, at)) = self.coming.take() {
            if at > now {
                self.coming = Some((wanted, backend, at));
                break;
            }
            let Some(serving) = self.serving.get_mut(backend) else { break };
            *serving = wanted;
            changed.push((backend, wanted));
            if backend + 1 < N {
                self.coming = Some((wanted, backend + 1, at + self.step));
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_reaches_one_backend_after_the_other() {
        let mut rolling = Rolling::<2>::new(Duration::from_secs(20));
        let wanted = Rollout { release: Release::R42, share_pct: 10, before: Release::R41 };
        rolling.begin(wanted, Tick::from_secs(5));
        assert!(rolling.tick(Tick::from_secs(24)).is_empty() && rolling.settled().is_none());
        assert_eq!(rolling.tick(Tick::from_secs(25)), [(0, wanted)]);
        assert_eq!((rolling.serving(0), rolling.serving(1)), (wanted, Rollout::default()));
        assert_eq!(rolling.tick(Tick::from_secs(60)), [(1, wanted)]);
        assert_eq!(rolling.settled(), Some(wanted));
    }

    #[test]
    fn a_rollback_in_the_middle_gives_up_what_was_coming() {
        let mut rolling = Rolling::<2>::new(Duration::from_secs(5));
        rolling.begin(Rollout::whole(Release::R42), Tick::ZERO);
        rolling.tick(Tick::from_secs(5));
        rolling.begin(Rollout::whole(Release::R41), Tick::from_secs(6));
        assert!(rolling.tick(Tick::from_secs(10)).is_empty(), "b does not get r42 any more");
        rolling.tick(Tick::from_secs(16));
        assert_eq!(rolling.settled(), Some(Rollout::whole(Release::R41)));
    }

    #[test]
    fn a_canary_serves_its_share_of_the_draws() {
        let canary = Rollout { release: Release::R43, share_pct: 5, before: Release::R41 };
        let served = (0..1_000).filter(|draw| canary.of(*draw) == Release::R43).count();
        assert_eq!((served, canary.rest()), (50, Release::R41));
        assert_eq!(Rollout::whole(Release::R40).rest(), Release::R40);
    }
}
