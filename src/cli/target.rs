//! The target guard at work. (Temporary: loopback only.)

use std::sync::Arc;

use super::args::TargetArgs;
use super::exit::Failure;
use crate::drill::lever::http::{Vouch, loopback_only};
use crate::plan::load::LoadPlan;

pub(super) fn admit(plan: &mut LoadPlan, _args: &TargetArgs) -> Result<(), Failure> {
    for origin in &mut plan.origins {
        origin.pinned = vec![loopback_only(&origin.host, origin.port).map_err(Failure::usage)?];
    }
    Ok(())
}

pub(super) fn vouch(_args: &TargetArgs) -> Result<Arc<Vouch>, Failure> {
    Ok(Arc::new(loopback_only))
}
