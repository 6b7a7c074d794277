//! What an answer must be: the first demand it does not meet is the reason why it is refused.
//!
//! Pure. Not here: classes for the SLO (`plan::good`), checks on percentiles (`judge`).

use std::time::Duration;

use jsonpath_rust::parser::model::JpQuery;

use super::extract::{self, Reading, Taking};
use crate::load::LoadError;
use crate::load::client::answer::{Answer, Keep};
use crate::measure::outcome::{Kind, Outcome};
use crate::plan::good::StatusSet;
use crate::plan::program::{Check, Extraction, Is, What};

/// Everything that is looked at in one answer.
#[derive(Debug, Default)]
pub struct Judge {
    demands: Vec<(u16, Demand)>,
    takings: Vec<Taking>,
}

#[derive(Debug)]
enum Demand {
    Status(StatusSet),
    Header(String, Is),
    Body(Is),
    Json(JpQuery, Is),
    Size(u64, u64),
    Time(Duration),
}

impl Judge {
    /// Adds `checks`, in order.
    pub fn also_demand(&mut self, checks: &[Check]) -> Result<(), LoadError> {
        for check in checks {
            let demand = match &check.what {
                What::Status(set) => Demand::Status(set.clone()),
                What::Header { name, is } => Demand::Header(name.clone(), is.clone()),
                What::Body(is) => Demand::Body(is.clone()),
                What::Json { path, is } => Demand::Json(extract::path(path)?, is.clone()),
                What::Size { at_least, at_most } => Demand::Size(*at_least, *at_most),
                What::Time { at_most } => Demand::Time(*at_most),
            };
            self.demands.push((check.label, demand));
        }
        Ok(())
    }

    /// Adds `takings`, in order; they follow all demands.
    pub fn also_take(&mut self, takings: &[Extraction]) -> Result<(), LoadError> {
        for one in takings {
            self.takings.push(Taking::new(one)?);
        }
        Ok(())
    }

    fn reads_body(&self) -> bool {
        self.demands.iter().any(|(_, one)| matches!(one, Demand::Body(_) | Demand::Json(..)))
            || self.takings.iter().any(Taking::reads_body)
    }

    /// What must be kept of the answer; of a body at most `limit` bytes.
    pub fn keeps(&self, limit: u64) -> Keep {
        let headers = self.demands.iter().any(|(_, one)| matches!(one, Demand::Header(..)))
            || self.takings.iter().any(Taking::reads_header);
        Keep { headers, body: self.reads_body().then_some(limit) }
    }

    /// The outcome of a whole answer that took `service`; values that can be taken are taken, refused or not.
    pub fn outcome(&self, answer: &Answer, service: Duration, values: &mut [String]) -> Outcome {
        let reading = Reading::new(answer);
        let refused = self.demands.iter().find_map(|(label, demand)| demand.refuses(*label, &reading, service));
        let mut missing = None;
        for taking in &self.takings {
            let why = taking.take(&reading, values);
            missing = missing.or(why);
        }
        match refused {
            // The status explains more than the body that came with it.
            Some(kind @ Kind::Status(_)) => Outcome::Refused(kind),
            _ if answer.too_large => Outcome::Failed { kind: Kind::TooLarge, byte: answer.size },
            why => why.or(missing).map_or(Outcome::Answered, Outcome::Refused),
        }
    }
}

impl Demand {
    fn refuses(&self, label: u16, reading: &Reading<'_>, service: Duration) -> Option<Kind> {
        let answer = reading.answer;
        let met = match self {
            Self::Status(set) if !set.holds(answer.status) => return Some(Kind::Status(answer.status)),
            Self::Status(_) => true,
            Self::Header(name, is) => meets(is, answer.header(name)),
            Self::Body(is) => match reading.text() {
                Some(text) => meets(is, Some(text)),
                None => return Some(Kind::NotUtf8),
            },
            Self::Json(path, is) => meets(is, reading.json(path).as_deref()),
            Self::Size(at_least, at_most) => (*at_least..=*at_most).contains(&answer.size),
            Self::Time(at_most) => service <= *at_most,
        };
        (!met).then_some(Kind::Check(label))
    }
}

/// True when `value` meets the demand; a missing value meets only `Absent`.
fn meets(is: &Is, value: Option<&str>) -> bool {
    let Some(value) = value else { return *is == Is::Absent };
    match is {
        Is::Exists => true,
        Is::Absent => false,
        Is::Equals(text) => value == text,
        Is::Not(text) => value != text,
        Is::Contains(text) => value.contains(text),
        Is::Lacks(text) => !value.contains(text),
        Is::AtLeast(least) => value.trim().parse::<f64>().is_ok_and(|number| number >= *least),
        Is::AtMost(most) => value.trim().parse::<f64>().is_ok_and(|number| number <= *most),
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
            (Is::AtLeast(12.0), true, false),
            (Is::AtMost(11.9), false, false),
        ] {
            assert_eq!((meets(&is, Some("12")), meets(&is, None)), (present, absent), "{is:?}");
        }
    }
}
