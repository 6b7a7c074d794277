//! The loop of a drill: what happens is heard, the director is asked, what it says is carried out.
//!
//! Lines go into the journal before the effect they announce; when one cannot be written, nothing new is done and the drill
//! ends. Not here: any decision (`director`). Called by the stage.

use std::future::pending;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::StageEnv;
use super::deeds::{Deed, Deeds, Told, abort_file, another_keeper, still_agrees};
use super::handshake::Terms;
use super::rig::Rig;
use super::traffic::Traffic;
use crate::base::clock::Tick;
use crate::base::stop::StopReason;
use crate::base::timer::Timer;
use crate::drill::director::{ActId, Author, Command, Director, Ended, Ending, Event, Page, Phase};
use crate::drill::keeper::Keeper;
use crate::drill::lever::Levers;
use crate::measure::interval::Interval;
use crate::measure::journal::{Event as Line, Journal, Source, TRAFFIC};
use crate::plan::drill::DrillPlan;

/// A drill under way.
pub(super) struct Play<'a> {
    director: Director,
    deeds: Deeds,
    under_way: FuturesUnordered<Deed>,
    rig: &'a Rig,
    journal: &'a mut Journal,
    traffic: Traffic,
    env: &'a mut StageEnv,
    /// The words that were heard already.
    stopped: bool,
    hurried: bool,
    /// Keepers that are gone; the second one is not replaced.
    keepers_lost: u8,
    ended: Option<Ended>,
}

/// What the loop wakes up for.
enum Heard {
    Second(Interval),
    LoadOver,
    Page(Page),
    Told(Told),
    Stop(StopReason),
    Hurry,
    KeeperGone,
    Time,
}

