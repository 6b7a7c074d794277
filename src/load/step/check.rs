//! What an answer must be: the first demand it does not meet is the reason why it is refused.
//!
//! Pure. Not here: classes for the SLO (`plan::good`), checks on percentiles (`judge`).

use std::time::Duration;

use jsonpath_rust::parser::model::JpQuery;

use super::extract::{self, Reading, Taking};
use super::gate::Want;
use crate::load::LoadError;
use crate::load::client::answer::{Answer, Keep};
use crate::load::vars::Dice;
use crate::measure::outcome::{Kind, Outcome};
use crate::plan::good::StatusSet;
use crate::plan::program::{Check, Extraction, What};
use crate::plan::template::VarId;

/// Everything that is looked at in one answer.
#[derive(Debug, Default)]
pub struct Judge {
    /// Names the draws of its takings: the step.
    place: String,
    demands: Vec<(u16, Demand)>,
    takings: Vec<Taking>,
}

#[derive(Debug)]
enum Demand {
    Status(StatusSet),
    Header(String, Want),
    Body(Want),
    Json(JpQuery, Want),
    Var(VarId, Want),
    Size(u64, u64),
    Time(Duration),
}

impl Judge {
    /// A judge of the answers to step `place`.
    pub fn new(place: &str) -> Self {
        Self { place: place.to_owned(), ..Self::default() }
    }

    /// The variables it sets.
    pub fn sets(&self) -> impl Iterator<Item = VarId> + '_ {
        self.takings.iter().map(Taking::into)
    }

    /// Adds `checks`, in order.
    pub fn also_demand(&mut self, checks: &[Check]) -> Result<(), LoadError> {
        for check in checks {
            let demand = match &check.what {
                What::Status(set) => Demand::Status(set.clone()),
                What::Header { name, is } => Demand::Header(name.clone(), Want::new(is)?),
                What::Body(is) => Demand::Body(Want::new(is)?),
                What::Json { path, is } => Demand::Json(extract::path(path)?, Want::new(is)?),
                What::Var { var, is } => Demand::Var(*var, Want::new(is)?),
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
            self.takings.push(Taking::new(one, &self.place)?);
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
    pub fn outcome(&self, answer: &Answer, service: Duration, (values, dice): (&mut [String], Dice)) -> Outcome {
        let reading = Reading::new(answer);
        let refused = self.demands.iter().find_map(|(label, demand)| demand.refuses(*label, &reading, service));
        let mut missing = None;
        for taking in &self.takings {
            let why = taking.take(&reading, values, dice);
            missing = missing.or(why);
        }
        let refused = refused.or_else(|| self.demands.iter().find_map(|(label, demand)| demand.denies(*label, values)));
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
            // Variables are known after the takings: see `denies`.
            Self::Status(_) | Self::Var(..) => true,
            Self::Header(name, want) => want.meets(answer.header(name)),
            Self::Body(want) => match reading.text() {
                Some(text) => want.meets(Some(text)),
                None => return Some(Kind::NotUtf8),
            },
            Self::Json(path, want) => want.meets(reading.json(path).as_deref()),
            Self::Size(at_least, at_most) => (*at_least..=*at_most).contains(&answer.size),
            Self::Time(at_most) => service <= *at_most,
        };
        (!met).then_some(Kind::Check(label))
    }

    /// The demands on variables, once they are taken.
    fn denies(&self, label: u16, values: &[String]) -> Option<Kind> {
        let Self::Var(variable, want) = self else { return None };
        let value = values.get(usize::from(variable.0)).map(String::as_str).filter(|value| !value.is_empty());
        (!want.meets(value)).then_some(Kind::Check(label))
    }
}
