//! `squall gate calibrate SCENARIO --target URL`: gates of a target against itself, and what they show of this machine's noise.
//!
//! Not here: the ledger's file (`ledger`), the comparison (`ab`), what counts prove (`judge::calibration`).

use std::collections::BTreeMap;

use serde_json::json;

use super::ab;
use super::args::{AbArgs, AbTail, CalibrateArgs, Global};
use super::assemble::Judged;
use super::exit::{Exit, Failure};
use super::ledger::{self, Gate, Ledger};
use super::term;
use crate::base::duration::Period;
use crate::judge::calibration::limits;
use crate::judge::finding::{Finding, Verdict};
use crate::measure::host::fingerprint;
use crate::plan::threshold::Level;
use crate::stats::holm::detectable;
use crate::stats::portable::exp;
use crate::stats::rank::rank_sum;

/// Blocks for which the table says what could be seen.
const BLOCKS: [usize; 5] = [7, 10, 12, 16, 20];

pub(super) fn main(args: &CalibrateArgs, global: &Global) -> Result<Exit, Failure> {
    let silent = Global { quiet: true, ..global.clone() };
    let mut done = 0;
    for n in 0..args.gates {
        // Each gate has draws of its own, as no two runs of a pipeline share theirs.
        let own = Global { seed: global.seed.wrapping_add(u64::from(n)), ..silent.clone() };
        let Some((dir, judged)) = ab::hold(&compared(args), &own)? else { return Ok(Exit::Usage) };
        if judged.exit.is_signal() {
            return Ok(judged.exit);
        }
        let gate = gate_of(&judged);
        let said = if gate.red { "red" } else { "not red" };
        if matches!(judged.exit, Exit::Invalid | Exit::Aborted | Exit::CouldNotRun) {
            term::note(&format!(
                "gate {} of {}: {} does not count: exit {}",
                n + 1,
                args.gates,
                dir.display(),
                judged.exit.code()
            ));
            continue;
        }
        ledger::append(&args.env, &gate)?;
        done += 1;
        if !global.quiet {
            term::note(&format!("gate {} of {}: {said}, {}", n + 1, args.gates, dir.display()));
        }
    }
    if done == 0 {
        return Err(Failure::could_not("no gate could be counted: the generator was late in every one"));
    }
    let ledger = ledger::read(&args.env, &fingerprint())?;
    let text = if global.json { summary_json(&ledger) } else { summary(&ledger, args) };
    term::out(&text);
    Ok(Exit::Passed)
}

/// The comparison of the target with itself.
fn compared(args: &CalibrateArgs) -> AbArgs {
    AbArgs {
        scenario: args.scenario.clone(),
        base: Some(args.url.clone()),
        candidate: Some(args.url.clone()),
        design: args.design.clone(),
        confirm: None,
        threads: args.threads,
        // What is being found out cannot be demanded.
        tail: AbTail { env: None, switch: Vec::new(), target: args.target.clone() },
    }
}

/// The comparison as a line of the ledger.
fn gate_of(judged: &Judged) -> Gate {
    let account = &judged.account;
    let compared: Vec<&Finding> = account.findings.iter().filter(|one| one.evidence.compare.is_some()).collect();
    let blocks = |one: &&Finding| one.evidence.compare.as_ref().map(|compare| (one.id.clone(), compare.blocks.clone()));
    let blocking = |one: &&&Finding| matches!(one.level, Level::Hard | Level::Must);
    let setting =
        |name: &str| account.facts.settings.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let slot = setting("slot").and_then(|text| text.parse::<Period>().ok());
    let d: BTreeMap<String, Vec<(f64, bool)>> = compared.iter().filter_map(blocks).collect();
    Gate {
        utc: account.head.start_utc.clone(),
        host: account.head.host.clone(),
        plan_hash: account.head.plan_hash.clone(),
        n: d.values().map(Vec::len).max().unwrap_or(0),
        slot_s: slot.map_or(0, |period| period.0.as_secs()),
        d,
        red: compared.iter().filter(blocking).any(|one| one.verdict == Verdict::Fail),
    }
}

/// Chance of an order effect as large as seen, were there none.
fn order(changes: &[(f64, bool)]) -> f64 {
    let of = |first: bool| changes.iter().filter(|one| one.1 == first).map(|one| one.0).collect::<Vec<_>>();
    rank_sum(&of(true), &of(false))
}

fn is_share(id: &str) -> bool {
    ["errors", "timeouts", "shed", "slow("].iter().any(|word| id.trim_start_matches("should: ").starts_with(word))
}

/// What `n` blocks would see of a check with this deviation, in percent or points.
fn seen(id: &str, sd: f64, n: usize) -> Option<f64> {
    let change = detectable(sd, n, 0.01)?;
    Some(100.0 * if is_share(id) { change } else { exp(change) - 1.0 })
}

fn summary(ledger: &Ledger, args: &CalibrateArgs) -> String {
    let (reds, all) = ledger.reds();
    let mut lines =
        vec![format!("environment {}: what a change must be to show, by blocks (error 1 %, power 80 %)", args.env)];
    for id in ledger.ids() {
        let (changes, Some(sd)) = (ledger.changes(&id), ledger.sd(&id)) else { continue };
        let unit = if is_share(&id) { "pp" } else { "%" };
        let table =
            BLOCKS.map(|n| seen(&id, sd, n).map_or(format!("{n}: -"), |change| format!("{n}: {change:+.1} {unit}")));
        lines.push(format!("  {id}"));
        lines.push(format!("    sd(D) {:.2} {unit} over {} blocks   {}", sd * 100.0, changes.len(), table.join("   ")));
        lines.push(format!("    order within the blocks: p {:.3}", order(&changes)));
    }
    let upper = limits(reds, all).1 * 100.0;
    lines.push(format!("reds {reds}/{all}, true rate below {upper:.1} %"));
    lines.join("\n")
}

fn summary_json(ledger: &Ledger) -> String {
    let (reds, all) = ledger.reds();
    let check = |id: String| {
        let (changes, sd) = (ledger.changes(&id), ledger.sd(&id));
        let mde = BLOCKS.map(|n| json!({ "n": n, "percent": sd.and_then(|sd| seen(&id, sd, n)) }));
        json!({ "id": id, "sd": sd, "blocks": changes.len(), "order_p": order(&changes), "mde": mde })
    };
    let checks: Vec<_> = ledger.ids().into_iter().map(check).collect();
    json!({ "reds": reds, "gates": all, "upper": limits(reds, all).1, "checks": checks }).to_string()
}
