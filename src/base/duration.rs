//! Durations as users write them: `"250us"`, `"30s"`, `"1.5m"`; a unit is never optional.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{QuantityError, non_negative, split_unit};

/// A duration with its unit; units are `us ms s m h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

impl FromStr for Period {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (number, unit) = split_unit(text);
        let scale = match unit {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "" => {
                let value = non_negative(number, text, "30s")?;
                return Err(QuantityError::new(
                    "missing_unit",
                    format!("`{text}` has no unit"),
                    format!("did you mean `{value}s`? units are us, ms, s, m, h"),
                ));
            }
            other => {
                return Err(QuantityError::new(
                    "bad_number",
                    format!("`{other}` is not a unit of time"),
                    "units are us, ms, s, m, h",
                ));
            }
        };
        let seconds = non_negative(number, text, "30s")? * scale;
        Duration::try_from_secs_f64(seconds).map(Self).map_err(|_| {
            QuantityError::new("bad_number", format!("`{text}` is longer than can be counted"), "write a shorter time")
        })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show(self.0))
    }
}

/// A duration in the largest unit that keeps it a short number: `1.5s`, `250ms`, `40us`, `2m`, `90s`.
pub fn show(duration: Duration) -> String {
    let micros = duration.as_micros();
    let (scale, unit) = match micros {
        0 => return "0s".to_owned(),
        n if n % 3_600_000_000 == 0 => (3_600_000_000, "h"),
        n if n % 60_000_000 == 0 => (60_000_000, "m"),
        n if n >= 1_000_000 => (1_000_000, "s"),
        n if n >= 1_000 => (1_000, "ms"),
        _ => (1, "us"),
    };
    let (whole, rest) = (micros / scale, micros % scale);
    if rest == 0 {
        return format!("{whole}{unit}");
    }
    let text = format!("{:.3}", whole as f64 + rest as f64 / scale as f64);
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print() {
        for (text, millis) in [("250ms", 250), ("30s", 30_000), ("1.5m", 90_000), ("2h", 7_200_000), ("0s", 0)] {
            assert_eq!(text.parse::<Period>().unwrap().0, Duration::from_millis(millis), "{text}");
        }
        for text in ["250ms", "30s", "90s", "2h", "1.5s", "40us", "2m"] {
            let read: Period = text.parse().unwrap();
            assert_eq!(read.to_string().parse::<Period>().unwrap(), read);
        }
    }

    #[test]
    fn a_unit_is_never_optional() {
        let error = "500".parse::<Period>().unwrap_err();
        assert_eq!(error.id, "missing_unit");
        assert!(error.help.contains("500s"));
        for text in ["-5s", "s", "", "5 parsecs", "1e400s", "NaNs", "99999999999999999999999h"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }
}
