//! The journal read as a story: phases, acts, actions, marks, and why the run ended.
//!
//! Called by `account::make` and `account::incident`. Not here: measured seconds.

use super::super::efficacy::Judged;
use super::super::finding::{Finding, FindingKind, Reason, Verdict};
use super::super::recovery::Fault;
use super::super::words::advice;
use super::{ActAccount, ActionAccount, Band, BandKind};
use crate::measure::journal::{Event, Line, RunFacts, TRAFFIC, Undo};
use crate::plan::drill::{Act, Mitigation, MitigationKind};

/// The lines of a journal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Story<'a>(pub(super) &'a [Line]);

fn at_s(line: &Line) -> f64 {
    line.at().secs_f64()
}

impl<'a> Story<'a> {
    /// What was run; empty without its line.
    pub(super) fn facts(self) -> RunFacts {
        let facts = |line: &Line| if let Event::Run(facts) = &line.event { Some(facts.clone()) } else { None };
        self.0.iter().find_map(facts).unwrap_or_default()
    }

    /// Why the run ended; `None` when the journal does not say.
    pub(super) fn ended(self) -> Option<&'a str> {
        let reason =
            |line: &'a Line| if let Event::End { reason, .. } = &line.event { Some(reason.as_str()) } else { None };
        self.0.iter().rev().find_map(reason)
    }

    /// Seconds of the last line.
    pub(super) fn last_s(self) -> f64 {
        self.0.last().map_or(0.0, at_s)
    }

    /// The phases; each lasts until the next, the last until `until_s`.
    pub(super) fn phases(self, until_s: f64) -> Vec<Band> {
        let mut bands: Vec<Band> = Vec::new();
        for line in self.0 {
            let Event::Phase { name } = &line.event else { continue };
            let from_s = at_s(line);
            if let Some(last) = bands.last_mut() {
                last.to_s = from_s;
            }
            bands.push(Band { name: name.clone(), kind: BandKind::Phase, from_s, to_s: until_s.max(from_s) });
        }
        bands
    }

    /// Acts in force, from their intent to healed, or to `until_s`: users may feel an act before its proof is in.
    pub(super) fn faults(self, until_s: f64) -> Vec<Band> {
        let band = |line: &'a Line| {
            let Event::Injected { id, .. } = &line.event else { return None };
            let from_s = self.intended(id).map_or_else(|| at_s(line), at_s);
            let to_s = self.healed(id).unwrap_or(until_s).max(from_s);
            Some(Band { name: id.clone(), kind: BandKind::Fault, from_s, to_s })
        };
        self.0.iter().filter_map(band).collect()
    }

    /// The faults of which checks can speak, by name: from the line that says one is in force to the one that says it is gone.
    pub(super) fn windows(self) -> Vec<Fault> {
        let mut found: Vec<Fault> = Vec::new();
        for line in self.0 {
            let Event::Injected { id, .. } = &line.event else { continue };
            if found.iter().all(|one| one.name != *id) {
                found.push(Fault { name: id.clone(), injected_s: at_s(line), healed_s: self.healed(id) });
            }
        }
        found
    }

    /// The line before the act `name` was put in force.
    fn intended(self, name: &str) -> Option<&'a Line> {
        self.0.iter().find(|line| matches!(&line.event, Event::Intent { id, .. } if id == name))
    }

    /// When the act `name` was healed, for the last time.
    fn healed(self, name: &str) -> Option<f64> {
        self.0.iter().rev().find(|line| matches!(&line.event, Event::Healed { id } if id == name)).map(at_s)
    }

    /// When the first act began, seconds: its intent, as users may feel it before its proof is in.
    pub(super) fn begun(self) -> Option<f64> {
        self.0.iter().find(|line| matches!(line.event, Event::Intent { .. } | Event::Injected { .. })).map(at_s)
    }

    /// Faults of which nothing proves that they touched anything.
    pub(super) fn unproven(self) -> Vec<&'a str> {
        let unproven = |line: &'a Line| match &line.event {
            Event::Injected { id, proved: false, .. } => Some(id.as_str()),
            _ => None,
        };
        self.0.iter().filter_map(unproven).collect()
    }

    /// One act of the plan as it went.
    pub(super) fn act(self, act: &Act) -> ActAccount {
        let mut went = ActAccount {
            name: act.name.clone(),
            what: what(act),
            injected_s: None,
            seq: None,
            healed_s: self.healed(&act.name),
            verified: false,
            proof: String::new(),
            proved: false,
        };
        for line in self.0 {
            match &line.event {
                Event::Intent { id, what, .. } if *id == act.name => went.what.clone_from(what),
                Event::Injected { id, proof, proved } if *id == act.name => {
                    let begun = self.intended(id).map_or_else(|| at_s(line), at_s);
                    went.injected_s.get_or_insert(begun);
                    went.seq.get_or_insert(line.seq);
                    went.proved |= proved;
                    if went.proof.is_empty() {
                        went.proof.clone_from(proof);
                    }
                }
                Event::Verified { id } if *id == act.name => went.verified = true,
                Event::HealFailed { id, .. } if *id == act.name => went.verified = false,
                _ => {}
            }
        }
        went
    }

    /// Mitigations that were begun, with what the plan knows of them.
    pub(super) fn actions(self, plan: &[Mitigation]) -> Vec<ActionAccount> {
        let action = |(n, line): (usize, &Line)| {
            let Event::Action { name } = &line.event else { return None };
            let known = plan.iter().find(|one| one.name == *name);
            let took =
                |line: &&Line| matches!(&line.event, Event::Effect { name: of, verified: true, .. } if of == name);
            Some(ActionAccount {
                name: name.clone(),
                label: known.map_or_else(|| name.clone(), |one| one.label.clone()),
                kind: known.map_or(MitigationKind::NoEffect, |one| one.kind),
                actor: line.actor.clone(),
                at_s: at_s(line),
                verified_s: self.0.iter().skip(n).find(took).map(at_s),
                effect: Judged::default(),
            })
        };
        self.0.iter().enumerate().filter_map(action).collect()
    }

    /// The first instant from `from_s` on of a line that `wanted` accepts.
    pub(super) fn first(self, from_s: f64, wanted: impl Fn(&Event) -> bool) -> Option<&'a Line> {
        self.0.iter().find(|line| at_s(line) >= from_s && wanted(&line.event))
    }

    /// Marks, pages and actions.
    pub(super) fn marks(self) -> Vec<Line> {
        let drawn = |line: &&Line| {
            matches!(line.event, Event::Mark { .. } | Event::Page { .. } | Event::Action { .. } | Event::Effect { .. })
        };
        self.0.iter().filter(drawn).cloned().collect()
    }

    /// One finding per change that was, or may have been, made: was it undone?
    pub(super) fn healings(self) -> Vec<Finding> {
        let mut names: Vec<&str> = Vec::new();
        for line in self.0 {
            if let Event::Intent { id, .. } | Event::Injected { id, .. } | Event::HealFailed { id, .. } = &line.event
                && !names.contains(&id.as_str())
            {
                names.push(id);
            }
        }
        let healings = names.into_iter().filter(|name| *name != TRAFFIC).map(|name| self.healing(name));
        healings.chain(self.traffic()).collect()
    }

    /// Were users back where the baseline left them once everything was undone? `None` when nothing was done to the system, or the
    /// journal has no end.
    fn traffic(self) -> Option<Finding> {
        let begun = self.begun()?;
        let judged = self.0.iter().rev().find_map(|line| match &line.event {
            Event::Verified { id } if id == TRAFFIC => Some(Ok(line)),
            Event::HealFailed { id, reason } if id == TRAFFIC => Some(Err(reason)),
            _ => None,
        });
        let (verdict, reason, observed, next) = match judged {
            Some(Ok(line)) => (Verdict::Pass, Reason::Within, self.said_before(line.seq), advice(Reason::Within)),
            Some(Err(why)) => {
                let next = "it does not heal by itself: look at what the acts left behind before the next drill";
                (Verdict::Fail, Reason::Censored, why.clone(), next)
            }
            None if self.ended().is_none_or(|ended| ended == "finished") => return None,
            None => {
                let observed = "not judged: the load was stopped with the drill".to_owned();
                (
                    Verdict::Inconclusive,
                    Reason::NotEvaluated,
                    observed,
                    "look at the system yourself, or let a drill run its course",
                )
            }
        };
        let texts =
            ["healing.traffic", "users after the clean-up", "as the baseline left them, within 30 s", &observed, next];
        let mut finding = Finding::plain(FindingKind::Recovery, texts, (verdict, reason));
        finding.evidence.window_s = (begun, self.last_s());
        Some(finding)
    }

    /// The note that stands right before line `seq`.
    fn said_before(self, seq: u64) -> String {
        let note = |line: &&Line| line.seq + 1 == seq;
        match self.0.iter().find(note).map(|line| &line.event) {
            Some(Event::Mark { text, .. }) => text.clone(),
            _ => "back".to_owned(),
        }
    }

    fn healing(self, name: &str) -> Finding {
        let (mut failed, mut open, mut verified) = (None, false, false);
        for line in self.0 {
            match &line.event {
                Event::Intent { id, undo, .. } if id == name => open = !matches!(undo, Undo::DiesWithProcess),
                Event::Healed { id } if id == name => open = false,
                Event::HealFailed { id, reason } if id == name => (failed, verified) = (Some(reason.as_str()), false),
                Event::Verified { id } if id == name => (failed, open, verified) = (None, false, true),
                _ => {}
            }
        }
        let observed = match (failed, open, verified) {
            (Some(reason), ..) => format!("not healed: {reason}"),
            (None, true, _) => "left behind: the journal knows no healing".to_owned(),
            (None, false, true) => "healed, and read back".to_owned(),
            (None, false, false) => "healed".to_owned(),
        };
        let unclean = failed.is_some() || open;
        let (verdict, reason) =
            if unclean { (Verdict::Fail, Reason::Censored) } else { (Verdict::Pass, Reason::Within) };
        let next = if unclean { "run `squall recover` before anything else" } else { advice(reason) };
        Finding::plain(
            FindingKind::Recovery,
            [&healing_id(name), &format!("healing of {name}"), "undone before the end", &observed, next],
            (verdict, reason),
        )
    }
}

/// The id of the finding that says whether a change was undone.
pub(in crate::judge) fn healing_id(name: &str) -> String {
    format!("{HEALING}{name}")
}

/// How such ids begin.
pub(in crate::judge) const HEALING: &str = "healing.";

/// An act in words, where the journal has none.
fn what(act: &Act) -> String {
    act.does.apply.words()
}
