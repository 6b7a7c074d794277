//! The guard of a fault in force: healing it is a deed with an answer, dropping it is the safety net.
//!
//! Not here: leases, which heal even when nobody is left to drop anything (`lease`, `control`).

use std::sync::Arc;
use std::time::Duration;

use super::control::{Control, Posted};
use super::registry::Withdrawal;
use super::snapshot::FaultId;
use crate::base::clock::Tick;

/// A fault in force. [`Injection::heal`] is the way to end it; a dropped guard withdraws its fault without waiting.
#[derive(Debug)]
#[must_use = "a fault whose guard is dropped is withdrawn at once"]
pub struct Injection {
    control: Arc<Control>,
    name: String,
    id: FaultId,
    healed: bool,
}

/// What became of a healing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healed {
    /// The fault's.
    pub name: String,
    /// From the request to the last worker's confirmation.
    pub took: Duration,
    /// Every worker confirmed that no connection carries a fault which is not in force. False is an emergency.
    pub verified: bool,
    /// A worker that had not confirmed after 250 ms; the fault is out of force there, too, once it looks.
    pub late: Option<usize>,
}

impl Injection {
    pub(super) fn new(control: Arc<Control>, name: String, id: FaultId) -> Self {
        Self { control, name, id, healed: false }
    }

    /// The fault's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Ends the fault and waits until every worker confirmed. A fault whose lease is over has healed already; that is
    /// verified all the same.
    pub async fn heal(mut self) -> Healed {
        self.healed = true;
        let since = self.control.clock.now();
        let (_, posted) = self.control.withdraw(|registry| registry.withdraw_injection(self.id));
        verify(&self.control, self.name.clone(), since, posted).await
    }
}

impl Drop for Injection {
    fn drop(&mut self) {
        if !self.healed {
            let (withdrawal, _) = self.control.withdraw(|registry| registry.withdraw_injection(self.id));
            if !withdrawal.faults.is_empty() {
                tracing::warn!(fault = self.name, "guard dropped: fault withdrawn");
            }
        }
    }
}

/// Waits for the workers, then asks every one of them once more whether anything is left.
pub(super) async fn verify(control: &Control, name: String, since: Tick, posted: Posted) -> Healed {
    let first = posted.confirmed(&control.clock).await;
    let (_, again) = control.withdraw(|registry| Withdrawal { faults: Vec::new(), changes: registry.present() });
    let second = again.confirmed(&control.clock).await;
    let late = second.late.or(first.late);
    let verified = first.strays == 0 && second.strays == 0 && late.is_none();
    Healed { name, took: control.clock.now().since(since), verified, late }
}
