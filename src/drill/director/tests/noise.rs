//! The director in noise: a hundred thousand random events, answers that come twice, wrongly, or never.

use super::*;
use crate::base::seed::{Seed, Stream};

fn random_event(stream: &mut Stream) -> Event {
    let act = ActId(usize::try_from(stream.below(4)).unwrap());
    let mitigation = MitigationId(usize::try_from(stream.below(2)).unwrap());
    let words = ["detected", "mitigated", "resolved", "note"];
    let page = |action: &str| Event::Page(Page { action: action.into(), ..Page::default() });
    match stream.below(60) {
        0 => Event::Stop(Ending::Aborted("noise".into())),
        1 => Event::Hurry,
        2 => Event::LeaseLost(act, "noise".into()),
        3..=5 => Event::Undone(act),
        6..=9 => Event::HealFailed(act, "noise".into()),
        10..=14 => Event::NotApplied(act),
        15..=19 => Event::Marked(words[usize::try_from(stream.below(4)).unwrap()].into()),
        20..=26 => page("trigger"),
        27..=30 => page("resolve"),
        31..=35 => Event::Performed(mitigation),
        36..=40 => Event::Healed(act),
        41..=45 => Event::Verified(act),
        46..=50 => Event::Proved(act, stream.below(2) == 0),
        51 => Event::Ready,
        _ => Event::Applied(act),
    }
}

/// One drill in noise: answers come, come twice, come for the wrong act, or never.
fn noisy(seed: u64) -> (u64, Vec<Command>) {
    let mut stream = Seed(seed).stream("director/noise");
    let mut director = Director::new(Arc::new(plan()));
    director.hear(Tick::ZERO, Event::Ready);
    let (mut now, mut all, mut events) = (Tick::ZERO, Vec::new(), 0);
    while director.phase() != Phase::Done {
        now += Duration::from_millis(stream.below(900) + 1);
        for _ in 0..stream.below(3) {
            events += 1;
            // Most drills should come far: the events that end one are rare in half of them.
            let event = random_event(&mut stream);
            if seed.is_multiple_of(2) && matches!(event, Event::Stop(_) | Event::LeaseLost(..)) {
                continue;
            }
            director.hear(now, event);
        }
        let seen = second(now.nanos() / 1_000_000_000, if stream.below(40) == 0 { 60 } else { 0 }, 100);
        let fresh = director.step(now, Some(&seen));
        for command in &fresh {
            if stream.below(4) > 0 {
                match command {
                    Command::Apply(act) => director.hear(now, Event::Applied(*act)),
                    Command::Revert(act) => director.hear(now, Event::Healed(*act)),
                    Command::ReadBack(act) => director.hear(now, Event::Verified(*act)),
                    _ => {}
                }
            }
        }
        all.extend(fresh);
        assert!(director.wake_at().is_none_or(|at| at >= now), "it never asks to be woken in the past");
        assert!(now < Tick::from_secs(600), "seed {seed} does not end: {:?}", director.phase());
    }
    assert!(director.in_force().is_empty());
    assert!(director.step(now, None).is_empty() && director.wake_at().is_none());
    (events, all)
}

#[test]
fn whatever_it_hears_it_ends_and_leaves_nothing_applied() {
    let (mut events, mut seed, mut finished) = (0, 0, 0);
    while events < 100_000 {
        seed += 1;
        let (heard, all) = noisy(seed);
        events += heard;
        let Some(Command::Finish(ended)) = all.last() else { panic!("seed {seed}: {:?}", all.last()) };
        finished += u32::from(ended.ending == Ending::Finished);
        let cleanup = all.iter().position(|c| *c == Command::Enter(Phase::Cleanup)).unwrap();
        for (n, one) in plan().acts.iter().enumerate() {
            let id = ActId(n);
            let applied = all.iter().filter(|c| **c == Command::Apply(id)).count();
            assert!(applied <= 1, "an act is done once");
            let settled = all.iter().any(|c| *c == Command::Revert(id) || *c == Command::Confirm(id));
            assert!(applied == 0 || settled, "seed {seed}: `{}` was left applied", one.name);
            assert!(!all[cleanup..].contains(&Command::Apply(id)), "no act after the end");
        }
    }
    assert!(finished > 20, "noise must let some drills run their course: {finished} of {seed}");
}
