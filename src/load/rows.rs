//! Rows of data for journeys: which row an arrival takes follows from its number, so that workers share nothing.
//!
//! Not here: reading files (`plan::check`).

use super::vars::Dice;
use crate::plan::values::{Feed, RowPick};

/// Who asks for a row.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    /// Index of the workload among the plan's.
    pub workload: usize,
    /// How many workloads the plan has.
    pub of: usize,
    /// Number of the user: of a closed workload its place, of an open one the arrival's.
    pub user: u64,
}

/// Which row of `feed` the arrival of `dice` takes; `None` when there is none.
pub fn index(feed: &Feed, dice: Dice, asking: Asking) -> Option<usize> {
    let count = feed.rows.len() as u64;
    let index = match feed.pick {
        _ if count == 0 => return None,
        RowPick::Sequential => dice.n % count,
        RowPick::Random => dice.below(&feed.name, feed.rows.len()) as u64,
        RowPick::Unique | RowPick::UniqueAgain => {
            dice.n.wrapping_mul(asking.of as u64).wrapping_add(asking.workload as u64) % count
        }
        RowPick::PerUser => asking.user % count,
    };
    usize::try_from(index).ok()
}

/// Copies the values of every feed's row for the arrival of `dice`.
pub fn take(feeds: &[Feed], dice: Dice, asking: Asking, values: &mut [String]) {
    for feed in feeds {
        let row = index(feed, dice, asking).and_then(|index| feed.rows.get(index));
        for (variable, value) in feed.columns.iter().zip(row.into_iter().flatten()) {
            if let Some(slot) = values.get_mut(usize::from(variable.0)) {
                slot.clear();
                slot.push_str(value);
            }
        }
    }
}

/// How many arrivals workload number `workload` of `of` may begin before a row would be taken twice.
pub fn enough_for(feeds: &[Feed], workload: usize, of: usize) -> u64 {
    let unique = feeds.iter().filter(|feed| feed.pick == RowPick::Unique);
    let most = |feed: &Feed| feed.rows.len().saturating_sub(workload).div_ceil(of.max(1)) as u64;
    unique.map(most).min().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::seed::Seed;
    use crate::plan::template::VarId;

    fn feed(pick: RowPick) -> Feed {
        let rows = (0..10).map(|n| vec![n.to_string()]).collect::<Vec<_>>();
        Feed { name: "users".to_owned(), rows: rows.into(), columns: vec![VarId(0)], pick }
    }

    fn row(pick: RowPick, (workload, of): (usize, usize), (n, user): (u64, u64)) -> String {
        let mut values = vec![String::new()];
        let dice = Dice { seed: Seed(1), key: 3, n };
        take(&[feed(pick)], dice, Asking { workload, of, user }, &mut values);
        values.remove(0)
    }

    #[test]
    fn a_row_follows_from_the_number_of_the_arrival() {
        assert_eq!(row(RowPick::Sequential, (0, 1), (13, 0)), "3");
        assert_eq!(row(RowPick::PerUser, (0, 1), (13, 4)), "4");
        let drawn: std::collections::BTreeSet<String> =
            (0..200).map(|n| row(RowPick::Random, (0, 1), (n, 0))).collect();
        assert_eq!(drawn.len(), 10);
    }

    #[test]
    fn unique_rows_are_taken_once_over_all_workloads() {
        let mut taken = Vec::new();
        for workload in 0..3 {
            for n in 0..enough_for(&[feed(RowPick::Unique)], workload, 3) {
                taken.push(row(RowPick::Unique, (workload, 3), (n, 0)));
            }
        }
        taken.sort();
        assert_eq!(taken, (0..10).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!(enough_for(&[feed(RowPick::UniqueAgain)], 0, 1), u64::MAX);
    }
}
