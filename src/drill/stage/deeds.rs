//! Deeds: what a command sets going, and what is told when it is over: lines for the journal, an event for the director.
//!
//! Each has a limit of time; they run side by side on the stage's thread. Not here: the order of things (`director`), the
//! lines that are written before an effect (`play`).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::LocalBoxFuture;

use super::DrillError;
use super::handshake::{Terms, agree};
use crate::base::clock::Clock;
use crate::base::timer::Timer;
use crate::drill::director::{ActId, Ending, Event, MitigationId};
use crate::drill::keeper::Keeper;
use crate::drill::lever::http::Endpoint;
use crate::drill::lever::{Levers, READ_BACK, Renewal};
use crate::measure::journal::Event as Line;
use crate::plan::drill::{Act, DrillPlan};

/// How often a system is asked whether it still agrees.
const AGREES_EVERY: Duration = Duration::from_secs(60);
/// How often the run's folder is looked at for the file that ends it.
const ABORT_EVERY: Duration = Duration::from_millis(250);

/// What came of a deed.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) lines: Vec<Line>,
    pub(super) event: Option<Event>,
}

impl Told {
    fn new(lines: Vec<Line>, event: Event) -> Self {
        Self { lines, event: Some(event) }
    }

    fn note(text: String) -> Self {
        Self { lines: vec![note(text)], event: None }
    }
}

/// A deed under way.
pub(super) type Deed = LocalBoxFuture<'static, Told>;

fn note(text: String) -> Line {
    Line::Mark { mark: "note".to_owned(), text }
}

/// Makes the deeds of one drill.
#[derive(Clone, Debug)]
pub(super) struct Deeds {
    pub(super) plan: Arc<DrillPlan>,
    pub(super) levers: Arc<Levers>,
}

impl Deeds {
    fn act(&self, act: ActId) -> Option<&Act> {
        self.plan.acts.get(act.0)
    }

    pub(super) fn apply(self, id: ActId) -> Deed {
        async move {
            let Some(act) = self.act(id) else { return Told::default() };
            match self.levers.apply(id.0, act).await {
                Ok(()) => Told { lines: Vec::new(), event: Some(Event::Applied(id)) },
                Err(error) => {
                    // It may be in force all the same; what is missing is the proof.
                    let unproved = Line::Injected { id: act.name.clone(), proof: error.to_string(), proved: false };
                    let text = format!("act `{}` was not put in force: {error}", act.name);
                    Told::new(vec![unproved, note(text)], Event::NotApplied(id))
                }
            }
        }
        .boxed_local()
    }

    pub(super) fn prove(self, id: ActId) -> Deed {
        async move {
            let Some(act) = self.act(id) else { return Told::default() };
            let injected = |proof: String, proved| Line::Injected { id: act.name.clone(), proof, proved };
            match self.levers.prove(id.0, act).await {
                Ok(seen) => Told::new(vec![injected(seen, true)], Event::Proved(id, true)),
                Err(why) => {
                    let text = format!("no proof that act `{}` touched anything: {why}", act.name);
                    Told::new(vec![injected(why, false), note(text)], Event::Proved(id, false))
                }
            }
        }
        .boxed_local()
    }

    pub(super) fn renew(self, id: ActId) -> Deed {
        async move {
            let Some(act) = self.act(id) else { return Told::default() };
            let name = act.name.clone();
            match self.levers.renew(id.0, act).await {
                Renewal::Renewed => Told { lines: vec![Line::Renewed { id: name }], event: None },
                Renewal::Unasked(why) => Told::note(format!("the lease of act `{name}` could not be renewed: {why}")),
                Renewal::Undone => {
                    Told::new(vec![note(format!("act `{name}` was undone by somebody"))], Event::Undone(id))
                }
                Renewal::Over => {
                    let text = format!("act `{name}` lasted as long as it should and ended by itself");
                    Told::new(vec![note(text)], Event::Undone(id))
                }
                Renewal::Lost(why) => {
                    let text = format!("the lease of act `{name}` ended: {why}");
                    Told::new(vec![note(text)], Event::LeaseLost(id, why))
                }
            }
        }
        .boxed_local()
    }

    pub(super) fn revert(self, id: ActId) -> Deed {
        async move {
            let Some(act) = self.act(id) else { return Told::default() };
            let name = act.name.clone();
            match self.levers.revert(id.0, act).await {
                Ok(()) => Told::new(vec![Line::Healed { id: name }], Event::Healed(id)),
                Err(reason) => Told::new(
                    vec![Line::HealFailed { id: name, reason: reason.clone() }],
                    Event::HealFailed(id, reason),
                ),
            }
        }
        .boxed_local()
    }

