//! `squall drill DRILL.ron --rehearse`: is the drill file itself any good? Three controls, each on a fresh system, one verdict each.
//!
//! | control | who acts | must |
//! |---|---|---|
//! | minus | nobody | hurt users, and stay bad until the end |
//! | plus | the robot | pass |
//! | zero | the robot, on test-like data | do no harm, where the embedded system has realistic data |
//!
//! The results are kept with the plan's hash under `<out>/rehearsals/`, and every later drill of that plan looks for them. Not here:
//! the drills themselves (`drill`).

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::args::{DrillArgs, Global};
use super::assemble::Judged;
use super::drill::{Series, options, prepare};
use super::exit::{Exit, Failure, could_not};
use super::term;
use crate::judge::finding::Verdict;
use crate::plan::check::{DrillOptions, Responder};
use crate::plan::drill::{ShopData, System};

/// What is changed in a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Control {
    Minus,
    Plus,
    Zero,
}

impl Control {
    fn name(self) -> &'static str {
        match self {
            Self::Minus => "minus",
            Self::Plus => "plus",
            Self::Zero => "zero",
        }
    }

    fn options(self, usual: &DrillOptions) -> DrillOptions {
        let mut options = usual.clone();
        match self {
            Self::Minus => options.responder = Responder::None,
            Self::Plus => {}
            Self::Zero => options.data = Some(ShopData::TestLike),
        }
        options
    }

    /// The verdict on a control that was held: pass or fail where it tells something, else inconclusive; in words.
    fn judge(self, exit: Exit, seen: Seen) -> (Verdict, String) {
        let nothing_told = !matches!(exit, Exit::Passed | Exit::Failed | Exit::Inconclusive) || !seen.proved;
        let (verdict, words) = match self {
            _ if nothing_told => {
                let words = format!("it tells nothing: its drill ended with exit code {}, see its page", exit.code());
                return (Verdict::Inconclusive, words);
            }
            Self::Minus | Self::Plus if seen.harm == Harm::None => (Verdict::Fail, "not a drill: its acts hurt nobody"),
            Self::Minus if seen.harm == Harm::Passing => (Verdict::Fail, "not a drill: it heals itself"),
            Self::Minus => (Verdict::Pass, "nobody acts, and it stays bad until the end"),
            Self::Plus if exit == Exit::Passed => (Verdict::Pass, "the robot brings users back within the targets"),
            Self::Plus if exit == Exit::Inconclusive => {
                (Verdict::Inconclusive, "it tells nothing: too little evidence")
            }
            Self::Plus => (Verdict::Fail, "the robot does not reach the targets"),
            Self::Zero if seen.harm != Harm::None => {
                (Verdict::Fail, "test-like data show the harm as well: no surprise is left")
            }
            Self::Zero => (Verdict::Pass, "test-like data show no harm"),
        };
        (verdict, words.to_owned())
    }
}

/// What a control showed.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// What users felt.
    harm: Harm,
    /// At least one act was begun, and every one of those is proved.
    proved: bool,
}

/// What users felt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Harm {
    #[default]
    None,
    /// They came back before the end.
    Passing,
    /// Until the end.
    Lasting,
}

impl Seen {
    fn of(judged: &Judged) -> Self {
        let Some(drill) = &judged.account.drill else { return Self::default() };
        let mut begun = drill.acts.iter().filter(|act| act.injected_s.is_some()).peekable();
        let proved = begun.peek().is_some() && begun.all(|act| act.proved);
        let harm = match (drill.timeline.impact_s, drill.timeline.recovered_s) {
            (None, _) => Harm::None,
            (Some(_), Some(_)) => Harm::Passing,
            (Some(_), None) => Harm::Lasting,
        };
        Self { harm, proved }
    }
}

