//! Renewing, undoing, and reading back that it is undone.
//!
//! Not here: pulling (`pull`), how an undo is carried out (`undo`).

use std::time::Duration;

use super::fault::renewed;
use super::http::Ask;
use super::probe::{self, Look, Wanted};
use super::undo;
use super::{Held, LeverError, Levers, Renewal, TRIES};
use crate::base::clock::Clock;
use crate::base::timer::Timer;
use crate::load::surge::Surge;
use crate::plan::drill::{Act, Lever, Proof, Technical};

/// Of a change that somebody undid: the keeper heals it when we are gone, and not before.
const UNDONE: Duration = Duration::from_secs(3_600);
/// Between two looks at a counter.
const EVERY: Duration = Duration::from_millis(100);

impl Levers {
    /// Renews the lease of act number `n`.
    pub async fn renew(&self, n: usize, act: &Act) -> Renewal {
        let Some(slot) = self.held.get(n) else { return Renewal::Undone };
        let mut held = slot.lock().await;
        let lease = act.does.lease;
        let found = match (&act.does.apply, &held.lease) {
            (Lever::Fault(fault), _) => self.ground.paths.renew(fault, held.guard.as_ref(), lease).await,
            (Lever::Load(surge), _) => match &self.ground.surge {
                Some(traffic) if traffic.is_on(self.clock().now()) => Renewal::Renewed,
                Some(_) if surge.lasts.is_some() => Renewal::Over,
                _ => Renewal::Lost("there is no traffic".to_owned()),
            },
            (Lever::Http(_), Some(name)) => {
                let name = name.clone();
                self.renew_at_target(&name, lease).await
            }
            (_, _) if held.hold.is_none() => Renewal::Lost("nobody holds it".to_owned()),
            _ => Renewal::Renewed,
        };
        let found = match (found, &held.hold, &self.ground.keeper) {
            (Renewal::Renewed, Some(hold), Some(keeper)) => renewed(keeper.renew(hold, lease).await, None),
            (Renewal::Undone, Some(hold), Some(keeper)) => {
                keeper.renew(hold, UNDONE).await;
                Renewal::Undone
            }
            (found, ..) => found,
        };
        let now = self.clock().now();
        match found {
            Renewal::Renewed => held.until = now + lease,
            Renewal::Unasked(why) if now >= held.until => return Renewal::Lost(why),
            _ => {}
        }
        found
    }

    async fn renew_at_target(&self, name: &str, lease: Duration) -> Renewal {
        let path = format!("/admin/leases/{name}");
        let json = serde_json::json!({"for": format!("{}ms", lease.as_millis())}).to_string();
        let ask = Ask::new("PUT", &path, &json);
        match self.ground.admin.send(&ask).await {
            Ok(answer) if (200..300).contains(&answer.status) => Renewal::Renewed,
            Ok(answer) if answer.status == 410 && answer.json()["error"] == "lease_undone" => Renewal::Undone,
            Ok(answer) if matches!(answer.status, 404 | 410) => {
                Renewal::Lost(answer.json()["reason"].as_str().unwrap_or("the system no longer knows it").to_owned())
            }
            Ok(answer) => match answer.accepted(&ask) {
                Ok(_) => Renewal::Renewed,
                Err(error) => Renewal::Unasked(error.to_string()),
            },
            Err(error) => Renewal::Unasked(error.to_string()),
        }
    }

    /// Undoes act number `n`: three tries, a second apart.
    ///
    /// # Errors
    /// Why the last try failed, in words.
    pub async fn revert(&self, n: usize, act: &Act) -> Result<(), String> {
        let Some(slot) = self.held.get(n) else { return Ok(()) };
        let mut held = slot.lock().await;
        if let (Some(keeper), Some(hold)) = (&self.ground.keeper, &held.hold) {
            keeper.healing(hold).await;
        }
        let own_tries = match (&act.does.apply, &act.does.revert) {
            (Lever::Fault(_) | Lever::Load(_), _) => true,
            (Lever::Http(_) | Lever::Command(_), Some(Lever::Http(http))) => http.base.is_none(),
            _ => false,
        };
        if !own_tries {
            // It was never begun, or it is known how it is undone.
            let Some(known) = held.undo.clone() else { return Ok(()) };
            return undo::run(&known, &self.ground.undo).await.map(drop);
        }
        let mut timer = Timer::new(self.clock()).map_err(|error| error.to_string())?;
        let mut tried = 0;
        loop {
            tried += 1;
            match self.undo(&mut held, &act.does).await {
                Ok(()) => return Ok(()),
                Err(error) if tried >= TRIES => return Err(format!("{error} (tried {TRIES} times)")),
                Err(_) => timer.until(self.clock().now() + Duration::from_secs(1)).await,
            }
        }
    }

