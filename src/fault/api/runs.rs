//! Faults of runs, as controllers command them: put under a name and a lease, renewed by the run, healed together.
//!
//! A run's generation counts its faults: a controller that missed one cannot renew. Not here: toxics of published clients
//! (`compat`), who may speak (`door`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::Api;
use super::errors::Refusal;
use super::json::Fields;
use super::own::{answered, millis};
use crate::fault::Healed;
use crate::plan::check;

/// A lease is renewed for so long, at least and at most, in milliseconds.
const LEASE: std::ops::RangeInclusive<i64> = 5_000..=60_000;
/// Unless a request says otherwise.
const TERM: i64 = 15_000;

/// The faults of one run.
#[derive(Debug, Default)]
pub(super) struct Run {
    generation: u64,
    faults: BTreeSet<String>,
}

/// All runs, by name.
pub(super) type Runs = BTreeMap<String, Run>;

impl Api {
    /// `PUT /squall/v1/faults/{name}`: `{fault, run, lease_ms}`, the fault as it stands in a file.
    pub(super) async fn put_fault(&self, name: &str, body: &[u8]) -> Result<Value, Refusal> {
        let fields = Fields::read(body)?;
        let (lease, term) = term(&fields)?;
        let run = fields.text("run")?.unwrap_or_default();
        let text = fields.text("fault")?.ok_or_else(|| Refusal::missing("fault"))?;
        let fault = check::fault(name, &text).map_err(|mistakes| {
            let first = mistakes.0.first();
            let said =
                first.map(|one| format!("{} at {}:{}; {}", one.message, one.place.line, one.place.column, one.help));
            Refusal::body(format!("fault {}", said.unwrap_or_default()))
        })?;
        let mut book = self.book.lock().await;
        if book.stopped {
            return Err(Refusal::stopped());
        }
        self.proxies.put(fault, Some(term)).await?;
        for other in book.runs.values_mut() {
            other.faults.remove(name);
        }
        let entry = book.runs.entry(run).or_default();
        entry.generation += 1;
        entry.faults.insert(name.to_owned());
        Ok(json!({ "name": name, "generation": entry.generation, "expires_in_ms": lease }))
    }

    /// `POST /squall/v1/heal`: `{run?}`; without a run, everything.
    pub(super) async fn heal_run(&self, body: &[u8]) -> Result<Value, Refusal> {
        let run = if body.is_empty() { None } else { Fields::read(body)?.text("run")? };
        let mut book = self.book.lock().await;
        let Some(run) = run else {
            book.runs.clear();
            return answered(&self.proxies.heal_all().await);
        };
        let gone = book.runs.remove(&run).ok_or_else(|| Refusal::new(404, format!("no run is called `{run}`")))?;
        let names: Vec<String> = gone.faults.into_iter().collect();
        let healed: Vec<Healed> = self.proxies.heal_these(&names).await;
        answered(&healed)
    }

    /// `POST /squall/v1/leases/{run}`: `{faults?, lease_ms?, generation?}`; all of them are tried.
    pub(super) async fn renew(&self, run: Option<&str>, body: &[u8]) -> Result<Value, Refusal> {
        let fields = Fields::read(body)?;
        let (lease, term) = term(&fields)?;
        let names = match fields.get("faults") {
            None => None,
            Some(list) => Some(names(&fields, list)?),
        };
        let book = self.book.lock().await;
        let known = run.map(|run| book.runs.get(run).ok_or_else(|| expired(&[run]))).transpose()?;
        let given = fields.integer("generation")?;
        if let (Some(known), Some(given)) = (known, given)
            && u64::try_from(given) != Ok(known.generation)
        {
            let message = format!("generation {given} is over: the run is at {}", known.generation);
            return Err(Refusal::new(409, message));
        }
        let names = names.or_else(|| known.map(|known| known.faults.iter().cloned().collect()));
        let names = names.ok_or_else(|| fields.wrong("faults", "a list of names"))?;
        let mut over = Vec::new();
        for name in &names {
            let stranger = known.is_some_and(|known| !known.faults.contains(name));
            if stranger || self.proxies.renew(name, term).await.is_err() {
                over.push(name.as_str());
            }
        }
        if over.is_empty() { Ok(json!({ "renewed": names, "expires_in_ms": lease })) } else { Err(expired(&over)) }
    }

    /// The lease that is left of every fault, by name, with its run.
    pub(super) async fn leased(&self) -> Vec<Value> {
        let book = self.book.lock().await;
        let run = |name: &String| book.runs.iter().find(|(_, run)| run.faults.contains(name)).map(|(run, _)| run);
        let shown = self.proxies.active().into_iter().map(|(fault, left)| {
            json!({ "name": fault.name, "on": fault.on, "share": fault.share.get(), "run": run(&fault.name),
                "expires_in_ms": left.map(millis) })
        });
        shown.collect()
    }
}

fn expired(names: &[&str]) -> Refusal {
    Refusal::new(409, format!("lease expired: {}; inject anew", names.join(", ")))
}

fn names(fields: &Fields, list: &Value) -> Result<Vec<String>, Refusal> {
    let wrong = || fields.wrong("faults", "a list of names");
    let list = list.as_array().ok_or_else(wrong)?;
    list.iter().map(|name| name.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
}

/// The lease that a request asks for: `lease_ms`.
fn term(fields: &Fields) -> Result<(i64, Duration), Refusal> {
    let lease = fields.integer("lease_ms")?.unwrap_or(TERM);
    let term = u64::try_from(lease).ok().filter(|_| LEASE.contains(&lease)).map(Duration::from_millis);
    Ok((lease, term.ok_or_else(|| fields.wrong("lease_ms", "5000..60000"))?))
}
