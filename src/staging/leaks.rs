//! The shop's own account of every answer that held another customer's data: what a load test's findings are compared with.
//!
//! Kept by request, so that the two can be compared answer by answer; never shown to players. Called by the backends
//! (answers) and the admin address (truth).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::owner::Owner;

/// Answers that are kept one by one; all are counted.
const KEPT: usize = 100_000;

/// An answer with the data of somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leak {
    /// The request as its sender names it: the trace of `traceparent`, or else the shop's own number.
    pub(super) request: String,
    pub(super) viewer: Owner,
    pub(super) owner: Owner,
    pub(super) path: String,
}

#[derive(Debug, Default)]
pub(super) struct Leaks {
    answers: u64,
    kept: Vec<Leak>,
    viewers: BTreeSet<i64>,
    owners: BTreeSet<i64>,
}

impl Leaks {
    /// Writes a leaking answer down.
    pub(super) fn add(&mut self, leak: Leak) {
        self.answers += 1;
        self.viewers.insert(leak.viewer.id());
        self.owners.insert(leak.owner.id());
        if self.kept.len() < KEPT {
            self.kept.push(leak);
        }
    }

    /// For `GET /admin/truth`.
    pub(super) fn truth(&self) -> Value {
        let name = |owner: Owner| format!("{}-{}", owner.tenant_id(), owner.user);
        let each: Vec<Value> = self
            .kept
            .iter()
            .map(|leak| {
                json!({"request": leak.request, "viewer": name(leak.viewer), "owner": name(leak.owner), "path": leak.path})
            })
            .collect();
        json!({"answers": self.answers, "viewers": self.viewers.len(), "owners": self.owners.len(), "each": each})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_and_owners_are_counted_once_and_answers_each_time() {
        let mut leaks = Leaks::default();
        let owner = |user| Owner { tenant: 1, user };
        for (viewer, of) in [(1, 2), (1, 3), (4, 2)] {
            let request = format!("{viewer}/{of}");
            leaks.add(Leak { request, viewer: owner(viewer), owner: owner(of), path: "/api/me".to_owned() });
        }
        let truth = leaks.truth();
        assert_eq!((&truth["answers"], &truth["viewers"], &truth["owners"]), (&json!(3), &json!(2), &json!(2)));
        assert_eq!(truth["each"][2], json!({"request": "4/2", "viewer": "t1-4", "owner": "t1-2", "path": "/api/me"}));
    }
}
