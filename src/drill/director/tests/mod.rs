//! The director against a scripted system; `noise` feeds it everything else.

mod noise;

use std::time::Duration;

use super::*;
use crate::base::ratio::Ratio;
use crate::measure::interval::Cell;
use crate::measure::journal::TRAFFIC;
use crate::measure::outcome::Class;
use crate::measure::sample::StepId;
use crate::plan::audit::Books;
use crate::plan::condition::{Abort, Condition, Limits, Signal};
use crate::plan::drill::{
    About, Act, Cue, Lever, Mitigation, MitigationKind, Phases, Probe, Proof, RobotDeed, RobotStep, Role, ShopData,
    System, Technical,
};
use crate::plan::fault::{Fault, Side, Toxic};
use crate::plan::gate::Gate;
use crate::plan::good::Good;
use crate::plan::load::{Client, LoadPlan};
use crate::plan::slo::{Slo, USUAL};
use crate::plan::values::Values;

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn load() -> LoadPlan {
    LoadPlan {
        name: "mix".into(),
        origins: Vec::new(),
        client: Client::default(),
        workloads: Vec::new(),
        journeys: Vec::new(),
        steps: Vec::new(),
        labels: Arc::default(),
        values: Values::default(),
        good: Good::default(),
        checks: Vec::new(),
        books: Books::default(),
        gate: Gate::default(),
        hash: String::new(),
    }
}

fn probe(is: &str) -> Probe {
    Probe { get: "/state".into(), at: "$.on".into(), is: is.into(), within: secs(5) }
}

fn put(json: &str) -> Lever {
    Lever::http("PUT", "/flag", json)
}

