//! Users that wait for answers: how many when, how often, how far apart.

use std::time::Duration;

use super::{Desk, mix, within};
use crate::plan::check::think::think;
use crate::plan::load::{Iterations, Pattern, Rounds, Workload};
use crate::plan::program::Journey;
use crate::plan::staff::{Shift, Staff};
use crate::spec::scenario::{Closed, Iterations as WrittenIterations, UserPiece};
use crate::spec::source::{Mark, Spanned};

/// Users at most.
const USERS_MOST: u64 = 1_000_000;

pub(super) fn closed(
    desk: &mut Desk,
    (name, journeys): (String, &[Journey]),
    total: Duration,
    (written, at): (&Closed, Mark),
) -> Option<Workload> {
    let mix = mix(desk, &name, journeys, (written.mix.as_ref(), at));
    let warmup = desk.duration_or(written.warmup.as_ref(), Duration::ZERO);
    let drain = desk.duration_or(written.drain.as_ref(), total);
    let think = think(desk, written.think.as_ref());
    let most = written.iterations.as_ref().and_then(|iterations| self::iterations(desk, iterations));
    let cycle = desk.duration_or(written.cycle.as_ref(), Duration::ZERO);
    let staff = staff(desk, &written.users)?;
    let hold = staff.length();
    if staff.most() == 0 {
        let help = "write at least one user, for longer than 0s";
        desk.error("zero_rate", written.users.mark, "never sends anything", help);
    }
    within(desk, written.warmup.as_ref(), warmup, hold);
    let users = staff.most();
    let pattern = Pattern::Closed { users, hold, think, staff, rounds: Rounds { most, cycle } };
    Some(Workload { name, pattern, mix: mix?, start: Duration::ZERO, warmup, drain, client: None })
}

fn iterations(desk: &mut Desk, written: &Spanned<WrittenIterations>) -> Option<Iterations> {
    let (made, number): (fn(u64) -> Iterations, _) = match desk.open(written)? {
        WrittenIterations::PerUser(number) => (Iterations::PerUser, number),
        WrittenIterations::Shared(number) => (Iterations::Shared, number),
    };
    let count = *desk.open(number)?;
    if count == 0 {
        desk.error("zero_rate", number.mark, "never sends anything", "write a number of at least 1");
    }
    Some(made(count))
}

fn staff(desk: &mut Desk, written: &Spanned<Vec<Spanned<UserPiece>>>) -> Option<Staff> {
    let mut shifts = Vec::new();
    let mut is_whole = true;
    let mut before = 0.0;
    for spanned in desk.open(written)? {
        let shift = desk.open(spanned).and_then(|piece| shift(desk, piece, before));
        match shift {
            Some(shift) => {
                before = shift.to;
                shifts.push(shift);
            }
            None => is_whole = false,
        }
    }
    is_whole.then(|| Staff::new(shifts))
}

fn shift(desk: &mut Desk, piece: &UserPiece, before: f64) -> Option<Shift> {
    match piece {
        UserPiece::Hold { users, r#for } => {
            let (users, over) = (number(desk, users), desk.duration(r#for));
            let users = users?;
            Some(Shift { from: users, to: users, over: over? })
        }
        UserPiece::Ramp { from, to, over } => {
            let from = from.as_ref().map_or(Some(before), |from| number(desk, from));
            let (to, over) = (number(desk, to), desk.duration(over));
            Some(Shift { from: from?, to: to?, over: over? })
        }
    }
}

fn number(desk: &mut Desk, written: &Spanned<u64>) -> Option<f64> {
    let count = *desk.open(written)?;
    if count > USERS_MOST {
        desk.error("bad_number", written.mark, format!("{count} users"), format!("write at most {USERS_MOST}"));
    }
    Some(count.min(USERS_MOST) as f64)
}
