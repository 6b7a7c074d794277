//! Repetitions under way: how many turns there are, and what every turn is keyed by.
//!
//! Not here: what is done in a turn (`load::user` follows the moves).

use std::time::Duration;

use super::gate::Gate;
use super::pause::Pause;
use crate::load::LoadError;
use crate::load::user::User;
use crate::load::vars::Dice;
use crate::plan::program::{Repeat, Turns};
use crate::plan::template::VarId;
use crate::plan::values::SEPARATOR;
use crate::stats::portable::ln;

/// A compiled repetition.
#[derive(Debug)]
pub struct Turning {
    count: Count,
    at_most: u64,
    pause: Pause,
    /// Names its draws.
    place: String,
}

#[derive(Debug)]
enum Count {
    Between(u64, u64),
    Geometric(f64),
    Each { item: VarId, list: VarId },
    Until(Gate),
}

/// A repetition of one user.
#[derive(Clone, Copy, Debug, Default)]
pub struct Turn {
    done: u64,
    most: u64,
    /// What draws outside of it are keyed by.
    outside: u64,
}

impl Turning {
    /// Compiles `repeat`; its draws are named after `place`.
    pub fn new(repeat: &Repeat, place: String) -> Result<Self, LoadError> {
        let count = match &repeat.turns {
            Turns::Between(low, high) => Count::Between(*low, *high),
            Turns::Geometric(mean) => Count::Geometric(*mean),
            Turns::Each { item, list } => Count::Each { item: *item, list: *list },
            Turns::Until(condition) => Count::Until(Gate::new(condition, &place)?),
        };
        let pause = Pause::new(repeat.think.clone(), format!("{place}/think"));
        Ok(Self { count, at_most: repeat.at_most, pause, place })
    }

    /// Begins repetition number `slot` of the journey; false when there is no turn at all.
    pub fn begin(&self, slot: usize, user: &mut User, dice: Dice) -> bool {
        let most = match &self.count {
            Count::Between(low, high) => {
                let width = usize::try_from(high - low).unwrap_or(0).saturating_add(1);
                low + dice.below(&self.place, width) as u64
            }
            Count::Geometric(mean) => geometric(*mean, dice.unit(&self.place)),
            Count::Each { list, .. } => match user.value(*list) {
                "" => 0,
                text => text.split(SEPARATOR).count() as u64,
            },
            Count::Until(_) => u64::MAX,
        };
        let turn = Turn { done: 0, most: most.min(self.at_most), outside: user.pass };
        if user.turns.len() <= slot {
            user.turns.resize(slot + 1, Turn::default());
        }
        user.turns[slot] = turn;
        if turn.most == 0 {
            return false;
        }
        self.enter(turn, user, dice);
        true
    }

    /// Ends a turn; the pause before the next one, or `None` after the last.
    pub fn again(&self, slot: usize, user: &mut User, dice: Dice) -> Option<Duration> {
        let turn = user.turns.get_mut(slot)?;
        turn.done += 1;
        let turn = *turn;
        let is_over = turn.done >= turn.most || matches!(&self.count, Count::Until(gate) if gate.holds(user, dice));
        if is_over {
            user.pass = turn.outside;
            return None;
        }
        let pause = self.pause.length(dice.seed, dice.key, dice.n);
        self.enter(turn, user, dice);
        Some(pause)
    }

    /// Draws of a turn are keyed by its number, and by the turn it lies in.
    fn enter(&self, turn: Turn, user: &mut User, dice: Dice) {
        user.pass = dice.seed.key(&self.place, &[turn.outside, turn.done]);
        if let Count::Each { item, list } = self.count {
            let nth = usize::try_from(turn.done).unwrap_or(usize::MAX);
            let value = user.value(list).split(SEPARATOR).nth(nth).unwrap_or_default().to_owned();
            if let Some(slot) = user.values.get_mut(usize::from(item.0)) {
                *slot = value;
            }
        }
    }
}

/// A number from 1 whose mean is `mean`: 1 + ⌊ln(1 - u) / ln(1 - 1/mean)⌋.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 0; casts saturate")]
fn geometric(mean: f64, u: f64) -> u64 {
    if mean <= 1.0 {
        return 1;
    }
    1 + (ln(1.0 - u) / ln(1.0 - 1.0 / mean)).floor() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::seed::Seed;
    use crate::base::seed::unit;

    #[test]
    fn a_geometric_number_has_its_mean() {
        let draws = 50_000;
        let sum: u64 = (0..draws).map(|n| geometric(3.0, unit(Seed(2).key("g", &[n])))).sum();
        let mean = sum as f64 / draws as f64;
        assert!((mean - 3.0).abs() < 0.05, "{mean}");
        assert_eq!(geometric(1.0, 0.9), 1);
    }
}
