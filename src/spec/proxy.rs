//! A file of proxies as written: `squall proxy --config F.ron`.
//!
//! Not here: ranges and names (`plan::check::proxy`).

use super::envelope::{Caps, Keep, Pattern, Per, Ramp};
use super::inject::{Inject, Side};
use super::source::Spanned;
use super::written::written;

written! {
    /// Proxies, and what is wrong with them from their first connection on.
    Proxy { proxies: Spanned<Vec<Spanned<Listener>>>, ledger: Option<Spanned<Keep>> } later { version }
}

written! {
    /// One proxy.
    Listener {
        name: Spanned<String>,
        listen: Option<Spanned<String>>,
        upstream: Spanned<String>,
        faults: Option<Spanned<Vec<Spanned<Standing>>>>,
    } later { speaks, dial_timeout, on_dial_failure, buffer, probe }
}

written! {
    /// A fault that stands as long as its proxy.
    Standing {
        name: Spanned<String>,
        inject: Spanned<Inject>,
        side: Option<Spanned<Side>>,
        share: Option<Spanned<String>>,
        per: Option<Spanned<Per>>,
        pattern: Option<Spanned<Pattern>>,
        ramp: Option<Spanned<Ramp>>,
        caps: Option<Spanned<Caps>>,
        lasts: Option<Spanned<String>>,
    } later { users }
}
