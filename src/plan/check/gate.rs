//! The `gate` block of a scenario.

use super::desk::{Desk, suggest};
use crate::base::ratio::Ratio;
use crate::plan::gate::{Earlier, Gate, Powers, Profile};
use crate::spec::gate as written;
use crate::spec::source::Spanned;

/// Checks the block; `steps` are the names that `control` may use. Without a block, the usual gate.
pub(super) fn gate(desk: &mut Desk, written: Option<&Spanned<written::Gate>>, steps: &[String]) -> Gate {
    let usual = Gate::default();
    let Some(one) = desk.open_if(written) else { return usual };
    let decide = desk.open_if(one.decide.as_ref()).map(|decide| match decide {
        written::Decide::Ci => Profile::Ci,
        written::Decide::Drill => Profile::Drill,
        written::Decide::Launch => Profile::Launch,
    });
    let gate = Gate {
        decide,
        alpha: share(desk, one.alpha.as_ref(), (usual.alpha, 0.25)),
        blocks: count(desk, one.blocks.as_ref(), (usual.blocks, 1, 200)),
        slot: desk.duration_or(one.slot.as_ref(), usual.slot),
        settle: desk.duration_or(one.settle.as_ref(), usual.settle),
        stages: count(desk, one.stages.as_ref(), (usual.stages, 1, 2)),
        min_tail: count(desk, one.min_tail.as_ref(), (20, 1, 1_000_000)) as u64,
        max_false_red: share(desk, one.max_false_red.as_ref(), (usual.max_false_red, 1.0)),
        earlier: earlier(desk, one.baseline.as_ref()),
        control: control(desk, one.control.as_ref(), steps),
        powers: Powers {
            single: desk.open_if(one.allow_single.as_ref()).copied().unwrap_or_default(),
            only_calibrated: desk.open_if(one.require_calibration.as_ref()).copied().unwrap_or_default(),
        },
    };
    if let Some(slot) = one.slot.as_ref().filter(|_| gate.slot.is_zero() || gate.slot.subsec_nanos() != 0) {
        desk.error("bad_number", slot.mark, "a slot is measured in whole seconds", "write 1s or more");
    }
    gate
}

fn share(desk: &mut Desk, written: Option<&Spanned<String>>, (usual, most): (f64, f64)) -> f64 {
    let Some(written) = written else { return usual };
    let Some(share) = desk.ratio(written).map(Ratio::get) else { return usual };
    if share > 0.0 && share <= most {
        return share;
    }
    let message = "this is no error rate to promise".to_owned();
    desk.error("bad_number", written.mark, message, format!("write a share above 0% and at most {}%", most * 100.0));
    usual
}

fn count(desk: &mut Desk, written: Option<&Spanned<u64>>, (usual, least, most): (usize, usize, usize)) -> usize {
    let Some(written) = written else { return usual };
    let Some(value) = desk.open(written) else { return usual };
    match usize::try_from(*value) {
        Ok(value) if (least..=most).contains(&value) => value,
        _ => {
            desk.error(
                "bad_number",
                written.mark,
                format!("{value} is out of range"),
                format!("write {least} to {most}"),
            );
            usual
        }
    }
}

fn earlier(desk: &mut Desk, written: Option<&Spanned<written::Earlier>>) -> Earlier {
    match desk.open_if(written) {
        None => Gate::default().earlier,
        Some(written::Earlier::Single) => Earlier::Single,
        Some(written::Earlier::History(history)) => Earlier::History(count(desk, history.last.as_ref(), (20, 8, 200))),
    }
}

fn control(desk: &mut Desk, written: Option<&Spanned<Vec<Spanned<String>>>>, steps: &[String]) -> Vec<String> {
    let known: Vec<&str> = steps.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    for one in desk.open_if(written).map_or(&[][..], Vec::as_slice) {
        let Some(name) = desk.text(one) else { continue };
        if known.contains(&name) {
            found.push(name.to_owned());
        } else {
            desk.error("unknown_name", one.mark, format!("no step is called {name}"), suggest(name, &known));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::{Files, ScenarioOptions, scenario};
    use super::*;
    use std::time::Duration;

    fn checked(gate: &str) -> Result<Gate, String> {
        let text = format!(
            r#"(name: "s", target: (base: "http://127.0.0.1:9"), load: [Open(rate: [Hold(rate: "5/s", for: "5s")])],
            journeys: {{"a": (steps: [Http(name: "/h", url: "/")])}}, gate: ({gate}))"#
        );
        let found = scenario(&mut Files::held([("s.ron".to_owned(), text)]), "s.ron", &ScenarioOptions::default());
        found.map(|(plan, _)| plan.gate).map_err(|found| found.0.iter().map(|one| one.message.clone()).collect())
    }

    #[test]
    fn every_field_is_read_and_none_is_needed() {
        assert_eq!(checked("").unwrap(), Gate::default());
        let text = r#"decide: Launch, alpha: "5%", blocks: 16, slot: "20s", settle: "1s", stages: 2, min_tail: 50,
            max_false_red: "3%", baseline: History(last: 30), control: ["/h"], allow_single: true, require_calibration: true"#;
        let gate = Gate {
            decide: Some(Profile::Launch),
            alpha: 0.05,
            blocks: 16,
            slot: Duration::from_secs(20),
            settle: Duration::from_secs(1),
            stages: 2,
            min_tail: 50,
            max_false_red: 0.03,
            earlier: Earlier::History(30),
            control: vec!["/h".into()],
            powers: Powers { single: true, only_calibrated: true },
        };
        assert_eq!(checked(text).unwrap(), gate);
        assert_eq!(checked("baseline: Single").unwrap().earlier, Earlier::Single);
    }

    #[test]
    fn numbers_that_promise_nothing_are_mistakes() {
        for (text, message) in [
            ("alpha: \"0%\"", "this is no error rate to promise"),
            ("alpha: \"90%\"", "this is no error rate to promise"),
            ("blocks: 0", "0 is out of range"),
            ("stages: 3", "3 is out of range"),
            ("slot: \"1500ms\"", "a slot is measured in whole seconds"),
            ("slot: \"-1s\"", "`-1s` is below zero or not finite"),
            ("baseline: History(last: 3)", "3 is out of range"),
            ("control: [\"/x\"]", "no step is called /x"),
            ("power: 1", "unknown field `power`"),
        ] {
            assert_eq!(checked(text).unwrap_err(), message, "{text}");
        }
    }
}
