//! The target guard at work: finds the list of targets, looks names up, checks every address, and pins them.
//!
//! The rules are `plan::guard`'s. Called by every command that sends anything.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::args::TargetArgs;
use super::exit::{Failure, could_not};
use crate::base::clock::{Clock, Tick};
use crate::drill::lever::http::Vouch;
use crate::plan::check::{self, Files};
use crate::plan::diagnostic::Diagnostics;
use crate::plan::guard::{Guard, MaxRate};
use crate::plan::load::{LoadPlan, Origin, Via};

/// The list of targets, by its only name.
const LIST: &str = "squall.targets.ron";

/// The guard of this run.
pub(super) fn guard(args: &TargetArgs) -> Result<Guard, Failure> {
    let allow = match find() {
        None => None,
        Some(path) => match check::targets(&mut Files::disk(), &path.display().to_string(), today()) {
            Ok((allow, _)) => Some(allow),
            Err(mistakes) => {
                let blocks: String = mistakes.0.iter().map(ToString::to_string).collect();
                return Err(Failure::usage(format!(
                    "the list of targets must be right before anything is sent\n{blocks}"
                )));
            }
        },
    };
    Guard::new(allow, &args.allow).map_err(Failure::usage)
}

/// Today, UTC: entries of a list of targets run out.
pub(super) fn today() -> Date {
    Clock::start().utc(Tick::ZERO).to_zoned(TimeZone::UTC).date()
}

/// From the working directory up to the repository's root.
fn find() -> Option<PathBuf> {
    let mut dir = std::env::current_dir().ok()?;
    loop {
        let path = dir.join(LIST);
        if path.is_file() {
            return Some(path);
        }
        if dir.join(".git").exists() || !dir.pop() {
            return None;
        }
    }
}

/// Checks every host and address of a load, and pins the addresses. Mistakes come back; nothing was sent.
pub(super) fn admit(plan: &mut LoadPlan, guard: &Guard, file: &str) -> Result<Diagnostics, Failure> {
    let refused = guard.judge_load(plan, file);
    if refused.has_errors() {
        return Ok(refused);
    }
    let later = Arc::new(guard.clone());
    for origin in &mut plan.origins {
        pin(origin, guard)?;
        origin.guard = Some(Arc::clone(&later));
    }
    Ok(Diagnostics::default())
}

/// Looks the origin up, pins its addresses, and takes the lowest ceiling of them.
fn pin(origin: &mut Origin, guard: &Guard) -> Result<(), Failure> {
    origin.pinned = match &origin.via {
        None => resolve(&origin.host, origin.port)?,
        Some(Via::Address(to)) => vec![*to],
        Some(Via::Unix(_)) => Vec::new(),
    };
    for address in origin.pinned.clone() {
        let ceiling = guard
            .admit(address.ip(), &origin.host, address.port())
            .map_err(|refusal| Failure::usage(format!("{refusal}\n  {}", refusal.remedy())))?;
        if let MaxRate::At(rate) = ceiling {
            origin.limit(rate);
        }
    }
    Ok(())
}

fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    let bare = host.trim_matches(['[', ']']);
    let found: Vec<SocketAddr> =
        (bare, port).to_socket_addrs().map_err(could_not(&format!("look up {host}")))?.collect();
    if found.is_empty() {
        return Err(Failure::could_not(format!("{host} has no address")));
    }
    Ok(found)
}

/// Gives the pinned address of a host that may be sent traffic.
pub(super) fn vouch(guard: Guard) -> Arc<Vouch> {
    Arc::new(move |host: &str, port: u16| {
        guard.admit_host(host, port).map_err(|refusal| format!("{refusal}; {}", refusal.remedy()))?;
        let found = resolve(host, port).map_err(|failure| failure.message)?;
        for address in &found {
            guard.admit(address.ip(), host, port).map_err(|refusal| format!("{refusal}; {}", refusal.remedy()))?;
        }
        found.first().copied().ok_or_else(|| format!("{host} has no address"))
    })
}
