//! Rates as users write them: `"500/s"`, `"30k/min"`.

use std::fmt;
use std::str::FromStr;

use super::{QuantityError, non_negative, split_unit};

/// Events per second, finite and at least 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl Rate {
    /// `per_second` events per second; negative and non-finite values become 0.
    pub fn per_second(per_second: f64) -> Self {
        Self(if per_second.is_finite() { per_second.max(0.0) } else { 0.0 })
    }

    /// Events per second.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (number, unit) = split_unit(text);
        let value = non_negative(number, text, "500/s")?;
        let (kilo, unit) = match unit.strip_prefix('k') {
            Some(rest) => (1e3, rest),
            None => (1.0, unit),
        };
        let per = match unit.trim() {
            "/s" => 1.0,
            "/min" => 60.0,
            "/h" => 3600.0,
            "" => {
                let help = format!("did you mean `{number}/s`? units are /s, /min, /h");
                return Err(QuantityError::new("missing_unit", format!("`{text}` has no unit"), help));
            }
            other => {
                return Err(QuantityError::new(
                    "bad_number",
                    format!("`{other}` is not a unit of rate"),
                    "units are /s, /min, /h",
                ));
            }
        };
        Ok(Self(value * kilo / per))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.3}", self.0);
        write!(f, "{}/s", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_and_print() {
        for (text, rate) in [("500/s", 500.0), ("30k/min", 500.0), ("0.5/s", 0.5), ("3600/h", 1.0)] {
            assert!((text.parse::<Rate>().unwrap().get() - rate).abs() < 1e-9, "{text}");
        }
        assert_eq!(Rate::per_second(500.0).to_string(), "500/s");
        assert_eq!("500".parse::<Rate>().unwrap_err().id, "missing_unit");
        assert_eq!("-5/s".parse::<Rate>().unwrap_err().id, "bad_number");
    }
}
