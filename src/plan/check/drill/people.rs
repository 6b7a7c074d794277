//! People: the roles they play, and the robot that plays them when nobody attends.

use super::act::{Acts, known, stated};
use super::mitigation::Mitigations;
use super::{Attendance, DrillOptions, Responder};
use crate::plan::check::desk::Desk;
use crate::plan::drill::{Cue, RobotDeed, RobotStep, Role};
use crate::spec::drill::{Claim, Cue as WrittenCue, Deed, People, RobotStep as Written, Role as WrittenRole};
use crate::spec::source::{Mark, Spanned};

/// A player's role; staff direct a drill, they do not play in it.
pub(super) fn role(desk: &mut Desk, written: &Spanned<WrittenRole>) -> Option<Role> {
    let role = match desk.open(written)? {
        WrittenRole::Ic => Role::Ic,
        WrittenRole::Deputy => Role::Deputy,
        WrittenRole::Ops => Role::Ops,
        WrittenRole::Expert => Role::Expert,
        WrittenRole::Comms => Role::Comms,
        WrittenRole::Liaison => Role::Liaison,
        WrittenRole::Scribe => Role::Scribe,
        staff => {
            let message = format!("`{staff:?}` is staff and does not play");
            desk.error(
                "unknown-role",
                written.mark,
                message,
                "players are Ic, Deputy, Ops, Expert, Comms, Liaison, Scribe",
            );
            return None;
        }
    };
    Some(role)
}

/// The robot's steps; none when people play, or nobody is to act.
pub(super) fn robot(
    desk: &mut Desk,
    (acts, mitigations): (&Acts, &Mitigations),
    written: Option<&Spanned<People>>,
    options: &DrillOptions,
) -> Vec<RobotStep> {
    let Some(people) = desk.open_if(written) else { return Vec::new() };
    let mut played: Vec<Role> = Vec::new();
    for list in [&people.required, &people.optional] {
        for one in desk.open_if(list.as_ref()).map_or(&[][..], Vec::as_slice) {
            // Staff are named here too; they just do not play.
            if !matches!(&one.value, Ok(role) if is_staff(*role)) {
                played.extend(role(desk, one));
            }
        }
    }
    let mut steps = Vec::new();
    for spanned in desk.open_if(people.robot.as_ref()).map_or(&[][..], Vec::as_slice) {
        let Some(step) = desk.open(spanned).and_then(|one| step(desk, acts, one)) else { continue };
        if let RobotDeed::Take(role) = &step.does {
            played.push(*role);
        }
        steps.push((step, spanned));
    }
    for (step, spanned) in &steps {
        if let (RobotDeed::Mitigate(name), Ok(one)) = (&step.does, &spanned.value) {
            may(desk, (name, one.does.mark), mitigations, &played);
        }
    }
    if options.attended == Attendance::Attended || options.responder == Responder::None {
        return Vec::new();
    }
    steps.into_iter().map(|(step, _)| step).collect()
}

fn is_staff(role: WrittenRole) -> bool {
    matches!(role, WrittenRole::Director | WrittenRole::Controller | WrittenRole::Evaluator | WrittenRole::Safety)
}

fn step(desk: &mut Desk, acts: &Acts, written: &Written) -> Option<RobotStep> {
    let wait = desk.duration(&written.wait);
    let on = match desk.open(&written.on) {
        Some(WrittenCue::Page) => Some(Cue::Page),
        Some(WrittenCue::Impact) => Some(Cue::Impact),
        Some(WrittenCue::Clear) => Some(Cue::Clear),
        Some(WrittenCue::Recovered) => Some(Cue::Recovered),
        Some(WrittenCue::Mark(mark)) => desk.open(mark).map(|mark| Cue::Mark(stated(*mark).to_owned())),
        Some(WrittenCue::Act(name)) => {
            if !acts.has_gaps {
                known(desk, "act", name, &acts.names());
            }
            desk.text(name).map(|name| Cue::Act(name.to_owned()))
        }
        None => None,
    };
    let does = match desk.open(&written.does) {
        Some(Deed::Ack) => Some(RobotDeed::Ack),
        Some(Deed::Take(one)) => role(desk, one).map(RobotDeed::Take),
        Some(Deed::Mitigate(name)) => desk.text(name).map(|name| RobotDeed::Mitigate(name.to_owned())),
        Some(Deed::Claim(claim)) => desk.open(claim).map(|claim| match claim {
            Claim::Mitigated => RobotDeed::Claim("mitigated".to_owned()),
            Claim::Resolved => RobotDeed::Claim("resolved".to_owned()),
        }),
        None => None,
    };
    Some(RobotStep { on: on?, wait: wait?, does: does? })
}

/// The mitigation exists, and one of the roles the robot plays may do it.
fn may(desk: &mut Desk, (name, at): (&str, Mark), mitigations: &Mitigations, played: &[Role]) {
    let Some((mitigation, _)) = mitigations.list.iter().find(|(one, _)| one.name == name) else {
        if !mitigations.has_gaps {
            desk.unknown("mitigation", name, at, &mitigations.names());
        }
        return;
    };
    let is_allowed = mitigation.allowed.iter().any(|role| played.contains(role));
    if !is_allowed && !played.is_empty() && !mitigation.allowed.is_empty() {
        let allowed: Vec<&str> = mitigation.allowed.iter().map(|role| role.name()).collect();
        let message = format!("the robot plays no role that may do `{name}`");
        desk.error("robot-may-not", at, message, format!("name one of {} among the people", allowed.join(", ")));
    }
}
