//! Shares as users write them: `"2.5%"`.

use std::fmt;
use std::str::FromStr;

use super::{QuantityError, non_negative, split_unit};

/// A share of a whole, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Ratio(f64);

impl Ratio {
    /// The whole.
    pub const ONE: Self = Self(1.0);

    /// `share` clamped to 0 ..= 1; NaN becomes 0.
    pub fn new(share: f64) -> Self {
        Self(if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) })
    }

    /// The share, 0 to 1.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Ratio {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (number, unit) = split_unit(text);
        let value = non_negative(number, text, "2.5%")?;
        match unit {
            "%" if value <= 100.0 => Ok(Self(value / 100.0)),
            "%" => Err(QuantityError::new(
                "bad_number",
                format!("`{text}` is more than the whole"),
                "a share lies between 0% and 100%",
            )),
            "" => {
                let help = format!("did you mean `{number}%`?");
                Err(QuantityError::new("missing_unit", format!("`{text}` has no unit"), help))
            }
            other => Err(QuantityError::new("bad_number", format!("`{other}` is not %"), "write a share as `2.5%`")),
        }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.4}", self.0 * 100.0);
        write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_read_and_print() {
        assert!(("2.5%".parse::<Ratio>().unwrap().get() - 0.025).abs() < 1e-12);
        assert_eq!("2.5%".parse::<Ratio>().unwrap().to_string(), "2.5%");
        assert_eq!("5".parse::<Ratio>().unwrap_err().id, "missing_unit");
        assert_eq!("120%".parse::<Ratio>().unwrap_err().id, "bad_number");
    }
}
