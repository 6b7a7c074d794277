//! Annotations of GitHub Actions: one line per finding that did not pass, anchored where the check is written.
//!
//! Ten of a type are shown per step: nine and one that counts the rest. Text from outside cannot end a line or a property.
//! Printed by `cli::ci`. Not here: whether this is GitHub.

use super::view::View;
use super::view::checks::{Check, counted};
use super::words;
use crate::judge::account::Account;
use crate::judge::finding::{Finding, Verdict};
use crate::plan::threshold::Level;

/// Shown of one type, before the line that counts the rest.
const MOST: usize = 9;

/// All annotations, one per line.
pub fn github(account: &Account, view: &View) -> String {
    let mut lines = Vec::new();
    for kind in ["error", "warning"] {
        let ours: Vec<&Finding> = account.findings.iter().filter(|one| of(one) == Some(kind)).collect();
        lines.extend(ours.iter().take(MOST).map(|one| line(kind, one)));
        if ours.len() > MOST {
            let more = ours.len() - MOST;
            lines.push(format!("::{kind} title=squall::and {more} more: see the report of {}", data(&view.title)));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn of(finding: &Finding) -> Option<&'static str> {
    match (finding.level, counted(finding)) {
        (Level::Info, _) | (_, Verdict::Pass) => None,
        (_, Verdict::Fail | Verdict::Invalid) => Some("error"),
        (_, Verdict::Warn | Verdict::Inconclusive) => Some("warning"),
    }
}

fn line(kind: &str, finding: &Finding) -> String {
    let place = finding.source.as_ref().filter(|place| !place.file.is_empty() && !place.file.starts_with('-'));
    let at = place.map(|place| format!("file={},line={},", property(&place.file), place.line)).unwrap_or_default();
    let Check { id, observed, expected, .. } = super::view::checks::check(finding);
    let word = finding.verdict.word();
    format!("::{kind} {at}title={}::{}", property(&id), data(&format!("{word}: {observed}, demanded {expected}")))
}

/// Free text of a command.
fn data(text: &str) -> String {
    words::plain(&words::text(text)).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(&words::name(text)).replace(':', "%3A").replace(',', "%2C")
}