fn act(name: &str, when: When, players_undo: bool) -> Act {
    let does = Technical {
        apply: put("on"),
        revert: Some(put("off")),
        lease: secs(15),
        players_undo,
        proof: Proof::Probe(probe("true")),
        moves_bad: None,
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
        inject: Toxic::latency(secs(1)).into(),
        side: Side::Downstream,
        share: Ratio::ONE,
        lasts: None,
        envelope: Box::default(),
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
        phases: Phases { baseline: secs(20), at_most: secs(100), recovery_hold: secs(10), time_factor: 0.1 },
        slo: Slo { objective: 0.999, period: Duration::from_secs(30 * 86_400), reference: USUAL.to_vec() },
        limits: Limits::default(),
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
    /// A reverted act leaves it bad.
    stays_bad: bool,
    killed: bool,
    log: Vec<(u64, Command)>,
}

impl Stage {
    fn new(plan: DrillPlan) -> Self {
        let mut director = Director::new(Arc::new(plan));
        director.hear(Tick::ZERO, Event::Ready);
        Self { director, now: Tick::ZERO, bad_from: None, stays_bad: false, killed: false, log: Vec::new() }
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
            Command::Revert(act) => {
                if act.0 == 0 && !self.stays_bad {
                    self.bad_from = None;
                }
                vec![Event::Healed(*act)]
            }
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
    let cleanup = entered(Phase::Cleanup)[0];
    assert!(cleanup >= claim + 5, "{claim} {cleanup}");
    // The flag was undone by the players and read back; only the fault is left to revert.
    assert_eq!(stage.at(|c| matches!(c, Command::Revert(_))), [cleanup]);
    // Ten whole seconds after that, users are as the baseline left them; until then the load stays on.
    let back = stage.at(|c| matches!(c, Command::Back(Ok(_))));
    assert_eq!((back.clone(), stage.at(|c| *c == Command::StopLoad)), (vec![cleanup + 9], back));
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
    assert_eq!(stage.at(|c| *c == Command::Enter(Phase::Cleanup)), [130], "it stays bad: at most, and the hold");
    assert_eq!(stage.ended().exit_code(), 0);
}

#[test]
fn users_who_are_not_back_after_the_clean_up_leave_the_drill_unclean() {
    let mut stage = Stage::new(DrillPlan { robot: Vec::new(), ..plan() });
    stage.stays_bad = true;
    stage.run(200);
    let Ended { ending, unclean, .. } = stage.ended();
    assert_eq!(*ending, Ending::Finished);
    assert!(matches!(unclean.as_slice(), [(what, why)] if what == TRAFFIC && why.contains("60 %")), "{unclean:?}");
    assert_eq!(stage.ended().exit_code(), 7);
    assert_eq!(stage.at(|c| matches!(c, Command::Back(Err(_)))), [160], "30 s after the last revert");
    assert_eq!(stage.at(|c| *c == Command::StopLoad), [160]);
}

#[test]
fn an_interruption_while_users_are_awaited_stops_the_load_and_waits_no_longer() {
    let mut stage = Stage::new(DrillPlan { robot: Vec::new(), ..plan() });
    stage.stays_bad = true;
    stage.run(140);
    assert_eq!(stage.director.phase(), Phase::Cleanup);
    stage.director.hear(stage.now, Event::Stop(Ending::Interrupted));
    stage.step(None);
    assert_eq!(stage.at(|c| *c == Command::StopLoad), [139]);
    assert_eq!((stage.ended().exit_code(), stage.at(|c| matches!(c, Command::Back(_)))), (130, vec![]));
}

fn limited(limits: Limits) -> Stage {
    let mut stage = Stage::new(DrillPlan { robot: Vec::new(), limits, ..plan() });
    stage.run(100);
    stage
}

#[test]
fn a_limit_of_the_drill_ends_it_once_it_has_held() {
    let rule = |signal, level, verdict| Abort {
        when: Condition::All(vec![Condition::Over(signal, level), Condition::Fired("ship".into())]),
        hold: secs(5),
        because: "enough".into(),
        verdict,
    };
    // 60 % bad from 23 on: the window passes 30 % in the fifth bad second.
    let stage = limited(Limits { aborts: vec![rule(Signal::Bad, 0.29, AbortVerdict::Invalid)], ..Limits::default() });
    assert_eq!(stage.at(|c| *c == Command::Enter(Phase::Aborting)), [32]);
    assert_eq!((&stage.ended().ending, stage.ended().exit_code()), (&Ending::Invalid("enough".into()), 5));
    assert_eq!(stage.at(|c| *c == Command::Revert(ActId(0))), [32]);

    let stage = limited(Limits { bad_budget: Some(120), ..Limits::default() });
    assert_eq!(stage.at(|c| *c == Command::Enter(Phase::Aborting)), [25], "60 + 60 is within, the next second is not");
    assert!(matches!(&stage.ended().ending, Ending::Aborted(why) if why.contains("180")), "{:?}", stage.ended());
}

#[test]
fn an_act_comes_when_its_condition_has_held_and_at_the_latest_when_it_must() {
    let fired = |is: Condition, hold: u64, else_at: Option<u64>| {
        let when = When::Holds { is, hold: secs(hold), else_at: else_at.map(secs) };
        let mut stage = Stage::new(DrillPlan {
            robot: vec![step(Cue::Impact, 10, RobotDeed::Ack)],
            acts: vec![act("ship", When::At(Duration::ZERO), true), act("ceo", when, false)],
            ..plan()
        });
        stage.run(100);
        stage.at(|c| *c == Command::Apply(ActId(1)))
    };
    let spent = |seconds: f64| Condition::Over(Signal::BadTime, seconds);
    // 0.6 bad seconds in each second from 23 on: the integral passes 6 in the eleventh of them.
    assert_eq!(fired(spent(6.1), 0, None), [33]);
    assert_eq!(fired(spent(6.1), 0, Some(8)), [28], "at the latest");
    assert_eq!(fired(spent(6.1), 4, None), [37], "held");
    assert_eq!(fired(spent(1e6), 0, None), Vec::<u64>::new());
    let mark = |wanted: &str| Condition::Marked(wanted.to_owned());
    let acked = fired(mark("acknowledged"), 0, None);
    assert!((34..=37).contains(&acked[0]), "{acked:?}");
    assert_eq!(fired(Condition::Unmarked("acknowledged".into()), 10, None), [30]);
    assert_eq!(fired(Condition::Unmarked("acknowledged".into()), 30, None), Vec::<u64>::new(), "it broke off");
    assert_eq!(fired(Condition::Not(Box::new(mark("acknowledged"))), 10, None), [30]);
    assert_eq!(fired(Condition::Healed("ship".into()), 0, None), Vec::<u64>::new());
}

#[test]
fn the_robot_can_wait_until_recovery_has_held() {
    let mut plan = plan();
    plan.phases.recovery_hold = secs(20);
    let wakes = |cue: Cue| {
        let mut plan = plan.clone();
        plan.robot.retain(|step| step.on == Cue::Page);
        plan.robot.push(step(cue, 1, RobotDeed::Claim("resolved".into())));
        let mut stage = Stage::new(plan);
        stage.run(140);
        stage.at(|c| matches!(c, Command::Mark { mark, .. } if mark == "resolved"))[0]
    };
    assert_eq!(wakes(Cue::Recovered), wakes(Cue::Clear) + 15, "clean for 5 s is clear, for 20 s is recovered");
}
