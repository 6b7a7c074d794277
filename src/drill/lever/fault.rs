//! The fault lever: a fault on one of the system's proxies, in this process or in the keeper's. The proxies hold the lease, count
//! and verify.
//!
//! Not here: what a fault does (`fault`).

use std::time::Duration;

use super::{LeverError, Renewal};
use crate::base::clock::Clock;
use crate::base::timer::Timer;
use crate::drill::keeper::{Answer, Hold, Keeper};
use crate::fault::{FaultError, Injection, Proxies};
use crate::plan::fault::Fault;

/// Between two looks at the counters.
const EVERY: Duration = Duration::from_millis(100);

/// Where the system's proxies are.
#[derive(Clone, Debug)]
pub enum Paths {
    /// It has none.
    None,
    /// In this process.
    Here(Proxies),
    /// In the keeper of the run.
    Kept(Keeper),
}

/// What is held of a fault in force. Dropped, it withdraws the fault.
#[derive(Debug)]
pub(super) enum Guard {
    Here(Injection),
    Kept(Hold),
}

impl Paths {
    /// Puts `fault` in force for `lease`, unless renewed.
    pub(super) async fn inject(&self, fault: &Fault, lease: Duration) -> Result<Guard, LeverError> {
        match self {
            Self::None => Err(LeverError::NoProxy(fault.on.clone())),
            Self::Here(proxies) => Ok(Guard::Here(proxies.inject(fault.clone(), lease).await?)),
            Self::Kept(keeper) => Ok(Guard::Kept(keeper.inject(&fault.name, lease).await?)),
        }
    }

    /// Renews; a fault that lasted as long as it should is over, not lost.
    pub(super) async fn renew(&self, fault: &Fault, guard: Option<&Guard>, lease: Duration) -> Renewal {
        match self {
            Self::None => Renewal::Lost("there are no proxies".to_owned()),
            Self::Here(proxies) => match proxies.renew(&fault.name, lease).await {
                Ok(()) => Renewal::Renewed,
                Err(FaultError::LeaseOver { .. }) if fault.lasts.is_some() => Renewal::Over,
                Err(error) => Renewal::Lost(error.to_string()),
            },
            Self::Kept(keeper) => {
                let Some(Guard::Kept(hold)) = guard else { return Renewal::Lost("it was never in force".to_owned()) };
                renewed(keeper.renew(hold, lease).await, fault.lasts)
            }
        }
    }

    /// Ends the fault; one that was never in force is healed.
    pub(super) async fn heal(&self, name: &str, guard: Option<Guard>) -> Result<(), LeverError> {
        match (self, guard) {
            (_, Some(Guard::Here(injection))) => {
                injection.heal().await;
                Ok(())
            }
            (Self::Kept(keeper), guard) => {
                keeper.heal(name).await?;
                if let Some(Guard::Kept(hold)) = guard {
                    hold.forget();
                }
                Ok(())
            }
            (Self::None, _) => Ok(()),
            (Self::Here(proxies), _) => match proxies.heal(name).await {
                Ok(_) | Err(FaultError::UnknownFault { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Asks every worker whether the fault is gone.
    pub(super) async fn read_back(&self, name: &str) -> Result<String, String> {
        let verified = match self {
            Self::None => return Ok("there are no proxies".to_owned()),
            Self::Kept(keeper) => keeper.heal(name).await.map_err(|error| error.to_string())?,
            Self::Here(proxies) => match proxies.heal(name).await {
                Ok(healed) => healed.verified,
                Err(FaultError::UnknownFault { .. }) => return Ok("it was never in force".to_owned()),
                Err(error) => return Err(error.to_string()),
            },
        };
        if verified {
            return Ok("no connection carries it".to_owned());
        }
        Err("a connection still carries it".to_owned())
    }

    async fn touched(&self, name: &str) -> u64 {
        match self {
            Self::None => 0,
            Self::Here(proxies) => proxies.stats(name).map_or(0, |stats| stats.touched),
            Self::Kept(keeper) => keeper.touched(name).await.unwrap_or(0),
        }
    }

    /// Waits until the fault has touched `at_least` connections.
    pub(super) async fn wait_touched(
        &self,
        name: &str,
        at_least: u64,
        (clock, within): (&Clock, Duration),
    ) -> Result<String, String> {
        let mut timer = Timer::new(clock).map_err(|error| format!("no timer: {error}"))?;
        let end = clock.now() + within;
        loop {
            let touched = self.touched(name).await;
            if touched >= at_least {
                return Ok(format!("touched {touched} connections, at least {at_least} were wanted"));
            }
            let next = clock.now() + EVERY;
            if next > end {
                return Err(format!(
                    "touched {touched} connections within {} s, {at_least} were wanted",
                    within.as_secs_f64()
                ));
            }
            timer.until(next).await;
        }
    }
}

/// What the keeper says of a lease.
pub(super) fn renewed(answer: Answer, lasts: Option<Duration>) -> Renewal {
    match answer {
        Answer::Renewed => Renewal::Renewed,
        Answer::Over(_) if lasts.is_some() => Renewal::Over,
        Answer::Over(why) => Renewal::Lost(why),
        Answer::Unasked(why) => Renewal::Unasked(why),
    }
}
