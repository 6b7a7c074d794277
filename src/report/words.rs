//! How numbers, times and names are written, once for all formats: `18.2 ms`, `1.9 s`, `61 %`, `714 203`.
//!
//! Spaces inside a number or before its unit do not break (U+202F, U+00A0); [`plain`] turns them into ordinary ones for
//! terminals. Not here: sentences (`view::sentence`), escaping (each format).

use crate::plan::threshold::Unit;

/// Joins number and unit.
const UNIT: char = '\u{a0}';
/// Parts thousands.
const THIN: char = '\u{202f}';
/// What was not measured.
const NONE: &str = "–";
/// Longest name that is drawn; tables show the same, `result.json` the whole.
const LONGEST_NAME: usize = 120;

/// A whole number with its thousands parted: `714 203`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(THIN);
        }
        text.push(digit);
    }
    text
}

/// A large number in short: `714`, `9 k`, `61 k`, `1.2 M`.
pub fn thousands(value: f64) -> String {
    match value {
        size if size >= 999_500.0 => format!("{}{UNIT}M", number(value / 1e6)),
        size if size >= 9_995.0 => format!("{}{UNIT}k", number((value / 1e3).round())),
        _ => whole(value),
    }
}

/// Three useful digits at most: `1.94`, `18.2`, `253`, `1 200`.
pub fn number(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => NONE.to_owned(),
        size if size >= 999.5 => whole(value),
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => trimmed(format!("{value:.1}")),
        _ => trimmed(format!("{value:.2}")),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded; casts saturate")]
fn whole(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", count(value.abs().round() as u64))
}

fn trimmed(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A time in microseconds: `950 µs`, `18.2 ms`, `253 ms`, `1.9 s`.
pub fn time(us: f64) -> String {
    let (value, unit) = match us.abs() {
        size if size.is_infinite() => return NONE.to_owned(),
        size if size >= 999_500.0 => (us / 1e6, "s"),
        size if size >= 999.5 => (us / 1e3, "ms"),
        size if size.is_nan() => return NONE.to_owned(),
        _ => return format!("{us:.0}{UNIT}µs"),
    };
    let text = if value >= 99.95 { whole(value) } else { trimmed(format!("{value:.1}")) };
    format!("{text}{UNIT}{unit}")
}

/// A time with its 95 % interval in the unit of the time, µs: `182 [176, 190] ms`; without upper end `≥ 4 s`, the lower one.
pub fn ranged(us: f64, (low, high): (f64, Option<f64>)) -> String {
    let Some(high) = high else { return format!("≥{UNIT}{}", time(low)) };
    let (scale, unit) = match us.abs() {
        size if size >= 999_500.0 => (1e6, "s"),
        size if size >= 999.5 => (1e3, "ms"),
        _ => (1.0, "µs"),
    };
    let [us, low, high] = [us, low, high].map(|value| number(value / scale));
    format!("{us}{UNIT}[{low},{UNIT}{high}]{UNIT}{unit}")
}

/// A time in microseconds, or a dash.
pub fn time_or_dash(us: Option<u64>) -> String {
    us.map_or_else(|| NONE.to_owned(), |us| time(us as f64))
}

/// A stretch in seconds as one says it: `9.2 s`, `43 s`, `12 m 31 s`, `2 h 05 m`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate, which is what is wanted")]
pub fn span(seconds: f64) -> String {
    let size = seconds.abs();
    if !size.is_finite() {
        return NONE.to_owned();
    }
    let sign = if seconds < 0.0 { "−" } else { "" };
    if size < 9.95 {
        return format!("{sign}{}{UNIT}s", trimmed(format!("{size:.1}")));
    }
    let all = size.round() as u64;
    let (hours, minutes, rest) = (all / 3600, all / 60 % 60, all % 60);
    match (hours, all) {
        (0, ..120) => format!("{sign}{all}{UNIT}s"),
        (0, _) if rest == 0 => format!("{sign}{minutes}{UNIT}m"),
        (0, _) => format!("{sign}{minutes}{UNIT}m{UNIT}{rest:02}{UNIT}s"),
        _ if minutes == 0 => format!("{sign}{hours}{UNIT}h"),
        _ => format!("{sign}{hours}{UNIT}h{UNIT}{minutes:02}{UNIT}m"),
    }
}

/// An instant relative to `zero`, both in seconds: `T+12.4 s`, `T−30.0 s`.
pub fn instant(at: f64, zero: f64) -> String {
    let tenths = ((at - zero) * 10.0).round() / 10.0;
    let sign = if tenths < 0.0 { '−' } else { '+' };
    if tenths.abs() >= 600.0 {
        return format!("T{sign}{}", span(tenths.abs()));
    }
    format!("T{sign}{:.1}{UNIT}s", tenths.abs())
}

/// A share, 0 to 1: `61 %`, `3.2 %`, `0.04 %`, `99.97 %`. What is not all is never rounded to all, nor what is something to nothing.
pub fn share(ratio: f64) -> String {
    let percent = ratio * 100.0;
    let text = match percent {
        p if !p.is_finite() => return NONE.to_owned(),
        p if p <= 0.0 => "0".to_owned(),
        p if p < 0.005 => "< 0.01".to_owned(),
        p if p < 0.995 => trimmed(format!("{p:.2}")),
        p if p < 9.95 => trimmed(format!("{p:.1}")),
        p if p < 99.0 => format!("{p:.0}"),
        p if p < 99.95 => trimmed(format!("{p:.1}")),
        p if p < 99.995 => format!("{p:.2}"),
        p if p < 100.0 => "> 99.99".to_owned(),
        p => format!("{p:.0}"),
    };
    format!("{text}{UNIT}%")
}

/// `part` of `all` as a share; a dash when there is nothing.
pub fn part(part: u64, all: u64) -> String {
    if all == 0 { NONE.to_owned() } else { share(part as f64 / all as f64) }
}

/// A rate per second: `99.7/s`, `1 200/s`.
pub fn rate(per_second: f64) -> String {
    format!("{}/s", number(per_second))
}

/// A number with the unit that evidence has.
pub fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Us => time(value),
        Unit::S => span(value),
        Unit::Ratio => share(value),
        Unit::PerS => rate(value),
        Unit::Count => whole(value),
    }
}