    /// One try at what this process can undo by itself.
    pub(super) async fn undo(&self, held: &mut Held, does: &Technical) -> Result<(), LeverError> {
        match (&does.revert, &does.apply) {
            (_, Lever::Fault(fault)) => self.ground.paths.heal(&fault.name, held.guard.take()).await,
            (_, Lever::Load(_)) => {
                self.ground.surge.iter().for_each(Surge::end);
                Ok(())
            }
            (Some(Lever::Http(http)), _) if http.base.is_none() => {
                let ask = Ask { limit: http.timeout, ..Ask::new(&http.method, &http.path, &http.json) };
                self.ground.admin.send(&ask).await?.accepted(&ask)?;
                held.lease = None;
                Ok(())
            }
            _ => match &held.undo {
                Some(known) => {
                    let failed = |why| LeverError::Command { program: does.apply.words(), why };
                    undo::run(known, &self.ground.undo).await.map(drop).map_err(failed)
                }
                None => Ok(()),
            },
        }
    }

    /// Reads back, for at most `within`, that act number `n` is no longer in force. What was seen, in words.
    ///
    /// # Errors
    /// What was seen last, in words.
    pub async fn read_back(&self, n: usize, act: &Act, within: Duration) -> Result<String, String> {
        let seen = match (&act.does.proof, &act.does.apply) {
            (_, Lever::Fault(fault)) => self.ground.paths.read_back(&fault.name).await,
            (_, Lever::Load(_)) => match &self.ground.surge {
                Some(surge) if surge.is_on(self.clock().now()) => Err("the traffic is still multiplied".to_owned()),
                _ => Ok("the traffic is what it was".to_owned()),
            },
            (Proof::Probe(probe), Lever::Http(_) | Lever::Command(_)) => {
                let look = Look { path: &probe.get, at: &probe.at, wanted: Wanted::IsNot(&probe.is) };
                probe::wait_for(&self.ground.admin, look, self.clock(), within).await
            }
            (Proof::Touched { .. }, Lever::Http(_) | Lever::Command(_)) => {
                Err("it has no probe to read back".to_owned())
            }
            _ => {
                let known = match self.held.get(n) {
                    Some(slot) => slot.lock().await.undo.clone(),
                    None => None,
                };
                match known {
                    Some(known) => undo::seen(&known, within, &self.ground.undo).await,
                    None => Ok("it was never begun".to_owned()),
                }
            }
        };
        if seen.is_ok()
            && let Some(slot) = self.held.get(n)
        {
            let hold = slot.lock().await.hold.take();
            if let Some(hold) = hold {
                hold.release().await;
            }
        }
        seen
    }
}

/// Waits until so many arrivals have begun that would not have without the surge's rate.
pub(super) async fn wait_begun(
    surge: &Surge,
    at_least: u64,
    (clock, within): (&Clock, Duration),
) -> Result<String, String> {
    let mut timer = Timer::new(clock).map_err(|error| format!("no timer: {error}"))?;
    let end = clock.now() + within;
    loop {
        let begun = surge.begun();
        if begun >= at_least {
            return Ok(format!("{begun} arrivals at the multiplied rate, at least {at_least} were wanted"));
        }
        let next = clock.now() + EVERY;
        if next > end {
            let within = within.as_secs_f64();
            return Err(format!("{begun} arrivals at the multiplied rate within {within} s, {at_least} were wanted"));
        }
        timer.until(next).await;
    }
}
