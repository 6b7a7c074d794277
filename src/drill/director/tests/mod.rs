//! The director against a scripted system; `noise` feeds it everything else.

mod noise;

use super::*;
use crate::base::ratio::Ratio;
use crate::measure::interval::Cell;
use crate::measure::outcome::Class;
use crate::measure::sample::StepId;
use crate::plan::drill::{
    About, Act, Cue, Lever, Mitigation, MitigationKind, Phases, Probe, Proof, RobotDeed, RobotStep, Role, ShopData,
    System, Technical,
};
use crate::plan::fault::{Fault, Side, Toxic};
use crate::plan::good::Good;
use crate::plan::load::{Client, Connections, LoadPlan, Timeouts};
use crate::plan::values::Values;

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn load() -> LoadPlan {
    LoadPlan {
        name: "mix".into(),
        origins: Vec::new(),
        client: Client {
            connections: Connections::ByWorkload,
            timeouts: Timeouts::default(),
            headers: Vec::new(),
            body_limit: 0,
            cookies: true,
            redirects: 0,
            patience: None,
            retry: None,
        },
        workloads: Vec::new(),
        journeys: Vec::new(),
        steps: Vec::new(),
        labels: Arc::default(),
        values: Values::default(),
        good: Good::default(),
        checks: Vec::new(),
        hash: String::new(),
    }
}

fn probe(is: &str) -> Probe {
    Probe { get: "/state".into(), at: "$.on".into(), is: is.into(), within: secs(5) }
}

fn put(json: &str) -> Lever {
    Lever::Http { method: "PUT".into(), path: "/flag".into(), json: json.into() }
}

fn act(name: &str, when: When, players_undo: bool) -> Act {
    let does = Technical {
        apply: put("on"),
        revert: Some(put("off")),
        lease: secs(15),
        players_undo,
        proof: Proof::Probe(probe("true")),
    };
    Act { name: name.into(), when, hidden: true, does }
}

fn step(on: Cue, wait: u64, does: RobotDeed) -> RobotStep {
    RobotStep { on, wait: secs(wait), does }
}

/// A flag at T+0, a fault 5 s after impact, a robot that kills the flag 20 s after the page.
fn plan() -> DrillPlan {
    let mut slow = act("slow", When::After(Moment::Impact, secs(5)), false);
    slow.does.apply = Lever::Fault(Fault {
        name: "slow".into(),
        on: "db".into(),
        inject: Toxic::Latency { time: secs(1), jitter: Duration::ZERO },
        side: Side::Downstream,
        share: Ratio::ONE,
        lasts: None,
    });
    slow.does.revert = None;
    DrillPlan {
        name: "midnight".into(),
        about: About::default(),
        system: System::Shop {
            data: ShopData::Realistic,
            in_flight: 150,
            flag_poll: (secs(5), secs(15)),
            database: None,
        },
        load: load(),
        phases: Phases { baseline: secs(20), at_most: secs(100), recovery_hold: secs(10) },
        objective: 0.999,
        budget_period: secs(30 * 86_400),
        robot: vec![
            step(Cue::Page, 3, RobotDeed::Ack),
            step(Cue::Page, 4, RobotDeed::Take(Role::Ic)),
            step(Cue::Page, 20, RobotDeed::Mitigate("kill".into())),
            step(Cue::Clear, 5, RobotDeed::Claim("resolved".into())),
        ],
        acts: vec![act("ship", When::At(Duration::ZERO), true), slow],
        mitigations: vec![Mitigation {
            name: "kill".into(),
            label: "Kill it".into(),
            kind: MitigationKind::Correct,
            allowed: vec![Role::Ops],
            does: Some(put("off")),
            verify: Some(probe("false")),
        }],
        expectations: Vec::new(),
        hash: String::new(),
    }
}

/// A second with `bad` of `n` requests bad.
fn second(at: u64, bad: u64, n: u64) -> Interval {
    let mut cell = Cell::default();
    cell.classes.add(Class::Error, bad);
    cell.classes.add(Class::Ok, n - bad);
    let mut interval = Interval::at(u32::try_from(at).unwrap());
    interval.steps.insert(StepId(0), cell);
    interval
}

