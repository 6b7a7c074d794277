//! Acts: when they are due, what they do, how they are undone, and how one knows that they took hold.

use std::time::Duration;

use super::condition;
use super::mitigation::Mitigations;
use super::pace::Paces;
use super::{Consent, fault, healing, lever};
use crate::base::duration::show;
use crate::base::seed::Seed;
use crate::plan::check::desk::Desk;
use crate::plan::check::scenario::is_name;
use crate::plan::drill::{Act, Lever, Moment, Proof, System, Technical, When};
use crate::spec::act::{
    Act as WrittenAct, Does, Lever as WrittenLever, Moment as WrittenMoment, Owner, Proof as WrittenProof,
    Technical as WrittenTechnical, Touched, When as WrittenWhen,
};
use crate::spec::condition::{Holds, Signal};
use crate::spec::drill::{Drill, Stated};
use crate::spec::source::{Mark, Spanned};

/// Acts with the places of their names.
#[derive(Debug, Default)]
pub(super) struct Acts {
    pub(super) list: Vec<(Act, Mark)>,
    /// Some of them could not be read: names that are missing may be theirs.
    pub(super) has_gaps: bool,
}

impl Acts {
    pub(super) fn names(&self) -> Vec<&str> {
        self.list.iter().map(|(one, _)| one.name.as_str()).collect()
    }
}

/// What acts are checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    pub(super) system: Option<&'a System>,
    pub(super) seed: Seed,
    pub(super) consent: Consent,
}

pub(super) fn acts(desk: &mut Desk, paces: Paces, scene: Scene<'_>, written: &Drill) -> Acts {
    let mut acts = Acts::default();
    let Some(list) = desk.open(&written.acts) else {
        acts.has_gaps = true;
        return acts;
    };
    if list.is_empty() {
        desk.error("missing-field", written.acts.mark, "a drill without an act exercises nothing", "add an act");
    }
    for spanned in list {
        let read = desk.open(spanned).and_then(|one| Some((one, name(desk, &one.name)?)));
        let Some((one, name)) = read else {
            acts.has_gaps = true;
            continue;
        };
        if let Some((_, first)) = acts.list.iter().find(|(known, _)| known.name == name) {
            desk.duplicate("acts", &name, one.name.mark, *first);
        }
        let act = act(desk, paces, scene, (&name, one, spanned.mark));
        // An act with a mistake is known by its name all the same, so that those who wait for it are not reported too.
        acts.list.push((act.unwrap_or_else(|| broken(&name)), one.name.mark));
    }
    acts
}

fn broken(name: &str) -> Act {
    let does = Technical {
        apply: Lever::http("", "", ""),
        revert: None,
        lease: Duration::ZERO,
        players_undo: false,
        proof: Proof::Touched { at_least: 1, within: Duration::ZERO },
        moves_bad: None,
    };
    Act { name: name.to_owned(), when: When::At(Duration::ZERO), hidden: true, does }
}

/// A name that becomes part of draws and of file names.
pub(super) fn name(desk: &mut Desk, written: &Spanned<String>) -> Option<String> {
    let name = desk.text(written)?;
    if !is_name(name) {
        let message = format!("`{name}` cannot be a name");
        desk.error("out-of-range", written.mark, message, "use the characters a-z 0-9 _ -, at most 64");
    }
    Some(name.to_owned())
}

fn act(desk: &mut Desk, paces: Paces, scene: Scene<'_>, (name, written, at): (&str, &WrittenAct, Mark)) -> Option<Act> {
    let when = when(desk, paces, (name, scene.seed), &written.when);
    let hidden = desk.open_if(written.hidden.as_ref()).copied().unwrap_or(true);
    let Does::Technical(technical) = desk.open(&written.does)?;
    let does = self::technical(desk, paces, (name, scene, at), technical);
    Some(Act { name: name.to_owned(), when: when?, hidden, does: does? })
}

