//! Does the system agree to be shaken, and can it be seen? Asked before anything is sent to it.
//!
//! The public side must answer `/.well-known/squall-target` with `allow_drill: true`; every probe of the plan must find its
//! value; no act may be in force already. Not here: who may be asked at all (the guard). Called by the stage.

use serde_json::Value;

use super::DrillError;
use crate::drill::lever::http::{Ask, Endpoint};
use crate::drill::lever::{LeverError, probe};
use crate::plan::drill::{DrillPlan, Lever, Probe, Proof, System};

/// Environments that are never shaken, whatever they allow.
const FORBIDDEN: [&str; 4] = ["prod", "prd", "live", "production"];

/// What a system says of itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Agreement {
    pub(super) environment: String,
    pub(super) id: String,
    /// Highest rate of requests it allows, per second.
    pub(super) max_rate: Option<f64>,
}

/// Where a system says that it may be shaken, and what is to be done to it.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// Path on the public side.
    pub(super) path: String,
    /// The most journeys per second.
    pub(super) rate: f64,
}

impl Terms {
    /// The terms of `plan`; an act may multiply its rate.
    pub(super) fn of(plan: &DrillPlan) -> Self {
        let path = match &plan.system {
            System::Shop { .. } => "/.well-known/squall-target".to_owned(),
            System::Remote { handshake, .. } => handshake.clone(),
        };
        let surges =
            plan.acts.iter().map(|act| if let Lever::Load(surge) = &act.does.apply { surge.times } else { 1.0 });
        Self { path, rate: plan.load.peak_rate() * surges.fold(1.0, f64::max) }
    }
}

/// Asks the public side whether it may be shaken on these terms.
pub(super) async fn agree(public: &Endpoint, Terms { path, rate }: &Terms) -> Result<Agreement, DrillError> {
    let rate = *rate;
    let url = public.url(path);
    let ask = Ask::get(path);
    let absent = |error: LeverError| DrillError::Absent { url: url.clone(), why: error.to_string() };
    let answer = public.send(&ask).await.map_err(absent)?;
    if (400..500).contains(&answer.status) && answer.status != 429 {
        return Err(DrillError::Handshake {
            url,
            why: format!("it answers {}, and says nothing of drills", answer.status),
        });
    }
    let answer = answer.accepted(&ask)?;
    let agreement = read(&answer.json()).map_err(|why| DrillError::Handshake { url: url.clone(), why })?;
    match agreement.max_rate {
        Some(most) if rate > most => {
            Err(DrillError::Handshake { url, why: format!("its `max_rate` is {most}/s, the drill needs {rate}/s") })
        }
        _ => Ok(agreement),
    }
}

fn read(said: &Value) -> Result<Agreement, String> {
    let text = |field: &str| said[field].as_str().unwrap_or_default().to_owned();
    let environment = text("environment");
    if said["allow_drill"] != Value::Bool(true) {
        return Err("`allow_drill` is not true".to_owned());
    }
    if environment.is_empty() {
        return Err("it does not name its `environment`".to_owned());
    }
    if FORBIDDEN.iter().any(|name| environment.eq_ignore_ascii_case(name)) {
        return Err(format!("its environment is `{environment}`, which is never shaken"));
    }
    Ok(Agreement { environment, id: text("id"), max_rate: said["max_rate"].as_f64() })
}

/// Looks at every value the drill will want to see: there, and for an act not yet as the act would make it.
pub(super) async fn probes_answer(admin: &Endpoint, plan: &DrillPlan) -> Result<(), DrillError> {
    for act in &plan.acts {
        if let Proof::Probe(probe) = &act.does.proof
            && value(admin, probe).await? == probe.is
        {
            return Err(DrillError::InForce { act: act.name.clone(), seen: format!("{} = {}", probe.at, probe.is) });
        }
    }
    for probe in plan.mitigations.iter().filter_map(|one| one.verify.as_ref()) {
        value(admin, probe).await?;
    }
    Ok(())
}

async fn value(admin: &Endpoint, probe: &Probe) -> Result<String, LeverError> {
    probe::read(admin, &probe.get, &probe.at).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_system_must_say_yes_and_not_be_production() {
        let good = json!({"environment": "staging", "allow_drill": true, "id": "shop", "max_rate": 2000});
        assert_eq!(read(&good).unwrap().max_rate, Some(2000.0));
        for (said, why) in [
            (json!({"environment": "staging", "allow_drill": false}), "not true"),
            (json!({"environment": "staging", "allow_drill": "true"}), "not true"),
            (json!({"environment": "Prod", "allow_drill": true}), "never shaken"),
            (json!({"allow_drill": true}), "environment"),
            (Value::Null, "not true"),
        ] {
            assert!(read(&said).unwrap_err().contains(why), "{said}");
        }
    }
}
