//! A whole scenario: the order in which its parts are checked, and the plan they make.
//!
//! Variables come first, then journeys (which number steps and labels), then the load that mixes them, then the checks that name them.

use std::sync::Arc;

use super::desk::Desk;
use super::line::{Against, Lines};
use super::tables::{Known, Tables};
use super::{ScenarioOptions, audit, client, data, gate, journey, line, series, target, vars, workload};
use crate::base::digest::sha256;
use crate::base::seed::Seed;
use crate::plan::diagnostic::Place;
use crate::plan::draw::Drawn;
use crate::plan::gate::Gate;
use crate::plan::good::Good;
use crate::plan::load::{LoadPlan, Origin, Workload};
use crate::plan::threshold::Comparison;
use crate::plan::values::Values;
use crate::plan::wires::Wires;
use crate::spec::scenario::Scenario;
use crate::spec::written::Written;

/// What stands in the place of parts of the file: a drill brings its own system and rate.
#[derive(Clone, Debug)]
pub(super) enum Instead {
    /// The file is run as it is written.
    Nothing,
    /// The file is a drill's load.
    Drill {
        /// The system's public side; host `127.0.0.1` and port 0 until the embedded system has started.
        origin: Box<Origin>,
        /// Arrivals per second of its open workload.
        rate: Option<f64>,
        /// As long as this its rates are held.
        longest: std::time::Duration,
        /// The SLO's idea of a good request.
        good: Good,
        /// Names of its acts.
        acts: Vec<String>,
    },
}

impl Instead {
    /// Names of what is injected while the load runs.
    fn acts(&self) -> Vec<String> {
        if let Self::Drill { acts, .. } = self { acts.clone() } else { Vec::new() }
    }
}

/// Checks the scenario on the desk; lines against a baseline are mistakes.
pub(super) fn scenario(desk: &mut Desk, options: ScenarioOptions, instead: &Instead) -> Option<LoadPlan> {
    compared(desk, options, instead, Against::Nothing).map(|(plan, _)| plan)
}

/// Checks the scenario on the desk, with its lines against a baseline.
pub(super) fn compared(
    desk: &mut Desk,
    options: ScenarioOptions,
    instead: &Instead,
    against: Against,
) -> Option<(LoadPlan, Vec<Comparison>)> {
    let written = desk.source.read::<Scenario>();
    let written = desk.open(&written)?;
    let name = desk.text(&written.name).map(str::to_owned);
    if let Some(bad) = name.as_ref().filter(|name| !is_name(name)) {
        let message = format!("`{bad}` cannot name a folder");
        desk.error("bad_name", written.name.mark, message, "use the characters a-z 0-9 _ -, at most 64");
    }
    let target = target::target(desk, written, instead);
    let mut tables = Tables { faults: instead.acts(), ..Tables::default() };
    data::data(desk, &mut tables, written.data.as_ref());
    data::secrets(desk, &mut tables, written.secrets.as_ref());
    let mut draws = vars::vars(desk, &mut tables, written.vars.as_ref());
    let mut known = Known { setter: "no variable of `vars`".to_owned(), ..Known::default() };
    // What is not built yet may set what is missing: that is said once, where it is used.
    known.has_gaps = written.extra().later.iter().any(|(word, _)| ["setup", "tokens"].contains(word));
    known.set.extend(draws.iter().map(|drawn| (drawn.into, super::tables::Set::Surely)));
    let mut client = client::client(desk, &mut tables, &known, (written.client.as_ref(), &mut draws));
    client.wires =
        Wires { http: target.version, tls: target.tls, source: target.source, dns: target.dns, ..client.wires };
    let paths = journey::Paths { hosts: &target.hosts, total: client.timeouts.total };
    let mut journeys = journey::journeys(desk, &mut tables, &known, (&paths, &written.journeys));
    series::fold(desk, &mut tables, &mut journeys, (written.max_series.as_ref(), written.name.mark));
    let books = audit::books(desk, &mut tables, &known, (&paths, written.teardown.as_ref()));
    let workloads = workload::workloads(desk, &journeys, client.timeouts.total, &written.load);
    let (workloads, good) = match instead {
        Instead::Nothing => {
            target::length(desk, target.max_run, (&workloads, written.load.mark));
            (workloads, Good::default())
        }
        Instead::Drill { rate, longest, good, .. } => {
            (workload::for_drill(desk, workloads, (*rate, *longest), &written.load), good.clone())
        }
    };
    target::ceiling(desk, target.max_rate, (&workloads, &journeys));
    let Lines { checks, comparisons } =
        line::lines(desk, (&tables, &journeys), written.checks.as_ref(), (against, written.name.mark));
    let values = values(desk, &mut tables, draws, &workloads);
    let steps: Vec<String> = tables.steps.into_iter().map(|(name, _)| name).collect();
    let gate = gate::gate(desk, written.gate.as_ref(), &steps);
    let mut plan = LoadPlan {
        name: name?,
        origins: target.origins,
        client,
        workloads,
        journeys,
        steps,
        labels: Arc::new(tables.labels),
        values,
        good,
        checks,
        books,
        gate,
        hash: String::new(),
    };
    plan.hash = fingerprint(&plan, options.seed);
    Some((plan, comparisons))
}

/// Variables and where their values come from.
fn values(desk: &mut Desk, tables: &mut Tables, draws: Vec<Drawn>, workloads: &[Workload]) -> Values {
    Values {
        count: u16::try_from(tables.variables.len()).unwrap_or(u16::MAX),
        draws,
        feeds: data::feeds(desk, tables, workloads),
        secrets: data::used_secrets(tables),
        picks: std::mem::take(&mut tables.picks),
    }
}

/// SHA-256 over everything that decides what is sent and how it is judged: not addresses, not places in files.
pub(super) fn fingerprint(plan: &LoadPlan, seed: Seed) -> String {
    let mut bare = plan.clone();
    bare.origins.clear();
    bare.client.wires.source.clear();
    bare.hash.clear();
    // A stricter gate judges the same runs.
    bare.gate = Gate::default();
    for check in &mut bare.checks {
        check.place = Place::default();
    }
    sha256(format!("squall load plan 1\nseed {}\n{bare:#?}", seed.0).as_bytes())
}

/// Names that become folders and parts of draws.
pub(super) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}
