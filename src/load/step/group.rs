//! Requests side by side: at most so many at once, each on a connection of its own when users have their own.
//!
//! They see the variables as they were before the group; what they extract is there after it. Not here: one request (`http`).

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::http::{self, Ended};
use super::{Ask, Together};
use crate::base::clock::Tick;
use crate::load::core::Worker;
use crate::load::crew::Crew;
use crate::load::user::User;
use crate::load::vars::Dice;
use crate::measure::outcome::{Class, Kind};
use crate::measure::sample::Sample;
use crate::plan::good::Said;

/// What a group came to: when its last request ended, and the first failure in the order of the requests.
pub async fn run(worker: &Worker, crew: &Crew, user: &mut User, group: &Together, (due, dice): (Tick, Dice)) -> Ended {
    let mut waiting = group.asks.iter().enumerate();
    let mut under_way = FuturesUnordered::new();
    for (place, ask) in waiting.by_ref().take(group.parallel) {
        under_way.push(one(worker, crew, user.member(), (place, ask, due, dice)));
    }
    let mut last: Option<Ended> = None;
    let mut failed: Option<(usize, Ended)> = None;
    while let Some((place, mut member, ended)) = under_way.next().await {
        if let Some(ask) = group.asks.get(place) {
            for variable in ask.judge.sets() {
                let slot = usize::from(variable.0);
                if let (Some(mine), Some(found)) = (user.values.get_mut(slot), member.values.get_mut(slot)) {
                    std::mem::swap(mine, found);
                }
            }
        }
        user.lanes.push(member.seat);
        // The last answer's cookies and versions hold, as in a browser.
        if member.jar.is_some() {
            user.jar = member.jar;
        }
        user.memory = member.memory;
        if ended.outcome.kind().is_some() && failed.is_none_or(|(first, _)| place < first) {
            failed = Some((place, ended));
        }
        let is_cut = ended.outcome.kind() == Some(Kind::Unfinished) || worker.halted.get();
        if let Some((place, ask)) = waiting.next().filter(|_| !is_cut) {
            under_way.push(one(worker, crew, user.member(), (place, ask, ended.done, dice)));
        }
        last = Some(last.filter(|last| last.done > ended.done).unwrap_or(ended));
    }
    let last = last.unwrap_or(Ended::nothing(due));
    let ended = match failed {
        Some((_, failed)) => Ended { done: last.done, rested: last.rested, ..failed },
        None => last,
    };
    if ended.outcome.kind() != Some(Kind::Unfinished) {
        count(worker, group, due, ended);
    }
    ended
}

/// The group as one, beside its requests.
fn count(worker: &Worker, group: &Together, due: Tick, ended: Ended) {
    let Some(first) = group.asks.first() else { return };
    let due = due + ended.rested;
    let mut sample = Sample {
        step: first.step,
        due,
        sent: due,
        done: ended.done.max(due),
        outcome: ended.outcome,
        class: Class::Error,
        bytes_out: 0,
        bytes_in: 0,
    };
    let said = Said { status: Some(ended.status).filter(|status| *status > 0), retry_after: false };
    sample.class = worker.script.plan.good.class(sample.outcome, said, sample.response_time());
    worker.log.borrow_mut().recorder.aside(&group.aside, &sample);
}

async fn one(
    worker: &Worker,
    crew: &Crew,
    mut member: User,
    (place, ask, due, dice): (usize, &Ask, Tick, Dice),
) -> (usize, User, Ended) {
    let ended = http::run(worker, crew, &mut member, ask, (due, dice)).await;
    (place, member, ended)
}
