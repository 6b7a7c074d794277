//! Snapshots of the orders, and the log of acknowledged orders that is kept outside the tables.
//!
//! ```text
//! snapshot ──── orders ──── the table is emptied ──── orders ──── restore
//!     └ merge_missing brings back what the snapshot has       └ replace does too, and loses what came after it
//!     └ replay_wal brings back every acknowledged order since
//! ```
//! Pure: what a restore has to do, and what it would lose. `keep` takes snapshots, `restore` carries one back. Called by the
//! backends (acknowledged orders), the admin address and the caretaker's tasks.

pub(super) mod keep;
pub(super) mod restore;

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::store::rows::OrderRow;
use crate::base::clock::Tick;

/// A copy of the orders.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// 1 and up.
    pub(super) id: u64,
    pub(super) at: Tick,
    pub(super) rows: Arc<Vec<OrderRow>>,
    /// Orders acknowledged before it was begun: a replay begins after them.
    acknowledged: usize,
}

/// How a restore treats what the table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    /// The table becomes the snapshot: what is newer is gone.
    Replace,
    /// Rows of the snapshot that are missing come back; the others stay.
    MergeMissing,
}

/// The snapshots and the log.
#[derive(Debug)]
pub(super) struct Vault {
    keep: usize,
    next: u64,
    snapshots: VecDeque<Snapshot>,
    log: Vec<OrderRow>,
}

impl Vault {
    /// An empty vault that keeps the latest `keep` snapshots, at least one.
    pub(super) fn new(keep: usize) -> Self {
        Self { keep: keep.max(1), next: 1, snapshots: VecDeque::new(), log: Vec::new() }
    }

    /// An order was acknowledged.
    pub(super) fn acknowledge(&mut self, row: OrderRow) {
        self.log.push(row);
    }

    /// How many orders were acknowledged so far. Asked for before a snapshot reads the table, so that none falls between.
    pub(super) fn acknowledged(&self) -> usize {
        self.log.len()
    }

    /// Every acknowledged order's number.
    pub(super) fn acknowledged_numbers(&self) -> Vec<i64> {
        self.log.iter().map(|row| row.seq).collect()
    }

    /// Keeps a snapshot that was begun at `at`, after `acknowledged` orders; the oldest goes when there are too many. One that
    /// was begun earlier and took longer stands before one that was begun later.
    pub(super) fn put(&mut self, rows: Vec<OrderRow>, acknowledged: usize, at: Tick) -> u64 {
        let id = self.next;
        self.next += 1;
        let place = self.snapshots.partition_point(|other| other.at <= at);
        self.snapshots.insert(place, Snapshot { id, at, rows: Arc::new(rows), acknowledged });
        while self.snapshots.len() > self.keep {
            self.snapshots.pop_front();
        }
        id
    }

    /// The snapshot with that id, or the latest.
    pub(super) fn snapshot(&self, id: Option<u64>) -> Option<Snapshot> {
        match id {
            Some(id) => self.snapshots.iter().find(|snapshot| snapshot.id == id).cloned(),
            None => self.snapshots.back().cloned(),
        }
    }

    /// The orders acknowledged since a snapshot was begun.
    pub(super) fn since(&self, snapshot: &Snapshot) -> Vec<OrderRow> {
        self.log.get(snapshot.acknowledged..).unwrap_or_default().to_vec()
    }

    /// For `GET /admin/db/backups`, the latest first.
    pub(super) fn list(&self, now: Tick) -> Value {
        let each: Vec<Value> = self
            .snapshots
            .iter()
            .rev()
            .map(|snapshot| {
                let age = now.since(snapshot.at).as_secs_f64();
                json!({"id": snapshot.id, "age_s": age, "orders": snapshot.rows.len(),
                    "acknowledged_since": self.log.len() - snapshot.acknowledged})
            })
            .collect();
        json!({"keep": self.keep, "snapshots": each})
    }
}

/// What a restore is asked to do.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) snapshot: Snapshot,
    pub(super) mode: Mode,
    /// Orders to bring back from the log, after the snapshot's.
    pub(super) replay: Vec<OrderRow>,
}

