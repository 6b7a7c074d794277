//! Sizes as users write them: `"512B"`, `"64KiB"`, `"8MiB"`, `"1GiB"`; decimal `kB MB GB` too.

use std::fmt;
use std::str::FromStr;

use super::{QuantityError, non_negative, split_unit};

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

impl FromStr for Size {
    type Err = QuantityError;

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the number was checked to be in range"
    )]
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (number, unit) = split_unit(text);
        let value = non_negative(number, text, "64KiB")?;
        if unit.is_empty() {
            let help = format!("did you mean `{number}B`? units are B, kB, KiB, MB, MiB, GB, GiB");
            return Err(QuantityError::new("missing_unit", format!("`{text}` has no unit"), help));
        }
        let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(QuantityError::new(
                "bad_number",
                format!("`{unit}` is not a unit of size"),
                "units are B, kB, KiB, MB, MiB, GB, GiB",
            ));
        };
        Ok(Self((value * *scale as f64).min(u64::MAX as f64) as u64))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, scale) in UNITS {
            if self.0 >= scale && self.0.is_multiple_of(scale) {
                return write!(f, "{}{name}", self.0 / scale);
            }
        }
        write!(f, "{}B", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_and_print() {
        for (text, bytes) in [("64KiB", 65_536), ("512B", 512), ("2kB", 2_000), ("0.5MiB", 524_288)] {
            assert_eq!(text.parse::<Size>().unwrap().0, bytes, "{text}");
        }
        assert_eq!(Size(65_536).to_string(), "64KiB");
        assert_eq!("64".parse::<Size>().unwrap_err().id, "missing_unit");
        assert_eq!("64 pages".parse::<Size>().unwrap_err().id, "bad_number");
    }
}
