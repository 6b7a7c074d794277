//! The summary at the end of a run: at most 40 lines, on as many columns as the terminal has, at most 100.
//!
//! Colour only where it is asked for; the words carry the meaning. Not here: printing (`cli`), progress (`live`).

use std::fmt::Write as _;

use super::view::checks::Check;
use super::view::tables::CellRow;
use super::view::{self, View, compared};
use super::words;
use crate::judge::account::Account;
use crate::judge::finding::{FindingKind, Verdict};
use crate::measure::outcome::Class;

/// Whether escape codes may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// No escape byte at all: not a terminal, or `NO_COLOR`.
    Plain,
    /// The sixteen standard colours.
    Ansi,
}

const MOST_LINES: usize = 40;
const MOST_COLUMNS: usize = 100;
const STEP_ROWS: usize = 6;
const CHECK_ROWS: usize = 10;

/// One line under way: pieces, each with its colour.
type Line = Vec<(String, Option<&'static str>)>;

const RED: &str = "31;1";
const GREEN: &str = "32;1";
const AMBER: &str = "33;1";
const MAGENTA: &str = "35;1";
const BOLD: &str = "1";
const DIM: &str = "2";

fn code(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => GREEN,
        Verdict::Warn | Verdict::Inconclusive => AMBER,
        Verdict::Fail => RED,
        Verdict::Invalid => MAGENTA,
    }
}

fn shout(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "PASS",
        Verdict::Warn => "WARN",
        Verdict::Inconclusive => "INCONCLUSIVE",
        Verdict::Fail => "FAIL",
        Verdict::Invalid => "INVALID",
    }
}

/// The summary of `account`, which ended with `exit_code`; `page` is where the report lies. Every line ends with a newline;
/// no line is longer than `columns` (40 to 100) characters.
pub fn summary(account: &Account, exit_code: u8, page: &str, columns: usize, colour: Colour) -> String {
    let view = view::of(account, exit_code);
    let columns = columns.clamp(40, MOST_COLUMNS);
    let mut lines = head(account, &view);
    lines.push(Line::new());
    for text in wrapped(&view.headline, columns, 4).into_iter().chain(wrapped(&view.subline, columns, 2)) {
        lines.push(vec![(text, None)]);
    }
    lines.push(Line::new());
    lines.extend(table(&view));
    lines.push(Line::new());
    lines.extend(compared(account));
    lines.extend(checks(&view));
    if let Some(next) =
        view.checks.iter().find(|one| one.verdict != Verdict::Pass && one.level != "info" && !one.next.is_empty())
    {
        lines.extend(wrapped(&format!("next: {}", next.next), columns, 2).into_iter().map(|text| vec![(text, None)]));
    }
    lines.truncate(MOST_LINES - 1);
    lines.push(last(&view, page));
    lines.iter().map(|line| shown(line, columns, colour)).collect()
}

/// The one line of `--quiet`: verdict, page, exit code.
pub fn quiet(account: &Account, exit_code: u8, page: &str, colour: Colour) -> String {
    shown(&last(&view::of(account, exit_code), page), usize::MAX, colour)
}

fn head(account: &Account, view: &View) -> Vec<Line> {
    let (facts, totals, own) = (&account.facts, &account.totals, &account.generator);
    let achieved =
        if totals.offered > 0.0 { words::share((totals.achieved / totals.offered).min(1.0)) } else { "–".to_owned() };
    let score = view
        .facts
        .iter()
        .find(|(name, _)| *name == "Score")
        .map_or_else(String::new, |(_, score)| format!("  score {score}"));
    let title = format!("squall {}  ", words::name(&facts.squall));
    let rest = format!(
        "  seed {}  plan {}  {}{score}",
        facts.seed,
        view::short(&facts.plan_hash),
        words::span(totals.duration_s)
    );
    let health = format!(
        "lateness p99 {} · cpu {} · offered {} · achieved {achieved} · shed {}",
        words::time_or_dash(own.lateness_p99_us),
        words::share(own.cpu_peak),
        words::rate(totals.offered),
        words::count(totals.all.classes.get(Class::Shed)),
    );
    vec![
        vec![(title, Some(DIM)), (words::name(&facts.name), Some(BOLD)), (rest, Some(DIM))],
        vec![(format!("{:<9}", view::generator_word(own.verdict)), Some(code(own.verdict))), (health, None)],
    ]
}

