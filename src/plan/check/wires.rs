//! How the target is reached: protocol, TLS, own addresses, and where to connect instead.
//!
//! Not here: origins themselves (`target`), whether they may be reached (`plan::guard`), reading certificates (`load`).

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::desk::{Desk, suggest};
use super::files::Files;
use super::target::split_authority;
use crate::plan::load::{Origin, Scheme, Via};
use crate::plan::wires::{Roots, Tls, TlsVersion, Trust, Version};
use crate::spec::scenario::{Dns, Roots as WrittenRoots, Target, Tls as WrittenTls, Version as WrittenVersion};
use crate::spec::source::Spanned;

/// Names are looked up no more often than this.
const SHORTEST: Duration = Duration::from_secs(1);

/// Protocol, TLS and own addresses.
pub(super) fn wires(desk: &mut Desk, target: &Target, origins: &[Origin]) -> (Version, Tls, Vec<IpAddr>) {
    let version = match desk.open_if(target.http.as_ref()) {
        None | Some(WrittenVersion::Auto) => Version::Auto,
        Some(WrittenVersion::Http1) => Version::Http1,
        Some(WrittenVersion::Http2) => Version::Http2,
        Some(WrittenVersion::Http2Prior) => Version::Http2Prior,
    };
    let in_clear = origins.iter().any(|origin| origin.scheme == Scheme::Http);
    if let Some(at) = target.http.as_ref().filter(|_| version == Version::Http2 && in_clear) {
        let help = "write `Http2Prior` for HTTP/2 in clear, or use https";
        desk.error("bad_url", at.mark, "`Http2` is agreed on in TLS, and a target is in clear", help);
    }
    let tls = desk.open_if(target.tls.as_ref()).map(|written| tls(desk, written)).unwrap_or_default();
    let mut source = Vec::new();
    for spanned in desk.open_if(target.source.as_ref()).into_iter().flatten() {
        let Some(text) = desk.text(spanned) else { continue };
        if let Ok(address) = text.parse() {
            source.push(address);
        } else {
            let help = "write an address of this machine such as `127.0.0.2`";
            desk.error("source", spanned.mark, format!("`{text}` is not an address"), help);
        }
    }
    (version, tls, source)
}

/// How old the answer of a resolver may be.
pub(super) fn dns(desk: &mut Desk, target: &Target) -> Option<Duration> {
    let Some(Dns::Every(every)) = desk.open_if(target.dns.as_ref()) else { return None };
    let time = desk.duration(every)?;
    if time < SHORTEST {
        let help = "write at least 1s, or `Once`";
        desk.error("bad_number", every.mark, "names are not looked up so often", help);
    }
    Some(time)
}

fn tls(desk: &mut Desk, written: &WrittenTls) -> Tls {
    let mut tls = Tls::default();
    match desk.open_if(written.roots.as_ref()) {
        None | Some(WrittenRoots::Platform) => {}
        Some(WrittenRoots::File(file)) => tls.roots = file_of(desk, file).map_or(Roots::Platform, Roots::File),
        Some(WrittenRoots::Both(file)) => tls.roots = file_of(desk, file).map_or(Roots::Platform, Roots::Both),
    }
    if let Some(spanned) = written.insecure.as_ref().filter(|spanned| matches!(spanned.value, Ok(true))) {
        tls.trust = Trust::Insecure;
        let help = "leave it out where you can; every report says that it was on";
        desk.warn("insecure", spanned.mark, "the server's certificate is not checked", help);
    }
    desk.open_if(written.insecure.as_ref());
    if let Some(identity) = desk.open_if(written.client.as_ref()) {
        tls.client = file_of(desk, &identity.cert).zip(file_of(desk, &identity.key));
    }
    tls.sni = written.sni.as_ref().and_then(|name| desk.text(name)).map(str::to_owned);
    if let Some(spanned) = &written.min {
        match desk.text(spanned) {
            Some("1.3") => tls.min = TlsVersion::V13,
            Some("1.2") | None => {}
            Some(other) => {
                let message = format!("`{other}` is no version of TLS that is spoken");
                desk.error("unknown_kind", spanned.mark, message, "write \"1.2\" or \"1.3\"");
            }
        }
    }
    tls
}

/// A file beside the scenario.
fn file_of(desk: &mut Desk, spanned: &Spanned<String>) -> Option<PathBuf> {
    let name = desk.text(spanned)?;
    Some(PathBuf::from(Files::beside(&desk.source.path, name)))
}

/// `connect_to` and `unix`: other places for some origins, or one for all.
pub(super) fn elsewhere(desk: &mut Desk, target: &Target, origins: &mut [Origin]) {
    if let Some(named) = desk.open_if(target.connect_to.as_ref()) {
        for (name, at, to) in desk.entries(named, "entries of connect_to") {
            let Some(text) = desk.text(to) else { continue };
            let Ok(address) = text.parse() else {
                let help = "write an address and a port such as `127.0.0.1:8443`";
                desk.error("bad_url", to.mark, format!("`{text}` is not an address with a port"), help);
                continue;
            };
            let place = split_authority(name, 0).filter(|_| name.contains(':'));
            let known: Vec<String> = origins.iter().map(|one| format!("{}:{}", one.host, one.port)).collect();
            let mut met =
                origins.iter_mut().filter(|one| place.as_ref() == Some(&(one.host.clone(), one.port))).peekable();
            if met.peek().is_none() {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                desk.error("unknown_name", at, format!("there is no target at `{name}`"), suggest(name, &known));
            }
            met.for_each(|one| one.via = Some(Via::Address(address)));
        }
    }
    let Some(spanned) = &target.unix else { return };
    let Some(path) = desk.text(spanned) else { return };
    let path = PathBuf::from(path);
    for one in origins {
        one.via = Some(Via::Unix(path.clone()));
    }
}
