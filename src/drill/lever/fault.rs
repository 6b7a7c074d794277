//! The fault lever: a toxic on one of the system's proxies. The proxies hold the lease, count and verify.
//!
//! Not here: what a toxic does (`fault`).

use std::time::Duration;

use super::{LeverError, Renewal};
use crate::base::clock::Clock;
use crate::base::timer::Timer;
use crate::fault::{FaultError, Injection, Proxies};
use crate::plan::fault::Fault;

/// Between two looks at the counters.
const EVERY: Duration = Duration::from_millis(100);

/// Puts `fault` in force for `lease`, unless renewed.
pub(super) async fn inject(proxies: Option<&Proxies>, fault: &Fault, lease: Duration) -> Result<Injection, LeverError> {
    let proxies = proxies.ok_or_else(|| LeverError::NoProxy(fault.on.clone()))?;
    Ok(proxies.inject(fault.clone(), lease).await?)
}

/// Renews; a fault that lasted as long as it should is over, not lost.
pub(super) async fn renew(proxies: Option<&Proxies>, fault: &Fault, lease: Duration) -> Renewal {
    let Some(proxies) = proxies else { return Renewal::Lost("there are no proxies".to_owned()) };
    match proxies.renew(&fault.name, lease).await {
        Ok(()) => Renewal::Renewed,
        Err(FaultError::LeaseOver { .. }) if fault.lasts.is_some() => Renewal::Over,
        Err(error) => Renewal::Lost(error.to_string()),
    }
}

/// Ends the fault; one that was never in force is healed.
pub(super) async fn heal(proxies: Option<&Proxies>, name: &str, guard: Option<Injection>) -> Result<(), LeverError> {
    let Some(proxies) = proxies else { return Ok(()) };
    if let Some(guard) = guard {
        guard.heal().await;
        return Ok(());
    }
    match proxies.heal(name).await {
        Ok(_) | Err(FaultError::UnknownFault { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Asks every worker whether the fault is gone.
pub(super) async fn read_back(proxies: Option<&Proxies>, name: &str) -> Result<String, String> {
    let Some(proxies) = proxies else { return Ok("there are no proxies".to_owned()) };
    match proxies.heal(name).await {
        Ok(healed) if healed.verified => Ok("no connection carries it".to_owned()),
        Ok(_) => Err("a connection still carries it".to_owned()),
        Err(FaultError::UnknownFault { .. }) => Ok("it was never in force".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Waits until the fault has touched `at_least` connections.
pub(super) async fn wait_touched(
    proxies: Option<&Proxies>,
    name: &str,
    at_least: u64,
    (clock, within): (&Clock, Duration),
) -> Result<String, String> {
    let mut timer = Timer::new(clock).map_err(|error| format!("no timer: {error}"))?;
    let end = clock.now() + within;
    loop {
        let touched = proxies.and_then(|proxies| proxies.stats(name)).map_or(0, |stats| stats.touched);
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