fn table(view: &View) -> Vec<Line> {
    let bad = if view.drill.is_some() { "bad" } else { "errors" };
    let head = format!(
        "{:<20}{:>10}{:>7}{:>10}{:>22}{:>22}{:>9}",
        "", "n", "n_eff", "p50", "p95 [95 % CI]", "p99 [95 % CI]", bad
    );
    let cells = |row: &CellRow| cells(row, if view.drill.is_some() { &row.bad } else { &row.errors });
    let mut lines = vec![vec![(head, Some(DIM))]];
    let tables = &view.tables;
    let rows = std::iter::once(&tables.all).chain(tables.steps.iter().take(STEP_ROWS));
    lines.extend(rows.map(|row| vec![(cells(row), None)]));
    if tables.steps.len() > STEP_ROWS {
        lines.push(vec![(format!("{} more steps in the report", tables.steps.len() - STEP_ROWS), Some(DIM))]);
    }
    if view.drill.is_some() {
        let room = (2 + STEP_ROWS).saturating_sub(tables.steps.len()).max(4);
        lines.extend(tables.stretches.iter().take(room).map(|row| vec![(cells(row), Some(DIM))]));
    }
    lines
}

fn cells(row: &CellRow, errors: &str) -> String {
    let name: String = row.name.chars().take(19).collect();
    let [p50, ..] = &row.times;
    let [_, p95, p99] = &row.ranged;
    format!("{name:<20}{:>10}{:>7}{p50:>10}{p95:>22}{p99:>22}{errors:>9}", row.n, row.n_eff)
}

/// One line per comparison, then what the gate could not have seen.
fn compared(account: &Account) -> Vec<Line> {
    let all = compared::lines(account);
    let more = all.len().saturating_sub(CHECK_ROWS);
    let mut lines: Vec<Line> = all
        .into_iter()
        .take(CHECK_ROWS)
        .map(|(verdict, text)| vec![(format!("  {text}  "), None), (shout(verdict).to_owned(), Some(code(verdict)))])
        .collect();
    if more > 0 {
        lines.push(vec![(format!("  {more} more comparisons in the report"), Some(DIM))]);
    }
    lines.extend(compared::detectable(account).map(|text| vec![(format!("  {text}"), Some(DIM))]));
    lines
}

fn checks(view: &View) -> Vec<Line> {
    // Comparisons have lines of their own.
    let plain = || view.checks.iter().filter(|check| check.kind != FindingKind::Comparison);
    let open: Vec<&Check> = plain().filter(|check| check.verdict != Verdict::Pass).collect();
    let mut lines: Vec<Line> = open.iter().take(CHECK_ROWS).map(|check| check_line(check)).collect();
    let passed = plain().count() - open.len();
    let rest = match (open.len().saturating_sub(CHECK_ROWS), passed) {
        (0, 0) => return lines,
        (0, passed) => vec![("  pass".to_owned(), Some(GREEN)), (format!("   {passed} held"), None)],
        (more, passed) => vec![(format!("  {more} more in the report, {passed} held"), Some(DIM))],
    };
    lines.push(rest);
    lines
}

fn check_line(check: &Check) -> Line {
    let cut = |text: &str, most: usize| -> String {
        if text.chars().count() <= most {
            text.to_owned()
        } else {
            text.chars().take(most - 1).chain(['…']).collect()
        }
    };
    let word = match check.verdict {
        _ if check.level == "info" => "info",
        Verdict::Inconclusive => "?",
        verdict => shout(verdict),
    };
    let word = format!("  {word:<4}");
    let seen = format!("{}, demanded {}", check.observed, check.expected);
    vec![(word, Some(code(check.verdict))), (format!("   {:<38}  {}", cut(&check.id, 38), cut(&seen, 50)), None)]
}

fn last(view: &View, page: &str) -> Line {
    let word = match view.exit_code {
        3 | 6 | 7 | 130 | 143 => view.word.to_uppercase(),
        _ => shout(view.verdict).to_owned(),
    };
    vec![(word, Some(code(view.verdict))), (format!("  {}  exit {}", words::text(page), view.exit_code), None)]
}

/// `text` in lines of at most `columns` characters, at most `most` lines.
fn wrapped(text: &str, columns: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let full = lines
            .last()
            .is_some_and(|line| !line.is_empty() && line.chars().count() + 1 + word.chars().count() > columns);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.truncate(most);
    lines
}

/// The line, cut to `columns` characters, in ordinary spaces and without any control character of its own.
fn shown(line: &Line, columns: usize, colour: Colour) -> String {
    let mut left = columns;
    let mut text = String::new();
    for (piece, code) in line {
        let whole: String = words::plain(piece).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        let cut: String = whole.chars().take(left).collect();
        left -= cut.chars().count();
        match (colour, code) {
            (Colour::Ansi, Some(code)) if !cut.trim().is_empty() => {
                let _ = write!(text, "\u{1b}[{code}m{cut}\u{1b}[0m");
            }
            _ => text.push_str(&cut),
        }
    }
    format!("{}\n", text.trim_end())
}