impl<'a> Play<'a> {
    pub(super) fn new(
        plan: &Arc<DrillPlan>,
        (levers, rig): (Arc<Levers>, &'a Rig),
        (journal, traffic): (&'a mut Journal, Traffic),
        env: &'a mut StageEnv,
    ) -> Self {
        Self {
            director: Director::new(Arc::clone(plan)),
            deeds: Deeds { plan: Arc::clone(plan), levers },
            under_way: FuturesUnordered::new(),
            rig,
            journal,
            traffic,
            env,
            stopped: false,
            hurried: false,
            keepers_lost: 0,
            ended: None,
        }
    }

    /// Plays until the director has finished and the load has ended.
    pub(super) async fn run(&mut self) -> Ended {
        let mut timer = match Timer::new(&self.env.clock) {
            Ok(timer) => timer,
            Err(error) => return failed(format!("no timer: {error}")),
        };
        self.director.hear(self.env.clock.now(), Event::Ready);
        let terms = Terms::of(&self.deeds.plan);
        self.under_way.push(still_agrees(self.rig.public.clone(), terms, self.env.clock.clone()));
        self.under_way.push(abort_file(self.env.dir.clone(), self.env.clock.clone()));
        let mut ended = loop {
            let heard = self.next(&mut timer).await;
            let seen = self.take(heard);
            self.step(seen.as_ref());
            if let Some(ended) = self.ended.take() {
                break ended;
            }
        };
        if let Err(error) = self.traffic.finished().await {
            self.note(&format!("the load: {error}"));
            if ended.ending == Ending::Finished {
                ended.ending = Ending::Failed(error.to_string());
            }
        }
        ended
    }

    async fn next(&mut self, timer: &mut Timer) -> Heard {
        let wake = self.director.wake_at();
        let keeper = self.deeds.levers.keeper().filter(|_| self.keepers_lost == 0);
        tokio::select! {
            biased;
            reason = self.env.stop.requested(), if !self.stopped => Heard::Stop(reason),
            _ = self.env.hurry.requested(), if !self.hurried => Heard::Hurry,
            () = lost(keeper), if keeper.is_some() => Heard::KeeperGone,
            Some(told) = self.under_way.next() => Heard::Told(told),
            Some(page) = self.env.pages.recv() => Heard::Page(page),
            second = self.traffic.second(), if self.traffic.is_running() => second.map_or(Heard::LoadOver, Heard::Second),
            () = timer.until(wake.unwrap_or(Tick::MAX)), if wake.is_some() => Heard::Time,
        }
    }

    /// Writes down what was heard and tells the director; gives the second, if that is what it was.
    fn take(&mut self, heard: Heard) -> Option<Interval> {
        match heard {
            Heard::Time => {}
            Heard::Second(second) => {
                (self.env.on_second)(&second);
                return Some(second);
            }
            Heard::LoadOver => {
                let early = !self.traffic.was_stopped();
                self.traffic.over();
                if early {
                    self.hear(Event::Stop(Ending::Failed("the load ended before the drill".to_owned())));
                }
            }
            Heard::Page(page) => {
                self.note(&format!("page: {} {}", page.action, page.summary));
                let line = Line::Page {
                    action: page.action.clone(),
                    summary: page.summary.clone(),
                    origin: page.origin.clone(),
                    dedup_key: page.dedup_key.clone(),
                };
                self.write(Source::Alert, "", line);
                self.hear(Event::Page(page));
            }
            Heard::Told(told) => {
                for line in told.lines {
                    self.note_line(&line);
                    self.write(Source::Controller, "", line);
                }
                if let Some(event) = told.event {
                    self.hear(event);
                }
            }
            Heard::Stop(reason) => {
                self.stopped = true;
                self.hear(Event::Stop(reason.into()));
            }
            Heard::Hurry => {
                self.hurried = true;
                self.hear(Event::Hurry);
            }
            Heard::KeeperGone => self.replace_keeper(),
        }
        None
    }

    /// Its faults ended with it; what it held beside is healed by us, and the path comes back without faults.
    fn replace_keeper(&mut self) {
        self.keepers_lost += 1;
        let words = "the keeper of the run ended, and with it every fault it kept in force".to_owned();
        self.note(&words);
        self.write(Source::Controller, "", mark(words.clone()));
        self.hear(Event::KeeperLost(words));
        if let Some(keeper) = self.deeds.levers.keeper() {
            self.under_way.push(another_keeper(keeper.clone(), self.env.clock.clone()));
        }
    }

    fn step(&mut self, seen: Option<&Interval>) {
        for command in self.director.step(self.env.clock.now(), seen) {
            self.carry_out(command);
        }
    }

    fn hear(&mut self, event: Event) {
        self.director.hear(self.env.clock.now(), event);
    }

    fn note(&mut self, text: &str) {
        (self.env.on_note)(text);
    }

    fn note_line(&mut self, line: &Line) {
        let text = match line {
            Line::Injected { id, proof, proved: true } => format!("act `{id}` is in force: {proof}"),
            Line::Verified { id } => format!("act `{id}` is healed and read back"),
            Line::HealFailed { id, reason } => format!("act `{id}` could not be healed: {reason}"),
            Line::Effect { name, verified: true, text } => format!("mitigation `{name}` took: {text}"),
            Line::Effect { name, verified: false, text } => format!("mitigation `{name}` did not take: {text}"),
            Line::Mark { text, .. } => text.clone(),
            _ => return,
        };
        self.note(&text);
    }

    /// Appends a line, durably. False, and the drill ends, when that is not possible.
    fn write(&mut self, source: Source, actor: &str, line: Line) -> bool {
        let Err(error) = self.journal.append(source, actor, line) else { return true };
        self.note(&format!("the journal: {error}"));
        self.hear(Event::Stop(Ending::Failed(error.to_string())));
        false
    }

    fn carry_out(&mut self, command: Command) {
        let deeds = self.deeds.clone();
        match command {
            Command::Enter(Phase::Done) => {}
            Command::Enter(phase) => {
                self.note(&format!("phase: {}", phase.name()));
                self.write(Source::Controller, "", Line::Phase { name: phase.name().to_owned() });
            }
            Command::StartLoad => {
                if let Err(error) = self.traffic.start(self.env.clock.now()) {
                    self.hear(Event::Stop(Ending::Failed(error.to_string())));
                }
            }
            Command::StopLoad => self.traffic.stop(),
            Command::Apply(act) => {
                if self.begin(act) {
                    self.under_way.push(deeds.apply(act));
                } else {
                    self.hear(Event::NotApplied(act));
                }
            }
            Command::Prove(act) => self.under_way.push(deeds.prove(act)),
            Command::Renew(act) => self.under_way.push(deeds.renew(act)),
            Command::Revert(act) => {
                // Healing is not given up because a line about it cannot be written.
                self.write(Source::Controller, "", Line::Healing { id: self.act_name(act) });
                self.under_way.push(deeds.revert(act));
            }
            Command::GiveUp(act, reason) => {
                let line = Line::HealFailed { id: self.act_name(act), reason };
                self.note_line(&line);
                self.write(Source::Controller, "", line);
            }
            Command::ReadBack(act) => self.under_way.push(deeds.read_back(act)),
            Command::Confirm(act) => self.under_way.push(deeds.confirm(act)),
            Command::Perform(id, Author::Robot(role)) => {
                let name = deeds.plan.mitigations.get(id.0).map(|one| one.name.clone()).unwrap_or_default();
                self.note(&format!("mitigation `{name}` begins"));
                if self.write(Source::Robot, &role, Line::Action { name }) {
                    self.under_way.push(deeds.perform(id));
                }
            }
            Command::Verify(id) => self.under_way.push(deeds.verify(id)),
            Command::Mark { author: Author::Robot(role), mark, text } => {
                self.note(&format!("mark: {mark} {text}"));
                self.write(Source::Robot, &role, Line::Mark { mark, text });
            }
            Command::Back(back) => {
                let id = TRAFFIC.to_owned();
                let line = match back {
                    Ok(words) => {
                        self.note(&format!("users are back: {words}"));
                        self.write(Source::Measured, "", mark(format!("after clean-up: {words}")));
                        Line::Verified { id }
                    }
                    Err(reason) => {
                        self.note(&reason);
                        Line::HealFailed { id, reason }
                    }
                };
                self.write(Source::Measured, "", line);
            }
            Command::Finish(ended) => self.ended = Some(ended),
        }
    }

    fn act_name(&self, act: ActId) -> String {
        self.deeds.plan.acts.get(act.0).map(|one| one.name.clone()).unwrap_or_default()
    }

    /// Writes the line before an act: what will be done, and how it is healed by somebody who has only this line. False: nothing
    /// may be done.
    fn begin(&mut self, id: ActId) -> bool {
        let plan = Arc::clone(&self.deeds.plan);
        let Some(act) = plan.acts.get(id.0) else { return false };
        let undo = match self.deeds.levers.prepare(id.0, act) {
            Ok(undo) => undo,
            Err(error) => {
                let proof = error.to_string();
                let text = format!("act `{}` was not put in force: {proof}", act.name);
                self.note(&text);
                self.write(Source::Controller, "", Line::Injected { id: act.name.clone(), proof, proved: false });
                self.write(Source::Controller, "", mark(text));
                return false;
            }
        };
        let lease_ms = u64::try_from(act.does.lease.as_millis()).unwrap_or(u64::MAX);
        let line = Line::Intent { id: act.name.clone(), what: act.does.apply.words(), undo, lease_ms };
        self.write(Source::Controller, "", line)
    }
}

/// Returns when the keeper is gone.
async fn lost(keeper: Option<&Keeper>) {
    match keeper {
        Some(keeper) => keeper.gone().await,
        None => pending().await,
    }
}

fn mark(text: String) -> Line {
    Line::Mark { mark: "note".to_owned(), text }
}

fn failed(why: String) -> Ended {
    Ended { ending: Ending::Failed(why), unclean: Vec::new(), unproved: Vec::new() }
}
