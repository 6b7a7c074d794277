//! `summary.md`: the run as a comment on a change, or as the summary of a CI job: one sentence, one table, worst first.
//!
//! Stays under 60 KB: passing rows go first, and their number is said. Names stand in code spans in which nothing is markup.
//! Called by `report::write_all` and by `cli::ci`. Not here: the post-mortem of a drill.

use std::fmt::Write as _;

use super::super::view::View;
use super::super::view::checks::Check;
use super::super::{knee, view, words};
use super::safe;
use crate::judge::account::Account;
use crate::judge::finding::Verdict;
use crate::judge::search::Course;

/// A comment on a change holds 64 KB.
const MOST_BYTES: usize = 60_000;

/// The file.
pub fn summary(account: &Account, view: &View) -> String {
    let facts = &account.facts;
    let mut text = format!("<!-- squall:{}:{} -->\n", slug(&facts.name), slug(&facts.target));
    let name = code(&view.title);
    let _ = writeln!(text, "## {} {}: {name}\n", sign(view.verdict), view.word);
    let _ = writeln!(text, "{}\n\n{}\n", safe(&view.headline), safe(&view.subline));
    if let Some(course) = &account.search {
        rates(&mut text, course);
    }
    let tail = tail(account, view);
    checks(&mut text, &view.checks, MOST_BYTES.saturating_sub(tail.len()));
    text.push_str(&tail);
    words::plain(&text)
}

/// What a name becomes in the hidden marker by which an old comment is found and replaced.
fn slug(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._/".contains(c) { c.to_ascii_lowercase() } else { '_' };
    text.chars().take(100).map(plain).collect()
}

fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅",
        Verdict::Warn => "⚠️",
        Verdict::Inconclusive => "❔",
        Verdict::Fail => "❌",
        Verdict::Invalid => "⛔",
    }
}

/// `name` as a code span that also survives a table.
pub(super) fn code(name: &str) -> String {
    let mut inside = String::new();
    let mut letters = words::name(name).chars().collect::<Vec<_>>().into_iter().peekable();
    while let Some(c) = letters.next() {
        match c {
            '`' => inside.push('\''),
            '|' => inside.push('¦'),
            // A comparison stays one; what could begin a tag does not.
            '<' if letters.peek().is_some_and(|next| !matches!(next, ' ' | '=')) => inside.push('‹'),
            c => inside.push(c),
        }
    }
    format!("`{}`", inside.trim())
}

fn rates(text: &mut String, course: &Course) {
    let rows: Vec<Vec<String>> =
        knee::rows(course).iter().map(|row| row.iter().map(|cell| safe(cell)).collect()).collect();
    super::table(text, &knee::HEAD, &rows);
    text.push('\n');
}

/// The findings that fit into `room` bytes, worst first; how many more there are is said.
fn checks(text: &mut String, checks: &[Check], room: usize) {
    if checks.is_empty() {
        return;
    }
    let head = ["", "demand", "seen", "demanded"];
    super::table(text, &head, &[]);
    let line = |check: &Check| {
        let cells = [check.verdict.word().to_owned(), code(&check.id), safe(&check.observed), safe(&check.expected)];
        format!("| {} |\n", cells.join(" | "))
    };
    let mut left = 0;
    for (at, check) in checks.iter().enumerate() {
        let row = line(check);
        if text.len() + row.len() + 200 > room {
            left = checks.len() - at;
            break;
        }
        text.push_str(&row);
    }
    text.push('\n');
    if left > 0 {
        let passed = checks.iter().rev().take(left).filter(|one| one.verdict == Verdict::Pass).count();
        let _ = writeln!(text, "{left} more rows are in the report, {passed} of them passed.\n");
    }
}

fn tail(account: &Account, view: &View) -> String {
    let facts = &account.facts;
    let mut tail = String::new();
    if let Some(next) = view.checks.iter().find(|one| one.verdict != Verdict::Pass && !one.next.is_empty()) {
        let _ = writeln!(tail, "Next: {}\n", safe(&next.next));
    }
    let _ = writeln!(
        tail,
        "{} in {} · seed {} · plan {} · generator {} · report: `index.html` · repeat: {}",
        words::plural(account.totals.all.arrivals(), "arrival"),
        words::span(account.totals.duration_s),
        facts.seed,
        code(&view::short(&facts.plan_hash)),
        view::generator_word(account.generator.verdict),
        code(&facts.repeat),
    );
    tail
}
