//! Whether an act can be undone, whether its proof can be had, and whether what it destroys was consented to.
//!
//! Called by the check of acts.

use super::Consent;
use crate::plan::check::desk::Desk;
use crate::plan::drill::{Lever, Pick, Proof};
use crate::spec::act::{Lever as WrittenLever, Technical as WrittenTechnical};
use crate::spec::source::Mark;

/// A request or a program is undone by another one; everything else heals by itself.
pub(super) fn undoable(desk: &mut Desk, name: &str, written: &WrittenTechnical) {
    let needs_revert = matches!(written.apply.value, Ok(WrittenLever::Http(_) | WrittenLever::Command(_)));
    match &written.revert {
        None if needs_revert => {
            let message = format!("act `{name}` cannot be undone");
            desk.error(
                "irreversible-act",
                written.apply.mark,
                message,
                "add `revert: Http(…)` or `revert: Command(…)`",
            );
        }
        Some(revert) if matches!(&revert.value, Ok(kind) if !matches!(kind, WrittenLever::Http(_) | WrittenLever::Command(_))) =>
        {
            let message = "an act is undone by a request or a program; anything else heals by itself";
            desk.error("contradiction", revert.mark, message, "write `Http(…)` or `Command(…)`, or leave it out");
        }
        _ => {}
    }
}

/// Whether the proof can be had of this lever.
pub(super) fn fitting(desk: &mut Desk, (apply, proof): (&Lever, &Proof), at: Mark) {
    let Proof::Touched { at_least, .. } = proof else { return };
    match apply {
        Lever::Http(_) | Lever::Command(_) => {
            let message = "a request or a program counts nothing: that it took, and that it is undone, is read back";
            desk.error("unproven-act", at, message, "write `proof: Probe(…)`");
        }
        Lever::Process(process) => {
            let picked = if let Pick::Command { expect, .. } = process.pick { u64::from(expect) } else { 1 };
            if *at_least > picked {
                let message = format!("{at_least} processes of {picked} that are picked");
                desk.error("out-of-range", at, message, format!("write at most {picked}"));
            }
        }
        Lever::Toxiproxy(_) | Lever::Kube(_) if *at_least > 1 => {
            let message = "what is made elsewhere is seen to be there, once";
            desk.error("out-of-range", at, message, "write `at_least: 1`");
        }
        _ => {}
    }
}

/// Destroying something needs two consents: the file's and the command line's.
pub(super) fn consented(desk: &mut Desk, consent: Consent, name: &str, written: &WrittenTechnical) {
    let Some(spanned) = written.destructive.as_ref() else { return };
    if desk.open(spanned) != Some(&true) {
        return;
    }
    let missing: Vec<&str> = [
        (!consent.file).then_some("`run.allow_destructive: true` in this file"),
        (!consent.flag).then_some("`--allow-destructive` on the command line"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !missing.is_empty() {
        let message = format!("act `{name}` destroys something");
        desk.error("no-consent", spanned.mark, message, format!("it needs {}", missing.join(" and ")));
    }
}
