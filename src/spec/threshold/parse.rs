//! Reads one line. Every mistake is worded here once; the place is a range of bytes of the line.

use super::bound::{bound, modifiers};
use super::scan::Scan;
use super::{Cmp, Key, Level, Line, Refusal, Selector, Subject};
use crate::base::name::nearest;

const SUBJECTS: [&str; 18] = [
    "mean",
    "max",
    "min",
    "errors",
    "timeouts",
    "shed",
    "slow",
    "apdex",
    "offered",
    "achieved",
    "goodput",
    "requests",
    "recovery",
    "unavailable",
    "lateness.p99",
    "generator_cpu",
    "p95",
    "p99",
];

/// What people coming from other tools write, and our word for it.
const OTHER_WORDS: [(&str, &str); 12] = [
    ("rps", "achieved"),
    ("qps", "achieved"),
    ("throughput", "achieved"),
    ("rate", "achieved"),
    ("route", "step"),
    ("path", "step"),
    ("name", "step"),
    ("url", "step"),
    ("avg", "mean"),
    ("average", "mean"),
    ("median", "p50"),
    ("failures", "errors"),
];

/// "did you mean" for `wrong`, when something is near.
fn meant<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let ours = OTHER_WORDS.iter().find(|(theirs, ours)| {
        *theirs == wrong && (known.contains(ours) || (ours.starts_with('p') && known.contains(&"p95")))
    });
    let near = ours.map(|(_, ours)| *ours).or_else(|| nearest(wrong, known));
    near.map(|near| format!(": did you mean {near}?")).unwrap_or_default()
}

/// Reads `text`.
///
/// # Errors
/// The first thing in the line that cannot be read, and where.
pub(crate) fn parse(text: &str) -> Result<Line, Refusal> {
    let mut scan = Scan::new(text);
    let level = level(&mut scan)?;
    scan.space();
    let start = scan.at;
    let subject = subject(&mut scan)?;
    let subject_at = start..scan.at;
    let name = text.get(subject_at.clone()).unwrap_or_default().to_owned();
    let scope = scope(&mut scan)?;
    misplaced_modifier(&mut scan, &name)?;
    let cmp = cmp(&mut scan)?;
    let sign_end = scan.at;
    if scan.is_at_end() {
        let sign = text.get(..sign_end).unwrap_or_default().rsplit(char::is_whitespace).next().unwrap_or_default();
        let at = sign_end.saturating_sub(1)..sign_end;
        return Err(Refusal { message: format!("a bound is missing after {}", sign.trim()), at });
    }
    let start = scan.at;
    let bound = bound(&mut scan, subject, &name)?;
    let bound_at = start..scan.at;
    let modifiers = modifiers(&mut scan)?;
    let line = Line { level, subject, scope, cmp, bound, modifiers, subject_at, bound_at };
    status_narrows_shares_only(&line)?;
    Ok(line)
}

fn level(scan: &mut Scan<'_>) -> Result<Level, Refusal> {
    let before = scan.at;
    let word = scan.word();
    if !scan.sign(":") {
        scan.at = before;
        return Ok(Level::Must);
    }
    match word {
        "hard" => Ok(Level::Hard),
        "must" => Ok(Level::Must),
        "should" => Ok(Level::Should),
        "info" => Ok(Level::Info),
        other => {
            let message = format!("unknown level {other}{}", meant(other, ["hard", "must", "should", "info"]));
            Err(Refusal { message, at: before..before + other.len().max(1) })
        }
    }
}

fn subject(scan: &mut Scan<'_>) -> Result<Subject, Refusal> {
    let start = scan.at;
    let word = scan.word();
    let known = match word {
        "mean" => Some(Subject::Mean),
        "max" => Some(Subject::Max),
        "min" => Some(Subject::Min),
        "errors" => Some(Subject::Errors),
        "timeouts" => Some(Subject::Timeouts),
        "shed" => Some(Subject::Shed),
        "offered" => Some(Subject::Offered),
        "achieved" => Some(Subject::Achieved),
        "goodput" => Some(Subject::Goodput),
        "requests" => Some(Subject::Requests),
        "recovery" => Some(Subject::Recovery),
        "unavailable" => Some(Subject::Unavailable),
        "generator_cpu" => Some(Subject::GeneratorCpu),
        "slow" => Some(Subject::Slow(argument(scan, word)?)),
        "apdex" => Some(Subject::Apdex(argument(scan, word)?)),
        _ => None,
    };
    if let Some(subject) = known {
        return Ok(subject);
    }
    let at = start..scan.at;
    let quantile_of = |text: &str| quantile(text).map_err(|message| Refusal { message, at: at.clone() });
    if let Some(rest) = word.strip_prefix("lateness.") {
        if let Some(q) = quantile_of(rest)? {
            return Ok(Subject::Lateness(q));
        }
    } else if let Some(q) = quantile_of(word)? {
        return Ok(Subject::Quantile(q));
    }
    if word.is_empty() {
        return scan.refuse("a subject is missing, such as p95 or errors");
    }
    Err(Refusal { message: format!("unknown subject {word}{}", meant(word, SUBJECTS)), at })
}

