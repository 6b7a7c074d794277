//! Demands on values and conditions on journeys, compiled.
//!
//! Pure. Not here: which answer is judged (`check`), what follows from a condition (`turn`).

use regex::Regex;

use crate::load::LoadError;
use crate::load::user::User;
use crate::load::vars::Dice;
use crate::plan::good::StatusSet;
use crate::plan::program::{Condition, Is};
use crate::plan::template::VarId;

/// A compiled demand on a value.
#[derive(Debug)]
pub enum Want {
    /// Compared as it is.
    Plain(Is),
    /// Searched for.
    Matches(Regex),
}

/// Compiles a regular expression.
pub fn pattern(text: &str) -> Result<Regex, LoadError> {
    Regex::new(text).map_err(|why| LoadError::Pattern { pattern: text.to_owned(), why: why.to_string() })
}

impl Want {
    /// Compiles `is`.
    pub fn new(is: &Is) -> Result<Self, LoadError> {
        Ok(match is {
            Is::Matches(text) => Self::Matches(pattern(text)?),
            other => Self::Plain(other.clone()),
        })
    }

    /// True when `value` meets the demand; a missing value meets only `Absent`.
    pub fn meets(&self, value: Option<&str>) -> bool {
        match (self, value) {
            (Self::Plain(is), value) => meets(is, value),
            (Self::Matches(regex), Some(value)) => regex.is_match(value),
            (Self::Matches(_), None) => false,
        }
    }
}

fn meets(is: &Is, value: Option<&str>) -> bool {
    let Some(value) = value else { return *is == Is::Absent };
    match is {
        Is::Exists => true,
        // Patterns are compiled and never come here.
        Is::Absent | Is::Matches(_) => false,
        Is::Equals(text) => value == text,
        Is::Not(text) => value != text,
        Is::Contains(text) => value.contains(text),
        Is::Lacks(text) => !value.contains(text),
        Is::AtLeast(least) => value.trim().parse::<f64>().is_ok_and(|number| number >= *least),
        Is::AtMost(most) => value.trim().parse::<f64>().is_ok_and(|number| number <= *most),
    }
}

/// A compiled condition.
#[derive(Debug)]
pub enum Gate {
    /// Holds with this probability; the name of its draw.
    Chance(f64, String),
    /// The status of the last answer is in the set.
    Status(StatusSet),
    /// A variable; an empty value is absent.
    Var(VarId, Want),
    /// Does not hold.
    Not(Box<Gate>),
    /// All hold.
    All(Vec<Gate>),
    /// One holds.
    Any(Vec<Gate>),
}

impl Gate {
    /// Compiles `condition`; its draws are named after `place`.
    pub fn new(condition: &Condition, place: &str) -> Result<Self, LoadError> {
        let all = |list: &[Condition]| {
            list.iter().enumerate().map(|(n, one)| Self::new(one, &format!("{place}/{n}"))).collect::<Result<_, _>>()
        };
        Ok(match condition {
            Condition::Chance(chance) => Self::Chance(*chance, format!("{place}/chance")),
            Condition::Status(set) => Self::Status(set.clone()),
            Condition::Var(variable, is) => Self::Var(*variable, Want::new(is)?),
            Condition::Not(inner) => Self::Not(Box::new(Self::new(inner, place)?)),
            Condition::All(list) => Self::All(all(list)?),
            Condition::Any(list) => Self::Any(all(list)?),
        })
    }

    /// True when it holds for `user` now.
    pub fn holds(&self, user: &User, dice: Dice) -> bool {
        match self {
            Self::Chance(chance, place) => dice.unit(place) < *chance,
            Self::Status(set) => set.holds(user.status),
            Self::Var(variable, want) => want.meets(Some(user.value(*variable)).filter(|value| !value.is_empty())),
            Self::Not(inner) => !inner.holds(user, dice),
            Self::All(list) => list.iter().all(|one| one.holds(user, dice)),
            Self::Any(list) => list.iter().any(|one| one.holds(user, dice)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_value_meets_only_absent() {
        let text = |text: &str| text.to_owned();
        for (is, present, absent) in [
            (Is::Exists, true, false),
            (Is::Absent, false, true),
            (Is::Equals(text("12")), true, false),
            (Is::Not(text("13")), true, false),
            (Is::Contains(text("2")), true, false),
            (Is::Lacks(text("3")), true, false),
            (Is::Matches(text("^1.$")), true, false),
            (Is::Matches(text("^2")), false, false),
            (Is::AtLeast(12.0), true, false),
            (Is::AtMost(11.9), false, false),
        ] {
            let want = Want::new(&is).unwrap();
            assert_eq!((want.meets(Some("12")), want.meets(None)), (present, absent), "{is:?}");
        }
    }
}
