//! The exact mix of journeys: a deck of cards, shuffled anew every time it is used up, with random access.
//!
//! Exact in every full deck, random inside, the same for every shard. Not here: what a card means (`plan::program`).

use crate::base::seed::Seed;

/// How many cards a deck may have.
pub const CARDS_MOST: u64 = 10_000;

/// Weights as a deck of Σ weights / gcd cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deck {
    /// Name of the stream: the workload.
    name: String,
    cards: Vec<u16>,
}

impl Deck {
    /// The deck of `weights` (card n has weight n); `None` when it would be empty or have more than [`CARDS_MOST`] cards.
    pub fn new(workload: &str, weights: &[u64]) -> Option<Self> {
        let divisor = weights.iter().copied().fold(0, gcd).max(1);
        let size = weights.iter().try_fold(0_u64, |sum, weight| sum.checked_add(weight / divisor))?;
        if size == 0 || size > CARDS_MOST {
            return None;
        }
        let cards = weights
            .iter()
            .enumerate()
            .flat_map(|(card, weight)| {
                let times = usize::try_from(weight / divisor).unwrap_or(0);
                std::iter::repeat_n(u16::try_from(card).unwrap_or(u16::MAX), times)
            })
            .collect();
        Some(Self { name: format!("deck/{workload}"), cards })
    }

    /// Cards in a deck.
    pub fn size(&self) -> u64 {
        self.cards.len() as u64
    }

    /// The card at `place` of the deck before it is shuffled: as likely as its weight for a uniform place.
    pub fn card(&self, place: u64) -> u16 {
        usize::try_from(place).ok().and_then(|place| self.cards.get(place)).copied().unwrap_or(0)
    }

    /// The shuffled deck number `deck`; arrival n takes card n mod size of deck n / size.
    pub fn shuffled(&self, seed: Seed, deck: u64) -> Vec<u16> {
        let mut cards = self.cards.clone();
        seed.keyed(&self.name, &[deck]).shuffle(&mut cards);
        cards
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deck_is_exact_and_shuffled() {
        let deck = Deck::new("shoppers", &[60, 30, 10]).unwrap();
        assert_eq!(deck.size(), 10);
        for n in 0..50 {
            let mut cards = deck.shuffled(Seed(1), n);
            cards.sort_unstable();
            assert_eq!(cards, [0, 0, 0, 0, 0, 0, 1, 1, 1, 2]);
        }
        assert_ne!(deck.shuffled(Seed(1), 0), deck.shuffled(Seed(1), 1));
    }

    #[test]
    fn empty_and_huge_decks_are_refused() {
        assert!(Deck::new("w", &[0, 0]).is_none());
        assert!(Deck::new("w", &[9_999, 10_001]).is_none());
        assert!(Deck::new("w", &[u64::MAX, u64::MAX - 1]).is_none());
    }
}