/// `n thing` or `n things`.
pub fn plural(n: u64, thing: &str) -> String {
    format!("{}{UNIT}{thing}{}", count(n), if n == 1 { "" } else { "s" })
}

/// A name from outside, fit to be shown: control and direction characters become U+FFFD, long ones are cut.
pub fn name(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST_NAME).map(visible).collect();
    if text.chars().nth(LONGEST_NAME).is_some() {
        shown.push('…');
    }
    shown
}

/// A text from outside, fit to be shown: as [`name`], but up to 2 000 characters.
pub fn text(text: &str) -> String {
    text.chars().take(2_000).map(visible).collect()
}

fn visible(c: char) -> char {
    // Controls, invisible and direction-changing characters, and what XML forbids.
    let hidden = c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    if hidden { '\u{fffd}' } else { c }
}

/// A number of bytes: `412 KiB`.
pub fn bytes(n: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let (scale, unit) = units.into_iter().find(|(scale, _)| n >= *scale).unwrap_or((1, "B"));
    format!("{}{UNIT}{unit}", number(n as f64 / scale as f64))
}

/// A wall-clock label without its fractions: `2026-11-20 12:34:00 UTC`; what is not one stays as it is.
pub fn utc(rfc3339: &str) -> String {
    match rfc3339.parse::<jiff::Timestamp>() {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => name(rfc3339),
    }
}

/// The wall-clock time of day `seconds` after `start`: `12:34:00`; empty when `start` is none.
#[expect(clippy::cast_possible_truncation, reason = "casts saturate; labels only")]
pub fn time_of_day(start: &str, seconds: f64) -> String {
    let Ok(start) = start.parse::<jiff::Timestamp>() else { return String::new() };
    let millis = jiff::SignedDuration::from_millis((seconds * 1e3) as i64);
    start.checked_add(millis).map_or_else(|_| String::new(), |at| at.strftime("%H:%M:%S").to_string())
}

/// With ordinary spaces and signs, for terminals and machines.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if matches!(c, UNIT | THIN) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        for (us, text) in [
            (950.0, "950 µs"),
            (18_240.0, "18.2 ms"),
            (253_400.0, "253 ms"),
            (999_600.0, "1 s"),
            (1_940_000.0, "1.9 s"),
            (61_000_000.0, "61 s"),
        ] {
            assert_eq!(plain(&time(us)), text);
        }
        for (ratio, text) in [
            (0.0, "0 %"),
            (0.000_01, "< 0.01 %"),
            (0.000_4, "0.04 %"),
            (0.032, "3.2 %"),
            (0.612, "61 %"),
            (0.999, "99.9 %"),
            (0.999_99, "> 99.99 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(plain(&share(ratio)), text);
        }
        for (seconds, text) in
            [(9.24, "9.2 s"), (43.2, "43 s"), (751.0, "12 m 31 s"), (7_500.0, "2 h 05 m"), (0.0, "0 s")]
        {
            assert_eq!(plain(&span(seconds)), text);
        }
        for (us, interval, text) in [
            (182_000.0, (176_000.0, Some(190_400.0)), "182 [176, 190] ms"),
            (1_100_000.0, (890_000.0, Some(1_400_000.0)), "1.1 [0.89, 1.4] s"),
            (141.0, (140.0, Some(1_142.0)), "141 [140, 1 142] µs"),
            (950_000.0, (805_000.0, None), "≥ 805 ms"),
        ] {
            assert_eq!(plain(&ranged(us, interval)), text);
        }
        assert_eq!(plain(&count(714_203)), "714 203");
        assert_eq!(
            [bytes(512), bytes(422_000), bytes(3 << 30)].map(|text| plain(&text)),
            ["512 B", "412 KiB", "3 GiB"]
        );
        assert_eq!(plain(&rate(1_200.0)), "1 200/s");
        assert_eq!(plain(&rate(99.71)), "99.7/s");
        assert_eq!(plain(&instant(72.44, 60.0)), "T+12.4 s");
        assert_eq!(plain(&instant(30.0, 60.0)), "T−30.0 s");
        assert_eq!(plain(&share(f64::NAN)), "–");
    }

    #[test]
    fn names_lose_what_a_screen_would_obey() {
        assert_eq!(name("a\u{7}b\u{1b}[31m"), "a\u{fffd}b\u{fffd}[31m");
        assert_eq!(name("\u{202e}evil"), "\u{fffd}evil");
        assert_eq!(name(&"x".repeat(10_000)).chars().count(), 121);
    }

    #[test]
    fn wall_clock_labels_have_no_fractions() {
        assert_eq!(utc("2026-11-20T12:34:00.123456Z"), "2026-11-20 12:34:00 UTC");
        assert_eq!(time_of_day("2026-11-20T23:59:30Z", 45.2), "00:00:15");
        assert_eq!(utc("yesterday"), "yesterday");
    }
}
