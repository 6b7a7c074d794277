//! The drill with hostile text wherever text comes from outside.
//!
//! Not here: any assertion.

use std::mem;

use super::drill::{drill, line};
use crate::judge::account::Account;
use crate::judge::finding::Verdict;
use crate::measure::journal::{Event, Source};

/// What somebody could call a step to break a report.
pub(in crate::report) const HOSTILE: &str =
    "</script><img onerror=alert(1) src=x> ]]> | `x` ::error:: \u{7}\u{1b}[31m \u{202e} \"'&";

/// The drill, as somebody would have it who wants to break a report.
pub(in crate::report) fn hostile() -> Account {
    let mut account = drill();
    let long = "n".repeat(10_000);
    account.facts.name = HOSTILE.into();
    account.facts.repeat = format!("squall drill '{HOSTILE}'");
    account.ended = HOSTILE.into();
    account.totals.steps = mem::take(&mut account.totals.steps)
        .into_iter()
        .enumerate()
        .map(|(n, (_, cell))| (if n == 0 { long.clone() } else { format!("{HOSTILE}{n}") }, cell))
        .collect();
    for cell in account.seconds.iter_mut().flat_map(|second| second.steps.values_mut()).chain([&mut account.totals.all])
    {
        cell.errors =
            mem::take(&mut cell.errors).into_iter().map(|(kind, n)| (format!("{HOSTILE}{kind}"), n)).collect();
    }
    for finding in &mut account.findings {
        finding.id = format!("{HOSTILE}{}", finding.id);
        finding.subject = HOSTILE.into();
        finding.observed = HOSTILE.into();
        finding.next = HOSTILE.into();
        finding.verdict = Verdict::Fail;
    }
    account.exemplars.iter_mut().for_each(|one| one.step = HOSTILE.into());
    account.bands.iter_mut().for_each(|band| band.name = HOSTILE.into());
    if let Some(drill) = &mut account.drill {
        drill.about.title = HOSTILE.into();
        drill.about.hypothesis = HOSTILE.into();
        drill.acts[0].name = HOSTILE.into();
        drill.acts[0].proof = HOSTILE.into();
        drill.actions[0].label = HOSTILE.into();
        drill.timeline.detected_by = HOSTILE.into();
        drill.marks.push(line(30, 120.0, Source::Player, Event::Mark { mark: HOSTILE.into(), text: HOSTILE.into() }));
        drill.expectations.iter_mut().for_each(|one| one.name = HOSTILE.into());
    }
    account
}
