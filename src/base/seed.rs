//! Named random streams: one seed, and a name for every use of it, so that adding one user or fault changes no other's draws.
//!
//! The only room that names `rand`; others are handed a [`Stream`] or a keyed draw.

use std::hash::Hasher;

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use siphasher::sip::SipHasher24;

/// The seed of a run: `--seed N`, 1 by default, never in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Default for Seed {
    fn default() -> Self {
        Self(1)
    }
}

impl Seed {
    /// A 64-bit key for `name` and `numbers`: SipHash-2-4 under the seed. Equal inputs give equal keys on every machine.
    pub fn key(self, name: &str, numbers: &[u64]) -> u64 {
        let mut hasher = SipHasher24::new_with_keys(self.0, 0x7371_7561_6c6c);
        hasher.write(name.as_bytes());
        hasher.write_u8(0xff);
        for number in numbers {
            hasher.write(&number.to_le_bytes());
        }
        hasher.finish()
    }

    /// The stream called `name`, such as `act/expert_gone`.
    pub fn stream(self, name: &str) -> Stream {
        self.keyed(name, &[])
    }

    /// The stream of `name` at `numbers`, such as journey `buy`, arrival 17.
    pub fn keyed(self, name: &str, numbers: &[u64]) -> Stream {
        Stream(Xoshiro256PlusPlus::seed_from_u64(self.key(name, numbers)))
    }

    /// The draw `slot` of `fault` for the unit `scope`: slot 0 decides hit or not, slot 1 the time, further slots per kind.
    pub fn decide(self, fault: &str, scope: &[u64], slot: u64) -> u64 {
        let mut numbers = scope.to_vec();
        numbers.push(slot);
        self.key(fault, &numbers)
    }
}

/// A 64-bit draw as a number in [0, 1).
pub fn unit(draw: u64) -> f64 {
    (draw >> 11) as f64 / (1_u64 << 53) as f64
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves are taken on purpose")]
fn halves(wide: u128) -> (u64, u64) {
    ((wide >> 64) as u64, wide as u64)
}

/// One named stream of random numbers (xoshiro256++, by name: the default generator of a library may change).
#[derive(Clone, Debug)]
pub struct Stream(Xoshiro256PlusPlus);

impl Stream {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    /// Uniform in (0, 1]: safe under a logarithm.
    pub fn unit_open(&mut self) -> f64 {
        1.0 - self.unit()
    }

    /// Uniform in 0..n, without bias; 0 when n is 0 (Lemire 2019).
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        let threshold = n.wrapping_neg() % n;
        loop {
            let wide = u128::from(self.bits()) * u128::from(n);
            let (high, low) = halves(wide);
            if low >= threshold {
                return high;
            }
        }
    }

    /// A uniformly random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let pick = usize::try_from(self.below(last as u64 + 1)).unwrap_or(0);
            items.swap(last, pick);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_stream_of_its_own() {
        let seed = Seed(7);
        assert_eq!(seed.stream("a").bits(), seed.stream("a").bits());
        assert_ne!(seed.stream("a").bits(), seed.stream("b").bits());
        assert_ne!(seed.key("a", &[1, 2]), seed.key("a", &[2, 1]));
        assert_ne!(Seed(8).key("a", &[]), seed.key("a", &[]));
    }

    #[test]
    fn keys_are_the_same_on_every_machine() {
        assert_eq!(Seed(1).key("journey/buy", &[17]), Seed(1).key("journey/buy", &[17]));
        assert_eq!(Seed(1).stream("pin").bits(), 2_846_790_053_996_827_227);
    }

    #[test]
    fn below_is_uniform_and_in_range() {
        let mut stream = Seed(3).stream("below");
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[usize::try_from(stream.below(7)).unwrap()] += 1;
        }
        assert!(counts.iter().all(|&n| (9_500..10_500).contains(&n)), "{counts:?}");
        assert_eq!(stream.below(0), 0);
    }
}