fn when(desk: &mut Desk, paces: Paces, (name, seed): (&str, Seed), written: &Spanned<WrittenWhen>) -> Option<When> {
    match desk.open(written)? {
        WrittenWhen::At(pace) => paces.read(desk, pace).map(When::At),
        WrittenWhen::Holds(holds) => self::holds(desk, paces, holds),
        WrittenWhen::Within(from, to) => {
            let (first, last) = (paces.read(desk, from), paces.read(desk, to));
            let (first, last) = (first?, last?);
            if first >= last {
                let message = format!("from {} to {} there is no time", show(first), show(last));
                desk.error("inverted-range", from.mark, message, "write the earlier one first");
                return None;
            }
            // Drawn here, so that the plan says when; its own stream, so that no other act changes it.
            let drawn = seed.stream(&format!("act/{name}")).unit();
            Some(When::At(first + last.saturating_sub(first).mul_f64(drawn)))
        }
        WrittenWhen::After(moment, pace) => {
            let pace = paces.read(desk, pace);
            let moment = match desk.open(moment)? {
                WrittenMoment::Impact => Moment::Impact,
                WrittenMoment::Mark(mark) => Moment::Mark(stated(*desk.open(mark)?).to_owned()),
                WrittenMoment::Act(name) => Moment::Act(desk.text(name)?.to_owned()),
                WrittenMoment::Mitigation(name) => Moment::Mitigation(desk.text(name)?.to_owned()),
            };
            Some(When::After(moment, pace?))
        }
    }
}

fn holds(desk: &mut Desk, paces: Paces, written: &Holds) -> Option<When> {
    let is = condition::condition(desk, paces, &written.is);
    let hold = written.hold.as_ref().map_or(Some(Duration::ZERO), |hold| paces.read(desk, hold));
    let else_at = match &written.else_at {
        Some(else_at) => Some(paces.read(desk, else_at)?),
        None => None,
    };
    Some(When::Holds { is: is?, hold: hold?, else_at })
}

pub(super) fn stated(mark: Stated) -> &'static str {
    match mark {
        Stated::Detected => "detected",
        Stated::Acknowledged => "acknowledged",
        Stated::Mitigated => "mitigated",
        Stated::Resolved => "resolved",
    }
}

