//! Addresses as clients write them, and who may be listened on or dialled.
//!
//! Not here: the rules of the guard (`plan::guard`).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::errors::Refusal;
use crate::plan::guard::{Guard, Net};

/// `host:port`, in parts.
fn split(text: &str) -> Result<(&str, u16), Refusal> {
    let missing = || Refusal::new(500, format!("listen tcp: address {text}: missing port in address"));
    let (host, port) = text.rsplit_once(':').ok_or_else(missing)?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if bare == host && host.contains(':') {
        return Err(Refusal::new(500, format!("listen tcp: address {text}: too many colons in address")));
    }
    let port = port.parse().map_err(|_| Refusal::new(500, format!("listen tcp: address {port}: invalid port")))?;
    Ok((bare, port))
}

/// The first address of a name; `localhost` and nothing at all are the loopback.
async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Refusal> {
    if host.is_empty() || host.eq_ignore_ascii_case("localhost") {
        return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))]);
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let failed = |text: String| Refusal::new(500, format!("lookup {host}: {text}"));
    let found: Vec<SocketAddr> = match tokio::net::lookup_host((host, port)).await {
        Ok(found) => found.collect(),
        Err(error) => return Err(failed(error.to_string())),
    };
    if found.is_empty() { Err(failed("no address".into())) } else { Ok(found) }
}

/// Where a proxy is to listen: loopback, or within `allowed`.
pub(super) async fn listen(text: &str, allowed: &[Net]) -> Result<SocketAddr, Refusal> {
    let (host, port) = if text.is_empty() { ("", 0) } else { split(text)? };
    let found = resolve(host, port).await?;
    let first = found.first().copied().ok_or_else(|| Refusal::new(500, format!("lookup {host}: no address")))?;
    let ip = first.ip();
    if ip.is_loopback() || allowed.iter().any(|net| net.holds(ip)) {
        return Ok(first);
    }
    Err(Refusal::new(403, format!("listen {text} is not loopback; start with --allow-listen {ip}/32 to allow it")))
}

/// Where a proxy is to lead: loopback, or what the guard allows, each of its addresses.
pub(super) async fn upstream(text: &str, guard: &Guard) -> Result<SocketAddr, Refusal> {
    let (host, port) = split(text)?;
    let refused = |why: String, remedy: String| {
        Refusal::new(403, format!("upstream {text} is not on the allow list: {why}; {remedy}"))
    };
    let local = host.is_empty() || host.eq_ignore_ascii_case("localhost");
    if !local {
        guard.admit_host(host, port).map_err(|refusal| refused(refusal.to_string(), refusal.remedy()))?;
    }
    let found = resolve(host, port).await?;
    for address in found.iter().filter(|_| !local) {
        guard.admit(address.ip(), host, port).map_err(|refusal| refused(refusal.to_string(), refusal.remedy()))?;
    }
    found.first().copied().ok_or_else(|| Refusal::new(500, format!("lookup {host}: no address")))
}
