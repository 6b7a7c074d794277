//! A whole plan before the guard: every host it names, and its planned peak against their ceilings.

use std::net::Ipv4Addr;

use super::{Guard, Refusal};
use crate::base::rate::Rate;
use crate::plan::check::peak_requests;
use crate::plan::diagnostic::{Diagnostic, Diagnostics, Place, Severity};
use crate::plan::drill::{Act, DrillPlan, System};
use crate::plan::load::{LoadPlan, Via};

impl Guard {
    /// Refusals of the hosts of a scenario read from `file`, and ceilings its planned peak would cross. Names are not looked up here.
    pub fn judge_load(&self, plan: &LoadPlan, file: &str) -> Diagnostics {
        let mut found = Diagnostics::default();
        for (index, origin) in plan.origins.iter().enumerate() {
            let admitted = match &origin.via {
                None => self.admit_host(&origin.host, origin.port),
                // Where it leads decides, and a name that says production is forbidden wherever it leads.
                Some(Via::Address(to)) => self.admit(to.ip(), &origin.host, to.port()).map(drop),
                Some(Via::Unix(_)) => self.admit(Ipv4Addr::LOCALHOST.into(), &origin.host, origin.port).map(drop),
            };
            match admitted {
                Err(refusal) => found.push(refused("target_not_allowed", &refusal, file)),
                Ok(()) => found.0.extend(self.crossed(plan, index, file)),
            }
        }
        found
    }

    /// Refusals of both sides of a drill's system, of its proxies' upstreams and its levers' addresses, read from `file`.
    pub fn judge_drill(&self, plan: &DrillPlan, file: &str) -> Diagnostics {
        let mut found = Diagnostics::default();
        let mut addresses = Vec::new();
        if let System::Remote { base, admin, proxies, .. } = &plan.system {
            addresses.extend([base.as_str(), admin.as_str()]);
            addresses.extend(proxies.iter().map(|one| one.upstream.as_str()));
        }
        addresses.extend(plan.acts.iter().flat_map(Act::addresses));
        addresses.extend(plan.mitigations.iter().filter_map(|one| one.does.as_ref()?.address()));
        for (n, url) in addresses.iter().enumerate() {
            if addresses.iter().take(n).any(|before| before == url) {
                continue;
            }
            let authority = url.trim_start_matches("http://");
            let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
            let port = port.parse().unwrap_or(80);
            if let Err(refusal) = self.admit_host(host, port) {
                found.push(refused("target-not-allowed", &refusal, file));
            }
        }
        if matches!(plan.system, System::Shop { .. }) {
            return found;
        }
        found.0.extend((0..plan.load.origins.len()).filter_map(|index| self.crossed(&plan.load, index, file)));
        found
    }

    /// The planned peak towards one origin against its ceiling; the address is not known yet, so that a range cannot vouch for a rate.
    fn crossed(&self, plan: &LoadPlan, index: usize, file: &str) -> Option<Diagnostic> {
        let origin = plan.origins.get(index)?;
        let ceiling = self.ceiling(&origin.host, None, origin.port)?;
        let peak = peak_requests(plan, index);
        if peak.rate <= ceiling.get() {
            return None;
        }
        let host = format!("{}:{}", origin.host, origin.port);
        let rate = Rate::per_second(peak.rate);
        Some(Diagnostic {
            id: "ceiling",
            severity: Severity::Error,
            message: format!(
                "the planned peak of {rate} requests at second {} is above the ceiling of {ceiling} for {host}",
                peak.second
            ),
            place: Place { file: file.to_owned(), ..Place::default() },
            help: "lower the rate of the load, or ask the owner for a higher `max_rate`".to_owned(),
            related: Vec::new(),
        })
    }
}

fn refused(id: &'static str, refusal: &Refusal, file: &str) -> Diagnostic {
    Diagnostic {
        id,
        severity: Severity::Error,
        message: refusal.to_string(),
        place: Place { file: file.to_owned(), ..Place::default() },
        help: refusal.remedy(),
        related: Vec::new(),
    }
}
