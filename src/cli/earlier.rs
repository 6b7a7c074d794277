//! What a gate compares a run with: the store of an environment, or one run named by hand; and what the ledger lets it do.
//!
//! Called by `gate`. Not here: the comparison (`judge::baseline`), which fields matter (`judge::fingerprint`).

use std::path::Path;

use super::args::GateArgs;
use super::assemble::{self, Plan};
use super::baseline::since;
use super::exit::Failure;
use super::ledger;
use super::store::{Entry, Store};
use super::term;
use crate::base::ratio::Ratio;
use crate::judge::baseline::{Earlier, MayFail, Rules, Stored, steady};
use crate::judge::calibration;
use crate::judge::fingerprint::{Difference, Weight, differences};
use crate::measure::record::Head;
use crate::plan::gate::{self, Gate};

/// What may differ, by name.
const FIELDS: [&str; 7] = ["cpu", "cores", "memory_mib", "squall", "plan_hash", "grid_ms", "kernel"];

/// Everything that the runs of a gate are compared with, and by which rules.
pub(super) fn of(head: &Head, gate: &Gate, args: &GateArgs) -> Result<(Earlier, Rules), Failure> {
    if let Some(field) = args.allow_mismatch.iter().find(|field| !FIELDS.contains(&field.as_str())) {
        return Err(Failure::usage(format!("--allow-mismatch {field}: there are {}", FIELDS.join(", "))));
    }
    let ledger = ledger::read(&args.env, &head.host)?;
    let (reds, all) = ledger.reds();
    let rules = Rules {
        alpha: args.alpha.map_or(gate.alpha, Ratio::get),
        single: if gate.powers.single { MayFail::Yes } else { MayFail::No },
        power: calibration::stored(reds, all, gate.max_false_red),
        floors: ledger.floors(),
    };
    let mut sieve = Sieve { head, allowed: &args.allow_mismatch, earlier: Earlier::default() };
    match &args.baseline {
        Some(run) => sieve.single(run)?,
        None => sieve.store(&Store::of(&head.name, &args.env)?, gate)?,
    }
    Ok((sieve.earlier, rules))
}

/// Keeps what may be compared with `head`.
struct Sieve<'a> {
    head: &'a Head,
    allowed: &'a [String],
    earlier: Earlier,
}

impl Sieve<'_> {
    fn single(&mut self, run: &Path) -> Result<(), Failure> {
        let judged = assemble::judge(run)?;
        if !matches!(judged.plan, Plan::Load(_)) {
            return Err(Failure::usage(format!("--baseline {} is no load test", run.display())));
        }
        self.earlier.is_single = true;
        let (head, seconds) = (judged.account.head.clone(), steady(&judged.account));
        let stored = Stored { name: run.display().to_string(), head, seconds };
        if self.admits(&stored) {
            self.earlier.runs.push(stored);
        }
        Ok(())
    }

    fn store(&mut self, store: &Store, gate: &Gate) -> Result<(), Failure> {
        let accepted = store.index()?.accepted;
        let read = |one: &Entry| -> Result<Option<Stored>, Failure> {
            let found = store.read(one)?;
            if found.is_none() {
                term::note(&format!("{} is gone: left out of the history", store.dir.join(&one.file).display()));
            }
            Ok(found)
        };
        for one in since(&accepted) {
            if let Some(stored) = read(one)?.filter(|stored| self.admits(stored)) {
                self.earlier.runs.push(stored);
            }
        }
        if let Some(one) = accepted.iter().rev().find(|one| one.anchor) {
            self.earlier.anchor = read(one)?.filter(|stored| self.admits(stored));
        }
        let most = match gate.earlier {
            gate::Earlier::History(most) => most,
            gate::Earlier::Single => {
                self.earlier.is_single = true;
                1
            }
        };
        let extra = self.earlier.runs.len().saturating_sub(most);
        self.earlier.runs.drain(..extra);
        Ok(())
    }

    /// Whether a run may be compared; why not is kept, of the newest one.
    fn admits(&mut self, stored: &Stored) -> bool {
        let serious = |one: &Difference| one.weight == Weight::Refuse;
        let (through, refused): (Vec<Difference>, Vec<Difference>) = differences(&stored.head, self.head)
            .into_iter()
            .filter(serious)
            .partition(|one| self.allowed.iter().any(|field| field == one.field));
        if !refused.is_empty() {
            self.earlier.refused = refused;
            return false;
        }
        for one in through {
            if !self.earlier.let_through.contains(&one) {
                self.earlier.let_through.push(one);
            }
        }
        true
    }
}
