//! Rules as written become rules as run, and so does what a proxy speaks.
//!
//! Called by `inject`, and by the checks of proxies. Not here: envelopes, shares and names of faults.

mod http;
mod postgres;
mod redis;

use super::desk::Desk;
use super::inject::{ending, time};
use crate::plan::fault::Ending;
use crate::plan::fault::rule::{Nth, Place, Protocol, Rule, Speaks, Tls, Within};
use crate::spec::rule as spec;
use crate::spec::source::{Mark, Spanned};

pub(super) use http::http;
pub(super) use postgres::rule as postgres;
pub(super) use redis::redis;

/// What a proxy speaks.
pub(super) fn speaks(desk: &mut Desk, written: Option<&Spanned<spec::Speaks>>) -> Option<Speaks> {
    let Some(spanned) = written else { return Some(Speaks::default()) };
    let (protocol, spoken) = match desk.open(spanned)? {
        spec::Speaks::Bytes => return Some(Speaks::default()),
        spec::Speaks::Http(spoken) => (Protocol::Http, spoken),
        spec::Speaks::Postgres(spoken) => (Protocol::Postgres, spoken),
        spec::Speaks::Redis(spoken) => (Protocol::Redis, spoken),
    };
    let tls = match desk.open_if(spoken.tls.as_ref()) {
        Some(spec::Tls::Refuse) | None => Tls::Refuse,
        Some(spec::Tls::Pass) => Tls::Pass,
    };
    Some(Speaks { protocol, tls })
}

/// A rule needs a proxy that reads its protocol: `speaks` stands at `proxy`, or nowhere.
pub(super) fn agree(desk: &mut Desk, rule: (&Rule, Mark), speaks: (&Speaks, Mark)) {
    let ((rule, at), (speaks, proxy)) = (rule, speaks);
    let (wants, has) = (rule.protocol(), speaks.protocol);
    let wants = wants.name();
    if wants != has.name() {
        let message = format!("a rule of {wants} on a proxy that speaks {}", has.name());
        let help = format!("write speaks: {wants}(tls: Refuse) at the proxy, or inject a toxic");
        desk.error("wrong-protocol", at, message, help);
        desk.related(proxy, "the proxy is here");
    } else if speaks.tls == Tls::Pass {
        let message = format!("a rule of {wants} on a proxy that passes TLS as bytes");
        let help = "write tls: Refuse at the proxy, and lead clear connections to it";
        desk.error("wrong-protocol", at, message, help);
        desk.related(proxy, "the proxy is here");
    }
}

fn nth(desk: &mut Desk, written: Option<&Spanned<spec::Nth>>) -> Option<Nth> {
    let one = desk.open(written?)?;
    let of = match desk.open_if(one.of.as_ref()) {
        Some(spec::Within::Connection) | None => Within::Connection,
        Some(spec::Within::Transaction) => Within::Transaction,
        Some(spec::Within::Fault) => Within::Fault,
    };
    let n = *desk.open(&one.n)?;
    if n == 0 {
        desk.error("out-of-range", one.n.mark, "the first is number 1", "write at least 1");
    }
    Some(Nth { n, of })
}

fn cut(desk: &mut Desk, written: &spec::Cut) -> Option<(u64, Ending)> {
    let (after, close) = (desk.size(&written.after), ending(desk, written.close.as_ref()));
    Some((after?, close))
}

fn place(desk: &mut Desk, written: Option<&Spanned<spec::Hold>>) -> Option<Place> {
    Some(match desk.open_if(written) {
        Some(spec::Hold::Request) | None => Place::Request,
        Some(spec::Hold::Response) => Place::Response,
        Some(spec::Hold::Body(after)) => Place::Body(desk.size(after)?),
        Some(spec::Hold::Server) => Place::Server,
    })
}
