//! A file of proxies: names, addresses, and the faults that stand as long as their proxy.

use super::desk::{Desk, Dialect};
use super::envelope::Parts;
use super::{Checked, Files, envelope, inject};
use crate::plan::fault::{Fault, Keep};
use crate::spec::proxy::{Listener, Proxy, Standing};
use crate::spec::source::{Mark, Spanned};

/// One proxy of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ProxyPlan {
    /// Its name.
    pub name: String,
    /// As written; nothing: any free port of loopback.
    pub listen: String,
    /// As written.
    pub upstream: String,
    /// In force before the first connection.
    pub faults: Vec<Fault>,
}

/// A file of proxies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProxiesPlan {
    /// All of them.
    pub proxies: Vec<ProxyPlan>,
    /// Which decisions of their faults are taken down.
    pub ledger: Keep,
}

/// Reads and checks the file of proxies at `path`.
///
/// # Errors
/// All mistakes of the file, with their places.
pub fn proxies(files: &mut Files, path: &str) -> Checked<ProxiesPlan> {
    let mut desk = super::open(files, path, Dialect::Drill, "missing-file")?;
    let plan = whole(&mut desk);
    super::finish(plan, desk.finish())
}

/// The proxies of a drill's system. What is wrong on them are acts, which heal; a fault that stands does not.
pub(super) fn of_a_drill(desk: &mut Desk, written: &[Spanned<Listener>]) -> Vec<ProxyPlan> {
    let mut plan = Vec::new();
    let (mut names, mut faults): (Names, Names) = (Vec::new(), Vec::new());
    for spanned in written {
        let Some(one) = desk.open(spanned) else { continue };
        if let Some(standing) = &one.faults {
            let message = "a fault that stands would never heal";
            desk.error("contradiction", standing.mark, message, "make it an act: `does: Technical(apply: Fault(…))`");
        }
        plan.extend(listener(desk, one, (&mut names, &mut faults)));
    }
    plan
}

fn whole(desk: &mut Desk) -> Option<ProxiesPlan> {
    let written = desk.source.read::<Proxy>();
    let written = desk.open(&written)?;
    let ledger = envelope::keep(desk, written.ledger.as_ref(), Keep::Off);
    let mut proxies = Vec::new();
    let (mut names, mut faults): (Names, Names) = (Vec::new(), Vec::new());
    for spanned in desk.open(&written.proxies)? {
        let Some(one) = desk.open(spanned) else { continue };
        proxies.extend(listener(desk, one, (&mut names, &mut faults)));
    }
    Some(ProxiesPlan { proxies, ledger })
}

type Names = Vec<(String, Mark)>;

fn listener(desk: &mut Desk, written: &Listener, (names, faults): (&mut Names, &mut Names)) -> Option<ProxyPlan> {
    let name = unique(desk, ("proxy", "proxies"), &written.name, names);
    let upstream = address(desk, &written.upstream);
    let listen = written.listen.as_ref().map_or(Some(String::new()), |listen| address(desk, listen));
    let mut standing = Vec::new();
    for spanned in desk.open_if(written.faults.as_ref()).map_or(&[][..], Vec::as_slice) {
        let Some(one) = desk.open(spanned) else { continue };
        standing.extend(fault(desk, one, name.as_deref(), faults));
    }
    let (upstream, listen) = (upstream?, listen?);
    if upstream == listen {
        let help = "lead it to the system behind it";
        desk.error("out-of-range", written.upstream.mark, "the upstream is this proxy", help);
    }
    Some(ProxyPlan { name: name?, listen, upstream, faults: standing })
}

fn fault(desk: &mut Desk, written: &Standing, on: Option<&str>, names: &mut Names) -> Option<Fault> {
    let name = unique(desk, ("fault", "faults"), &written.name, names);
    let inject = desk.open(&written.inject).and_then(|one| inject::toxic(desk, one));
    let side = inject::side(desk, written.side.as_ref());
    let share = inject::share(desk, written.share.as_ref(), inject.as_ref());
    let lasts = match &written.lasts {
        None => None,
        Some(lasts) => Some(inject::duration(desk, lasts)?),
    };
    let parts = Parts {
        per: written.per.as_ref(),
        pattern: written.pattern.as_ref(),
        ramp: written.ramp.as_ref(),
        caps: written.caps.as_ref(),
    };
    let envelope = envelope::envelope(desk, parts, inject::allows(inject.as_ref()), lasts);
    Some(Fault {
        name: name?,
        on: on?.to_owned(),
        inject: inject?.into(),
        side,
        share: share?,
        lasts,
        envelope: envelope?,
    })
}

/// A name of its kind: `[a-z0-9_-]{1,64}`, and not there before.
fn unique(desk: &mut Desk, (what, many): (&str, &str), written: &Spanned<String>, names: &mut Names) -> Option<String> {
    let name = desk.text(written)?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        let help = "write 1 to 64 of a-z, 0-9, `_` and `-`";
        desk.error("bad-name", written.mark, format!("`{name}` is no name of a {what}"), help);
    }
    if let Some((_, first)) = names.iter().find(|(known, _)| known == name) {
        desk.duplicate(many, name, written.mark, *first);
    }
    names.push((name.to_owned(), written.mark));
    Some(name.to_owned())
}

/// `host:port`.
fn address(desk: &mut Desk, written: &Spanned<String>) -> Option<String> {
    let text = desk.text(written)?;
    if text.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
        let help = "write it as HOST:PORT, such as \"127.0.0.1:5432\"";
        desk.error("bad-address", written.mark, format!("`{text}` is no address"), help);
    }
    Some(text.to_owned())
}