/// A system that does what it is told at once, and is bad from 2 s after `ship` until `kill`.
struct Stage {
    director: Director,
    now: Tick,
    bad_from: Option<Tick>,
    killed: bool,
    log: Vec<(u64, Command)>,
}

impl Stage {
    fn new(plan: DrillPlan) -> Self {
        let mut director = Director::new(Arc::new(plan));
        director.hear(Tick::ZERO, Event::Ready);
        Self { director, now: Tick::ZERO, bad_from: None, killed: false, log: Vec::new() }
    }

    fn answer(&mut self, command: &Command) -> Vec<Event> {
        match command {
            Command::Apply(act) => {
                if act.0 == 0 {
                    self.bad_from = Some(self.now + secs(2));
                }
                vec![Event::Applied(*act)]
            }
            Command::Prove(act) => vec![Event::Proved(*act, true)],
            Command::Renew(act) if act.0 == 0 && self.killed => vec![Event::Undone(*act)],
            Command::Confirm(act) | Command::ReadBack(act) => vec![Event::Verified(*act)],
            Command::Revert(act) => vec![Event::Healed(*act)],
            Command::Perform(id, _) => {
                self.killed = true;
                self.bad_from = None;
                vec![Event::Performed(*id)]
            }
            _ => Vec::new(),
        }
    }

    fn step(&mut self, seen: Option<&Interval>) {
        let mut commands = self.director.step(self.now, seen);
        while !commands.is_empty() {
            for command in commands {
                let events = self.answer(&command);
                self.log.push((self.now.nanos() / 1_000_000_000, command));
                for event in events {
                    self.director.hear(self.now, event);
                }
            }
            commands = self.director.step(self.now, None);
        }
    }

    /// Second by second until `until`; a page comes 5 s after it turned bad.
    fn run(&mut self, until: u64) {
        for n in self.now.nanos() / 1_000_000_000..until {
            self.now = Tick::from_secs(n);
            let bad = self.bad_from.is_some_and(|from| from < self.now);
            if self.bad_from.is_some_and(|from| from + secs(5) == self.now) {
                self.director.hear(self.now, Event::Page(Page { action: "trigger".into(), ..Page::default() }));
            }
            self.step(Some(&second(n, if bad { 60 } else { 0 }, 100)));
        }
    }

    fn at(&self, wanted: impl Fn(&Command) -> bool) -> Vec<u64> {
        self.log.iter().filter(|(_, command)| wanted(command)).map(|(at, _)| *at).collect()
    }

    fn ended(&self) -> &Ended {
        match self.log.last() {
            Some((_, Command::Finish(ended))) => ended,
            other => panic!("not finished: {other:?}"),
        }
    }
}

#[test]
fn the_robot_plays_the_whole_drill() {
    let mut stage = Stage::new(plan());
    stage.run(140);
    let entered = |phase: Phase| stage.at(move |c| *c == Command::Enter(phase));
    assert_eq!((entered(Phase::Baseline), entered(Phase::Exercise)), (vec![0], vec![20]));
    assert_eq!(stage.at(|c| *c == Command::Apply(ActId(0))), [20], "at T+0");
    // Bad from 22 on; live impact needs three windows whose lower bound is above 2 %.
    let impact = stage.at(|c| *c == Command::Apply(ActId(1)))[0] - 5;
    assert!((24..=27).contains(&impact), "{impact}");
    let marks = |word: &'static str| stage.at(move |c| matches!(c, Command::Mark { mark, .. } if mark == word));
    assert_eq!((marks("acknowledged"), marks("command")), (vec![30], vec![31]));
    assert_eq!(stage.at(|c| matches!(c, Command::Perform(..))), [47]);
    assert_eq!(stage.at(|c| matches!(c, Command::Verify(_))), [47]);
    assert_eq!(stage.at(|c| *c == Command::Confirm(ActId(0))), [47], "an undone act is noticed at once");
    // 60 % bad leave the 10 s window by 57; clean for 5 s, the robot waits 5 s more.
    assert_eq!(marks("resolved"), entered(Phase::Watching));
    let claim = marks("resolved")[0];
    assert!((64..=68).contains(&claim), "{claim}");
    let end = stage.at(|c| *c == Command::StopLoad)[0];
    assert!(end >= claim + 5, "{claim} {end}");
    // The flag was undone by the players and read back; only the fault is left to revert.
    assert_eq!(stage.at(|c| matches!(c, Command::Revert(_))), [end]);
    assert_eq!(*stage.ended(), Ended { ending: Ending::Finished, unclean: vec![], unproved: vec![] });
    assert_eq!(stage.ended().exit_code(), 0);
}

