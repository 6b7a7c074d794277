//! Expectations judged against timelines whose truth is known.

use super::*;
use crate::plan::diagnostic::Place;

fn expect(measure: Measure, target: f64, limit: f64, weight: f64) -> Expectation {
    Expectation { name: "it".into(), measure, target, limit, weight, gate: false, place: Place::default() }
}

fn timeline() -> Timeline {
    Timeline {
        impact_s: Some(60.0),
        detected_s: Some(66.5),
        detected_by: "staging".into(),
        acknowledged_s: Some(68.0),
        command_s: Some(70.0),
        mitigated_s: Some(130.0),
        recovered_s: None,
        observed_until_s: 135.0,
        ..Timeline::default()
    }
}

fn all() -> Vec<Expectation> {
    vec![
        expect(Measure::Detect, 20.0, 30.0, 20.0),
        expect(Measure::Acknowledge, 5.0, 15.0, 10.0),
        expect(Measure::Mitigate, 60.0, 100.0, 20.0),
        expect(Measure::Recover, 120.0, 150.0, 20.0),
        expect(Measure::HarmfulActions, 0.0, 1.0, 10.0),
    ]
}

fn verdicts(timeline: &Timeline, harmful: u64, proof: Proof) -> (Vec<Verdict>, Option<f64>) {
    let score = of(&all(), &Course { timeline, harmful, proof, witness: Witness::Machine, ran: Ran::Whole });
    (score.findings.iter().map(|one| one.verdict).collect(), score.score)
}

#[test]
fn full_marks_inside_the_target_none_at_the_limit_and_a_share_between() {
    use Verdict::{Fail, Pass, Warn};
    let timeline = timeline();
    let (verdicts, score) = verdicts(&timeline, 1, Proof::Seen);
    assert_eq!(verdicts, [Pass, Pass, Warn, Fail, Fail]);
    // 20 + 10 + 20 · (100 - 70)/40 of 80.
    assert!((score.unwrap() - 100.0 * 45.0 / 80.0).abs() < 1e-9);
    let score = of(
        &all(),
        &Course { timeline: &timeline, harmful: 0, proof: Proof::Seen, witness: Witness::Person, ran: Ran::Whole },
    );
    assert_eq!(score.findings[3].observed, "not recovered: > 75 s");
    assert_eq!(score.findings[3].reason, Reason::Censored);
    assert_eq!(score.findings[0].observed, "6.5 s");
    assert!((score.coverage - 50.0 / 80.0).abs() < 1e-9, "{}", score.coverage);
}

#[test]
fn without_impact_or_proof_times_say_nothing() {
    use Verdict::{Inconclusive, Pass};
    let nobody_hurt = Timeline { impact_s: None, ..timeline() };
    for (timeline, proof) in [(&nobody_hurt, Proof::Seen), (&timeline(), Proof::Missing)] {
        let (verdicts, score) = verdicts(timeline, 0, proof);
        assert_eq!(verdicts, [Inconclusive, Inconclusive, Inconclusive, Inconclusive, Pass]);
        assert_eq!(score, None);
    }
}

#[test]
fn a_drill_that_was_ended_early_blames_nobody_for_what_could_still_have_come() {
    use Verdict::{Fail, Inconclusive, Pass, Warn};
    let timeline = timeline();
    let course = |ran| Course { timeline: &timeline, harmful: 0, proof: Proof::Seen, witness: Witness::Machine, ran };
    let verdicts = |score: &Score| score.findings.iter().map(|one| one.verdict).collect::<Vec<_>>();
    let whole = of(&all(), &course(Ran::Whole));
    assert_eq!(verdicts(&whole), [Pass, Pass, Warn, Fail, Pass]);
    let parts = &whole.parts;
    assert_eq!(
        parts.iter().map(|(part, _)| part.word()).collect::<Vec<_>>(),
        ["detect", "command", "mitigate", "recover", "safety"]
    );
    assert_eq!(parts.iter().map(|(_, points)| *points).collect::<Vec<_>>(), [100.0, 100.0, 75.0, 0.0, 100.0]);
    let cut = of(&all(), &course(Ran::CutShort));
    assert_eq!((verdicts(&cut), cut.score), (vec![Pass, Pass, Warn, Inconclusive, Pass], None));
    assert_eq!(cut.findings[3].observed, "not recovered in the 75 s until the drill was ended early");
    let late = Timeline { observed_until_s: 60.0 + 151.0, ..timeline.clone() };
    let late = Course { timeline: &late, ..course(Ran::CutShort) };
    assert_eq!(of(&all(), &late).findings[3].verdict, Fail, "by then it had failed");
    let nobody_hurt = Timeline { impact_s: None, ..timeline.clone() };
    let early = Course { timeline: &nobody_hurt, ..course(Ran::CutShort) };
    assert!(of(&all(), &early).findings[0].observed.starts_with("no impact was seen before"));
}
