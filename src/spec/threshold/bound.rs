//! The right side of a line: its bound and its modifiers.

use super::scan::Scan;
use super::{Bound, Family, Modifier, Reference, Refusal, Subject, Value};

/// Reads the bound of a line about `subject`, which the author wrote as `name`.
pub(super) fn bound(scan: &mut Scan<'_>, subject: Subject, name: &str) -> Result<Bound, Refusal> {
    scan.space();
    let reference = match scan.peek() {
        "baseline" => Some(Reference::Baseline),
        "anchor" => Some(Reference::Anchor),
        "steady" => Some(Reference::Steady),
        _ => None,
    };
    if let Some(to) = reference {
        let start = scan.at;
        scan.word();
        return relative(scan, subject, to, start);
    }
    let start = scan.at;
    let Some(value) = scan.value()? else {
        return scan.refuse("a bound is a number with its unit, such as 250ms or 0.1%");
    };
    let at = start..scan.at;
    match fits(subject.family(), value, scan.text.get(at.clone()).unwrap_or_default().trim(), name) {
        Ok(()) => Ok(Bound::Value(value)),
        Err(message) => Err(Refusal { message, at }),
    }
}

fn fits(family: Family, value: Value, text: &str, name: &str) -> Result<(), String> {
    match (family, value) {
        (Family::Time, Value::Time(_))
        | (Family::Share | Family::RateOrShare, Value::Share(_))
        | (Family::Rate | Family::RateOrShare, Value::Rate(_))
        | (Family::Number, Value::Number(_)) => Ok(()),
        (Family::Time, Value::Number(_)) => Err(format!("{name} is a time: did you mean {text}ms?")),
        (Family::Time, _) => Err(format!("{name} is a time: write it as 250ms")),
        (Family::Share, Value::Number(_)) => Err(format!("{name} is a share: did you mean {text}%?")),
        (Family::Share, _) => Err(format!("{name} is a share: write it as 0.5%")),
        (Family::Rate | Family::RateOrShare, Value::Number(_)) => {
            Err(format!("{name} is a rate: did you mean {text}/s?"))
        }
        (Family::Rate, _) => Err(format!("{name} is a rate: write it as 500/s")),
        (Family::RateOrShare, _) => Err(format!("{name} is a rate or a share of offered: write 500/s or 98%")),
        (Family::Number, _) => Err(format!("{name} is a bare number: write it without a unit")),
    }
}

fn relative(scan: &mut Scan<'_>, subject: Subject, to: Reference, start: usize) -> Result<Bound, Refusal> {
    let is_plus = scan.sign("+");
    if !is_plus && !scan.sign("-") {
        let message = "without a margin this can fail by luck and hardly ever pass: add +5%".to_owned();
        return Err(Refusal { message, at: start..scan.at });
    }
    let Some(slack) = scan.value()? else { return scan.refuse("a margin is missing, such as +5%") };
    let at = start..scan.at;
    let sign = if is_plus { 1.0 } else { -1.0 };
    let is_share = matches!(subject.family(), Family::Share);
    let slack = match slack {
        Value::Share(share) if is_share => {
            let percent = share * 100.0;
            let sign = if is_plus { "+" } else { "-" };
            let message = format!("say {sign}{percent}pp (points), relative slack on a share is ambiguous");
            return Err(Refusal { message, at });
        }
        Value::Share(share) => Value::Share(sign * share),
        Value::Points(points) if is_share => Value::Points(sign * points),
        Value::Points(_) => {
            let message = "points (pp) are for shares: write the margin in %".to_owned();
            return Err(Refusal { message, at });
        }
        _ => return Err(Refusal { message: "a margin is written in % or pp".to_owned(), at }),
    };
    let mut or = None;
    if scan.keyword("or") {
        match scan.value()? {
            Some(Value::Time(time)) => or = Some(time),
            _ => return scan.refuse("after or comes a time, such as 10ms"),
        }
    }
    Ok(Bound::Reference { to, slack, or })
}

const MODIFIERS: [&str; 7] = ["for", "over", "in", "after", "abort", "n", "as"];

pub(super) fn modifiers(scan: &mut Scan<'_>) -> Result<Vec<Modifier>, Refusal> {
    let mut found: Vec<Modifier> = Vec::new();
    let mut window: Option<String> = None;
    while !scan.is_at_end() {
        let next = scan.peek().to_owned();
        if !scan.sign(",") {
            if MODIFIERS.contains(&next.as_str()) {
                return scan.refuse(format!("a comma is missing before {next}"));
            }
            let (piece, _) = scan.next_piece();
            return scan.refuse(format!("{piece} is not expected here"));
        }
        scan.space();
        let start = scan.at;
        let word = scan.peek().to_owned();
        let modifier = modifier(scan)?;
        if let Some(first) = window.as_ref().filter(|_| ["for", "over", "in"].contains(&word.as_str())) {
            let message = format!("{first} and {word} exclude each other");
            return Err(Refusal { message, at: start..scan.at });
        }
        if ["for", "over", "in"].contains(&word.as_str()) {
            window = Some(word);
        }
        found.push(modifier);
    }
    Ok(found)
}

fn modifier(scan: &mut Scan<'_>) -> Result<Modifier, Refusal> {
    let word = scan.peek();
    if !MODIFIERS.contains(&word) {
        return scan.refuse(format!("unknown modifier {word}: use {}", MODIFIERS.join(" ")));
    }
    scan.word();
    match word {
        "for" => time(scan, word).map(Modifier::For),
        "over" => time(scan, word).map(Modifier::Over),
        "after" => time(scan, word).map(Modifier::After),
        "in" => {
            let share = scan.value()?;
            match share {
                Some(Value::Share(share)) if scan.keyword("of") => Ok(Modifier::In(share, time(scan, "of")?)),
                _ => scan.refuse("write it as in 95% of 5s"),
            }
        }
        "abort" => match scan.value()? {
            None => Ok(Modifier::Abort(3)),
            Some(Value::Number(n)) if n >= 1.0 && n.fract() == 0.0 => Ok(Modifier::Abort(whole(n))),
            Some(_) => scan.refuse("abort takes a whole number of violations in a row, such as abort 3"),
        },
        "n" => match (scan.sign(">="), scan.value()?) {
            (true, Some(Value::Number(n))) if n.fract() == 0.0 => Ok(Modifier::AtLeast(u64::from(whole(n)))),
            _ => scan.refuse("write it as n >= 1000"),
        },
        _ => match scan.quoted()? {
            Some(name) if !name.trim().is_empty() => Ok(Modifier::As(name)),
            _ => scan.refuse("as takes a name in quotes, such as as 'floor'"),
        },
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and at least 0; casts saturate")]
fn whole(number: f64) -> u32 {
    number as u32
}

fn time(scan: &mut Scan<'_>, word: &str) -> Result<f64, Refusal> {
    match scan.value()? {
        Some(Value::Time(time)) if time > 0.0 => Ok(time),
        _ => scan.refuse(format!("a time is missing after {word}, such as {word} 10s")),
    }
}