#[test]
fn an_unsteady_baseline_ends_before_any_act() {
    for (bad, n) in [(5, 100), (0, 4)] {
        let mut director = Director::new(Arc::new(plan()));
        director.hear(Tick::ZERO, Event::Ready);
        let mut all = director.step(Tick::ZERO, None);
        for at in 1..30 {
            all.extend(director.step(Tick::from_secs(at), Some(&second(at, bad, n))));
        }
        assert!(!all.iter().any(|c| matches!(c, Command::Apply(_) | Command::Enter(Phase::Exercise))), "{all:?}");
        let Some(Command::Finish(ended)) = all.last() else { panic!("{all:?}") };
        assert!(matches!(ended.ending, Ending::Unsteady(_)), "{ended:?}");
        assert_eq!(ended.exit_code(), 4);
    }
}

#[test]
fn one_bad_request_does_not_make_a_baseline_unsteady() {
    let mut director = Director::new(Arc::new(plan()));
    director.hear(Tick::ZERO, Event::Ready);
    director.step(Tick::ZERO, None);
    for at in 1..=20 {
        director.step(Tick::from_secs(at), Some(&second(at, u64::from(at == 12), 100)));
    }
    assert_eq!(director.phase(), Phase::Exercise);
}

#[test]
fn an_abort_reverts_in_reverse_order_and_begins_nothing_new() {
    let mut stage = Stage::new(plan());
    stage.run(40);
    assert_eq!(stage.director.in_force(), ["ship", "slow"]);
    stage.director.hear(stage.now, Event::Stop(Ending::Interrupted));
    stage.step(None);
    let tail: Vec<&Command> = stage.log.iter().rev().take(9).rev().map(|(_, command)| command).collect();
    assert_eq!(
        tail,
        [
            &Command::Enter(Phase::Aborting),
            &Command::StopLoad,
            &Command::Enter(Phase::Cleanup),
            &Command::Revert(ActId(1)),
            &Command::ReadBack(ActId(1)),
            &Command::Revert(ActId(0)),
            &Command::ReadBack(ActId(0)),
            &Command::Enter(Phase::Done),
            &Command::Finish(Ended { ending: Ending::Interrupted, unclean: vec![], unproved: vec![] }),
        ]
    );
    assert_eq!(stage.ended().exit_code(), 130);
    let before = stage.log.len();
    stage.run(200);
    assert_eq!(stage.log.len(), before, "nothing after the end");
}

#[test]
fn leases_are_renewed_every_third_and_a_lost_one_aborts() {
    let mut stage = Stage::new(DrillPlan { robot: Vec::new(), ..plan() });
    stage.run(44);
    assert_eq!(stage.at(|c| *c == Command::Renew(ActId(0))), [25, 30, 35, 40]);
    stage.director.hear(stage.now, Event::LeaseLost(ActId(0), "expired".into()));
    stage.step(None);
    assert!(matches!(&stage.ended().ending, Ending::Aborted(why) if why.contains("`ship`")));
    assert_eq!(stage.at(|c| *c == Command::Revert(ActId(0))), [43], "a lost lease is reverted all the same");
    assert_eq!(stage.ended().exit_code(), 6);
}

