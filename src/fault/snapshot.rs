//! The faults of one proxy at one moment: immutable, shared by every worker, replaced whole by each change.
//!
//! Not here: who may change it (`registry`), what a link does with a new one (`link`).

use std::sync::Arc;

use super::decide::Decider;
use crate::base::clock::Tick;
use crate::plan::fault::{Fault, Inject, Outage, Side, Toxic};

/// One injection; a fault that is healed and injected anew gets another. 0 stands for a proxy's own toxics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FaultId(pub(super) u64);

impl FaultId {
    /// Of the toxics that belong to the proxy's definition; they are never healed.
    pub(super) const BASE: Self = Self(0);
}

/// A fault in force.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) id: FaultId,
    /// Counts the updates of this injection.
    pub(super) version: u64,
    pub(super) decider: Arc<Decider>,
}

impl Active {
    pub(super) fn fault(&self) -> &Fault {
        self.decider.fault()
    }

    pub(super) fn injected(&self) -> Tick {
        self.decider.injected()
    }
}

/// What a proxy does to its connections from one change to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    /// Counts the changes.
    pub(super) generation: u64,
    /// First in the chains, in this order.
    pub(super) base: Arc<[(Toxic, Side)]>,
    /// Then these, in the order of injection.
    pub(super) faults: Vec<Arc<Active>>,
}

impl Snapshot {
    pub(super) fn holds(&self, id: FaultId) -> bool {
        id == FaultId::BASE || self.faults.iter().any(|active| active.id == id)
    }

    /// The next generation, with `active` added last.
    pub(super) fn with(&self, active: Arc<Active>) -> Self {
        let mut next = Self { generation: self.generation + 1, ..self.clone() };
        next.faults.push(active);
        next
    }

    /// The next generation, with `active` in the place of its older version.
    pub(super) fn replacing(&self, active: &Arc<Active>) -> Self {
        let mut next = Self { generation: self.generation + 1, ..self.clone() };
        for old in next.faults.iter_mut().filter(|old| old.id == active.id) {
            *old = Arc::clone(active);
        }
        next
    }

    /// True while a fault of it wants the listener closed.
    pub(super) fn refuses(&self) -> bool {
        let refuses = |active: &Arc<Active>| {
            matches!(active.fault().inject, Inject::Toxic(Toxic::Down { how: Outage::Refuse, .. }))
        };
        self.faults.iter().any(refuses)
    }

    /// The next generation, with the faults that `keep` refuses taken out.
    pub(super) fn retaining(&self, keep: impl Fn(FaultId) -> bool) -> Self {
        let mut next = Self { generation: self.generation + 1, ..self.clone() };
        next.faults.retain(|active| keep(active.id));
        next
    }
}