impl Recipe {
    /// The rows to write, in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = &OrderRow> {
        self.snapshot.rows.iter().chain(&self.replay)
    }

    /// How many rows it writes.
    pub(super) fn len(&self) -> usize {
        self.snapshot.rows.len() + self.replay.len()
    }

    /// What it would do to a table that holds `present` (sorted numbers): rows brought back, and rows thrown away.
    pub(super) fn effect(&self, present: &[i64]) -> (usize, usize) {
        let mut brought: Vec<i64> = self.rows().map(|row| row.seq).collect();
        brought.sort_unstable();
        brought.dedup();
        let back = brought.iter().filter(|seq| present.binary_search(seq).is_err()).count();
        let gone = match self.mode {
            Mode::Replace => present.iter().filter(|seq| brought.binary_search(seq).is_err()).count(),
            Mode::MergeMissing => 0,
        };
        (back, gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seq: i64) -> OrderRow {
        OrderRow { seq, user: 1, key: format!("k{seq}"), total_cents: 100, version: 1 }
    }

    /// A vault with a snapshot of orders 1 to 10, and orders 11 to 40 acknowledged since; the table was emptied after 20.
    fn night() -> (Vault, Vec<i64>) {
        let mut vault = Vault::new(5);
        for seq in 1..=10 {
            vault.acknowledge(row(seq));
        }
        let before = vault.acknowledged();
        vault.put((1..=10).map(row).collect(), before, Tick::from_secs(60));
        for seq in 11..=40 {
            vault.acknowledge(row(seq));
        }
        (vault, (21..=40).collect())
    }

    /// Orders that are acknowledged and not in the table after a restore.
    fn lost(mode: Mode, with_log: &[()]) -> usize {
        let (vault, present) = night();
        let snapshot = vault.snapshot(None).unwrap();
        let replay = if with_log.is_empty() { Vec::new() } else { vault.since(&snapshot) };
        let recipe = Recipe { snapshot, mode, replay };
        let mut table: Vec<i64> = if mode == Mode::Replace { Vec::new() } else { present };
        table.extend(recipe.rows().map(|row| row.seq));
        vault.acknowledged_numbers().iter().filter(|seq| !table.contains(seq)).count()
    }

    #[test]
    fn each_variant_of_a_restore_loses_what_it_must() {
        assert_eq!(lost(Mode::MergeMissing, &[()]), 0);
        assert_eq!(lost(Mode::Replace, &[()]), 0);
        assert_eq!(lost(Mode::MergeMissing, &[]), 10, "orders between the snapshot and the delete");
        assert_eq!(lost(Mode::Replace, &[]), 30, "everything since the snapshot");
    }

    #[test]
    fn a_dry_run_says_what_would_come_back_and_what_would_go() {
        let (vault, present) = night();
        let snapshot = vault.snapshot(None).unwrap();
        let plain = Recipe { snapshot: snapshot.clone(), mode: Mode::Replace, replay: Vec::new() };
        assert_eq!(plain.effect(&present), (10, 20));
        let whole = Recipe { replay: vault.since(&snapshot), mode: Mode::MergeMissing, snapshot };
        assert_eq!((whole.effect(&present), whole.len()), ((20, 0), 40));
    }

    #[test]
    fn the_latest_snapshot_is_the_one_that_was_begun_last() {
        let mut vault = Vault::new(5);
        vault.put(vec![row(1), row(2)], 2, Tick::from_secs(9));
        vault.put(vec![row(1)], 1, Tick::from_secs(3));
        assert_eq!(vault.snapshot(None).unwrap().rows.len(), 2);
    }

    #[test]
    fn a_vault_that_keeps_one_snapshot_keeps_the_wrong_one() {
        let mut vault = Vault::new(1);
        vault.put(vec![row(1)], 0, Tick::ZERO);
        vault.put(Vec::new(), 0, Tick::from_secs(60));
        assert_eq!(vault.snapshot(None).unwrap().rows.len(), 0, "taken after the delete");
        assert!(vault.snapshot(Some(1)).is_none());
        assert_eq!(vault.list(Tick::from_secs(61))["snapshots"][0]["age_s"], 1.0);
    }
}