#[test]
fn nobody_acting_lasts_exactly_as_long_as_allowed() {
    let mut stage = Stage::new(DrillPlan { robot: Vec::new(), ..plan() });
    stage.run(160);
    assert_eq!(stage.at(|c| *c == Command::Enter(Phase::Watching)), [120]);
    assert_eq!(stage.at(|c| *c == Command::StopLoad), [130], "it stays bad: at most, and the hold");
    assert_eq!(stage.ended().exit_code(), 0);
}

/// A director in clean-up whose system does not answer: two acts begun, an abort, then silence.
fn unanswered() -> (Director, Vec<Command>) {
    let mut director = Director::new(Arc::new(plan()));
    director.hear(Tick::ZERO, Event::Ready);
    director.step(Tick::ZERO, None);
    for at in 1..=40 {
        let seen = second(at, if at > 21 { 60 } else { 0 }, 100);
        for command in director.step(Tick::from_secs(at), Some(&seen)) {
            if let Command::Apply(act) = command {
                director.hear(Tick::from_secs(at), Event::Applied(act));
            }
        }
    }
    director.hear(Tick::from_secs(41), Event::Stop(Ending::Interrupted));
    let commands = director.step(Tick::from_secs(41), None);
    (director, commands)
}

#[test]
fn what_cannot_be_healed_is_named_and_the_rest_is_reverted() {
    let (mut director, commands) = unanswered();
    assert_eq!(commands.last(), Some(&Command::Revert(ActId(1))));
    let overdue = Tick::from_secs(101);
    director.hear(Tick::from_secs(42), Event::HealFailed(ActId(1), "refused".into()));
    assert_eq!(director.step(Tick::from_secs(42), None), [Command::Revert(ActId(0))]);
    director.hear(Tick::from_secs(43), Event::Healed(ActId(0)));
    assert_eq!(director.step(overdue, None), [Command::ReadBack(ActId(0))]);
    assert_eq!(director.wake_at(), Some(Tick::from_secs(102)), "reading back may not take for ever");
    let end = director.step(Tick::from_secs(102), None);
    let Some(Command::Finish(ended)) = end.last() else { panic!("{end:?}") };
    assert_eq!(ended.unclean.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["ship", "slow"]);
    assert_eq!(ended.exit_code(), 7, "above the signal");
}

#[test]
fn a_second_request_does_not_wait_for_verification_but_skips_no_revert() {
    let (mut director, _) = unanswered();
    director.hear(Tick::from_secs(42), Event::Hurry);
    assert_eq!(director.step(Tick::from_secs(42), None), [Command::Revert(ActId(0))]);
    director.hear(Tick::from_secs(42), Event::Healed(ActId(1)));
    let waits = director.step(Tick::from_secs(42), None);
    assert_eq!(waits, [Command::ReadBack(ActId(1))], "one revert is not answered yet");
    director.hear(Tick::from_secs(43), Event::Healed(ActId(0)));
    let end = director.step(Tick::from_secs(43), None);
    assert!(matches!(end.last(), Some(Command::Finish(ended)) if ended.exit_code() == 7), "{end:?}");
}

#[test]
fn ten_silent_seconds_abort() {
    let mut stage = Stage::new(plan());
    stage.run(6);
    stage.now = Tick::from_secs(14);
    stage.step(None);
    assert_eq!(stage.director.phase(), Phase::Baseline);
    assert_eq!(stage.director.wake_at(), Some(Tick::from_secs(15)), "the last request finished at 5 s");
    stage.now = Tick::from_secs(15);
    stage.step(None);
    assert!(matches!(&stage.ended().ending, Ending::Aborted(why) if why.contains("no request")));
}

#[test]
fn a_page_before_the_first_act_wakes_nobody() {
    let mut director = Director::new(Arc::new(plan()));
    director.hear(Tick::ZERO, Event::Ready);
    director.step(Tick::ZERO, None);
    director.hear(Tick::from_secs(3), Event::Page(Page { action: "trigger".into(), ..Page::default() }));
    let mut all = Vec::new();
    for at in 1..60 {
        all.extend(director.step(Tick::from_secs(at), Some(&second(at, 0, 100))));
    }
    assert!(!all.iter().any(|c| matches!(c, Command::Mark { .. } | Command::Perform(..))), "{all:?}");
}
