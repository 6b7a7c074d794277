//! `squall selftest`: the real engine against a target whose truth is known beforehand. A table, and 0, 1 (our bug) or 5 (too noisy here).
//!
//! | file | holds |
//! |---|---|
//! | `lab` | one measured run against a scripted target, from scenario text to account |
//! | `line` | one number beside its truth |
//! | `engine` `failing` `patience` `integrity` `paper` `frozen` | the cases |
//!
//! Not here: the target (`load::truth`), judgement (`judge`).

mod engine;
mod failing;
mod frozen;
mod integrity;
mod lab;
mod line;
mod paper;
mod patience;

use serde_json::{Value, json};

use super::args::{Global, SelftestArgs};
use super::exit::{Exit, Failure};
use super::term;
use lab::Lab;
use line::{Line, State};

/// One case: its name, and what it finds.
struct Case {
    name: &'static str,
    find: fn(&Lab) -> Result<Vec<Line>, Failure>,
}

const CASES: [Case; 18] = [
    Case { name: "clean", find: engine::clean },
    Case { name: "server-stalls", find: engine::server_stalls },
    Case { name: "generator-stopped", find: frozen::stopped },
    Case { name: "drops-get", find: failing::drops_get },
    Case { name: "drops-post", find: failing::drops_post },
    Case { name: "fast-failures", find: failing::fast_failures },
    Case { name: "broken-answers", find: failing::broken_answers },
    Case { name: "reloads", find: patience::reloads },
    Case { name: "budget", find: patience::budget },
    Case { name: "integrity", find: integrity::broken },
    Case { name: "slow-body", find: engine::slow_body },
    Case { name: "ramp", find: engine::ramp },
    Case { name: "mix", find: engine::mix },
    Case { name: "poisson", find: paper::poisson },
    Case { name: "little", find: engine::little },
    Case { name: "closed", find: engine::closed },
    Case { name: "shed", find: engine::shed },
    Case { name: "one-plan", find: paper::one_plan },
];

pub(super) fn main(args: &SelftestArgs, global: &Global) -> Result<Exit, Failure> {
    let known = |name: &String| CASES.iter().any(|case| case.name == *name);
    if let Some(unknown) = args.cases.iter().find(|name| !known(name)) {
        let names = CASES.map(|case| case.name).join(", ");
        return Err(Failure::usage(format!("there is no case `{unknown}`: the cases are {names}")));
    }
    let wanted = |case: &&Case| args.cases.is_empty() || args.cases.iter().any(|name| name == case.name);
    let lab = Lab::new(args.length.map(|length| length.0), global)?;
    let mut all: Vec<(&str, Line)> = Vec::new();
    if !global.json && !global.quiet {
        term::out(&line::head());
    }
    for case in CASES.iter().filter(wanted) {
        for line in (case.find)(&lab)? {
            if !global.json && !global.quiet {
                term::out(&line.row(case.name));
            }
            all.push((case.name, line));
        }
    }
    Ok(conclude(&all, global))
}

fn conclude(all: &[(&str, Line)], global: &Global) -> Exit {
    let count = |state: State| all.iter().filter(|(_, line)| line.state() == state).count();
    let (off, noisy) = (count(State::Off), count(State::Noisy));
    let exit = match (off, noisy) {
        (0, 0) => Exit::Passed,
        (0, _) => Exit::Invalid,
        _ => Exit::Failed,
    };
    if global.json {
        let lines: Vec<Value> = all.iter().map(|(case, line)| line.json(case)).collect();
        term::out(&json!({ "lines": lines, "off": off, "noisy": noisy, "exit_code": exit.code() }).to_string());
    } else {
        let word = match exit {
            Exit::Passed => "PASS  every number is the truth, within its tolerance",
            Exit::Invalid => "NOISY  this machine is too busy to tell: run it again when it is quiet",
            _ => "FAIL  numbers are off where the machine is no excuse: this is a mistake of squall",
        };
        term::out(&format!("{word}  ({} numbers, {off} off, {noisy} noisy)  exit {}", all.len(), exit.code()));
    }
    exit
}