pub(super) fn main(args: &DrillArgs, global: &Global) -> Result<Exit, Failure> {
    let usual = options(args, global);
    let Some(plain) = prepare(args, &usual, global)? else { return Ok(Exit::Usage) };
    let realistic = matches!(plain.plan.system, System::Shop { data: ShopData::Realistic, .. });
    let zero = (realistic && args.shop.data.is_none()).then_some(Control::Zero);
    let mut series = Series::new()?;
    let (mut exit, mut results) = (Exit::Passed, Vec::new());
    for control in [Some(Control::Minus), Some(Control::Plus), zero].into_iter().flatten() {
        // Its mistakes and warnings have been printed.
        let quiet = Global { quiet: true, json: true, ..global.clone() };
        let Some(ready) = prepare(args, &control.options(&usual), &quiet)? else { return Ok(Exit::Usage) };
        if !global.json {
            term::note(&format!("control {}", control.name()));
        }
        let (dir, judged) = series.hold(&ready, global)?;
        if judged.exit.is_signal() || judged.exit == Exit::Unclean {
            return Ok(judged.exit);
        }
        let (verdict, words) = control.judge(judged.exit, Seen::of(&judged));
        exit = exit.graver(match verdict {
            Verdict::Pass => Exit::Passed,
            Verdict::Fail => Exit::Failed,
            _ => Exit::Inconclusive,
        });
        if !global.json {
            term::out(&format!("{:<12} {:<5} {words}  {}", verdict.word(), control.name(), dir.display()));
        }
        results.push(json!({
            "control": control.name(), "verdict": verdict.word(), "text": words, "exit_code": judged.exit.code(),
            "plan_hash": ready.plan.hash, "folder": dir.display().to_string(),
        }));
    }
    let kept = json!({
        "plan_hash": plain.plan.hash, "drill": plain.plan.name, "seed": global.seed, "squall": env!("CARGO_PKG_VERSION"),
        "green": exit == Exit::Passed, "controls": results,
    });
    let path = keep(&global.out, &plain.plan.hash, &kept).map_err(could_not("keep the rehearsal"))?;
    if global.json {
        term::out(&kept.to_string());
    } else {
        term::out(&format!("kept in {}", path.display()));
    }
    Ok(exit)
}

fn place(out: &Path, hash: &str) -> PathBuf {
    out.join("rehearsals").join(format!("{hash}.json"))
}

fn keep(out: &Path, hash: &str, kept: &Value) -> std::io::Result<PathBuf> {
    let path = place(out, hash);
    fs::create_dir_all(out.join("rehearsals"))?;
    fs::write(&path, format!("{kept:#}\n"))?;
    Ok(path)
}

/// True when the plan of this hash was rehearsed, and every control passed.
pub(super) fn is_green(out: &Path, hash: &str) -> bool {
    let read = fs::read_to_string(place(out, hash)).ok();
    let kept = read.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    kept.is_some_and(|kept| kept["green"] == true && kept["plan_hash"] == hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_is_judged_by_what_it_must_show() {
        use Verdict::{Fail, Inconclusive, Pass};
        let seen = |harm| Seen { harm, proved: true };
        for (control, exit, seen, verdict) in [
            (Control::Minus, Exit::Failed, seen(Harm::Lasting), Pass),
            (Control::Minus, Exit::Failed, seen(Harm::Passing), Fail),
            (Control::Minus, Exit::Inconclusive, seen(Harm::None), Fail),
            (Control::Plus, Exit::Passed, seen(Harm::Passing), Pass),
            (Control::Plus, Exit::Failed, seen(Harm::Passing), Fail),
            (Control::Plus, Exit::Inconclusive, seen(Harm::Passing), Inconclusive),
            (Control::Plus, Exit::Invalid, seen(Harm::Passing), Inconclusive),
            (Control::Zero, Exit::Inconclusive, seen(Harm::None), Pass),
            (Control::Zero, Exit::Passed, seen(Harm::Passing), Fail),
            (Control::Zero, Exit::Inconclusive, Seen::default(), Inconclusive),
        ] {
            assert_eq!(control.judge(exit, seen).0, verdict, "{control:?} {exit:?} {seen:?}");
        }
    }

    #[test]
    fn only_a_green_rehearsal_of_the_same_plan_counts() {
        let out = tempfile::tempdir().unwrap();
        assert!(!is_green(out.path(), "h"));
        keep(out.path(), "h", &json!({"plan_hash": "h", "green": false})).unwrap();
        assert!(!is_green(out.path(), "h"));
        keep(out.path(), "h", &json!({"plan_hash": "h", "green": true})).unwrap();
        assert!(is_green(out.path(), "h") && !is_green(out.path(), "other"));
    }
}