fn technical(
    desk: &mut Desk,
    paces: Paces,
    (name, scene, at): (&str, Scene<'_>, Mark),
    written: &WrittenTechnical,
) -> Option<Technical> {
    let apply = lever(desk, paces, (name, scene.system), &written.apply);
    let revert = written.revert.as_ref().map(|revert| lever(desk, paces, (name, scene.system), revert));
    healing::undoable(desk, name, written);
    healing::consented(desk, scene.consent, name, written);
    let lease = lease(desk, written.lease.as_ref());
    let players_undo = matches!(desk.open_if(written.owner.as_ref()), Some(Owner::Players));
    if written.proof.is_none() {
        let message = format!("nothing shows that act `{name}` took hold");
        desk.error("unproven-act", at, message, "add `proof: Probe(…)` or `proof: Touched(…)`");
    }
    let proof = written.proof.as_ref().and_then(|proof| self::proof(desk, paces, proof));
    if let (Some(apply), Some(proof), Some(spanned)) = (&apply, &proof, &written.proof) {
        healing::fitting(desk, (apply, proof), spanned.mark);
    }
    let mut moves_bad = None;
    for one in desk.open_if(written.moves.as_ref()).map_or(&[][..], Vec::as_slice) {
        let Some(one) = desk.open(one) else { continue };
        let to = condition::level(desk, &one.signal, &one.to);
        if matches!(one.signal.value, Ok(Signal::Bad)) {
            moves_bad = to;
        }
    }
    Some(Technical { apply: apply?, revert: revert.flatten(), lease, players_undo, proof: proof?, moves_bad })
}

fn lever(
    desk: &mut Desk,
    paces: Paces,
    about: (&str, Option<&System>),
    written: &Spanned<WrittenLever>,
) -> Option<Lever> {
    match desk.open(written)? {
        WrittenLever::Http(http) => lever::http(desk, http).map(Lever::Http),
        WrittenLever::Fault(one) => fault::fault(desk, paces, about, one).map(Lever::Fault),
        WrittenLever::Process(process) => lever::process(desk, process).map(Lever::Process),
        WrittenLever::Command(command) => lever::command(desk, command).map(Lever::Command),
        WrittenLever::Toxiproxy(toxic) => lever::toxiproxy(desk, toxic).map(Lever::Toxiproxy),
        WrittenLever::Kube(kube) => lever::kube(desk, kube).map(Lever::Kube),
        WrittenLever::Load(load) => lever::load(desk, paces, load).map(Lever::Load),
    }
}

fn lease(desk: &mut Desk, written: Option<&Spanned<String>>) -> Duration {
    let secs = Duration::from_secs;
    let lease = desk.duration_or(written, secs(15));
    if let Some(spanned) = written.filter(|_| !(secs(5)..=secs(60)).contains(&lease)) {
        desk.error("out-of-range", spanned.mark, format!("a lease of {}", show(lease)), "write 5s to 60s");
    }
    lease
}

fn proof(desk: &mut Desk, paces: Paces, written: &Spanned<WrittenProof>) -> Option<Proof> {
    match desk.open(written)? {
        WrittenProof::Probe(probe) => lever::probe(desk, paces, probe).map(Proof::Probe),
        WrittenProof::Touched(touched) => {
            let Touched { at_least, within, .. } = &**touched;
            let count = desk.open(at_least).copied();
            if count == Some(0) {
                desk.error("out-of-range", at_least.mark, "nothing touched would be proof enough", "write at least 1");
            }
            let within = paces.read_plain(desk, within);
            Some(Proof::Touched { at_least: count?, within: within? })
        }
    }
}

/// Who waits for whom: names must be known, and nobody may wait for himself round a ring.
pub(super) fn moments(desk: &mut Desk, acts: &Acts, mitigations: &Mitigations, written: &Drill) {
    let list = written.acts.value.as_ref().map_or(&[][..], Vec::as_slice);
    for one in list.iter().filter_map(|spanned| spanned.value.as_ref().ok()) {
        let Ok(WrittenWhen::After(moment, _)) = &one.when.value else { continue };
        match &moment.value {
            Ok(WrittenMoment::Act(name)) if !acts.has_gaps => known(desk, "act", name, &acts.names()),
            Ok(WrittenMoment::Mitigation(name)) if !mitigations.has_gaps => {
                known(desk, "mitigation", name, &mitigations.names());
            }
            _ => {}
        }
    }
    for one in list.iter().filter_map(|spanned| spanned.value.as_ref().ok()) {
        let Ok(WrittenWhen::Holds(holds)) = &one.when.value else { continue };
        condition::known_acts(desk, acts, &holds.is);
        let awaited = |other: &WrittenAct| {
            let Ok(WrittenWhen::After(moment, _)) = &other.when.value else { return false };
            matches!((&moment.value, &one.name.value), (Ok(WrittenMoment::Act(on)), Ok(name)) if on.value.as_ref().is_ok_and(|on| on == name))
        };
        if holds.else_at.is_none() && list.iter().filter_map(|other| other.value.as_ref().ok()).any(awaited) {
            let message = "another act waits for this one, whose condition may never hold";
            desk.warn("no-progress", one.when.mark, message, "add `else_at: \"8m | 35s\"`");
        }
    }
    for (n, (_, at)) in acts.list.iter().enumerate() {
        if let Some(ring) = ring(&acts.list, n) {
            let message = format!("these acts wait for each other: {}", ring.join(" → "));
            desk.error("cycle", *at, message, "let one of them start at a time");
        }
    }
}

/// Reports `name` when it is none of `all`.
pub(super) fn known(desk: &mut Desk, what: &str, name: &Spanned<String>, all: &[&str]) {
    if let Some(text) = name.value.as_ref().ok().filter(|text| !all.contains(&text.as_str())) {
        desk.unknown(what, text, name.mark, all);
    }
}

/// The ring that act `first` stands in, told once: from its earliest act.
fn ring(acts: &[(Act, Mark)], first: usize) -> Option<Vec<String>> {
    let mut at = first;
    let mut names = vec![acts.get(first)?.0.name.clone()];
    for _ in 0..acts.len() {
        let When::After(Moment::Act(name), _) = &acts.get(at)?.0.when else { return None };
        at = acts.iter().position(|(act, _)| act.name == *name)?;
        names.push(name.clone());
        if at == first {
            return Some(names);
        }
        if at < first {
            return None;
        }
    }
    None
}
