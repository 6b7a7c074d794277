//! The values of secrets, read from their places just before a run; a plan holds the places alone.
//!
//! Values are [`Secret`]s until they are copied into a user's variables. Called by `cli` before anything is sent.

use crate::base::secret::Secret;
use crate::plan::load::LoadPlan;
use crate::plan::template::VarId;
use crate::plan::values::SecretPlace;

use super::LoadError;

/// The secrets of `plan` with their values.
///
/// # Errors
/// When one is absent: it is named with its place, never with a value.
pub fn reveal(plan: &LoadPlan) -> Result<Vec<(VarId, Secret)>, LoadError> {
    let mut found = Vec::new();
    for secret in &plan.values.secrets {
        let (place, value) = match &secret.place {
            SecretPlace::Env(name) => (format!("environment variable {name}"), std::env::var(name).ok()),
            SecretPlace::File(path) => {
                let text = std::fs::read_to_string(path).ok();
                (format!("file {path}"), text.map(|text| text.trim().to_owned()))
            }
        };
        let absent = || LoadError::Secret { name: secret.name.clone(), place };
        found.push((secret.into, Secret::new(value.ok_or_else(absent)?)));
    }
    Ok(found)
}
