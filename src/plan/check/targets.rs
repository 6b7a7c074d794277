//! `squall.targets.ron`: every entry names its owner, is not too wide, and has not run out.

use jiff::civil::Date;

use super::desk::{Desk, Dialect};
use super::{Checked, Files};
use crate::base::rate::Rate;
use crate::plan::guard::{Allow, DEFAULT_CEILING, Entry, HostGlob, NEVER_LABELS, Net, Who};
use crate::spec::allow::{Entry as Written, Targets};
use crate::spec::source::{Mark, Spanned};

/// Reads and checks the list of targets at `path`, as of `today` (UTC).
///
/// # Errors
/// All mistakes of the file, entries that have run out, have no owner or are too wide among them.
pub fn targets(files: &mut Files, path: &str, today: Date) -> Checked<Allow> {
    let mut desk = super::open(files, path, Dialect::Scenario, "missing_file")?;
    let allow = whole(&mut desk, path, today);
    super::finish(allow, desk.finish())
}

fn whole(desk: &mut Desk, path: &str, today: Date) -> Option<Allow> {
    let written = desk.source.read::<Targets>();
    let written = desk.open(&written)?;
    let mut allow = Allow { path: path.to_owned(), ..Allow::default() };
    for spanned in desk.open_if(written.allow.as_ref()).map_or(&[][..], Vec::as_slice) {
        let Some(one) = desk.open(spanned) else { continue };
        allow.entries.extend(entry(desk, (one, spanned.mark), today));
    }
    for spanned in desk.open_if(written.never.as_ref()).map_or(&[][..], Vec::as_slice) {
        let Some(text) = desk.text(spanned) else { continue };
        match Net::parse(text).map(Who::Net).or_else(|| HostGlob::parse(text).map(Who::Host)) {
            Some(who) => allow.never.push(who),
            None => bad(desk, text, spanned.mark),
        }
    }
    Some(allow)
}

fn bad(desk: &mut Desk, text: &str, at: Mark) {
    let help = "write a name, `*.staging.example`, an address, or a range such as `10.20.0.0/16`";
    desk.error("bad_target", at, format!("`{text}` names no target"), help);
}

fn entry(desk: &mut Desk, (written, at): (&Written, Mark), today: Date) -> Option<Entry> {
    let who = who(desk, written, at);
    match &written.owner {
        Some(owner) => {
            if desk.text(owner).is_some_and(|owner| owner.trim().is_empty()) {
                desk.error("no_owner", owner.mark, "nobody vouches for this entry", "name the owner of the system");
            }
        }
        None => desk.error("no_owner", at, "nobody vouches for this entry", "add `owner: …`: the owner of the system"),
    }
    if let Some(until) = &written.until {
        match desk.text(until).map(str::parse::<Date>) {
            Some(Ok(date)) if date < today => {
                desk.error(
                    "expired",
                    until.mark,
                    format!("this entry ran out on {date}"),
                    "ask its owner for a new date",
                );
            }
            Some(Err(_)) => desk.error("bad_date", until.mark, "this is not a date", "write it as `2027-03-31`"),
            Some(Ok(_)) | None => {}
        }
    }
    let max_rate = written.max_rate.as_ref().map_or(Some(DEFAULT_CEILING), |rate| desk.rate(rate));
    let ports = ports(desk, written.ports.as_ref(), at);
    Some(Entry { who: who?, ports, max_rate: Rate::per_second(max_rate?) })
}

fn who(desk: &mut Desk, written: &Written, at: Mark) -> Option<Who> {
    match (&written.host, &written.net) {
        (Some(host), None) => {
            let text = desk.text(host)?;
            let Some(glob) = HostGlob::parse(text).filter(|_| Net::parse(text).is_none()) else {
                bad(desk, text, host.mark);
                return None;
            };
            if glob.is_too_wide() {
                desk.error(
                    "too_wide",
                    host.mark,
                    format!("`{text}` is a whole top-level domain"),
                    "name at least two labels",
                );
            }
            if let Some(label) =
                text.split('.').find(|label| NEVER_LABELS.contains(&label.to_ascii_lowercase().as_str()))
            {
                let help = "names with prod, prd, production or live are never sent traffic";
                desk.warn("never_wins", host.mark, format!("the label `{label}` makes this entry useless"), help);
            }
            Some(Who::Host(glob))
        }
        (None, Some(net)) => {
            let text = desk.text(net)?;
            let Some(range) = Net::parse(text) else {
                bad(desk, text, net.mark);
                return None;
            };
            if range.is_too_wide() {
                let help = "name at least the first 8 bits of IPv4, the first 32 of IPv6";
                desk.error("too_wide", net.mark, format!("`{text}` is too wide a range"), help);
            }
            Some(Who::Net(range))
        }
        _ => {
            desk.error("missing_field", at, "an entry names a `host` or a `net`, one of them", "");
            None
        }
    }
}

fn ports(desk: &mut Desk, written: Option<&Spanned<Vec<Spanned<u64>>>>, at: Mark) -> Vec<u16> {
    let Some(spanned) = written else {
        desk.error("missing_field", at, "`ports` is missing", "add `ports: [80]`");
        return Vec::new();
    };
    let mut ports = Vec::new();
    for one in desk.open(spanned).map_or(&[][..], Vec::as_slice) {
        let Some(number) = desk.open(one).copied() else { continue };
        match u16::try_from(number).ok().filter(|port| *port != 0) {
            Some(port) => ports.push(port),
            None => desk.error("bad_number", one.mark, format!("there is no port {number}"), "write 1 to 65535"),
        }
    }
    ports
}
