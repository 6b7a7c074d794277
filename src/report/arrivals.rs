//! What became of the arrivals of a plan: the counts of which none may be missing.
//!
//! Called by `json`. Not here: whether the sum holds (`judge::validity`).

use serde_json::{Value, json};

use crate::judge::account::Account;
use crate::measure::interval::Travel;

/// Arrivals of the plan: as the generator counted them, else as the journeys did.
pub fn planned(account: &Account) -> u64 {
    let travelled = || account.totals.journeys.values().map(|travel| travel.planned).sum();
    account.done.as_ref().map_or_else(travelled, |done| done.planned)
}

/// All journeys as one: planned = started + shed + not started, and started = the sum of the ends behind it.
pub fn json(account: &Account) -> Value {
    let mut all = Travel::default();
    account.totals.journeys.values().for_each(|travel| all.merge(travel));
    json!({
        "planned": planned(account),
        "started": all.started,
        "shed": all.shed,
        "not_started": account.totals.not_started,
        "completed": all.completed,
        "failed": all.failed,
        "unfinished": all.unfinished,
        "staged": all.staged,
    })
}
