//! `squall run S.ron --once JOURNEY`: one journey, with every request and answer printed, and nothing else.
//!
//! Called by `run`. Not here: the journey (`load::errand`), what is hidden (`load::secrets`).

use std::sync::Arc;

use serde_json::json;

use super::args::{Global, RunArgs};
use super::chores::{self, Before};
use super::exit::{Exit, Failure, could_not};
use super::{signals, term};
use crate::base::name::nearest;
use crate::base::seed::Seed;
use crate::base::stop::{Stop, StopReason};
use crate::load::secrets::{Mask, reveal};
use crate::load::{self, errand};
use crate::plan::load::LoadPlan;

/// Does journey `name` of `plan` once: passed when no step failed.
pub(super) async fn look(plan: Arc<LoadPlan>, name: &str, args: &RunArgs, global: &Global) -> Result<Exit, Failure> {
    let names: Vec<&str> = plan.journeys.iter().map(|journey| journey.name.as_str()).collect();
    if !names.contains(&name) {
        let near = nearest(name, names.iter().copied());
        let help =
            near.map_or_else(|| format!("there are: {}", names.join(", ")), |near| format!("did you mean `{near}`?"));
        return Err(Failure::usage(format!("there is no journey `{name}`: {help}")));
    }
    let (stop, hurry) = (Stop::new(), Stop::new());
    signals::watch(&stop, &hurry)?;
    if !args.skip_preflight {
        load::preflight(Arc::clone(&plan)).await.map_err(could_not("reach the target"))?;
    }
    let plan = match chores::before(plan, Seed(global.seed), (&stop, &hurry)).await? {
        Before::Ready(plan) => plan,
        Before::Over(exit) => return Ok(exit),
    };
    let came = errand::once(&plan, Seed(global.seed), name, &stop).await;
    if let Some(left) = chores::after(&plan, Seed(global.seed), &hurry).await {
        term::note(&left);
    }
    let Some(came) = came.map_err(could_not("do the journey"))? else { return Ok(Exit::Usage) };
    let secrets: Vec<_> = reveal(&plan).map_err(Failure::usage)?.into_iter().map(|(_, secret)| secret).collect();
    let mask = Mask::new(&secrets);
    let tale = came.tale.unwrap_or_default();
    let end = came.broken.as_ref().map_or_else(|| "completed".to_owned(), |broken| format!("failed at {broken}"));
    if global.json {
        let told =
            json!({ "journey": name, "completed": came.broken.is_none(), "end": end, "steps": tale.json(&mask) });
        term::out(&format!("{told:#}\n"));
    } else {
        term::out(&format!("{}journey `{name}` {end}\n", tale.text(&mask)));
    }
    Ok(match stop.reason() {
        Some(StopReason::Interrupted) => Exit::Interrupted,
        Some(StopReason::Terminated) => Exit::Terminated,
        _ if came.broken.is_some() => Exit::Failed,
        _ => Exit::Passed,
    })
}
