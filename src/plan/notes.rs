//! What every report must say of a plan beside its files: what was not checked, what is counted together.
//!
//! Called by `cli`. Not here: what was measured.

use super::load::LoadPlan;
use super::program::requests;
use crate::measure::sample::StepId;

impl LoadPlan {
    /// What every report must say of it beside its files.
    pub fn notes(&self) -> Vec<(String, String)> {
        let mut notes = self.client.wires.notes();
        let last = StepId(u16::try_from(self.steps.len().saturating_sub(1)).unwrap_or(u16::MAX));
        let mut folded = 0;
        for journey in &self.journeys {
            requests(&journey.steps, 1.0, &mut |http, _| folded += u32::from(http.step == last));
        }
        if folded > 1 {
            let name = self.steps.last().map_or("", String::as_str);
            notes.push(("series".to_owned(), format!("{folded} steps are counted together as `{name}`")));
        }
        notes
    }
}