    /// After our own undo: not reading it back is a failure.
    pub(super) fn read_back(self, id: ActId) -> Deed {
        async move {
            let Some(act) = self.act(id) else { return Told::default() };
            let name = act.name.clone();
            match self.levers.read_back(id.0, act, READ_BACK).await {
                Ok(_) => Told::new(vec![Line::Verified { id: name }], Event::Verified(id)),
                Err(reason) => Told::new(
                    vec![Line::HealFailed { id: name, reason: reason.clone() }],
                    Event::HealFailed(id, reason),
                ),
            }
        }
        .boxed_local()
    }

    /// After somebody's undo: a part of the system may act on the change for a while longer; the clean-up does the rest.
    pub(super) fn confirm(self, id: ActId) -> Deed {
        async move {
            let Some(act) = self.act(id) else { return Told::default() };
            let name = act.name.clone();
            match self.levers.read_back(id.0, act, self.plan.phases.at_most).await {
                Ok(_) => {
                    let lines = vec![
                        Line::Healing { id: name.clone() },
                        Line::Healed { id: name.clone() },
                        Line::Verified { id: name },
                    ];
                    Told::new(lines, Event::Verified(id))
                }
                Err(why) => Told::note(format!("act `{name}` was undone, but not everywhere: {why}")),
            }
        }
        .boxed_local()
    }

    pub(super) fn perform(self, id: MitigationId) -> Deed {
        async move {
            let Some(mitigation) = self.plan.mitigations.get(id.0) else { return Told::default() };
            let Some(lever) = &mitigation.does else {
                return Told { lines: Vec::new(), event: Some(Event::Performed(id)) };
            };
            match self.levers.perform(lever).await {
                Ok(()) => Told { lines: Vec::new(), event: Some(Event::Performed(id)) },
                Err(error) => {
                    let (name, text) = (mitigation.name.clone(), error.to_string());
                    Told { lines: vec![Line::Effect { name, verified: false, text }], event: None }
                }
            }
        }
        .boxed_local()
    }

    pub(super) fn verify(self, id: MitigationId) -> Deed {
        async move {
            let Some(mitigation) = self.plan.mitigations.get(id.0) else { return Told::default() };
            let Some(probe) = &mitigation.verify else { return Told::default() };
            let (verified, text) = match self.levers.wait_for(probe).await {
                Ok(seen) => (true, seen),
                Err(why) => (false, why),
            };
            Told { lines: vec![Line::Effect { name: mitigation.name.clone(), verified, text }], event: None }
        }
        .boxed_local()
    }
}

/// Asks again every minute; tells when the system has taken its agreement back.
pub(super) fn still_agrees(public: Endpoint, terms: Terms, clock: Clock) -> Deed {
    async move {
        let Ok(mut timer) = Timer::new(&clock) else { return Told::default() };
        loop {
            timer.until(clock.now() + AGREES_EVERY).await;
            // A system that is too busy to answer has not taken anything back.
            if let Err(DrillError::Handshake { why, .. }) = agree(&public, &terms).await {
                let ending = Ending::Aborted(format!("the system no longer agrees to be shaken: {why}"));
                return Told { lines: Vec::new(), event: Some(Event::Stop(ending)) };
            }
        }
    }
    .boxed_local()
}

/// Looks for a file called `abort` in the run's folder, four times a second.
pub(super) fn abort_file(dir: PathBuf, clock: Clock) -> Deed {
    async move {
        let Ok(mut timer) = Timer::new(&clock) else { return Told::default() };
        while !dir.join("abort").exists() {
            timer.until(clock.now() + ABORT_EVERY).await;
        }
        let ending = Ending::Aborted("a file called `abort` was put into the run's folder".to_owned());
        Told { lines: Vec::new(), event: Some(Event::Stop(ending)) }
    }
    .boxed_local()
}

/// Starts another keeper in the place of one that is gone, so that the path is up again.
pub(super) fn another_keeper(keeper: Keeper, clock: Clock) -> Deed {
    async move {
        let since = clock.now();
        match keeper.restart().await {
            Ok(()) => {
                let took = clock.now().since(since).as_secs_f64();
                Told::note(format!("another keeper has the path up again, without faults, after {took:.3} s"))
            }
            Err(error) => Told::note(format!("no other keeper could be started, the path is down: {error}")),
        }
    }
    .boxed_local()
}
