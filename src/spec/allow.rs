//! `squall.targets.ron` as written: who may be sent traffic, at which rate, and until when.

use super::source::Spanned;
use super::written::written;

written! {
    /// The whole file.
    Targets { allow: Option<Spanned<Vec<Spanned<Entry>>>>, never: Option<Spanned<Vec<Spanned<String>>>> } later {}
}

written! {
    /// One allowed host or network.
    Entry {
        host: Option<Spanned<String>>,
        net: Option<Spanned<String>>,
        ports: Option<Spanned<Vec<Spanned<u64>>>>,
        max_rate: Option<Spanned<String>>,
        owner: Option<Spanned<String>>,
        until: Option<Spanned<String>>,
    } later {}
}
