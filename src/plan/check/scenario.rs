//! A whole scenario: the order in which its parts are checked, and the plan they make.
//!
//! Variables come first, then journeys (which number steps and labels), then the load that mixes them, then the checks that name them.

use std::sync::Arc;

use super::client::{Connecting, Setting};
use super::desk::Desk;
use super::journey::Paths;
use super::line::{Against, Lines};
use super::tables::{Known, Set, Tables};
use super::{ScenarioOptions, audit, chores, client, data, gate, journey, line, series, target, vars, wires, workload};
use crate::base::digest::sha256;
use crate::base::seed::Seed;
use crate::plan::audit::Books;
use crate::plan::chores::Chores;
use crate::plan::diagnostic::Place;
use crate::plan::gate::Gate;
use crate::plan::good::Good;
use crate::plan::load::{Client, LoadPlan, Origin, Workload};
use crate::plan::threshold::Comparison;
use crate::plan::values::Values;
use crate::plan::wires::Wires;
use crate::spec::scenario::Scenario;
use crate::spec::source::Spanned;

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
    let name = name(desk, &written.name);
    let target = target::target(desk, written, instead);
    let mut tables = Tables { faults: instead.acts(), ..Tables::default() };
    let mut known = beginning(desk, &mut tables, written);
    let mut client = client_of(desk, &mut tables, (&known, written));
    client.wires =
        Wires { http: target.version, tls: target.tls, source: target.source, dns: target.dns, ..client.wires };
    let (start, is_drill) = (known.clone(), matches!(instead, Instead::Drill { .. }));
    let paths = Paths { hosts: &target.hosts, client: &client, start: &start, is_drill };
    let mut chores = besides(desk, &mut tables, &mut known, (&paths, written));
    let start = known.clone();
    let paths = Paths { start: &start, ..paths };
    let mut journeys = journey::journeys(desk, &mut tables, &known, (&paths, &written.journeys));
    let lists = chores.lists().chain(journeys.iter_mut().map(|journey| &mut journey.steps));
    series::fold(desk, &mut tables, lists, (written.max_series.as_ref(), written.name.mark));
    let books = audit::books(desk, &mut tables, &known, (&paths, written.teardown.as_ref()));
    let workloads = workload::workloads(desk, &mut tables, (&journeys, &paths), &written.load);
    let (workloads, good) = match instead {
        Instead::Nothing => (workloads, Good::default()),
        Instead::Drill { rate, longest, good, .. } => {
            (workload::for_drill(desk, workloads, (*rate, *longest), &written.load), good.clone())
        }
    };
    target::length(desk, target.max_run, (&workloads, written.load.mark));
    let at = written.client.as_ref().map_or(written.load.mark, |client| client.mark);
    wires::ports(desk, (&workloads, &journeys), (&client, at));
    target::ceiling(desk, target.max_rate, (&workloads, &journeys));
    let Lines { checks, comparisons } =
        line::lines(desk, (&tables, &journeys), written.checks.as_ref(), (against, written.name.mark));
    let values = Values { books, ..values(desk, &mut tables, &workloads) };
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
        chores,
        good,
        checks,
        gate,
        hash: String::new(),
    };
    plan.hash = fingerprint(&plan, options.seed);
    Some((plan, comparisons))
}

fn name(desk: &mut Desk, written: &Spanned<String>) -> Option<String> {
    let name = desk.text(written)?;
    if !is_name(name) {
        let message = format!("`{name}` cannot name a folder");
        desk.error("bad_name", written.mark, message, "use the characters a-z 0-9 _ -, at most 64");
    }
    Some(name.to_owned())
}

/// Data, secrets and variables: what is known when a journey begins, but for what setup learns.
fn beginning(desk: &mut Desk, tables: &mut Tables, written: &Scenario) -> Known {
    data::data(desk, tables, written.data.as_ref());
    data::secrets(desk, tables, written.secrets.as_ref());
    tables.draws = vars::vars(desk, tables, written.vars.as_ref());
    let mut known = Known { setter: "no variable of `vars`".to_owned(), ..Known::default() };
    known.set.extend(tables.draws.iter().map(|drawn| (drawn.into, Set::Surely)));
    known
}

/// How clients behave where nothing else is written.
fn client_of(desk: &mut Desk, tables: &mut Tables, (known, written): (&Known, &Scenario)) -> Client {
    let usual = Client::default();
    let setting = Setting { around: &usual, connections: Connecting::Here, start: known };
    chores::announce(tables, written.tokens.as_ref());
    let everywhere = chores::everywhere(tables, known, written.setup.as_ref());
    usual.with(client::manner(desk, tables, &everywhere, (setting, written.client.as_ref())).as_ref())
}

/// What is done beside the journeys; from here on `known` holds what setup sets.
fn besides(
    desk: &mut Desk,
    tables: &mut Tables,
    known: &mut Known,
    (paths, written): (&Paths<'_>, &Scenario),
) -> Chores {
    for (steps, word) in [(&written.setup, "setup"), (&written.teardown, "teardown")] {
        if let (Some(steps), true) = (steps, paths.is_drill) {
            desk.not_built(&format!("{word} in a drill's scenario"), steps.mark);
        }
    }
    let (setup, sets) = chores::setup(desk, tables, known, (paths, written.setup.as_ref()));
    let tokens = chores::tokens(desk, tables, known, (paths, written.tokens.as_ref()));
    chores::rings(desk, tables, (&tokens, paths.client));
    let teardown = chores::teardown(desk, tables, known, (paths, written.teardown.as_ref()));
    let chores = Chores { setup, sets, teardown, tokens };
    chores::ahead(desk, written.setup.as_ref(), (&chores, paths.client));
    chores
}

/// Variables and where their values come from.
fn values(desk: &mut Desk, tables: &mut Tables, workloads: &[Workload]) -> Values {
    Values {
        count: u16::try_from(tables.variables.len()).unwrap_or(u16::MAX),
        draws: std::mem::take(&mut tables.draws),
        feeds: data::feeds(desk, tables, workloads),
        secrets: data::used_secrets(tables),
        picks: std::mem::take(&mut tables.lists.1),
        books: Books::default(),
        given: Vec::new(),
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
