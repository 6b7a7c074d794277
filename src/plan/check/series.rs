//! The number of series: more than the author allows are folded into one, and a word says so.

use super::desk::Desk;
use super::tables::Tables;
use crate::measure::sample::StepId;
use crate::plan::program::{Http, Journey, Op};
use crate::spec::source::{Mark, Spanned};

/// Series at most, unless the author says otherwise.
const MOST: u64 = 200;
/// The series of all others.
pub(super) const OTHER: &str = "other";

/// Folds the steps beyond `written` into one.
pub(super) fn fold(
    desk: &mut Desk,
    tables: &mut Tables,
    journeys: &mut [Journey],
    (written, at): (Option<&Spanned<u64>>, Mark),
) {
    let most = desk.open_if(written).copied().unwrap_or(MOST);
    let at = written.map_or(at, |spanned| spanned.mark);
    if most < 2 {
        desk.error("bad_number", at, format!("{most} series"), "write at least 2: one of them holds all others");
        return;
    }
    let Some(last) = u16::try_from(most - 1).ok().filter(|_| tables.steps.len() as u64 > most) else { return };
    let folded = tables.steps.len() - usize::from(last);
    for journey in journeys {
        requests(&mut journey.steps, &mut |http| http.step = http.step.min(StepId(last)));
    }
    tables.steps.truncate(usize::from(last));
    tables.steps.push((OTHER.to_owned(), at));
    let message = format!("{folded} of {} steps are counted together as `{OTHER}`", usize::from(last) + folded);
    desk.warn("max_series", at, message, "raise `max_series`, at the price of memory, or give steps one name less");
}

fn requests(steps: &mut [Op], change: &mut dyn FnMut(&mut Http)) {
    for op in steps {
        match op {
            Op::Http(http) => change(http),
            Op::Branch(branch) => {
                requests(&mut branch.then, change);
                requests(&mut branch.otherwise, change);
            }
            Op::Repeat(repeat) => requests(&mut repeat.steps, change),
            Op::Group(group) => group.requests.iter_mut().for_each(&mut *change),
            Op::Pause(_) | Op::Extract(_) | Op::Check(_) | Op::Set(_) => {}
        }
    }
}