/// `p99.9` as 0.999; `None` when it is no quantile at all.
fn quantile(word: &str) -> Result<Option<f64>, String> {
    let Some(digits) = word.strip_prefix('p').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) else {
        return Ok(None);
    };
    // Moved by two digits as text, so that p99.9 is exactly 0.999.
    match format!("{digits}e-2").parse::<f64>() {
        Ok(1.0) => Err("p100 is max".to_owned()),
        Ok(0.0) => Err("p0 is min".to_owned()),
        Ok(share) if share < 1.0 => Ok(Some(share)),
        _ => Err(format!("{word} is no quantile: write p0.1 to p99.999")),
    }
}

fn argument(scan: &mut Scan<'_>, word: &str) -> Result<f64, Refusal> {
    let wanted = format!("{word} needs a time: write {word}(500ms)");
    if !scan.sign("(") {
        return scan.refuse(wanted);
    }
    let value = scan.value()?;
    match value {
        Some(super::Value::Time(time)) if scan.sign(")") => Ok(time),
        _ => scan.refuse(wanted),
    }
}

fn scope(scan: &mut Scan<'_>) -> Result<Vec<Selector>, Refusal> {
    let mut selectors = Vec::new();
    if !scan.sign("{") {
        return Ok(selectors);
    }
    loop {
        selectors.push(selector(scan)?);
        if scan.sign("}") {
            return Ok(selectors);
        }
        if !scan.sign(",") {
            return scan.refuse("a } is missing after the selectors");
        }
    }
}

fn selector(scan: &mut Scan<'_>) -> Result<Selector, Refusal> {
    scan.space();
    let start = scan.at;
    let word = scan.word();
    let key = match word {
        "step" => Key::Step,
        "journey" => Key::Journey,
        "label" => Key::Label,
        "phase" => Key::Phase,
        "fault" => Key::Fault,
        "status" => Key::Status,
        "outcome" => Key::Outcome,
        "clock" => Key::Clock,
        _ => {
            let known = ["step", "journey", "label", "phase", "fault", "status", "outcome", "clock"];
            let message = format!("unknown selector {word}{}", meant(word, known));
            return Err(Refusal { message, at: start..(start + word.len()).max(start + 1) });
        }
    };
    let is_negated = scan.sign("!=");
    if !is_negated && !scan.sign("=") {
        return scan.refuse(format!("a = is missing after {word}"));
    }
    let glob = match scan.quoted()? {
        Some(quoted) => quoted,
        None => scan.take(|c| !c.is_whitespace() && !",{}\"".contains(c)).to_owned(),
    };
    let at = start..scan.at;
    if glob.is_empty() {
        return Err(Refusal { message: format!("a name is missing after {word}="), at });
    }
    let closed: &[&str] = match key {
        Key::Outcome => &["ok", "failed", "any"],
        Key::Clock => &["response", "service"],
        _ => &[],
    };
    if !closed.is_empty() && (is_negated || !closed.contains(&glob.as_str())) {
        return Err(Refusal { message: format!("{word} is one of: {}", closed.join(", ")), at });
    }
    Ok(Selector { key, is_negated, glob, at })
}

/// `errors over 10s < 20%`: a modifier where the comparison belongs. The message shows the line as it should be.
fn misplaced_modifier(scan: &mut Scan<'_>, name: &str) -> Result<(), Refusal> {
    if !["for", "over", "in", "after", "abort", "as"].contains(&scan.peek()) {
        return Ok(());
    }
    let start = scan.at;
    let rest = scan.rest();
    let (modifier, comparison) = rest.split_at(rest.find(['<', '>', '=']).unwrap_or(rest.len()));
    let comparison = if comparison.is_empty() { "< ..." } else { comparison.trim() };
    let modifier = modifier.trim();
    let message = format!("modifiers come last: {name} {comparison}, {modifier}");
    Err(Refusal { message, at: start..start + modifier.len() })
}

fn cmp(scan: &mut Scan<'_>) -> Result<Cmp, Refusal> {
    scan.space();
    let start = scan.at;
    let sign = scan.take(|c| "<>=!".contains(c));
    match sign {
        "<" => Ok(Cmp::Less),
        "<=" => Ok(Cmp::AtMost),
        ">" => Ok(Cmp::More),
        ">=" => Ok(Cmp::AtLeast),
        "" => scan.refuse("a comparison is missing: use < <= > >="),
        _ => {
            let message = "a measured time never equals a number: use < <= > >=".to_owned();
            Err(Refusal { message, at: start..scan.at })
        }
    }
}

fn status_narrows_shares_only(line: &Line) -> Result<(), Refusal> {
    let is_time = line.subject.family() == super::Family::Time;
    match line.scope.iter().find(|one| one.key == Key::Status).filter(|_| is_time) {
        Some(status) => Err(Refusal {
            message: "status narrows shares and counts; for times say outcome=ok".to_owned(),
            at: status.at.clone(),
        }),
        None => Ok(()),
    }
}
