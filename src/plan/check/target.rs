//! Where requests go: the target's base and hosts, and the ceiling over its rate.
//!
//! Not here: whether they may be sent there (`plan::guard`), or which address a name has (`load`).

use super::desk::Desk;
use super::peak::peak;
use super::scenario::Instead;
use crate::base::rate::Rate;
use crate::plan::load::{Origin, Workload};
use crate::plan::program::Journey;
use crate::spec::scenario::{Scenario, Target};
use crate::spec::source::{Mark, Spanned};

/// What the target says.
#[derive(Debug, Default)]
pub(super) struct Aim {
    pub(super) origins: Vec<Origin>,
    /// Names of `hosts` with the index of their origin.
    pub(super) hosts: Vec<(String, usize)>,
    pub(super) max_rate: Option<(f64, Mark)>,
}

pub(super) fn target(desk: &mut Desk, written: &Scenario, instead: &Instead) -> Aim {
    let mut aim = Aim::default();
    if let Instead::Drill { origin, .. } = instead {
        aim.origins.push(origin.clone());
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
    if text.starts_with("https://") {
        desk.error("not_built", url.mark, "`https` is known but not built yet", "use http for now");
        return None;
    }
    let Some(rest) = text.strip_prefix("http://") else {
        desk.error("bad_url", url.mark, format!("`{text}` is not an http address"), "write `http://host:port`");
        return None;
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#', '@', ' ']) {
        let help = "write scheme, host and port only; paths belong to the steps, credentials nowhere";
        desk.error("bad_url", url.mark, format!("`{text}` has more than an address"), help);
        return None;
    }
    let address =
        split_authority(authority).map(|(host, port)| Origin { host, port, pinned: Vec::new(), ceiling: None });
    if address.is_none() {
        desk.error("bad_url", url.mark, format!("`{text}` has no usable host and port"), "write `http://host:port`");
    }
    address
}

/// `host`, `host:port`, `[::1]:port`; the port is 80 unless given.
pub(super) fn split_authority(authority: &str) -> Option<(String, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, behind) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (format!("[{host}]"), behind.strip_prefix(':').or(behind.is_empty().then_some("80"))?)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host.to_owned(), port),
            None => (authority.to_owned(), "80"),
        },
    };
    let is_host = host.starts_with('[')
        || (!host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c)));
    let port = port.parse().ok().filter(|port| *port != 0)?;
    is_host.then_some((host, port))
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
