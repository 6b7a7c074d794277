//! Where requests go: the target's base and hosts, and the ceiling over its rate.
//!
//! Not here: whether they may be sent there (`plan::guard`), or which address a name has (`load`).

use std::net::IpAddr;
use std::time::Duration;

use super::desk::Desk;
use super::peak::peak;
use super::scenario::Instead;
use super::wires;
use crate::base::duration::show;
use crate::base::rate::Rate;
use crate::plan::load::{Origin, Scheme, Workload};
use crate::plan::program::Journey;
use crate::plan::wires::{Tls, Version};
use crate::spec::scenario::{Scenario, Target};
use crate::spec::source::{Mark, Spanned};

/// How long a load may last, unless its author says otherwise.
const MAX_RUN: Duration = Duration::from_secs(2 * 3600);

/// What the target says.
#[derive(Debug, Default)]
pub(super) struct Aim {
    pub(super) origins: Vec<Origin>,
    /// Names of `hosts` with the index of their origin.
    pub(super) hosts: Vec<(String, usize)>,
    pub(super) max_rate: Option<(f64, Mark)>,
    /// How long the load may last, and where that is written.
    pub(super) max_run: Option<(Duration, Mark)>,
    /// How old the answer of a resolver may be.
    pub(super) dns: Option<Duration>,
    pub(super) version: Version,
    pub(super) tls: Tls,
    /// Own addresses.
    pub(super) source: Vec<IpAddr>,
}

pub(super) fn target(desk: &mut Desk, written: &Scenario, instead: &Instead) -> Aim {
    let mut aim = Aim::default();
    if let Instead::Drill { origin, .. } = instead {
        aim.origins.push(origin.as_ref().clone());
        // The system stands in for the base; further hosts would be sent traffic that nobody asked for.
        if let Some(hosts) = desk.open_if(written.target.as_ref()).and_then(|target| target.hosts.as_ref()) {
            desk.not_built("hosts in a drill's scenario", hosts.mark);
        }
        return aim;
    }
    let Some(spanned) = &written.target else {
        let whole = written.name.mark;
        desk.error("missing_field", whole, "`target` is missing", "add `target: (base: \"http://127.0.0.1:8080\")`");
        return aim;
    };
    let Some(target) = desk.open(spanned) else { return aim };
    aim.origins.extend(origin(desk, &target.base));
    hosts(desk, target, &mut aim);
    (aim.version, aim.tls, aim.source) = wires::wires(desk, target, &aim.origins);
    wires::elsewhere(desk, target, &mut aim.origins);
    aim.max_run = target.max_run.as_ref().and_then(|most| Some((desk.duration(most)?, most.mark)));
    aim.dns = wires::dns(desk, target);
    if let Some(ceiling) = &target.max_rate {
        aim.max_rate = desk.rate(ceiling).map(|rate| (rate, ceiling.mark));
        if let Some((rate, _)) = aim.max_rate {
            aim.origins.iter_mut().for_each(|origin| origin.limit(Rate::per_second(rate)));
        }
    }
    aim
}

fn hosts(desk: &mut Desk, target: &Target, aim: &mut Aim) {
    let Some(named) = desk.open_if(target.hosts.as_ref()) else { return };
    for (name, _, url) in desk.entries(named, "hosts") {
        if let Some(origin) = origin(desk, url) {
            aim.hosts.push((name.to_owned(), aim.origins.len()));
            aim.origins.push(origin);
        } else {
            // Known by name all the same, so that its uses are not reported too.
            aim.hosts.push((name.to_owned(), 0));
        }
    }
}

/// `http://host:port` and nothing behind it.
pub(super) fn origin(desk: &mut Desk, url: &Spanned<String>) -> Option<Origin> {
    let text = desk.text(url)?;
    let (scheme, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
        (Some(rest), _) => (Scheme::Http, rest),
        (_, Some(rest)) => (Scheme::Https, rest),
        _ => {
            desk.error("bad_url", url.mark, format!("`{text}` is not an http address"), "write `http://host:port`");
            return None;
        }
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#', '@', ' ']) {
        let help = "write scheme, host and port only; paths belong to the steps, credentials nowhere";
        desk.error("bad_url", url.mark, format!("`{text}` has more than an address"), help);
        return None;
    }
    let address = split_authority(authority, scheme.port())
        .map(|(host, port)| Origin { scheme, ..Origin::clear(host, port, Vec::new()) });
    if address.is_none() {
        desk.error("bad_url", url.mark, format!("`{text}` has no usable host and port"), "write `http://host:port`");
    }
    address
}

/// `host`, `host:port`, `[::1]:port`; the port is the scheme's unless given.
pub(super) fn split_authority(authority: &str, usual: u16) -> Option<(String, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, behind) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            let port = if behind.is_empty() { usual } else { behind.strip_prefix(':')?.parse().ok()? };
            (format!("[{host}]"), port)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host.to_owned(), port.parse().ok()?),
            None => (authority.to_owned(), usual),
        },
    };
    let is_host = host.starts_with('[')
        || (!host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c)));
    (is_host && port != 0).then_some((host, port))
}

/// The length of the load against what the target allows.
pub(super) fn length(desk: &mut Desk, max_run: Option<(Duration, Mark)>, (workloads, at): (&[Workload], Mark)) {
    let lasts = workloads.iter().map(Workload::length).max().unwrap_or_default();
    let (most, at) = max_run.unwrap_or((MAX_RUN, at));
    if lasts > most {
        let message = format!("the load lasts {}, above max_run {}", show(lasts), show(most));
        desk.error("ceiling", at, message, "shorten the load, or raise `target.max_run`");
    }
}

/// The planned peak against the target's own ceiling: requests, not journeys.
pub(super) fn ceiling(
    desk: &mut Desk,
    max_rate: Option<(f64, Mark)>,
    (workloads, journeys): (&[Workload], &[Journey]),
) {
    let Some((ceiling, mark)) = max_rate else { return };
    let busiest = peak(workloads, journeys, &|_| true);
    if busiest.rate > ceiling {
        let (rate, ceiling) = (Rate::per_second(busiest.rate), Rate::per_second(ceiling));
        let second = busiest.second;
        let message = format!("the planned peak of {rate} requests at second {second} is above max_rate {ceiling}");
        desk.error("ceiling", mark, message, "lower the rate of the load, or raise max_rate");
    }
}
