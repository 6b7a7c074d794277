//! What a keeper holds: one lease and one undo per change. Pure: it is told the time.
//!
//! A lease that is over stays over: its renewal is refused, whatever the clock says later. Not here: undoing (`serve`).

use std::time::Duration;

use crate::base::clock::Tick;
use crate::measure::journal::Undo;

/// What is to be done when a lease ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Held {
    /// The fault of an act: the proxies have its lease.
    Fault,
    /// The undo of a lever.
    Lever(Undo),
}

/// One change under lease.
#[derive(Clone, Debug, PartialEq)]
struct Holding {
    id: String,
    held: Held,
    until: Tick,
    generation: u64,
}

/// All of them, in the order in which they were taken up.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    open: Vec<Holding>,
    /// Generations that are over, and why.
    over: Vec<(String, u64, String)>,
    next: u64,
}

impl Holdings {
    /// Takes a change up; gives its generation. An earlier one of that name is forgotten: it was released, or is held anew.
    pub(super) fn take(&mut self, id: &str, held: Held, until: Tick) -> u64 {
        self.release(id);
        self.next += 1;
        self.open.push(Holding { id: id.to_owned(), held, until, generation: self.next });
        self.next
    }

    /// Moves the end of a lease; never back.
    ///
    /// # Errors
    /// The lease is over, in words.
    pub(super) fn renew(&mut self, id: &str, generation: u64, (now, lease): (Tick, Duration)) -> Result<(), String> {
        let found = self.open.iter_mut().find(|one| one.id == id && one.generation == generation);
        match found {
            Some(one) if now < one.until => {
                one.until = one.until.max(now + lease);
                Ok(())
            }
            Some(_) => Err("it was not renewed in time".to_owned()),
            None => {
                let over = self.over.iter().rev().find(|(name, number, _)| name == id && *number == generation);
                Err(over.map_or_else(|| "the keeper does not hold it".to_owned(), |(.., why)| why.clone()))
            }
        }
    }

    /// The controller undoes it; until then nothing happens here.
    pub(super) fn stand_by(&mut self, id: &str, until: Tick) {
        if let Some(one) = self.open.iter_mut().find(|one| one.id == id) {
            one.until = one.until.max(until);
        }
    }

    /// Lets go of a change that is undone.
    pub(super) fn release(&mut self, id: &str) {
        self.open.retain(|one| one.id != id);
    }

    /// Takes out the lever called `id`, to be undone now.
    pub(super) fn drop(&mut self, id: &str) -> Option<Undo> {
        let place = self.open.iter().position(|one| one.id == id)?;
        let one = self.open.remove(place);
        self.over.push((one.id, one.generation, "it was let go of".to_owned()));
        if let Held::Lever(undo) = one.held { Some(undo) } else { None }
    }

    /// Takes out what is over at `now`, the latest first.
    pub(super) fn expire(&mut self, now: Tick) -> Vec<(String, Held)> {
        let (over, open) = std::mem::take(&mut self.open).into_iter().partition(|one: &Holding| one.until <= now);
        self.open = open;
        let mut gone = Vec::new();
        let over: Vec<Holding> = over;
        for one in over.into_iter().rev() {
            self.over.push((one.id.clone(), one.generation, "it was not renewed in time".to_owned()));
            gone.push((one.id, one.held));
        }
        gone
    }

    /// Takes out everything: the latest first.
    pub(super) fn all(&mut self) -> Vec<(String, Held)> {
        self.expire(Tick::MAX)
    }

    /// When the next lease is over.
    pub(super) fn next_expiry(&self) -> Option<Tick> {
        self.open.iter().map(|one| one.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(15);

    fn at(secs: u64) -> Tick {
        Tick::from_secs(secs)
    }

    fn lever() -> Held {
        Held::Lever(Undo::DiesWithProcess)
    }

    #[test]
    fn what_is_not_renewed_is_over_and_stays_over() {
        let mut holdings = Holdings::default();
        let first = holdings.take("pause", lever(), at(15));
        assert_eq!(holdings.renew("pause", first, (at(10), LEASE)), Ok(()));
        assert_eq!((holdings.next_expiry(), holdings.expire(at(24))), (Some(at(25)), vec![]));
        assert!(holdings.renew("pause", first, (at(25), LEASE)).unwrap_err().contains("in time"), "over is over");
        assert_eq!(holdings.expire(at(25)), [("pause".to_owned(), lever())]);
        assert!(holdings.renew("pause", first, (at(25), LEASE)).unwrap_err().contains("in time"));
        let second = holdings.take("pause", lever(), at(60));
        assert!(holdings.renew("pause", first, (at(30), LEASE)).is_err(), "an old generation renews nothing");
        assert_eq!(holdings.renew("pause", second, (at(30), LEASE)), Ok(()));
    }

    #[test]
    fn what_is_left_is_undone_in_reverse_order() {
        let mut holdings = Holdings::default();
        for name in ["a", "b", "c"] {
            holdings.take(name, lever(), at(15));
        }
        holdings.release("b");
        let names: Vec<String> = holdings.all().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["c", "a"]);
        assert_eq!(holdings.next_expiry(), None);
    }

    #[test]
    fn while_the_controller_undoes_the_keeper_stands_by_and_a_renewal_never_shortens() {
        let mut holdings = Holdings::default();
        let generation = holdings.take("pause", lever(), at(15));
        holdings.stand_by("pause", at(60));
        assert_eq!(holdings.renew("pause", generation, (at(1), LEASE)), Ok(()));
        assert_eq!(holdings.next_expiry(), Some(at(60)));
        assert_eq!(holdings.drop("pause"), Some(Undo::DiesWithProcess));
        assert_eq!(holdings.drop("pause"), None);
    }
}
